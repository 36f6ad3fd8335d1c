// Makes all probes of a plan at once, within the manners and the deadline, and returns what each
// saw. The only place in the program where things run concurrently.
#pragma once

#include <exception>
#include <functional>

#include "checks/check.hpp"
#include "probe/engine/pacer.hpp"
#include "probe/engine/waits.hpp"
#include "probe/model/plan.hpp"
#include "probe/model/report.hpp"

namespace callready {

struct RunnerOptions {
  PaceLimits pace;
  // Probes at work at a time: enough for all of a large service's names at once, and few enough
  // that any laptop has the memory for the buffers of that many TLS handshakes.
  int in_flight = 192;
  int per_address = 4;        // of these to one address
  int per_proxy = 16;         // of these through one proxy, which is made for many
  bool v4 = true, v6 = true;  // families that may be used; v4 is preferred where both are
  // A stand-in for a probe that was silent (a SIP server's alternate port), if the pace has no room
  // for it now. False: it is left out, as "no_room". True: it waits.
  bool stand_ins_wait = false;
  std::function<void(const ProbeResult&)> on_result;  // told of each one, as it ends; may be empty

  // Says what else to measure, from what was seen so far (which it gives back as it was). Asked
  // when all probes have ended, and twice before that. First at timeouts::second_look after the
  // start or later, when all have begun and the pacer holds back nothing but SIP messages (those
  // sent timeouts::second_choice ago count as silent then). Again when all probes of the plan that
  // ask one thing have ended, while others go on: then what ends at the site's edge is left for the
  // end. At the end it may ask about what a round showed, until most_rounds have added probes; one
  // that adds none does not count. Probes of the plan are not made again; at most most_further in
  // all. May be empty.
  std::function<std::vector<Probe>(std::vector<ProbeResult>& so_far)> further;
  // Which of the probes that were not needed are needed after all, by their ids: asked with the
  // above, and when its probes have ended. They are told of once more. May be empty.
  std::function<std::vector<std::string>(std::vector<ProbeResult>& so_far)> needed_after_all;
  std::function<void()> on_plan_done;  // all that was planned has ended; may be empty
  // Where a callback or the engine itself throws, the run is stopped and the results so far count:
  // the first exception is left here. May be null.
  std::exception_ptr* trouble = nullptr;
  Waits* waits = nullptr;  // told about everything that is sent and ends; may be null
};

inline constexpr std::size_t most_further = 64;
inline constexpr int most_rounds = 3;

// Told after each probe: how many have ended, of how many.
using ProgressCallback = std::function<void(std::size_t done, std::size_t total)>;

// One result per planned probe, in the plan's order, then those of further ones. If the caller
// stops the run (by its stop signal), what is not finished is `skipped` with "stopped". Everything
// that it starts has ended when it returns. `table`: the checks to choose from.
asio::awaitable<std::vector<ProbeResult>> run_probes(
    Plan plan, checks::Context& context, const RunnerOptions& options,
    const ProgressCallback& progress, std::span<const checks::Check> table = checks::registry());

}  // namespace callready
