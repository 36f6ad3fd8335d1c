// An event loop's sockets in memory: a path over UDP with two routers, the second beyond the site's
// edge, and nobody at its end. Packets to two ports never reach the routers: those to one are
// dropped, and this computer has no route for the other, though its socket opens. A fourth port is
// refused by the host, and this computer can open only two sockets for it, as a STUN request needs.
#pragma once

#include <deque>
#include <utility>

#include "probe/net/sockets.hpp"

namespace callready::test {

class TwoRouters final : public SocketSource {
 public:
  static constexpr std::uint16_t open_port = 20'000, dropped_port = 20'001, unsent_port = 20'002,
                                 refused_port = 20'003;

  explicit TwoRouters(asio::any_io_executor executor) : executor_(std::move(executor)) {
    open_in_memory(executor_, *this);
  }

  Result<std::unique_ptr<DatagramCarrier>> open_udp(const SocketAddress& remote,
                                                    const UdpOptions& options) override {
    if (remote.port == refused_port && ++opened_ > 2) {
      return classify(make_error_code(boost::system::errc::too_many_files_open));
    }
    return std::unique_ptr<DatagramCarrier>(
        std::make_unique<Carrier>(executor_, remote, options.ttl));
  }
  asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(Scope, SocketAddress,
                                                                  ConnectOptions) override {
    co_return classify(asio::error::network_unreachable);
  }

 private:
  class Carrier final : public DatagramCarrier {
   public:
    Carrier(asio::any_io_executor executor, const SocketAddress& remote, int ttl)
        : executor_(std::move(executor)), remote_(remote), ttl_(ttl) {}

    error_code send(std::span<const std::uint8_t>, const SocketAddress&) override {
      if (remote_.port == unsent_port) {
        return make_error_code(boost::system::errc::network_unreachable);
      }
      const bool ends = ttl_ == 1 || ttl_ == 2;
      const bool refused = remote_.port == refused_port && !ends;
      if (remote_.port == dropped_port || !(ends || refused)) return {};
      IcmpError error;
      error.kind = refused ? IcmpKind::port_unreachable : IcmpKind::time_exceeded;
      error.sender = refused     ? remote_.address
                     : ttl_ == 1 ? IpAddress::v4({192, 168, 1, 1})
                                 : IpAddress::v4({198, 51, 100, 1});
      errors_.push_back(std::move(error));
      cancel();
      return {};
    }
    void set_ttl(int ttl) override { ttl_ = ttl; }
    bool set_traffic_class(int) override { return false; }
    int path_mtu() const override { return 1'500; }
    std::optional<UdpEvent> take(const Clock&, Failure&) override {
      if (errors_.empty()) return std::nullopt;
      UdpEvent event(std::move(errors_.front()));
      errors_.pop_front();
      return event;
    }
    void when_readable(std::function<void()> callback) override {
      waiting_ = std::move(callback);
      if (!errors_.empty()) cancel();
    }
    void cancel() override {
      if (waiting_) asio::post(executor_, std::exchange(waiting_, nullptr));
    }
    SocketAddress local() const override { return {IpAddress::v4({192, 168, 1, 9}), 50'000}; }

   private:
    asio::any_io_executor executor_;
    SocketAddress remote_;
    int ttl_;
    std::deque<IcmpError> errors_;
    std::function<void()> waiting_;
  };

  asio::any_io_executor executor_;
  int opened_ = 0;  // of the sockets for the refused port
};

}  // namespace callready::test
