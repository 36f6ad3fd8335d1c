// What works on a network, from the network alone: no probe, no chance.
#pragma once

#include <set>

#include "tests/networks/run.hpp"

namespace callready::networks {

// The better, the later: of the routes of an endpoint the best counts.
enum class Works {
  no,
  // By chance, or by how much is sent: a device that counts flows or hosts lets some of them pass.
  // What is true of it depends on the moment, so that no property is asked of it.
  perhaps,
  yes,
};

// Why a flow does not work: boxes by their kind, and the rest.
struct Flow {
  Works works = Works::yes;
  std::string by;  // "rule", "intercept", "dns", "far", "proxy"; empty where it works
};

// The service's own traffic, as that probe stands for it.
Flow flow_of(const Traffic& traffic, const Probe& probe);

struct Truth {
  std::map<std::string, Flow> flows;  // by probe, follow-ups among them
  std::map<std::string, Works> rows;  // by "set/row"
  // By "set/capability": `yes` where it works by what the vendor wants, `no` where it cannot work.
  std::map<std::string, Works> capabilities;
  // Those that work, be it by a fallback.
  std::set<std::string> carried;
};

std::map<std::string, const ProbeResult*> by_id(const Report& report);

// Those that it needs.
std::vector<const RequirementResult*> rows_of(const SetResult& set,
                                              const CapabilityResult& capability);

Truth truth_of(const networks::Network& network, const Report& report);

}  // namespace callready::networks
