#include "reports/waits.hpp"

#include <fmt/format.h>

#include "reports/phrases.hpp"

namespace callready {

std::string waited_for(CheckKind check) {
  using enum CheckKind;
  switch (check) {
    case dns:
      return "name servers";
    case hop:
      return "routers in the path";
    case http:
      return "web servers";
    case ice:
      return "a call's far end";
    case ipv6:
      return "servers by IPv6";
    case media:
      return "the far end of a stream";
    case nat:
      return "the NAT test's server";
    case ntp:
      return "time servers";
    case pac:
      return "the proxy script";
    case path:
      return "full-size packets";
    case proxy:
      return "the proxy";
    case quic:
      return "QUIC servers";
    case sip:
    case sip_long:
      return "SIP servers";
    case sip_alg:
      return "the SIP ALG test's server";
    case stun:
      return "STUN servers";
    case tcp:
      return "TCP connections";
    case tls:
    case tls_hello:
      return "TLS servers";
    case turn:
      return "TURN servers";
    case udp_range:
      return "routers in the path to media ports";
  }
  return {};
}

std::string wait_in_words(const LongestWait& wait) {
  const auto whom = waited_for(wait.check);
  const bool one = wait.check == CheckKind::nat || wait.check == CheckKind::sip_alg ||
                   wait.check == CheckKind::proxy || wait.check == CheckKind::media ||
                   wait.check == CheckKind::ice || wait.check == CheckKind::pac;
  return fmt::format("{}: waiting for {}{}", duration_phrase(wait.took), whom,
                     wait.answered ? ""
                     : one         ? " that does not answer"
                                   : " that do not answer");
}

}  // namespace callready
