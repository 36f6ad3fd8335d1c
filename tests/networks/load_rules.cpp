// What a set may hold, from the registry of checks: the one file here that knows Asio.
#include "targets/load_rules.hpp"

#include "checks/check.hpp"
#include "tests/networks/load_rules.hpp"

namespace callready::networks {

LoadRules load_rules() {
  LoadRules rules;
  for (const auto& check : checks::registry()) {
    CheckRule rule;
    rule.kind = check.kind;
    rule.transports = check.transports;
    for (const auto& parameter : check.parameters) {
      rule.parameters.push_back(
          {std::string(parameter.name), std::string(parameter.meaning), parameter.required});
    }
    rule.needs_ports = rule.needs_target = check.needs_target;
    rules.checks.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace callready::networks
