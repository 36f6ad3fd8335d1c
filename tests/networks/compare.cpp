#include "tests/networks/compare.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <ranges>

#include "tests/worlds/print.hpp"
#include "tests/worlds/shadow.hpp"

namespace callready::networks {
namespace {

reach::RowReach reach_of(const networks::Network& network) {
  reach::RowReach reach;
  for (const auto& set : scene_of(network).sets) {
    for (const auto& row : set.requirements) reach[set.id + '/' + row.id] = row.reach;
  }
  return reach;
}

bool nothing_is_wrong(const networks::Network& network) {
  const auto nats = std::ranges::count(network.boxes, BoxKind::nat, &Box::kind);
  return nats == std::ssize(network.boxes) && network.far.empty() && network.dns == Dns::works &&
         network.ipv6 != Ipv6::broken && !network.loses_packets() && !network.proxy.given;
}

bool add(std::uint64_t number, const networks::Network& network, const Report& report,
         Tally& tally) {
  const auto judgement = judge(network, report);
  const bool fine = nothing_is_wrong(network);
  for (const auto& finding : report.findings) {
    if (finding.confidence == Confidence::possible) continue;
    const bool certain = finding.confidence == Confidence::certain;
    const auto end = fmt::format(": {}", to_string(finding.code));
    const bool wrong = std::ranges::any_of(judgement.violations, [&](const Violation& one) {
      return one.kind[0] == '1' && one.kind.ends_with(end);
    });
    ++tally.said[certain];
    tally.wrong[certain] += wrong;
    tally.false_alarms += fine && wrong;
  }
  for (const auto& violation : judgement.violations) {
    note(number, tally.violations[violation.kind]);
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
  for (const auto& [kind, numbers] : most_frequent_first(tally.violations)) {
    text += fmt::format("  {:5}  {} ({})\n", numbers.size(), kind, first_of(numbers));
  }
  return text;
}

}  // namespace

void note(std::uint64_t number, Numbers& known) {
  if (known.empty() || known.back() != number) known.push_back(number);
}

std::vector<std::pair<std::string, Numbers>> most_frequent_first(const NumbersByKind& kinds) {
  std::vector<std::pair<std::string, Numbers>> sorted(kinds.begin(), kinds.end());
  std::ranges::stable_sort(sorted, std::greater(),
                           [](const auto& kind) { return kind.second.size(); });
  return sorted;
}

std::string first_of(const Numbers& numbers) {
  return fmt::format("{}", fmt::join(numbers | std::views::take(6), " "));
}

void compare(std::uint64_t number, const networks::Network& network, Comparison& comparison) {
  // In families that worlds do not decide, they mistake what a dead path loses for rules.
  if (network.find(BoxKind::branch) != nullptr) return;
  const auto by_rules = run(network);
  const auto start = std::clock();  // CPU time: the machine may be busy
  const auto by_worlds = reach::as_report(by_rules, reach::diagnose(by_rules, reach_of(network)));
  const auto took_ms = 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  comparison.most_ms = std::max(comparison.most_ms, took_ms);
  comparison.sum_ms += took_ms;
  ++comparison.networks;
  const bool rules = add(number, network, by_rules, comparison.rules);
  const bool worlds = add(number, network, by_worlds, comparison.worlds);
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

void show_worlds(const std::string& name, const networks::Network& network) {
  const auto report = run(network);
  reach::print_comparison(name, report, reach_of(network), true);
  const auto by_worlds = reach::as_report(report, reach::diagnose(report, reach_of(network)));
  for (const auto& violation : judge(network, by_worlds).violations) {
    fmt::print("  violation: {}: {}\n", violation.kind, violation.what);
  }
}

bool is_level(const Comparison& comparison) {
  const auto& worlds = comparison.worlds;
  // One wrong one is allowed, even if it is more than 5 % of a few.
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
