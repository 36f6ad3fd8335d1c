// What a run makes of its results so far: a second round's questions, and what there is to say
// about the site. Shared by session.cpp and by runs in memory (tests/networks).
#pragma once

#include "probe/diagnosis/findings.hpp"
#include "probe/engine/runner.hpp"
#include "probe/plan/plan.hpp"

namespace callready {

// The sets that are judged. They point into `sets`.
std::vector<PlannedSet> planned_sets(const std::vector<TargetSet>& sets, const PlanOptions& options,
                                     const Plan& plan);

// Has the runner ask diagnosis what else to measure. `report`, which holds all but the results, and
// `sets` outlive the run.
void ask_further(const std::vector<PlannedSet>& sets, std::string today, bool hurried,
                 Report& report, RunnerOptions& runner);

// The public addresses that STUN and TURN servers saw us come from. A server inside the site, or on
// this machine, sees an address that says nothing about the way out.
std::vector<IpAddress> public_addresses(const std::vector<ProbeResult>& results);

// A note if STUN servers outside seem to see this computer at a private address that is not its
// own: a device on the way writes that into their answers.
std::optional<Text> note_of_rewritten_answers(const std::vector<ProbeResult>& results);

// Describes the NAT as the first `nat` probe that reached its server saw it; nothing if none did.
void describe_nat(Site& site, const std::vector<ProbeResult>& results);

}  // namespace callready
