#include "tests/networks/relations.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callready::networks {
namespace {

// Whether `set` left open what `other` says. A degraded set with an undecided capability may turn
// out to be blocked, and says so.
bool leaves_open(const SetResult& set, const SetResult& other) {
  const bool may_be_blocked =
      set.verdict == Verdict::degraded &&
      std::ranges::count(set.capabilities, Verdict::unknown, &CapabilityResult::verdict) > 0;
  return set.verdict == Verdict::unknown || (other.verdict == Verdict::blocked && may_be_blocked);
}

// What the other run's verdict may be, compared with this one's.
enum class May { be_the_same, be_worse, be_worse_and_decided };

// Rules that sites have, each of which takes something from every service.
Box rule_more(std::uint64_t chance) {
  static const std::vector<Match> kinds = {{Proto::udp, {3478, 3478}, {}},
                                           {Proto::udp, {10'000, 65'535}, {}},
                                           {Proto::tcp, {5061, 5061}, {}},
                                           {Proto::udp, {1, 65'535}, {}},
                                           {Proto::tcp, {1024, 65'535}, {}}};
  Box box;
  box.matches = {kinds[chance % kinds.size()]};
  return box;
}

}  // namespace

Relations compare_runs(const networks::Network& network, const Report& report) {
  Relations found;
  if (network.loses_packets() || std::ranges::any_of(network.boxes, goes_by_flows, &Box::kind)) {
    return found;
  }
  const auto with = [&](const std::string& relation, May may, auto change) {
    auto other = network;
    change(other);
    const auto made = run(other);
    for (const auto& set : report.sets) {
      const auto* there = find_by_id(made.sets, set.id);
      if (there == nullptr) continue;
      ++found.sets;
      if (there->verdict == set.verdict) continue;
      const auto said = fmt::format("{}: {}, then {}", relation, to_string(set.verdict),
                                    to_string(there->verdict));
      const bool gains = leaves_open(set, *there);
      if (gains || leaves_open(*there, set)) {
        const bool may_gain = may == May::be_worse_and_decided && gains;
        if (may != May::be_worse && !may_gain) found.undecided.push_back(said);
      } else if (may == May::be_the_same || badness(there->verdict) < badness(set.verdict)) {
        found.broken.push_back({said, other});
      }
    }
  };
  with("again", May::be_the_same, [](auto& other) { other.icmp.left = 0; });
  with("cisco", May::be_the_same, [](auto& other) { other.icmp = {1, 1, 500}; });
  with("patient", May::be_the_same, [](auto& other) {
    for (auto& hop : other.hops) hop.limited = false;
  });
  with("union", May::be_the_same, [](auto& other) {
    for (const auto* more : {"rainbow", "cloudoe"}) {
      if (other.sets.size() > 1) break;
      if (other.sets.front() != more) other.sets.emplace_back(more);
    }
  });
  if (network.sets.size() > 1) {
    with("order", May::be_the_same, [](auto& other) { std::ranges::reverse(other.sets); });
  }
  const double most = contains(network.sets, "teams") ? 45 : 95;  // not across what is allowed
  with("delay", May::be_the_same, [&](auto& other) {
    other.delay_ms = other.delay_ms > most ? 1.3 * other.delay_ms : 45 - other.delay_ms / 2;
  });
  with("more", May::be_worse_and_decided, [](auto& other) { other.all = true; });
  with("worse", May::be_worse, [](auto& other) { other.boxes.push_back(rule_more(other.chance)); });
  return found;
}

}  // namespace callready::networks
