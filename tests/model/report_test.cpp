// Verdict and exit status of a whole report; ids of probes; what is said of an observation.
#include "probe/model/report.hpp"

#include <gtest/gtest.h>

#include "probe/model/describe.hpp"

namespace callready {
namespace {

Report with(const std::vector<Verdict>& verdicts) {
  Report report;
  for (const auto verdict : verdicts) {
    SetResult set;
    set.verdict = verdict;
    report.sets.push_back(set);
  }
  return report;
}

struct ExitCase {
  std::vector<Verdict> verdicts;
  Verdict overall;
  int status;
};

TEST(Report, ExitStatusIsTheWorstVerdict) {
  using enum Verdict;
  const ExitCase cases[] = {
      {{ready}, ready, 0},
      {{ready, ready}, ready, 0},
      {{blocked}, blocked, 1},
      {{unknown}, unknown, 3},
      {{degraded}, degraded, 4},
      {{ready, unknown}, unknown, 3},
      {{unknown, degraded}, degraded, 4},
      {{degraded, blocked, unknown}, blocked, 1},
      {{}, unknown, 3},
  };
  for (const auto& [verdicts, expected, status] : cases) {
    auto report = with(verdicts);
    EXPECT_EQ(to_string(overall(report)), to_string(expected));
    EXPECT_EQ(exit_status(report), status) << to_string(expected);
    report.complete = false;
    EXPECT_EQ(exit_status(report), 3) << "an interrupted run decided nothing";
  }
}

TEST(ProbeId, SaysEverythingThatMakesAProbe) {
  Probe probe;
  probe.check = CheckKind::stun;
  probe.target.host = "turn.example.com";
  probe.target.ports = {3478, 3478};
  probe.target.transport = Transport::udp;
  EXPECT_EQ(probe_id(probe), "stun/udp/turn.example.com:3478");
  probe.with = {{"b", "2"}, {"a", "1"}};
  EXPECT_EQ(probe_id(probe), "stun/udp/turn.example.com:3478?a=1&b=2");
  probe.target.route.proxy = "http://proxy:3128";
  EXPECT_EQ(probe_id(probe), "stun/udp/turn.example.com:3478?a=1&b=2@http://proxy:3128");
  probe.with.clear();
  probe.target.route.proxy.clear();
  probe.target.host = "2001:db8::1";
  probe.target.ports = {10000, 20000};
  EXPECT_EQ(probe_id(probe), "stun/udp/[2001:db8::1]:10000-20000");
  probe.target.host.clear();
  EXPECT_EQ(probe_id(probe), "stun/udp");
}

TEST(Describe, EndpointsAreInWords) {
  Target target;
  target.host = "www.example.com";
  target.ports = {443, 443};
  target.transport = Transport::tls;
  EXPECT_EQ(endpoint_in_words(target), "www.example.com:443 (TLS)");
  target.route.proxy = "http://proxy:3128";
  EXPECT_EQ(endpoint_in_words(target), "www.example.com:443 (TLS) through the proxy");
  target = {};
  target.host = "2001:db8::1";
  target.ports = {10000, 20000};
  target.transport = Transport::udp;
  EXPECT_EQ(endpoint_in_words(target), "[2001:db8::1]:10000-20000 (UDP)");
  EXPECT_EQ(endpoint_in_words(Target{}), "this network");
}

struct OutcomeCase {
  Outcome outcome;
  Detail detail;
  const char* words;
};

TEST(Describe, OutcomesAreInWords) {
  using enum Outcome;
  const OutcomeCase cases[] = {
      {answered, Detail::status(401), "answered 401"},
      {answered, DetailCode::trusted, "answered"},
      {silent, DetailCode::timed_out, "no answer"},
      {refused, DetailCode::connection_refused, "refused by the server"},
      {failed, DetailCode::expired, "its certificate has expired"},
      {failed, DetailCode::bad_challenge, "failed: bad challenge"},
      {skipped, DetailCode::not_needed, "not needed: no trouble with the first choice"},
      {unresolved, DetailCode::no_such_name, "the name does not exist"},
      {denied, Detail::status(407), "denied: 407"},
  };
  for (const auto& [outcome, detail, words] : cases) {
    Observation observation;
    observation.outcome = outcome;
    observation.detail = detail;
    EXPECT_EQ(outcome_in_words(observation), words);
  }
}

TEST(Describe, ARefusalIsTheServersUnlessNobodyKnowsWhose) {
  Observation observation;
  observation.outcome = Outcome::refused;
  observation.detail = DetailCode::connection_refused;
  observation.evidence = {{EvidenceKind::refuser, "", {{Fact::who, "beyond"}}}};
  EXPECT_EQ(outcome_in_words(observation), "refused by the server");
  observation.evidence = {{EvidenceKind::refuser, "", {{Fact::who, "not_measured"}}}};
  EXPECT_EQ(outcome_in_words(observation), "refused");
}

TEST(Describe, ARejectionNamesItsSender) {
  Observation observation;
  observation.outcome = Outcome::rejected;
  observation.detail = DetailCode::prohibited;
  EXPECT_EQ(outcome_in_words(observation), "blocked on the way");
  observation.evidence.push_back({EvidenceKind::icmp_error, "", {{Fact::sender, "10.20.0.1"}}});
  EXPECT_EQ(outcome_in_words(observation), "blocked on the way by 10.20.0.1");
  // It signed with the server's address, and was caught.
  observation.evidence.front().facts[Fact::sender] = "20.1.2.3";
  observation.evidence.push_back(
      {EvidenceKind::refuser, "", {{Fact::who, "on_the_way"}, {Fact::by, "10.20.0.1"}}});
  EXPECT_EQ(outcome_in_words(observation), "blocked on the way by 10.20.0.1");
}

TEST(Describe, ARejectedMediaPortNamesItsSenderToo) {
  Observation observation;
  observation.outcome = Outcome::rejected;
  observation.evidence.push_back(
      {EvidenceKind::udp_port, "", {{Fact::result, "left_site"}, {Fact::by, "192.0.2.1"}}});
  EXPECT_EQ(refusing_device(observation), "");
  observation.evidence.push_back(
      {EvidenceKind::udp_port, "", {{Fact::result, "prohibited"}, {Fact::by, "10.20.0.1"}}});
  EXPECT_EQ(refusing_device(observation), "10.20.0.1");
}

TEST(Describe, APacketThatWasTurnedAwayOnTheWayOutNamesTheDeviceToo) {
  Observation observation;
  observation.outcome = Outcome::rejected;
  observation.detail = DetailCode::prohibited;
  observation.evidence.push_back(
      {EvidenceKind::hop, "", {{Fact::result, "prohibited"}, {Fact::by, "10.20.0.1"}}});
  EXPECT_EQ(outcome_in_words(observation), "blocked on the way by 10.20.0.1");
}

TEST(Describe, SaysWhetherTheDetailIsTold) {
  Observation observation;
  observation.outcome = Outcome::answered;
  observation.detail = Detail::status(401);
  EXPECT_TRUE(detail_has_words(observation));
  observation.detail = DetailCode::endpoint_independent;
  EXPECT_FALSE(detail_has_words(observation));
  observation.outcome = Outcome::failed;
  EXPECT_TRUE(detail_has_words(observation));
}

TEST(Badness, OrdersVerdicts) {
  EXPECT_LT(badness(Verdict::ready), badness(Verdict::unknown));
  EXPECT_LT(badness(Verdict::unknown), badness(Verdict::degraded));
  EXPECT_LT(badness(Verdict::degraded), badness(Verdict::blocked));
}

TEST(SocketAddress, PutsIpv6IntoBrackets) {
  EXPECT_EQ((SocketAddress{*IpAddress::parse("192.0.2.1"), 443}.to_string()), "192.0.2.1:443");
  EXPECT_EQ((SocketAddress{*IpAddress::parse("2001:db8::1"), 443}.to_string()),
            "[2001:db8::1]:443");
}

}  // namespace
}  // namespace callready
