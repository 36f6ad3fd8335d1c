// One entry for each code of a finding: what docs/findings.md, labels and alerts say about it.
#include "reports/words/finding_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/words/phrases.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

constexpr std::string_view not_decided = R"(
## NOT DECIDED: what now

callready says NOT DECIDED (exit status 3) when the measurements fit both a working and a broken
network. This is neither good nor bad news. The report lists what is still unknown and why.

1. Wait 60 seconds and run it again. Routers and servers answer only a few test packets per second.
2. Run it with `--thorough` (up to 4 minutes), which tests more hosts and repeats unclear tests.
3. Supply what a row asks for: your own server with `--var`, a TURN login with `--credentials`, or
   the proxy with `--proxy`.
4. If the report says "measured from this computer", run it again from a laptop on a cable, without
   a VPN, and on the network of the phones or room devices.
5. Compare with another connection, such as a mobile phone's hotspot: save a report on each
   (`--report json=first.json`), then run `callready diff first.json second.json`.
6. On Windows, programs cannot see which router dropped a packet. To test media ranges, run
   callready on Linux.
7. Run `callready serve` on your own host outside the site. It proves each port in both directions.

If it stays NOT DECIDED, ask the firewall team to allow what the report lists as unknown, or ask the
vendor. The ticket (`--ticket`) says what was measured.
)";

constexpr std::array all_words{
    FindingWords{FindingCode::computer_agent, "A program on this computer intercepts connections",
                 "A program on this computer (a security agent, a web shield or a local proxy) "
                 "accepts connections in the service's place and does not pass them on. Other "
                 "computers may be fine.",
                 "The system's socket table shows that the other end of the connection is on this "
                 "computer, or a connection to an address that nobody uses is accepted sooner than "
                 "the first router answers.",
                 "Exempt the service's hosts in that program."},
    FindingWords{
        FindingCode::computer_browser_policy, "A browser policy restricts calls",
        "An administrator's policy keeps the browser from something that calls need. Other "
        "programs, callready included, ignore that policy.",
        "The policy was read from where the browser reads it.",
        "Change the policy for the service's pages."},
    FindingWords{FindingCode::computer_firewall, "This computer's own firewall blocks the service",
                 "Packets that the service needs do not leave this computer: its own firewall or "
                 "security software stops them. Other computers may be fine.",
                 "This computer's system refuses to send them, or says that it could not.",
                 "Allow the service in this computer's own firewall or security software."},
    FindingWords{
        FindingCode::computer_hosts_file, "This computer's hosts file gives a wrong address",
        "This computer's own hosts file gives the service's names addresses that do not work. "
        "Other computers may be fine.",
        "The address came from the hosts file, not from DNS. It is private, or DNS gives a "
        "different one.",
        "Remove the service's names from this computer's hosts file."},
    FindingWords{
        FindingCode::dns_block_page, "DNS leads to a wrong address",
        "This site's DNS sends the service's names to one wrong address, usually a page that says "
        "they are blocked. The service itself may be fine.",
        "Here, all the names have the same address, and no server there answers for them. It is a "
        "known block page's address, or none of the names has it on public DNS servers.",
        "Remove the service's names from the DNS filter's block list, and any old records of your "
        "own."},
    FindingWords{FindingCode::dns_filtered, "DNS does not resolve names",
                 "This site's DNS does not resolve host names that the service needs.",
                 "The names exist on public DNS servers, and this site's servers deny them or do "
                 "not answer for them.",
                 "Remove the service's names from the DNS servers' filter."},
    FindingWords{
        FindingCode::dns_inconsistent, "DNS finds names only sometimes",
        "Sign-in and calls work at times, and at others their names are not found.",
        "The site's DNS servers denied a name, or failed to look it up, and had it a "
        "moment later.",
        "Find out which of their upstream servers fails at times, or gives other answers."},
    FindingWords{
        FindingCode::dns_rewritten, "DNS gives wrong addresses",
        "This site's DNS answers with addresses that are not on the Internet, such as a "
        "block page's.",
        "The answers hold private or reserved addresses for public names.",
        "Configure the DNS servers to return the public addresses of the service's names."},
    FindingWords{
        FindingCode::dns_slow, "DNS is slow",
        "DNS lookups take so long that sign-in and calls start late.",
        "Lookups of several names took seconds, were answered only on the second try, or were "
        "not answered for IPv6.",
        "Find out why the DNS server answers late, or give the site another one."},
    FindingWords{FindingCode::dns_unreachable, "DNS does not work",
                 "DNS servers do not answer: for any name, for some names, or over TCP.",
                 "Lookups failed, were refused or not answered, or long answers over TCP did not "
                 "arrive; or a computer that has only IPv6 gets only IPv4 addresses.",
                 "Get the site's DNS servers running again, or let queries to them through."},
    FindingWords{
        FindingCode::dtls_long_hello_cut, "Long DTLS greetings are cut off",
        "Calls in today's browsers connect but stay silent, while calls in older programs work.",
        "callready sent greetings (ClientHello) in two datagrams each; callready serve received "
        "the first datagrams but none of the second ones.",
        "Update the device that inspects UDP so that it passes a ClientHello of more than one "
        "datagram, or exempt the service's media from inspection."},
    FindingWords{FindingCode::firewall_destination_blocked, "Hosts are blocked",
                 "Nothing gets through to some of the service's hosts, on any port.",
                 "All probes of these hosts fail, and the same ports of other hosts work.",
                 "Allow the blocked hosts on all ports that the service's document lists."},
    FindingWords{FindingCode::firewall_dtls_filtered, "DTLS is dropped",
                 "Calls connect but stay silent, because the key exchange for media is dropped.",
                 "STUN on the same flow is answered, but the DTLS handshake is not.",
                 "Let DTLS over UDP through: turn off its inspection for calls."},
    FindingWords{FindingCode::firewall_flow_blocked, "A host and port do not answer",
                 "One port of one host cannot be reached from here.",
                 "Packets to it stop at the site, or repeated requests get no answer. The finding "
                 "is often only \"possible\", because the server may be down.",
                 "Allow the port and host that the report names. If the packets leave the site, "
                 "ask the server's operator whether the server is up."},
    FindingWords{
        FindingCode::firewall_idle_timeout, "UDP sessions end too early",
        "Calls may fall silent and phones may miss calls, because the firewall or NAT closes idle "
        "UDP sessions.",
        "Packets that a relay or server sent to this computer after a pause no longer arrived.",
        "Raise the UDP session timeout to 120 s or more (RFC 4787)."},
    FindingWords{FindingCode::firewall_media_filtered, "Media is inspected and dropped",
                 "UDP gets out, but not the sound and pictures of calls (RTP).",
                 "Other packets to the same port of the same host pass.",
                 "Let RTP through to the service's servers."},
    FindingWords{
        FindingCode::firewall_new_flows_limited, "New connections are limited",
        "A device allows only a few new outgoing connections per second.",
        "Requests from one port are answered, but requests from many ports are not. Or some "
        "of the connections and requests that start within one second are answered only "
        "when they are sent again, and some never.",
        "Raise the firewall's limit on new connections (flows) per second for the user network."},
    FindingWords{FindingCode::firewall_quic_filtered, "QUIC greetings are cut off",
                 "Web pages may load slowly, since browsers try QUIC first. Calls do not need it.",
                 "A server says which versions of QUIC it supports, but does not answer a "
                 "greeting of the same size that contains its name.",
                 "Exempt the service from the inspection of UDP 443, or block UDP 443 entirely."},
    FindingWords{FindingCode::firewall_quic_rejected, "QUIC is refused",
                 "Web pages may load slowly: browsers try QUIC first, and some wait up to 30 s "
                 "where it is refused with ICMP. Calls do not need it.",
                 "A device in the path rejects QUIC on UDP 443, while other UDP is answered.",
                 "Allow UDP 443, or leave it blocked if that is your policy."},
    FindingWords{
        FindingCode::firewall_rate_limited, "This computer was blocked during the test",
        "Intrusion prevention mistook the test for an attack and now blocks this computer.",
        "Hosts that answered at first stopped answering within the same run.",
        "Exempt this computer from the intrusion prevention that blocks it, or raise its limit."},
    FindingWords{FindingCode::firewall_sip_filtered, "SIP is inspected and dropped",
                 "Packets reach the SIP servers' ports, but SIP messages are dropped.",
                 "Other packets to the same ports pass, or SIP over TLS is answered.",
                 "Turn off SIP inspection for the service's servers."},
    FindingWords{FindingCode::firewall_stun_filtered, "STUN and TURN are inspected and dropped",
                 "UDP gets out, but not STUN and TURN, the protocols that WebRTC calls start with.",
                 "Several operators' STUN servers do not answer, while other UDP gets out.",
                 "Let STUN and TURN through to the service's servers."},
    FindingWords{FindingCode::firewall_tcp_port_blocked, "A TCP port is blocked",
                 "TCP connections to this port fail for all networks that were tested.",
                 "Other ports on the same hosts can be reached, or a device in the path accepts "
                 "the connection but forwards nothing.",
                 "Allow the TCP ports that the service's document lists."},
    FindingWords{FindingCode::firewall_tls_filtered, "Encrypted connections are cut off",
                 "TCP connects, but the TLS greeting is cut off or not answered, often by a filter "
                 "on host names.",
                 "The same server answers to another name, or many names fail on the same port.",
                 "Exempt the service's names from the filter that cuts off TLS."},
    FindingWords{
        FindingCode::firewall_udp_blocked, "All UDP is blocked",
        "No UDP gets out of this site, or no reply comes back: media uses slow fallbacks or fails.",
        "UDP to public servers of several operators is not answered, while TCP works.",
        "Allow UDP to the service's servers and ports, and the replies to it."},
    FindingWords{
        FindingCode::firewall_udp_port_blocked, "A UDP port is blocked",
        "UDP to this port is dropped.",
        "Other UDP packets reach the same hosts, or get farther than packets to this port.",
        "Allow the UDP port that the service's document lists."},
    FindingWords{
        FindingCode::firewall_udp_range_blocked, "A media port range is blocked",
        "Calls connect without sound or picture, because their UDP ports are blocked.",
        "Test packets to sampled ports in the range stop at the site, while other packets get out.",
        "Allow the whole UDP range that the service's document lists."},
    FindingWords{
        FindingCode::firewall_web_only, "Only web traffic gets out",
        "The site lets out TCP 443 (and 80) and blocks other ports.",
        "HTTPS to several networks works, but other TCP ports to several networks do not.",
        "Allow more than web ports: the TCP and UDP ports that the service's document lists."},
    FindingWords{FindingCode::media_bandwidth, "The line is too small for the calls",
                 "The line does not carry the tested number of calls at once.",
                 "Call-like test streams lost packets or were delayed as their number grew.",
                 "Give voice priority on the site's line, or get a faster one."},
    FindingWords{
        FindingCode::media_consent_lost, "STUN stops passing during a call",
        "Browsers end the call after 15 to 30 seconds.",
        "STUN checks passed at the start of a call and stopped later, while media came back.",
        "Let STUN through for as long as a call lasts, not only at its start."},
    FindingWords{FindingCode::media_delay, "Delay is too high", "People talk over each other.",
                 "The round-trip times of a test stream or of the nearest servers, compared with "
                 "those of other sites on the Internet.",
                 "Find the part of the line that adds delay: a VPN, a full queue, a detour."},
    FindingWords{FindingCode::media_dscp_cleared, "Voice priority marks are changed",
                 "The mark (DSCP) that gives voice priority is removed or changed in transit.",
                 "The far end reports the mark with which the packets arrived.",
                 "Configure your own switches, Wi-Fi and router to preserve DSCP marks."},
    FindingWords{FindingCode::media_dscp_dropped, "Packets marked for voice are dropped",
                 "Phones and applications that mark their packets for voice priority (DSCP) hear "
                 "nothing.",
                 "A test stream whose packets carry the mark gets no answer; the same packets "
                 "without it do.",
                 "Let packets marked EF pass, or clear the mark before they are dropped."},
    FindingWords{FindingCode::media_jitter, "Packets arrive unevenly", "Calls are choppy.",
                 "A call-like test stream, measured in each direction.",
                 "Find where packets arrive late (test again on a cable, and on an idle line), "
                 "then give voice priority there."},
    FindingWords{FindingCode::media_loss, "Packets are lost", "Calls are choppy or robotic.",
                 "A call-like test stream, measured in each direction, or a browser's call.",
                 "Find where packets are lost: on the Wi-Fi, in a full queue or at the provider."},
    FindingWords{FindingCode::media_mos, "Calls sound poor",
                 "Loss, jitter and delay together make calls sound poor.",
                 "A call-like test stream, rated by the ITU-T G.107 score.",
                 "Find where loss and delay arise (test again on a cable, and on an idle line), "
                 "then give voice priority there."},
    FindingWords{
        FindingCode::media_one_way, "Media passes one way only",
        "Calls connect, but one side hears nothing.",
        "Packets get out but replies do not arrive, or media is dropped while STUN and DTLS pass.",
        "Let replies to the service's UDP packets in, with a stateful rule."},
    FindingWords{FindingCode::media_outage, "Calls fall silent for a while",
                 "A stream stopped midway and then resumed, or only a new stream works.",
                 "A call-like test stream, measured second by second.",
                 "Look in the device's log for what cut the line or the flow at that time."},
    FindingWords{
        FindingCode::media_relay_only, "Calls use a relay over TCP or TLS",
        "Calls work, but sound and picture stutter when packets are lost.",
        "Direct UDP and relays over UDP fail, but relays over TCP or TLS work.",
        "Allow UDP to the service's media servers: calls over a TCP or TLS relay stutter."},
    FindingWords{FindingCode::nat_carrier_grade, "The provider uses NAT",
                 "Several customers share a public address; calls between sites may need relays.",
                 "The router's own outside address is not public: it is in 100.64.0.0/10, or "
                 "servers on the Internet see a different one.",
                 "Ask the provider for a public address."},
    FindingWords{FindingCode::nat_double, "Two routers do NAT",
                 "Address translation happens twice inside the site.",
                 "The first router has a private address on its outside interface.",
                 "Let only one device do NAT: put the other one in bridge mode."},
    FindingWords{FindingCode::nat_own_address,
                 "A server of this site is addressed by its public address",
                 "A server of this site is not reached from inside, and may work from outside.",
                 "The server's address is the one that this site has on the Internet.",
                 "Use the server's inside address, or turn on NAT loopback on the router."},
    FindingWords{FindingCode::nat_rebound, "The NAT changes a call's port midway",
                 "Calls fall silent, because packets suddenly come from another port.",
                 "The far end saw the same stream arrive from a different address or port.",
                 "Keep each flow on the same line and port for as long as it carries packets."},
    FindingWords{FindingCode::nat_symmetric, "The NAT is symmetric",
                 "Direct calls fail and fall back to relays.",
                 "Servers at several addresses see different public ports for one local port.",
                 "Make the NAT keep a client's port for all destinations."},
    FindingWords{FindingCode::network_captive_portal, "The network requires a sign-in",
                 "This network requires you to sign in before anything else works.",
                 "Pages over plain HTTP were replaced by, or redirected to, another page; hosts of "
                 "several operators may show the same certificate.",
                 "Sign in at the network's portal. Have the network team exempt phones and room "
                 "devices, which cannot sign in."},
    FindingWords{
        FindingCode::network_dead_path, "One of several lines or links is dead",
        "Some new connections get through and others do not, so calls and sign-ins fail at random.",
        "To the same port of the same host, some connections or requests are answered, and others "
        "are not, however often they are sent again.",
        "Find the line or link that does not work, and switch it off until it is repaired."},
    FindingWords{FindingCode::network_http_redirected, "Plain HTTP is answered by a device",
                 "Whatever asks over TCP 80, such as a check of certificates, gets somebody else's "
                 "page.",
                 "Known pages of several operators were redirected to the same place.",
                 "Find out who runs the page, and have the service's hosts exempted."},
    FindingWords{FindingCode::network_interrupted, "The connection was interrupted",
                 "This computer was off its network for a moment: calls drop or fall silent.",
                 "A simulated call ended because this computer had no route any more.",
                 "Look for what interrupts the connection: roaming Wi-Fi, a loose cable, a VPN."},
    FindingWords{
        FindingCode::network_ipv6_broken, "IPv6 does not work",
        "Programs lose time or fail, because the network announces IPv6 that leads nowhere.",
        "Connections over IPv6 fail to hosts that answer over IPv4.",
        "Repair the site's IPv6, or stop announcing it."},
    FindingWords{
        FindingCode::network_ipv6_vendor_dead, "IPv6 to one service does not work",
        "Programs lose time with each connection to it, while everything else is as fast as usual.",
        "Connections to its hosts fail over IPv6 but not over IPv4, and IPv6 to other hosts works.",
        "Have the IPv6 route to the service repaired, or its IPv6 addresses taken out of DNS."},
    FindingWords{
        FindingCode::network_loss, "Packets are lost on the line",
        "Many requests were answered only after they were sent again.",
        "Servers of several operators, which usually answer at once, are affected; or one of them, "
        "asked 40 times, does not answer every time.",
        "Try again over a cable. Look for packet loss and for a limit on new connections."},
    FindingWords{FindingCode::network_mtu, "Large packets are lost",
                 "Sign-in pages hang and video stutters.",
                 "Small packets get through, but large ones do not.",
                 "Let ICMP \"fragmentation needed\" and \"packet too big\" through, and limit the "
                 "size of TCP segments (MSS clamping)."},
    FindingWords{
        FindingCode::network_no_gateway, "This computer has no route out",
        "This computer has no address or no default gateway, or its gateway does not answer.",
        "The operating system's own addresses and routes.",
        "Repair DHCP or the router: this computer has no route out."},
    FindingWords{FindingCode::network_offline, "No Internet access",
                 "The computer is not connected, the line is down, or nothing outside answers.",
                 "The network adapter or the router reports it, or no server answers.",
                 "Connect this computer, or repair the line: nothing gets out."},
    FindingWords{FindingCode::network_split_paths, "TCP and UDP take different routes out",
                 "Web pages and media come from different public addresses. By itself this breaks "
                 "nothing; services may choose a distant region, or refuse the second address.",
                 "One server, asked several times over both, sees a different address over TCP "
                 "than over UDP, and other servers confirm it.",
                 "Find out what sends TCP by a different route: a proxy or security service, a "
                 "tunnel, or a second line."},
    FindingWords{FindingCode::network_unexplained, "Cause unknown",
                 "Something required cannot be reached, and no rule explains it.",
                 "Only the failed tests show it, and they do not prove a fault at this site.",
                 "Read the report: it says which flows are blocked and what to ask."},
    FindingWords{
        FindingCode::network_vpn_full_tunnel, "The VPN carries the calls",
        "Calls take a detour through a VPN, which adds delay and the rules of the VPN's firewall.",
        "The routes to the service's hosts and to everything else lead into the tunnel.",
        "Take the service's networks out of the VPN (split tunnel)."},
    FindingWords{FindingCode::proxy_auth_required, "The proxy requires a login",
                 "Calling applications, phones and room devices often cannot log in to a proxy.",
                 "The proxy's own answer (407).",
                 "Let the service's hosts through the proxy without a login, or give the client a "
                 "login."},
    FindingWords{FindingCode::proxy_connect_denied, "The proxy denies connections",
                 "The proxy can be reached but does not connect to the service's hosts.",
                 "The proxy's own answers to CONNECT, or a page that it sends in place of TLS.",
                 "Allow CONNECT to the service's ports on the proxy."},
    FindingWords{FindingCode::proxy_no_websocket, "The proxy blocks WebSocket",
                 "Messages and call signalling over WebSocket fail through the proxy.",
                 "The WebSocket upgrade fails through the proxy, but works without the proxy or "
                 "through it to other hosts.",
                 "Let WebSocket upgrades through the proxy."},
    FindingWords{FindingCode::proxy_pac_failed, "The PAC file cannot be used",
                 "Programs cannot learn which proxy to use.",
                 "The file could not be fetched, read or run.",
                 "Repair the PAC file, or its address in the settings."},
    FindingWords{FindingCode::proxy_required, "The Internet can be reached only through the proxy",
                 "Direct connections fail; only the proxy works.",
                 "Direct connections to several operators all failed, but connections through the "
                 "proxy succeeded.",
                 "Set the proxy on the clients, and allow direct access for what a proxy cannot "
                 "carry, such as media."},
    FindingWords{FindingCode::proxy_unreachable, "The proxy does not answer",
                 "The configured proxy cannot be reached.", "No connection to it succeeded.",
                 "Get the proxy running again, or remove it from the settings."},
    FindingWords{FindingCode::proxy_upstream_failed, "The proxy does not carry connections",
                 "The proxy answers, but connections through it lead nowhere.",
                 "It leaves requests unanswered, reports that it does not get through (502, 503, "
                 "504), or ends connections that it has agreed to.",
                 "Look in the proxy's log for what it waits for or what stops it."},
    FindingWords{FindingCode::sip_alg, "A SIP ALG rewrites messages",
                 "A router or firewall changes SIP messages, which causes one-way audio, missed "
                 "calls or failed registrations.",
                 "A message came back altered, or the server saw addresses that were not sent.",
                 "Turn off the SIP ALG on the router or firewall."},
    FindingWords{
        FindingCode::sip_fragments_lost, "Long SIP messages over UDP get lost",
        "Calls that offer many codecs get no answer over UDP, although phones register. Messages "
        "that are too long for one packet travel as IP fragments, and these are dropped.",
        "Requests of 2,600 and 1,600 bytes over UDP get no answer, three times each; a "
        "short one does, and the long one over TCP or TLS. Full-size packets get through.",
        "Allow IP fragments of UDP through the firewall, or use SIP over TCP or TLS."},
    FindingWords{FindingCode::sip_server_error, "The SIP server answers with an error",
                 "The path is open, but the server rejects requests.",
                 "The server's own SIP status.",
                 "Report the error to the operator of the SIP server."},
    FindingWords{FindingCode::target_absent, "A server is not where it should be",
                 "One of your own servers is not there, or does not run.",
                 "The address is in this computer's own network, and nothing answers there, or "
                 "nothing listens on the port.",
                 "Check the address and the port that were given, and whether the server runs."},
    FindingWords{FindingCode::target_outdated, "A host name no longer exists",
                 "The vendor's list names a host that no longer exists anywhere in DNS.",
                 "Public DNS servers say that the name does not exist; or the key of callready "
                 "serve differs from the one in the set.",
                 "Get a newer target set (callready update, or what callready serve prints now), "
                 "or ask the vendor what replaced the name."},
    FindingWords{FindingCode::time_skewed, "The clock is wrong",
                 "Certificates seem expired or not yet valid; sign-in fails.",
                 "The clock differs from the dates that several web servers or time servers send.",
                 "Set this computer's clock, and turn on automatic time."},
    FindingWords{FindingCode::tls_expired, "A certificate has expired",
                 "The server's certificate is expired or not yet valid.",
                 "The certificate's dates show it, and this computer's clock is right.",
                 "Tell the operator of the server that its certificate has expired."},
    FindingWords{FindingCode::tls_incomplete_chain, "An intermediate certificate is missing",
                 "Phones and applications refuse the connection; browsers may accept it.",
                 "The chain that the server sent does not reach a public root.",
                 "Ask the operator of the server to send the complete certificate chain."},
    FindingWords{
        FindingCode::tls_intercepted, "TLS is inspected",
        "A device opens encrypted connections and presents its own certificates.",
        "Unrelated hosts present certificates from one issuer that is not a public authority.",
        "Exempt the service's names from TLS inspection."},
    FindingWords{
        FindingCode::tls_long_hello_cut, "Long TLS greetings are cut off",
        "Browsers show an empty page or a connection error, while older programs connect.",
        "A TLS greeting (ClientHello) as long as those of today's browsers gets no answer twice, "
        "while a short one does. Small packets make no difference, so the MTU is not the cause.",
        "Update the device that inspects TLS so that it accepts a ClientHello of more than one "
        "packet, or exempt the service's names from inspection."},
    FindingWords{FindingCode::tls_outdated, "TLS is outdated",
                 "The server supports only TLS versions older than 1.2.", "The TLS handshake.",
                 "Ask the operator of the server to support TLS 1.2 or newer."},
    FindingWords{FindingCode::tls_untrusted, "The certificate's issuer is unknown",
                 "This computer does not trust the issuer of a certificate.",
                 "The chain ends in an authority that is not public, or this computer's list of "
                 "authorities is old.",
                 "Find out who issued the certificate. If that is a public authority, update this "
                 "computer's list of authorities."},
    FindingWords{FindingCode::tls_wrong_name, "The certificate is for another name",
                 "The server presents a certificate for a different name.",
                 "The names in the certificate.",
                 "Tell the operator of the server that its certificate is for another name."},
    FindingWords{FindingCode::turn_auth_failed, "TURN rejects the credentials",
                 "The TURN server does not accept the given user name and password.",
                 "The server's own answer (401, 403 or 441).",
                 "Correct the credentials for the relays."},
    FindingWords{
        FindingCode::turn_quota, "TURN grants no more relays",
        "The account's relays are all in use (486), or the server has no capacity left (508).",
        "The server's own answer (486 or 508).",
        "Ask the provider of the relays for more allocations."},
    FindingWords{FindingCode::turn_relay_dead, "TURN relays carry no traffic",
                 "The server grants relays that carry nothing, or does not relay UDP.",
                 "Packets sent through a relay and back.",
                 "Tell the operator of the relays that they carry no traffic."},
    FindingWords{FindingCode::turn_relay_dies, "Relays stop carrying data",
                 "Calls connect, and then fall silent after a few packets or seconds.",
                 "A relay that carried data stops carrying it, or a relay over one transport "
                 "carries nothing while the same server's relays over other transports do.",
                 "Exempt the relays from inspection and from limits on connections; or, if the "
                 "report names the vendor, ask the relays' operator why they stop."},
    FindingWords{FindingCode::turn_relay_private, "Relays have a private address",
                 "Calls over the server's relays stay silent.",
                 "The server names a private address for its relay, although it is reached at a "
                 "public one.",
                 "Have the server's operator set its public address (coturn: external-ip)."},
    FindingWords{FindingCode::vendor_down, "The service does not answer properly",
                 "The vendor's servers refuse connections or report an error.",
                 "Refusals from beyond this site, or server errors over connections with valid "
                 "certificates.",
                 "Check the vendor's status page, then report it to the vendor: there is nothing "
                 "to change at this site."},
};
static_assert(std::ranges::is_sorted(all_words, {}, &FindingWords::code));
static_assert(all_words.size() == static_cast<std::size_t>(FindingCode::vendor_down));

std::string who_acts(FindingCode code) {
  std::string teams;
  for (const auto owner : owners_of(code)) {
    const auto words = team(owner);
    if (teams.find(words) != teams.npos) continue;  // the provider's words include the LAN's
    teams += (teams.empty() ? "" : "; ") + words;
  }
  return teams.find(';') == teams.npos ? teams : teams + " (the report says which)";
}

}  // namespace

std::span<const FindingWords> finding_words() { return all_words; }

std::string_view fix_in_short(FindingCode code) {
  const auto found = std::ranges::lower_bound(all_words, code, {}, &FindingWords::code);
  return found != all_words.end() && found->code == code
             ? found->fix
             : "Read the report: it says what to change.";
}

std::string explanation_of(FindingCode code, const RenderOptions& options) {
  const auto entry = std::ranges::lower_bound(all_words, code, {}, &FindingWords::code);
  Page page(options);
  page.paragraph(fmt::format("{}: {}", to_string(code), entry->title), Style::bold);
  constexpr int label = 8;
  page.labelled("Meaning", entry->meaning, 0, label);
  page.labelled("Known by", entry->known_by, 0, label);
  page.labelled("For", who_acts(code), 0, label);
  page.labelled("Fix", entry->fix, 0, label);
  return page.take();
}

std::string findings_page() {
  std::string page =
      "# What the findings mean\n\n"
      "Each finding in a report has a code. This page says what it means, how callready knows,\n"
      "who acts and what to do. The report itself names the hosts and ports. \"certain\" means\n"
      "that callready expects to be right at least 99 times in 100, \"likely\" at least 95 times;\n"
      "\"possible, not proven\" means that other causes could also explain what was seen.\n\n"
      "`callready manual --findings` prints this page, and `callready explain CODE` a part of "
      "it.\n";
  for (const auto& entry : all_words) {
    page += fmt::format(
        "\n## {}\n\n**{}.** {}\n\n- How it is known: {}\n- Who acts: {}\n- What to do: {}\n",
        to_string(entry.code), entry.title, entry.meaning, entry.known_by, who_acts(entry.code),
        entry.fix);
  }
  return page.append(not_decided);
}

}  // namespace callready
