#include "probe/diagnosis/compare/compare.hpp"

#include <gtest/gtest.h>

#include "tests/diagnosis/build.hpp"

namespace callready {
namespace {

Report report_of(Status status, Verdict verdict) {
  Report report;
  report.site.name = "Lyon";
  SetResult set;
  set.id = "pbx";
  set.title = "PBX";
  set.edition = "Ed 1";
  set.verdict = verdict;
  CapabilityResult capability;
  capability.id = "calls";
  capability.verdict = verdict;
  set.capabilities = {capability};
  RequirementResult row;
  row.id = "sip";
  row.title = "SIP";
  row.status = status;
  set.requirements = {row};
  report.sets = {set};
  return report;
}

Comparison compared(const Report& before, const Report& after) {
  return compare(before, "old.json", after, "new.json");
}

struct TrendCase {
  const char* name;
  Status before, after;
  Trend expected;
};
class RowTrend : public testing::TestWithParam<TrendCase> {};

TEST_P(RowTrend, IsSaidOfWhatBothMeasured) {
  const auto& param = GetParam();
  const auto result =
      compared(report_of(param.before, Verdict::ready), report_of(param.after, Verdict::ready));
  ASSERT_EQ(result.changes.size(), 1u);
  EXPECT_EQ(result.changes[0].trend, param.expected);
  EXPECT_EQ(result.worse(), param.expected == Trend::worse);
  EXPECT_EQ(result.changes[0].of, Change::Of::requirement);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RowTrend,
    testing::Values(TrendCase{"pass_fail", Status::pass, Status::fail, Trend::worse},
                    TrendCase{"fail_pass", Status::fail, Status::pass, Trend::better},
                    TrendCase{"pass_warn", Status::pass, Status::warn, Trend::worse},
                    TrendCase{"warn_unknown", Status::warn, Status::unknown, Trend::unknown},
                    TrendCase{"pass_unknown", Status::pass, Status::unknown, Trend::unknown},
                    TrendCase{"unknown_fail", Status::unknown, Status::fail, Trend::worse},
                    TrendCase{"unknown_pass", Status::unknown, Status::pass, Trend::better},
                    TrendCase{"fail_unknown", Status::fail, Status::unknown, Trend::changed},
                    TrendCase{"pass_skip", Status::pass, Status::skip, Trend::changed},
                    TrendCase{"skip_fail", Status::skip, Status::fail, Trend::changed}),
    test::case_name);

TEST(Compare, FindsNothingInTheSameReport) {
  const auto report = report_of(Status::fail, Verdict::blocked);
  const auto result = compared(report, report);
  EXPECT_TRUE(result.same());
  EXPECT_FALSE(result.worse());
  EXPECT_TRUE(result.notes.empty());
}

TEST(Compare, TellsVerdictsOfSetsAndCapabilities) {
  const auto result =
      compared(report_of(Status::pass, Verdict::ready), report_of(Status::pass, Verdict::degraded));
  ASSERT_EQ(result.changes.size(), 2u);
  EXPECT_EQ(result.changes[0].of, Change::Of::set);
  EXPECT_EQ(result.changes[1].of, Change::Of::capability);
  EXPECT_EQ(result.changes[1].before, "ready");
  EXPECT_EQ(result.changes[1].after, "degraded");
  EXPECT_TRUE(result.worse());
}

TEST(Compare, WhatCouldNotBeDecidedIsNotWorse) {
  const auto ready = report_of(Status::pass, Verdict::ready);
  const auto undecided = report_of(Status::unknown, Verdict::unknown);
  EXPECT_TRUE(compared(ready, undecided).not_known());
  EXPECT_FALSE(compared(ready, undecided).worse());
  EXPECT_FALSE(compared(ready, report_of(Status::unknown, Verdict::ready)).not_known())
      << "a row alone";
  EXPECT_FALSE(compared(undecided, ready).not_known());
  auto worse = undecided;
  worse.findings.emplace_back();
  EXPECT_TRUE(compared(ready, worse).worse());
  EXPECT_FALSE(compared(ready, worse).not_known());
}

TEST(Compare, NamesRowsThatOnlyOneHas) {
  auto after = report_of(Status::pass, Verdict::ready);
  after.sets.at(0).requirements.at(0).id = "sip-tls";
  after.sets.at(0).edition = "Ed 2";
  const auto result = compared(report_of(Status::pass, Verdict::ready), after);
  ASSERT_EQ(result.added.size(), 1u);
  EXPECT_EQ(result.added[0].id, "sip-tls");
  ASSERT_EQ(result.removed.size(), 1u);
  EXPECT_EQ(result.removed[0].id, "sip");
  EXPECT_FALSE(result.worse()) << "what is new in the document is not the network's doing";
  EXPECT_FALSE(result.same());
  EXPECT_EQ(result.notes,
            std::vector<std::string>{
                "pbx: the older report used the set \"PBX, Ed 1\", the newer one \"PBX, Ed 2\""});
}

TEST(Compare, SaysThatAnIdHasGoneToAnotherSet) {
  auto after = report_of(Status::pass, Verdict::ready);
  after.sets.at(0).title = "Cloud PBX";
  EXPECT_EQ(compared(report_of(Status::pass, Verdict::ready), after).notes,
            std::vector<std::string>{"pbx: the older report used the set \"PBX, Ed 1\", the newer "
                                     "one \"Cloud PBX, Ed 1\""});
}

TEST(Compare, NamesSetsThatOnlyOneHas) {
  auto after = report_of(Status::pass, Verdict::ready);
  after.sets.at(0).id = "other";
  const auto result = compared(report_of(Status::pass, Verdict::ready), after);
  ASSERT_EQ(result.added.size(), 1u);
  EXPECT_EQ(result.added[0].of, Change::Of::set);
  ASSERT_EQ(result.removed.size(), 1u);
  EXPECT_EQ(result.removed[0].set, "pbx");
}

Finding finding(FindingCode code, const std::string& title, const std::string& explains) {
  Finding made;
  made.code = code;
  made.title = title;
  made.explains = {explains};
  return made;
}

TEST(CompareFindings, NewOnesAreWorseAndGoneOnesBetter) {
  auto before = report_of(Status::pass, Verdict::ready), after = before;
  before.findings = {finding(FindingCode::sip_alg, "ALG", "pbx/sip")};
  after.findings = {finding(FindingCode::dns_slow, "Slow", "pbx/sip")};
  const auto result = compared(before, after);
  ASSERT_EQ(result.findings.size(), 2u);
  EXPECT_EQ(result.findings[0].trend, Trend::worse);
  EXPECT_EQ(result.findings[0].finding.code, FindingCode::dns_slow);
  EXPECT_EQ(result.findings[1].trend, Trend::better);
  EXPECT_TRUE(result.worse());
}

TEST(CompareFindings, WhatTheOlderRunDidNotMeasureIsNotWorse) {
  auto before = report_of(Status::skip, Verdict::unknown);
  auto after = report_of(Status::fail, Verdict::blocked);
  after.findings = {finding(FindingCode::sip_alg, "ALG", "pbx/sip")};
  const auto result = compared(before, after);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].trend, Trend::changed);
  EXPECT_EQ(
      result.findings[0].note,
      "not seen before, but the older run measured none of the requirements that it explains");
  before = report_of(Status::pass, Verdict::ready);
  before.complete = false;
  EXPECT_EQ(compared(before, after).findings.at(0).trend, Trend::changed);
}

TEST(CompareFindings, OneCauseInOtherWordsIsNotNew) {
  auto before = report_of(Status::fail, Verdict::blocked), after = before;
  before.findings = {
      finding(FindingCode::firewall_tcp_port_blocked, "Port 5060 is blocked", "pbx/sip")};
  after.findings = {finding(FindingCode::firewall_tcp_port_blocked,
                            "Port 5060 is blocked by 10.0.0.1", "pbx/sip")};
  after.findings[0].confidence = Confidence::certain;
  const auto result = compared(before, after);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].trend, Trend::changed);
  EXPECT_EQ(result.findings[0].note, "was possible, is certain; was: Port 5060 is blocked");
  EXPECT_FALSE(result.worse());
}

TEST(CompareFindings, TheSameTitleGoesBeforeTheSameRows) {
  auto before = report_of(Status::fail, Verdict::blocked), after = before;
  before.findings = {finding(FindingCode::firewall_tcp_port_blocked, "Port 1", "pbx/sip"),
                     finding(FindingCode::firewall_tcp_port_blocked, "Port 2", "pbx/sip")};
  after.findings = {finding(FindingCode::firewall_tcp_port_blocked, "Port 2", "pbx/sip")};
  const auto result = compared(before, after);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].finding.title, "Port 1");
}

TEST(CompareFindings, TheSameOwnerGoesFirst) {
  auto before = report_of(Status::fail, Verdict::blocked), after = before;
  before.findings = {finding(FindingCode::network_mtu, "Lost", "pbx/sip"),
                     finding(FindingCode::network_mtu, "Lost", "pbx/sip")};
  before.findings[0].owner = Owner::lan;
  before.findings[0].confidence = Confidence::certain;
  before.findings[1].owner = Owner::provider;
  after.findings = {before.findings[1], before.findings[0]};
  EXPECT_TRUE(compared(before, after).same()) << "and not crosswise";
  after.findings.pop_back();
  after.findings[0].owner = Owner::network;
  EXPECT_EQ(same_causes(before.findings, after.findings).front(), &before.findings[0])
      << "another owner is better than none";
}

TEST(CompareFindings, OneThatCouldNotBeSeenIsNotCalledGone) {
  auto before = report_of(Status::fail, Verdict::blocked);
  before.findings = {finding(FindingCode::sip_alg, "ALG", "pbx/sip")};
  const auto undecided = compared(before, report_of(Status::unknown, Verdict::blocked));
  ASSERT_EQ(undecided.findings.size(), 1u);
  EXPECT_EQ(undecided.findings[0].trend, Trend::changed);
  EXPECT_EQ(
      undecided.findings[0].note,
      "no longer seen, but 1 of the 1 requirements that it explained have not been shown to work");
  auto stopped = report_of(Status::pass, Verdict::ready);
  stopped.complete = false;
  EXPECT_EQ(compared(before, stopped).findings.at(0).trend, Trend::changed);
  EXPECT_EQ(compared(before, report_of(Status::pass, Verdict::ready)).findings.at(0).trend,
            Trend::better);
}

TEST(Compare, SaysWhatMakesReportsHardToCompare) {
  auto before = report_of(Status::pass, Verdict::ready), after = before;
  before.started_at += std::chrono::hours(1);
  before.complete = false;
  after.site.name = "Nice";
  after.site.vantage = Vantage::phone;
  after.redacted = "x";
  EXPECT_EQ(compared(before, after).notes.size(), 5u);
  after.part = {"--only turn-udp"};
  EXPECT_EQ(compared(before, after).notes.size(), 6u);
}

}  // namespace
}  // namespace callready
