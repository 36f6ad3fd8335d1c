#include "targets/set_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "targets/destination_reader.hpp"
#include "targets/requirement_reader.hpp"
#include "targets/syntax.hpp"
#include "targets/traffic.hpp"

namespace callready {
namespace {

constexpr std::string_view schema = "callready.targets/1";

class SetReader {
 public:
  SetReader(const YamlNode& root, const LoadRules& rules, Problems& problems)
      : problems_(problems),
        top_(root, "the set", problems),
        declared_{rules, {}, {}, {}, {}, {}} {}

  // Keys that do not belong to the head are ignored.
  SetHead read_only_head() {
    if (top_.node().is_map() && read_schema()) {
      read_head();
      read_scenario_list();
      read_needed_sets(top_, declared_, set_);
    }
    return std::move(set_);
  }

  TargetSet read() {
    if (!top_.node().is_map() || !read_schema()) return {};
    read_head();
    read_scenario_list();
    read_needed_sets(top_, declared_, set_);
    read_region_list();
    read_variables();
    read_requirements();
    read_capabilities();
    read_advice();
    top_.finish();
    return std::move(set_);
  }

 private:
  // False for a file of another version, whose other problems would be misleading.
  bool read_schema() {
    const auto* node = top_.require("schema");
    const auto text = node ? read_line(*node, "'schema'", problems_) : std::nullopt;
    if (!text || *text == schema) return true;
    const bool ours = text->starts_with(schema.substr(0, schema.find('/') + 1));
    problems_.add(node->position, "'schema': expected " + std::string(schema) + ", found " +
                                      in_quotes(*text) +
                                      (ours ? "; a newer callready may know it" : ""));
    return false;
  }

  void read_head() {
    top_.require_id("id", set_.id);
    top_.require_line("title", set_.title);
    top_.line("vendor", set_.vendor);
    top_.line("edition", set_.edition);
    top_.line("document", set_.document);
    declared_.has_document = !set_.document.empty();
    if (const auto* url = top_.find("url")) {
      set_.url = read_line(*url, "'url'", problems_).value_or("");
      const auto problem = set_.url.empty() ? std::nullopt : url_problem(set_.url);
      if (problem) problems_.add(url->position, "'url': " + in_quotes(set_.url) + ": " + *problem);
    }
    read_date("published", true, set_.published);
    read_date("verified", false, set_.verified);
    top_.word("kind", set_.kind);
    top_.word("evidence", set_.evidence);
    top_.text("evidence_note", set_.evidence_note);
    const bool doubtful =
        set_.evidence == SourceQuality::second_hand || set_.evidence == SourceQuality::old_edition;
    if (doubtful && !top_.has("evidence_note")) {
      problems_.add(top_.find("evidence")->position,
                    "'evidence': " + std::string(to_string(set_.evidence)) +
                        " needs an 'evidence_note': whose copy, or how old?");
    }
    read_other_names();
    top_.flag("control", set_.control);
    if (!set_.published.empty() && !set_.verified.empty() &&
        set_.verified.substr(0, set_.published.size()) < set_.published) {
      problems_.add(top_.find("verified")->position, "'verified': " + set_.verified +
                                                         " is before the document was published (" +
                                                         set_.published + ")");
    }
  }

  // What people type instead of the id.
  void read_other_names() {
    std::map<std::string, int> seen;
    each(top_.find("aliases"), "aliases", [&](const YamlNode& item) {
      const auto alias = read_id(item, "'aliases'", problems_);
      if (!alias) return;
      if (*alias == set_.id || !seen.try_emplace(*alias, item.position.line).second) {
        problems_.add(item.position,
                      "'aliases': " + in_quotes(*alias) +
                          (*alias == set_.id ? " is the set's id already" : " is listed twice"));
        return;
      }
      set_.aliases.push_back(*alias);
    });
    top_.lines("former_names", set_.former_names);
  }

  void read_date(std::string_view key, bool less_will_do, std::string& into) {
    const auto* node = top_.find(key);
    const auto text = node ? read_line(*node, MapReader::name(key), problems_) : std::nullopt;
    if (!text) return;
    if (const auto problem = date_problem(*text, less_will_do)) {
      problems_.add(node->position,
                    MapReader::name(key) + ": " + in_quotes(*text) + " is not a date: " + *problem);
      return;
    }
    into = *text;
  }

  // Calls `read(item)` for each item of the list `key`. The list is bounded because rows,
  // capabilities and their references are compared pairwise; the largest set has a tenth of this.
  template <typename Read>
  void each(const YamlNode* list, std::string_view key, Read&& read) {
    const auto* items = list ? read_list(*list, MapReader::name(key), problems_) : nullptr;
    if (items == nullptr) return;
    constexpr std::size_t most = 1'000;
    if (items->size() > most) {
      problems_.add(list->position, fmt::format("{}: has {} entries; a set has {} at most",
                                                MapReader::name(key), items->size(), most));
      return;
    }
    for (const auto& item : *items) read(item);
  }

  // Reports `id` if it was used before.
  void refuse_repeated(std::map<std::string, int>& seen, MapReader& map, std::string_view key,
                       const std::string& id, const std::string& kind) {
    if (id.empty()) return;
    const auto at = map.find(key)->position;
    const auto [first, is_new] = seen.try_emplace(id, at.line);
    if (is_new) return;
    problems_.add(at, "duplicate " + kind + " " + in_quotes(id) + "; it was given on line " +
                          std::to_string(first->second));
  }

  void read_scenario_list() {
    std::map<std::string, int> seen;
    each(top_.find("scenarios"), "scenarios", [&](const YamlNode& item) {
      Scenario scenario;
      MapReader map(item, "a scenario", problems_);
      map.require_id("id", scenario.id);
      map.require_line("title", scenario.title);
      map.flag("default", scenario.by_default);
      map.finish();
      refuse_repeated(seen, map, "id", scenario.id, "scenario");
      declared_.scenarios.push_back(scenario.id);
      set_.scenarios.push_back(std::move(scenario));
    });
  }

  void read_region_list() {
    std::map<std::string, int> seen;
    each(top_.find("regions"), "regions", [&](const YamlNode& item) {
      Region region;
      MapReader map(item, "a region", problems_);
      map.require_id("id", region.id);
      map.require_line("title", region.title);
      map.finish();
      refuse_repeated(seen, map, "id", region.id, "region");
      declared_.regions.push_back(region.id);
      set_.regions.push_back(std::move(region));
    });
  }

  void read_variables() {
    std::map<std::string, int> seen;
    each(top_.find("variables"), "variables", [&](const YamlNode& item) {
      Variable variable;
      MapReader map(item, "a variable", problems_);
      map.require_line("name", variable.name);
      map.require_line("title", variable.title);
      if (const auto* node = map.find("default")) {
        variable.fallback = read_line(*node, "'default'", problems_);
      }
      map.line("example", variable.example);
      map.flag("optional", variable.optional);
      map.finish();
      refuse_repeated(seen, map, "name", variable.name, "variable");
      judge_variable(map, variable);
      declared_.variables.push_back(variable.name);
      if (variable.fallback) declared_.defaults[variable.name] = *variable.fallback;
      set_.variables.push_back(std::move(variable));
    });
  }

  void judge_variable(MapReader& map, const Variable& variable) {
    if (variable.name.empty()) return;
    const auto at = map.find("name")->position;
    if (!is_variable_name(variable.name)) {
      problems_.add(at, "'name': " + in_quotes(variable.name) +
                            " is not a variable's name; expected lower case letters, digits and "
                            "\"_\", a letter first");
    } else if (names_a_secret(variable.name)) {
      problems_.add(at, "variable " + in_quotes(variable.name) +
                            ": a secret never goes into an argument; expected it in the "
                            "environment or by --credentials");
    }
    if (variable.fallback && !variables_in(*variable.fallback).names.empty()) {
      problems_.add(map.find("default")->position, "'default': a default cannot hold a variable");
    }
  }

  // A run that tries everything tries each host of a row on each port over each transport, and
  // compares a host's media ranges pairwise. The largest set has a hundredth of these limits.
  void bound_endpoints(const Requirement& row, Position at) {
    constexpr std::size_t most_endpoints = 200'000, most_ranges = 1'000, most_of_a_range = 100;
    auto hosts = row.hosts.size() + row.reverse_dns.size() + row.addresses.size() +
                 row.variable_addresses.size();
    for (const auto& wildcard : row.wildcards) hosts += wildcard.examples.size();
    const bool ranges = row.check == CheckKind::udp_range;
    std::size_t ports = 0;
    for (const auto& range : row.ports) {
      ports += ranges ? 1 : std::min<std::size_t>(range.count(), most_of_a_range);
    }
    const auto transports = std::max<std::size_t>(row.transports.size(), 1);
    const auto before = std::pair(endpoints_, ranges_);
    endpoints_ += hosts * ports * transports;
    if (ranges) ranges_ += ports;
    const auto refuse = [&](std::size_t had, std::size_t has, std::size_t most, const char* what) {
      if (had > most || has <= most) return;
      problems_.add(at, fmt::format("{}: with this row the set has {} {}; a set has {} at most",
                                    in_quotes(row.id), has, what, most));
    };
    refuse(before.first, endpoints_, most_endpoints, "endpoints (hosts x ports x transports)");
    refuse(before.second, ranges_, most_ranges, "port ranges for udp-range");
  }

  void read_requirements() {
    std::map<std::string, int> seen;
    each(top_.require("requirements"), "requirements", [&](const YamlNode& item) {
      const auto rows = rows_of(item, problems_);
      std::vector<std::string> ids;
      for (const auto& row : rows) {
        auto requirement = read_requirement(row, declared_, problems_);
        if (!requirement.id.empty()) {
          MapReader map(row, "a requirement", problems_);
          refuse_repeated(seen, map, "id", requirement.id, "requirement");
          ids.push_back(requirement.id);
        }
        bound_endpoints(requirement, row.position);
        set_.requirements.push_back(std::move(requirement));
      }
      requirement_ids_.insert(requirement_ids_.end(), ids.begin(), ids.end());
      if (auto whole = id_of_whole(item); rows.size() > 1 && !whole.empty()) {
        parts_.emplace(std::move(whole), std::move(ids));
      }
    });
    sorted_ids_ = requirement_ids_;
    std::sort(sorted_ids_.begin(), sorted_ids_.end());
  }

  void read_capabilities() {
    std::map<std::string, int> seen;
    // Controls get no verdict, so they need no capabilities.
    const auto* list = set_.control ? top_.find("capabilities") : top_.require("capabilities");
    each(list, "capabilities", [&](const YamlNode& item) {
      Capability capability;
      MapReader map(item, "a capability", problems_);
      map.require_id("id", capability.id);
      map.require_line("title", capability.title);
      read_scenarios(map, declared_, capability.scenarios);
      map.flag("calls", capability.calls);
      each(map.require("needs"), "needs", [&](const YamlNode& need) {
        if (auto read = read_need(need)) capability.needs.push_back(std::move(*read));
      });
      map.flag("sign_in", capability.sign_in);
      capability.position = item.position;
      read_quality(map, capability);
      map.finish();
      refuse_repeated(seen, map, "id", capability.id, "capability");
      set_.capabilities.push_back(std::move(capability));
    });
  }

  void read_quality(MapReader& capability_map, Capability& capability) {
    const auto* node = capability_map.find("quality");
    if (node == nullptr) return;
    constexpr double a_minute_ms = 60'000, a_terabit_kbps = 1e9;
    MediaQuality quality;
    MapReader map(*node, "'quality'", problems_);
    map.number("round_trip_ms", quality.round_trip_ms, a_minute_ms);
    map.number("one_way_delay_ms", quality.one_way_delay_ms, a_minute_ms);
    map.number("jitter_ms", quality.jitter_ms, a_minute_ms);
    map.number("loss_percent", quality.loss_percent, 100);
    map.number("burst_loss_percent", quality.burst_loss_percent, 100);
    map.number("reordering_percent", quality.reordering_percent, 100);
    map.number("bandwidth_kbps", quality.bandwidth_kbps, a_terabit_kbps);
    map.number("bandwidth_up_kbps", quality.bandwidth_up_kbps, a_terabit_kbps);
    map.number("bandwidth_down_kbps", quality.bandwidth_down_kbps, a_terabit_kbps);
    read_bandwidths(map, quality);
    map.line("dscp", quality.dscp);
    map.require_line("source", quality.source);
    map.finish();
    capability.quality = std::move(quality);
  }

  // "HD video 1.5 Mbit/s, audio alone 60 kbit/s"
  void read_bandwidths(MapReader& quality_map, MediaQuality& quality) {
    constexpr double a_terabit_kbps = 1e9;
    each(quality_map.find("bandwidths"), "bandwidths", [&](const YamlNode& item) {
      MediaQuality::Bandwidth one;
      MapReader map(item, "an entry of 'bandwidths'", problems_);
      map.require_line("what", one.what);
      map.number("up_kbps", one.up_kbps, a_terabit_kbps);
      map.number("down_kbps", one.down_kbps, a_terabit_kbps);
      if (item.is_map() && !map.has("up_kbps") && !map.has("down_kbps")) {
        problems_.add(item.position,
                      "an entry of 'bandwidths' lacks 'up_kbps', 'down_kbps' or both");
      }
      map.finish();
      quality.bandwidths.push_back(std::move(one));
    });
  }

  std::optional<Need> read_need(const YamlNode& node) {
    Need need;
    if (node.is_scalar()) {
      if (auto ids = known_requirements(node); !ids.empty()) {
        need.alternatives.push_back(std::move(ids));
      }
      return need;
    }
    if (!node.is_map()) {
      problems_.add(node.position,
                    "'needs': expected a requirement's id, { first_of: [...] } or { "
                    "any_of: [...] }, found " +
                        describe(node));
      return std::nullopt;
    }
    MapReader map(node, "an entry of 'needs'", problems_);
    const auto* first_of = map.find("first_of");
    const auto* any_of = map.find("any_of");
    const auto* otherwise = map.find("else");
    map.finish();
    if ((first_of == nullptr) == (any_of == nullptr)) {
      problems_.add(node.position,
                    "an entry of 'needs' needs one of 'first_of' (ordered) and "
                    "'any_of' (equals)");
      return std::nullopt;
    }
    if (otherwise != nullptr && any_of == nullptr) {
      problems_.add(otherwise->position,
                    "'else' goes with 'any_of'; in 'first_of' every later one is a fallback");
      return std::nullopt;
    }
    const auto add = [&](const YamlNode& item) {
      need.alternatives.push_back(read_alternative(item));
    };
    need.equal = any_of != nullptr && otherwise == nullptr;
    each(any_of != nullptr ? any_of : first_of, any_of != nullptr ? "any_of" : "first_of", add);
    if (any_of != nullptr) need.preferred = need.alternatives.size();
    each(otherwise, "else", add);
    return need;
  }

  // One id, or a list of ids that must all hold.
  std::vector<std::string> read_alternative(const YamlNode& node) {
    std::vector<std::string> all;
    const auto add = [&](const YamlNode& item) {
      for (auto& id : known_requirements(item)) all.push_back(std::move(id));
    };
    if (node.is_list()) {
      each(&node, "needs", add);
    } else {
      add(node);
    }
    return all;
  }

  // The row's id; for a row with `traffic`, the ids of all its parts.
  std::vector<std::string> known_requirements(const YamlNode& node) {
    const auto id = read_line(node, "'needs'", problems_);
    if (!id) return {};
    if (const auto parts = parts_.find(*id); parts != parts_.end()) return parts->second;
    if (std::binary_search(sorted_ids_.begin(), sorted_ids_.end(), *id)) return {*id};
    problems_.add(node.position,
                  "unknown requirement " + in_quotes(*id) +
                      (problems_.full() ? "" : did_you_mean(*id, requirement_ids_, 8)));
    return {};
  }

  void read_advice() {
    std::map<std::string, int> seen;
    each(top_.find("advice"), "advice", [&](const YamlNode& item) {
      Advice advice;
      MapReader map(item, "an advice", problems_);
      map.require_id("id", advice.id);
      if (const auto* text = map.require("text")) {
        advice.text = read_text(*text, "'text'", problems_).value_or("");
      }
      read_source(map, declared_, advice.source);
      read_scenarios(map, declared_, advice.scenarios);
      map.words("vantage", advice.vantages);
      map.finish();
      refuse_repeated(seen, map, "id", advice.id, "advice");
      set_.advice.push_back(std::move(advice));
    });
  }

  Problems& problems_;
  MapReader top_;
  Declared declared_;
  TargetSet set_;
  std::vector<std::string> requirement_ids_, sorted_ids_;
  std::size_t endpoints_ = 0, ranges_ = 0;                 // in all rows so far
  std::map<std::string, std::vector<std::string>> parts_;  // of rows with `traffic`
};

}  // namespace

TargetSet read_set(const YamlNode& root, const LoadRules& rules, Problems& problems) {
  return SetReader(root, rules, problems).read();
}

SetHead read_set_head(const YamlNode& root, Problems& problems) {
  return SetReader(root, {}, problems).read_only_head();
}

}  // namespace callready
