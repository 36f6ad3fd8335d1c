// The one file of `callready exporter`: which sets exist, how they are run and how often. A scrape
// can name what is here, and nothing else. The format: packaging/README.md.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "targets/catalog.hpp"
#include "targets/problem.hpp"

namespace callready::exporter {

using std::chrono::milliseconds;

// For a run: `callready check` takes no less.
inline constexpr milliseconds shortest_timeout = std::chrono::seconds(1);

// One thing to run: a set of the configuration with one of its modules.
struct Job {
  std::string set, module;
  std::vector<std::string> targets;   // ids of target sets
  std::vector<std::string> vendors;   // theirs, each once: whose budget a run takes from
  std::vector<std::string> options;   // of `callready check`; no secret is in them
  std::optional<milliseconds> every;  // nothing: only when it is scraped
  std::optional<milliseconds> timeout;

  std::string key() const { return set + '@' + module; }
  friend bool operator==(const Job&, const Job&) = default;
};

// The least time between the starts of two runs.
struct Budget {
  milliseconds vendor = std::chrono::minutes(5);  // that ask the same vendor's servers
  milliseconds site = std::chrono::minutes(5);    // of any: a run meets hundreds of flows
};

struct Config {
  std::string site, place;
  std::vector<std::pair<std::string, std::string>> labels;
  std::string state;  // a folder; empty: the user's
  Budget budget;
  std::vector<Job> jobs;  // the modules of a set in the order of the file, its first one first
};

struct ConfigResult {
  std::optional<Config> config;  // only where there is no problem
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
};

// All target sets that can be named, with those of these files.
using MakeCatalog = std::function<Catalog(const std::vector<std::string>& files)>;

ConfigResult load_config(const std::string& path, const MakeCatalog& make_catalog);
ConfigResult read_config(std::string_view text, const std::string& name,
                         const MakeCatalog& make_catalog);

}  // namespace callready::exporter
