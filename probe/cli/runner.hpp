// Makes all probes of a plan at once, within the manners and the deadline, and returns what each
// saw. The only place of the program where things run side by side.
#pragma once

#include <functional>

#include "checks/check.hpp"
#include "probe/cli/pacer.hpp"
#include "probe/model/plan.hpp"
#include "probe/model/report.hpp"

namespace callready {

struct RunnerOptions {
  PaceLimits pace;
  Pacer* pacer = nullptr;     // shared by the rounds of a run; null: one of its own
  int in_flight = 256;        // probes at work at a time
  int per_address = 4;        // of these to one address
  int per_proxy = 16;         // of these through one proxy, which is made for many
  bool v4 = true, v6 = true;  // families that may be used; v4 is preferred where both are
  std::function<void(const ProbeResult&)> on_result;  // told of each one, as it ends; may be empty
};

// Told after each probe: how many have ended, of how many.
using ProgressCallback = std::function<void(std::size_t done, std::size_t total)>;

// One result per planned probe, in the plan's order. Where the run is stopped (its stop signal, by
// the caller), what is not finished is `skipped` with "stopped". Never throws. `table`: the checks
// to choose from.
asio::awaitable<std::vector<ProbeResult>> run_probes(
    const Plan& plan, checks::Context& context, const RunnerOptions& options,
    const ProgressCallback& progress, std::span<const checks::Check> table = checks::registry());

}  // namespace callready
