// A call whose STUN passes and whose DTLS does not.
#include <gtest/gtest.h>

#include "tests/diagnosis/build.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::finding_dtls_test {
namespace {

Evidence evidence(EvidenceKind kind, FactMap facts) {
  Evidence one;
  one.kind = kind;
  one.facts = std::move(facts);
  return one;
}

// `arrived`: packets of DTLS that the far end counted; nothing: it did not say.
Report report_of(DetailCode detail, std::optional<std::int64_t> arrived) {
  auto row = test::row("call");
  row.check = CheckKind::ice;
  const auto outcome = detail == DetailCode::called ? Outcome::answered : Outcome::failed;
  ProbeResult result = test::result_of({"far.example.com", outcome, std::string(to_string(detail)),
                                        "", 40, 8443, "", CheckKind::ice, Transport::tls});
  auto& list = result.observation.evidence;
  if (detail != DetailCode::ice_silent) {
    list.push_back(evidence(EvidenceKind::ice_pair, {{Fact::far_address, std::string("192.0.2.1")},
                                                     {Fact::far_port, std::int64_t{8622}}}));
    list.push_back(evidence(EvidenceKind::call_handshake, {{Fact::flights, std::int64_t{6}}}));
  }
  if (arrived) {
    list.push_back(evidence(EvidenceKind::call_arrived, {{Fact::checks_arrived, std::int64_t{9}},
                                                         {Fact::handshakes_arrived, *arrived}}));
  }
  return test::diagnosed_alone(row, "calls", result);
}

TEST(DtlsFilter, ByTheFarEndsWordItIsCertainAndHasAWay) {
  const auto out = report_of(DetailCode::dtls_silent, 0);
  EXPECT_EQ(test::codes(out.findings),
            std::vector<std::string>{"firewall.dtls_filtered (certain)"});
  EXPECT_TRUE(test::holds(out.findings[0].title, "on the way out")) << out.findings[0].title;
  EXPECT_TRUE(test::holds(out.findings[0].fix, "UDP 8622 of 192.0.2.1")) << out.findings[0].fix;
  EXPECT_EQ(out.sets[0].verdict, Verdict::blocked);
  const auto back = report_of(DetailCode::dtls_silent, 6);
  EXPECT_TRUE(test::holds(back.findings.at(0).title, "on the way back"));
}

TEST(DtlsFilter, WithoutItsWordItIsLikely) {
  EXPECT_EQ(test::codes(report_of(DetailCode::dtls_silent, std::nullopt).findings),
            std::vector<std::string>{"firewall.dtls_filtered (likely)"});
}

TEST(DtlsFilter, OtherFailuresAreNotIts) {
  for (const auto detail : {DetailCode::called, DetailCode::ice_silent, DetailCode::dtls_failed,
                            DetailCode::wrong_fingerprint, DetailCode::media_silent}) {
    EXPECT_TRUE(test::codes(report_of(detail, 0).findings).empty()) << to_string(detail);
  }
}

// --- greetings in two datagrams ------------------------------------------------------------------

Report with_greetings(std::optional<std::pair<int, int>> arrived) {
  auto row = test::row("call");
  row.check = CheckKind::ice;
  ProbeResult result = test::result_of({"far.example.com", Outcome::answered, "called", "", 40,
                                        8443, "", CheckKind::ice, Transport::tls});
  auto& list = result.observation.evidence;
  list.push_back(evidence(EvidenceKind::ice_pair, {{Fact::far_address, std::string("192.0.2.1")},
                                                   {Fact::far_port, std::int64_t{8622}}}));
  if (arrived) {
    list.push_back(evidence(EvidenceKind::call_greeting,
                            {{Fact::sent, std::int64_t{4}},
                             {Fact::first_parts, std::int64_t{arrived->first}},
                             {Fact::later_parts, std::int64_t{arrived->second}}}));
    list.back().text = "of 4 DTLS greetings some came";
  }
  return test::diagnosed_alone(row, "calls", result);
}

TEST(CutGreeting, IsCertainByTheFarEndsWord) {
  const auto report = with_greetings(std::pair(4, 0));
  EXPECT_EQ(test::codes(report.findings),
            std::vector<std::string>{"dtls.long_hello_cut (certain)"});
  EXPECT_EQ(report.findings[0].owner, Owner::security);
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded) << "the call itself was made";
}

TEST(CutGreeting, WhatChanceOrSilenceExplainsIsNone) {
  for (const auto& arrived : {std::optional<std::pair<int, int>>(), std::optional(std::pair(4, 4)),
                              std::optional(std::pair(4, 1)), std::optional(std::pair(0, 0)),
                              std::optional(std::pair(2, 0))}) {
    EXPECT_TRUE(test::codes(with_greetings(arrived).findings).empty());
  }
}

}  // namespace
}  // namespace callready::finding_dtls_test
