#include "probe/net/address.hpp"

#include <charconv>

namespace callready {

asio::ip::address to_asio(const IpAddress& address) {
  const auto& bytes = address.bytes();
  if (address.is_v6()) return asio::ip::address_v6(bytes);
  return asio::ip::address_v4(
      asio::ip::address_v4::bytes_type{bytes[0], bytes[1], bytes[2], bytes[3]});
}

IpAddress from_asio(const asio::ip::address& address) {
  if (address.is_v6()) {
    const auto bytes = address.to_v6().to_bytes();
    if (!address.to_v6().is_v4_mapped()) return IpAddress::v6(bytes);
    return IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  }
  const auto bytes = address.to_v4().to_bytes();
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

std::optional<SocketAddress> parse_socket_address(std::string_view text,
                                                  std::uint16_t default_port) {
  SocketAddress result;
  result.port = default_port;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return std::nullopt;
    port = text.substr(end + 1);
    text = text.substr(1, end - 1);
    if (text.find(':') == text.npos) return std::nullopt;
  } else if (const auto colon = text.find(':');
             colon != text.npos && text.find(':', colon + 1) == text.npos) {
    port = text.substr(colon);
    text = text.substr(0, colon);
  }
  const auto address = IpAddress::parse(text);
  if (!address) return std::nullopt;
  result.address = *address;
  if (!port.empty()) {
    const auto* last = port.data() + port.size();
    const auto [end, error] = std::from_chars(port.data() + 1, last, result.port);
    if (port[0] != ':' || error != std::errc() || end != last) return std::nullopt;
  }
  if (result.port == 0) return std::nullopt;
  return result;
}

}  // namespace callready
