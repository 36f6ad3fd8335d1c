#include "probe/diagnosis/reach/sight.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <tuple>

#include "probe/diagnosis/facts.hpp"

namespace callready::reach {
namespace {

const std::string& name_of(const PacketFlow& flow) {
  return flow.name.empty() ? flow.host : flow.name;
}

// The owner of an address is a guess: all in one IPv4 /16 are taken to have the same one.
std::string owner_of(const std::string& host) {
  const auto address = IpAddress::parse(host);
  if (!address) return findings::registrable_domain(host);
  return Network{*address, address->is_v4() ? 16 : 32}.masked().to_string();
}

// Which routers saw packets to which hosts.
class HowFar {
 public:
  explicit HowFar(const std::vector<FlowEvent>& events) {
    std::set<std::string_view> asked_for;  // hosts
    for (const auto& event : events) {
      if (!event.control) asked_for.insert(event.flow.host);
    }
    std::set<std::string_view> vendors, all;  // routers
    for (const auto& event : events) {
      vendors_arrive_ |= event.seen == Seen::arrived && asked_for.contains(event.flow.host);
      if (!seen_on_its_way(event)) continue;
      all.insert(event.router);
      if (asked_for.contains(event.flow.host)) {
        vendors_arrive_ |= at_the_door(event);
        vendors.insert(event.router);
      } else if (event.climbed) {
        climbed_.insert(event.router);
      } else {
        in_common_.insert(event.router);
      }
    }
    vendors_go_farther_ = std::ranges::any_of(vendors, [&](auto router) {
      return !in_common_.contains(router) && !climbed_.contains(router);
    });
    one_alone_speaks_ = all.size() == 1;  // an allow list may be on it
    find_deaths_behind(events);
  }

  // It died, and may have done so behind a router where others' packets ended.
  bool died_behind(const FlowEvent& event) const {
    return event.flow.udp && event.seen == Seen::dropped && dies_behind_.contains(event.flow.host);
  }

  bool as_far_as_the_vendors(const FlowEvent& event) const {
    if (!seen_on_its_way(event)) return false;
    if (at_the_door(event)) return true;
    return event.climbed && !one_alone_speaks_ && !vendors_arrive_ && !vendors_go_farther_ &&
           !in_common_.contains(event.router);
  }

 private:
  static bool seen_on_its_way(const FlowEvent& event) {
    return event.flow.udp && event.seen == Seen::expired && !event.router.empty();
  }
  // In the network of the host that it is for.
  static bool at_the_door(const FlowEvent& event) {
    const auto router = IpAddress::parse(event.router);
    const auto host = IpAddress::parse(event.flow.address);
    return router && host && findings::network_of(*router) == findings::network_of(*host);
  }

  void find_deaths_behind(const std::vector<FlowEvent>& events) {
    std::map<std::string_view, int> farthest;  // the highest TTL of packets seen, by host
    for (const auto& event : events) {
      if (!seen_on_its_way(event) || event.ttl == 0) continue;
      auto& ttl = farthest[event.flow.host];
      ttl = std::max(ttl, event.ttl);
    }
    std::set<std::pair<int, std::string_view>> nearest_first;
    for (const auto& [host, ttl] : farthest) nearest_first.emplace(ttl, host);
    for (const auto& event : events) {
      if (!event.flow.udp || event.seen != Seen::dropped || event.ttl == 0) continue;
      auto other = nearest_first.begin();
      if (other != nearest_first.end() && other->second == event.flow.host) ++other;
      const bool behind = other != nearest_first.end() && other->first < event.ttl;
      if (behind) dies_behind_.insert(event.flow.host);
    }
  }

  std::set<std::string_view> dies_behind_;          // hosts
  std::set<std::string_view> in_common_, climbed_;  // routers that saw packets to strangers
  bool vendors_arrive_ = false, vendors_go_farther_ = false, one_alone_speaks_ = false;
};

// Devices that turned packets away in their own names, and routers at which datagrams were last
// seen before they were dropped.
class Devices {
 public:
  explicit Devices(const FlowEvents& seen) : gateways_(seen.gateways) {
    const auto& events = seen.flows;
    find_where_drops_begin(events);
    for (const auto& event : events) {
      if (event.router.empty()) continue;
      if (event.seen == Seen::prohibited)
        all_.try_emplace(event.router, is_of_a_site(event.router) == true);
      if (event.router_ttl > 0) keep_least(ttls_, event.router, event.router_ttl);
    }
    find_nearest_seen(events);
    find_farthest(events);
    find_near(events);
  }

  // It was seen at a router that is not known to be farther out than the devices that turned others
  // to that host away, or is known to be nearer than one that turned any away, or turns packets
  // away itself, or is where a datagram was last seen that was dropped when it was sent farther.
  bool may_be_behind(const FlowEvent& event) const {
    if (event.seen != Seen::expired || event.router.empty()) return false;
    if (all_.contains(event.router)) return true;
    if (event.flow.udp && last_before_drops_.contains(event.router)) return true;
    if (event.ttl > 0 && farthest_ > event.ttl) return true;
    const auto devices = farthest_to_.find(event.flow.host);
    if (devices == farthest_to_.end()) return false;
    const auto& [inside, outside] = devices->second;
    // The site's own devices are nearer than any router outside it.
    return outside >= event.ttl || (inside >= event.ttl && is_of_a_site(event.router) != false);
  }

  // It was seen nearer than where packets to others ended at each of the devices, or where a
  // datagram was last seen that was dropped when it was sent farther.
  bool is_before(const FlowEvent& event) const {
    if (event.seen != Seen::expired) return false;
    const bool before_drops = event.flow.udp && last_before_drops_.contains(event.router);
    const bool at_device =
        event.flow.udp && nearest_seen_ != nowhere && all_.contains(event.router);
    return before_drops || at_device || (event.ttl > 0 && event.ttl < nearest_seen_);
  }

  // Turned away by a device that packets were seen beyond.
  bool is_near(const FlowEvent& event) const {
    return event.seen == Seen::prohibited && near_.contains(event.router);
  }

  // Turned away by a device with a public address (the provider's, or the site's own firewall)
  // where no packet was seen to end: it may be farther out than the routers where others were seen.
  bool may_be_beyond(const FlowEvent& event) const {
    if (!event.flow.udp || !event.ends_early || event.seen != Seen::prohibited) return false;
    return is_of_a_site(event.router) == false && !ttls_.contains(event.router);
  }

 private:
  // True for this computer's gateway, and for an address within a site or a home: no router of the
  // Internet answers from there. Nothing if it is not an address.
  std::optional<bool> is_of_a_site(const std::string& router) const {
    if (gateways_.contains(router)) return true;
    const auto address = IpAddress::parse(router);
    if (!address) return std::nullopt;
    return address->is_private() || address->is_link_local();
  }

  static constexpr int nowhere = -1, unknown = std::numeric_limits<int>::max();
  // The TTLs with which packets end at the farthest devices: at the site's own, and at others.
  struct Farthest {
    int inside = nowhere, outside = nowhere;
  };

  int ttl_of(std::string_view device) const { return found_in(ttls_, device, unknown); }

  // Where a climb was first turned away, the device may be one router nearer, and have kept silent
  // about the packet that ended there: unless another router spoke in that place.
  void find_nearest_seen(const std::vector<FlowEvent>& events) {
    std::map<std::string_view, int> seen;
    std::set<int> others;  // where packets ended at routers that turn nothing away
    for (const auto& event : events) {
      if (event.seen != Seen::expired || event.ttl == 0) continue;
      if (all_.contains(event.router)) {
        keep_least(seen, event.router, event.ttl);
      } else {
        others.insert(event.ttl);
      }
    }
    for (const auto& [device, ttl] : ttls_) {
      if (all_.contains(device) && others.contains(ttl - 1)) keep_least(seen, device, ttl);
    }
    if (seen.empty() || seen.size() < all_.size()) return;
    nearest_seen_ = std::ranges::min(seen | std::views::values);
  }

  void find_farthest(const std::vector<FlowEvent>& events) {
    for (const auto& event : events) {
      const auto device = all_.find(event.router);
      if (event.seen != Seen::prohibited || device == all_.end()) continue;
      const auto ttl = ttl_of(event.router);
      if (ttl != unknown) farthest_ = std::max(farthest_, ttl);
      auto& [inside, outside] = farthest_to_[event.flow.host];
      auto& farthest = device->second ? inside : outside;
      farthest = std::max(farthest, ttl);
    }
  }

  // Devices that packets were seen beyond. Not where a provider has private addresses behind public
  // ones.
  void find_near(const std::vector<FlowEvent>& events) {
    int farthest = 0, farthest_private = 0, nearest_public = unknown;
    bool any_outside = false;
    for (const auto& event : events) {
      if (event.seen != Seen::expired || event.router.empty()) continue;
      farthest = std::max(farthest, event.ttl);
      const auto of_a_site = is_of_a_site(event.router);
      any_outside |= of_a_site == false;
      if (!of_a_site || event.ttl == 0) continue;
      if (*of_a_site) {
        farthest_private = std::max(farthest_private, event.ttl);
      } else {
        nearest_public = std::min(nearest_public, event.ttl);
      }
    }
    if (farthest_private > nearest_public) return;
    for (const auto& [device, inside] : all_) {
      if (ttl_of(device) < farthest || (inside && any_outside)) near_.insert(device);
    }
  }

  // Only where none got any farther: routers that ration their answers look like a device, too.
  void find_where_drops_begin(const std::vector<FlowEvent>& events) {
    int farthest_ttl = 0;
    std::map<std::tuple<std::string_view, std::uint16_t, Cargo>, const FlowEvent*> farthest;
    const auto key = [](const PacketFlow& flow) {
      return std::tuple(std::string_view(flow.host), flow.port, flow.cargo);
    };
    for (const auto& event : events) {
      if (!event.flow.udp || event.flow.cargo == Cargo::dns) continue;
      if (is_heard(event)) return;
      if (event.seen != Seen::expired || event.ttl == 0) continue;
      farthest_ttl = std::max(farthest_ttl, event.ttl);
      auto& last = farthest[key(event.flow)];
      if (last == nullptr || last->ttl < event.ttl) last = &event;
    }
    for (const auto& event : events) {
      if (!event.flow.udp || event.seen != Seen::dropped) continue;
      const auto last = farthest.find(key(event.flow));
      if (last != farthest.end() && last->second->ttl == farthest_ttl && event.ttl > farthest_ttl)
        last_before_drops_.insert(last->second->router);
    }
  }

  const std::set<std::string>& gateways_;
  std::map<std::string_view, bool> all_;  // whether it is of a site
  std::set<std::string_view> near_, last_before_drops_;
  std::map<std::string_view, int> ttls_;              // the least with which a packet ended there
  int nearest_seen_ = nowhere;                        // of all, by the packets that ended there
  int farthest_ = nowhere;                            // of all devices whose TTL is known
  std::map<std::string_view, Farthest> farthest_to_;  // of those that turned packets to a host away
};

// When the flows began that a limit on new flows counts: each flow of a sample, none to the site's
// own resolvers, and no connection twice.
class Beginnings {
 public:
  explicit Beginnings(const Sight& sight) {
    for (const auto& [packet, event] : sight.seen_packets()) {
      if (!counts(packet) || holds(sight.resolvers, packet.host)) continue;
      auto& [began, passed] = packet.udp ? udp_ : tcp_;
      const bool each = event.seen == Seen::sample && !event.one_flow;
      began.emplace_back(packet.at_ms, each ? event.sent : 1);
      if (is_good(event.seen) && !answered_late(event))
        passed.emplace_back(packet.at_ms, each ? event.answered : 1);
    }
    for (auto* times : {&udp_.began, &udp_.passed, &tcp_.began, &tcp_.passed}) add_up(*times);
  }

  // Only those whose time is known. What a connection carries is not a new flow.
  static bool counts(const Packet& packet) {
    return packet.at_ms > 0 && packet.cargo != Cargo::inside;
  }

  Crowd crowd_at(bool udp, double at_ms) const {
    const auto& [began, passed] = udp ? udp_ : tcp_;
    return {in_the_second(began, at_ms), in_the_second(passed, at_ms)};
  }

 private:
  // Ascending; how many until then.
  using Times = std::vector<std::pair<double, std::int64_t>>;
  struct OfProtocol {
    Times began, passed;
  };
  static void add_up(Times& times) {
    std::ranges::sort(times);
    std::int64_t sum = 0;
    for (auto& [at_ms, count] : times) count = sum += count;
  }
  static std::int64_t until(const Times& times, double at_ms) {
    const auto next = std::ranges::upper_bound(times, at_ms, {}, &Times::value_type::first);
    return next == times.begin() ? 0 : std::prev(next)->second;
  }
  static int in_the_second(const Times& times, double at_ms) {
    constexpr double second_ms = 1000;
    constexpr std::int64_t most = 1'000'000;
    return static_cast<int>(std::min(until(times, at_ms) - until(times, at_ms - second_ms), most));
  }

  OfProtocol udp_, tcp_;
};

}  // namespace

HostId Sight::host_id(std::string_view host) const {
  const auto found = std::lower_bound(hosts.begin(), hosts.end(), host);
  return static_cast<HostId>(found - hosts.begin());
}

Packet Sight::packet_of(const PacketFlow& flow) const {
  Packet packet;
  packet.udp = flow.udp;
  packet.cargo = flow.cargo;
  packet.port = flow.port;
  packet.host = host_id(flow.host);
  packet.name = host_id(name_of(flow));
  const auto ports = asked.find({packet.udp, packet.host});
  packet.asked =
      ports != asked.end() && std::ranges::any_of(ports->second, [&](const PortRange& range) {
        return range.contains(packet.port);
      });
  packet.at_ms = std::numeric_limits<double>::infinity();
  return packet;
}

Sight look(FlowEvents events, const std::vector<PacketFlow>& others,
           const std::vector<std::string>& resolvers, const std::vector<const Target*>& asked) {
  Sight sight;
  sight.events = std::move(events);
  std::set<std::string> hosts(resolvers.begin(), resolvers.end());
  const auto know = [&](const PacketFlow& flow) {
    hosts.insert(flow.host);
    if (!flow.name.empty()) hosts.insert(flow.name);
  };
  for (const auto& event : sight.events.flows) know(event.flow);
  for (const auto& flow : others) know(flow);
  for (const auto* target : asked) hosts.insert(target->host);
  for (const auto& sign : sight.events.signs) hosts.insert(sign.host);
  sight.hosts.assign(hosts.begin(), hosts.end());
  std::map<std::string, std::string> names;  // of addresses that also have a name
  for (const auto& event : sight.events.flows) {
    const auto& [host, address] = std::tie(event.flow.host, event.flow.address);
    if (findings::is_name(host) && !address.empty()) keep_least(names, address, host);
  }
  std::map<std::string, std::uint32_t> domains;
  for (const auto& host : hosts) {
    const auto next = static_cast<std::uint32_t>(domains.size());
    const auto owner = owner_of(found_in(names, host, host));
    sight.domains.push_back(domains.try_emplace(owner, next).first->second);
  }
  for (const auto* target : asked) {
    const bool udp = target->transport == Transport::udp;
    sight.asked[{udp, sight.host_id(target->host)}].push_back(target->ports);
  }
  const HowFar how_far(sight.events.flows);
  const Devices devices(sight.events);
  for (const auto& event : sight.events.flows) {
    auto packet = sight.packet_of(event.flow);
    packet.ends_early = event.ends_early;
    packet.ends_far = how_far.as_far_as_the_vendors(event) || how_far.died_behind(event) ||
                      devices.may_be_beyond(event);
    packet.ends_at_device = devices.may_be_behind(event);
    packet.ends_before_device = devices.is_before(event);
    packet.turned_near = devices.is_near(event);
    packet.at_ms = event.at.count();
    if (event.took) packet.answered_ms = (event.at + *event.took).count();
    sight.packets.push_back(packet);
  }
  for (const auto& resolver : std::set(resolvers.begin(), resolvers.end())) {
    sight.resolvers.push_back(sight.host_id(resolver));
  }
  for (const auto& sign : sight.events.signs) sight.sign_hosts.push_back(sight.host_id(sign.host));
  const Beginnings beginnings(sight);
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    auto& packet = sight.packets[i];
    packet.crowd = packet.whole_crowd = {0, 0};
    if (!Beginnings::counts(packet) || sight.events.flows[i].one_flow) continue;
    const auto rest = beginnings.crowd_at(!packet.udp, packet.at_ms);
    packet.crowd = beginnings.crowd_at(packet.udp, packet.at_ms);
    packet.whole_crowd = {packet.crowd.began + rest.began, packet.crowd.passed + rest.passed};
  }
  return sight;
}

std::size_t passed_beside_media(const Sight& sight) {
  std::set<std::pair<HostId, std::uint16_t>> dead;
  for (const auto& [packet, event] : sight.seen_packets()) {
    const bool died = event.seen == Seen::dropped || event.seen == Seen::prohibited;
    if (packet.udp && packet.cargo == Cargo::rtp && died) dead.insert({packet.host, packet.port});
  }
  std::size_t passed = 0;
  for (const auto& [packet, event] : sight.seen_packets()) {
    const bool another = packet.udp && packet.cargo != Cargo::rtp;
    passed += another && is_good(event.seen) && dead.contains({packet.host, packet.port});
  }
  return passed;
}

}  // namespace callready::reach
