#include "probe/media/echo.hpp"

#include <gtest/gtest.h>

#include <random>

namespace callready::media {
namespace {

using Bytes = std::vector<std::uint8_t>;
using namespace std::chrono_literals;

const Bytes secret(24, 0x5A), other_secret(24, 0x5B);
const SocketAddress client{IpAddress::v4({192, 0, 2, 7}), 40'000};

struct EchoTest : testing::Test {
  EchoLimits limits;
  std::optional<EchoKeeper> made;
  const WallTime started{std::chrono::seconds(1'795'000'000)};
  std::chrono::steady_clock::time_point now{1h};
  WallTime wall() const { return started + 1s + (now - std::chrono::steady_clock::time_point(1h)); }
  Bytes fresh(const Bytes& key = secret) const { return echo_request(key, {}, wall()); }
  EchoKeeper& keeper() {
    if (!made) made.emplace(secret, limits, started);
    return *made;
  }
  bool answered(const Bytes& request, const SocketAddress& from = client) {
    const auto reply = keeper().answer(request, from, 10'000, now, wall());
    EXPECT_TRUE(reply.empty() || reply.size() == request.size());
    return !reply.empty();
  }
};

TEST_F(EchoTest, AnswersWhoHasTheKeyAndProvesThatItHasItToo) {
  const auto request = fresh();
  EXPECT_EQ(request.size(), echo_bytes);
  EXPECT_EQ(request[0], 0x80) << "RTP to whoever looks at it";
  const auto reply = keeper().answer(request, client, 10'000, now, wall());
  ASSERT_EQ(reply.size(), request.size());
  EXPECT_TRUE(echo_matches(request, reply, secret));
  EXPECT_FALSE(echo_matches(request, request, secret)) << "only sent back";
  EXPECT_FALSE(echo_matches(request, reply, other_secret));
  EXPECT_FALSE(echo_matches(fresh(), reply, secret)) << "to another one";
  EXPECT_FALSE(answered(reply)) << "a reply draws none";
}

TEST_F(EchoTest, AnswersNothingElse) {
  EXPECT_FALSE(answered(fresh({})));
  EXPECT_FALSE(answered(fresh(other_secret)));
  EXPECT_FALSE(answered({}));
  const auto whole = fresh();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(answered(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200'000; ++i) {
    auto forged = whole;
    forged[random() % forged.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    EXPECT_FALSE(answered(forged));
  }
  EXPECT_TRUE(answered(whole));
}

TEST_F(EchoTest, AnswersNoPacketTwiceWhoeverSendsIt) {
  const auto request = fresh();
  EXPECT_TRUE(answered(request));
  now += limits.window - 1s;
  EXPECT_FALSE(answered(request));
  EXPECT_FALSE(answered(request, {IpAddress::v4({198, 51, 100, 9}), 5'000}));
}

TEST_F(EchoTest, KeepsItsRates) {
  limits.packets_per_second = 10;
  limits.all_packets_per_second = 15;
  const SocketAddress second{IpAddress::v4({192, 0, 2, 8}), 40'000};
  int first_got = 0, second_got = 0;
  for (int i = 0; i < 20; ++i) first_got += answered(fresh());
  for (int i = 0; i < 20; ++i) second_got += answered(fresh(), second);
  EXPECT_EQ(first_got, 10);
  EXPECT_EQ(second_got, 5);
  now += 1s;
  EXPECT_TRUE(answered(fresh()));
}

TEST_F(EchoTest, KnowsSoManyAddressesAndPackets) {
  limits.addresses = 2;
  limits.packets = 4;
  const auto at = [](std::uint8_t last) {
    return SocketAddress{IpAddress::v4({192, 0, 2, last}), 40'000};
  };
  EXPECT_TRUE(answered(fresh(), at(1)));
  EXPECT_TRUE(answered(fresh(), at(2)));
  EXPECT_FALSE(answered(fresh(), at(3)));
  now += limits.forget + 1s;
  EXPECT_TRUE(answered(fresh(), at(3))) << "the others are gone";
  EXPECT_TRUE(answered(fresh(), at(3)));
  EXPECT_FALSE(answered(fresh(), at(3))) << "as many as are kept";
}

TEST_F(EchoTest, AKeyIsNeverUsedUp) {
  limits.packets = 100;
  limits.window = 10s;
  std::vector<std::string> said;
  limits.full = [&](std::string_view why) { said.emplace_back(why); };
  for (int window = 0; window < 50; ++window, now += 4 * limits.window) {
    int got = 0;
    for (int i = 0; i < 150; ++i) got += answered(fresh());
    EXPECT_EQ(got, 100) << window;
    EXPECT_EQ(said.size(), static_cast<std::size_t>(window) + 1) << "once each time";
  }
}

TEST_F(EchoTest, AClientWhoseClockIsWrongIsAnsweredAndThatWearsOutAloud) {
  limits.undated_packets = 60;
  std::vector<std::string> said;
  limits.full = [&](std::string_view why) { said.emplace_back(why); };
  const auto from = [&](std::chrono::hours off) { return echo_request(secret, {}, wall() + off); };
  EXPECT_TRUE(answered(from(1h)));
  const auto late = from(-20000h);
  EXPECT_TRUE(answered(late));
  EXPECT_FALSE(answered(late)) << "nor twice";
  int got = 0;
  for (int i = 0; i < 100; ++i) got += answered(from(3h));
  EXPECT_EQ(got, 48) << "at a low rate";
  now += 1h;
  EXPECT_FALSE(answered(late)) << "nor ever";
  for (int i = 0; i < 100; ++i) got += answered(from(3h));
  EXPECT_EQ(got, 58);
  EXPECT_EQ(said.size(), 1u);
  EXPECT_TRUE(answered(fresh())) << "others are not concerned";
}

TEST_F(EchoTest, WhatWasOverheardBeforeARestartIsOldAfterIt) {
  limits.undated_per_second = limits.all_undated_per_second = 1;
  std::vector<Bytes> overheard;
  for (int i = 0; i < 50; ++i) overheard.push_back(fresh());
  for (const auto& one : overheard) EXPECT_TRUE(answered(one));
  now += 5s;
  made.emplace(secret, limits, wall());
  int got = 0;
  for (const auto& one : overheard) got += answered(one);
  EXPECT_LE(got, 1);
  now += 1s;
  EXPECT_TRUE(answered(fresh()));
}

TEST_F(EchoTest, CountsWhatCameOfASourceByPort) {
  limits.packets_per_second = 1;
  limits.counts = 3;
  const SocketAddress from{IpAddress::v4({192, 0, 2, 9}), 40'000};
  const auto ask = [&](std::uint32_t source, std::uint16_t port) {
    keeper().answer(echo_request(secret, source, wall()), from, port, now, wall());
  };
  for (int i = 0; i < 3; ++i) ask(7, 10'000);
  ask(7, 10'002);
  EXPECT_EQ(keeper().count(7, now)->ports, (EchoKeeper::Ports{{10'000, 3}, {10'002, 1}}))
      << "answered or not";
  EXPECT_EQ(keeper().count(7, now)->refused, 3);
  EXPECT_EQ(keeper().count(8, now)->ports, EchoKeeper::Ports{});
  EXPECT_EQ(keeper().count(8, now)->refused, 0);
  ask(9, 1);
  ask(9, 2);
  EXPECT_FALSE(keeper().count(7, now)) << "forgotten, and that is said";
  EXPECT_FALSE(keeper().count(9, now)) << "forgotten in part";
  now += limits.window;
  EXPECT_EQ(keeper().count(11, now)->ports, EchoKeeper::Ports{}) << "its run began later";
  ask(10, 1);
  EXPECT_EQ(keeper().count(10, now)->ports, (EchoKeeper::Ports{{1, 1}}));
}

}  // namespace
}  // namespace callready::media
