// Reports of two networks of one site, with a row of the phones measured from both.
#include "probe/diagnosis/compare/merge.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "probe/diagnosis/status/judge.hpp"
#include "tests/diagnosis/build.hpp"

namespace callready::merge_test {
namespace {

using testing::Test;

// What one vantage says of one row.
struct Seen {
  Status status = Status::pass;
  bool elsewhere = false;
  int total = 1;
};

RequirementResult row_result(const std::string& id, const Seen& seen) {
  RequirementResult row;
  row.id = id;
  row.title = "Row " + id;
  row.status = seen.status;
  row.elsewhere = seen.elsewhere;
  row.total = seen.total;
  row.reached = seen.status == Status::pass ? seen.total : 0;
  row.summary = seen.status == Status::pass ? "reached" : "not reached";
  if (seen.total > 0) row.probes = {"tcp/tcp/" + id + ".example.net:5060"};
  return row;
}

int runs = 0;

// A report with one set, one capability that needs all rows, and a probe for each row.
Report report_of(const std::string& host, const std::map<std::string, Seen>& rows) {
  Report report;
  report.tool.version = "1";
  report.started_at = WallTime(std::chrono::seconds(1795176000 + ++runs));
  report.finished_at = report.started_at + std::chrono::seconds(1);
  report.duration = Milliseconds(1000);
  report.site.name = "Lyon";
  report.site.host = host;
  SetResult set;
  set.id = "pbx";
  set.title = "PBX";
  set.edition = "Ed 1";
  Capability capability;
  capability.id = "calls";
  capability.title = "Calls";
  for (const auto& [id, seen] : rows) {
    set.requirements.push_back(row_result(id, seen));
    capability.needs.push_back({{{id}}, false});
    for (const auto& probe : set.requirements.back().probes) {
      ProbeResult result;
      result.probe.id = probe;
      result.probe.check = CheckKind::tcp;
      result.probe.target.host = id + ".example.net";
      result.probe.target.ports = {5060, 5060};
      result.observation.outcome =
          seen.status == Status::pass ? Outcome::connected : Outcome::silent;
      report.probes.push_back(result);
    }
  }
  set.capabilities = {judge_capability(capability, set.requirements)};
  set.verdict = verdict_of_set(set.capabilities, set.requirements);
  report.sets = {set};
  return report;
}

Report merged(const std::vector<MergeInput>& inputs) {
  auto result = merge(inputs, "");
  for (const auto& error : result.errors) ADD_FAILURE() << error;
  return result.report;
}

std::string error_of(const std::vector<MergeInput>& inputs) {
  const auto result = merge(inputs, "");
  return result.errors.size() == 1 ? result.errors.front()
                                   : std::to_string(result.errors.size()) + " errors";
}

const RequirementResult& row_of(const Report& report, const std::string& id) {
  for (const auto& row : report.sets.at(0).requirements) {
    if (row.id == id) return row;
  }
  throw std::out_of_range(id);
}

// Calls do without it in both reports, and so they do in the merged one.
TEST(Merge, KeepsWhatIsKnownOfASet) {
  auto office = report_of("office", {{"push", {Status::fail}}});
  auto& set = office.sets.front();
  set.published = "2026-05";
  set.leans_on.emplace_back().id = "teams";
  set.capabilities.front().calls = false;
  set.verdict = verdict_of_set(set.capabilities, set.requirements);
  auto home = office;
  home.site.host = "home";
  home.started_at += std::chrono::seconds(60);
  const auto report = merged({{"office", office}, {"home", home}});
  const auto& both = report.sets.front();
  EXPECT_FALSE(both.capabilities.front().calls);
  EXPECT_EQ(both.verdict, set.verdict);
  EXPECT_EQ(both.published, "2026-05");
  ASSERT_EQ(both.leans_on.size(), 1U);
  EXPECT_EQ(both.leans_on.front().id, "teams");
}

// Once, two reports that said "works with limits" were merged into one that said "works".
TEST(Merge, KeepsWhatAStreamOfAnotherRowTakesFromCalls) {
  const auto made = [](const char* host) {
    auto one = report_of(host, {{"sip", {Status::pass}}});
    auto& set = one.sets.front();
    auto row = row_result("media", {Status::warn});
    row.poor = true;
    MissedFigure missed;
    missed.figure = QualityFigure::loss;
    missed.probe = row.probes.front();
    row.missed = {missed};
    set.requirements.push_back(row);
    set.capabilities.front().verdict = Verdict::degraded;
    set.capabilities.front().summary = "works with limits: 12 % lost";
    return one;
  };
  const auto both = merged({{"user", made("a")}, {"voice", made("b")}});
  EXPECT_EQ(both.sets.at(0).capabilities.at(0).verdict, Verdict::degraded);
  EXPECT_NE(row_of(both, "media").missed.at(0).probe.find('#'), std::string::npos);
}

TEST(Merge, WhatWasLeftOutIsCalledSo) {
  auto one = report_of("pc", {{"sip", {Status::skip, false, 0}}});
  auto& set = one.sets.front();
  set.requirements.front().summary = "left out: a normal run sends little";
  set.requirements.front().left_out = true;
  const auto both =
      merged({{"a", one}, {"b", report_of("phone", {{"sip", {Status::skip, false, 0}}})}});
  EXPECT_NE(both.sets.front().capabilities.front().summary.find("skipped to keep traffic low"),
            std::string::npos)
      << both.sets.front().capabilities.front().summary;
}

struct StatusCase {
  const char* name;
  Seen user, voice;
  Status expected;
  bool elsewhere = false;
};

class MergedStatus : public testing::TestWithParam<StatusCase> {};

TEST_P(MergedStatus, IsTheOneOfTheRightPlace) {
  const auto& param = GetParam();
  // In both orders: which comes first must not matter.
  for (const bool swapped : {false, true}) {
    const auto report =
        merged({{"a", report_of("pc", {{"sip", swapped ? param.voice : param.user}})},
                {"b", report_of("pc", {{"sip", swapped ? param.user : param.voice}})}});
    EXPECT_EQ(row_of(report, "sip").status, param.expected);
    EXPECT_EQ(row_of(report, "sip").elsewhere, param.elsewhere);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, MergedStatus,
    testing::Values(
        StatusCase{
            "own_pass_beats_fail_elsewhere", {Status::fail, true}, {Status::pass}, Status::pass},
        StatusCase{
            "own_fail_beats_pass_elsewhere", {Status::pass, true}, {Status::fail}, Status::fail},
        StatusCase{
            "own_unknown_stays_unknown", {Status::pass, true}, {Status::unknown}, Status::unknown},
        StatusCase{"the_worst_of_two_that_count", {Status::pass}, {Status::fail}, Status::fail},
        StatusCase{
            "unknown_is_worse_than_pass", {Status::pass}, {Status::unknown}, Status::unknown},
        StatusCase{"fail_is_worse_than_unknown", {Status::fail}, {Status::unknown}, Status::fail},
        StatusCase{"measured_beats_an_open_question",
                   {Status::unknown, false, 0},
                   {Status::pass},
                   Status::pass},
        StatusCase{"measured_elsewhere_beats_an_open_question",
                   {Status::unknown, false, 0},
                   {Status::pass, true},
                   Status::pass,
                   true},
        StatusCase{"an_open_question_beats_not_tried",
                   {Status::skip, false, 0},
                   {Status::unknown, false, 0},
                   Status::unknown},
        StatusCase{
            "not_tried_anywhere", {Status::skip, false, 0}, {Status::skip, false, 0}, Status::skip},
        StatusCase{"only_from_elsewhere",
                   {Status::pass, true},
                   {Status::skip, false, 0},
                   Status::pass,
                   true}),
    test::case_name);

TEST(Merge, ShowsDisagreement) {
  const auto report = merged({{"user", report_of("pc-1", {{"sip", {Status::pass}}})},
                              {"voice", report_of("pc-2", {{"sip", {Status::fail}}})}});
  EXPECT_EQ(row_of(report, "sip").summary,
            "not the same everywhere: fails from voice (not reached), works from user");
  EXPECT_EQ(report.sets.at(0).verdict, Verdict::blocked);
  EXPECT_EQ(report.sets.at(0).capabilities.at(0).summary,
            "does not work: Row sip (works from user, blocked from voice)");
}

TEST(Merge, NamesWhatWasSeenFromTheWrongPlace) {
  const auto report = merged({{"user", report_of("pc-1", {{"sip", {Status::fail, true}}})},
                              {"voice", report_of("pc-2", {{"sip", {Status::pass}}})}});
  EXPECT_EQ(row_of(report, "sip").summary,
            "from voice: reached; not relevant at user, which saw: fails (not reached)");
  EXPECT_EQ(report.sets.at(0).verdict, Verdict::ready);
}

TEST(Merge, KeepsProbesApart) {
  const auto report = merged(
      {{"user", report_of("pc-1", {{"sip", {}}})}, {"voice", report_of("pc-2", {{"sip", {}}})}});
  ASSERT_EQ(report.probes.size(), 2u);
  EXPECT_EQ(report.probes[0].probe.id, "tcp/tcp/sip.example.net:5060#user");
  EXPECT_EQ(report.probes[1].probe.id, "tcp/tcp/sip.example.net:5060#voice");
  EXPECT_EQ(report.probes[1].probe.vantage, "voice");
  EXPECT_EQ(row_of(report, "sip").probes,
            (std::vector<std::string>{"tcp/tcp/sip.example.net:5060#user",
                                      "tcp/tcp/sip.example.net:5060#voice"}));
  EXPECT_EQ(row_of(report, "sip").total, 2);
  EXPECT_EQ(report.duration, Milliseconds(2000));
  EXPECT_EQ(report.site.name, "Lyon");
  EXPECT_EQ(report.site.host, "");
  EXPECT_EQ(report.notes.at(0), "Merged from 2 reports: user (pc-1), voice (pc-2).");
}

TEST(Merge, JudgesCapabilitiesByWhatTheyNeed) {
  // Neither vantage has both rows; together they have.
  auto user = report_of("pc-1", {{"web", {}}});
  auto voice = report_of("pc-2", {{"sip", {Status::fail}}});
  for (auto* report : {&user, &voice}) {
    report->sets.at(0).capabilities.at(0).needs = {{{{"web"}}, false}, {{{"sip"}}, false}};
  }
  const auto report = merged({{"user", user}, {"voice", voice}});
  const auto& capability = report.sets.at(0).capabilities.at(0);
  EXPECT_EQ(capability.verdict, Verdict::blocked);
  EXPECT_EQ(capability.requirements, (std::vector<std::string>{"web", "sip"}));
  EXPECT_EQ(report.sets.at(0).requirements.size(), 2u);
}

TEST(Merge, OfReportsThatDoNotSayWhatIsNeededTakesTheWorst) {
  auto user = report_of("pc-1", {{"sip", {}}}),
       voice = report_of("pc-2", {{"sip", {Status::fail}}});
  for (auto* report : {&user, &voice}) report->sets.at(0).capabilities.at(0).needs.clear();
  const auto report = merged({{"user", user}, {"voice", voice}});
  EXPECT_EQ(report.sets.at(0).capabilities.at(0).verdict, Verdict::blocked);
}

TEST(Merge, NotesASetThatOneVantageLacks) {
  auto other = report_of("pc-2", {{"sip", {}}});
  other.sets.at(0).id = other.sets.at(0).title = "other";
  const auto report = merged({{"user", report_of("pc-1", {{"sip", {}}})}, {"voice", other}});
  ASSERT_EQ(report.sets.size(), 2u);
  EXPECT_EQ(report.sets[0].notes, std::vector<Text>{"Checked from user only."});
  EXPECT_EQ(report.sets[1].notes, std::vector<Text>{"Checked from voice only."});
}

TEST(Merge, AnIncompletePartMakesItIncomplete) {
  auto user = report_of("pc-1", {{"sip", {}}});
  user.complete = false;
  EXPECT_FALSE(merged({{"user", user}, {"voice", report_of("pc-2", {{"sip", {}}})}}).complete);
}

TEST(Merge, IsOfAPartWhereAPlaceIs) {
  auto user = report_of("pc-1", {{"sip", {}}}), voice = report_of("pc-2", {{"sip", {}}});
  EXPECT_TRUE(merged({{"user", user}, {"voice", voice}}).part.empty());
  user.part = {"--only sip"};
  voice.part = {"--only sip", "--skip web"};
  EXPECT_EQ(merged({{"user", user}, {"voice", voice}}).part,
            (std::vector<std::string>{"--only sip", "voice: --skip web"}));
  user.part.clear();
  EXPECT_EQ(merged({{"user", user}, {"voice", voice}}).part,
            (std::vector<std::string>{"voice: --only sip", "voice: --skip web"}));
}

TEST(Merge, SaysWhyReportsAreNotOfOneSite) {
  const auto good = report_of("pc-1", {{"sip", {}}});
  auto edition = report_of("pc-2", {{"sip", {}}});
  edition.sets.at(0).edition = "Ed 2";
  EXPECT_EQ(
      error_of({{"user", good}, {"voice", edition}}),
      "the editions of pbx differ (user: pbx Ed 1; voice: pbx Ed 2): check both with the same "
      "edition, then merge");
  auto title = report_of("pc-2", {{"sip", {}}});
  title.sets.at(0).title = "Another";
  EXPECT_EQ(error_of({{"user", good}, {"voice", title}}),
            "pbx is not the same set in user and in voice (\"PBX\", \"Another\")");
  auto severity = report_of("pc-2", {{"sip", {}}});
  severity.sets.at(0).requirements.at(0).severity = Severity::optional;
  EXPECT_EQ(error_of({{"user", good}, {"voice", severity}}),
            "pbx/sip is not the same row in user and in voice: the sets differ");
  EXPECT_EQ(error_of({{"user", good}, {"voice", good}}), "user and voice are the same run");
  EXPECT_EQ(error_of({{"user", good}, {"user", report_of("pc-2", {{"sip", {}}})}}),
            "two reports are called \"user\": give them different names (NAME=FILE)");
  auto redacted = report_of("pc-2", {{"sip", {}}});
  redacted.redacted = "hmac-sha256:1";
  EXPECT_EQ(error_of({{"user", good}, {"voice", redacted}}),
            "user and voice use pseudonyms made with different keys: merge the original reports, "
            "then redact the result");
  EXPECT_EQ(error_of({}), "nothing to merge");
}

TEST(Merge, CanBeTakenApartAndMergedAgain) {
  const auto user = report_of("pc-1", {{"sip", {}}}), voice = report_of("pc-2", {{"sip", {}}});
  const auto report = merged({{"user", user}, {"voice", voice}});
  const auto parts = parts_of(report);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[1].name, "voice");
  EXPECT_EQ(parts[1].report.probes.at(0).probe.id, voice.probes.at(0).probe.id);
  EXPECT_EQ(parts[1].report.probes.at(0).probe.vantage, "");
  EXPECT_EQ(parts[1].report.site.host, "pc-2");
  // A third vantage, later: as if all three had been merged at once.
  const auto pbx = report_of("pbx-1", {{"sip", {Status::fail}}});
  const auto later = merged({{"both", report}, {"pbx", pbx}});
  const auto at_once = merged({{"user", user}, {"voice", voice}, {"pbx", pbx}});
  EXPECT_EQ(later.vantages.size(), 3u);
  EXPECT_EQ(row_of(later, "sip").summary, row_of(at_once, "sip").summary);
  EXPECT_EQ(later.probes.back().probe.id, at_once.probes.back().probe.id);
}

Finding finding(const std::string& title, Confidence confidence, const std::string& fix) {
  Finding made;
  made.code = FindingCode::firewall_udp_blocked;
  made.title = title;
  made.confidence = confidence;
  made.fix = fix;
  made.affects = {{"pbx", {"calls"}}};
  made.explains = {"pbx/sip"};
  made.evidence = {{"tcp/tcp/sip.example.net:5060", "Nothing came back."}};
  return made;
}

// With pseudonyms the findings are taken as they are: what is tested here is their combination.
Report with_finding(Report report, const Finding& one) {
  report.findings = {one};
  report.redacted = "hmac-sha256:1";
  return report;
}

TEST(MergedFindings, AreOneWhereTheyAreTheSame) {
  const auto report =
      merged({{"user", with_finding(report_of("pc-1", {{"sip", {Status::fail}}}),
                                    finding("No UDP", Confidence::likely, "Allow it."))},
              {"voice", with_finding(report_of("pc-2", {{"sip", {Status::fail}}}),
                                     finding("No UDP", Confidence::certain, "Allow it all."))}});
  ASSERT_EQ(report.findings.size(), 1u);
  const auto& one = report.findings[0];
  EXPECT_EQ(one.seen_from, (std::vector<std::string>{"user", "voice"}));
  EXPECT_EQ(one.confidence, Confidence::certain);
  EXPECT_EQ(one.fix, "For user: Allow it. For voice: Allow it all.");
  ASSERT_EQ(one.evidence.size(), 2u);
  EXPECT_EQ(one.evidence[1].text, "From voice: Nothing came back.");
  EXPECT_EQ(one.evidence[1].probe, "tcp/tcp/sip.example.net:5060#voice");
}

// Packets are lost on the Wi-Fi of the one, and on the line of the other: two to be asked.
TEST(MergedFindings, OfTwoOwnersAreTwo) {
  const auto of = [](const char* host, Owner owner) {
    auto one = finding("Packets are lost", Confidence::likely, "Ask.");
    one.owner = owner;
    return with_finding(report_of(host, {{"sip", {Status::fail}}}), one);
  };
  const auto report =
      merged({{"user", of("pc-1", Owner::lan)}, {"voice", of("pc-2", Owner::provider)}});
  ASSERT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(report.findings[0].owner, Owner::lan);
  EXPECT_EQ(report.findings[1].owner, Owner::provider);
}

TEST(Merge, CountsNoFurtherThanNumbersGo) {
  constexpr int most = std::numeric_limits<int>::max();
  const Seen many{Status::pass, false, most};
  const auto both = merged({{"user", report_of("pc-1", {{"sip", many}})},
                            {"voice", report_of("pc-2", {{"sip", many}})}});
  EXPECT_EQ(row_of(both, "sip").reached, most);
  EXPECT_EQ(row_of(both, "sip").total, most);
}

TEST(MergedFindings, SayWhatElseItCouldBeWhereAllPlacesSayTheSame) {
  const auto other = [](const std::string& of_user, const std::string& of_voice) {
    auto user = finding("No UDP", Confidence::likely, "Allow it."), voice = user;
    user.runner_up = {of_user, "Look."};
    voice.runner_up = {of_voice, "Look."};
    const auto sip = report_of("pc-1", {{"sip", {Status::fail}}});
    return merged({{"user", with_finding(sip, user)},
                   {"voice", with_finding(report_of("pc-2", {{"sip", {Status::fail}}}), voice)}})
        .findings.at(0)
        .runner_up;
  };
  ASSERT_TRUE(other("a list", "a list"));
  EXPECT_EQ(other("a list", "a list")->cause.string(), "a list");
  EXPECT_FALSE(other("a list", "a limit"));
}

TEST(MergedFindings, SayWhereTheyAreNotSeen) {
  auto voice = report_of("pc-2", {{"sip", {Status::pass}}});
  voice.redacted = "hmac-sha256:1";
  const auto report =
      merged({{"user", with_finding(report_of("pc-1", {{"sip", {Status::fail}}}),
                                    finding("No UDP", Confidence::likely, "Allow it."))},
              {"voice", voice}});
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].evidence.at(0).text, "Seen from user, not from voice.");
  EXPECT_EQ(report.findings[0].explains, std::vector<std::string>{"pbx/sip"});
}

TEST(MergedFindings, HurtNothingWhereTheRightPlaceIsFine) {
  auto voice = report_of("pc-2", {{"sip", {Status::pass}}});
  voice.redacted = "hmac-sha256:1";
  const auto report =
      merged({{"user", with_finding(report_of("pc-1", {{"sip", {Status::fail, true}}}),
                                    finding("No UDP", Confidence::likely, "Allow it."))},
              {"voice", voice}});
  ASSERT_EQ(report.findings.size(), 1u) << "it is still true of that network";
  EXPECT_TRUE(report.findings[0].explains.empty());
  EXPECT_TRUE(report.findings[0].affects.empty());
  EXPECT_EQ(report.sets.at(0).verdict, Verdict::ready);
}

TEST(DiagnosedAnew, LeavesRedactedReportsAlone) {
  const auto report = with_finding(report_of("pc-1", {{"sip", {Status::fail}}}),
                                   finding("No UDP", Confidence::likely, "Allow it."));
  EXPECT_EQ(diagnosed_anew(report).findings.size(), 1u);
  auto plain = report;
  plain.redacted.clear();
  for (const auto& found : diagnosed_anew(plain).findings) EXPECT_NE(found.title, "No UDP");
}

}  // namespace
}  // namespace callready::merge_test
