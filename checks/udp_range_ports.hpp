// The sampled ports of a udp-range probe, what became of each, and which to try next.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "checks/check.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks::udp_range {

// What a port's result says; udp_range.cpp lists the results there are.
bool gets_out(DetailCode result);
bool is_blocked(DetailCode result);

struct Port {
  std::uint16_t number = 0;
  std::optional<UdpSocket> socket;  // none: a relay's port
  DetailCode result = DetailCode::silent;
  std::optional<IpAddress> by;  // who sent the ICMP error
  bool no_way = false;          // it said "unreachable", not "prohibited": it knows no way there
  Instant sent;
  std::optional<Milliseconds> round_trip;
  bool tried = false;    // something was sent to it
  bool climbed = false;  // the same by the search for a router outside
  bool waited = false;   // the whole way: its packet left, and a reply had its full time
  bool refined = false;  // tried to find the bounds of a block: no part of the sample
  std::vector<std::vector<std::uint8_t>> asked;  // of an echo with a key: what was sent to it
  // A relay's port, or one of which a far end of ours told: whether our packet was heard there, and
  // whether its packet came back.
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
  // Of an echo that answers its own only (media/echo.hpp); empty: it answers everybody.
  std::vector<std::uint8_t> key;
  std::uint32_t source = 0;  // of what it counts of ours (RTP's SSRC)
  // "Port unreachable" in the target's name came from within the site: its word proves nothing.
  bool refused_near = false;
  // Others' packets to these ports were seen to pass: what the routers were not asked is no loss.
  bool covered = false;
  std::optional<Failure> not_sent;  // of this machine: why a port was not sent to
  std::deque<Port> ports;           // coroutines hold on to their port while others are added
  std::size_t first = 0;  // of `ports`: who climbs first; several hosts prove several ports
};

// What is known of the ports: true, it gets out; false, it is blocked. Silent ones are left out.
std::map<std::uint16_t, bool> known_ports(const std::deque<Port>& ports);

// A run of ports that are blocked, as far as they were sampled.
struct Block {
  std::uint16_t first = 0, last = 0;
  std::optional<std::uint16_t> open_before, open_after;  // the nearest that get out
};
std::vector<Block> blocks_of(const std::map<std::uint16_t, bool>& known);

// The ports between a blocked and an open neighbour that halve what is not known of the bound.
// Bounds within which a port was `tried` without success are as well known as they can be.
std::vector<std::uint16_t> next_bounds(const std::map<std::uint16_t, bool>& known,
                                       const std::set<std::uint16_t>& tried);

// The middles between neighbours: a sample twice as dense.
std::vector<std::uint16_t> midpoints(const std::vector<std::uint16_t>& sample);

// The most ports in a row of which none was proved to get out.
unsigned longest_gap(const std::map<std::uint16_t, bool>& known, const PortRange& whole);

// Opens sockets for these ports; a failure of this machine.
Result<void> add_ports(Range& range, const std::vector<std::uint16_t>& numbers, bool refined);

// Both steps of the ladder for the ports that were added; ends at about `until`.
asio::awaitable<void> climb_all(std::shared_ptr<Range> range, Instant until);
// The same for a few more, from position `from` on, where the first have found something.
asio::awaitable<void> climb_more(std::shared_ptr<Range> range, std::size_t from, Instant until);

// With an echo at the far end silence says something: once others have answered, a port that is
// still silent lost its packets. What `refused_near` takes back becomes silent. Call it last.
void judge_silence(Range& range);

// Evidence "udp_port" of each, "udp_block" of each block, "udp_sample"; outcome and detail.
void conclude(Observation& observation, const Range& range);

}  // namespace callready::checks::udp_range
