// Between the model's addresses and Asio's.
#pragma once

#include "probe/model/observation.hpp"
#include "probe/net/asio.hpp"

namespace callready {

asio::ip::address to_asio(const IpAddress& address);
IpAddress from_asio(const asio::ip::address& address);

// "192.0.2.1:53", "[2001:db8::1]:53", or an address alone with `default_port`; port 0 is refused.
std::optional<SocketAddress> parse_socket_address(std::string_view text,
                                                  std::uint16_t default_port);

template <typename Protocol>
asio::ip::basic_endpoint<Protocol> to_endpoint(const SocketAddress& address) {
  return {to_asio(address.address), address.port};
}

template <typename Protocol>
SocketAddress from_endpoint(const asio::ip::basic_endpoint<Protocol>& endpoint) {
  return {from_asio(endpoint.address()), endpoint.port()};
}

}  // namespace callready
