// A UDP socket that hands each datagram to a function and sends back what it returns: what all our
// UDP servers have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "probe/net/address.hpp"
#include "probe/net/failure.hpp"
#include "probe/serve/limits.hpp"

namespace callready::serve {

using Bytes = std::vector<std::uint8_t>;

// What answers `request`; empty: nothing does. `peer` is who sent it. Over UDP the reply goes to
// another port of the same address where it is changed; never to another address.
using Respond = std::function<Bytes(std::span<const std::uint8_t> request, SocketAddress& peer)>;

// Serves until stop() or its own end.
class UdpService {
 public:
  // `busy` answers in place of `respond` once the rate is used up (limits.hpp); null: nothing does.
  // Failure: the address cannot be bound.
  static Result<std::shared_ptr<UdpService>> start(const asio::any_io_executor& executor,
                                                   const SocketAddress& bind, Respond respond,
                                                   const Limits& limits = {},
                                                   Respond busy = nullptr);
  ~UdpService();
  UdpService(const UdpService&) = delete;
  UdpService& operator=(const UdpService&) = delete;

  SocketAddress local() const { return local_; }
  // From this socket and within its rate, in place of the socket that was asked. What the kernel
  // does not take at once is lost, as UDP may lose it.
  void send(std::span<const std::uint8_t> bytes, const SocketAddress& to);
  void stop();

 private:
  struct Core;
  UdpService(std::shared_ptr<Core> core, const SocketAddress& local);
  std::shared_ptr<Core> core_;
  SocketAddress local_;
};

}  // namespace callready::serve
