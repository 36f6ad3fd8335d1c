// A copy of what a run has seen so far: if the run's thread is stuck, its own data cannot be read,
// but this can.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "probe/model/plan.hpp"
#include "probe/model/report.hpp"

namespace callready {

class SoFar {
 public:
  // `head`: the report as it is before the first probe. All of the plan counts as stopped.
  void begin(const Report& head, const Plan& plan);
  void add(const ProbeResult& result);
  // For the thread that ends the program. Nothing if the run has not begun. A thread that adds
  // something after that waits until the program ends.
  std::optional<Report> take();

 private:
  std::mutex mutex_;
  std::optional<Report> report_;
  std::map<std::string, std::size_t> places_;  // of the probes' ids
};

}  // namespace callready
