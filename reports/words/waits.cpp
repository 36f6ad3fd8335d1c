#include "reports/words/waits.hpp"

#include <array>

#include "probe/util/text.hpp"
#include "reports/words/phrases.hpp"

namespace callready {

std::string waited_for(CheckKind check) {
  using enum CheckKind;
  static constexpr Word<CheckKind> table[] = {
      {dns, marked("DNS servers")},
      {hop, marked("routers in the path")},
      {http, marked("web servers")},
      {ice, marked("a call's far end")},
      {ipv6, marked("servers over IPv6")},
      {media, marked("the far end of a stream")},
      {nat, marked("the NAT test server")},
      {ntp, marked("time servers")},
      {pac, marked("the proxy script")},
      {path, marked("replies to full-size packets")},
      {proxy, marked("the proxy")},
      {quic, marked("QUIC servers")},
      {sip, marked("SIP servers")},
      {sip_long, marked("SIP servers")},
      {sip_alg, marked("the SIP ALG test server")},
      {stun, marked("STUN servers")},
      {tcp, marked("TCP servers")},
      {tls, marked("TLS servers")},
      {tls_hello, marked("TLS servers")},
      {turn, marked("TURN servers")},
      {udp_range, marked("routers in the path to media ports")},
  };
  return say_word(table, check);
}

std::string wait_in_words(const LongestWait& wait) {
  const auto whom = waited_for(wait.check);
  static constexpr std::array single = {CheckKind::nat,   CheckKind::sip_alg, CheckKind::proxy,
                                        CheckKind::media, CheckKind::ice,     CheckKind::pac};
  const auto time = duration_phrase(wait.took);
  if (wait.answered) return say("{}: waiting for {}", time, whom);
  if (wait.check == CheckKind::path) return say("{}: waiting for {} that did not come", time, whom);
  return contains(single, wait.check) ? say("{}: waiting for {}, which did not answer", time, whom)
                                      : say("{}: waiting for {} that did not answer", time, whom);
}

}  // namespace callready
