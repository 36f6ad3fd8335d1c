// What a report is diagnosed as, in short spellings for tests.
#pragma once

#include <algorithm>

#include "probe/diagnosis/findings.hpp"
#include "tests/diagnosis/site_report.hpp"
#include "tests/support/sentences.hpp"

namespace callready::test {

// "firewall.udp_blocked (likely)": the causes that the rules name. What none of them explains has a
// finding of its own (one_pass_test.cpp), which is not a cause.
inline std::vector<std::string> codes(const std::vector<Finding>& findings) {
  std::vector<std::string> list;
  Report said;
  said.findings = findings;
  EXPECT_EQ(hole_in(said), "");
  for (const auto& finding : findings) {
    if (finding.code == FindingCode::network_unexplained) continue;
    list.push_back(fmt::format("{} ({})", to_string(finding.code), to_string(finding.confidence)));
  }
  return list;
}
inline std::vector<std::string> codes(const Report& report) { return codes(diagnose(report)); }

// The only finding of a report, which must have exactly one.
inline Finding only(const Report& report) {
  const auto found = diagnose(report);
  EXPECT_EQ(found.size(), 1u) << testing::PrintToString(codes(report));
  return found.empty() ? Finding() : found.front();
}

inline bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

inline bool has_evidence(const Finding& finding, std::string_view part) {
  return std::any_of(finding.evidence.begin(), finding.evidence.end(),
                     [&](const FindingEvidence& one) { return holds(one.text, part); });
}

// A set of that row alone, which one capability needs, and what its probes saw.
inline Report diagnosed_alone(const Requirement& row, const std::string& capability_id,
                              const std::vector<ProbeResult>& results) {
  TargetSet set;
  set.id = set.title = "set";
  set.requirements.push_back(row);
  Capability capability;
  capability.id = capability.title = capability_id;
  capability.needs.push_back({{{row.id}}});
  set.capabilities.push_back(capability);
  PlannedRequirement planned;
  planned.set = set.id;
  planned.requirement = row.id;
  for (const auto& result : results) planned.probes.push_back(result.probe.id);
  Report report;
  report.probes = results;
  const std::vector<PlannedSet> sets{{&set, {planned}, {}}};
  diagnose(sets, "2026-11-21", report);
  return report;
}
inline Report diagnosed_alone(const Requirement& row, const std::string& capability_id,
                              const ProbeResult& result) {
  return diagnosed_alone(row, capability_id, std::vector{result});
}

// Public services of two operators, over TCP and UDP: the line is up.
inline std::vector<ProbeResult> anchors() {
  return {tls("www.google.com"), tls("www.cloudflare.com"), stun("stun.cloudflare.com"),
          stun("stun.l.google.com", 19302), ntp("pool.ntp.org")};
}

}  // namespace callready::test
