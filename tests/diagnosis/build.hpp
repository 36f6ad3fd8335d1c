// Short spellings for the tests' tables: probes with their outcomes, rows, capabilities.
#pragma once

#include <gtest/gtest.h>

#include "probe/diagnosis/status/judge.hpp"
#include "tests/support/said.hpp"

namespace callready::test {

// What one probe of a row saw.
struct Saw {
  std::string host;
  Outcome outcome = Outcome::answered;
  Said detail;
  std::string region;
  std::optional<double> round_trip_ms;
  std::uint16_t port = 443;
  std::string proxy;
  CheckNamed check = CheckKind::tls;
  Transport transport = Transport::tls;
};

inline ProbeResult result_of(const Saw& saw) {
  ProbeResult result;
  auto& probe = result.probe;
  probe.check = saw.check;
  probe.target.host = saw.host;
  probe.target.ports = {saw.port, saw.port};
  probe.target.transport = saw.transport;
  probe.target.route.proxy = saw.proxy;
  probe.region = saw.region;
  probe.id = probe_id(probe);
  result.observation.outcome = saw.outcome;
  result.observation.detail = saw.detail;
  if (saw.round_trip_ms) result.observation.round_trip = Milliseconds(*saw.round_trip_ms);
  return result;
}

inline Reach all() { return {}; }
inline Reach any() { return {Reach::Kind::any, 1}; }
inline Reach at_least(int count) { return {Reach::Kind::at_least, count}; }
inline Reach nearest(int count) { return {Reach::Kind::nearest, count}; }

inline Requirement row(std::string id, Severity severity = Severity::required) {
  Requirement requirement;
  requirement.id = id;
  requirement.title = std::move(id);
  requirement.severity = severity;
  requirement.check = CheckKind::tls;
  return requirement;
}

// Judges one row from what its probes saw. `elsewhere`: what another row's saw.
inline RequirementResult judge(const Requirement& requirement, const std::vector<Saw>& saw,
                               const std::vector<Saw>& elsewhere = {}) {
  PlannedRequirement planned;
  planned.set = "set";
  planned.requirement = requirement.id;
  std::vector<ProbeResult> results;
  for (const auto& one : saw) {
    results.push_back(result_of(one));
    planned.probes.push_back(results.back().probe.id);
  }
  PlannedRequirement other;
  for (const auto& one : elsewhere) {
    results.push_back(result_of(one));
    other.probes.push_back(results.back().probe.id);
  }
  const ResultIndex index(results);
  const auto regions = distances_of_regions({planned, other}, index);
  return judge_requirement(requirement, planned, index, regions);
}

// Names a parameterised test by its case's `name`.
inline constexpr auto case_name = [](const auto& of) { return std::string(of.param.name); };

}  // namespace callready::test

namespace callready {
// For GoogleTest's messages.
inline void PrintTo(Status status, std::ostream* out) { *out << to_string(status); }
inline void PrintTo(Verdict verdict, std::ostream* out) { *out << to_string(verdict); }
}  // namespace callready
