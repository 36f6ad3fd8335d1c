// The registered checks in the form that the loader needs, for tests that do not link cli's
// load_rules().
#pragma once

#include "checks/check.hpp"
#include "targets/load_rules.hpp"

namespace callready::test {

inline LoadRules rules_of_checks() {
  LoadRules rules;
  for (const auto& check : checks::registry()) {
    CheckRule rule;
    rule.kind = check.kind;
    rule.transports = check.transports;
    for (const auto& parameter : check.parameters) rule.parameters.emplace_back(parameter.name);
    rules.checks.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace callready::test
