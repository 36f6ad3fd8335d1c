// What a run's results say about the site.
#include "probe/engine/evaluate.hpp"

#include <gtest/gtest.h>

namespace callready::evaluate_test {
namespace {

ProbeResult answer(const std::string& host, const IpAddress& server, const IpAddress& mapped) {
  ProbeResult result;
  result.probe.check = CheckKind::stun;
  result.probe.target.host = host;
  result.observation.outcome = Outcome::answered;
  result.observation.address = server;
  result.observation.local = SocketAddress{IpAddress::v4({10, 20, 0, 23}), 50'000};
  Evidence evidence;
  evidence.kind = EvidenceKind::mapped_address;
  evidence.facts[Fact::address] = mapped.to_string();
  result.observation.evidence.push_back(evidence);
  return result;
}

TEST(Evaluate, AnswersThatADeviceRewritesAreANote) {
  const auto server = IpAddress::v4({146, 23, 1, 11}), other = IpAddress::v4({146, 22, 1, 11});
  const auto inside = IpAddress::v4({10, 20, 0, 40}), foreign = IpAddress::v4({10, 0, 0, 5});
  const auto ours = IpAddress::v4({10, 20, 0, 23}), outer = IpAddress::v4({84, 199, 10, 2});
  const auto one = answer("a.example.com", server, foreign);
  const auto note = note_of_rewritten_answers({one, answer("b.example.com", other, foreign)});
  ASSERT_TRUE(note);
  EXPECT_NE(note->find("give 10.0.0.5, a private address"), std::string::npos) << *note;
  EXPECT_FALSE(note_of_rewritten_answers({one})) << "perhaps over a private line";
  EXPECT_FALSE(note_of_rewritten_answers({one, answer("b.example.com", other, outer)}));
  EXPECT_FALSE(note_of_rewritten_answers({one, answer("b.example.com", inside, foreign)}));
  EXPECT_FALSE(note_of_rewritten_answers({one, answer("b.example.com", other, ours)})) << "no NAT";
}

// A firewall is asked for the ports that were tried, whoever they come from: the user or the set.
TEST(Evaluate, RowsHaveTheValuesThatTheRunWentBy) {
  TargetSet set;
  set.id = "pbx";
  for (const auto* name : {"server", "port", "realm"}) set.variables.emplace_back().name = name;
  set.variables[1].fallback = "5060";
  auto& row = set.requirements.emplace_back();
  row.id = "sip";
  row.hosts.push_back({"${server}", "", Lifecycle::current, ""});
  row.variable_ports = {"${port}"};
  PlanOptions options;
  options.variables = {{"server", "sip.example.com"}};
  const std::vector<TargetSet> sets{set};
  const auto own = planned_sets(sets, options, {}).front().own;
  ASSERT_TRUE(own.contains("sip"));
  EXPECT_EQ(own.at("sip").hosts.front().name, "sip.example.com");
  EXPECT_EQ(own.at("sip").ports, (std::vector<PortRange>{{5060, 5060}}));
  EXPECT_TRUE(own.at("sip").variable_ports.empty());
}

}  // namespace
}  // namespace callready::evaluate_test
