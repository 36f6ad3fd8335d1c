#include "targets/needed_sets.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "probe/util/text.hpp"
#include "targets/suggest.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

constexpr std::size_t most_rows = 1'000;  // as in one file (set_reader.cpp)

bool is_default(const TargetSet& set, const std::vector<std::string>& scenarios) {
  return scenarios.empty() ||
         std::any_of(set.scenarios.begin(), set.scenarios.end(), [&](const Scenario& scenario) {
           return scenario.by_default && contains(scenarios, scenario.id);
         });
}

template <typename Thing>
void add_unless_known(std::vector<Thing>& all, const Thing& thing, std::string Thing::*name) {
  const bool known = std::any_of(all.begin(), all.end(),
                                 [&](const Thing& one) { return one.*name == thing.*name; });
  if (!known) all.push_back(thing);
}

bool is_taken(const std::vector<Capability>& all, const std::string& id) {
  return std::any_of(all.begin(), all.end(), [&](const Capability& one) { return one.id == id; });
}

// What `entry` asks for from one needed set.
class Part {
 public:
  Part(const TargetSet& needed, const NeededSet& entry) : needed_(needed), entry_(entry) {
    for (const auto& capability : needed.capabilities) {
      const bool named = contains(entry.capabilities, capability.id);
      if (entry.capabilities.empty() ? !is_default(needed, capability.scenarios) : !named) continue;
      capabilities_.push_back(capability);
      const auto ids = row_ids_of(capability);
      rows_.insert(ids.begin(), ids.end());
    }
  }

  // Capabilities that the set does not have.
  std::vector<std::string> unknown() const {
    auto missing = entry_.capabilities;
    std::erase_if(missing, [&](const std::string& id) { return is_taken(capabilities_, id); });
    return missing;
  }

  void add_to(TargetSet& set) const {
    for (const auto& region : needed_.regions) add_unless_known(set.regions, region, &Region::id);
    for (const auto& variable : needed_.variables) {
      add_unless_known(set.variables, variable, &Variable::name);
    }
    std::map<std::string, std::string> new_ids;
    for (auto row : needed_.requirements) {
      const bool wanted = rows_.contains(row.id) ||
                          (entry_.capabilities.empty() && is_default(needed_, row.scenarios));
      if (!wanted) continue;
      const auto id = row.id;
      if (set.find_requirement(id) != nullptr) row.id = needed_.id + '-' + id;
      new_ids[id] = row.id;
      row.of_set = needed_.id;
      row.scenarios = entry_.scenarios;
      row.position = {};
      set.requirements.push_back(std::move(row));
    }
    for (auto capability : capabilities_) {
      for (auto& need : capability.needs) {
        for (auto& together : need.alternatives) {
          for (auto& id : together) id = new_ids.at(id);
        }
      }
      capability.scenarios = entry_.scenarios;
      capability.position = {};
      add_capability(set, std::move(capability));
    }
    if (!entry_.capabilities.empty()) return;
    for (auto advice : needed_.advice) {
      if (!is_default(needed_, advice.scenarios)) continue;
      advice.scenarios = entry_.scenarios;
      add_unless_known(set.advice, advice, &Advice::id);
    }
  }

 private:
  // Signing in comes first: nothing else works without it.
  void add_capability(TargetSet& set, Capability capability) const {
    auto& all = set.capabilities;
    if (!capability.sign_in) {
      if (is_taken(all, capability.id)) capability.id = needed_.id + '-' + capability.id;
      all.push_back(std::move(capability));
      return;
    }
    const auto known = std::find_if(all.begin(), all.end(), [&](const Capability& one) {
      return one.sign_in && one.scenarios == capability.scenarios;
    });
    if (known == all.end()) {
      if (is_taken(all, capability.id)) capability.id = needed_.id + '-' + capability.id;
      all.insert(all.begin(), std::move(capability));
    } else {
      known->needs.insert(known->needs.end(), capability.needs.begin(), capability.needs.end());
    }
  }

  const TargetSet& needed_;
  const NeededSet& entry_;
  std::vector<Capability> capabilities_;
  std::set<std::string> rows_;  // ids, of the capabilities
};

}  // namespace

LoadResult with_needed_sets(TargetSet set, const FindSet& find) {
  LoadResult result;
  result.id = set.id;
  for (const auto& entry : std::vector<NeededSet>(set.needs_sets)) {
    const auto refuse = [&](const std::string& why) {
      result.problems.push_back({set.origin, entry.position.line, entry.position.column,
                                 "'needs_sets': " + in_quotes(entry.set) + ' ' + why});
    };
    const auto found = find(entry.set);
    if (!found.set) {
      refuse(found.problems.empty() ? "cannot be read"
                                    : "cannot be used: " + found.problems.front().to_string());
      continue;
    }
    const auto& needed = *found.set;
    if (needed.control || !needed.needs_sets.empty()) {
      refuse(needed.control ? "is not a service, but a control"
                            : "needs other sets itself; name these here");
      continue;
    }
    const Part part(needed, entry);
    std::vector<std::string> ids;
    for (const auto& capability : needed.capabilities) ids.push_back(capability.id);
    const auto unknown = part.unknown();
    for (const auto& id : unknown) {
      refuse("has no capability " + in_quotes(id) + did_you_mean(id, ids));
    }
    if (set.requirements.size() + needed.requirements.size() > most_rows) {
      refuse("is too much: a set has " + std::to_string(most_rows) +
             " rows at most, with those of the sets that it needs");
      continue;
    }
    if (!unknown.empty()) continue;
    part.add_to(set);
    set.leans_on.push_back(needed);
  }
  if (result.problems.empty()) result.set = std::move(set);
  return result;
}

}  // namespace callready
