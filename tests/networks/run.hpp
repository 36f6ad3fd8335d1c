// A whole run in memory, by the program's own plan, engine and diagnosis, called only from here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "probe/diagnosis/findings.hpp"
#include "probe/model/plan.hpp"
#include "probe/model/report.hpp"
#include "tests/networks/traffic.hpp"

namespace callready::networks {

// What a run checks: read and planned once for all networks that check the same.
struct Scene {
  std::vector<TargetSet> sets;  // anchors among them
  Plan plan;
  std::vector<std::string> own_hosts;
  Internet internet;
  std::vector<PlannedSet> planned;  // those that are judged; they point into `sets`
};

const Scene& scene_of(const networks::Network& network);

// The ids of all vendors' sets.
const std::vector<std::string>& vendors();

// What the program would report there. `asked`: a report from another network; what it asked in its
// second round is asked here, too, and nothing else, so that the two can be compared.
Report run(const networks::Network& network, const Report* asked = nullptr);

}  // namespace callready::networks
