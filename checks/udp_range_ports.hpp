// The sampled ports of a udp-range probe, what became of each, and which to try next.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "checks/check.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks::udp_range {

// What a port's result means; udp_range.cpp lists all results.
bool is_blocked(DetailCode result);

struct Port {
  std::uint16_t number = 0;
  std::optional<UdpSocket> socket;  // none: a relay's port
  DetailCode result = DetailCode::silent;
  std::optional<IpAddress> by;      // who sent the ICMP error
  std::optional<IpAddress> before;  // if `dropped`: the router that controls reached
  bool no_way = false;    // it said "unreachable", not "prohibited": it has no route there
  Instant sent;           // the first time
  bool repeated = false;  // an echo was asked again
  std::optional<Milliseconds> round_trip;
  bool tried = false;    // something was sent to it
  bool climbed = false;  // the search for a router outside sent to it
  bool waited = false;   // its packet to the far end left, and a reply had its full time
  bool refined = false;  // tried to find the bounds of a block: not part of the sample
  std::vector<std::vector<std::uint8_t>> asked;  // what was sent to an echo with a key
  // For a relay's port, or one that a far end of ours reported on: whether our packet was heard
  // there, and whether its packet came back.
  std::optional<bool> outbound, inbound;
};

// The sockets of one probe and what came back to them. Listeners share it.
struct Range {
  Range(Context& run, const Job& job)
      : context(run),
        target(job.address.value_or(IpAddress{})),
        whole(job.probe.target.ports),
        row(whole) {}
  Context& context;
  IpAddress target;
  PortRange whole;
  // Where one of these ports passes, to any host, the others need not be asked about. None where
  // a port among them is known to be closed.
  std::optional<PortRange> row;
  bool to_the_end = true;  // false: only packets that end on the way
  bool echo = false;       // the far end sends everything back
  // Of an echo that answers only those who have it (media/echo.hpp); empty: it answers everybody.
  std::vector<std::uint8_t> key;
  std::uint32_t source = 0;  // by which it counts our packets (RTP's SSRC)
  // "Port unreachable" in the target's name came from within the site: such answers prove nothing.
  bool refused_near = false;
  // Others' packets to these ports were seen to pass: no need to ask the routers about the rest.
  bool covered = false;
  std::optional<Failure> not_sent;  // why this machine did not send to a port
  std::deque<Port> ports;           // coroutines hold on to their port while others are added
  std::size_t first = 0;            // index of the port that climbs first; it differs between hosts
};

// What is known of the ports: true, it gets out; false, it is blocked. Silent ones are left out.
std::map<std::uint16_t, bool> known_ports(const std::deque<Port>& ports);

// A run of ports that are blocked, as far as they were sampled.
struct Block {
  std::uint16_t first = 0, last = 0;
  std::optional<std::uint16_t> open_before, open_after;  // the nearest that get out
};
std::vector<Block> blocks_of(const std::map<std::uint16_t, bool>& known);

// The midpoints between blocked and open neighbours, which narrow down the bounds. A gap in which a
// port was `tried` without success cannot be narrowed further.
std::vector<std::uint16_t> next_bounds(const std::map<std::uint16_t, bool>& known,
                                       const std::set<std::uint16_t>& tried);

// The middles between neighbours: a sample twice as dense.
std::vector<std::uint16_t> midpoints(const std::vector<std::uint16_t>& sample);

// The most ports in a row of which none was proved to get out.
unsigned longest_gap(const std::map<std::uint16_t, bool>& known, const PortRange& whole);

// Opens sockets for these ports; any failure is this machine's.
Result<void> add_ports(Range& range, const std::vector<std::uint16_t>& numbers, bool refined);

// Both steps of the ladder for the ports that were added; ends at about `until`.
asio::awaitable<void> climb_all(std::shared_ptr<Range> range, Instant until);
// The same for a few ports that were added later, from position `from` on.
asio::awaitable<void> climb_more(std::shared_ptr<Range> range, std::size_t from, Instant until);

// With an echo at the far end silence is evidence: once others have answered, a port that is still
// silent lost its packets. Refusals that `refused_near` discredits become silent. Call it last.
void judge_silence(Range& range);

// Evidence "udp_port" of each, "udp_block" of each block, "udp_sample"; outcome and detail.
void conclude(Observation& observation, const Range& range);

}  // namespace callready::checks::udp_range
