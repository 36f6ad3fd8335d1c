#include "probe/plan/plan_size.hpp"

#include "tests/plan/plan_text.hpp"
#include "tests/support/said.hpp"

namespace callready {
namespace {

PlannedProbe planned(const std::string& host, std::uint16_t port, Transport transport,
                     test::CheckNamed check) {
  PlannedProbe one;
  one.probe.check = check;
  one.probe.target.host = host;
  one.probe.target.ports = {port, port};
  one.probe.target.transport = transport;
  one.probe.id = probe_id(one.probe);
  return one;
}

TEST(PlanSize, CountsHostsNamesAndNetworks) {
  Plan plan;
  for (const auto* host : {"a.example.com", "a.example.com", "192.0.2.1", "192.0.2.200",
                           "198.51.100.1", "2001:db8:1::1", "2001:db8:1:2::1"}) {
    plan.probes.push_back(planned(host, 3478, Transport::udp, "stun"));
  }
  const auto size = size_of(plan, {}, false);
  EXPECT_EQ(size.probes, 7u);
  EXPECT_EQ(size.packets, 7u);
  EXPECT_EQ(size.hosts, 6u);
  EXPECT_EQ(size.names, 1u);
  EXPECT_EQ(size.networks, 3u);
  EXPECT_EQ(announcement(size, "--all"),
            "--all: 7 probes, about 7 packets, to 6 hosts (1 names; 5 addresses in 3 networks)");
}

TEST(PlanSize, ASilentServerGetsMorePackets) {
  const auto most = [](Transport transport, test::CheckNamed check) {
    return packets_of(planned("a", 443, transport, check).probe, false).at_most;
  };
  EXPECT_EQ(most(Transport::udp, "stun"), 4u) << "sent four times";
  EXPECT_EQ(most(Transport::udp, "dns"), 12u) << "to three servers";
  EXPECT_EQ(most(Transport::tcp, "tcp"), 4u);
  EXPECT_EQ(most(Transport::udp, "media"), 780u) << "nothing twice";
  auto stream = planned("a", 443, Transport::udp, "media").probe;
  EXPECT_EQ(packets_of(stream, false).in_window, 530u) << "others to its host need not wait";
  EXPECT_EQ(packets_of(stream, true).at_most, 3'030u);
  stream.with["seconds"] = "1";
  EXPECT_EQ(packets_of(stream, false).at_most, 80u);
}

TEST(PlanSize, LeavesOutWhatIsSentOnlyWhereItIsNeeded) {
  Plan plan;
  plan.probes.push_back(planned("a", 5060, Transport::udp, "sip-alg"));
  plan.probes.push_back(planned("a", 5060, Transport::udp, "sip"));
  plan.probes.back().answered_by = plan.probes.front().probe.id;
  plan.probes.push_back(planned("a", 5080, Transport::udp, "sip"));
  plan.probes.back().unless = {plan.probes.front().probe.id};
  const auto size = size_of(plan, {}, false);
  EXPECT_EQ(size.probes, 2u);
  EXPECT_EQ(size.packets, 4u);
}

TEST(PlanSize, AThoroughRunFollowsEachPortOfARange) {
  Plan plan;
  plan.probes.push_back(planned("a", 10000, Transport::udp, "udp-range"));
  plan.probes.back().probe.target.sample = {10000, 15000, 20000};
  EXPECT_EQ(size_of(plan, {}, false).packets, 5u);
  EXPECT_EQ(size_of(plan, {}, true).packets, 9u);
  plan.probes.back().probe.with["stop_on_the_way"] = "true";
  EXPECT_EQ(size_of(plan, {}, false).packets, 2u);
}

TEST(PlanSize, SaysHowLongThePaceMakesIt) {
  Plan plan;
  for (int i = 1; i <= 50; ++i) {
    plan.probes.push_back(planned(fmt::format("192.0.2.{}", i), 443, Transport::tcp, "tcp"));
  }
  const auto text = announcement(size_of(plan, {}, false), "--all");
  EXPECT_NE(text.find("; at least 20 s at this pace; --pace fast lifts it"), std::string::npos)
      << text;
  PaceLimits fast;
  fast.unlimited = true;
  EXPECT_EQ(size_of(plan, fast, false).pacing.count(), 0);
}

TEST(PlanSize, OfEverythingThatRainbowLists) {
  const auto plan = test::plan_of({test::vendor_set("rainbow"), test::anchors()}, {.all = true});
  const auto size = size_of(plan, {}, false);
  std::set<std::string> hosts;
  for (const auto& one : plan.probes) hosts.insert(one.probe.target.host);
  hosts.erase("");
  EXPECT_EQ(size.hosts, hosts.size() + 2) << "the NAT check meets two that no row names";
  EXPECT_GT(size.hosts, 200u);
  EXPECT_GE(size.packets, size.probes);
}

}  // namespace
}  // namespace callready
