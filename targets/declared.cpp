#include "targets/declared.hpp"

#include <algorithm>

#include "targets/expand_variables.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

// Reports `id` if it is not among `known`; `list` is the key that declares them.
void require_declared(const std::string& id, const std::vector<std::string>& known,
                      const std::string& what, const std::string& list, Position at,
                      Problems& problems) {
  if (std::find(known.begin(), known.end(), id) != known.end()) return;
  problems.add(
      at, what + " " + in_quotes(id) +
              (known.empty() ? "; the set declares no '" + list + "'" : did_you_mean(id, known)));
}

}  // namespace

const CheckRule* LoadRules::find(std::string_view kind) const {
  const auto known = parse<CheckKind>(kind);
  for (const auto& check : checks) {
    if (check.kind == known) return &check;
  }
  return nullptr;
}

std::vector<std::string> LoadRules::kinds() const {
  std::vector<std::string> all;
  for (const auto& check : checks) all.emplace_back(to_string(check.kind));
  return all;
}

void read_scenarios(MapReader& map, const Declared& declared, std::vector<std::string>& into) {
  map.each_line("scenarios", [&](const YamlNode& item, const std::string& id) {
    require_declared(id, declared.scenarios, "unknown scenario", "scenarios", item.position,
                     map.problems());
    into.push_back(id);
  });
}

void read_needed_sets(MapReader& map, const Declared& declared, SetHead& into) {
  constexpr std::size_t most = 100;  // each of these sets is read, too
  auto& problems = map.problems();
  const auto* list = map.find("needs_sets");
  const auto* items = list ? read_list(*list, "'needs_sets'", problems) : nullptr;
  if (items == nullptr) return;
  if (items->size() > most) {
    problems.add(list->position,
                 "'needs_sets': a set needs " + std::to_string(most) + " others at most");
    return;
  }
  for (const auto& item : *items) {
    NeededSet needed;
    needed.position = item.position;
    if (item.is_map()) {
      MapReader entry(item, "an entry of 'needs_sets'", problems);
      entry.require_id("set", needed.set);
      entry.lines("capabilities", needed.capabilities);
      read_scenarios(entry, declared, needed.scenarios);
      entry.finish();
    } else {
      needed.set = read_id(item, "'needs_sets'", problems).value_or("");
    }
    if (needed.set.empty()) continue;
    const bool twice = std::any_of(into.needs_sets.begin(), into.needs_sets.end(),
                                   [&](const NeededSet& known) { return known.set == needed.set; });
    if (twice || needed.set == into.id) {
      problems.add(item.position, "'needs_sets': " + in_quotes(needed.set) +
                                      (twice ? " is listed twice" : " is the set itself"));
      continue;
    }
    into.needs_sets.push_back(std::move(needed));
  }
}

void read_region(MapReader& map, const Declared& declared, std::string& into) {
  const auto* node = map.find("region");
  const auto id = node ? read_line(*node, "'region'", map.problems()) : std::nullopt;
  if (!id) return;
  require_declared(*id, declared.regions, "unknown region", "regions", node->position,
                   map.problems());
  into = *id;
}

void read_source(MapReader& map, const Declared& declared, std::string& into) {
  map.text("source", into);
  if (!declared.has_document || map.has("source") || !map.node().is_map()) return;
  map.problems().add(map.position(), map.what() +
                                         " lacks 'source': the set names a document, so "
                                         "say where in it this stands");
}

bool uses_variables(const std::string& text, Position position, std::string_view what,
                    const Declared& declared, Problems& problems) {
  const auto use = variables_in(text);
  if (use.problem) problems.add(position, std::string(what) + ": " + *use.problem);
  for (const auto& name : use.names) {
    require_declared(name, declared.variables, std::string(what) + ": unknown variable",
                     "variables", position, problems);
  }
  return use.problem || !use.names.empty();
}

std::optional<std::string> with_defaults(const std::string& text, const Declared& declared) {
  auto expanded = expand_variables(text, declared.defaults);
  if (!expanded.missing.empty() || variables_in(text).problem) return std::nullopt;
  return std::move(expanded.text);
}

}  // namespace callready
