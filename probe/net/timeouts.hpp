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
inline constexpr milliseconds cleanup{600};

// The part of it that giving back may take: two transmissions over UDP on a 200 ms path. The rest
// writes the report.
inline constexpr milliseconds deallocate{500};

// How long the event loop may still take after its run's deadline and cleanup, and for the last
// handlers after that: all of them end at the stop. A loop that does not end is left as it is.
inline constexpr milliseconds drain{1'000};

// A run whose event loop has not come back by then is watched for this long, and then ended from
// outside: a computer that is just busy comes back sooner ...
inline constexpr milliseconds stuck{5'000};
// How often an interrupt is looked for: nobody notices.
inline constexpr milliseconds look_for_interrupt{50};
// ... and writing a report of what there is may then take this long, to a slow disk or a reader.
inline constexpr milliseconds last_report{15'000};
// Reading sets, and making a report of what was measured: seconds on the slowest computer. What
// takes longer never ends.
inline constexpr milliseconds reading{60'000}, rendering{60'000};

// With the pace lifted, how long the first few probes have for two answers before all others go:
// for a lookup and a connect, or for one of them on a path of 200 ms.
inline constexpr milliseconds ahead{250};

// UDP requests go out at these times after the first (a compressed RFC 8489 section 6.2.1: an RTO
// of 250 ms covers a 200 ms path, doubling covers one lost burst) ...
inline constexpr std::array<milliseconds, 4> udp_sends{milliseconds{0}, milliseconds{250},
                                                       milliseconds{750}, milliseconds{1'500}};
// ... and this long after the first the server counts as silent: one second after the last.
inline constexpr milliseconds udp_reply{2'500};
// The same for a server that has just answered within near_round_trip, asked at the first three of
// udp_sends: three lost packets in a row are rarer than a NAT that lets nothing in, which is what
// the wait is to show.
inline constexpr milliseconds udp_near_reply{1'250};
// What counts as near: the second transmission has not gone out yet when the first is answered.
inline constexpr milliseconds near_round_trip{250};

// A probe that stands in for another one (a server's alternate port) starts once that one has been
// silent for this long: four round trips of a 200 ms path ...
inline constexpr milliseconds second_choice{1'000};
// ... and over a connection, which takes four of them by itself.
inline constexpr milliseconds second_stream_choice{1'500};
// A stand-in or a question of the second round for which the pace has no room within this time is
// left out: a window of the pace takes longer than everything else in a run in which nobody
// answers.
inline constexpr milliseconds stand_in_room{1'500};

// A host that has answered nothing so far, on any port, is given up sooner: a connect after two
// SYNs (0 and 1 s) and half a second ...
inline constexpr milliseconds silent_host_connect{1'500};
// ... which is the most that a round trip may take there ...
inline constexpr milliseconds silent_host_margin{500};
// ... and a request over UDP (SIP, STUN, TURN, NTP) after the first three of udp_sends and half a
// second.
inline constexpr milliseconds silent_host_reply{1'250};

// What has not been answered this long after it was sent counts as in doubt: the second round's
// questions begin then, while the first still waits for some. Healthy paths answer within a second.
inline constexpr milliseconds second_look{1'500};

// Whether a server speaks QUIC, asked at the first two of udp_sends: most web servers do not and
// stay silent, and should not be waited for longer than for a page.
inline constexpr milliseconds quic_reply{750};

// TCP connect: the kernel sends SYN at 0, 1 and 3 s; the third still gets half a second.
inline constexpr milliseconds tcp_connect{3'500};

// Whether this computer itself holds back a SYN: that shows once it has sent a second one, after a
// second (RFC 6298 section 2.1).
inline constexpr milliseconds syn_again{1'300};

// TLS handshake after TCP: two or three round trips and the server's signature; 200 ms paths and a
// lost packet fit.
inline constexpr milliseconds tls_handshake{3'000};

// A reply over a connection that stands (SIP, STUN or HTTP over TCP and TLS): one round trip, one
// retransmission, and a slow server.
inline constexpr milliseconds stream_reply{2'500};

// Once a TURN server has asked for credentials over a connection: for what it says our address is.
// One that does not answer Binding requests there is not waited for longer.
inline constexpr milliseconds how_seen{500};

// Where something other than STUN answers: for the rest of its first line, to name it. It is
// usually one packet.
inline constexpr milliseconds non_stun_line{300};

// An ICMP error from a router on the way: routers answer slowly from their control processors, but
// those near a site's edge are near; twice a slow access line. This is the shortest wait; longer
// where round trips are known to be longer (RFC 6298) ...
inline constexpr milliseconds icmp_reply{500};
// ... a second where none is known yet (section 2.1 there) ...
inline constexpr milliseconds icmp_reply_unknown{1'000};
// ... and at most what two round trips over a satellite take.
inline constexpr milliseconds icmp_reply_slow{1'200};
// Linux routers answer one ICMP error a second after a burst of six (icmp_ratelimit): a little
// more.
inline constexpr milliseconds icmp_refill{1'100};
// Questions to the first router outside that come within this time go out together: long enough
// for probes that start together, too short to notice.
inline constexpr milliseconds icmp_gather{2};
// How soon two TCP listeners have to be reached for the ways to them to be compared: name, connect
// and one retransmission on a path of 200 ms. Without them no more can be said.
inline constexpr milliseconds edge_search = 2 * icmp_reply;
// The same for the first questions, if none has been reached by then: a name and a connect over a
// satellite take more than a second.
inline constexpr milliseconds edge_search_slow = 2 * edge_search;
// One climb over the routers on the way: each that answers lets the next ones be asked, on a near
// path within the first wait for those that do not. It ends by itself, usually much sooner.
inline constexpr milliseconds climb = 3 * icmp_reply_slow;
// How long a normal run goes on asking for proof that a media range is open: a router's first six
// answers and four more, for the ranges of three or four sets; --thorough takes all the run has.
inline constexpr milliseconds udp_range{5'000};
// And then, where a part of it is blocked, for the ports at which that begins and ends.
inline constexpr milliseconds range_bounds{3'000};
// The same with --pace fast, where hundreds of ranges ask at once: the router's first answers are
// all that most of them can hope for.
inline constexpr milliseconds udp_range_hurried{1'000};
// How long the second round asks one question of the first router outside: its two waves, and two
// waits for a router that has run out of answers.
inline constexpr milliseconds hop{4'000};
// How long a question that decides a row goes on being asked: a router that has given all its
// answers to other runs has a new one each second, and several rows may ask the same router.
inline constexpr milliseconds icmp_decides{12'000};
// An echo at the far end, asked at the first three of udp_sends.
inline constexpr milliseconds echo{1'500};
// Between two ports of one host in a thorough run: no firewall takes some 11 in 10 s for a scan.
inline constexpr milliseconds port_gap{900};
// Between two requests whose answers are counted: twenty take less than a second, the interval over
// which devices count new flows. And how long the last one's answer may take.
inline constexpr milliseconds flow_gap{40}, flow_reply{1'000};
// Between those of them that are sent once more: slow enough for any limit on new flows.
inline constexpr milliseconds flow_again{500};
// Between two waves of relays of one host, for the same reason.
inline constexpr milliseconds relay_wave{5'000};
// A datagram through a TURN relay, one way, sent at the first three of udp_sends: the relay has
// just answered, so it is near and awake.
inline constexpr milliseconds relay_trip{1'500};

// How long a relay is held in a run of --quality or --thorough: a device that cuts flows after a
// few packets or seconds has done so by then. Small packets at this gap ...
inline constexpr milliseconds relay_hold{20'000}, relay_beat{250};
// ... and it counts as cut once nothing came for this long: three in a row, each with a third of it
// for its way, and more than TCP takes to repair a loss.
inline constexpr milliseconds relay_quiet{3'000};

// A datagram that the NAT turns back, sent at the first two of udp_sends: the site's NAT is near,
// and where it turns nothing back the whole run waits for this.
inline constexpr milliseconds hairpin{600};

// How long UDP bindings are left idle in a thorough run, all at once from sockets of their own: RFC
// 4787 REQ-5 asks for 2 minutes at least and 5 by default, firewalls have 30 s to 3 minutes, and
// services send keep-alives every 15 to 30 s.
inline constexpr std::array<milliseconds, 8> binding_idle{
    milliseconds{10'000}, milliseconds{20'000}, milliseconds{30'000},  milliseconds{45'000},
    milliseconds{60'000}, milliseconds{90'000}, milliseconds{120'000}, milliseconds{180'000}};
// A whole thorough run: the longest of these, and what else it does in turn.
inline constexpr milliseconds thorough{240'000};

// Between two SIP requests to one server: those that come faster look like a scanner's to the
// servers that ban them.
inline constexpr milliseconds sip_gap{1'000};
// The reply to the last transmission of a SIP request of the SIP ALG test: a slow server.
inline constexpr milliseconds sip_single_reply{1'500};

// Between two packets before a stream like a call's, until the far end answers ...
inline constexpr milliseconds media_lead{250};
// A session that nobody answered begins once more without its mark, for that long.
inline constexpr milliseconds media_unmarked{1'000};
// ... how long packets go on after the measured ones, which tell whether the last of those were
// lost and which way; and how long after these an arrival still counts. Nobody hears what is later.
inline constexpr milliseconds media_tail{500};
// Between two questions to the first router during such a stream: echoes, which at a call's rate
// would be a load of their own, and packets that end there, for which routers send one ICMP error a
// second ...
inline constexpr milliseconds first_hop_echo{100}, first_hop_error{1'000};
// ... and how long after the last one an answer still counts.
inline constexpr milliseconds first_hop_reply{500};
// For finding out about a stream that fell silent: whether a new session is answered, and what the
// far end says over TLS.
inline constexpr milliseconds media_end{6'000};
// A far end of ours that has no room is asked again after this long, once.
inline constexpr milliseconds far_end_again{3'000};
// A whole stream like a call's, and the one of a thorough run.
inline constexpr milliseconds media{15'000}, media_thorough{60'000};
// One step of many calls at once: long enough for a full line's queue to grow by what a call minds.
inline constexpr milliseconds call_step{5'000};
// One that only feels its way to the number of calls that is wanted, twice as many each time: long
// enough for a line that is half too narrow to show it.
inline constexpr milliseconds call_feeler{2'000};
// Between two looks at whether the calls hurt others, how long each looks back for a queue, and for
// losses.
inline constexpr milliseconds call_look{20}, call_looked_at{100}, call_losses{200};

// A WebRTC call: how long a STUN and a TURN server may take to tell our addresses (libnice asks
// three times) ...
inline constexpr milliseconds ice_gather{2'500};
// ... ICE's connectivity checks over all pairs, a round trip and some repetitions for each ...
inline constexpr milliseconds ice_connect{4'000};
// ... the DTLS handshake, whose first flight is sent again after 100, 300, 700, 1,500 and 3,100 ms:
// if all six fail, it is not packet loss ...
inline constexpr milliseconds dtls_handshake{3'500};
// ... and half a second of media with its way there and back.
inline constexpr milliseconds call_media{1'500};
// Between two of the DTLS greetings that follow, each in two datagrams, which are counted and not
// answered.
inline constexpr milliseconds greeting_gap{50};
// With --quality the media takes this long: faults show that come after the first second, such as
// the loss of the consent checks that browsers make (RFC 7675). And how often those are sent.
inline constexpr milliseconds call_quality{10'000}, call_consent{500};

// One DNS question to one server, sent once: resolvers that have to ask far away take a second.
inline constexpr milliseconds dns_try{1'500};
// A question without EDNS goes out in addition to the one with it, once that has been silent for
// this long: some devices drop EDNS. Both end together (udp_reply).
inline constexpr milliseconds dns_plain{750};
// One question with all its tries over all servers.
inline constexpr milliseconds dns_total{4'000};

// A proxy's answer to CONNECT: it resolves and connects by itself before it answers.
inline constexpr milliseconds proxy_connect{5'000};
// The same with a login: refusals come at once, so this is one such wait and some round trips.
inline constexpr milliseconds proxy_total{8'000};

// The event loop's beat, by which it sees how late this computer itself is: short compared with
// what people notice, and hardly any work for a computer.
inline constexpr milliseconds beat{10};
// Even on an idle computer the system's timers are this late, which is not a stall.
inline constexpr milliseconds usual_delay{5};
// The time that this computer was late is added to a wait only from this much on: less makes no
// difference to anybody.
inline constexpr milliseconds worth_adding{50};

// The longest a single check may take by its own steps: DNS, connect, handshake, reply.
inline constexpr milliseconds check = dns_total + tcp_connect + tls_handshake + stream_reply;

}  // namespace callready::timeouts
