#include "probe/media/outage.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace callready::media::outage_test {
namespace {

constexpr Asked asked{6, 300, 1};
constexpr std::uint32_t last = 330;  // with the tail

// A reflector that counts; from `silent` to `again` nothing gets there, or nothing gets back.
std::vector<Reply> line(std::uint32_t silent, std::uint32_t again, bool up) {
  std::vector<Reply> replies;
  std::uint32_t counter = 0;
  for (std::uint32_t i = 0; i <= last; ++i) {
    if (i == 1) continue;
    const bool quiet = i >= silent && i < again;
    if (quiet && up) continue;
    const Reply reply{i, counter++, i * 20.0, i * 20.0 + 10, i * 20.0 + 10, i * 20.0 + 20, {}};
    if (!quiet) replies.push_back(reply);
  }
  return replies;
}

TEST(Outage, ALineThatIsWellHasNone) {
  EXPECT_FALSE(outage_of(asked, last, line(999, 999, true), 20, std::nullopt));
  EXPECT_FALSE(ends_in_silence(asked, last, line(999, 999, true), 20));
  EXPECT_FALSE(outage_of(asked, last, line(100, 140, true), 20, std::nullopt)) << "0.8 s";
  EXPECT_FALSE(outage_of(asked, last, {}, 20, std::nullopt)) << "nothing was ever heard";
}

TEST(Outage, AmidTheStreamTheCounterTellsTheWay) {
  for (const bool up : {true, false}) {
    const auto seen = outage_of(asked, last, line(106, 206, up), 20, std::nullopt);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->from_ms, 2'000);
    EXPECT_EQ(seen->length_ms, 2'000);
    EXPECT_EQ(seen->way, up ? MediaWay::up : MediaWay::down);
    EXPECT_FALSE(seen->to_the_end);
  }
}

// A line that drops out now and then: where the test ends is no news about the flow.
TEST(Outage, ALongerOneThatItCameBackFromCountsFirst) {
  auto replies = line(106, 206, true);
  std::erase_if(replies, [](const Reply& reply) { return reply.sequence > last - 40; });
  EXPECT_TRUE(ends_in_silence(asked, last, replies, 20));
  const auto seen = outage_of(asked, last, replies, 20, FarEndCount{190, 0});
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->to_the_end);
  EXPECT_EQ(seen->from_ms, 2'000);
  std::erase_if(replies, [](const Reply& reply) { return reply.sequence > last - 120; });
  EXPECT_TRUE(outage_of(asked, last, replies, 20, std::nullopt)->to_the_end);
}

TEST(Outage, ToTheEndOnlyTheFarEndTellsTheWay) {
  const auto replies = line(206, 999, true);
  EXPECT_TRUE(ends_in_silence(asked, last, replies, 20));
  const auto unknown = outage_of(asked, last, replies, 20, std::nullopt);
  ASSERT_TRUE(unknown);
  EXPECT_TRUE(unknown->to_the_end);
  EXPECT_EQ(unknown->from_ms, 4'000);
  EXPECT_EQ(unknown->length_ms, 2'500) << "with the tail";
  EXPECT_FALSE(unknown->way);
  const int before = 205;  // 0 to 205 but 1
  EXPECT_EQ(outage_of(asked, last, replies, 20, FarEndCount{before, 0})->way, MediaWay::up);
  EXPECT_EQ(outage_of(asked, last, replies, 20, FarEndCount{before + 125, 0})->way, MediaWay::down);
  const auto moved = outage_of(asked, last, replies, 20, FarEndCount{before, 125});
  EXPECT_EQ(moved->moved, true);
  EXPECT_FALSE(moved->way);
}

// On a full line, the last answers were still in its queue: "silent from 14.8 s to the end".
TEST(Outage, WhatMayStillBeOnItsWayIsNotSilent) {
  auto replies = line(296, 999, true);  // the last 0.7 s
  EXPECT_TRUE(ends_in_silence(asked, last, replies, 20));
  replies.at(100).arrived += 680;
  EXPECT_FALSE(ends_in_silence(asked, last, replies, 20));
  EXPECT_FALSE(outage_of(asked, last, replies, 20, FarEndCount{330, 0}));
  replies.at(100).arrived -= 20;
  EXPECT_TRUE(ends_in_silence(asked, last, replies, 20));
}

int lost(const Trace& trace) {
  return static_cast<int>(std::count(trace.fates.begin(), trace.fates.end(), Fate::lost));
}

TEST(Outage, WhatTheFarEndGotCounts) {
  const auto replies = line(206, 999, true);
  for (const int more : {0, 40, 125}) {
    auto apart = tell_apart(asked, replies);
    EXPECT_EQ(lost(apart.up) + lost(apart.down), 0) << "nobody knows";
    tell_the_end(asked, last, replies, FarEndCount{205 + more, 0}, apart);
    const int unanswered = 100;  // of those that are measured
    const int heard = std::min(more, unanswered);
    EXPECT_EQ(lost(apart.up), unanswered - heard) << more;
    EXPECT_EQ(lost(apart.down), heard) << more;
  }
  auto moved = tell_apart(asked, replies);
  tell_the_end(asked, last, replies, FarEndCount{205, 125}, moved);
  EXPECT_EQ(lost(moved.up) + lost(moved.down), 0) << "they came, from another port";
}

// It counted from 0 again, and "Calls fall silent on the way out" was the answer.
TEST(Outage, AFarEndThatWasRestartedTellsNothing) {
  const auto replies = line(206, 999, true);
  for (const int counted : {0, 3, 204}) {
    const auto seen = outage_of(asked, last, replies, 20, FarEndCount{counted, 0});
    ASSERT_TRUE(seen);
    EXPECT_FALSE(seen->way) << counted;
    EXPECT_FALSE(seen->moved) << counted;
    auto apart = tell_apart(asked, replies);
    tell_the_end(asked, last, replies, FarEndCount{counted, 0}, apart);
    EXPECT_EQ(lost(apart.up) + lost(apart.down), 0) << counted;
  }
}

}  // namespace
}  // namespace callready::media::outage_test
