// A UDP port of 127.0.0.1 on which nobody listens.
#pragma once

#include <cstdint>

#include "probe/net/asio.hpp"

namespace callready::test {

inline std::uint16_t closed_udp_port(asio::io_context& loop) {
  const asio::ip::udp::socket socket(loop, {asio::ip::address_v4::loopback(), 0});
  return socket.local_endpoint().port();
}

}  // namespace callready::test
