// Fills in `${variable}`, in text and in whole requirements. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/target_set.hpp"

namespace callready {

using VariableValues = std::map<std::string, std::string>;

struct ExpandedText {
  std::string text;                  // variables without a value stay as they are
  std::vector<std::string> missing;  // their names, each once
};
ExpandedText expand_variables(std::string_view text, const VariableValues& values);

// Those of the user's values that are for this set, by variable name: "NAME" is for every set that
// declares it; "SET/NAME" is for one set, and takes precedence.
VariableValues given_values(const TargetSet& set, const VariableValues& given);

// The values that apply to a set: the user's, otherwise the variable's default.
VariableValues variable_values(const TargetSet& set, const VariableValues& given);

struct ExpandedRequirement {
  // What has no value stays as written. A host whose value is an
  // address has become an address.
  Requirement requirement;
  std::vector<std::string> missing;   // variables without a value, each once: `--var NAME=...`
  std::vector<std::string> problems;  // values that do not fit, for instance a port "abc"
};
ExpandedRequirement expand_variables(const Requirement& requirement, const VariableValues& values);

// Parses an address, a prefix or a range; nothing for anything else. Does not check whether a
// prefix is aligned.
std::optional<decltype(AddressBlock::value)> parse_address(std::string_view text);

}  // namespace callready
