// What the worlds say of saved reports, next to what the reports say. For developers, and for
// script/confusion --compare; none of it is in the program (docs/diagnosis.md).
//
//     worlds [--json] [--all] [--set FILE]... REPORT.json...
//
// --json: the first report as it would be if worlds decided. --all: every world that is left, and
// what the best one explains badly. --set: a file with the report's set, where it is not built in.
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "reports/format.hpp"
#include "reports/json/reader.hpp"
#include "targets/builtin.hpp"
#include "targets/loader.hpp"
#include "tests/support/rules_for_any_set.hpp"
#include "tests/worlds/print.hpp"
#include "tests/worlds/shadow.hpp"

namespace callready::reach {
namespace {

struct Options {
  bool json = false, all = false;
  std::vector<std::string> sets, files;
};

// Nothing if the command line makes no sense.
std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json") {
      options.json = true;
    } else if (word == "--all") {
      options.all = true;
    } else if (word == "--set" && i + 1 < argc) {
      options.sets.emplace_back(argv[++i]);
    } else if (word.starts_with('-')) {
      return std::nullopt;
    } else {
      options.files.push_back(word);
    }
  }
  return options.files.empty() ? std::nullopt : std::optional(options);
}

void note_reach(const LoadResult& loaded, RowReach& reach) {
  if (!loaded.set) return;
  for (const auto& row : loaded.set->requirements) {
    reach[loaded.set->id + '/' + row.id] = row.reach;
  }
}

// A saved report does not say how many of its endpoints a row needs.
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
      print_comparison(path, report, reach_of(report, options), options.all);
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
  const auto options = callready::reach::read_options(argc, argv);
  if (options) return callready::reach::run(*options);
  fmt::print(stderr, "usage: worlds [--json] [--all] [--set FILE]... REPORT.json...\n");
  return 2;
}
