// A run in progress: one JSON object per line (NDJSON), for programs that want to follow it
// (`check --json --follow`). Each line is valid against schema/callready.event-1.schema.json, and
// together they hold what the report does, except for the part that was asked for, what slowed the
// run, which rows have no cause, and since when verdicts stand.
#pragma once

#include <cstddef>
#include <string>

#include "probe/model/report.hpp"

namespace callready {

inline constexpr std::string_view event_schema = "callready.event/1";

// First. `sets`: ids of the sets that are checked; `probes`: how many are planned (a second round
// may add some).
std::string event_started(const Report& report, const std::vector<std::string>& sets,
                          std::size_t probes);
// After each probe.
std::string event_probe(const ProbeResult& result, std::size_t done, std::size_t total);
// After the last one: each set with its rows and verdicts, then each finding.
std::string event_set(const SetResult& set);
std::string event_finding(const Finding& finding);
// Last.
std::string event_finished(const Report& report);

}  // namespace callready
