#include "probe/serve/dns_server.hpp"

#include "probe/serve/pair.hpp"

namespace callready::serve {

std::ptrdiff_t dns_frame(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2) return 0;
  const int length = bytes[0] << 8 | bytes[1];
  constexpr int header_size = 12;
  return length < header_size ? -1 : length + 2;
}

Result<std::shared_ptr<DnsServer>> DnsServer::start(const asio::any_io_executor& executor,
                                                    const SocketAddress& bind, DnsZone zone,
                                                    const Limits& limits) {
  const auto shared = std::make_shared<const DnsZone>(std::move(zone));
  const Respond udp = [shared](std::span<const std::uint8_t> query, SocketAddress&) {
    return answer_dns(*shared, query, true);
  };
  const Respond tcp = [shared](std::span<const std::uint8_t> framed, SocketAddress&) {
    Bytes reply = answer_dns(*shared, framed.subspan(2), false);
    if (reply.empty()) return reply;
    const std::array<std::uint8_t, 2> length{static_cast<std::uint8_t>(reply.size() >> 8),
                                             static_cast<std::uint8_t>(reply.size() & 0xff)};
    reply.insert(reply.begin(), length.begin(), length.end());
    return reply;
  };
  auto pair = start_pair(executor, bind, udp, messages(&dns_frame, tcp), limits);
  if (pair.has_error()) return pair.error();
  return std::shared_ptr<DnsServer>(new DnsServer(std::move(pair->udp), std::move(pair->tcp)));
}

void DnsServer::stop() {
  udp_->stop();
  tcp_->stop();
}

}  // namespace callready::serve
