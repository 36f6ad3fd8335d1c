#include "probe/engine/evaluate.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "probe/diagnosis/questions/fallbacks.hpp"
#include "probe/diagnosis/questions/follow_up.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

// The results belong to the runner, and are lent to the report while it is looked at.
struct Loan {
  Loan(std::vector<ProbeResult>& owner, std::vector<ProbeResult>& user)
      : owner_(owner), user_(user) {
    owner_.swap(user_);
  }
  ~Loan() { owner_.swap(user_); }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  std::vector<ProbeResult>&owner_, &user_;
};

std::map<std::string, Requirement> own_rows(const TargetSet& set, const VariableValues& given) {
  std::map<std::string, Requirement> rows;
  const auto values = variable_values(set, given);
  if (values.empty()) return rows;
  for (const auto& row : set.requirements) {
    auto filled = expand_variables(row, values);
    if (filled.missing.size() == expand_variables(row, {}).missing.size()) continue;
    rows.emplace(row.id, std::move(filled.requirement));
  }
  return rows;
}

}  // namespace

std::vector<PlannedSet> planned_sets(const std::vector<TargetSet>& sets, const PlanOptions& options,
                                     const Plan& plan) {
  std::vector<PlannedSet> all;
  for (const auto& set : sets) {
    if (set.control) continue;
    auto& planned = all.emplace_back();
    planned.set = &set;
    planned.scenarios = active_scenarios(set, options);
    planned.own = own_rows(set, options.variables);
    for (const auto& row : plan.requirements) {
      if (row.set == set.id) planned.rows.push_back(row);
    }
  }
  return all;
}

void ask_further(const std::vector<PlannedSet>& sets, std::string today, bool hurried,
                 Report& report, RunnerOptions& runner) {
  runner.further = [&sets, &report, hurried](std::vector<ProbeResult>& so_far) {
    const Loan loan(so_far, report.probes);
    report.sets = rows_as_seen(sets, report);
    return follow_ups(report, hurried);
  };
  runner.needed_after_all = [&sets, &report,
                             today = std::move(today)](std::vector<ProbeResult>& so_far) {
    if (std::none_of(so_far.begin(), so_far.end(), is_spared_fallback)) {
      return std::vector<std::string>();
    }
    const Loan loan(so_far, report.probes);
    diagnose(sets, today, report);
    return needed_after_all(report);
  };
}

std::vector<IpAddress> public_addresses(const std::vector<ProbeResult>& results) {
  std::set<IpAddress> found;
  for (const auto& result : results) {
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::mapped_address) continue;
      const auto address = IpAddress::parse(text_fact(evidence, Fact::address));
      if (address && !address->is_special()) found.insert(*address);
    }
  }
  return {found.begin(), found.end()};
}

std::optional<Text> note_of_rewritten_answers(const std::vector<ProbeResult>& results) {
  // One alone may be reached over a private line, where it does see such an address.
  constexpr std::size_t enough = 2;
  std::map<std::string, IpAddress> named;  // by host
  for (const auto& [probe, seen] : results) {
    if (!seen.address || seen.address->is_special() || !probe.target.route.direct()) continue;
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind != EvidenceKind::mapped_address) continue;
      const auto address = IpAddress::parse(text_fact(evidence, Fact::address));
      if (!address) continue;
      if (!address->is_private()) return std::nullopt;
      const bool own = seen.local && seen.local->address == *address;
      if (!own) named.emplace(probe.target.host, *address);
    }
  }
  if (named.size() < enough) return std::nullopt;
  const auto& [host, address] = *named.begin();
  return phrase(
      "{} and other STUN servers outside give {}, a private address, as this computer's public "
      "one: a device in the path rewrites their answers (an ALG, \"application layer gateway\"). "
      "Turn that off: calls that need no relay may have no sound.",
      host, address);
}

void describe_nat(Site& site, const std::vector<ProbeResult>& results) {
  const std::pair<EvidenceKind, std::optional<std::string> Site::*> members[] = {
      {EvidenceKind::nat_mapping, &Site::nat_mapping},
      {EvidenceKind::nat_filtering, &Site::nat_filtering},
      {EvidenceKind::port_preservation, &Site::nat_port_preservation},
      {EvidenceKind::hairpin, &Site::nat_hairpin},
      {EvidenceKind::nat_translations, &Site::nat_translations},
      {EvidenceKind::nat_lifetime, &Site::nat_binding_lifetime},
  };
  for (const auto& result : results) {
    if (result.probe.check != CheckKind::nat) continue;
    for (const auto& [kind, member] : members) {
      for (const auto& evidence : result.observation.evidence) {
        if (evidence.kind != kind) continue;
        const auto value = text_fact(evidence, Fact::value);
        auto& place = site.*member;
        // Another server may have measured what the first could not.
        if (!value.empty() && (!place || place == to_string(DetailCode::not_measured)))
          place = value;
      }
    }
  }
}

}  // namespace callready
