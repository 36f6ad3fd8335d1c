// Between the model's addresses and Asio's.
#pragma once

#include "probe/model/observation.hpp"
#include "probe/net/asio.hpp"

namespace callready {

asio::ip::address to_asio(const IpAddress& address);
IpAddress from_asio(const asio::ip::address& address);

template <typename Protocol>
asio::ip::basic_endpoint<Protocol> to_endpoint(const SocketAddress& address) {
  return {to_asio(address.address), address.port};
}

template <typename Protocol>
SocketAddress from_endpoint(const asio::ip::basic_endpoint<Protocol>& endpoint) {
  return {from_asio(endpoint.address()), endpoint.port()};
}

}  // namespace callready
