// A DTLS ClientHello as long as those of today's browsers (a key share of X25519MLKEM768: 1,216
// bytes), in two datagrams (RFC 6347 section 4.2.3). It asks for nothing: it is only to be counted.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "probe/webrtc/srtp.hpp"

namespace callready::webrtc {

// The first part fills a datagram of 1,200 bytes. Each has a new random.
std::array<Bytes, 2> long_client_hello();

// The fragment offset of the part of a ClientHello that the datagram begins with; nothing for
// anything else, including a whole ClientHello. Looks at 25 bytes.
std::optional<std::uint32_t> part_of_client_hello(std::span<const std::uint8_t> datagram);

}  // namespace callready::webrtc
