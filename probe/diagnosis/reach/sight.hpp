// All that a run saw, ready to reason about: hosts as numbers, flows as packets.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "probe/model/flow_event.hpp"
#include "probe/model/probe.hpp"

namespace callready::reach {

using HostId = std::uint32_t;
using Hosts = std::vector<HostId>;  // ascending, each once

inline bool holds(const Hosts& hosts, HostId host) {
  return std::binary_search(hosts.begin(), hosts.end(), host);
}

// The packet itself got there.
constexpr bool is_good(Seen seen) {
  using enum Seen;
  constexpr std::array good{reply, arrived, sample, talk, open, expired, mute, cut, foreign};
  return std::ranges::find(good, seen) != good.end();
}

// It did not, or its answer did not come back. (`taken` is neither.)
constexpr bool is_bad(Seen seen) { return !is_good(seen) && seen != Seen::taken; }

// The far end answered: it did not only pass a router on the way.
inline bool is_heard(const FlowEvent& event) {
  const bool answered = event.seen != Seen::sample || event.answered > 0;
  return is_good(event.seen) && event.seen != Seen::expired && answered;
}

// It was answered only when it was sent again.
inline bool answered_late(const FlowEvent& event) {
  const auto seen = event.seen;
  return event.sent > 1 && (seen == Seen::reply || seen == Seen::talk || seen == Seen::open);
}

// How many flows began in the second that ends with this packet, itself included, and how many of
// them got through at the first try. By default: a packet that is yet to be sent, in any crowd.
struct Crowd {
  int began = std::numeric_limits<int>::max();
  int passed = std::numeric_limits<int>::max() / 2;
  friend auto operator<=>(const Crowd&, const Crowd&) = default;
};

// A packet as a box sees it. Over TCP with cargo it is the connection and what it carries.
struct Packet {
  bool udp = false;
  Cargo cargo = Cargo::none;
  bool ends_early = false;  // by its TTL, at the last router that is known to speak
  // The same, and as far out as the vendors' packets were seen: no allow list stops it. If it died:
  // behind a router where others' packets were seen; if it was turned away: by a device that may be
  // farther out than these.
  bool ends_far = false;
  // It ended where a device that turned others away, or dropped them, may not have looked at it
  // yet: at that device, which may count a packet's hops first, or before it.
  bool ends_at_device = false;
  bool ends_before_device = false;  // certainly before the device has looked at it
  bool turned_near = false;         // turned away by a device that other packets were seen beyond
  bool asked = false;               // a row asks for that host and port
  std::uint16_t port = 0;
  HostId host = 0;
  HostId name = 0;           // in a TLS greeting; otherwise as `host`
  double at_ms = 0;          // since the run began; infinity: from now on
  Crowd crowd, whole_crowd;  // of its own protocol, and of both
  // When its whole answer had arrived; infinity: it did not arrive, or nobody knows.
  double answered_ms = std::numeric_limits<double>::infinity();
  friend auto operator<=>(const Packet&, const Packet&) = default;
};

using EventIds = std::vector<std::uint32_t>;  // places in Sight's packets, ascending

struct Sight {
  FlowEvents events;
  std::vector<std::string> hosts;      // names, ascending: a HostId is a place in it
  std::vector<std::uint32_t> domains;  // of each host: equal for those with one owner
  std::vector<Packet> packets;         // of each flow event
  std::vector<HostId> sign_hosts;      // of each sign
  Hosts resolvers;                     // the site's own
  // What rows ask for, by host, over UDP (true) or TCP.
  std::map<std::pair<bool, HostId>, std::vector<PortRange>> asked;

  // Packets with their events: some, or all.
  template <typename Events>
  auto seen_packets(const Events& some) const {
    return some | std::views::transform([this](std::size_t event) {
             return std::tie(packets[event], events.flows[event]);
           });
  }
  auto seen_packets() const {
    return seen_packets(std::views::iota(std::size_t{0}, packets.size()));
  }
  std::size_t size() const { return packets.size() + sign_hosts.size(); }
  HostId host_id(std::string_view host) const;  // of a host that is known
  // For a flow that may not be in the events, but is in `others`: see look().
  Packet packet_of(const PacketFlow& flow) const;
};

// `others`: flows that are not events, and that will be asked about. `resolvers`: the site's own.
// `asked`: the targets of rows.
Sight look(FlowEvents events, const std::vector<PacketFlow>& others,
           const std::vector<std::string>& resolvers, const std::vector<const Target*>& asked = {});

// How many packets of another kind passed over UDP, on the way or all of it, to a port of a host
// where media died on the way.
std::size_t passed_beside_media(const Sight& sight);

}  // namespace callready::reach
