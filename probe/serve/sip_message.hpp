// The reply to one SIP request (RFC 3261 section 8.2, RFC 3581): bytes in, bytes out.
#pragma once

#include "probe/serve/udp_service.hpp"

namespace callready::serve {

struct SipIdentity {
  std::string server = "callready";  // the Server header; left out where empty
};

// OPTIONS gets 200, ACK nothing, every other method 405, a request without what a reply needs 400.
// What is not a SIP request gets nothing. The top Via gets `received` and `rport` as RFC 3581 says,
// and `peer` the port that the reply goes to; never another address, whatever `maddr` asks.
// Over UDP (`bounded`) no reply is longer than the request but for `sip_reply_growth`.
Bytes answer_sip(const SipIdentity& identity, std::span<const std::uint8_t> request,
                 SocketAddress& peer, bool bounded);

// What a reply must add to a short request: received, rport, a tag (bytes).
inline constexpr std::size_t sip_reply_growth = 80;

// The framing of SIP over streams (RFC 3261 section 18.3): Content-Length must be there.
// Keep-alives (RFC 5626 section 3.5.1) are messages of their own, which answer_sip answers.
std::ptrdiff_t sip_frame(std::span<const std::uint8_t> bytes);

}  // namespace callready::serve
