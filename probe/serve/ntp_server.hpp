// An SNTP server (RFC 4330, packet format RFC 5905 section 7.3) that tells this machine's time.
#pragma once

#include "probe/serve/udp_service.hpp"

namespace callready::serve {

struct NtpOptions {
  milliseconds offset{0};     // added to the machine's time: a server that is wrong
  std::uint8_t stratum = 10;  // as for a clock that nobody disciplines; 0 is a kiss of death
  Limits limits;
};

// 48 bytes for a client's request (mode 3) of versions 1 to 4, otherwise nothing. `now` is both
// when it came and when it is answered.
Bytes answer_ntp(const NtpOptions& options, std::span<const std::uint8_t> request, WallTime now);

class NtpServer {
 public:
  // Failure: the address cannot be bound.
  static Result<std::shared_ptr<NtpServer>> start(const asio::any_io_executor& executor,
                                                  const SocketAddress& bind,
                                                  const NtpOptions& options = {});
  SocketAddress local() const { return udp_->local(); }
  void stop() { udp_->stop(); }

 private:
  explicit NtpServer(std::shared_ptr<UdpService> udp) : udp_(std::move(udp)) {}
  std::shared_ptr<UdpService> udp_;
};

}  // namespace callready::serve
