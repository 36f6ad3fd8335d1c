#include "probe/plan/choices.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "probe/util/text.hpp"
#include "targets/suggest.hpp"

namespace callready {
namespace {

constexpr std::size_t most_listed = 12;

std::string_view word(Choice choice) {
  switch (choice) {
    case Choice::scenario:
      return "scenario";
    case Choice::region:
      return "region";
    case Choice::requirement:
      return "requirement";
    case Choice::client:
      return "client";
    case Choice::variable:
      return "variable";
  }
  return "";
}

}  // namespace

Choices::Choices(const std::vector<TargetSet>& sets) {
  for (const auto& set : sets) {
    sets_.push_back(set.id);
    for (const auto& scenario : set.scenarios) scenarios_.push_back(scenario.id);
    for (const auto& region : set.regions) regions_.push_back(region.id);
    for (const auto& variable : set.variables) {
      variables_.push_back(variable.name);
      variables_.push_back(set.id + '/' + variable.name);
    }
    for (const auto& row : set.requirements) {
      rows_.push_back(row.id);
      rows_.push_back(set.id + '/' + row.id);
      clients_.insert(clients_.end(), row.clients.begin(), row.clients.end());
    }
  }
}

const std::vector<std::string>& Choices::known(Choice choice) const {
  switch (choice) {
    case Choice::scenario:
      return scenarios_;
    case Choice::region:
      return regions_;
    case Choice::requirement:
      return rows_;
    case Choice::client:
      return clients_;
    case Choice::variable:
      break;
  }
  return variables_;
}

std::optional<std::string> Choices::problem(Choice choice, const std::string& name) const {
  const auto& all = known(choice);
  if (contains(all, name)) return std::nullopt;
  auto text = fmt::format("unknown {} '{}'", word(choice), name);
  const auto set = name.substr(0, name.find('/'));
  if (set.size() < name.size() && !contains(sets_, set)) {
    return text + fmt::format(": '{}' is not among the sets of this run ({})", set,
                              fmt::join(sets_, ", "));
  }
  if (const auto hint = suggest(name, all)) {
    return text + fmt::format("; did you mean '{}'?", *hint);
  }
  const std::set<std::string> names(all.begin(), all.end());
  if (names.empty()) return text + "; these sets have none";
  const auto listed = std::min(names.size(), most_listed);
  const auto end = std::next(names.begin(), static_cast<std::ptrdiff_t>(listed));
  text += fmt::format("; known are: {}", fmt::join(names.begin(), end, ", "));
  if (listed < names.size()) text += fmt::format(" and {} more", names.size() - listed);
  return text;
}

}  // namespace callready
