#include "probe/model/finding_code.hpp"

#include <array>

namespace callready {
namespace {

constexpr FindingTrait operator|(FindingTrait one, FindingTrait other) {
  return static_cast<FindingTrait>(static_cast<unsigned>(one) | static_cast<unsigned>(other));
}

class Owners {
 public:
  template <typename... More>
  constexpr Owners(Owner first, More... more) : list_{first, more...}, size_(1 + sizeof...(more)) {}
  constexpr std::span<const Owner> all() const { return {list_.data(), size_}; }

 private:
  std::array<Owner, 4> list_;
  std::size_t size_;
};

struct CodeRow {
  FindingCode code;
  std::string_view word;
  Owners owners;
  FindingTrait traits{};  // none, or several
};

constexpr auto codes = [] {
  using enum FindingCode;
  using enum FindingTrait;
  using enum Owner;
  return std::to_array<CodeRow>({
      {computer_agent, "computer.agent", helpdesk, of_contents},
      {computer_browser_policy, "computer.browser_policy", helpdesk, of_contents},
      {computer_firewall, "computer.firewall", helpdesk, of_contents},
      {computer_hosts_file, "computer.hosts_file", helpdesk, of_contents},
      {dns_block_page, "dns.block_page", dns, of_contents},
      {dns_filtered, "dns.filtered", {dns, helpdesk}},
      {dns_inconsistent, "dns.inconsistent", dns, of_contents},
      {dns_rewritten, "dns.rewritten", dns, of_contents | shuts_hosts},
      {dns_slow, "dns.slow", dns, advice | of_contents},
      {dns_unreachable, "dns.unreachable", {dns, helpdesk}},
      {dtls_long_hello_cut, "dtls.long_hello_cut", security, of_contents},
      {firewall_destination_blocked,
       "firewall.destination_blocked",
       {network, provider, helpdesk},
       asks_to_let_through | shuts_hosts},
      {firewall_dtls_filtered, "firewall.dtls_filtered", network, of_contents},
      {firewall_flow_blocked,
       "firewall.flow_blocked",
       {network, vendor, provider},
       asks_to_let_through},
      {firewall_idle_timeout, "firewall.idle_timeout", network, of_contents},
      {firewall_media_filtered, "firewall.media_filtered", network, asks_to_let_through},
      {firewall_new_flows_limited, "firewall.new_flows_limited", network, decides_no_row},
      {firewall_quic_filtered, "firewall.quic_filtered", security, advice | of_contents},
      {firewall_quic_rejected, "firewall.quic_rejected", network, advice | of_contents},
      {firewall_rate_limited, "firewall.rate_limited", {security, provider}, strikes_all},
      {firewall_sip_filtered, "firewall.sip_filtered", network, asks_to_let_through},
      {firewall_stun_filtered, "firewall.stun_filtered", network, asks_to_let_through},
      {firewall_tcp_port_blocked,
       "firewall.tcp_port_blocked",
       {network, provider},
       asks_to_let_through | by_port},
      {firewall_tls_filtered, "firewall.tls_filtered", security, asks_to_let_through},
      {firewall_udp_blocked, "firewall.udp_blocked", {network, vpn}, asks_to_let_through},
      {firewall_udp_port_blocked,
       "firewall.udp_port_blocked",
       {network, provider},
       asks_to_let_through | by_port},
      {firewall_udp_range_blocked,
       "firewall.udp_range_blocked",
       {network, provider},
       asks_to_let_through | by_port},
      {firewall_web_only, "firewall.web_only", network, asks_to_let_through},
      {media_bandwidth, "media.bandwidth", provider, of_contents},
      {media_consent_lost, "media.consent_lost", network, of_contents},
      {media_delay, "media.delay", {provider, vendor}, of_contents},
      {media_dscp_cleared, "media.dscp_cleared", lan, advice | of_contents},
      {media_dscp_dropped, "media.dscp_dropped", {network, provider}, of_contents},
      {media_jitter, "media.jitter", {provider, lan}, of_contents},
      {media_loss, "media.loss", {provider, lan}, of_contents},
      {media_mos, "media.mos", lan, of_contents},
      {media_one_way, "media.one_way", network, of_contents},
      {media_outage, "media.outage", {provider, network, lan}, of_contents},
      {media_relay_only, "media.relay_only", network, of_contents},
      {nat_carrier_grade, "nat.carrier_grade", network, advice | of_contents},
      {nat_double, "nat.double", network, advice | of_contents},
      {nat_own_address, "nat.own_address", network, of_contents},
      {nat_rebound, "nat.rebound", network, of_contents},
      {nat_symmetric, "nat.symmetric", network},
      {network_captive_portal, "network.captive_portal", user},
      {network_dead_path, "network.dead_path", network, decides_no_row | strikes_all},
      {network_http_redirected, "network.http_redirected", {network, provider}, of_contents},
      {network_interrupted, "network.interrupted", lan, decides_no_row | of_contents},
      {network_ipv6_broken, "network.ipv6_broken", {network, lan, dns}, advice | of_contents},
      {network_ipv6_vendor_dead,
       "network.ipv6_vendor_dead",
       {provider, vendor},
       advice | of_contents},
      {network_loss, "network.loss", lan, decides_no_row},
      {network_mtu, "network.mtu", lan, of_contents},
      {network_no_gateway, "network.no_gateway", {lan, helpdesk}, of_contents},
      {network_offline, "network.offline", {user, provider, network, vpn}},
      {network_split_paths, "network.split_paths", lan, of_contents},
      {network_unexplained, "network.unexplained", {network, dns, helpdesk}},
      {network_vpn_full_tunnel, "network.vpn_full_tunnel", vpn, advice | of_contents},
      {other, "other", network},
      {proxy_auth_required, "proxy.auth_required", proxy, asks_to_let_through},
      {proxy_connect_denied, "proxy.connect_denied", proxy, asks_to_let_through},
      {proxy_no_websocket, "proxy.no_websocket", proxy, asks_to_let_through | of_contents},
      {proxy_pac_failed, "proxy.pac_failed", proxy, of_contents},
      {proxy_required, "proxy.required", proxy, asks_to_let_through},
      {proxy_unreachable, "proxy.unreachable", {proxy, helpdesk}},
      {proxy_upstream_failed, "proxy.upstream_failed", proxy},
      {sip_alg, "sip.alg", network},
      {sip_fragments_lost, "sip.fragments_lost", network, of_contents},
      {sip_server_error, "sip.server_error", vendor, of_contents},
      {target_absent, "target.absent", helpdesk, of_contents},
      {target_outdated, "target.outdated", {vendor, helpdesk}, advice | decides_no_row},
      {time_skewed, "time.skewed", helpdesk, of_contents},
      {tls_expired, "tls.expired", {vendor, helpdesk}, of_contents},
      {tls_incomplete_chain, "tls.incomplete_chain", {vendor, helpdesk}, of_contents},
      {tls_intercepted, "tls.intercepted", security, asks_to_let_through | of_contents},
      {tls_long_hello_cut, "tls.long_hello_cut", security, of_contents},
      {tls_outdated, "tls.outdated", {vendor, helpdesk}, of_contents},
      {tls_untrusted, "tls.untrusted", {helpdesk, security}, of_contents},
      {tls_wrong_name, "tls.wrong_name", {vendor, helpdesk}, of_contents},
      {turn_auth_failed, "turn.auth_failed", {helpdesk, vendor}, of_contents},
      {turn_quota, "turn.quota", vendor, of_contents},
      {turn_relay_dead, "turn.relay_dead", vendor, of_contents},
      {turn_relay_dies, "turn.relay_dies", {security, vendor}, of_contents},
      {turn_relay_private, "turn.relay_private", vendor, of_contents},
      {vendor_down, "vendor.down", vendor, shuts_hosts},
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

std::span<const Owner> owners_of(FindingCode code) {
  return codes[static_cast<std::size_t>(code)].owners.all();
}

std::string_view family_of(FindingCode code) {
  const auto word = to_string(code);
  return word.substr(0, word.find('.'));
}

}  // namespace callready
