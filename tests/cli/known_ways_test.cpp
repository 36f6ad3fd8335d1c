#include "probe/cli/known_ways.hpp"

#include <gtest/gtest.h>

namespace callready {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const WallTime now = WallTime(std::chrono::hours(24 * 365 * 50));

std::vector<KnownWay> two() {
  return {{{ip("203.0.113.9"), 443},
           ip("192.168.1.20"),
           {{1, ip("192.168.1.1")}, {3, ip("198.51.100.1")}},
           now},
          {{ip("2001:db8::9"), 5061},
           ip("2001:db8:1::20"),
           {{2, ip("2001:db8:2::1")}},
           now - std::chrono::minutes(4)}};
}

TEST(KnownWays, AreReadAsTheyWereWritten) {
  const auto read = read_known_ways(write_known_ways(two()), now);
  ASSERT_EQ(read.size(), 2u);
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].listener, two()[i].listener);
    EXPECT_EQ(read[i].own, two()[i].own);
    EXPECT_EQ(read[i].routers, two()[i].routers);
    EXPECT_EQ(read[i].seen, two()[i].seen);
  }
}

TEST(KnownWays, AreForgottenAfterFiveMinutesAndNotBelievedFromTheFuture) {
  const auto text = write_known_ways(two());
  EXPECT_EQ(read_known_ways(text, now + std::chrono::minutes(2)).size(), 1u);
  EXPECT_TRUE(read_known_ways(text, now + std::chrono::minutes(5)).empty());
  EXPECT_EQ(read_known_ways(text, now - std::chrono::seconds(1)).size(), 1u);
}

TEST(KnownWays, AreNoneWhereTheFileIsAnything) {
  for (
      const char* text :
      {"", "{", "[]", "null", R"({"ways": 1})", R"({"ways": [1, null, "x", {}]})",
       R"({"ways": [{"listener": "x", "port": 1, "own": "192.0.2.1", "seen": "2020-01-01T00:00:00Z", "routers": {}}]})"}) {
    EXPECT_TRUE(read_known_ways(text, now).empty()) << text;
  }
  const auto change = [](std::string_view what, std::string_view by) {
    auto text = write_known_ways({two()[0]});
    const auto at = text.find(what);
    EXPECT_NE(at, text.npos) << what;
    text.replace(at, what.size(), by);
    return read_known_ways(text, now).size();
  };
  EXPECT_EQ(change("443", "444"), 1u);
  EXPECT_EQ(change("443", "0"), 0u);
  EXPECT_EQ(change("443", "65979"), 0u);
  EXPECT_EQ(change("443", "-1"), 0u);
  EXPECT_EQ(change("443", "18446744073709551616"), 0u);
  EXPECT_EQ(change("\"3\"", "\"3x\""), 0u);
  EXPECT_EQ(change("\"3\"", "\"0\""), 0u);
  EXPECT_EQ(change("\"3\"", "\"300\""), 0u);
  EXPECT_EQ(change("\"198.51.100.1\"", "7"), 0u);
  EXPECT_EQ(change("192.168.1.20", "here"), 0u);
  EXPECT_TRUE(read_known_ways(std::string(100'000, ' ') + write_known_ways(two()), now).empty());
}

TEST(KnownWays, AreFew) {
  std::vector<KnownWay> many(100, two()[0]);
  const auto text = write_known_ways(many);
  EXPECT_EQ(read_known_ways(text, now).size(), 8u);
}

}  // namespace
}  // namespace callready
