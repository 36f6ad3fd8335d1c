// One row per requirement and endpoint, for a spreadsheet.
// A requirement without probes has one row, as does a probe without a requirement (a control).
#include <fmt/format.h>

#include <map>
#include <set>

#include "reports/format.hpp"
#include "reports/text/csv_text.hpp"
#include "reports/words/phrases.hpp"

namespace callready {
namespace {

using Cells = CsvCells;

Cells requirement_cells(const SetResult& set, const RequirementResult& requirement) {
  return {set.id,
          requirement.id,
          requirement.title,
          std::string(to_string(requirement.severity)),
          std::string(to_string(requirement.status)),
          requirement.summary.string(),
          requirement.sampled.string(),
          requirement.source};
}

Cells probe_cells(const ProbeResult& result) {
  const auto& [probe, seen] = result;
  return {std::string(to_string(probe.check)),
          probe.target.host,
          seen.address ? seen.address->to_string() : "",
          probe.target.port() == 0 ? "" : probe.target.ports.to_string(),
          std::string(to_string(probe.target.transport)),
          probe.target.route.to_string(),
          std::string(to_string(seen.outcome)),
          seen.detail.text(),
          seen.round_trip ? fmt::format("{:.3f}", seen.round_trip->count()) : "",
          outcome_in_full(result),
          probe.vantage};
}

const Cells header = {"set",     "requirement",   "title",     "severity", "status",
                      "summary", "sampled",       "source",    "check",    "host",
                      "address", "port",          "transport", "route",    "outcome",
                      "detail",  "round_trip_ms", "result",    "vantage"};
constexpr std::size_t requirement_columns = 8, probe_columns = 11;

Cells both(Cells left, const Cells& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace

std::string render_csv(const Report& report, const RenderOptions&) {
  std::map<std::string_view, const ProbeResult*> by_id;
  for (const auto& result : report.probes) by_id.emplace(result.probe.id, &result);
  std::set<std::string_view> used;
  auto out = csv_row(header);
  for (const auto& set : report.sets) {
    for (const auto& requirement : set.requirements) {
      const auto start = requirement_cells(set, requirement);
      bool any = false;
      for (const auto& id : requirement.probes) {
        const auto found = by_id.find(id);
        if (found == by_id.end()) continue;
        out += csv_row(both(start, probe_cells(*found->second)));
        used.insert(found->first);
        any = true;
      }
      if (!any) out += csv_row(both(start, Cells(probe_columns)));
    }
  }
  for (const auto& result : report.probes) {
    if (used.contains(result.probe.id)) continue;
    out += csv_row(both(Cells(requirement_columns), probe_cells(result)));
  }
  return out;
}

}  // namespace callready
