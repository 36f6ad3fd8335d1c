#include "reports/words/waits.hpp"

#include <fmt/format.h>

#include "reports/words/phrases.hpp"

namespace callready {

std::string waited_for(CheckKind check) {
  using enum CheckKind;
  switch (check) {
    case dns:
      return say("name servers");
    case hop:
      return say("routers in the path");
    case http:
      return say("web servers");
    case ice:
      return say("a call's far end");
    case ipv6:
      return say("servers over IPv6");
    case media:
      return say("the far end of a stream");
    case nat:
      return say("the NAT test server");
    case ntp:
      return say("time servers");
    case pac:
      return say("the proxy script");
    case path:
      return say("replies to full-size packets");
    case proxy:
      return say("the proxy");
    case quic:
      return say("QUIC servers");
    case sip:
    case sip_long:
      return say("SIP servers");
    case sip_alg:
      return say("the SIP ALG test server");
    case stun:
      return say("STUN servers");
    case tcp:
      return say("TCP servers");
    case tls:
    case tls_hello:
      return say("TLS servers");
    case turn:
      return say("TURN servers");
    case udp_range:
      return say("routers in the path to media ports");
  }
  return {};
}

std::string wait_in_words(const LongestWait& wait) {
  const auto whom = waited_for(wait.check);
  const bool one = wait.check == CheckKind::nat || wait.check == CheckKind::sip_alg ||
                   wait.check == CheckKind::proxy || wait.check == CheckKind::media ||
                   wait.check == CheckKind::ice || wait.check == CheckKind::pac;
  const auto time = duration_phrase(wait.took);
  if (wait.answered) return say("{}: waiting for {}", time, whom);
  if (wait.check == CheckKind::path) return say("{}: waiting for {} that did not come", time, whom);
  return one ? say("{}: waiting for {}, which did not answer", time, whom)
             : say("{}: waiting for {} that did not answer", time, whom);
}

}  // namespace callready
