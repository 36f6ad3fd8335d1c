// The check `media` with two relays of a real coturn as its far end.
#include <gtest/gtest.h>

#include "probe/net/address.hpp"
#include "probe/net/sockets.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/coturn.hpp"
#include "tests/support/evidence.hpp"

namespace callready {
namespace {

using test::Loop;

using asio::ip::tcp;

// The system's sockets, but that this computer keeps some of the stream's packets over UDP.
class KeepingSockets final : public SocketSource {
 public:
  using Keeps = std::function<bool(std::uint8_t sequence)>;
  KeepingSockets(Loop& loop, Keeps keeps) : loop_(loop), keeps_(std::move(keeps)) {
    open_in_memory(loop.executor(), *this);
  }

  Result<std::unique_ptr<DatagramCarrier>> open_udp(const SocketAddress& remote,
                                                    const UdpOptions& options) override {
    auto carrier = open_by_system(loop_.executor(), remote, options);
    if (carrier.has_error()) return carrier.error();
    return std::unique_ptr<DatagramCarrier>(std::make_unique<Carrier>(std::move(*carrier), keeps_));
  }
  asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(Scope, SocketAddress remote,
                                                                  ConnectOptions) override {
    tcp::socket socket(loop_.context);
    const auto endpoint = to_endpoint<tcp>(remote);
    const auto [error] =
        co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
    if (error) co_return classify(error);
    co_return std::make_unique<TcpStream>(std::move(socket));
  }

 private:
  class Carrier final : public DatagramCarrier {
   public:
    Carrier(std::unique_ptr<DatagramCarrier> system, const Keeps& keeps)
        : system_(std::move(system)), keeps_(keeps) {}

    error_code send(std::span<const std::uint8_t> bytes, const SocketAddress& to) override {
      // ChannelData (RFC 8656 section 12.4), the packet's number behind its head.
      constexpr std::size_t low_byte = 11;
      const bool of_stream = bytes.size() > low_byte && bytes[0] >> 4 == 4;
      if (of_stream && keeps_(bytes[low_byte])) {
        return make_error_code(boost::system::errc::no_buffer_space);
      }
      return system_->send(bytes, to);
    }
    void set_ttl(int ttl) override { system_->set_ttl(ttl); }
    bool set_traffic_class(int value) override { return system_->set_traffic_class(value); }
    int path_mtu() const override { return system_->path_mtu(); }
    std::optional<UdpEvent> take(const Clock& clock, Failure& failure) override {
      return system_->take(clock, failure);
    }
    void when_readable(std::function<void()> callback) override {
      system_->when_readable(std::move(callback));
    }
    void cancel() override { system_->cancel(); }
    SocketAddress local() const override { return system_->local(); }

   private:
    std::unique_ptr<DatagramCarrier> system_;
    const Keeps& keeps_;
  };

  Loop& loop_;
  Keeps keeps_;
};

class MediaByRelays : public testing::Test {
 protected:
  test::CheckRunner runner;

  MediaByRelays() {
    runner.settings.credentials.turn_user = "somebody";
    runner.settings.credentials.turn_password = "something";
  }
  std::unique_ptr<test::Coturn> coturn(std::vector<std::string> more = {}) {
    test::CoturnOptions options;
    options.arguments = {"--lt-cred-mech", "--user=somebody:something"};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    return std::make_unique<test::Coturn>(runner.loop.context, options);
  }
  Observation measure(const test::Coturn& server, std::string over = "tcp") {
    const auto address = server.address().to_string();
    return runner.run(CheckKind::media, Transport::udp, "127.0.0.1", server.address(),
                      {{"seconds", "1"}, {"turn", address + "/" + over}});
  }
  static std::string why(const Observation& seen) {
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind == EvidenceKind::relay_to_relay) return evidence.text.string();
    }
    return {};
  }
};

TEST_F(MediaByRelays, MeasuresEachWayAndThereAndBack) {
  CALLREADY_NEEDS_COTURN();
  const auto server = coturn();
  const auto seen = measure(*server);
  ASSERT_EQ(seen.outcome, Outcome::answered) << seen.detail.text() << why(seen);
  ASSERT_TRUE(seen.media && seen.media->up && seen.media->down && seen.media->loop) << why(seen);
  const auto& stream = *seen.media;
  EXPECT_TRUE(stream.by_relays.value_or(false));
  EXPECT_EQ(stream.packet_bytes, 172);
  for (const auto* way : {&*stream.up, &*stream.down, &*stream.loop}) {
    EXPECT_EQ(way->sent, 50);
    EXPECT_EQ(way->lost, 0);
    EXPECT_EQ(way->duplicates, 0);
  }
  EXPECT_FALSE(stream.up->jitter_ms || stream.down->variation_ms)
      << "of TCP as much as of the line";
  EXPECT_TRUE(stream.up->histogram.empty());
  EXPECT_TRUE(stream.loop->jitter_ms);
  EXPECT_TRUE(stream.round_trip_ms && stream.up->delay_ms && stream.up->score);
  EXPECT_DOUBLE_EQ(*stream.up->delay_ms, *stream.round_trip_ms / 2);
  EXPECT_EQ(stream.loop->dscp_sent, 46);
  EXPECT_FALSE(stream.first_hop) << "no router is on the way to this computer itself";
}

// A queue of this computer's that was full is no loss of the line's.
TEST_F(MediaByRelays, WhatThisComputerKeptIsNotLost) {
  CALLREADY_NEEDS_COTURN();
  const auto server = coturn();
  {
    const KeepingSockets half(runner.loop, [](std::uint8_t sequence) { return sequence % 2 == 1; });
    const auto seen = measure(*server);
    ASSERT_TRUE(seen.media && seen.media->up && seen.media->down) << why(seen);
    EXPECT_EQ(seen.media->up->sent, 25);
    EXPECT_EQ(seen.media->up->lost, 0);
    EXPECT_EQ(seen.media->down->sent, 50);
    EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::error, Fact::count), 50)
        << "half of what went up, and of what went there and back";
  }
  const KeepingSockets all(runner.loop, [](std::uint8_t) { return true; });
  const auto seen = measure(*server);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::out_of_resources);
}

TEST_F(MediaByRelays, SaysWhyThereAreNone) {
  CALLREADY_NEEDS_COTURN();
  const auto strict = coturn({"--denied-peer-ip=127.0.0.1"});
  auto seen = measure(*strict);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::no_relays);
  EXPECT_NE(why(seen).find("403"), std::string::npos) << why(seen);
  const auto narrow = coturn({"--user-quota=1"});
  seen = measure(*narrow);
  EXPECT_EQ(seen.detail, DetailCode::no_relays);
  EXPECT_NE(why(seen).find("486"), std::string::npos) << why(seen);
}

TEST_F(MediaByRelays, AStoppedRunIsNotOutOfRelays) {
  runner.loop.stop.stop();
  const SocketAddress nobody{IpAddress::v4({127, 0, 0, 1}), 9};
  const auto seen = runner.run(CheckKind::media, Transport::udp, "127.0.0.1", nobody,
                               {{"turn", "127.0.0.1:9/tcp"}});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
}

TEST_F(MediaByRelays, NeedsALoginAndAConnection) {
  const std::map<std::string, std::string> with{{"turn", "127.0.0.1:9/tcp"}};
  const SocketAddress nobody{IpAddress::v4({127, 0, 0, 1}), 9};
  runner.settings.credentials.turn_hosts.clear();
  auto seen = runner.run(CheckKind::media, Transport::udp, "127.0.0.1", nobody, with);
  EXPECT_EQ(seen.detail, DetailCode::no_turn_login);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  runner.settings.credentials.turn_hosts = {"127.0.0.1"};
  seen = runner.run(CheckKind::media, Transport::udp, "127.0.0.1", nobody, with);
  EXPECT_EQ(seen.detail, DetailCode::no_relays) << "nobody listens there";
  seen = runner.run(CheckKind::media, Transport::udp, "127.0.0.1", nobody,
                    {{"turn", "127.0.0.1:9/udp"}});
  EXPECT_EQ(seen.detail, DetailCode::bad_parameter);
}

}  // namespace
}  // namespace callready
