// What works on a network, from the network alone: no probe, no chance.
#pragma once

#include <set>

#include "tests/networks/run.hpp"

namespace callready::networks {

// From worst to best: the best of an endpoint's routes counts.
enum class Works {
  no,
  // Depends on chance or on how much is sent: a device that counts flows or hosts lets some pass.
  // Since the truth changes from moment to moment, no property is required of it.
  perhaps,
  yes,
};

// Whether a flow works, and what breaks it: a kind of box, or something else.
struct Flow {
  Works works = Works::yes;
  std::string by;  // "rule", "intercept", "dns", "far", "proxy"; empty where it works
};

// The service's own traffic that the probe stands for.
Flow flow_of(const Traffic& traffic, const Probe& probe);

struct Truth {
  std::map<std::string, Flow> flows;  // by probe, follow-ups among them
  std::map<std::string, Works> rows;  // by "set/row"
  // By "set/capability": `yes` if it works as the vendor wants, `no` if it cannot work.
  std::map<std::string, Works> capabilities;
  // Those that work, even if only by a fallback.
  std::set<std::string> carried;
};

std::map<std::string, const ProbeResult*> by_id(const Report& report);

// The rows that the capability needs.
std::vector<const RequirementResult*> rows_of(const SetResult& set,
                                              const CapabilityResult& capability);

Truth truth_of(const networks::Network& network, const Report& report);

}  // namespace callready::networks
