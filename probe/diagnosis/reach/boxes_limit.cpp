// Devices that let only some packets pass, or all of them only for some time.
#include <cmath>
#include <set>

#include "probe/diagnosis/reach/boxes.hpp"

namespace callready::reach {
namespace {

// With fewer failures, a limit cannot be told from anything else.
constexpr std::size_t fewest_failures = 4;
constexpr std::size_t most_moments = 12;
// In any one second: it may overlap two of the device's own seconds, which some devices begin with
// a burst; and a few pass by chance.
constexpr int most_per_limit = 3, chance_passes = 2;
// A ban lets this computer out at first.
constexpr int fewest_before = 2;

// The lowest limit that would have let this packet through. A limit drops nothing until that many
// have passed; and what goes the whole way is sent again a second later, when fewer compete.
int lowest_limit_that_spares(Protocol protocol, const Packet& packet) {
  const auto& [began, passed] = crowd_of(packet, protocol);
  return std::min(passed + 1, packet.ends_early ? began : began - passed);
}

// How many flows got through at the first try in the best second. Not counting packets that end on
// the way, since nobody knows exactly when they were sent.
int most_in_a_second(const Clues& clues, Protocol protocol) {
  constexpr double second_ms = 1000;
  std::vector<double> times;
  for (const auto& [packet, event] : clues.sight.seen_packets(clues.events)) {
    const bool counts = matches(protocol, packet.udp) && packet.at_ms > 0 && !packet.ends_early &&
                        packet.cargo != Cargo::inside && event.seen != Seen::sample &&
                        !holds(clues.sight.resolvers, packet.host);
    if (counts && is_good(event.seen) && !answered_late(event)) times.push_back(packet.at_ms);
  }
  std::ranges::sort(times);
  std::ptrdiff_t most = 0;
  for (auto first = times.begin(), last = first; last != times.end(); ++last) {
    while (*last - *first >= second_ms) ++first;
    most = std::max(most, last - first + 1);
  }
  return static_cast<int>(most);
}

}  // namespace

const Crowd& crowd_of(const Packet& packet, Protocol protocol) {
  return protocol == Protocol::any ? packet.whole_crowd : packet.crowd;
}

Fate fate_by_limit(const Box& box, const Packet& packet) {
  return box.per_second < lowest_limit_that_spares(box.protocol, packet) ? box.fate : Fate::pass;
}

void propose_limits(const Clues& clues, Boxes& boxes) {
  const bool any_late = std::ranges::any_of(clues.events, [&](auto number) {
    const auto& event = clues.sight.events.flows[number];
    return answered_late(event) || (event.seen == Seen::sample && event.answered < event.sent);
  });
  for (const auto protocol : {Protocol::any, Protocol::udp, Protocol::tcp}) {
    const int most_passed = most_in_a_second(clues, protocol);
    std::vector<int> limits;  // of each lost packet: the highest that can have dropped it
    for (const auto& [packet, event] : clues.sight.seen_packets(clues.bad)) {
      const int limit = lowest_limit_that_spares(protocol, packet) - 1;
      const bool counts =
          matches(protocol, packet.udp) && !holds(clues.sight.resolvers, packet.host);
      if (counts && limit > 0) limits.push_back(limit);
    }
    if (limits.size() < fewest_failures) continue;
    std::ranges::sort(limits);
    // Limits that explain all of them, all but a few, and most of them.
    const auto size = limits.size();
    for (const auto limit : std::set{limits[0], limits[size / 8], limits[size / 3]}) {
      if (most_passed > most_per_limit * limit + chance_passes) continue;
      for (const auto fate : {Fate::maybe, Fate::rarely}) {
        Box box{.kind = Kind::limit, .code = FindingCode::firewall_new_flows_limited, .fate = fate};
        box.protocol = protocol;
        box.per_second = limit;
        box.prior = prior::limit + (fate == Fate::rarely ? prior::strict_limit : 0) +
                    (any_late ? 0 : prior::none_late);
        box.spared_hosts = clues.sight.resolvers;  // nobody counts these on the way out
        boxes.push_back(box);
      }
    }
  }
}

Fate fate_by_ban(const Box& box, const Packet& packet) {
  // The longest that an exchange can take which had begun before.
  constexpr double begun_before_ms = 400;
  // Of packets sent at the same time, nobody knows which came first.
  if (std::round(packet.at_ms) == box.since_ms) return Fate::maybe;
  if (packet.at_ms >= box.since_ms) return box.fate;
  if (packet.answered_ms <= box.since_ms) return Fate::pass;
  return packet.at_ms >= box.since_ms - begun_before_ms ? Fate::severed : Fate::pass;
}

void propose_bans(const Clues& clues, Boxes& boxes) {
  if (clues.bad.size() < fewest_failures) return;
  // From each moment on: failures minus successes.
  std::vector<std::pair<double, int>> sent;
  for (const auto& [packet, event] : clues.sight.seen_packets(clues.events)) {
    const bool own = holds(clues.sight.resolvers, packet.host);
    if (packet.ends_early || own || event.seen == Seen::taken) continue;
    sent.emplace_back(std::round(packet.at_ms), is_good(event.seen) ? -1 : 1);
  }
  std::ranges::sort(sent);
  std::vector<std::pair<int, double>> moments;  // minus what a ban gains, and since when
  int gain = 0;
  auto good_before = std::ranges::count_if(sent, [](const auto& one) { return one.second < 0; });
  for (auto at = sent.rbegin(); at != sent.rend(); ++at) {
    gain += at->second;
    good_before -= at->second < 0;
    const bool first_of_its_moment =
        std::next(at) == sent.rend() || std::next(at)->first < at->first;
    if (first_of_its_moment && good_before >= fewest_before && gain > 0)
      moments.emplace_back(-gain, at->first);
  }
  std::ranges::sort(moments);
  if (moments.size() > most_moments) moments.resize(most_moments);
  for (const auto& [negative_gain, since] : moments) {
    Box box{.kind = Kind::ban,
            .code = FindingCode::firewall_rate_limited,
            .prior = prior::ban,
            .fate = Fate::drop};
    box.since_ms = since;
    box.spared_hosts = clues.sight.resolvers;  // they are asked for others, too
    boxes.push_back(box);
  }
}

}  // namespace callready::reach
