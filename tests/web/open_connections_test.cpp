// Who gets a place, and who has to make room.
#include "probe/web/open_connections.hpp"

#include <gtest/gtest.h>

#include "probe/net/service_timeouts.hpp"

namespace callready {
namespace {

struct OpenConnectionsTest : testing::Test {
  Instant now = Instant{} + std::chrono::hours(1);
  std::shared_ptr<OpenConnections> all = OpenConnections::make({6, 3});
  std::vector<std::string> closed;

  static Client at(std::uint8_t last) { return client_at(IpAddress::v4({192, 0, 2, last})); }
  std::unique_ptr<OpenConnections::Place> enter(const Client& client, const std::string& name) {
    now += milliseconds(1);
    return all->enter(client, now, [this, name] { closed.push_back(name); });
  }
};

TEST_F(OpenConnectionsTest, NobodyHasMoreThanHisShare) {
  const auto a = enter(at(1), "a"), b = enter(at(1), "b"), c = enter(at(1), "c");
  EXPECT_TRUE(a && b && c);
  EXPECT_FALSE(enter(at(1), "d"));
  const auto other = enter(at(2), "other");
  EXPECT_TRUE(other);
  EXPECT_TRUE(closed.empty());
}

TEST_F(OpenConnectionsTest, WhatWasIdleForLongMakesRoomForItsOwnClient) {
  const auto a = enter(at(1), "a"), b = enter(at(1), "b"), c = enter(at(1), "c");
  now += timeouts::idle_enough;
  a->heard(now);
  const auto d = enter(at(1), "d");
  EXPECT_TRUE(d);
  EXPECT_EQ(closed, std::vector<std::string>{"b"});
  EXPECT_EQ(all->count(), 3u);
}

TEST_F(OpenConnectionsTest, WhereAllPlacesAreTakenWhoHasMostMakesRoom) {
  const auto a = enter(at(1), "a"), b = enter(at(1), "b"), c = enter(at(1), "c");
  const auto d = enter(at(2), "d"), e = enter(at(2), "e"), f = enter(at(3), "f");
  b->heard(now);
  const auto g = enter(at(4), "g");
  EXPECT_TRUE(g);
  EXPECT_EQ(closed, std::vector<std::string>{"a"});
  EXPECT_EQ(all->count(), 6u);
  EXPECT_FALSE(enter(at(2), "h")) << "nobody has more than it has";
}

TEST_F(OpenConnectionsTest, ManyAddressesCannotHoldAllPlaces) {
  std::vector<std::unique_ptr<OpenConnections::Place>> held;
  for (std::uint8_t i = 1; i <= 6; ++i) held.push_back(enter(at(i), std::to_string(i)));
  EXPECT_TRUE(enter(at(7), "7"));
  EXPECT_EQ(closed, std::vector<std::string>{"1"});
}

TEST_F(OpenConnectionsTest, AClientOfIpv6HasItsWholeNetwork) {
  const auto in = [](const char* text) { return client_at(*IpAddress::parse(text)); };
  EXPECT_EQ(in("2001:db8::1"), in("2001:db8::ffff:1"));
  EXPECT_NE(in("2001:db8::1"), in("2001:db8:0:1::1"));
  EXPECT_NE(at(1), at(2));
}

}  // namespace
}  // namespace callready
