#include "probe/model/finding_code.hpp"

#include <array>

namespace callready {
namespace {

constexpr FindingTrait operator|(FindingTrait one, FindingTrait other) {
  return static_cast<FindingTrait>(static_cast<unsigned>(one) | static_cast<unsigned>(other));
}

struct CodeRow {
  FindingCode code;
  std::string_view word;
  FindingTrait traits{};  // none, or several
};

constexpr auto codes = [] {
  using enum FindingCode;
  using enum FindingTrait;
  return std::to_array<CodeRow>({
      {computer_agent, "computer.agent", of_contents},
      {computer_browser_policy, "computer.browser_policy", of_contents},
      {computer_firewall, "computer.firewall", of_contents},
      {computer_hosts_file, "computer.hosts_file", of_contents},
      {dns_block_page, "dns.block_page", of_contents},
      {dns_filtered, "dns.filtered"},
      {dns_rewritten, "dns.rewritten", of_contents},
      {dns_slow, "dns.slow", advice | of_contents},
      {dns_unreachable, "dns.unreachable"},
      {dtls_long_hello_cut, "dtls.long_hello_cut", of_contents},
      {firewall_destination_blocked, "firewall.destination_blocked",
       asks_to_let_through | shuts_hosts},
      {firewall_dtls_filtered, "firewall.dtls_filtered", of_contents},
      {firewall_flow_blocked, "firewall.flow_blocked", asks_to_let_through},
      {firewall_idle_timeout, "firewall.idle_timeout", of_contents},
      {firewall_new_flows_limited, "firewall.new_flows_limited", decides_no_row},
      {firewall_quic_filtered, "firewall.quic_filtered", advice | of_contents},
      {firewall_quic_rejected, "firewall.quic_rejected", advice | of_contents},
      {firewall_rate_limited, "firewall.rate_limited", strikes_all},
      {firewall_sip_filtered, "firewall.sip_filtered", asks_to_let_through},
      {firewall_stun_filtered, "firewall.stun_filtered", asks_to_let_through},
      {firewall_tcp_port_blocked, "firewall.tcp_port_blocked", asks_to_let_through | by_port},
      {firewall_tls_filtered, "firewall.tls_filtered", asks_to_let_through},
      {firewall_udp_blocked, "firewall.udp_blocked", asks_to_let_through},
      {firewall_udp_port_blocked, "firewall.udp_port_blocked", asks_to_let_through | by_port},
      {firewall_udp_range_blocked, "firewall.udp_range_blocked", asks_to_let_through | by_port},
      {firewall_web_only, "firewall.web_only", asks_to_let_through},
      {media_bandwidth, "media.bandwidth", of_contents},
      {media_consent_lost, "media.consent_lost", of_contents},
      {media_delay, "media.delay", of_contents},
      {media_dscp_cleared, "media.dscp_cleared", advice | of_contents},
      {media_jitter, "media.jitter", of_contents},
      {media_loss, "media.loss", of_contents},
      {media_mos, "media.mos", of_contents},
      {media_one_way, "media.one_way", of_contents},
      {media_outage, "media.outage", of_contents},
      {media_relay_only, "media.relay_only", of_contents},
      {nat_carrier_grade, "nat.carrier_grade", advice | of_contents},
      {nat_double, "nat.double", advice | of_contents},
      {nat_rebound, "nat.rebound", of_contents},
      {nat_symmetric, "nat.symmetric"},
      {network_captive_portal, "network.captive_portal"},
      {network_dead_path, "network.dead_path", decides_no_row | strikes_all},
      {network_ipv6_broken, "network.ipv6_broken", advice | of_contents},
      {network_ipv6_vendor_dead, "network.ipv6_vendor_dead", advice | of_contents},
      {network_loss, "network.loss", decides_no_row},
      {network_mtu, "network.mtu", of_contents},
      {network_no_gateway, "network.no_gateway", of_contents},
      {network_offline, "network.offline"},
      {network_split_paths, "network.split_paths", of_contents},
      {network_unexplained, "network.unexplained"},
      {network_vpn_full_tunnel, "network.vpn_full_tunnel", advice | of_contents},
      {other, "other"},
      {proxy_auth_required, "proxy.auth_required", asks_to_let_through},
      {proxy_connect_denied, "proxy.connect_denied", asks_to_let_through},
      {proxy_no_websocket, "proxy.no_websocket", asks_to_let_through | of_contents},
      {proxy_pac_failed, "proxy.pac_failed", of_contents},
      {proxy_required, "proxy.required", asks_to_let_through},
      {proxy_unreachable, "proxy.unreachable"},
      {sip_alg, "sip.alg"},
      {sip_fragments_lost, "sip.fragments_lost", of_contents},
      {sip_server_error, "sip.server_error", of_contents},
      {target_outdated, "target.outdated", advice | decides_no_row},
      {time_skewed, "time.skewed", of_contents},
      {tls_expired, "tls.expired", of_contents},
      {tls_incomplete_chain, "tls.incomplete_chain", of_contents},
      {tls_intercepted, "tls.intercepted", asks_to_let_through | of_contents},
      {tls_long_hello_cut, "tls.long_hello_cut", of_contents},
      {tls_outdated, "tls.outdated", of_contents},
      {tls_untrusted, "tls.untrusted", of_contents},
      {tls_wrong_name, "tls.wrong_name", of_contents},
      {turn_auth_failed, "turn.auth_failed", of_contents},
      {turn_quota, "turn.quota", of_contents},
      {turn_relay_dead, "turn.relay_dead", of_contents},
      {turn_relay_dies, "turn.relay_dies", of_contents},
      {vendor_down, "vendor.down", shuts_hosts},
  });
}();

constexpr auto code_words = [] {
  std::array<Word<FindingCode>, codes.size()> all{};
  for (std::size_t i = 0; i < codes.size(); ++i) all[i] = {codes[i].code, codes[i].word};
  return all;
}();
static_assert(in_order<FindingCode>(code_words));

}  // namespace

template <>
std::span<const Word<FindingCode>> words() {
  return code_words;
}

bool has(FindingCode code, FindingTrait trait) {
  const auto i = static_cast<std::size_t>(code);
  return i < codes.size() &&
         (static_cast<unsigned>(codes[i].traits) & static_cast<unsigned>(trait)) != 0;
}

std::string_view family_of(FindingCode code) {
  const auto word = to_string(code);
  return word.substr(0, word.find('.'));
}

}  // namespace callready
