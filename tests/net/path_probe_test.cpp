// Packets of chosen sizes: what is said of those that this computer does not let out.
#include "probe/net/path_probe.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/loop.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready {
namespace {

using test::Bytes;

TEST(SizedFlow, SaysWhyNothingWasSent) {
  test::Loop loop(test::Time::by_hand);
  test::MemoryServer behind_a_firewall(loop.executor(), {}, [](auto&&...) {
    return make_error_code(boost::system::errc::operation_not_permitted);
  });
  auto flow = SizedFlow::open(loop.executor(), {IpAddress::v4({192, 0, 2, 1}), 3'478}, "");
  ASSERT_FALSE(flow.has_error());
  const SizedFlow::Payloads payloads{{1, 2, 3}};
  const SizedFlow::Match match = [](std::span<const std::uint8_t>) -> std::optional<std::size_t> {
    return std::nullopt;
  };
  const auto seen = loop.run(flow->ask(payloads, match, loop.scope));
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->kind, FailureKind::kept_here) << "and not that nobody answered";
  EXPECT_EQ(seen.attempts, 1);
}

TEST(SizedFlow, AFloodSaysNothing) {
  test::Loop loop(test::Time::by_hand);
  const SocketAddress remote{IpAddress::v4({192, 0, 2, 1}), 3'478};
  std::size_t strangers = 1'000;
  test::MemoryServer server(loop.executor(), {},
                            [&](const Bytes& sent, std::vector<Bytes>& replies) {
                              replies.assign(strangers, Bytes{4, 5, 6});
                              replies.push_back(sent);
                              return error_code();
                            });
  const SizedFlow::Payloads payloads{{1, 2, 3}};
  const SizedFlow::Match match =
      [&](std::span<const std::uint8_t> bytes) -> std::optional<std::size_t> {
    if (std::ranges::equal(bytes, payloads[0])) return 0;
    return std::nullopt;
  };
  auto crowded = SizedFlow::open(loop.executor(), remote, "");
  ASSERT_FALSE(crowded.has_error());
  EXPECT_TRUE(loop.run(crowded->ask(payloads, match, loop.scope)).answered[0]);
  strangers = 5'000;
  auto overrun = SizedFlow::open(loop.executor(), remote, "");
  ASSERT_FALSE(overrun.has_error());
  const auto seen = loop.run(overrun->ask(payloads, match, loop.scope));
  ASSERT_TRUE(seen.failure);
  EXPECT_EQ(seen.failure->text, flooded().text);
}

}  // namespace
}  // namespace callready
