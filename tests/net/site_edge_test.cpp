#include "probe/net/site_edge.hpp"

#include "probe/net/own_site.hpp"
#include "probe/net/timeouts.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/two_routers.hpp"

namespace callready {
namespace {

TEST(SiteEdge, IsARouterWhoseAddressIsNotTheSites) {
  for (const std::string own :
       {"10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "fe80::1", "fd00::1"}) {
    EXPECT_FALSE(beyond_the_edge(*IpAddress::parse(own))) << own;
  }
  for (const std::string other : {"100.64.0.1", "203.0.113.1", "2001:db8::1"}) {
    EXPECT_TRUE(beyond_the_edge(*IpAddress::parse(other))) << other;
  }
}

TEST(SiteEdge, IsNotARouterOfTheSamePublicNetwork) {
  const auto same = [](const char* router, const char* own) {
    return of_our_site(*IpAddress::parse(router), *IpAddress::parse(own));
  };
  EXPECT_TRUE(same("2001:db8:1:2::1", "2001:db8:1:ff::23"));
  EXPECT_FALSE(same("2001:db8:2::1", "2001:db8:1:ff::23"));
  EXPECT_TRUE(same("203.0.113.1", "203.0.113.77"));
  EXPECT_FALSE(same("203.0.112.1", "203.0.113.77"));
  EXPECT_FALSE(same("203.0.113.1", "2001:db8::1"));
}

Routers routers(std::initializer_list<std::pair<const int, const char*>> list) {
  Routers made;
  for (const auto& [ttl, address] : list) made[ttl] = *IpAddress::parse(address);
  return made;
}

TEST(SiteEdge, IsBetweenOurRoutersAndThoseOutside) {
  const auto own = *IpAddress::parse("203.0.113.77");
  const auto campus = routers({{1, "203.0.113.1"},
                               {2, "10.0.0.1"},
                               {4, "198.51.100.1"},
                               {5, "192.0.2.1"},
                               {6, "10.1.0.1"}});
  EXPECT_EQ(nearest_outside(campus, own), (Hop{4, *IpAddress::parse("198.51.100.1")}));
  EXPECT_EQ(farthest_outside(campus, own), (Hop{5, *IpAddress::parse("192.0.2.1")}));
  EXPECT_FALSE(nearest_outside(routers({{1, "198.51.100.1"}}), own)) << "the gateway is ours";
  EXPECT_FALSE(farthest_outside({}, own));
}

TEST(SiteEdge, WaysShareRoutersAtTheSameDistance) {
  const auto one = routers({{1, "10.0.0.1"}, {2, "198.51.100.1"}, {3, "192.0.2.1"}});
  const auto other =
      routers({{1, "10.0.0.1"}, {2, "198.51.100.2"}, {3, "192.0.2.1"}, {4, "198.51.100.1"}});
  EXPECT_EQ(shared(one, other), routers({{1, "10.0.0.1"}, {3, "192.0.2.1"}}));
}

IcmpError error(IcmpKind kind, const char* sender) {
  IcmpError made;
  made.kind = kind;
  made.sender = *IpAddress::parse(sender);
  return made;
}

TEST(SiteEdge, HearsWhoTurnsAClimbAway) {
  const auto target = *IpAddress::parse("203.0.113.9");
  EXPECT_TRUE(turned_away(error(IcmpKind::prohibited, "192.168.1.1"), target));
  EXPECT_TRUE(turned_away(error(IcmpKind::port_unreachable, "198.51.100.1"), target));
  EXPECT_FALSE(turned_away(error(IcmpKind::time_exceeded, "198.51.100.1"), target));
  EXPECT_FALSE(turned_away(error(IcmpKind::host_unreachable, "198.51.100.1"), target))
      << "no route is no rule";
  EXPECT_FALSE(turned_away(error(IcmpKind::port_unreachable, "203.0.113.9"), target))
      << "it may be the target's own word";
  EXPECT_FALSE(turned_away(error(IcmpKind::prohibited, "203.0.7.1"), target))
      << "the vendor's network, not the site's";
}

// RFC 6298 over what connections took, within bounds.
TEST(SiteEdge, HasThePatienceThatTheLineNeeds) {
  test::Loop loop;
  SiteEdge edge(loop.executor());
  EXPECT_EQ(edge.patience(), timeouts::icmp_reply_unknown);
  const SocketAddress inside{*IpAddress::parse("192.168.1.5"), 443};
  edge.reached(inside, Milliseconds(1), "", loop.scope);
  EXPECT_EQ(edge.patience(), timeouts::icmp_reply_unknown) << "that is not the line";
  const SocketAddress outside{*IpAddress::parse("203.0.113.9"), 443};
  edge.reached(outside, Milliseconds(600), "", loop.scope);
  EXPECT_EQ(edge.patience(), timeouts::icmp_reply_slow) << "three times, as far as allowed";
  for (int i = 0; i < 20; ++i) edge.reached(outside, Milliseconds(600), "", loop.scope);
  EXPECT_GT(edge.patience(), milliseconds(600));
  EXPECT_LT(edge.patience(), timeouts::icmp_reply_slow) << "known better by now";
  SiteEdge near(loop.executor());
  near.reached(outside, Milliseconds(20), "", loop.scope);
  EXPECT_EQ(near.patience(), timeouts::icmp_reply) << "never less";
}

TEST(SiteEdge, BeginsARangeWithAPortThatMediaCanHave) {
  test::Loop loop;
  SiteEdge edge(loop.executor());
  const std::vector<std::uint16_t> every_port{1, 13107, 26214, 39321, 52428, 65535};
  EXPECT_EQ(edge.begin_with(every_port, false), 1u);
  EXPECT_EQ(edge.begin_with(every_port, false), 5u) << "far from the first";
  EXPECT_EQ(edge.begin_with({443, 500}, false), 0u) << "where there is none, its lowest";
}

TEST(SiteEdge, IsNotFoundWhereNoRouterIsOnTheWay) {
  test::Loop loop;
  SiteEdge edge(loop.executor());
  const SocketAddress target{IpAddress::v4({127, 0, 0, 1}), 9};
  EXPECT_FALSE(loop.run(edge.find(target, "", loop.scope)).hop);
  EXPECT_FALSE(loop.run(edge.find(target, "", loop.scope)).hop) << "asked once, remembered";
}

struct EdgeInMemory : testing::Test {
  test::Loop loop{test::Time::by_hand};
  test::TwoRouters network{loop.executor()};
  SiteEdge edge{loop.executor()};
  SocketAddress target{*IpAddress::parse("203.0.113.9"), test::TwoRouters::open_port};

  std::optional<Hop> find() { return loop.run(edge.find(target, "", loop.scope)).hop; }
  SiteEdge::Answer ask(std::uint16_t port, milliseconds within = timeouts::icmp_decides) {
    target.port = port;
    auto socket = UdpSocket::open(loop.executor(), target, {});
    return loop.run(
        edge.ask(*socket, {0x80}, SiteEdge::Need::decides, loop.scope, loop.soon(within)));
  }
  void TearDown() override { loop.run(edge.tasks().ended()); }
};

// As where the route goes away between two packets: that is no silence of the network's.
TEST_F(EdgeInMemory, HoldsNoControlAgainstWhatWasNotSent) {
  EXPECT_EQ(find(), (Hop{2, *IpAddress::parse("198.51.100.1")}));
  const auto dropped = ask(test::TwoRouters::dropped_port);
  const auto unsent = ask(test::TwoRouters::unsent_port);
  EXPECT_TRUE(dropped.asked);
  EXPECT_TRUE(dropped.control_answered);
  EXPECT_FALSE(unsent.asked);
  EXPECT_FALSE(unsent.control_answered);
}

// What a router says once, about the host, is the answer for all of the host's later packets.
TEST_F(EdgeInMemory, RemembersThatThereIsNoRoute) {
  EXPECT_TRUE(find());
  EXPECT_FALSE(ask(test::TwoRouters::dropped_port).icmp);
  for (const auto port : {test::TwoRouters::no_route_port, test::TwoRouters::no_route_port,
                          test::TwoRouters::dropped_port}) {
    const auto answer = ask(port);
    ASSERT_TRUE(answer.icmp) << port;
    EXPECT_TRUE(knows_no_way(*answer.icmp));
    EXPECT_EQ(answer.icmp->sender, *IpAddress::parse("192.168.1.1"));
  }
  EXPECT_TRUE(ask(test::TwoRouters::open_port).icmp->kind == IcmpKind::time_exceeded);
}

TEST_F(EdgeInMemory, HearsRoutersBehindOtherPackets) {
  network.strays = 3;
  EXPECT_EQ(find(), (Hop{2, *IpAddress::parse("198.51.100.1")}));
  EXPECT_TRUE(ask(test::TwoRouters::open_port).icmp);
  EXPECT_TRUE(ask(test::TwoRouters::dropped_port).control_answered);
  network.strays = 5'000;
  const auto flood = ask(test::TwoRouters::open_port, timeouts::icmp_reply);
  EXPECT_TRUE(flood.asked);
  EXPECT_FALSE(flood.icmp) << "too many to read";
  EXPECT_FALSE(flood.control_answered);
}

}  // namespace
}  // namespace callready
