// What a run has seen so far, kept aside: where its thread is stuck, what that one works with
// cannot be read, and this can.
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
  // For the thread that ends the program. Nothing where the run has not begun. Whoever adds
  // something after that waits for the end.
  std::optional<Report> take();

 private:
  std::mutex mutex_;
  std::optional<Report> report_;
  std::map<std::string, std::size_t> places_;  // of the probes' ids
};

}  // namespace callready
