#include "tests/networks/relations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace callready::networks {
namespace {

bool up_to_chance(const networks::Network& network) {
  return network.loss_out > 0 || network.loss_in > 0 ||
         std::any_of(network.boxes.begin(), network.boxes.end(), [](const Box& box) {
           return box.kind == BoxKind::rate || box.kind == BoxKind::ban;
         });
}

std::optional<Verdict> verdict_of(const Report& report, const std::string& set) {
  for (const auto& one : report.sets) {
    if (one.id == set) return one.verdict;
  }
  return std::nullopt;
}

// The worse, the higher.
int severity(Verdict verdict) {
  return verdict == Verdict::ready ? 0 : verdict == Verdict::degraded ? 1 : 2;
}

class SideBySide {
 public:
  SideBySide(const networks::Network& network, const Report& report)
      : network_(network), report_(report) {}

  // `only_better`: a worse verdict is what is to be expected there.
  void with(const std::string& relation, const networks::Network& other, bool only_better = false) {
    const auto made = run(other, scene_of(other));
    for (const auto& set : report_.sets) {
      const auto there = verdict_of(made, set.id);
      if (!there) continue;
      ++found_.sets;
      if (*there == set.verdict) continue;
      const auto said =
          fmt::format("{}: {}, then {}", relation, to_string(set.verdict), to_string(*there));
      if (set.verdict == Verdict::unknown || *there == Verdict::unknown) {
        if (!only_better) found_.undecided.push_back(said);
      } else if (!only_better || severity(*there) < severity(set.verdict)) {
        found_.broken.push_back(said);
      }
    }
  }

  networks::Network changed() const { return network_; }
  Relations take() { return std::move(found_); }

 private:
  const networks::Network& network_;
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

Relations hold_side_by_side(const networks::Network& network, const Report& report) {
  if (up_to_chance(network)) return {};
  SideBySide sides(network, report);
  auto spent = sides.changed();
  spent.answers = 0;
  sides.with("again", spent);

  auto wider = sides.changed();
  for (const auto* other : {"rainbow", "cloudoe"}) {
    if (wider.sets.size() > 1) break;
    if (wider.sets.front() != other) wider.sets.emplace_back(other);
  }
  sides.with("union", wider);
  if (network.sets.size() > 1) {
    auto reversed = sides.changed();
    std::reverse(reversed.sets.begin(), reversed.sets.end());
    sides.with("order", reversed);
  }
  auto farther = sides.changed();
  farther.delay_ms = network.delay_ms < 60 ? 120 : 5;
  sides.with("delay", farther);

  auto worse = sides.changed();
  worse.boxes.push_back(rule_more(network.chance));
  sides.with("worse", worse, true);
  return sides.take();
}

}  // namespace callready::networks
