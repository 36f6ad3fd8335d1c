// An event loop's UDP sockets in memory: whoever derives from this says what becomes of each
// datagram that they send.
#pragma once

#include <deque>
#include <utility>

#include "probe/net/sockets.hpp"

namespace callready::test {

class SocketsInMemory : public SocketSource {
 public:
  using Bytes = std::vector<std::uint8_t>;

  // How connections fail; no error: they are established, and nothing is at their end.
  error_code connecting = asio::error::network_unreachable;

  Result<std::unique_ptr<DatagramCarrier>> open_udp(const SocketAddress&,
                                                    const UdpOptions& options) override {
    return std::unique_ptr<DatagramCarrier>(std::make_unique<Carrier>(*this, options.ttl));
  }
  asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(Scope, SocketAddress,
                                                                  ConnectOptions) override {
    if (connecting) co_return classify(connecting);
    co_return std::make_unique<TcpStream>(asio::ip::tcp::socket(executor_));
  }

 protected:
  struct Packet {
    Bytes bytes;
    SocketAddress to;
    int ttl = 0;  // 0: the system's default
  };

  // `local`: the sockets' own address.
  SocketsInMemory(asio::any_io_executor executor, const SocketAddress& local)
      : executor_(std::move(executor)), local_(local) {
    open_in_memory(executor_, *this);
  }

  // What this computer's system makes of it, and what comes back at once, in that order.
  virtual error_code carry(const Packet& packet, std::deque<UdpEvent>& back) = 0;

  static UdpEvent datagram(const Packet& answered, Bytes bytes) {
    Datagram made;
    made.bytes = std::move(bytes);
    made.from = answered.to;
    return made;
  }

 private:
  class Carrier final : public DatagramCarrier {
   public:
    Carrier(SocketsInMemory& sockets, int ttl) : sockets_(sockets), ttl_(ttl) {}

    error_code send(std::span<const std::uint8_t> bytes, const SocketAddress& to) override {
      const auto error = sockets_.carry({Bytes(bytes.begin(), bytes.end()), to, ttl_}, inbox_);
      if (!inbox_.empty()) cancel();
      return error;
    }
    void set_ttl(int ttl) override { ttl_ = ttl; }
    bool set_traffic_class(int) override { return false; }
    int path_mtu() const override { return 1'500; }
    std::optional<UdpEvent> take(const Clock& clock, Failure&) override {
      if (inbox_.empty()) return std::nullopt;
      auto event = std::move(inbox_.front());
      inbox_.pop_front();
      if (auto* datagram = std::get_if<Datagram>(&event)) datagram->arrived = clock.now();
      return event;
    }
    void when_readable(std::function<void()> callback) override {
      waiting_ = std::move(callback);
      if (!inbox_.empty()) cancel();
    }
    void cancel() override {
      if (waiting_) asio::post(sockets_.executor_, std::exchange(waiting_, nullptr));
    }
    SocketAddress local() const override { return sockets_.local_; }

   private:
    SocketsInMemory& sockets_;
    int ttl_;
    std::deque<UdpEvent> inbox_;
    std::function<void()> waiting_;
  };

  asio::any_io_executor executor_;
  SocketAddress local_;
};

}  // namespace callready::test
