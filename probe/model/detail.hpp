// What exactly a probe saw besides its outcome: a word from a closed list, or the number of the
// protocol's own status ("401", "486").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probe/model/words.hpp"

namespace callready {

// Sorted by word, which makes parsing fast.
enum class DetailCode {
  unspecified,  // nothing to say
  address_and_port_dependent,
  address_dependent,
  allocated,
  another_far_end,
  answered_on_the_way,
  arrived,
  attribute_overrun,
  bad_challenge,
  bad_parameter,
  bad_proxy,
  bad_redirect,
  bad_upgrade,
  badvers,
  black_hole,
  called,
  client_certificate_wanted,
  closed_by_peer,
  connected,
  connection_refused,
  connection_reset,
  destination_dependent,
  dns_failed,
  dns_unreachable,
  dropped,
  dtls_failed,
  dtls_silent,
  endless,
  endpoint_independent,
  expired,
  far_end_busy,
  fell_silent,
  formerr,
  full_size,
  gathered,
  hello_not_compared,
  http_timed_out,
  ice_silent,
  inbound_dropped,
  incomplete_chain,
  inconclusive,
  initial_rejected,
  initial_silent,
  internal_error,
  ipv4_first,
  ipv4_only,
  ipv6_first,
  ipv6_only,
  kept_here,
  kiss_deny,
  kiss_other,
  kiss_rate,
  kiss_rstr,
  left_site,
  local_error,
  long_hello_cut,
  long_sip_lost,
  malformed,
  marked_silent,
  media_silent,
  mismatched_reply,
  no_address,
  no_call,
  no_ice,
  no_key,
  no_proxy,
  no_record,
  no_relayed_address,
  no_relays,
  no_resolver,
  no_rewriting_seen,
  no_room,
  no_route,
  no_service,
  no_such_check,
  no_such_name,
  no_turn_login,
  no_upgrade,
  none,
  not_a_name,
  not_a_proxy,
  not_a_response,
  not_measured,
  not_needed,
  not_stun,
  not_synchronised,
  not_tls,
  not_yet_valid,
  notauth,
  notimp,
  notzone,
  nxrrset,
  only_host,
  other_family,
  other_rcode,
  out_of_resources,
  oversized,
  pac_bad_url,
  pac_crashed,
  pac_empty,
  pac_evaluated,
  pac_script,
  pac_timed_out,
  pac_unreadable,
  padding_ignored,
  partly_dropped,
  partly_kept_here,
  partly_prohibited,
  path_mtu,
  private_pki,
  prohibited,
  proxy_timed_out,
  proxy_unreachable,
  proxy_unresolved,
  proxy_without_tls,
  quic_spoken,
  records,
  redirect_failed,
  redirect_loop,
  refused,
  refused_on_the_way,
  relay_dead,
  relay_dies,
  relayed,
  replied,
  rewritten,
  route_lost,
  server_silent,
  servfail,
  silent,
  sip_timed_out,
  sizes_not_compared,
  spared,
  split_hello_cut,
  stale_nonce,
  stopped,
  streamed,
  stun_timed_out,
  success,
  suspected,
  synchronised,
  timed_out,
  tls_access_denied,
  tls_alert,
  tls_protocol,
  tls_timed_out,
  tls_version,
  trailing_bytes,
  truncated,
  trusted,
  ttl_exceeded,
  unexpected_answer,
  unexpected_body,
  unexpected_issuer,
  unexpected_status,
  unfit,
  unreachable,
  untrusted,
  wrong_cookie,
  wrong_fingerprint,
  wrong_integrity,
  wrong_name,
  wrong_source,
  wrong_transaction_id,
  yxdomain,
  yxrrset,
};

template <>
std::span<const Word<DetailCode>> words();
template <>
inline constexpr bool words_are_sorted<DetailCode> = true;

// As people read it: "its certificate has expired"; empty if the outcome's words say it all.
std::string_view phrase_of(DetailCode code);

class Detail {
 public:
  constexpr Detail() = default;
  constexpr Detail(DetailCode code) : code_(code) {}
  // A status of HTTP, SIP, STUN or TURN.
  static constexpr Detail status(int number) {
    Detail detail;
    detail.status_ = number;
    return detail;
  }
  // As written in reports; nothing for a word that this version does not know.
  static std::optional<Detail> parse(std::string_view text);

  constexpr bool empty() const { return status_ < 0 && code_ == DetailCode::unspecified; }
  constexpr bool is_status() const { return status_ >= 0; }
  constexpr int status() const { return status_; }     // -1: a word
  constexpr DetailCode code() const { return code_; }  // unspecified for a status
  std::string text() const;                            // "dropped", "401", ""
  friend constexpr bool operator==(const Detail&, const Detail&) = default;

 private:
  DetailCode code_ = DetailCode::unspecified;
  int status_ = -1;
};

// A packet whose way was measured got out of the site.
bool is_out(const Detail& detail);

// Packets died on the way, in one direction or on some ports.
bool is_dropped(const Detail& detail);

}  // namespace callready
