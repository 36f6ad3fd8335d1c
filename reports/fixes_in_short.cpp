#include "reports/fixes_in_short.hpp"

#include <algorithm>
#include <array>

namespace callready {
namespace {

struct Fix {
  std::string_view code, text;
};

constexpr std::array fixes{
    Fix{"dns.filtered",
        "Let the resolver answer for the service's names: take them off its filter."},
    Fix{"dns.rewritten", "Make the resolver give the public addresses of the service's names."},
    Fix{"dns.slow", "Find out why the resolver answers late, or give the site another one."},
    Fix{"dns.unreachable", "Bring the site's resolvers back, or let questions to them through."},
    Fix{"firewall.destination_blocked",
        "Allow the service's hosts that are blocked, on all ports that its document lists."},
    Fix{"firewall.dtls_filtered",
        "Let DTLS through over UDP: switch its inspection off for calls."},
    Fix{"firewall.flow_blocked", "Allow the listed port of the listed host."},
    Fix{"firewall.idle_timeout",
        "Let UDP bindings live longer than the service's keep-alive (30 s at least)."},
    Fix{"firewall.new_flows_limited",
        "Raise the firewall's limit of new flows a second for the user network."},
    Fix{"firewall.rate_limited",
        "Exempt the service from the limit or intrusion rule that shuts clients out."},
    Fix{"firewall.sip_filtered", "Switch the inspection of SIP off for the service's servers."},
    Fix{"firewall.stun_filtered", "Let STUN and TURN through to the service's servers."},
    Fix{"firewall.tcp_port_blocked", "Allow the TCP ports that the service's document lists."},
    Fix{"firewall.tls_filtered", "Exempt the service's names from the filter that ends TLS."},
    Fix{"firewall.udp_blocked",
        "Allow UDP to the service's servers and ports, and the replies to it."},
    Fix{"firewall.udp_port_blocked", "Allow the UDP port that the service's document lists."},
    Fix{"firewall.udp_range_blocked",
        "Allow the whole UDP range that the service's document lists."},
    Fix{"firewall.web_only",
        "Allow more than web ports: the TCP and UDP ports that the service's document lists."},
    Fix{"media.bandwidth", "Give voice priority on the site's line, or get a faster one."},
    Fix{"media.consent_lost", "Let STUN through for as long as a call lasts."},
    Fix{"media.delay", "Find the part of the line that adds delay: a VPN, a full queue, a detour."},
    Fix{"media.jitter", "Give voice its own queue on the site's line, wireless first."},
    Fix{"media.loss", "Find where the line loses packets: wireless, a full queue, the provider."},
    Fix{"media.mos", "Give voice its own queue on the site's line; look for loss and delay."},
    Fix{"media.one_way", "Let the replies to media in: a stateful rule for the service's UDP."},
    Fix{"media.outage", "Find what cut the line or the flow at that time: the device's log says."},
    Fix{"media.relay_only", "Allow UDP to where calls go: a relay over TCP or TLS stutters."},
    Fix{"nat.carrier_grade", "Ask the provider for a public address."},
    Fix{"nat.double", "Let one device translate only: put the other into bridge mode."},
    Fix{"nat.rebound", "Keep a flow on its line and port for as long as its packets go."},
    Fix{"nat.symmetric", "Make the NAT keep a client's port for all destinations."},
    Fix{"network.captive_portal", "Sign in at the network's portal, or exempt this device."},
    Fix{"network.ipv6_broken", "Repair the site's IPv6, or take its announcement away."},
    Fix{"network.loss", "Try again by cable; look for a limit of new connections, and for loss."},
    Fix{"network.mtu", "Let ICMP \"too big\" through, or clamp the size of TCP segments."},
    Fix{"network.no_gateway", "Repair DHCP or the router: this computer has no way out."},
    Fix{"network.offline", "Connect this computer, or bring the line back: nothing gets out."},
    Fix{"network.unexplained", "Read the report: it says which flows are blocked and what to ask."},
    Fix{"network.vpn_full_tunnel", "Take the service's networks out of the VPN (split tunnel)."},
    Fix{"proxy.auth_required", "Give the client a login for the proxy, or exempt the service."},
    Fix{"proxy.connect_denied", "Allow CONNECT to the service's ports on the proxy."},
    Fix{"proxy.no_websocket", "Let WebSocket upgrades through the proxy."},
    Fix{"proxy.pac_failed", "Repair the PAC file, or where it is looked for."},
    Fix{"proxy.required", "Give the clients the proxy, or open the direct way."},
    Fix{"proxy.unreachable", "Bring the proxy back, or take it out of the settings."},
    Fix{"sip.alg", "Switch the SIP ALG off on the router or firewall."},
    Fix{"sip.server_error", "Report it to who runs the SIP server: it answers with an error."},
    Fix{"target.outdated", "The list of hosts is old: update callready's target sets."},
    Fix{"time.skewed", "Set the clock of this computer, and let it ask a time server."},
    Fix{"tls.expired", "Report it to who runs the server: its certificate is past its date."},
    Fix{"tls.filtered", "Exempt the service's names from the filter that ends TLS."},
    Fix{"tls.incomplete_chain", "Report it to who runs the server: its chain is incomplete."},
    Fix{"tls.intercepted", "Exempt the service's names from TLS inspection."},
    Fix{"tls.outdated", "Report it to who runs the server: its TLS is too old."},
    Fix{"tls.untrusted", "Find out whose certificate is shown in the server's place."},
    Fix{"tls.wrong_name", "Report it to who runs the server: its certificate has another name."},
    Fix{"turn.auth_failed", "Correct the credentials for the relays."},
    Fix{"turn.quota", "Ask the provider of the relays for more allocations."},
    Fix{"turn.relay_dead", "Report it to who runs the relays: they carry nothing."},
    Fix{"vendor.down",
        "Nothing to change here: report it to the vendor and look at its status page."},
};
static_assert(std::ranges::is_sorted(fixes, {}, &Fix::code));

}  // namespace

std::string_view fix_in_short(std::string_view code) {
  const auto found = std::ranges::lower_bound(fixes, code, {}, &Fix::code);
  return found != fixes.end() && found->code == code ? found->text
                                                     : "Read the report: it says what to change.";
}

std::vector<std::string_view> codes_with_fixes() {
  std::vector<std::string_view> codes;
  for (const auto& fix : fixes) codes.push_back(fix.code);
  return codes;
}

}  // namespace callready
