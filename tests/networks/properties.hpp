// What must hold of every report, whatever the network.
#pragma once

#include "tests/networks/truth.hpp"

namespace callready::networks {

struct Violation {
  std::string kind;      // one of a few: "accuses a flow that works: firewall.udp_blocked"
  std::string what;      // details, for the developer
  bool certain = false;  // the wrong claim was called certain
};

struct Judgement {
  std::vector<Violation> violations;
  int capabilities = 0, unknown = 0;
  int simpler = 0;                          // claims that hold for a simpler network
  int beyond = 0;                           // ready, and broken further out than any probe sees
  bool more_names = false;                  // firewall findings than such boxes
  std::vector<std::string> named;           // codes of findings
  std::vector<std::string> unknown_though;  // "works", "cannot work", of unknown ones
  std::vector<std::string> open_probes;     // "stun silent timed_out" of their rows, each once
};

Judgement judge(const networks::Network& network, const Report& report);

}  // namespace callready::networks
