#include "probe/serve/far_counts.hpp"

#include <gtest/gtest.h>

namespace callready::serve {
namespace {

TEST(FarCounts, AnswerWhatTheyKnowAndNothingElse) {
  const std::vector<std::uint8_t> key(32, 7);
  const auto now = std::chrono::system_clock::now();
  media::Reflector reflector(key, {}, now);
  media::EchoKeeper keeper(key, {}, now);
  keeper.answer(media::echo_request(key, 99, now), {IpAddress::v4({192, 0, 2, 1}), 4'000}, 10'000,
                {}, now);
  const auto ask = [&](std::string_view method, std::string_view target) {
    return far_counts(method, target, reflector, keeper, {});
  };
  EXPECT_EQ(ask("GET", "/counts/stream/7"), "received 0\nelsewhere 0\nrefused 0\ndropped 0\n");
  EXPECT_EQ(ask("DELETE", "/counts/stream/7"), "received 0\nelsewhere 0\nrefused 0\ndropped 0\n");
  EXPECT_EQ(ask("GET", "/counts/media/99"), "ports\n10000 1\n");
  EXPECT_EQ(ask("GET", "/counts/media/98"), "ports\n");
  for (const auto* method : {"POST", "PUT", "HEAD", ""}) {
    EXPECT_FALSE(ask(method, "/counts/stream/7")) << method;
    EXPECT_FALSE(ask(method, "/counts/media/99")) << method;
  }
  for (const auto* none :
       {"/counts/", "/counts/stream/", "/counts/stream/65536", "/counts/stream/1x",
        "/counts/media/-1", "/whip", "/counts/media/4294967296"}) {
    EXPECT_FALSE(ask("GET", none)) << none;
  }
}

TEST(FarCounts, TellWhatTheirLimitsRefused) {
  const std::vector<std::uint8_t> key(32, 7);
  const auto now = std::chrono::system_clock::now();
  media::Reflector reflector(key, {}, now);
  media::EchoLimits limits;
  limits.packets_per_second = 1;
  media::EchoKeeper keeper(key, limits, now);
  for (int i = 0; i < 3; ++i) {
    keeper.answer(media::echo_request(key, 99, now), {IpAddress::v4({192, 0, 2, 1}), 4'000}, 10'000,
                  {}, now);
  }
  EXPECT_EQ(far_counts("GET", "/counts/media/99", reflector, keeper, {}),
            "ports\nrefused 2\n10000 3\n");
}

}  // namespace
}  // namespace callready::serve
