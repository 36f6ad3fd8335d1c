#include "probe/net/site_edge.hpp"

#include "tests/support/loop.hpp"

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

TEST(SiteEdge, IsNotFoundWhereNoRouterIsOnTheWay) {
  test::Loop loop;
  SiteEdge edge(loop.executor());
  const SocketAddress target{IpAddress::v4({127, 0, 0, 1}), 9};
  EXPECT_FALSE(loop.run(edge.find(target, "", loop.scope)).hop);
  EXPECT_FALSE(loop.run(edge.find(target, "", loop.scope)).hop) << "asked once, remembered";
}

}  // namespace
}  // namespace callready
