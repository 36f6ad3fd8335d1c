// A small authoritative DNS server (RFC 1035) over UDP and TCP: for a zone in memory, and no other
// names. It never asks another server.
#pragma once

#include "probe/serve/dns_zone.hpp"
#include "probe/serve/stream_service.hpp"

namespace callready::serve {

// The framing of DNS over TCP: two bytes of length first (RFC 7766 section 8).
std::ptrdiff_t dns_frame(std::span<const std::uint8_t> bytes);

class DnsServer {
 public:
  // UDP and TCP on one port. Failure: it cannot be bound.
  static Result<std::shared_ptr<DnsServer>> start(const asio::any_io_executor& executor,
                                                  const SocketAddress& bind, DnsZone zone,
                                                  const Limits& limits = {});
  SocketAddress local() const { return udp_->local(); }
  void stop();

 private:
  DnsServer(std::shared_ptr<UdpService> udp, std::shared_ptr<StreamService> tcp)
      : udp_(std::move(udp)), tcp_(std::move(tcp)) {}
  std::shared_ptr<UdpService> udp_;
  std::shared_ptr<StreamService> tcp_;
};

}  // namespace callready::serve
