#include "probe/net/address.hpp"

#include <algorithm>

#include "probe/util/text.hpp"

namespace callready {
namespace {

std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto port = whole_number<std::uint16_t>(text);
  return port && *port != 0 ? port : std::nullopt;
}

}  // namespace

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

bool split_port(std::string_view text, std::string_view& host, std::uint16_t& port) {
  port = 0;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos) return false;
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const auto colon = text.find(':');
    host = text.substr(0, colon);
    rest = text.substr(colon);
  } else {
    host = text;  // a name, an IPv4 address, or an IPv6 address without brackets
  }
  if (rest.empty()) return !host.empty();
  if (!rest.starts_with(':')) return false;
  const auto number = port_of(rest.substr(1));
  if (!number) return false;
  port = *number;
  return !host.empty();
}

std::optional<SocketAddress> parse_socket_address(std::string_view text,
                                                  std::uint16_t default_port) {
  std::string_view host;
  std::uint16_t port = 0;
  if (!split_port(text, host, port)) return std::nullopt;
  if (text.starts_with('[') && host.find(':') == host.npos) return std::nullopt;
  const auto address = IpAddress::parse(host);
  if (port == 0) port = default_port;
  if (!address || port == 0) return std::nullopt;
  return SocketAddress{*address, port};
}

bool may_be_sent_to(const SocketAddress& named, const SocketAddress& by) {
  // Metadata services of Alibaba and Amazon (IPv6); all others are link-local. And IPv4-mapped
  // IPv6.
  static const auto elsewhere = {Network::parse("100.100.100.200/32"),
                                 Network::parse("fd00:ec2::/32"), Network::parse("::ffff:0:0/96")};
  const auto& address = named.address;
  if (named.port == 0 || address.is_multicast() || address.is_unspecified()) return false;
  if (address.is_loopback()) return by.address.is_loopback();
  if (address.is_link_local()) return by.address.is_link_local();
  return std::none_of(elsewhere.begin(), elsewhere.end(),
                      [&](const auto& network) { return network && network->contains(address); });
}

}  // namespace callready
