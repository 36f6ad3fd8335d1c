// The reply to one STUN or TURN request (RFC 8489, RFC 5780, RFC 8656): bytes in, bytes out.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "probe/serve/udp_service.hpp"

namespace callready::serve {

struct StunIdentity {
  std::string software = "callready";    // left out where empty
  std::string realm = "callready.test";  // of the TURN challenge; not empty
  bool busy = false;                     // every request gets 500, in the words of far_end.hpp
};

// How a request came.
struct StunArrival {
  SocketAddress client, local;
  // The other address and port that requests may ask to be answered from (RFC 5780 section 6.1);
  // none: there is none, or this is a stream.
  std::optional<SocketAddress> other;
};

struct StunReply {
  Bytes bytes;  // empty: nothing is sent
  SocketAddress to;
  bool change_address = false, change_port = false;  // send it from there (CHANGE-REQUEST)
};

// Binding gets XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS if the request has no magic cookie (RFC 3489).
// TURN requests get 401 with REALM and a fresh NONCE, even with credentials: there are no users.
// Unknown comprehension-required attributes get 420. Indications, replies, other methods and what
// is not STUN get nothing.
StunReply answer_stun(const StunIdentity& identity, std::span<const std::uint8_t> request,
                      const StunArrival& arrival);

// The framing of STUN over streams: the header says the length.
std::ptrdiff_t stun_frame(std::span<const std::uint8_t> bytes);

}  // namespace callready::serve
