// The only server of an event loop whose sockets are in memory: a function of the test says what
// this computer's system makes of each datagram, and what comes back.
#pragma once

#include "tests/support/sockets_in_memory.hpp"

namespace callready::test {

class MemoryServer final : public SocketsInMemory {
 public:
  using Script = std::function<error_code(const Bytes& sent, std::vector<Bytes>& replies)>;

  // A device on the way: the error with which it turns a datagram away, if it does.
  std::function<std::optional<IcmpError>(const Bytes& sent)> router;

  // `local`: the sockets' own address.
  MemoryServer(asio::any_io_executor executor, const SocketAddress& local, Script script)
      : SocketsInMemory(std::move(executor), local), script_(std::move(script)) {}

 private:
  error_code carry(const Packet& packet, std::deque<UdpEvent>& back) override {
    if (auto icmp = router ? router(packet.bytes) : std::optional<IcmpError>()) {
      back.push_front(std::move(*icmp));  // as systems tell of them first
      return {};
    }
    std::vector<Bytes> replies;
    const auto error = script_(packet.bytes, replies);
    for (auto& reply : replies) back.push_back(datagram(packet, std::move(reply)));
    return error;
  }

  Script script_;
};

}  // namespace callready::test
