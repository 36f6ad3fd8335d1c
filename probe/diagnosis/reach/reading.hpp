// Internal to read.hpp: one probe on its way to events, and the functions that read one check each.
#pragma once

#include <map>

#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/reach/read.hpp"

namespace callready::reach {

using findings::all_evidence;

// What is usual on this line, in milliseconds.
struct Line {
  double start = 0;  // of the run, since the epoch
  // A round trip: over UDP, the lower quartile; if nobody answers over UDP, the shortest to a host
  // that answered over TCP.
  std::optional<double> usual;
  double by_tcp = 0;   // the lower quartile of round trips over TCP; 0: none
  double longest = 0;  // at least how long the slowest answers take
  int early = 0;       // requests that are repeated before their answer can be there
  std::map<std::string, double> shortest;  // the shortest round trip to each host that answered
};

Line line_of(const Report& report);
// Since the epoch.
double milliseconds(WallTime at);

// One probe on its way to events.
struct Reading {
  const ProbeResult& result;
  const Probe& probe;
  const Observation& seen;
  const Line& line;
  const Site& site;
  Milliseconds at;
};

PacketFlow flow_of(const Probe& probe, const Observation& seen, std::uint16_t port);

FlowEvent event_of(const Reading& reading, Seen seen);
// Since the first packet, about; nothing if `word` is not an answer.
std::optional<Milliseconds> time_of_answer(const Reading& reading, Seen word);
// About the probe's host, unless `about` names another.
void sign(const Reading& reading, FlowEvents& events, Sign sign, std::string about = {});

inline constexpr int lookup_tries = 3;
inline constexpr int most_sampled = 100;          // requests that are counted
inline constexpr Milliseconds resent_every{500};  // timeouts::flow_again
inline constexpr int most_after_ms = 60'000;      // until the lost ones are sent once more

// Reads probes of one check, or what those of several have in common.
using CheckReader = void(const Reading&, FlowEvents&);

// read_dns.cpp
CheckReader read_unresolved, read_dns;
void read_lookups(const Report& report, FlowEvents& events);
// read_way.cpp: packets that end on the way
CheckReader read_hop, read_range;
// read_contents.cpp: what a reply says about itself
CheckReader read_contents, read_ipv6;
// read_exchange.cpp: a request that goes the whole way, and its answer; and the result to judge by
// the outcome alone, over UDP or over a connection (nothing: it was not sent)
std::optional<Seen> seen_by_outcome(const Reading& reading, bool udp);
CheckReader read_exchange, read_stun, read_quic;

}  // namespace callready::reach
