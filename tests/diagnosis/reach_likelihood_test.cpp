// The table of likelihoods, row by row: what each fate can be seen as, and what never.
#include <gtest/gtest.h>

#include <cmath>

#include "probe/diagnosis/reach/likelihood.hpp"
#include "tests/worlds/words.hpp"

namespace callready::reach::reach_likelihood_test {
namespace {

FlowEvent event(Seen seen, int sent = 1) {
  FlowEvent made;
  made.seen = seen;
  made.sent = sent;
  return made;
}
Bits cost(Seen seen, Fate fate, double loss = losses[0].share, int sent = 1) {
  return bits_of(event(seen, sent), false, fate, loss);
}

struct TableRow {
  Fate fate;
  std::string_view seen;  // in the order of Seen, all that it can be seen as
};

class ReachLikelihood : public testing::TestWithParam<TableRow> {};

TEST_P(ReachLikelihood, ListsWhatTheFateIsSeenAs) {
  std::string possible;
  for (const auto& word : words<Seen>()) {
    if (word.value == Seen::sample || cost(word.value, GetParam().fate) >= leak) continue;
    possible += (possible.empty() ? "" : " ") + std::string(word.text);
  }
  EXPECT_EQ(possible, GetParam().seen);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ReachLikelihood,
    testing::Values(
        TableRow{Fate::drop, "nothing dropped"},
        TableRow{Fate::deaf, "nothing closed arrived expired one_way"},
        TableRow{Fate::down, "nothing"},
        TableRow{Fate::closed, "nothing closed arrived refused refused_far"},
        TableRow{Fate::prohibit, "nothing prohibited refused_way dropped"},
        TableRow{Fate::refuse,
                 "nothing closed arrived refused_by prohibited refused refused_way dropped"},
        TableRow{Fate::forge, "nothing closed arrived refused refused_way forged dropped"},
        TableRow{Fate::mute, "nothing open mute"}, TableRow{Fate::cut, "open mute cut"},
        TableRow{Fate::take, "reply talk open mute cut dropped taken"},
        TableRow{Fate::carry, "reply talk open mute expired dropped taken"},
        TableRow{Fate::big, "nothing talk open mute expired"},
        TableRow{Fate::portal, "talk open mute foreign"},
        TableRow{Fate::maybe, "reply nothing arrived talk open mute expired dropped"},
        TableRow{Fate::rarely, "reply nothing arrived talk open mute expired dropped"},
        TableRow{Fate::severed, "reply nothing arrived talk open mute expired dropped"},
        TableRow{Fate::half,
                 "reply nothing closed arrived talk open mute cut foreign refused refused_far "
                 "expired dropped taken one_way"},
        TableRow{Fate::ignore, "nothing closed mute expired"},
        TableRow{Fate::unheard, "open mute expired dropped taken"},
        TableRow{Fate::ration, "nothing prohibited refused_way dropped"}));

// A flow keeps to its path: all of it arrives, or nothing. Of many flows, half do.
TEST(ReachLikelihoodOfHalf, ASampleIsOfOneFlowOrOfMany) {
  auto sample = event(Seen::sample, 20);
  const auto of = [&](bool one_flow, int answered) {
    sample.one_flow = one_flow;
    sample.answered = answered;
    return bits_of(sample, false, Fate::half, losses[0].share);
  };
  EXPECT_LT(of(true, 20), bits(2));
  EXPECT_GT(of(true, 10), bits(15));
  EXPECT_LT(of(false, 10), bits(3));
  EXPECT_GT(of(false, 20), bits(15));
  EXPECT_GT(cost(Seen::reply, Fate::half, losses[0].share, 2), bits(8)) << "lost once, lost always";
}

TEST(ReachLikelihoodOfPassing, AnswersArePlentyAndSilenceIsDear) {
  for (const auto seen : {Seen::reply, Seen::arrived, Seen::talk, Seen::open, Seen::expired}) {
    EXPECT_LT(cost(seen, Fate::pass), bits(0.2)) << to_string(seen);
  }
  for (const auto seen : {Seen::nothing, Seen::dropped, Seen::mute, Seen::cut, Seen::refused,
                          Seen::closed, Seen::foreign, Seen::taken}) {
    EXPECT_GT(cost(seen, Fate::pass, losses[0].share, 2), bits(8)) << to_string(seen);
  }
  EXPECT_EQ(cost(Seen::refused_way, Fate::pass), leak);
}

TEST(ReachLikelihoodOfPassing, WhereTheLineLosesSilenceIsCheapOnce) {
  EXPECT_LT(cost(Seen::nothing, Fate::pass, 0.25, 1), bits(1.5));
  EXPECT_GT(cost(Seen::nothing, Fate::pass, 0.25, 4), bits(4));
  EXPECT_LT(cost(Seen::reply, Fate::pass, 0.25, 3), cost(Seen::reply, Fate::pass, 0.01, 3));
}

TEST(ReachLikelihoodOfPassing, ARelaysSilenceIsNoProof) {
  auto relay = event(Seen::nothing, 2);
  relay.by_relay = true;
  EXPECT_LT(bits_of(relay, false, Fate::pass, 0.0005), bits(6.1));
  EXPECT_GT(cost(Seen::nothing, Fate::pass, 0.0005, 2), bits(12));
}

TEST(ReachLikelihoodOfPassing, OnASlowLineWhatWasGivenUpMayHaveBeenAnswered) {
  EXPECT_LT(bits_of(event(Seen::nothing, 4), true, Fate::pass, 0.0005), bits(2.1));
}

TEST(ReachLikelihoodOfPassing, ASampleTellsTheLoss) {
  auto sample = event(Seen::sample, 20);
  sample.answered = 14;  // of 20, with 8 % each way lost: 15 % of requests
  const auto at = [&](double loss) { return bits_of(sample, false, Fate::pass, loss); };
  EXPECT_LT(at(0.15), at(0.03));
  EXPECT_LT(at(0.15), at(0.0005));
  sample.answered = 20;
  EXPECT_LT(at(0.0005), at(0.08));
  EXPECT_EQ(bits_of(sample, false, Fate::drop, 0.0005), leak);
  EXPECT_EQ(bits_of(sample, false, Fate::maybe, 0.0005), surprise(1.0 / 21));
}

TEST(ReachLikelihoodOfPassing, NoSampleIsDearerThanTheLeak) {
  auto sample = event(Seen::sample, 1'000'000);
  sample.answered = 1;
  for (const auto& loss : losses) EXPECT_EQ(bits_of(sample, false, Fate::pass, loss.share), leak);
}

TEST(ReachLikelihoodOfPassing, AHandshakeThatIsTooNearWasTaken) {
  auto near_by = event(Seen::open);
  near_by.too_near = true;
  const auto cost_of = [&](Fate fate) { return bits_of(near_by, false, fate, 0.0005); };
  EXPECT_LT(cost_of(Fate::take) + bits(5), cost_of(Fate::pass));
  near_by.too_near = false;
  EXPECT_GT(cost_of(Fate::take), cost_of(Fate::pass) + bits(2));
}

TEST(ReachBits, AreTheSameEverywhere) {
  EXPECT_EQ(surprise(1), 0);
  EXPECT_EQ(surprise(0.5), bits(1));
  EXPECT_EQ(surprise(0.25), bits(2));
  EXPECT_EQ(surprise(0.95), 19);  // 0.074 bits
  static_assert(surprise(0.125) == bits(3));
}

TEST(ReachBits, AreBoundedWhateverTheProbability) {
  for (const double nonsense : {0.0, -1.0, -1e300, 1e-300, std::nan("")}) {
    EXPECT_EQ(surprise(nonsense), bits(64)) << nonsense;
  }
  EXPECT_EQ(surprise(1e300), 0);
}

}  // namespace
}  // namespace callready::reach::reach_likelihood_test
