// What a box becomes when it is said: the codes of findings that are about the way, not about the
// contents of a reply, and who can mend it.
#pragma once

#include <cstdint>

#include "probe/model/finding_code.hpp"

namespace callready::reach {

enum class Code : std::uint8_t {
  none,  // nothing is wrong with it: a note
  connections_taken,
  dead_path,
  destination_blocked,
  destination_silent,
  flow_blocked,
  flow_silent,
  new_flows_limited,
  ntp_filtered,
  rate_limited,
  sip_filtered,
  sip_swallowed,  // on its usual port: worlds that differ by it are to be told apart
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
  FindingCode finding;
  Owner owner;
  // It is never surer than that: of a refusal nobody knows whose it was, and silence is anybody's.
  double most = 1;
};

const CodeWords& words_of(Code code);

}  // namespace callready::reach
