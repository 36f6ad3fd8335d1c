// The reply to one SIP request (RFC 3261 section 8.2, RFC 3581): bytes in, bytes out.
#pragma once

#include "probe/serve/udp_service.hpp"

namespace callready::serve {

struct SipIdentity {
  std::string server = "callready";  // the Server header; left out where empty
  // Replies hold those parts of the request that devices on the way rewrite: request line, Via,
  // From, Contact, Call-ID and the body, as application/octet-stream in base64, which nothing on
  // the way back can change. If such a reply would be too long, it comes without them.
  bool mirror = false;
  // By how many bytes a reply over UDP may exceed its request: received, rport and a tag make a
  // short one longer.
  std::size_t growth = 80;
  bool busy = false;  // every request gets 503, in the words of far_end.hpp
};

// OPTIONS gets 200, ACK nothing, every other method 405, a request that lacks what a reply needs
// 400. What is not a SIP request gets nothing. The top Via gets `received` and `rport` as RFC 3581
// says, and `peer` the port that the reply goes to; never another address, no matter what `maddr`
// says. Over UDP (`bounded`) no reply exceeds its request by more than `growth`.
Bytes answer_sip(const SipIdentity& identity, std::span<const std::uint8_t> request,
                 SocketAddress& peer, bool bounded);

// The framing of SIP over streams (RFC 3261 section 18.3): Content-Length must be there.
// Keep-alives (RFC 5626 section 3.5.1) are messages of their own, which answer_sip answers.
std::ptrdiff_t sip_frame(std::span<const std::uint8_t> bytes);

}  // namespace callready::serve
