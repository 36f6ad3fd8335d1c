// Every timeout of the program, each with its reason. A test checks that they nest: a step ends
// before the check that it is part of, and a check before the run.
#pragma once

#include <array>
#include <chrono>

namespace callready::timeouts {

using std::chrono::milliseconds;

// The whole run. A helpdesk call is waiting; what has not answered by then is reported as such.
inline constexpr milliseconds run{20'000};

// After a stop (Ctrl-C, run deadline): time to give back TURN allocations and write the report.
// People press Ctrl-C twice after a second.
inline constexpr milliseconds farewell{600};

// Of that, what giving back may take: two transmissions over UDP on a 200 ms path. The rest writes
// the report.
inline constexpr milliseconds give_back{500};

// UDP requests go out at these times after the first (a compressed RFC 8489 section 6.2.1: an RTO
// of 250 ms covers a 200 ms path, doubling covers one lost burst) ...
inline constexpr std::array<milliseconds, 4> udp_sends{milliseconds{0}, milliseconds{250},
                                                       milliseconds{750}, milliseconds{1'500}};
// ... and this long after the first the server counts as silent: one second after the last.
inline constexpr milliseconds udp_reply{2'500};

// TCP connect: the kernel sends SYN at 0, 1 and 3 s; the third still gets half a second.
inline constexpr milliseconds tcp_connect{3'500};

// TLS handshake after TCP: two or three round trips and the server's signature; 200 ms paths and a
// lost packet fit.
inline constexpr milliseconds tls_handshake{3'000};

// A reply over a connection that stands (SIP, STUN or HTTP over TCP and TLS): one round trip, one
// retransmission, and a slow server.
inline constexpr milliseconds stream_reply{2'500};

// Where something else than STUN answers: for the rest of its first line, to name it. It is one
// packet most often.
inline constexpr milliseconds stranger_line{300};

// An ICMP error from a router on the way: routers answer slowly from their control processors, but
// those near a site's edge are near; twice a slow access line.
inline constexpr milliseconds icmp_reply{500};
// Linux routers answer one ICMP error a second after a burst of six (icmp_ratelimit): a little
// more.
inline constexpr milliseconds icmp_refill{1'100};
// Questions to the first router outside that come within this time go out together: long enough
// for probes that start together, too short to notice.
inline constexpr milliseconds icmp_gather{2};
// How long a normal run goes on asking for proof that a media range is open; --thorough takes all
// the run has.
inline constexpr milliseconds udp_range{3'000};
// How long the second round asks one question of the first router outside: its two waves, and two
// waits for a router that has run out of answers.
inline constexpr milliseconds hop{4'000};
// An echo at the far end, asked at the first three of udp_sends.
inline constexpr milliseconds echo{1'500};
// Between two ports of one host in a thorough run: some 11 in 10 s are no scan to any firewall.
inline constexpr milliseconds port_gap{900};
// Between two waves of relays of one host, for the same reason.
inline constexpr milliseconds relay_wave{5'000};
// A datagram through a TURN relay, one way, sent at the first three of udp_sends: the relay has
// just answered, so it is near and awake.
inline constexpr milliseconds relay_trip{1'500};

// A datagram that the NAT turns back, sent at the first two of udp_sends: the site's NAT is near,
// and where it turns nothing back the whole run waits for this.
inline constexpr milliseconds hairpin{600};

// What a UDP binding is left idle for, in a thorough run, all at once from sockets of their own:
// RFC 4787 REQ-5 asks for 2 minutes at least and 5 by default, firewalls have 30 s to 3 minutes,
// and services send keep-alives every 15 to 30 s.
inline constexpr std::array<milliseconds, 8> binding_idle{
    milliseconds{10'000}, milliseconds{20'000}, milliseconds{30'000},  milliseconds{45'000},
    milliseconds{60'000}, milliseconds{90'000}, milliseconds{120'000}, milliseconds{180'000}};
// A whole thorough run: the longest of these, and what else it does in turn.
inline constexpr milliseconds thorough{240'000};

// Between two SIP requests to one server: those that come faster look like a scanner's to the
// servers that ban them.
inline constexpr milliseconds sip_gap{1'000};
// The reply to a SIP request that is sent only once (the four of the SIP ALG test): a slow server,
// and no retransmission to wait for.
inline constexpr milliseconds sip_single_reply{1'500};

// One DNS question to one server, sent once: resolvers that have to ask far away take a second.
inline constexpr milliseconds dns_try{1'500};
// One question with all its tries over all servers.
inline constexpr milliseconds dns_total{4'000};

// A proxy's answer to CONNECT: it resolves and connects by itself before it answers.
inline constexpr milliseconds proxy_connect{5'000};
// The same with a login: refusals come at once, so this is one such wait and some round trips.
inline constexpr milliseconds proxy_total{8'000};

// The longest a single check may take by its own steps: DNS, connect, handshake, reply.
inline constexpr milliseconds check = dns_total + tcp_connect + tls_handshake + stream_reply;

}  // namespace callready::timeouts
