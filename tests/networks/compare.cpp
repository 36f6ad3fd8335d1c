#include "tests/networks/compare.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ctime>

#include "tests/worlds/print.hpp"
#include "tests/worlds/shadow.hpp"

namespace callready::networks {
namespace {

reach::RowReach reach_of(const Scene& scene) {
  reach::RowReach reach;
  for (const auto& set : scene.sets) {
    for (const auto& row : set.requirements) reach[set.id + '/' + row.id] = row.reach;
  }
  return reach;
}

bool nothing_is_wrong(const networks::Network& network) {
  const bool all_translate = std::all_of(network.boxes.begin(), network.boxes.end(),
                                         [](const Box& box) { return box.kind == BoxKind::nat; });
  return all_translate && network.far.empty() && network.dns == Dns::works &&
         network.ipv6 != Ipv6::broken && network.loss_out <= 0 && network.loss_in <= 0 &&
         !network.proxy.given;
}

bool add(std::uint64_t number, const networks::Network& network, const Scene& scene,
         const Report& report, Tally& tally) {
  const auto judgement = judge(network, scene, report);
  const bool fine = nothing_is_wrong(network);
  for (const auto& finding : report.findings) {
    if (finding.confidence == Confidence::possible) continue;
    const bool certain = finding.confidence == Confidence::certain;
    const bool wrong =
        std::any_of(judgement.violations.begin(), judgement.violations.end(), [&](const auto& one) {
          return one.kind[0] == '1' &&
                 one.kind.ends_with(fmt::format(": {}", to_string(finding.code)));
        });
    ++tally.said[certain];
    tally.wrong[certain] += wrong;
    tally.false_alarms += fine && wrong;
  }
  for (const auto& violation : judgement.violations) {
    auto& known = tally.violations[violation.kind];
    if (known.empty() || known.back() != number) known.push_back(number);
  }
  tally.capabilities += judgement.capabilities;
  tally.unknown += judgement.unknown;
  for (const auto& though : judgement.unknown_though) tally.unneeded += though != "it may work";
  tally.networks_right += judgement.violations.empty();
  return judgement.violations.empty();
}

std::string in_words(const char* who, const Tally& tally, int networks) {
  auto text = fmt::format(
      "{}: {} of {} networks without a violation; unknown: {} of {} capabilities, {} of these work "
      "or cannot work; false alarms: {}\n"
      "  calibration: likely {} wrong of {}, certain {} wrong of {}\n",
      who, tally.networks_right, networks, tally.unknown, tally.capabilities, tally.unneeded,
      tally.false_alarms, tally.wrong[0], tally.said[0], tally.wrong[1], tally.said[1]);
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> sorted(tally.violations.begin(),
                                                                         tally.violations.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
    return one.second.size() > other.second.size();
  });
  for (auto& [kind, numbers] : sorted) {
    const auto count = numbers.size();
    if (numbers.size() > 6) numbers.resize(6);
    text += fmt::format("  {:5}  {} ({})\n", count, kind, fmt::join(numbers, " "));
  }
  return text;
}

}  // namespace

void compare(std::uint64_t number, const networks::Network& network, Comparison& comparison) {
  // Worlds alone, in families that they do not decide, make rules of what dies with a dead way.
  const auto& boxes = network.boxes;
  if (std::any_of(boxes.begin(), boxes.end(),
                  [](const Box& box) { return box.kind == BoxKind::branch; })) {
    return;
  }
  const auto& scene = scene_of(network);
  const auto by_rules = run(network, scene);
  const auto start = std::clock();  // the processor's: the machine may be busy
  const auto by_worlds = reach::as_report(by_rules, reach::diagnose(by_rules, reach_of(scene)));
  const auto took_ms = 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  comparison.most_ms = std::max(comparison.most_ms, took_ms);
  comparison.sum_ms += took_ms;
  ++comparison.networks;
  const bool rules = add(number, network, scene, by_rules, comparison.rules);
  const bool worlds = add(number, network, scene, by_worlds, comparison.worlds);
  ++(rules    ? worlds ? comparison.both : comparison.rules_only
     : worlds ? comparison.worlds_only
              : comparison.neither);
  for (std::size_t i = 0; i < by_rules.sets.size(); ++i) {
    const auto first = by_rules.sets[i].verdict, second = by_worlds.sets[i].verdict;
    if (first == second) continue;
    ++comparison
          .pairs[fmt::format("{} by rules, {} by worlds", to_string(first), to_string(second))];
  }
}

void show_worlds(std::uint64_t number, const networks::Network& network) {
  const auto& scene = scene_of(network);
  const auto report = run(network, scene);
  reach::print_comparison(std::to_string(number), report, reach_of(scene), true);
  const auto by_worlds = reach::as_report(report, reach::diagnose(report, reach_of(scene)));
  for (const auto& violation : judge(network, scene, by_worlds).violations) {
    fmt::print("  violation: {}: {}\n", violation.kind, violation.what);
  }
}

bool is_level(const Comparison& comparison) {
  const auto& worlds = comparison.worlds;
  // One of a few is no 5 %.
  const bool calibrated = worlds.wrong[0] <= std::max(1, worlds.said[0] / 20) &&
                          worlds.wrong[1] <= std::max(1, worlds.said[1] / 100);
  const int good = comparison.both + comparison.worlds_only;
  return calibrated && worlds.false_alarms == 0 &&
         25 * (comparison.rules.networks_right - good) <= comparison.rules.networks_right;
}

std::string in_words(const Comparison& comparison) {
  auto text = fmt::format(
      "{} networks: both right {}, rules only {}, worlds only {}, neither {}; worlds took {:.1f} "
      "ms, at most {:.1f}\n",
      comparison.networks, comparison.both, comparison.rules_only, comparison.worlds_only,
      comparison.neither, comparison.sum_ms / std::max(1, comparison.networks), comparison.most_ms);
  text += in_words("rules", comparison.rules, comparison.networks);
  text += in_words("worlds", comparison.worlds, comparison.networks);
  for (const auto& [pair, count] : comparison.pairs)
    text += fmt::format("  {:5}  {}\n", count, pair);
  return text;
}

}  // namespace callready::networks
