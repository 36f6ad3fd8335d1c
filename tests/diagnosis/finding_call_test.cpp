// Calls that are not answered, whose media is lost, that browsers would end, or that only a relay
// carries.
#include <gtest/gtest.h>

#include "tests/diagnosis/build.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

using Codes = std::vector<std::string>;

Evidence evidence(EvidenceKind kind, FactMap facts) {
  Evidence one;
  one.kind = kind;
  one.facts = std::move(facts);
  return one;
}

ProbeResult call(DetailCode detail, std::vector<Evidence> seen) {
  const auto outcome = detail == DetailCode::called ? Outcome::answered : Outcome::failed;
  ProbeResult result = test::result_of({"far.example.com", outcome, std::string(to_string(detail)),
                                        "", 40, 8443, "", CheckKind::ice, Transport::tls});
  seen.push_back(evidence(EvidenceKind::call_answer, {{Fact::far_address, std::string("192.0.2.1")},
                                                      {Fact::far_port, std::int64_t{8622}}}));
  for (auto& one : seen) result.observation.evidence.push_back(std::move(one));
  return result;
}

Report report_of(const std::vector<ProbeResult>& results) {
  auto row = test::row("call");
  row.check = CheckKind::ice;
  return test::diagnosed_alone(row, "calls", results);
}
Report report_of(const ProbeResult& result) { return report_of(std::vector{result}); }

Report call_of(std::int64_t back, std::optional<std::int64_t> arrived) {
  std::vector<Evidence> seen = {
      evidence(EvidenceKind::call_media, {{Fact::sent, std::int64_t{25}}, {Fact::back, back}})};
  if (arrived) {
    seen.push_back(evidence(EvidenceKind::call_arrived, {{Fact::media_arrived, *arrived}}));
  }
  return report_of(call(back > 0 ? DetailCode::called : DetailCode::media_silent, std::move(seen)));
}

// Once, a call with 9 of 25 packets back was READY.
TEST(CallMedia, MostOfItLostIsNoGoodCall) {
  EXPECT_TRUE(call_of(25, 25).findings.empty());
  EXPECT_TRUE(call_of(21, 23).findings.empty()) << "bad luck";
  const auto report = call_of(9, 24);
  EXPECT_EQ(test::codes(report.findings), Codes{"media.loss (likely)"});
  EXPECT_TRUE(test::holds(report.findings[0].title, "on the way back"));
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
}

TEST(CallMedia, ADeadCallDoesNotHideALossyOne) {
  const auto one = [](std::int64_t back) {
    return call(
        back > 0 ? DetailCode::called : DetailCode::media_silent,
        {evidence(EvidenceKind::call_media, {{Fact::sent, std::int64_t{25}}, {Fact::back, back}}),
         evidence(EvidenceKind::call_arrived, {{Fact::media_arrived, std::int64_t{25}}})});
  };
  auto dead = one(0);
  dead.probe.id += "-other";
  const auto report = report_of({one(9), dead});
  EXPECT_EQ(test::codes(report.findings),
            (Codes{"media.loss (likely)", "media.one_way (certain)"}));
}

// Once, the fix was to allow a TCP port that already worked.
TEST(CallMedia, NoneOfItBackIsMediaThatIsDropped) {
  const auto report = call_of(0, 25);
  EXPECT_EQ(test::codes(report.findings), Codes{"media.one_way (certain)"});
  EXPECT_TRUE(test::holds(report.findings[0].title, "on the way back"));
  EXPECT_EQ(report.sets[0].verdict, Verdict::blocked);
  EXPECT_TRUE(test::holds(call_of(0, 0).findings.at(0).title, "on the way out"));
}

// The same for the port of the call.
TEST(SilentCall, TheFarEndTellsWhichWayItIsShut) {
  const auto one = [](std::int64_t checks) {
    return call(DetailCode::ice_silent,
                {evidence(EvidenceKind::call_arrived, {{Fact::checks_arrived, checks}})});
  };
  const auto silent = [&](std::int64_t checks) { return report_of(one(checks)); };
  const auto out = silent(0);
  EXPECT_EQ(test::codes(out.findings), Codes{"firewall.udp_port_blocked (likely)"})
      << "the far end's own firewall may be it";
  EXPECT_TRUE(test::holds(out.findings[0].fix, "its own firewall"));
  EXPECT_TRUE(test::holds(out.findings[0].fix, "UDP 8622 of 192.0.2.1")) << out.findings[0].fix;
  EXPECT_FALSE(test::holds(out.findings[0].fix, "8443"));
  EXPECT_EQ(out.sets[0].verdict, Verdict::blocked);
  EXPECT_EQ(test::codes(silent(7).findings), Codes{"media.one_way (certain)"});
  auto other = one(7);
  other.probe.id += "-other";
  const auto both = report_of({one(0), other});
  EXPECT_EQ(test::codes(both.findings),
            (Codes{"firewall.udp_port_blocked (likely)", "media.one_way (certain)"}));
}

Report relayed_over(const std::string& transport) {
  return report_of(
      call(DetailCode::called,
           {evidence(EvidenceKind::ice_pair, {{Fact::type, std::string("relay")},
                                              {Fact::far_address, std::string("192.0.2.1")},
                                              {Fact::far_port, std::int64_t{8622}},
                                              {Fact::relay_transport, transport}})}));
}

// UDP is shut and TURN over TLS is open: browsers can talk, but worse than they could.
TEST(RelayedCall, OverAStreamOnlyItIsDegraded) {
  for (const std::string transport : {"tls", "tcp"}) {
    const auto report = relayed_over(transport);
    EXPECT_EQ(test::codes(report.findings), Codes{"media.relay_only (likely)"});
    EXPECT_TRUE(test::holds(report.findings.at(0).fix, "UDP 8622 of 192.0.2.1"));
    EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
  }
  EXPECT_TRUE(relayed_over("udp").findings.empty());
  EXPECT_EQ(relayed_over("udp").sets[0].verdict, Verdict::ready);
}

Report consent_of(std::int64_t back, double silent_ms) {
  auto result = call(DetailCode::called,
                     {evidence(EvidenceKind::call_consent, {{Fact::sent, std::int64_t{20}},
                                                            {Fact::back, back},
                                                            {Fact::silent_ms, silent_ms}})});
  result.observation.media = MediaStream();
  return report_of(result);
}

TEST(Consent, ThatStopsAmidACallEndsItInBrowsers) {
  EXPECT_TRUE(consent_of(19, 500).findings.empty()) << "on its way";
  EXPECT_TRUE(consent_of(0, 10'000).findings.empty()) << "a far end that never does";
  const auto report = consent_of(6, 7'000);
  EXPECT_EQ(test::codes(report.findings), Codes{"media.consent_lost (likely)"});
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
}

}  // namespace
}  // namespace callready
