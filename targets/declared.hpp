// What a set declares (scenarios, regions, variables), and reading the references to it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probe/model/target_set.hpp"
#include "targets/load_rules.hpp"
#include "targets/yaml_reader.hpp"

namespace callready {

// What the file has declared by the time its rows are read.
struct Declared {
  const LoadRules& rules;
  std::vector<std::string> scenarios, regions, variables;
  std::map<std::string, std::string> defaults;  // of the variables that have one
  bool has_document = false;                    // then each row must name its source in it
};

// A list of scenario ids, each of which must be declared.
void read_scenarios(MapReader& map, const Declared& declared, std::vector<std::string>& into);

// The sets that this one depends on: "microsoft-365", or { set: microsoft-365, capabilities: [...],
// scenarios: [...] }.
void read_needed_sets(MapReader& map, const Declared& declared, SetHead& into);

// One region id, which must be declared.
void read_region(MapReader& map, const Declared& declared, std::string& into);

// Where in the document a row or a piece of advice is found.
void read_source(MapReader& map, const Declared& declared, std::string& into);

// True if `text` holds `${...}`; errors in the variables are reported.
bool uses_variables(const std::string& text, Position position, std::string_view what,
                    const Declared& declared, Problems& problems);

// The text with defaults filled in, or nothing if some variable in it has none.
std::optional<std::string> with_defaults(const std::string& text, const Declared& declared);

}  // namespace callready
