// What the loader needs to know about the checks. targets/ does not depend on checks/: cli converts
// the registry in checks/ into this.
#pragma once

#include <string>
#include <vector>

#include "probe/model/words.hpp"

namespace callready {

struct CheckRule {
  CheckKind kind = CheckKind::tcp;
  std::vector<Transport> transports;    // those it supports; empty: it takes no transport
  std::vector<std::string> parameters;  // keys under `with`
  bool needs_ports = true;              // a row without ports is an error
  bool needs_target = true;             // a row without hosts and addresses is an error
};

struct LoadRules {
  std::vector<CheckRule> checks;

  const CheckRule* find(std::string_view kind) const;
  std::vector<std::string> kinds() const;
};

}  // namespace callready
