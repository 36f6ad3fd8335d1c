#include "tests/worlds/print.hpp"

#include <fmt/format.h>

#include <ctime>

#include "tests/worlds/words.hpp"

namespace callready::reach {
namespace {

double in_bits(Bits value) { return static_cast<double>(value) / one_bit; }

void print_worlds(const Drawn& diagnosis, std::size_t most) {
  for (std::size_t i = 0; i < std::min(most, diagnosis.worlds.size()); ++i) {
    const auto& world = diagnosis.worlds[i];
    fmt::print("    {:.4f} {:6.1f} bits, loss {:g} %: {}\n", world.probability, in_bits(world.cost),
               losses[world.loss].share * 100, in_words(world, diagnosis));
  }
}

void print_events(const Drawn& diagnosis) {
  for (std::size_t i = 0; i < diagnosis.sight.packets.size(); ++i) {
    const auto& event = diagnosis.sight.events.flows[i];
    fmt::print("    at {:.0f} ms: {}\n", event.at.count(), in_words(event));
  }
}

void print_badly_explained(const Shadow& diagnosis) {
  const auto& sight = diagnosis.sight;
  const auto& best = diagnosis.worlds.front();
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto& event = sight.events.flows[i];
    const auto cost = bits_in(best, diagnosis.boxes, sight, i);
    if (cost > bits(5)) fmt::print("    {:5.1f} bits: {}\n", in_bits(cost), in_words(event));
  }
  for (const auto& left : diagnosis.told.unexplained) {
    fmt::print("    left over: {}\n", left.text);
  }
}

void print_differences(const Report& rules, const Report& worlds) {
  for (std::size_t i = 0; i < rules.sets.size(); ++i) {
    const auto& set = rules.sets[i];
    const auto& other = worlds.sets[i];
    fmt::print("  {}: {} (rules: {})\n", set.id, to_string(other.verdict), to_string(set.verdict));
    for (std::size_t j = 0; j < set.capabilities.size(); ++j) {
      const auto now = set.capabilities[j].verdict, then = other.capabilities[j].verdict;
      if (now == then) continue;
      fmt::print("    {}: {} (rules: {})\n", set.capabilities[j].id, to_string(then),
                 to_string(now));
    }
    for (std::size_t j = 0; j < set.requirements.size(); ++j) {
      const auto now = set.requirements[j].status, then = other.requirements[j].status;
      if (now == then) continue;
      fmt::print("    row {}: {} (rules: {})\n", set.requirements[j].id, to_string(then),
                 to_string(now));
    }
  }
}

}  // namespace

void print_comparison(const std::string& name, const Report& report, const RowReach& reach,
                      bool all) {
  const auto start = std::clock();  // CPU time: the machine may be busy
  const auto diagnosis = diagnose(report, reach);
  const auto took_ms = 1000.0 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const auto made = as_report(report, diagnosis);
  fmt::print("{}: {} events, {} boxes, {} worlds looked at, {:.0f} ms\n", name,
             diagnosis.sight.size(), diagnosis.boxes.size(), diagnosis.looked_at, took_ms);
  for (const auto& cause : diagnosis.told.causes) {
    fmt::print("  {:8} {:.3f} {}: {}\n", to_string(confidence_of(cause.sure)), cause.probability,
               to_string(*cause.code.finding), cause.text);
    for (const auto& [probe, text, gain] : cause.evidence) {
      fmt::print("      {:+.1f} bits {}\n", in_bits(gain), text);
    }
  }
  for (const auto& finding : report.findings) {
    fmt::print("  rules: {} {}: {}\n", to_string(finding.confidence), to_string(finding.code),
               finding.title);
  }
  print_differences(report, made);
  if (all) print_events(diagnosis);
  print_worlds(diagnosis, all ? 1000 : 3);
  if (diagnosis.told.runner_up) {
    const auto& world = diagnosis.worlds[*diagnosis.told.runner_up];
    fmt::print("  it could also be: {} ({:.3f})\n", in_words(world, diagnosis), world.probability);
  }
  if (all) print_badly_explained(diagnosis);
  if (!diagnosis.question) return;
  fmt::print("  ask: {} ({:.2f} bits:", in_words(*diagnosis.question), diagnosis.question->gain);
  for (const auto& [answer, probability] : diagnosis.question->answers) {
    fmt::print(" {} {:.2f};", answer, probability);
  }
  fmt::print(")\n");
}

}  // namespace callready::reach
