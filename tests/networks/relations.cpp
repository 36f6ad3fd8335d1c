#include "tests/networks/relations.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callready::networks {
namespace {

bool up_to_chance(const networks::Network& network) {
  return network.loses_packets() || std::ranges::any_of(network.boxes, goes_by_flows, &Box::kind);
}

// What is degraded and has a capability that could not be decided may turn out to be blocked, and
// says so.
bool may_be_blocked(const SetResult& set) {
  return set.verdict == Verdict::degraded &&
         std::ranges::count(set.capabilities, Verdict::unknown, &CapabilityResult::verdict) > 0;
}

// The one left open what the other one says.
bool leaves_open(const SetResult& set, const SetResult& other) {
  return set.verdict == Verdict::unknown ||
         (other.verdict == Verdict::blocked && may_be_blocked(set));
}

// What the other run's verdict may be beside this one's.
enum class May { be_the_same, be_worse, be_worse_and_decided };

class Comparer {
 public:
  explicit Comparer(const Report& report) : report_(report) {}

  void with(const std::string& relation, const networks::Network& other,
            May may = May::be_the_same) {
    const auto made = run(other, scene_of(other));
    for (const auto& set : report_.sets) {
      const auto* there = find_by_id(made.sets, set.id);
      if (there == nullptr) continue;
      ++found_.sets;
      if (there->verdict == set.verdict) continue;
      const auto said = fmt::format("{}: {}, then {}", relation, to_string(set.verdict),
                                    to_string(there->verdict));
      const bool gains = leaves_open(set, *there);
      if (gains || leaves_open(*there, set)) {
        const bool may_gain = may == May::be_worse_and_decided && gains;
        if (may != May::be_worse && !may_gain) found_.undecided.push_back(said);
      } else if (may == May::be_the_same || badness(there->verdict) < badness(set.verdict)) {
        found_.broken.push_back({said, other});
      }
    }
  }

  Relations take() { return std::move(found_); }

 private:
  const Report& report_;
  Relations found_;
};

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
  if (up_to_chance(network)) return {};
  Comparer runs(report);
  auto spent = network;
  spent.icmp.left = 0;
  runs.with("again", spent);
  auto cisco = network;
  cisco.icmp = {1, 1, 500};
  runs.with("cisco", cisco);
  auto patient = network;
  for (auto& hop : patient.hops) hop.limited = false;
  runs.with("patient", patient);

  auto wider = network;
  for (const auto* other : {"rainbow", "cloudoe"}) {
    if (wider.sets.size() > 1) break;
    if (wider.sets.front() != other) wider.sets.emplace_back(other);
  }
  runs.with("union", wider);
  if (network.sets.size() > 1) {
    auto reversed = network;
    std::reverse(reversed.sets.begin(), reversed.sets.end());
    runs.with("order", reversed);
  }
  auto farther = network;
  farther.delay_ms = network.delay_ms < 60 ? 120 : 5;
  runs.with("delay", farther);

  auto more = network;
  more.all = true;
  runs.with("more", more, May::be_worse_and_decided);
  auto worse = network;
  worse.boxes.push_back(rule_more(network.chance));
  runs.with("worse", worse, May::be_worse);
  return runs.take();
}

}  // namespace callready::networks
