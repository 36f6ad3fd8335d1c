// How rare boxes are, in bits. A matter of judgement that hardly matters: with all of them moved at
// random by up to two bits, nearly all cases stay the same. A box's prior is a sum of these.
#pragma once

#include "probe/diagnosis/reach/bits.hpp"

namespace callready::reach::prior {

inline constexpr Bits rule = bits(8);
inline constexpr Bits all_udp = bits(1), everything = bits(2), all_tcp = bits(3);
// Sites with a proxy usually let no other TCP out.
inline constexpr Bits beside_proxy = bits(-6);
inline constexpr Bits web_only = bits(2), web_only_tcp = bits(7);
inline constexpr Bits but_list = bits(4), listed_port = bits(1);
inline constexpr Bits dns_port = bits(2), own_dns = bits(4);
inline constexpr Bits port = bits(3), more_port = bits(2);
// A rule may well name a service's port, but any other number only by accident. Without this, lists
// of sampled media ports beat the range that they were sampled from.
inline constexpr Bits odd_port = bits(8);
inline constexpr Bits known_range = bits(3), named_range = bits(4), range = bits(5),
                      open_range = bits(5), hidden_range = bits(6);
inline constexpr Bits host = bits(4), more_host = bits(1.5), domain = bits(4),
                      part_of_domain = bits(6);
// One more host, unrelated to the others.
inline constexpr Bits more_owner = bits(5);
inline constexpr Bits other_hosts = bits(3);  // all but the vendors'
inline constexpr Bits with_ports = bits(1);   // the same, by host and port
inline constexpr Bits short_list = bits(8);   // the same, and some of the vendors' as well
// Unrelated hosts on one port: a rule would name the port.
inline constexpr Bits more_endpoint = bits(3);
inline constexpr Bits flow = bits(7);  // host and port
inline constexpr Bits one_protocol = bits(2);
inline constexpr Bits says_no = bits(1), beyond = bits(2);
// On top of `beyond`, for all UDP or all but the web: firewalls that let packets out let the
// replies in, and a list of allowed destinations further out is at least as common.
inline constexpr Bits whole_beyond = bits(3);
inline constexpr Bits own_resolver_only = bits(7);
inline constexpr Bits no_way_out = bits(6);  // where nothing answers
inline constexpr Bits inspect = bits(9), any_port = bits(2.5), names_of_domain = bits(2),
                      one_name = bits(2);
// Filters for STUN catch TURN, too; one for TURN alone is rare.
inline constexpr Bits turn_alone = bits(4);
// So is one that reads only what goes to some hosts: a rule would name their ports.
inline constexpr Bits inspect_some = bits(5);
// SIP on its usual port: routers in homes and small offices do this, wanted or not.
inline constexpr Bits swallows_sip = bits(10.5);
inline constexpr Bits both_transports = bits(3);
inline constexpr Bits unmeasured_mtu = bits(10);
inline constexpr Bits accept = bits(10), answers_itself = bits(8);
inline constexpr Bits far_end = bits(10), far_domain = bits(14), public_anchor = bits(2);
inline constexpr Bits far_port = bits(3), far_refuses = bits(-2);
// Servers of one owner are set up alike: where one does not listen, none of them does.
inline constexpr Bits far_siblings = bits(1), more_far_port = bits(1);
inline constexpr Bits resolver = bits(7), some_names = bits(3);
inline constexpr Bits neighbour = bits(6);
inline constexpr Bits reticent = bits(5);
inline constexpr Bits limit = bits(13), ban = bits(13);
inline constexpr Bits dead_path = bits(13);
// So strict a limit would explain nearly any silence.
inline constexpr Bits strict_limit = bits(4);
// If nothing was answered on a later try, when a limit would let some through.
inline constexpr Bits none_late = bits(2);

}  // namespace callready::reach::prior
