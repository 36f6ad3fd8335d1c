#include "probe/net/timeouts.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace callready::timeouts {
namespace {

TEST(Timeouts, Nest) {
  EXPECT_EQ(udp_sends.front(), milliseconds(0));
  EXPECT_TRUE(std::is_sorted(udp_sends.begin(), udp_sends.end()));
  EXPECT_LT(udp_sends.back(), udp_reply);
  EXPECT_LT(udp_sends[2] + near_round_trip, udp_near_reply);
  EXPECT_LT(udp_near_reply, udp_reply);
  EXPECT_LT(udp_sends[1] + near_round_trip, quic_reply);
  EXPECT_LT(quic_reply, second_choice) << "nobody waits for it";
  EXPECT_LT(dns_plain + near_round_trip, udp_reply);
  EXPECT_LT(second_choice, udp_reply) << "what stands in does not wait for the end";
  EXPECT_LT(second_stream_choice, tcp_connect);
  EXPECT_LT(stand_in_room, udp_reply) << "else it would be the last thing of a silent run";
  EXPECT_LT(silent_host_connect, tcp_connect);
  EXPECT_EQ(silent_host_connect, milliseconds(1'000) + silent_host_margin)
      << "the second SYN (RFC 6298 section 2)";
  EXPECT_LT(udp_sends[2] + near_round_trip, silent_host_reply);
  EXPECT_LT(silent_host_reply, udp_reply);
  EXPECT_LE(second_choice, second_look);
  EXPECT_LT(second_look + std::max(tcp_connect, hop), milliseconds(6'000)) << "all blocked";
  EXPECT_LT(icmp_reply, udp_range_hurried);
  EXPECT_LT(udp_range_hurried, udp_range);
  EXPECT_LT(deallocate, cleanup);
  EXPECT_LT(ahead, udp_sends[2]) << "nobody waits for it";
  EXPECT_LT(udp_sends[1], deallocate) << "one lost packet must not leave an allocation behind";
  EXPECT_LT(udp_sends[2], relay_trip);
  EXPECT_LT(check + 3 * relay_trip, run) << "a TURN check: two directions and relay to relay";
  EXPECT_LT(4 * std::max(sip_gap, sip_single_reply), check) << "the SIP ALG test sends four";
  EXPECT_LT(dns_total + tcp_connect + ice_gather + ice_connect + dtls_handshake + call_media, run)
      << "a WebRTC call, the slowest at each step";
  EXPECT_LT(non_stun_line, stream_reply);
  EXPECT_LT(dns_try, dns_total);
  EXPECT_LT(udp_sends[1], hairpin);
  EXPECT_LT(icmp_reply, icmp_refill);
  EXPECT_LT(icmp_reply, edge_search);
  EXPECT_LT(icmp_reply, icmp_reply_unknown);
  EXPECT_LT(icmp_reply_unknown, icmp_reply_slow);
  EXPECT_LE(icmp_reply_unknown, edge_search) << "where all is silent both end together";
  EXPECT_LT(icmp_reply_slow + icmp_refill, hop) << "one wait also on a slow line";
  EXPECT_LT(edge_search + climb, udp_range) << "a question still fits";
  EXPECT_LT(icmp_reply_slow, edge_search_slow - icmp_reply) << "a name and a connect";
  EXPECT_LT(edge_search_slow + 2 * icmp_reply, udp_range) << "both questions fit";
  EXPECT_LT(edge_search + udp_range_hurried, udp_range) << "in a hurry is shorter";
  EXPECT_LT(2 * icmp_refill, udp_range) << "a silent port is asked for again at least once";
  EXPECT_LT(2 * (icmp_reply + icmp_refill), hop) << "both questions may have to wait once";
  EXPECT_LT(check + hop, run) << "a second round fits";
  EXPECT_LT(second_look + icmp_decides, run) << "what decides fits into a second round";
  EXPECT_GT(icmp_decides, udp_range + 6 * icmp_refill) << "six rows that ask one router";
  EXPECT_LT(udp_sends[2], echo);
  EXPECT_LT(dns_total + udp_range + range_bounds, run)
      << "a sample, and the bounds of what it has found";
  EXPECT_LT(dns_total + stream_reply + 3 * relay_trip + udp_range + range_bounds, run)
      << "relays before it";
  EXPECT_TRUE(std::is_sorted(binding_idle.begin(), binding_idle.end()));
  EXPECT_LT(binding_idle.back() + check, thorough);
  EXPECT_LT(check, run);
  EXPECT_LT(proxy_connect, proxy_total);
  EXPECT_LT(dns_total + proxy_total + tls_handshake + stream_reply, run);
  EXPECT_LT(usual_delay, beat);
  EXPECT_LT(beat, worth_adding) << "else nobody would have seen it";
  EXPECT_LT(worth_adding, udp_sends[1]);
  EXPECT_LT(cleanup, milliseconds(1'000)) << "a second Ctrl-C would come first";
}

}  // namespace
}  // namespace callready::timeouts
