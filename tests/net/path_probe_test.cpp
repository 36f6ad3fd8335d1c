// Packets of chosen sizes: what is said of those that this computer does not let out.
#include "probe/net/path_probe.hpp"

#include <gtest/gtest.h>

#include "tests/support/loop.hpp"

namespace callready {
namespace {

// This computer's own firewall.
class ClosedCarrier final : public DatagramCarrier {
 public:
  explicit ClosedCarrier(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  error_code send(std::span<const std::uint8_t>, const SocketAddress&) override {
    return make_error_code(boost::system::errc::operation_not_permitted);
  }
  void set_ttl(int) override {}
  bool set_traffic_class(int) override { return false; }
  int path_mtu() const override { return 1'500; }
  std::optional<UdpEvent> take(const Clock&, Failure&) override { return std::nullopt; }
  void when_readable(std::function<void()> callback) override { waiting_ = std::move(callback); }
  void cancel() override {
    if (waiting_) asio::post(executor_, std::exchange(waiting_, nullptr));
  }
  SocketAddress local() const override { return {}; }

 private:
  asio::any_io_executor executor_;
  std::function<void()> waiting_;
};

class ClosedSource final : public SocketSource {
 public:
  explicit ClosedSource(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Result<std::unique_ptr<DatagramCarrier>> open_udp(const SocketAddress&,
                                                    const UdpOptions&) override {
    return std::unique_ptr<DatagramCarrier>(std::make_unique<ClosedCarrier>(executor_));
  }
  asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(Scope, SocketAddress,
                                                                  ConnectOptions) override {
    co_return classify(asio::error::network_unreachable);
  }

 private:
  asio::any_io_executor executor_;
};

TEST(SizedFlow, SaysWhyNothingWasSent) {
  test::Loop loop(test::Time::by_hand);
  ClosedSource source(loop.executor());
  open_in_memory(loop.executor(), source);
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

}  // namespace
}  // namespace callready
