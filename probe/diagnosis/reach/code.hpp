// What a box becomes when it is said: the codes of findings that are about the way, not about the
// contents of a reply, and who can mend it.
#pragma once

#include <cstdint>
#include <string_view>

#include "probe/model/words.hpp"

namespace callready::reach {

enum class Code : std::uint8_t {
  none,  // nothing is wrong with it: a note
  connections_taken,
  destination_blocked,
  destination_silent,
  flow_blocked,
  flow_silent,
  new_flows_limited,
  ntp_filtered,
  rate_limited,
  sip_filtered,
  stun_filtered,
  tcp_port_blocked,
  tls_filtered,
  udp_blocked,
  udp_port_blocked,
  udp_range_blocked,
  web_only,
  dns_filtered,
  dns_rewritten,
  dns_unreachable,
  captive_portal,
  ipv6_broken,
  loss,
  mtu,
  no_link,
  offline,
  unexplained,
  nat_symmetric,
  proxy_login,
  proxy_denied,
  proxy_required,
  proxy_unreachable,
  sip_alg,
  target_outdated,
  clock_off,
  tls_expired,
  tls_intercepted,
  tls_untrusted,
  tls_wrong_name,
  turn_login,
  vendor_down,
};

inline constexpr std::size_t code_count = static_cast<std::size_t>(Code::vendor_down) + 1;

struct CodeWords {
  Code code;
  std::string_view text;
  Owner owner;
  // Of contents: the rule that reads them decides whether it is said, and its findings are taken
  // over as they are.
  bool of_contents = false;
  // It is never surer than that: of a refusal nobody knows whose it was, and silence is anybody's.
  double most = 1;
};

const CodeWords& words_of(Code code);

// True for the codes of rules that read the contents of replies, media figures or log-ins: no
// matter of reachability. They stay rules.
bool is_of_contents(std::string_view code);

}  // namespace callready::reach
