// Rules for loading sets without checking that their probes are valid.
#pragma once

#include "targets/load_rules.hpp"

namespace callready::test {

// Every check accepts every transport and parameter.
inline LoadRules rules_for_any_set() {
  LoadRules rules;
  for (const auto& check : words<CheckKind>()) {
    CheckRule rule;
    rule.kind = check.value;
    rule.transports = {Transport::udp, Transport::tcp, Transport::tls};
    rule.needs_ports = rule.needs_target = false;
    for (const auto* name : {"path", "body", "status", "upgrade", "domain", "srv", "type", "name",
                             "server", "expect", "issuer", "server_name", "other", "turn", "relay",
                             "stop_on_the_way", "echo", "contrast"}) {
      rule.parameters.push_back(name);
    }
    rules.checks.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace callready::test
