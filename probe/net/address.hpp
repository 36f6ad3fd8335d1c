// Between the model's addresses and Asio's.
#pragma once

#include "probe/model/observation.hpp"
#include "probe/net/asio.hpp"

namespace callready {

// Addresses for documentation, which belong to nobody (RFC 5737, RFC 3849): packets to them take
// the default routes.
inline const IpAddress nobodys_address = IpAddress::v4({192, 0, 2, 1});
inline const IpAddress nobodys_v6 =
    IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});

asio::ip::address to_asio(const IpAddress& address);
IpAddress from_asio(const asio::ip::address& address);

// "host:port", "[::1]:port" or "host" into its parts; the port is 0 if there is none.
bool split_port(std::string_view text, std::string_view& host, std::uint16_t& port);

// "192.0.2.1:53", "[2001:db8::1]:53", or an address alone with `default_port`; port 0 is refused.
std::optional<SocketAddress> parse_socket_address(std::string_view text,
                                                  std::uint16_t default_port);

// Whether we send to an address because a server says so: not to this machine's or this link's own
// services (a cloud's metadata), unless the server itself is there.
bool may_be_sent_to(const SocketAddress& named, const SocketAddress& by);

template <typename Protocol>
asio::ip::basic_endpoint<Protocol> to_endpoint(const SocketAddress& address) {
  return {to_asio(address.address), address.port};
}

template <typename Protocol>
SocketAddress from_endpoint(const asio::ip::basic_endpoint<Protocol>& endpoint) {
  return {from_asio(endpoint.address()), endpoint.port()};
}

// A socket's local and remote address; 0.0.0.0:0 where it has none.
template <typename Socket>
SocketAddress local_end_of(const Socket& socket) {
  error_code error;
  const auto endpoint = socket.local_endpoint(error);
  return error ? SocketAddress() : from_endpoint(endpoint);
}

template <typename Socket>
SocketAddress remote_end_of(const Socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? SocketAddress() : from_endpoint(endpoint);
}

}  // namespace callready
