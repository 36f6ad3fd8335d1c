#include "probe/net/semaphore.hpp"

#include "probe/net/together.hpp"
#include "tests/support/loop.hpp"

namespace callready {
namespace {

struct GateTest : testing::Test {
  test::Loop loop{test::Time::by_hand};
  Semaphore gate{2};
  int inside = 0, most = 0;

  asio::awaitable<bool> visit(milliseconds stay, milliseconds patience) {
    auto place = co_await gate.enter(loop.executor(), loop.scope, loop.soon(patience));
    if (!place) co_return false;
    most = std::max(most, ++inside);
    const bool slept = co_await sleep_until(loop.executor(), loop.scope, loop.soon(stay));
    static_cast<void>(slept);
    --inside;
    co_return true;
  }
  std::vector<bool> visit_all(int visitors, milliseconds stay, milliseconds patience) {
    std::vector<asio::awaitable<bool>> work;
    for (int i = 0; i < visitors; ++i) work.push_back(visit(stay, patience));
    return loop.run(together(loop.executor(), std::move(work)));
  }
};

TEST_F(GateTest, LetsInNoMoreThanItHasPlaces) {
  const auto came = visit_all(7, milliseconds(100), milliseconds(10'000));
  EXPECT_EQ(std::count(came.begin(), came.end(), true), 7);
  EXPECT_EQ(most, 2);
}

TEST_F(GateTest, WhoWaitsTooLongGoesAndHoldsNoPlace) {
  const auto came = visit_all(5, milliseconds(100), milliseconds(150));
  EXPECT_EQ(came, (std::vector<bool>{true, true, true, true, false}));
  EXPECT_EQ(visit_all(2, milliseconds(100), milliseconds(1)), (std::vector<bool>{true, true}));
}

TEST_F(GateTest, LetsNobodyInOnceTheRunIsStopped) {
  loop.stop.stop();
  EXPECT_EQ(visit_all(1, milliseconds(1), milliseconds(1)), std::vector<bool>{false});
}

}  // namespace
}  // namespace callready
