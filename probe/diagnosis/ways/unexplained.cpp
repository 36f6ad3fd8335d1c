// What no rule explains is reported as it is: which flows, what was seen, and what to ask next. A
// blocked capability never stands alone.
#include <algorithm>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// The failed rows of capabilities that do not work and of which no failed row has a cause.
std::vector<const RequirementResult*> unexplained_rows(const SetResult& set,
                                                       const std::set<std::string>& explained) {
  std::vector<const RequirementResult*> lost;
  for (const auto& capability : set.capabilities) {
    if (capability.verdict != Verdict::blocked) continue;
    std::vector<const RequirementResult*> failed;
    bool any_explained = false;
    for (const auto& row : set.requirements) {
      const bool has = contains(capability.requirements, row.id);
      if (!has || row.status != Status::fail) continue;
      any_explained |= explained.contains(set.id + '/' + row.id);
      failed.push_back(&row);
    }
    if (!any_explained) add_new(lost, failed);
  }
  return lost;
}

}  // namespace

std::optional<Cause> find_unexplained(const Facts& facts, const std::vector<Finding>& findings) {
  // A computer that is offline explains all that failed, whatever its row is about.
  const bool off = std::ranges::any_of(findings, [](const Finding& finding) {
    const bool code = finding.code == FindingCode::network_offline ||
                      finding.code == FindingCode::network_no_gateway;
    return code && finding.confidence == certain;
  });
  if (off) return std::nullopt;
  std::set<std::string> explained;  // rows
  for (const auto& finding : findings)
    explained.insert(finding.explains.begin(), finding.explains.end());
  Cause cause;
  for (const auto& set : facts.report.sets) {
    for (const auto* row : unexplained_rows(set, explained)) {
      for (const auto& id : row->probes) {
        const auto* result = facts.find(id);
        const bool lost = result != nullptr && failing(*result) && facts.asked_for(*result);
        if (lost) add_once(cause.explained, result);
      }
    }
  }
  if (cause.explained.empty()) return std::nullopt;
  cause.name(FindingCode::network_unexplained, possible);
  const auto hosts = listed(hosts_of(cause.explained));
  const bool names_only = std::ranges::all_of(cause.explained, [](const ProbeResult* result) {
    return result->observation.outcome == Outcome::unresolved;
  });
  if (names_only) {
    cause.title = phrase("{} could not be looked up, cause unknown", hosts);
    cause.fix = look_up_elsewhere(facts, hosts_of(cause.explained));
    cause.owner = Owner::dns;
    if (const auto* taken = port_53_taken(facts)) cause.tell(intercepts_dns(*taken));
  } else {
    const auto flows = flows_in_words(facts, cause.explained);
    cause.title = phrase("{} cannot be reached, cause unknown", hosts);
    cause.fix = phrase(
        "Try the service from another line (a mobile phone's hotspot). If it works there, look in "
        "this site's firewall log for dropped packets from this computer, and allow them with "
        "return traffic{}. If it does not work there either, ask the operator of {}.",
        flows.empty() ? "" : ": " + flows, hosts);
  }
  cause.show(cause.explained, 6);
  return cause;
}

}  // namespace callready::findings
