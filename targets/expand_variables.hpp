// Fills in `${variable}`: pure, over text and over whole requirements.
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

// Of what the user gave, what is for variables of this set: "NAME" is for every set that declares
// it, "SET/NAME" for one, and comes first. By the variables' names.
VariableValues given_values(const TargetSet& set, const VariableValues& given);

// The values that apply to a set: what the user gave, else the variable's default.
VariableValues variable_values(const TargetSet& set, const VariableValues& given);

struct ExpandedRequirement {
  // What has no value stays as it is written. A host whose value
  // is an address has become an address.
  Requirement requirement;
  std::vector<std::string> missing;   // variables without a value, each once: `--var NAME=...`
  std::vector<std::string> problems;  // values that do not fit, for instance a port "abc"
};
ExpandedRequirement expand_variables(const Requirement& requirement, const VariableValues& values);

// An address, a prefix or a range as text; nothing where it is none of them. Whether a prefix is
// aligned is not looked at.
std::optional<decltype(AddressBlock::value)> parse_address(std::string_view text);

}  // namespace callready
