// What a probe can show for what it says: a reply, an ICMP error and its sender, a certificate.
// Both lists are in the order of their words, which is what makes reading them fast.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "probe/model/detail.hpp"
#include "probe/model/words.hpp"

namespace callready {

enum class EvidenceKind {
  allocation_left,
  alternate_server,
  certificate,
  certificate_fault,
  chain_root,
  client_certificate_asked,
  clock_offset,
  dns_answer,
  dns_no_answer,
  dns_special_address,
  error,
  family,
  hairpin,
  hop,
  http_reply,
  icmp_error,
  mapped_address,
  nat64,
  nat_filtering,
  nat_lifetime,
  nat_mapping,
  nat_translations,
  not_asked,
  not_tls,
  ntp_reply,
  open_relay,
  pac,
  path_mtu,
  port_preservation,
  port_taken,
  proxy_reply,
  refuser,
  relay,
  relay_to_relay,
  relay_trip,
  retransmitted,
  short_wait,
  shortage,
  sip_alg,
  sip_alg_message,
  sip_discarded,
  sip_naptr,
  sip_reply,
  sip_srv,
  sip_target,
  sip_via,
  stun_reply,
  stun_stray,
  tls_handshake,
  turn_challenge,
  turn_refusal,
  udp_block,
  udp_port,
  udp_relays,
  udp_sample,
};

// The names of facts. What ends in _ms, _s or _percent is a number of these.
enum class Fact {
  address,
  agent,
  allocations,
  allow,
  answered,
  asked,
  attempts,
  authoritative,
  basis,
  body_bytes,
  body_matches,
  broken,
  by,
  carried,
  cipher,
  code,
  confidence,
  count,
  date_offset_s,
  delay_ms,
  detail,
  echoed_sent_by,
  error,
  exact,
  excludes_percent,
  expected,
  extended_error_code,
  extended_errors,
  failure,
  fault,
  final,
  first,
  first_bytes,
  foreign,
  from,
  from_server,
  full,
  granted,
  host,
  icmp_sender,
  inbound,
  inbound_ms,
  issuer,
  kept,
  last,
  leap,
  lifetime_s,
  longest_gap,
  mapped,
  measured,
  message,
  messages,
  method,
  mirrored_changes,
  ms,
  name,
  names,
  nonce,
  not_after,
  not_before,
  not_measured,
  offset_ms,
  open_after,
  open_before,
  other_address,
  outbound,
  outbound_ms,
  outcome,
  outside,
  passes,
  payload,
  place,
  port,
  ports,
  position,
  prefix,
  proved,
  proxy,
  public_key_sha256,
  rcode,
  realm,
  reason,
  received,
  records,
  recursion_available,
  redirect_host,
  reference,
  refined,
  refused_schemes,
  relay_port,
  relays_work,
  responder,
  response_origin,
  result,
  rewritten,
  root_delay_ms,
  root_dispersion_ms,
  rport,
  rport_asked,
  sampled,
  samples,
  schemes,
  sdp_tested,
  self_signed,
  sender,
  sent_by,
  server,
  sha256,
  sinkhole,
  soa_zone,
  software,
  status,
  stratum,
  subject,
  success,
  timestamps,
  took_ms,
  translated,
  transport,
  truncated_over_udp,
  ttl,
  type,
  value,
  vanishes,
  verify_code,
  version,
  via,
  via_changed,
  vias,
  waited_ms,
  what,
  who,
  with_credentials,
  without_edns,
};

template <>
std::span<const Word<EvidenceKind>> words();
template <>
inline constexpr bool words_are_sorted<EvidenceKind> = true;
template <>
std::span<const Word<Fact>> words();
template <>
inline constexpr bool words_are_sorted<Fact> = true;

using EvidenceValue = std::variant<std::string, double, std::int64_t, bool>;
using FactMap = std::map<Fact, EvidenceValue>;

struct Evidence {
  EvidenceKind kind = EvidenceKind::error;
  std::string text;  // one sentence for a person; no secrets
  FactMap facts;     // the same for a program
};

// Facts by name; empty, or nothing, if there is none of that type.
std::string text_fact(const Evidence& evidence, Fact name);
std::optional<double> number_fact(const Evidence& evidence, Fact name);
std::optional<bool> flag_fact(const Evidence& evidence, Fact name);
// Of a fact that says what a detail says ("left_site"); empty where it is no such word.
Detail detail_fact(const Evidence& evidence, Fact name);

}  // namespace callready
