// What the worlds say of saved reports, beside what the report says. For developers, and for
// script/confusion --compare; nothing of it is in the program (docs/diagnosis.md).
//
//     worlds [--json] [--all] [--set FILE]... REPORT.json...
//
// --json: the first report as it would be if worlds decided. --all: every world that is left, and
// what the best one explains badly. --set: a file with the report's set, where it is not built in.
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <iterator>

#include "probe/diagnosis/reach/diagnose.hpp"
#include "reports/format.hpp"
#include "reports/json_reader.hpp"
#include "targets/builtin.hpp"
#include "targets/loader.hpp"
#include "tests/support/rules_for_any_set.hpp"

namespace callready::reach {
namespace {

struct Options {
  bool json = false, all = false;
  std::vector<std::string> sets, files;
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json") {
      options.json = true;
    } else if (word == "--all") {
      options.all = true;
    } else if (word == "--set" && i + 1 < argc) {
      options.sets.emplace_back(argv[++i]);
    } else {
      options.files.push_back(word);
    }
  }
  return options;
}

void note_reach(const LoadResult& loaded, RowReach& reach) {
  if (!loaded.set) return;
  for (const auto& row : loaded.set->requirements) {
    reach[loaded.set->id + '/' + row.id] = row.reach;
  }
}

// A saved report does not hold how many of its endpoints a row needs.
RowReach reach_of(const Report& report, const Options& options) {
  RowReach reach;
  const auto rules = test::rules_for_any_set();
  for (const auto& set : report.sets) {
    for (const auto& builtin : builtin_sets()) {
      if (builtin.id == set.id) note_reach(load_text(builtin.yaml_text, set.id, rules), reach);
    }
  }
  for (const auto& file : options.sets) note_reach(load_file(file, rules), reach);
  return reach;
}

double in_bits(Bits value) { return static_cast<double>(value) / one_bit; }

void print_worlds(const Diagnosis& diagnosis, std::size_t most) {
  for (std::size_t i = 0; i < std::min(most, diagnosis.worlds.size()); ++i) {
    const auto& world = diagnosis.worlds[i];
    fmt::print("    {:.4f} {:6.1f} bits, loss {:g} %: {}\n", world.probability, in_bits(world.cost),
               losses[world.loss].share * 100, in_words(world, diagnosis.boxes));
  }
}

void print_badly_explained(const Diagnosis& diagnosis) {
  const auto& sight = diagnosis.sight;
  const auto& best = diagnosis.worlds.front();
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto& event = sight.events.flows[i];
    const auto met = fate_in(best, diagnosis.boxes, sight.packets[i]);
    const auto cost = bits_of(event, sight.events.slow_line, met.fate, losses[best.loss].share);
    if (cost > bits(5)) fmt::print("    {:5.1f} bits: {}\n", in_bits(cost), in_words(event));
  }
  for (const auto& left : diagnosis.explained.unexplained) {
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

void print(const std::string& path, const Report& report, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto diagnosis = diagnose(report, reach_of(report, options));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  const auto made = as_report(report, diagnosis);
  fmt::print("{}: {} events, {} boxes, {} worlds looked at, {:.0f} ms\n", path,
             diagnosis.sight.size(), diagnosis.boxes.size(), diagnosis.looked_at, took.count());
  for (const auto& cause : diagnosis.explained.causes) {
    fmt::print("  {:8} {:.3f} {}: {}\n", to_string(confidence_of(cause.probability)),
               cause.probability, words_of(cause.code).text, cause.text);
    for (const auto& [probe, text, gain] : cause.evidence) {
      fmt::print("      {:+.1f} bits {}\n", in_bits(gain), text);
    }
  }
  for (const auto& finding : report.findings) {
    fmt::print("  rules: {} {}: {}\n", to_string(finding.confidence), finding.code, finding.title);
  }
  print_differences(report, made);
  print_worlds(diagnosis, options.all ? 1000 : 3);
  if (diagnosis.explained.runner_up) {
    const auto& world = diagnosis.worlds[*diagnosis.explained.runner_up];
    fmt::print("  it could also be: {} ({:.3f})\n", in_words(world, diagnosis.boxes),
               world.probability);
  }
  if (options.all) print_badly_explained(diagnosis);
  if (!diagnosis.question) return;
  fmt::print("  ask: {} ({:.2f} bits:", in_words(*diagnosis.question), diagnosis.question->gain);
  for (const auto& [answer, probability] : diagnosis.question->answers) {
    fmt::print(" {} {:.2f};", answer, probability);
  }
  fmt::print(")\n");
}

int run(const Options& options) {
  for (const auto& path : options.files) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto read = read_report(text, path);
    if (!read.report) {
      fmt::print("{}\n", read.error);
      return 2;
    }
    const auto& report = *read.report;
    if (!options.json) {
      print(path, report, options);
      continue;
    }
    const auto made = as_report(report, diagnose(report, reach_of(report, options)));
    fmt::print("{}", render_json(made, {}));
    return 0;
  }
  return 0;
}

}  // namespace
}  // namespace callready::reach

int main(int argc, char** argv) {
  return callready::reach::run(callready::reach::read_options(argc, argv));
}
