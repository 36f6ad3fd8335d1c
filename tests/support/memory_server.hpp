// The only server of an event loop whose sockets are in memory: a function of the test says what
// this computer's system makes of each datagram, and what comes back. Connections always fail.
#pragma once

#include <deque>
#include <utility>

#include "probe/net/sockets.hpp"

namespace callready::test {

class MemoryServer final : public SocketSource {
 public:
  using Bytes = std::vector<std::uint8_t>;
  using Script = std::function<error_code(const Bytes& sent, std::vector<Bytes>& replies)>;

  // A device on the way: the error with which it turns a datagram away, if it does.
  std::function<std::optional<IcmpError>(const Bytes& sent)> router;

  // How connections fail.
  error_code connecting = asio::error::network_unreachable;

  // `local`: the sockets' own address.
  MemoryServer(asio::any_io_executor executor, const SocketAddress& local, Script script)
      : executor_(std::move(executor)), local_(local), script_(std::move(script)) {
    open_in_memory(executor_, *this);
  }

  Result<std::unique_ptr<DatagramCarrier>> open_udp(const SocketAddress& remote,
                                                    const UdpOptions&) override {
    return std::unique_ptr<DatagramCarrier>(std::make_unique<Carrier>(*this, remote));
  }
  asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(Scope, SocketAddress,
                                                                  ConnectOptions) override {
    co_return classify(connecting);
  }

 private:
  class Carrier final : public DatagramCarrier {
   public:
    Carrier(MemoryServer& server, const SocketAddress& remote) : server_(server), remote_(remote) {}

    error_code send(std::span<const std::uint8_t> bytes, const SocketAddress&) override {
      if (auto icmp = server_.router ? server_.router(Bytes(bytes.begin(), bytes.end()))
                                     : std::optional<IcmpError>()) {
        errors_.push_back(std::move(*icmp));
        cancel();
        return {};
      }
      std::vector<Bytes> replies;
      const auto error = server_.script_(Bytes(bytes.begin(), bytes.end()), replies);
      for (auto& reply : replies) inbox_.push_back(std::move(reply));
      if (!inbox_.empty()) cancel();
      return error;
    }
    void set_ttl(int) override {}
    bool set_traffic_class(int) override { return false; }
    int path_mtu() const override { return 1'500; }
    std::optional<UdpEvent> take(const Clock& clock, Failure&) override {
      if (!errors_.empty()) {
        UdpEvent event(std::move(errors_.front()));
        errors_.pop_front();
        return event;
      }
      if (inbox_.empty()) return std::nullopt;
      Datagram datagram;
      datagram.bytes = std::move(inbox_.front());
      inbox_.pop_front();
      datagram.from = remote_;
      datagram.arrived = clock.now();
      return UdpEvent(std::move(datagram));
    }
    void when_readable(std::function<void()> callback) override {
      waiting_ = std::move(callback);
      if (!inbox_.empty() || !errors_.empty()) cancel();
    }
    void cancel() override {
      if (waiting_) asio::post(server_.executor_, std::exchange(waiting_, nullptr));
    }
    SocketAddress local() const override { return server_.local_; }

   private:
    MemoryServer& server_;
    SocketAddress remote_;
    std::deque<Bytes> inbox_;
    std::deque<IcmpError> errors_;
    std::function<void()> waiting_;
  };

  asio::any_io_executor executor_;
  SocketAddress local_;
  Script script_;
};

}  // namespace callready::test
