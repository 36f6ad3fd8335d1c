#include "probe/serve/ntp_server.hpp"

#include "probe/media/stamp.hpp"
#include "probe/util/network_order.hpp"

namespace callready::serve {
namespace {

constexpr std::size_t packet_size = 48;

}  // namespace

Bytes answer_ntp(const NtpOptions& options, std::span<const std::uint8_t> request, WallTime now) {
  if (request.size() < packet_size) return {};
  const unsigned version = request[0] >> 3 & 7;
  const unsigned mode = request[0] & 7;
  if (mode != 3 || version < 1 || version > 4) return {};
  Bytes packet(packet_size);
  packet[0] = static_cast<std::uint8_t>(version << 3 | 4);  // no leap second, mode server
  packet[1] = options.stratum;
  packet[2] = request[2];                      // poll interval, as asked (RFC 4330 section 5)
  packet[3] = static_cast<std::uint8_t>(-20);  // precision: a microsecond
  put_number(packet, 8, std::uint32_t{655});   // root dispersion: 10 ms in 16.16 seconds
  put_number(packet, 12, std::uint32_t{0x7f000001});  // reference: this machine, 127.0.0.1
  const auto time = media::stamp::to_timestamp(now + options.offset);
  put_number(packet, 16, time);
  std::copy(request.begin() + 40, request.begin() + 48, packet.begin() + 24);  // originate
  put_number(packet, 32, time);
  put_number(packet, 40, time);
  return packet;
}

Result<std::shared_ptr<NtpServer>> NtpServer::start(const asio::any_io_executor& executor,
                                                    const SocketAddress& bind,
                                                    const NtpOptions& options) {
  const Respond respond = [options](std::span<const std::uint8_t> request, SocketAddress&) {
    return answer_ntp(options, request, std::chrono::system_clock::now());
  };
  auto udp = UdpService::start(executor, bind, respond, options.limits);
  if (udp.has_error()) return udp.error();
  return std::shared_ptr<NtpServer>(new NtpServer(std::move(*udp)));
}

}  // namespace callready::serve
