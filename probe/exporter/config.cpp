#include "probe/exporter/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "probe/plan/choices.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/platform/system.hpp"
#include "targets/suggest.hpp"
#include "targets/syntax.hpp"
#include "targets/yaml_reader.hpp"

namespace callready::exporter {
namespace {

constexpr std::string_view schema = "callready.exporter/1";
constexpr std::size_t largest_file = 1 << 20, most_sets = 1'000, most_labels = 20;
constexpr milliseconds usual_interval = std::chrono::minutes(15);
constexpr milliseconds shortest_interval = std::chrono::seconds(1);
constexpr milliseconds longest_interval = std::chrono::hours(24 * 365);

// A name that the sets of a job must know, and where the file says it.
struct Wanted {
  Choice choice;
  std::string name;
  Position position;
};

// What a module, or a set, says of how to run.
struct Way {
  std::vector<std::string> options;
  std::vector<Wanted> wanted;
  std::optional<milliseconds> timeout;
};

class ConfigReader {
 public:
  ConfigReader(const YamlNode& root, Problems& problems, Problems& warnings,
               const MakeCatalog& make_catalog)
      : problems_(problems),
        warnings_(warnings),
        make_catalog_(make_catalog),
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

  std::optional<milliseconds> read_duration(const YamlNode& node, const std::string& what,
                                            milliseconds least) {
    const auto text = read_line(node, what, problems_);
    if (!text) return std::nullopt;
    const auto time = parse_duration(*text);
    if (time && *time >= least) return time;
    problems_.add(node.position,
                  fmt::format("{}: expected a time such as 90s, 15m, 2h{}, found {}", what,
                              time ? fmt::format(", at least {} s", least.count() / 1000) : "",
                              in_quotes(*text)));
    return std::nullopt;
  }

  void read_budget() {
    const auto* node = top_.find("budget");
    if (node == nullptr) return;
    MapReader map(*node, "'budget'", problems_);
    const auto read = [&](const char* key, milliseconds& into) {
      const auto* value = map.find(key);
      if (value == nullptr) return;
      into = read_duration(*value, MapReader::name(key), milliseconds::zero()).value_or(into);
    };
    read("vendor", config_.budget.vendor);
    read("site", config_.budget.site);
    map.finish();
  }

  void add_file(MapReader& map, const char* key, const char* option, Way& way) {
    const auto* node = map.find(key);
    const auto text =
        node != nullptr ? read_line(*node, MapReader::name(key), problems_) : std::nullopt;
    if (text) add_readable(*node, key, option, *text, way.options);
  }

  void add_readable(const YamlNode& node, const char* key, const char* option,
                    const std::string& file, std::vector<std::string>& options) {
    if (!platform::is_file(file)) {
      problems_.add(node.position, fmt::format("'{}': the file {} cannot be read", key, file));
    } else {
      options.push_back(fmt::format("--{}={}", option, file));
    }
  }

  template <typename Use>
  void each_line(MapReader& map, const char* key, Use use) {
    const auto* node = map.find(key);
    const auto* items =
        node != nullptr ? read_list(*node, MapReader::name(key), problems_) : nullptr;
    if (items == nullptr) return;
    for (const auto& item : *items) {
      if (const auto text = read_line(item, MapReader::name(key), problems_)) use(item, *text);
    }
  }

  void add_choices(MapReader& map, const char* key, const char* option, Choice choice, Way& way) {
    each_line(map, key, [&](const YamlNode& item, const std::string& text) {
      way.options.push_back(fmt::format("--{}={}", option, text));
      way.wanted.push_back({choice, text, item.position});
    });
  }

  void add_variables(MapReader& map, Way& way) {
    const auto* node = map.find("variables");
    if (node == nullptr) return;
    if (!node->is_map()) {
      problems_.add(node->position,
                    "'variables': expected a block of keys, found " + describe(*node));
      return;
    }
    for (const auto& [key, position, value] : node->entries) {
      if (const auto text = read_line(value, "'" + key + "'", problems_)) {
        way.options.push_back(fmt::format("--var={}={}", key, *text));
        way.wanted.push_back({Choice::variable, key, position});
      }
    }
  }

  void add_line(MapReader& map, const char* key, const char* option, Way& way) {
    std::string text;
    map.line(key, text);
    if (!text.empty()) way.options.push_back(fmt::format("--{}={}", option, text));
  }

  // A login in a URL would stand in the list of processes.
  void add_url(MapReader& map, const char* key, const char* option, Way& way) {
    const auto* node = map.find(key);
    if (node != nullptr && node->is_scalar() && node->text.find('@') != std::string::npos) {
      problems_.add(node->position,
                    fmt::format("'{}': no user and password here; expected them in the file of "
                                "'credentials'",
                                key));
      return;
    }
    add_line(map, key, option, way);
  }

  // What both a module and a set can say.
  void read_common(MapReader& map, Way& way) {
    add_choices(map, "scenarios", "scenario", Choice::scenario, way);
    add_choices(map, "regions", "region", Choice::region, way);
    add_choices(map, "only", "only", Choice::requirement, way);
    add_choices(map, "skip", "skip", Choice::requirement, way);
    add_variables(map, way);
    add_file(map, "credentials", "credentials", way);
    add_file(map, "service_tags", "service-tags", way);
  }

  Way read_way(MapReader& map) {
    Way way;
    read_common(map, way);
    std::optional<Vantage> from;
    map.word("from", from);
    if (from) way.options.push_back(fmt::format("--from={}", to_string(*from)));
    if (const auto* node = map.find("client")) {
      if (const auto text = read_line(*node, "'client'", problems_)) {
        way.options.push_back("--client=" + *text);
        way.wanted.push_back({Choice::client, *text, node->position});
      }
    }
    add_url(map, "proxy", "proxy", way);
    add_url(map, "pac", "pac", way);
    add_line(map, "interface", "interface", way);
    each_line(map, "dns", [&](const YamlNode&, const std::string& text) {
      way.options.push_back("--dns=" + text);
    });
    each_line(map, "ca_files", [&](const YamlNode& node, const std::string& text) {
      add_readable(node, "ca_files", "ca-file", text, way.options);
    });
    add_file(map, "anchors", "anchors", way);
    bool no_anchors = false, redact = false;
    map.flag("no_anchors", no_anchors);
    if (no_anchors) way.options.emplace_back("--no-anchors");
    map.flag("redact", redact);
    if (redact) way.options.emplace_back("--redact");
    add_file(map, "redact_key", "redact-key", way);
    if (const auto* node = map.find("timeout")) {
      way.timeout = read_duration(*node, "'timeout'", shortest_interval);
    }
    return way;
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
      if (value.is_map()) modules_[key] = read_way(map);
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
      job.every = by_scrape ? std::nullopt : read_duration(*node, "'every'", shortest_interval);
    }
    std::vector<std::string> files;
    each_line(map, "files", [&](const YamlNode& node, const std::string& text) {
      std::vector<std::string> option;
      add_readable(node, "files", "set", text, option);
      if (option.empty()) return;
      files.push_back(text);
      job.options.push_back(option.front());
    });
    Way way;
    read_common(map, way);
    std::vector<std::pair<std::string, Position>> targets;
    each_line(map, "targets", [&](const YamlNode& node, const std::string& text) {
      targets.emplace_back(text, node.position);
    });
    if (targets.empty()) targets.emplace_back(job.set, item.position);
    std::vector<std::string> modules;
    each_line(map, "modules", [&](const YamlNode& node, const std::string& text) {
      if (!modules_.contains(text)) {
        std::vector<std::string> known;
        for (const auto& [name, other] : modules_) known.push_back(name);
        problems_.add(node.position,
                      "unknown module " + in_quotes(text) + did_you_mean(text, known));
      } else if (std::find(modules.begin(), modules.end(), text) == modules.end()) {
        modules.push_back(text);
      }
    });
    map.finish();
    if (modules.empty()) modules.emplace_back("default");
    if (job.set.empty()) return;
    add_jobs(std::move(job), targets, files, modules, way);
  }

  void add_jobs(Job job, const std::vector<std::pair<std::string, Position>>& targets,
                const std::vector<std::string>& files, const std::vector<std::string>& modules,
                const Way& way) {
    std::vector<TargetSet> sets;
    for (const auto& [name, position] : targets) {
      auto loaded = catalog_of(files).find(name);
      for (const auto& problem : loaded.problems) {
        problems_.add(position, problem.file.empty() ? problem.message : problem.to_string());
      }
      if (!loaded.set) continue;
      job.targets.push_back(loaded.set->id);
      const auto& vendor = loaded.set->vendor.empty() ? loaded.set->id : loaded.set->vendor;
      if (std::find(job.vendors.begin(), job.vendors.end(), vendor) == job.vendors.end()) {
        job.vendors.push_back(vendor);
      }
      sets.push_back(std::move(*loaded.set));
    }
    if (sets.size() != targets.size()) return;
    const Choices choices(sets);
    require_known(choices, way, job.set);
    for (const auto& name : modules) {
      auto one = job;
      const auto& module = modules_[name];
      require_known(choices, module, job.set);
      one.module = name;
      one.timeout = module.timeout;
      one.options.insert(one.options.end(), module.options.begin(), module.options.end());
      one.options.insert(one.options.end(), way.options.begin(), way.options.end());
      config_.jobs.push_back(std::move(one));
    }
  }

  void require_known(const Choices& choices, const Way& way, const std::string& set) {
    for (const auto& [choice, name, position] : way.wanted) {
      const auto problem = choices.problem(choice, name);
      if (problem) problems_.add(position, fmt::format("set {}: {}", in_quotes(set), *problem));
    }
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
  MapReader top_;
  Config config_;
  std::map<std::string, Way> modules_;
  std::set<std::string> names_;
  std::map<std::vector<std::string>, Catalog> catalogs_;  // by files; of those with some, the last
};

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  long count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end + 1 != text.data() + text.size() || count < 0) {
    return std::nullopt;
  }
  constexpr std::pair<char, long> units[] = {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}};
  for (const auto& [unit, seconds] : units) {
    if (*end != unit || count > longest_interval.count() / 1000 / seconds) continue;
    return milliseconds(count * seconds * 1000);
  }
  return std::nullopt;
}

ConfigResult read_config(std::string_view text, const std::string& name,
                         const MakeCatalog& make_catalog) {
  ConfigResult result;
  Problems problems(name), warnings(name);
  if (const auto root = parse_yaml(text, problems)) {
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
