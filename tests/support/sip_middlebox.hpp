// What stands between a phone and its SIP server, as a function on messages: a NAT, and a gateway
// that rewrites SIP as Linux' nf_nat_sip does.
#pragma once

#include "tests/support/sip_server.hpp"

namespace callready::test {

struct SipMiddlebox {
  std::optional<SocketAddress> mapped;  // the NAT's outer address; nothing: no translation
  bool rewrites_requests = false;       // the Via of requests: own address to mapped
  bool rewrites_replies = false;        // the Via of replies back, with `received` and `rport`
  bool server_fills_rport = true;       // RFC 3581; false: the server is older
};

// The answer of a server behind it: 200 to everything.
SipAnswer behind(const SipMiddlebox& box);

}  // namespace callready::test
