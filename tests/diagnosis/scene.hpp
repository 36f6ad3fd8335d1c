// A run as it is judged in one pass: rows with their probes, diagnosed and weighed.
#pragma once

#include "probe/diagnosis/status/judge.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready::test {

// A set with one capability that needs all of its rows.
struct Scene {
  TargetSet set;
  PlannedSet planned;
  Report report;

  Scene() {
    set.id = "vendor";
    set.capabilities.push_back({"calls", "Calls", {}, {}});
    report.site.interfaces = {{"eth0", {IpAddress::v4({10, 20, 0, 23})}, true}};
  }
  Requirement& add(const std::string& id, std::vector<ProbeResult> probes,
                   Severity severity = Severity::required) {
    Requirement row;
    row.id = row.title = id;
    row.severity = severity;
    PlannedRequirement plan;
    plan.set = set.id;
    plan.requirement = id;
    for (auto& result : probes) {
      row.check = result.probe.check;
      row.transports = {result.probe.target.transport};
      row.ports = {result.probe.target.ports};
      result.probe.id = probe_id(result.probe);
      plan.probes.push_back(result.probe.id);
      report.probes.push_back(std::move(result));
    }
    planned.rows.push_back(std::move(plan));
    set.requirements.push_back(std::move(row));
    set.capabilities[0].needs.push_back({{{id}}, false});
    return set.requirements.back();
  }
  PlannedRequirement& last_plan() { return planned.rows.back(); }
  void add_controls(std::vector<ProbeResult> probes) {
    for (auto& result : probes) {
      result.probe.purpose = likely_purpose(result.probe);
      result.probe.id = probe_id(result.probe);
      report.probes.push_back(std::move(result));
    }
  }
  const SetResult& judge() {
    planned.set = &set;
    diagnose({planned}, "2026-11-20", report);
    return report.sets.front();
  }
  std::vector<std::string> found() const {
    std::vector<std::string> codes;
    for (const auto& finding : report.findings) codes.emplace_back(to_string(finding.code));
    return codes;
  }
};

inline const RequirementResult& row_of(const SetResult& set, std::string_view id) {
  return *std::find_if(set.requirements.begin(), set.requirements.end(),
                       [&](const RequirementResult& row) { return row.id == id; });
}

}  // namespace callready::test
