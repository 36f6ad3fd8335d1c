#include "probe/model/finding_code.hpp"

#include <array>

namespace callready {
namespace {

// A set of traits, as bits.
struct Traits {
  unsigned bits = 0;
  constexpr Traits() = default;
  constexpr Traits(FindingTrait trait) : bits(static_cast<unsigned>(trait)) {}
  friend constexpr Traits operator|(Traits one, Traits other) {
    one.bits |= other.bits;
    return one;
  }
};

struct CodeRow {
  FindingCode code;
  std::string_view word;
  Traits traits{};
};

constexpr auto make_codes() {
  constexpr Traits advice = FindingTrait::advice, by_port = FindingTrait::by_port,
                   asks_to_let_through = FindingTrait::asks_to_let_through,
                   shuts_hosts = FindingTrait::shuts_hosts,
                   decides_no_row = FindingTrait::decides_no_row,
                   of_contents = FindingTrait::of_contents,
                   strikes_all = FindingTrait::strikes_all;
  return std::to_array<CodeRow>({
      {FindingCode::computer_agent, "computer.agent", of_contents},
      {FindingCode::computer_browser_policy, "computer.browser_policy", of_contents},
      {FindingCode::computer_firewall, "computer.firewall", of_contents},
      {FindingCode::computer_hosts_file, "computer.hosts_file", of_contents},
      {FindingCode::dns_block_page, "dns.block_page", of_contents},
      {FindingCode::dns_filtered, "dns.filtered"},
      {FindingCode::dns_rewritten, "dns.rewritten", of_contents},
      {FindingCode::dns_slow, "dns.slow", advice | of_contents},
      {FindingCode::dns_unreachable, "dns.unreachable"},
      {FindingCode::dtls_long_hello_cut, "dtls.long_hello_cut", of_contents},
      {FindingCode::firewall_destination_blocked, "firewall.destination_blocked",
       asks_to_let_through | shuts_hosts},
      {FindingCode::firewall_dtls_filtered, "firewall.dtls_filtered", of_contents},
      {FindingCode::firewall_flow_blocked, "firewall.flow_blocked", asks_to_let_through},
      {FindingCode::firewall_idle_timeout, "firewall.idle_timeout", of_contents},
      {FindingCode::firewall_new_flows_limited, "firewall.new_flows_limited", decides_no_row},
      {FindingCode::firewall_quic_filtered, "firewall.quic_filtered", advice | of_contents},
      {FindingCode::firewall_quic_rejected, "firewall.quic_rejected", advice | of_contents},
      {FindingCode::firewall_rate_limited, "firewall.rate_limited", strikes_all},
      {FindingCode::firewall_sip_filtered, "firewall.sip_filtered", asks_to_let_through},
      {FindingCode::firewall_stun_filtered, "firewall.stun_filtered", asks_to_let_through},
      {FindingCode::firewall_tcp_port_blocked, "firewall.tcp_port_blocked",
       asks_to_let_through | by_port},
      {FindingCode::firewall_tls_filtered, "firewall.tls_filtered", asks_to_let_through},
      {FindingCode::firewall_udp_blocked, "firewall.udp_blocked", asks_to_let_through},
      {FindingCode::firewall_udp_port_blocked, "firewall.udp_port_blocked",
       asks_to_let_through | by_port},
      {FindingCode::firewall_udp_range_blocked, "firewall.udp_range_blocked",
       asks_to_let_through | by_port},
      {FindingCode::firewall_web_only, "firewall.web_only", asks_to_let_through},
      {FindingCode::media_bandwidth, "media.bandwidth", of_contents},
      {FindingCode::media_consent_lost, "media.consent_lost", of_contents},
      {FindingCode::media_delay, "media.delay", of_contents},
      {FindingCode::media_dscp_cleared, "media.dscp_cleared", advice | of_contents},
      {FindingCode::media_jitter, "media.jitter", of_contents},
      {FindingCode::media_loss, "media.loss", of_contents},
      {FindingCode::media_mos, "media.mos", of_contents},
      {FindingCode::media_one_way, "media.one_way", of_contents},
      {FindingCode::media_outage, "media.outage", of_contents},
      {FindingCode::media_relay_only, "media.relay_only", of_contents},
      {FindingCode::nat_carrier_grade, "nat.carrier_grade", advice | of_contents},
      {FindingCode::nat_double, "nat.double", advice | of_contents},
      {FindingCode::nat_rebound, "nat.rebound", of_contents},
      {FindingCode::nat_symmetric, "nat.symmetric"},
      {FindingCode::network_captive_portal, "network.captive_portal"},
      {FindingCode::network_dead_path, "network.dead_path", decides_no_row | strikes_all},
      {FindingCode::network_ipv6_broken, "network.ipv6_broken", advice | of_contents},
      {FindingCode::network_ipv6_vendor_dead, "network.ipv6_vendor_dead", advice | of_contents},
      {FindingCode::network_loss, "network.loss", decides_no_row},
      {FindingCode::network_mtu, "network.mtu", of_contents},
      {FindingCode::network_no_gateway, "network.no_gateway", of_contents},
      {FindingCode::network_offline, "network.offline"},
      {FindingCode::network_split_paths, "network.split_paths", of_contents},
      {FindingCode::network_unexplained, "network.unexplained"},
      {FindingCode::network_vpn_full_tunnel, "network.vpn_full_tunnel", advice | of_contents},
      {FindingCode::other, "other"},
      {FindingCode::proxy_auth_required, "proxy.auth_required", asks_to_let_through},
      {FindingCode::proxy_connect_denied, "proxy.connect_denied", asks_to_let_through},
      {FindingCode::proxy_no_websocket, "proxy.no_websocket", asks_to_let_through | of_contents},
      {FindingCode::proxy_pac_failed, "proxy.pac_failed", of_contents},
      {FindingCode::proxy_required, "proxy.required", asks_to_let_through},
      {FindingCode::proxy_unreachable, "proxy.unreachable"},
      {FindingCode::sip_alg, "sip.alg"},
      {FindingCode::sip_fragments_lost, "sip.fragments_lost", of_contents},
      {FindingCode::sip_server_error, "sip.server_error", of_contents},
      {FindingCode::target_outdated, "target.outdated", advice | decides_no_row},
      {FindingCode::time_skewed, "time.skewed", of_contents},
      {FindingCode::tls_expired, "tls.expired", of_contents},
      {FindingCode::tls_incomplete_chain, "tls.incomplete_chain", of_contents},
      {FindingCode::tls_intercepted, "tls.intercepted", asks_to_let_through | of_contents},
      {FindingCode::tls_long_hello_cut, "tls.long_hello_cut", of_contents},
      {FindingCode::tls_outdated, "tls.outdated", of_contents},
      {FindingCode::tls_untrusted, "tls.untrusted", of_contents},
      {FindingCode::tls_wrong_name, "tls.wrong_name", of_contents},
      {FindingCode::turn_auth_failed, "turn.auth_failed", of_contents},
      {FindingCode::turn_quota, "turn.quota", of_contents},
      {FindingCode::turn_relay_dead, "turn.relay_dead", of_contents},
      {FindingCode::turn_relay_dies, "turn.relay_dies", of_contents},
      {FindingCode::vendor_down, "vendor.down", shuts_hosts},
  });
}

constexpr auto codes = make_codes();

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
  return i < codes.size() && (codes[i].traits.bits & Traits(trait).bits) != 0;
}

std::string_view family_of(FindingCode code) {
  const auto word = to_string(code);
  return word.substr(0, word.find('.'));
}

}  // namespace callready
