#include "probe/diagnosis/reach/code.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace callready::reach {
namespace {

constexpr std::array<CodeWords, code_count> code_table{{
    {Code::none, "", Owner::network},
    {Code::connections_taken, "firewall.tcp_port_blocked", Owner::network},
    {Code::destination_blocked, "firewall.destination_blocked", Owner::network},
    {Code::destination_silent, "firewall.destination_blocked", Owner::network, false, 0},
    {Code::flow_blocked, "firewall.flow_blocked", Owner::network},
    {Code::flow_silent, "firewall.flow_blocked", Owner::network, false, 0},
    {Code::new_flows_limited, "firewall.new_flows_limited", Owner::network},
    {Code::ntp_filtered, "firewall.udp_port_blocked", Owner::network},
    {Code::rate_limited, "firewall.rate_limited", Owner::security},
    {Code::sip_filtered, "firewall.sip_filtered", Owner::network},
    {Code::stun_filtered, "firewall.stun_filtered", Owner::network},
    {Code::tcp_port_blocked, "firewall.tcp_port_blocked", Owner::network},
    {Code::tls_filtered, "firewall.tls_filtered", Owner::security},
    {Code::udp_blocked, "firewall.udp_blocked", Owner::network},
    {Code::udp_port_blocked, "firewall.udp_port_blocked", Owner::network},
    {Code::udp_range_blocked, "firewall.udp_range_blocked", Owner::network},
    {Code::web_only, "firewall.web_only", Owner::network},
    {Code::dns_filtered, "dns.filtered", Owner::dns},
    {Code::dns_rewritten, "dns.rewritten", Owner::dns, true},
    {Code::dns_unreachable, "dns.unreachable", Owner::dns},
    {Code::captive_portal, "network.captive_portal", Owner::user},
    {Code::ipv6_broken, "network.ipv6_broken", Owner::network, true},
    {Code::loss, "network.loss", Owner::lan},
    {Code::mtu, "network.mtu", Owner::network, true},
    {Code::no_link, "network.no_gateway", Owner::lan, true},
    {Code::offline, "network.offline", Owner::provider},
    {Code::unexplained, "network.unexplained", Owner::network},
    {Code::nat_symmetric, "nat.symmetric", Owner::network},
    {Code::proxy_login, "proxy.auth_required", Owner::proxy},
    {Code::proxy_denied, "proxy.connect_denied", Owner::proxy},
    {Code::proxy_required, "proxy.required", Owner::proxy},
    {Code::proxy_unreachable, "proxy.unreachable", Owner::proxy},
    {Code::sip_alg, "sip.alg", Owner::network},
    {Code::target_outdated, "target.outdated", Owner::vendor},
    {Code::clock_off, "time.skewed", Owner::helpdesk, true},
    {Code::tls_expired, "tls.expired", Owner::vendor, true},
    {Code::tls_intercepted, "tls.intercepted", Owner::security, true},
    {Code::tls_untrusted, "tls.untrusted", Owner::security, true},
    {Code::tls_wrong_name, "tls.wrong_name", Owner::vendor, true},
    {Code::turn_login, "turn.auth_failed", Owner::helpdesk, true},
    {Code::vendor_down, "vendor.down", Owner::vendor, false, .98},
}};

constexpr bool codes_in_their_places() {
  for (std::size_t i = 0; i < code_table.size(); ++i) {
    if (static_cast<std::size_t>(code_table[i].code) != i) return false;
  }
  return true;
}
static_assert(codes_in_their_places());

// Of contents, and no box has them.
constexpr std::string_view contents_only[] = {"computer.agent",
                                              "computer.browser_policy",
                                              "computer.firewall",
                                              "computer.hosts_file",
                                              "dns.block_page",
                                              "dns.slow",
                                              "dtls.long_hello_cut",
                                              "firewall.dtls_filtered",
                                              "firewall.idle_timeout",
                                              "firewall.quic_filtered",
                                              "firewall.quic_rejected",
                                              "media.bandwidth",
                                              "media.consent_lost",
                                              "media.delay",
                                              "media.dscp_cleared",
                                              "media.jitter",
                                              "media.loss",
                                              "media.mos",
                                              "media.one_way",
                                              "media.outage",
                                              "media.relay_only",
                                              "nat.carrier_grade",
                                              "nat.double",
                                              "nat.rebound",
                                              "network.ipv6_vendor_dead",
                                              "network.split_paths",
                                              "network.vpn_full_tunnel",
                                              "proxy.no_websocket",
                                              "proxy.pac_failed",
                                              "sip.fragments_lost",
                                              "sip.server_error",
                                              "tls.incomplete_chain",
                                              "tls.long_hello_cut",
                                              "tls.outdated",
                                              "turn.quota",
                                              "turn.relay_dead",
                                              "turn.relay_dies"};

}  // namespace

const CodeWords& words_of(Code code) { return code_table[static_cast<std::size_t>(code)]; }

bool is_of_contents(std::string_view code) {
  const auto its = [&](const CodeWords& words) { return words.of_contents && words.text == code; };
  return std::any_of(code_table.begin(), code_table.end(), its) ||
         std::find(std::begin(contents_only), std::end(contents_only), code) !=
             std::end(contents_only);
}

}  // namespace callready::reach
