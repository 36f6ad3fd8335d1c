#include "probe/media/call_steps.hpp"

#include <gtest/gtest.h>

namespace callready::media {
namespace {

// A session's replies in a step of 5 s: `count` packets, 20 ms on the way out and 30 back; what
// `up` and `down` say of a packet is added, or loses it where it is negative.
struct Stream {
  std::vector<Reply> replies;
  Asked asked{2, 0, 1};

  template <typename Up, typename Down>
  Stream(int count, Up up, Down down) {
    asked.count = count;
    replies.push_back({0, 0, -20, 0, 0, 30, std::nullopt});
    std::uint32_t counter = 1;
    for (int i = 0; i < count; ++i) {
      const double sent = 5'000.0 * i / count, out = up(i), back = down(i);
      if (out < 0) continue;
      const auto number = counter++;
      if (back < 0) continue;
      const double there = sent + 20 + out;
      replies.push_back({static_cast<std::uint32_t>(i) + 2, number, sent, there, there,
                         there + 30 + back, std::nullopt});
    }
  }
  CallStep step(int calls, bool stopped = false) const {
    const StepSession session{asked, replies};
    return step_of(calls, {&session, 1}, {20, 30}, stopped);
  }
};

const auto well = [](int) { return 0.0; };

// On a line that carries `room` calls: what is tried, and what passed in the end.
struct Search {
  std::vector<int> tried;
  int most_over = 0;  // of calls above the room, in one step
  CallCapacity capacity;

  Search(int wanted, int room) {
    constexpr int whole_packets = 250;
    capacity.wanted = wanted;
    while (const auto trial = next_trial(capacity, whole_packets)) {
      if (tried.size() > 40) break;
      tried.push_back(trial->calls);
      CallStep step;
      step.calls = trial->calls;
      step.sent = trial->calls * (trial->whole ? whole_packets : 100);
      // What is a little too much shows only in a whole step.
      step.passed = trial->calls <= room || (!trial->whole && trial->calls == room + 1);
      if (!step.passed) step.queued_up_ms = 90;
      most_over = std::max(most_over, trial->calls - room);
      capacity.steps.push_back(step);
    }
    conclude(capacity);
  }
};

TEST(CallSteps, DoubleAndThenHalve) {
  EXPECT_EQ(Search(12, 100).tried, (std::vector{1, 2, 4, 8, 12}));
  EXPECT_EQ(Search(12, 6).tried, (std::vector{1, 2, 4, 8, 6, 7}));
  EXPECT_EQ(Search(1, 1).tried, (std::vector{1}));
  EXPECT_EQ(Search(100, 0).tried, (std::vector{1, 2, 1}));
}

TEST(CallSteps, FindWhatALineCarriesAndNeverAskForTwiceAsMuch) {
  for (const int room : {0, 1, 2, 3, 6, 7, 12, 24, 25, 63, 64, 65, 99, 100, 117}) {
    const Search search(100, room);
    EXPECT_EQ(search.capacity.passed, std::min(room, 100)) << room;
    EXPECT_LE(search.most_over, room + 2) << room;
    EXPECT_LE(search.tried.size(), 20u) << room;
    EXPECT_EQ(search.capacity.limit.has_value(), room < 100) << room;
  }
}

TEST(CallSteps, AQuietLinePasses) {
  const auto step = Stream(1'000, well, well).step(4);
  EXPECT_TRUE(step.passed);
  EXPECT_EQ(step.sent, 1'000);
  EXPECT_EQ(step.lost_up + step.lost_down, 0);
  EXPECT_FALSE(Stream(1'000, well, well).step(4, true).passed) << "it was given up";
}

TEST(CallSteps, AGrowingQueueIsNamedWithItsWay) {
  CallCapacity capacity;
  capacity.wanted = 12;
  capacity.steps = {Stream(450, well, well).step(9),
                    Stream(3'000, well, [](int i) { return 0.03 * i; }).step(12)};
  conclude(capacity);
  EXPECT_EQ(capacity.passed, 9);
  EXPECT_EQ(capacity.limit, CallLimit::queueing);
  EXPECT_EQ(capacity.way, MediaWay::down);
  EXPECT_NEAR(capacity.steps[1].queued_down_ms, 81, 2);
  EXPECT_NEAR(capacity.steps[1].queued_up_ms, 0, 0.1);
}

TEST(CallSteps, APolicerIsToldFromALineThatLoses) {
  const auto every_twentieth = [](int i) { return i % 20 == 7 ? -1.0 : 0.0; };
  CallCapacity capacity;
  capacity.wanted = 12;
  capacity.steps = {Stream(2'250, well, well).step(9),
                    Stream(3'000, every_twentieth, well).step(12)};
  conclude(capacity);
  EXPECT_EQ(capacity.limit, CallLimit::policing);
  EXPECT_EQ(capacity.way, MediaWay::up);
  EXPECT_EQ(capacity.steps[1].lost_up, 150);
  EXPECT_EQ(capacity.steps[1].lost_down, 0);
  capacity.steps = {Stream(750, every_twentieth, well).step(3)};
  conclude(capacity);
  EXPECT_EQ(capacity.limit, CallLimit::loss);
  EXPECT_EQ(capacity.passed, 0);
}

// A step that is broken off holds what arrived until then, too: seven of 378 are no sure loss by
// themselves, and the calls that passed lost none of 800.
TEST(CallSteps, APolicerIsSeenInStepsThatWereBrokenOff) {
  CallCapacity capacity;
  capacity.wanted = 10;
  capacity.steps = {{2, 800, 0, 0, 0, 0, true},
                    {4, 378, 7, 0, 0, 0, false},
                    {3, 394, 3, 0, 0, 0, false}};
  conclude(capacity);
  EXPECT_EQ(capacity.passed, 2);
  EXPECT_EQ(capacity.limit, CallLimit::policing);
  EXPECT_EQ(capacity.way, MediaWay::up);
  for (auto& step : capacity.steps) step.lost_up = 3;
  conclude(capacity);
  EXPECT_FALSE(capacity.limit) << "the line loses as much with fewer calls";
}

// What one call alone loses is the line's, and no sign of too many.
TEST(CallSteps, ALineThatLosesByItselfIsNoPolicer) {
  const Stream stream(
      3'000, [](int i) { return i % 40 == 7 ? -1.0 : 0.0; }, well);
  const StepSession session{stream.asked, stream.replies};
  EXPECT_FALSE(step_of(12, {&session, 1}, {20, 30}, false).passed);
  EXPECT_TRUE(step_of(12, {&session, 1}, {20, 30, 3.5, 0.4}, false).passed);
  EXPECT_TRUE(hurts(25, 600, {}, {20, 30}));
  EXPECT_FALSE(hurts(25, 600, {}, {20, 30, 3.5, 0.4}));
}

TEST(CallSteps, SaysNothingOfWhatThisComputerCouldNotSend) {
  CallCapacity capacity;
  capacity.fit = false;
  capacity.steps = {Stream(750, well, [](int) { return 50.0; }).step(3)};
  conclude(capacity);
  EXPECT_FALSE(capacity.limit);
}

// The far end may have refused it, or a filter may have dropped its flow: no policer was measured.
TEST(CallSteps, ASessionThatNobodyAnsweredIsNotPassedAndBlamesNobody) {
  const Stream heard(1'000, well, well), unheard(
                                             1'000, [](int) { return -1.0; }, well);
  const std::vector<StepSession> sessions{{heard.asked, heard.replies}, {unheard.asked, {}}};
  const auto step = step_of(4, sessions, {20, 30}, false);
  EXPECT_FALSE(step.passed);
  EXPECT_EQ(step.lost_up + step.lost_down, 0);
  CallCapacity capacity;
  capacity.wanted = 8;
  capacity.steps = {Stream(500, well, well).step(2), step};
  conclude(capacity);
  EXPECT_EQ(capacity.passed, 2);
  EXPECT_FALSE(capacity.limit);
}

TEST(CallSteps, StopsForLossAndForAQueueAndNotForOnePacket) {
  const IdleDelays idle{20, 30};
  EXPECT_FALSE(hurts(0, 600, {}, idle));
  EXPECT_FALSE(hurts(1, 50, {}, idle)) << "bad luck";
  EXPECT_TRUE(hurts(20, 600, {}, idle));
  const std::vector<Reply> late{{2, 2, 0, 60, 60, 90, std::nullopt}};
  EXPECT_TRUE(hurts(0, 600, late, idle));
}

}  // namespace
}  // namespace callready::media
