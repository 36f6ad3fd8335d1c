// An event loop's sockets in memory: a path over UDP with two routers, the second beyond the site's
// edge, and nobody at its end. Packets to two ports never reach the routers: those to one are
// dropped, and this computer has no route for the other, though its socket opens. A fourth port is
// refused by the host, and this computer can open only two sockets for it, as a STUN request needs.
// A fifth is refused in the host's name before the first router. For a sixth the link is down,
// and this computer's own system says so. For a seventh the first router has no route, which it
// says once only: routers send few errors.
#pragma once

#include "tests/support/sockets_in_memory.hpp"

namespace callready::test {

class TwoRouters final : public SocketsInMemory {
 public:
  static constexpr std::uint16_t open_port = 20'000, dropped_port = 20'001, unsent_port = 20'002,
                                 refused_port = 20'003, refused_near_port = 20'004,
                                 link_down_port = 20'005, no_route_port = 20'006;

  // Datagrams that come before the answer to each packet that ends on the way.
  int strays = 0;

  explicit TwoRouters(asio::any_io_executor executor)
      : SocketsInMemory(std::move(executor), {IpAddress::v4({192, 168, 1, 9}), 50'000}) {}

  Result<std::unique_ptr<DatagramCarrier>> open_udp(const SocketAddress& remote,
                                                    const UdpOptions& options) override {
    if (remote.port == refused_port && ++opened_ > 2) {
      return classify(make_error_code(boost::system::errc::too_many_files_open));
    }
    return SocketsInMemory::open_udp(remote, options);
  }

 private:
  error_code carry(const Packet& packet, std::deque<UdpEvent>& back) override {
    const auto& remote = packet.to;
    if (remote.port == unsent_port) {
      return make_error_code(boost::system::errc::network_unreachable);
    }
    const bool ends = packet.ttl == 1 || packet.ttl == 2;
    const bool refused = remote.port == refused_near_port || (remote.port == refused_port && !ends);
    if (remote.port == link_down_port) {
      IcmpError error;
      error.kind = IcmpKind::host_unreachable;
      error.sender = IpAddress::v4({192, 168, 1, 9});
      error.own = true;
      back.push_back(std::move(error));
      return {};
    }
    if (remote.port == no_route_port && packet.ttl != 1) {
      if (said_++ > 0) return {};
      IcmpError error;
      error.kind = IcmpKind::host_unreachable;
      error.sender = IpAddress::v4({192, 168, 1, 1});
      back.push_back(std::move(error));
      return {};
    }
    if (remote.port == dropped_port || !(ends || refused)) return {};
    for (int i = 0; ends && i < strays; ++i) back.push_back(datagram(packet, {1, 2, 3}));
    IcmpError error;
    error.kind = refused ? IcmpKind::port_unreachable : IcmpKind::time_exceeded;
    error.sender = refused           ? remote.address
                   : packet.ttl == 1 ? IpAddress::v4({192, 168, 1, 1})
                                     : IpAddress::v4({198, 51, 100, 1});
    back.push_back(std::move(error));
    return {};
  }

  int said_ = 0;    // that there is no route
  int opened_ = 0;  // of the sockets for the refused port
};

}  // namespace callready::test
