#include "probe/diagnosis/reach/code.hpp"

#include <array>

namespace callready::reach {
namespace {

constexpr std::array<CodeWords, code_count> code_table{{
    {Code::none, FindingCode::other, Owner::network},
    {Code::connections_taken, FindingCode::firewall_tcp_port_blocked, Owner::network},
    {Code::dead_path, FindingCode::network_dead_path, Owner::network},
    {Code::destination_blocked, FindingCode::firewall_destination_blocked, Owner::network},
    {Code::destination_silent, FindingCode::firewall_destination_blocked, Owner::network, 0},
    {Code::flow_blocked, FindingCode::firewall_flow_blocked, Owner::network},
    {Code::flow_silent, FindingCode::firewall_flow_blocked, Owner::network, 0},
    {Code::new_flows_limited, FindingCode::firewall_new_flows_limited, Owner::network},
    {Code::ntp_filtered, FindingCode::firewall_udp_port_blocked, Owner::network},
    {Code::rate_limited, FindingCode::firewall_rate_limited, Owner::security},
    {Code::sip_filtered, FindingCode::firewall_sip_filtered, Owner::network},
    {Code::sip_swallowed, FindingCode::firewall_sip_filtered, Owner::network},
    {Code::stun_filtered, FindingCode::firewall_stun_filtered, Owner::network},
    {Code::tcp_port_blocked, FindingCode::firewall_tcp_port_blocked, Owner::network},
    {Code::tls_filtered, FindingCode::firewall_tls_filtered, Owner::security},
    {Code::udp_blocked, FindingCode::firewall_udp_blocked, Owner::network},
    {Code::udp_port_blocked, FindingCode::firewall_udp_port_blocked, Owner::network},
    {Code::udp_range_blocked, FindingCode::firewall_udp_range_blocked, Owner::network},
    {Code::web_only, FindingCode::firewall_web_only, Owner::network},
    {Code::dns_filtered, FindingCode::dns_filtered, Owner::dns},
    {Code::dns_rewritten, FindingCode::dns_rewritten, Owner::dns},
    {Code::dns_unreachable, FindingCode::dns_unreachable, Owner::dns},
    {Code::captive_portal, FindingCode::network_captive_portal, Owner::user},
    {Code::ipv6_broken, FindingCode::network_ipv6_broken, Owner::network},
    {Code::loss, FindingCode::network_loss, Owner::lan},
    {Code::mtu, FindingCode::network_mtu, Owner::network},
    {Code::no_link, FindingCode::network_no_gateway, Owner::lan},
    {Code::offline, FindingCode::network_offline, Owner::provider},
    {Code::unexplained, FindingCode::network_unexplained, Owner::network},
    {Code::nat_symmetric, FindingCode::nat_symmetric, Owner::network},
    {Code::proxy_login, FindingCode::proxy_auth_required, Owner::proxy},
    {Code::proxy_denied, FindingCode::proxy_connect_denied, Owner::proxy},
    {Code::proxy_required, FindingCode::proxy_required, Owner::proxy},
    {Code::proxy_unreachable, FindingCode::proxy_unreachable, Owner::proxy},
    {Code::sip_alg, FindingCode::sip_alg, Owner::network},
    {Code::target_outdated, FindingCode::target_outdated, Owner::vendor},
    {Code::clock_off, FindingCode::time_skewed, Owner::helpdesk},
    {Code::tls_expired, FindingCode::tls_expired, Owner::vendor},
    {Code::tls_intercepted, FindingCode::tls_intercepted, Owner::security},
    {Code::tls_untrusted, FindingCode::tls_untrusted, Owner::security},
    {Code::tls_wrong_name, FindingCode::tls_wrong_name, Owner::vendor},
    {Code::turn_login, FindingCode::turn_auth_failed, Owner::helpdesk},
    {Code::vendor_down, FindingCode::vendor_down, Owner::vendor, .98},
}};

static_assert(in_their_places(code_table, &CodeWords::code));

}  // namespace

const CodeWords& words_of(Code code) { return code_table[static_cast<std::size_t>(code)]; }

}  // namespace callready::reach
