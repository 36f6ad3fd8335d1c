#include "probe/engine/waits.hpp"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"

namespace callready {
namespace {

TEST(Waits, OfNothingThereIsNone) {
  const test::ManualClock clock;
  const Waits waits(clock.now());
  EXPECT_FALSE(waits.longest());
  EXPECT_FALSE(waits.now());
}

// What ends beside others is not waited for: only what it takes longer than all else.
TEST(Waits, AreForWhoeverEndsLaterThanTheOthers) {
  test::ManualClock clock;
  Waits waits(clock.now());
  const auto end_after = [&](int after, CheckKind check, Outcome outcome) {
    waits.note_begin(check);
    clock.advance(milliseconds(after));
    waits.note_end(check, outcome, clock.now());
  };
  end_after(40, CheckKind::tcp, Outcome::connected);
  end_after(300, CheckKind::nat, Outcome::answered);
  end_after(900, CheckKind::sip, Outcome::answered);
  end_after(800, CheckKind::tcp, Outcome::connected);  // the kind's last end counts
  end_after(200, CheckKind::sip, Outcome::silent);
  ASSERT_TRUE(waits.longest());
  EXPECT_EQ(waits.longest()->check, CheckKind::sip);
  EXPECT_TRUE(waits.longest()->answered);
  EXPECT_EQ(waits.longest()->took, milliseconds(900));
  end_after(1'000, CheckKind::hop, Outcome::passed);
  EXPECT_EQ(waits.longest()->check, CheckKind::hop);
  EXPECT_EQ(waits.longest()->took, milliseconds(1'000));
}

TEST(Waits, NowAreForThoseOfWhichMostAreAtWork) {
  test::ManualClock clock;
  Waits waits(clock.now());
  for (const auto check : {CheckKind::tcp, CheckKind::sip, CheckKind::sip}) waits.note_begin(check);
  EXPECT_EQ(waits.now(), CheckKind::sip);
  for (int i = 0; i < 2; ++i) waits.note_end(CheckKind::sip, Outcome::silent, clock.now());
  EXPECT_EQ(waits.now(), CheckKind::tcp);
}

}  // namespace
}  // namespace callready
