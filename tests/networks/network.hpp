// A network as plain data: the computer, the routers outwards, the boxes on them that filter,
// translate, limit or answer in another's name, and what is wrong at the far end. It knows nothing
// of checks, rules or findings: traffic.hpp says what becomes of a packet, sockets.hpp and
// observe.hpp what a check sees of that, truth.hpp what works.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/util/text.hpp"

namespace callready::networks {

enum class Proto { any, udp, tcp };
// What a packet carries, as an inspecting device sees it.
enum class Payload { none, rtp, stun, turn, sip, tls, http, dns, ntp, other };

// What a box does to a packet that it does not let pass.
enum class Action {
  drop,
  prohibit,  // ICMP "administratively prohibited" in its own name
  refuse,    // a TCP reset in the destination's name; to UDP, "port unreachable" in its own
  forge,     // the same, and to UDP in the destination's name
};

struct Match {
  Proto proto = Proto::any;
  PortRange ports{1, 65535};
  std::vector<std::string> hosts;  // names, addresses, networks; empty: any
  friend bool operator==(const Match&, const Match&) = default;
};

enum class BoxKind {
  rule,          // acts on what matches, or with `except` on everything else; outbound
  replies,       // drops UDP replies from what matches: it keeps no state
  nat,           // translates; `mapping` and `filtering` in RFC 4787's sense
  rate,          // no more than `limit` new flows a second get through
  ban,           // after `limit` hosts within 10 s nothing gets through any more
  protocol,      // acts on packets with that payload, or all others, on the ports of `matches`
  names,         // acts on TLS greetings that name one of the hosts of `matches`
  redirect_dns,  // answers all queries to port 53 itself, as the site's resolver does
  intercept,     // opens TLS on the ports of `matches` with a certificate of its own
  accept,        // accepts every matching TCP connection itself, and carries it on if it can
  portal,        // answers plain HTTP itself; `action` applies to everything else but DNS
  sip_alg,       // rewrites SIP over UDP 5060
  mtu,           // drops packets of more than `limit` bytes, without a word
  branch,        // drops every other flow of what matches: one of two paths is dead
  first,         // drops the first packet of each flow of what matches, while it learns the way
};

// Whether it may let one flow pass and not the next one like it.
inline bool goes_by_flows(BoxKind kind) {
  return kind == BoxKind::rate || kind == BoxKind::ban || kind == BoxKind::branch ||
         kind == BoxKind::first;
}

enum class Behaviour { independent, address, address_and_port };  // of a NAT

struct Box {
  BoxKind kind = BoxKind::rule;
  int hop = 1;          // the router that it is on, or in front of
  bool bridge = false;  // in front of that router: it acts before a packet's TTL ends there
  bool except = false;
  Action action = Action::drop;
  std::vector<Match> matches;
  std::vector<Match> spares;  // lets these through all the same; only in twins (twin.hpp)
  Payload payload = Payload::none;
  int limit = 0;
  Behaviour mapping = Behaviour::independent, filtering = Behaviour::address_and_port;
  IpAddress outside;  // of a NAT
  friend bool operator==(const Box&, const Box&) = default;
};

// How many ICMP errors a limited router sends: `burst` at once, then one every `every_ms`. Linux's
// limit by default (icmp_ratelimit); Cisco's is one every 500 ms.
struct IcmpLimit {
  double left = 6;  // when a run begins
  double burst = 6, every_ms = 1000;
  friend bool operator==(const IcmpLimit&, const IcmpLimit&) = default;
};

struct Hop {
  IpAddress address;
  bool speaks = true;   // says "time exceeded"
  bool limited = true;  // no more often than IcmpLimit says
  bool inside = false;  // belongs to the site
  friend bool operator==(const Hop&, const Hop&) = default;
};

enum class FarFault {
  down,     // nothing of the host answers
  refuses,  // it is up, and nobody listens
  error,    // its web server says 503
  expired,  // certificate
  untrusted,
  wrong_name,
  gone,  // the name no longer exists
};

// The way to that host branches off after some routers, and those after that do not speak.
struct MuteWay {
  std::string host;
  int from = 1;  // the first hop that does not speak
  friend bool operator==(const MuteWay&, const MuteWay&) = default;
};

struct Far {
  std::string host;
  FarFault fault = FarFault::down;
  friend bool operator==(const Far&, const Far&) = default;
};

// The site's own resolver.
enum class Dns { works, dead, refused, servfail, no_such_name, sinkhole };
enum class Ipv6 { none, works, broken };

struct ProxyBox {
  bool given = false;  // the user names it
  bool up = true;
  bool login = false;                        // it wants one, and none is given
  std::vector<PortRange> ports{{443, 443}};  // that it connects to
  friend bool operator==(const ProxyBox&, const ProxyBox&) = default;
};

// Not to be confused with callready::Network, which is a CIDR prefix.
struct Network {
  // What the run checks.
  std::vector<std::string> sets;
  bool anchors = true, variables = false, credentials = false;
  bool all = false;  // every host of a row, not a sample
  // The site and the line.
  IpAddress pc;
  std::vector<Hop> hops;  // outwards from the computer; then each destination's own last router
  int line = 1;           // loss and delay are on the link into the hop after this one
  double delay_ms = 5;    // one way
  double loss_out = 0, loss_in = 0;  // 0 to 1
  bool mute_far = false;             // routers of the destinations' networks do not speak
  std::vector<MuteWay> mute_ways;
  Dns dns = Dns::works;
  std::vector<std::string> dns_names;  // those that `dns` applies to; empty: all
  double dns_ms = 3;
  bool resolver_outside = false;  // asked through the firewall: port 53 must get out
  Ipv6 ipv6 = Ipv6::none;
  ProxyBox proxy;
  // What is on the way, in any order, and at the far end.
  std::vector<Box> boxes;
  std::vector<Far> far;
  bool media_answers = false;  // media hosts say "port unreachable"
  bool sip_ignores_strangers = false;
  std::uint64_t chance = 1;  // of losses
  IcmpLimit icmp;
  friend bool operator==(const Network&, const Network&) = default;

  bool loses_packets() const { return loss_out > 0 || loss_in > 0; }
  // How the resolver treats that name.
  Dns dns_for(const std::string& name) const {
    return dns_names.empty() || contains(dns_names, name) ? dns : Dns::works;
  }
  int routers_inside() const {
    return static_cast<int>(std::ranges::count(hops, true, &Hop::inside));
  }
  const Box* find(BoxKind kind) const {
    const auto found = std::ranges::find(boxes, kind, &Box::kind);
    return found == boxes.end() ? nullptr : &*found;
  }
};

}  // namespace callready::networks
