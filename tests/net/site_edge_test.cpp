#include "probe/net/site_edge.hpp"

#include "probe/net/own_site.hpp"
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

TEST(SiteEdge, IsNotFoundWhereNoRouterIsOnTheWay) {
  test::Loop loop;
  SiteEdge edge(loop.executor());
  const SocketAddress target{IpAddress::v4({127, 0, 0, 1}), 9};
  EXPECT_FALSE(loop.run(edge.find(target, "", loop.scope)).hop);
  EXPECT_FALSE(loop.run(edge.find(target, "", loop.scope)).hop) << "asked once, remembered";
}

}  // namespace
}  // namespace callready
