// The codes of findings, as JSON, logs and alerts name them; these are stable. One table has what
// the program itself knows about each.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "probe/model/words.hpp"

namespace callready {

// Sorted by word: "computer.agent" is computer_agent.
enum class FindingCode : std::uint8_t {
  computer_agent,
  computer_browser_policy,
  computer_firewall,
  computer_hosts_file,
  dns_block_page,
  dns_filtered,
  dns_inconsistent,
  dns_rewritten,
  dns_slow,
  dns_unreachable,
  dtls_long_hello_cut,
  firewall_destination_blocked,
  firewall_dtls_filtered,
  firewall_flow_blocked,
  firewall_idle_timeout,
  firewall_media_filtered,
  firewall_new_flows_limited,
  firewall_quic_filtered,
  firewall_quic_rejected,
  firewall_rate_limited,
  firewall_sip_filtered,
  firewall_stun_filtered,
  firewall_tcp_port_blocked,
  firewall_tls_filtered,
  firewall_udp_blocked,
  firewall_udp_port_blocked,
  firewall_udp_range_blocked,
  firewall_web_only,
  media_bandwidth,
  media_consent_lost,
  media_delay,
  media_dscp_cleared,
  media_dscp_dropped,
  media_jitter,
  media_loss,
  media_mos,
  media_one_way,
  media_outage,
  media_relay_only,
  nat_carrier_grade,
  nat_double,
  nat_own_address,
  nat_rebound,
  nat_symmetric,
  network_captive_portal,
  network_dead_path,
  network_http_redirected,
  network_interrupted,
  network_ipv6_broken,
  network_ipv6_vendor_dead,
  network_loss,
  network_mtu,
  network_no_gateway,
  network_offline,
  network_split_paths,
  network_unexplained,
  network_vpn_full_tunnel,
  other,  // from another version of callready
  proxy_auth_required,
  proxy_connect_denied,
  proxy_no_websocket,
  proxy_pac_failed,
  proxy_required,
  proxy_unreachable,
  proxy_upstream_failed,
  sip_alg,
  sip_fragments_lost,
  sip_server_error,
  target_absent,
  target_outdated,
  time_skewed,
  tls_expired,
  tls_incomplete_chain,
  tls_intercepted,
  tls_long_hello_cut,
  tls_outdated,
  tls_untrusted,
  tls_wrong_name,
  turn_auth_failed,
  turn_quota,
  turn_relay_dead,
  turn_relay_dies,
  turn_relay_private,
  vendor_down,
};

template <>
inline constexpr bool words_are_sorted<FindingCode> = true;
template <>
std::span<const Word<FindingCode>> words();

enum class FindingTrait : std::uint8_t {
  // Only advice: it keeps no call from working well.
  advice = 1,
  // Its fix asks to let something through.
  asks_to_let_through = 2,
  // About a port or a range, no matter which host is behind it.
  by_port = 4,
  // What it says about a host holds for each of the host's ports.
  shuts_hosts = 8,
  // It decides no row: a name that no longer exists anywhere blocks nothing, and its row knows
  // better what that means; what is lost now and then also gets through now and then.
  decides_no_row = 16,
  // Taken from the contents of replies, media figures or log-ins: not about reachability.
  of_contents = 32,
  // It strikes at random, or hits everything from now on: no service works well with it, no matter
  // which rows it explains.
  strikes_all = 64,
};

bool has(FindingCode code, FindingTrait trait);

// Who may have to act on it, depending on the case: the first, unless its rule says otherwise.
std::span<const Owner> owners_of(FindingCode code);

// The part before the dot: "firewall".
std::string_view family_of(FindingCode code);

}  // namespace callready
