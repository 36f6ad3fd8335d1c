#include "probe/exporter/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "probe/exporter/ways.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/text.hpp"
#include "targets/suggest.hpp"
#include "targets/syntax.hpp"

namespace callready::exporter {
namespace {

constexpr std::string_view schema = "callready.exporter/1";
constexpr std::size_t largest_file = 1 << 20, most_sets = 1'000, most_labels = 20;
constexpr milliseconds usual_interval = std::chrono::minutes(15);
constexpr milliseconds shortest_interval = std::chrono::seconds(1);

class ConfigReader {
 public:
  ConfigReader(const YamlNode& root, Problems& problems, Problems& warnings,
               const MakeCatalog& make_catalog)
      : problems_(problems),
        warnings_(warnings),
        make_catalog_(make_catalog),
        ways_(problems),
        top_(root, "the configuration", problems) {}

  Config read() {
    if (!top_.node().is_map() || !read_schema()) return {};
    top_.require_line("site", config_.site);
    top_.line("place", config_.place);
    top_.line("state", config_.state);
    read_labels();
    read_budget();
    read_modules();
    read_sets();
    top_.finish();
    return std::move(config_);
  }

 private:
  bool read_schema() {
    const auto* node = top_.require("schema");
    const auto text = node != nullptr ? read_line(*node, "'schema'", problems_) : std::nullopt;
    if (!text || *text == schema) return true;
    problems_.add(node->position,
                  fmt::format("'schema': expected {}, found {}", schema, in_quotes(*text)));
    return false;
  }

  // They stand on one series, from which a query takes them where it needs them.
  void read_labels() {
    const auto* node = top_.find("labels");
    if (node == nullptr) return;
    if (!node->is_map()) {
      problems_.add(node->position, "'labels': expected a block of keys, found " + describe(*node));
      return;
    }
    for (const auto& [key, position, value] : node->entries) {
      const bool taken = key == "site" || key == "place";
      if (!is_variable_name(key) || taken || config_.labels.size() == most_labels) {
        problems_.add(position, fmt::format("'labels': {} {}", in_quotes(key),
                                            taken ? "is a label already"
                                            : is_variable_name(key)
                                                ? "is one label too many"
                                                : "is not a label's name; expected lower case "
                                                  "letters, digits and \"_\", a letter first"));
        continue;
      }
      if (auto text = read_line(value, "'" + key + "'", problems_)) {
        config_.labels.emplace_back(key, std::move(*text));
      }
    }
  }

  void read_budget() {
    const auto* node = top_.find("budget");
    if (node == nullptr) return;
    MapReader map(*node, "'budget'", problems_);
    const auto read = [&](const char* key, milliseconds& into) {
      const auto* value = map.find(key);
      if (value == nullptr) return;
      into = ways_.read_duration(*value, MapReader::name(key), milliseconds::zero()).value_or(into);
    };
    read("vendor", config_.budget.vendor);
    read("site", config_.budget.site);
    map.finish();
  }

  void read_modules() {
    modules_["default"];
    const auto* node = top_.find("modules");
    if (node == nullptr) return;
    if (!node->is_map()) {
      problems_.add(node->position,
                    "'modules': expected a block of keys, found " + describe(*node));
      return;
    }
    for (const auto& [key, position, value] : node->entries) {
      if (!is_id(key)) problems_.add(position, in_quotes(key) + " is not a module's name");
      MapReader map(value, "module " + in_quotes(key), problems_);
      if (value.is_map()) modules_[key] = ways_.read_module(map);
      map.finish();
    }
  }

  void read_sets() {
    const auto* node = top_.require("sets");
    const auto* items = node != nullptr ? read_list(*node, "'sets'", problems_) : nullptr;
    if (items == nullptr) return;
    if (items->size() > most_sets) {
      problems_.add(node->position, fmt::format("'sets': {} of them; expected at most {}",
                                                items->size(), most_sets));
      return;
    }
    for (const auto& item : *items) read_set(item);
    warn_of_tight_budget(*node);
  }

  // A set's own target sets.
  struct Files {
    std::vector<std::string> paths;
    std::vector<Position> positions;
  };

  void read_set(const YamlNode& item) {
    MapReader map(item, "a set", problems_);
    Job job;
    map.require_id("name", job.set);
    if (!job.set.empty() && !names_.insert(job.set).second) {
      problems_.add(item.position, "duplicate set " + in_quotes(job.set));
    }
    job.every = usual_interval;
    if (const auto* node = map.find("every")) {
      const bool by_scrape = node->is_scalar() && node->text == "scrape";
      job.every =
          by_scrape ? std::nullopt : ways_.read_duration(*node, "'every'", shortest_interval);
    }
    std::vector<std::string> files, options;
    std::vector<Position> positions;
    map.each_line("files", [&](const YamlNode& node, const std::string& text) {
      ways_.add_readable(node, "files", "set", text, options);
      if (options.size() == files.size()) return;
      files.push_back(text);
      positions.push_back(node.position);
    });
    Way way;
    ways_.read_common(map, way);
    std::vector<std::pair<std::string, Position>> targets;
    map.each_line("targets", [&](const YamlNode& node, const std::string& text) {
      targets.emplace_back(text, node.position);
    });
    if (targets.empty()) targets.emplace_back(job.set, item.position);
    std::vector<std::string> modules;
    map.each_line("modules", [&](const YamlNode& node, const std::string& text) {
      if (!modules_.contains(text)) {
        std::vector<std::string> known;
        for (const auto& [name, other] : modules_) known.push_back(name);
        problems_.add(node.position,
                      "unknown module " + in_quotes(text) + did_you_mean(text, known));
      } else {
        add_once(modules, text);
      }
    });
    map.finish();
    if (modules.empty()) modules.emplace_back("default");
    if (job.set.empty()) return;
    add_jobs(std::move(job), targets, {files, positions}, modules, way);
  }

  void add_jobs(Job job, const std::vector<std::pair<std::string, Position>>& targets,
                const Files& files, const std::vector<std::string>& modules, const Way& way) {
    std::vector<TargetSet> sets;
    for (const auto& [name, position] : targets) {
      auto loaded = catalog_of(files.paths).find(name);
      for (const auto& problem : loaded.problems) {
        problems_.add(position, problem.file.empty() ? problem.message : problem.to_string());
      }
      if (!loaded.set) continue;
      job.targets.push_back(loaded.set->id);
      const auto& vendor = loaded.set->vendor.empty() ? loaded.set->id : loaded.set->vendor;
      add_once(job.vendors, vendor);
      sets.push_back(std::move(*loaded.set));
    }
    if (sets.size() != targets.size()) return;
    add_files(job, files, sets);
    const Choices choices(sets);
    require_known(choices, way, job.set);
    const auto alg = sip_alg_rows(sets);
    for (const auto& name : modules) {
      auto one = job;
      const auto& module = modules_[name];
      require_known(choices, module, job.set);
      require_time(module, job);
      one.module = name;
      one.timeout = module.timeout;
      one.options.insert(one.options.end(), module.options.begin(), module.options.end());
      one.options.insert(one.options.end(), way.options.begin(), way.options.end());
      if (!module.sip_alg && !way.sip_alg) {
        one.options.insert(one.options.end(), alg.begin(), alg.end());
      }
      config_.jobs.push_back(std::move(one));
    }
  }

  // `check` would test any other set in them, too.
  void add_files(Job& job, const Files& files, const std::vector<TargetSet>& sets) {
    for (const auto& entry : catalog_of(files.paths).entries()) {
      if (entry.place != Catalog::Place::file) continue;
      const auto& path = entry.head.origin;
      const bool used =
          std::ranges::any_of(sets, [&](const TargetSet& set) { return set.holds(entry.head.id); });
      if (used) {
        job.options.push_back("--set=" + path);
        continue;
      }
      const auto at = std::ranges::find(files.paths, path) - files.paths.begin();
      const auto position = files.positions[static_cast<std::size_t>(at)];
      for (const auto& problem : entry.problems) problems_.add(position, problem.to_string());
      if (!entry.problems.empty()) continue;
      warnings_.add(position, fmt::format("set {}: none of its targets is {}, which {} holds",
                                          in_quotes(job.set), in_quotes(entry.head.id), path));
    }
  }

  // To leave them out: SIP servers ban a client that keeps sending them more than a phone does.
  static std::vector<std::string> sip_alg_rows(const std::vector<TargetSet>& sets) {
    std::vector<std::string> options;
    for (const auto& set : sets) {
      for (const auto& row : set.requirements) {
        if (row.check != CheckKind::sip_alg) continue;
        options.push_back(fmt::format("--skip={}/{}", set.id, row.id));
      }
    }
    return options;
  }

  void require_known(const Choices& choices, const Way& way, const std::string& set) {
    for (const auto& [choice, name, position] : way.wanted) {
      const auto problem = choices.problem(choice, name);
      if (problem) problems_.add(position, fmt::format("set {}: {}", in_quotes(set), *problem));
    }
  }

  void require_time(const Way& way, const Job& job) {
    if (way.slow_key.empty() || (job.every && *job.every >= way.least_interval)) return;
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(way.least_interval).count();
    problems_.add(way.slow_position,
                  fmt::format("'{}': {}: set {} needs {}", way.slow_key,
                              hours > 0 ? "its runs load the line or take minutes"
                                        : "its runs take longer than a scrape waits",
                              in_quotes(job.set),
                              hours > 0 ? fmt::format("an 'every' of at least {}h", hours)
                                        : "an 'every' of its own instead of 'scrape'"));
  }

  const Catalog& catalog_of(const std::vector<std::string>& files) {
    const auto found = catalogs_.find(files);
    if (found != catalogs_.end()) return found->second;
    if (!files.empty())
      std::erase_if(catalogs_, [](const auto& one) { return !one.first.empty(); });
    return catalogs_.emplace(files, make_catalog_(files)).first->second;
  }

  // One run after the other, each as long after the last as the budget wants it.
  void warn_of_tight_budget(const YamlNode& node) {
    double share = 0;
    for (const auto& job : config_.jobs) {
      if (job.every) {
        share += static_cast<double>(config_.budget.site.count()) /
                 static_cast<double>(job.every->count());
      }
    }
    if (share <= 1) return;
    warnings_.add(node.position,
                  fmt::format("'sets': all of them at their intervals take {:.1f} times what "
                              "'budget' allows this site: results will be older than 'every'; "
                              "several sets in one run (targets: [a, b]) take the budget once",
                              share));
  }

  Problems &problems_, &warnings_;
  const MakeCatalog& make_catalog_;
  WayReader ways_;
  MapReader top_;
  Config config_;
  std::map<std::string, Way> modules_;
  std::set<std::string> names_;
  std::map<std::vector<std::string>, Catalog> catalogs_;  // by files; of those with some, the last
};

}  // namespace

ConfigResult read_config(std::string_view text, const std::string& name,
                         const MakeCatalog& make_catalog) {
  ConfigResult result;
  Problems problems(name), warnings(name);
  const auto expected = fmt::format("a configuration, beginning with 'schema: {}'", schema);
  if (const auto root = parse_yaml(text, problems, {}, expected)) {
    auto config = ConfigReader(*root, problems, warnings, make_catalog).read();
    if (problems.empty()) result.config = std::move(config);
  }
  result.problems = problems.take();
  result.warnings = warnings.take();
  return result;
}

ConfigResult load_config(const std::string& path, const MakeCatalog& make_catalog) {
  const auto input = platform::read_input(path, largest_file);
  auto error = input.error;
  if (error.empty() && input.text.size() > largest_file) error = "it is too large";
  if (error.empty()) return read_config(input.text, path, make_catalog);
  return {std::nullopt, {{path, 0, 0, "cannot be read: " + error}}, {}};
}

}  // namespace callready::exporter
