#include <algorithm>
#include <set>

#include "probe/diagnosis/status/judge.hpp"
#include "probe/diagnosis/status/media_quality.hpp"
#include "probe/diagnosis/words.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

bool any_measured(const std::vector<std::string>& ids, const Rows& rows) {
  return std::ranges::any_of(ids, [&](const auto& id) {
    const auto* row = rows.find(id);  // a report may name what it does not have
    return row != nullptr && row->status != Status::skip;
  });
}

// Calls depend on it: the set says so, and its vendor requires one of its rows.
bool is_needed(const CapabilityResult& capability, const Rows& rows) {
  return capability.calls && loss_of(capability.requirements, rows) == Verdict::blocked;
}

// What a capability adds to the verdict of its set.
Verdict weight_of(const CapabilityResult& capability, const Rows& rows) {
  const bool beside = capability.verdict == Verdict::blocked && !is_needed(capability, rows);
  return beside ? Verdict::degraded : capability.verdict;
}

// All rows of the run together, as if one capability needed each of them. Where none works, and
// none that failed is needed, nothing is known.
Verdict verdict_of_rows(const Rows& rows) {
  Capability everything;
  for (const auto& row : rows) everything.needs.push_back({{{row.id}}, false});
  const auto verdict = weight_of(judge_capability(everything, rows), rows);
  const bool any_works = std::ranges::any_of(rows, [](const RequirementResult& row) {
    return row.status == Status::pass || (row.status == Status::warn && !row.lost);
  });
  return verdict == Verdict::ready && !any_works ? Verdict::unknown : verdict;
}

// True if it is for these scenarios; an item that names none is for all.
template <typename Item>
bool is_for(const Item& item, const std::vector<std::string>& scenarios) {
  const auto& its = item.scenarios;
  return its.empty() ||
         std::ranges::any_of(its, [&](const std::string& id) { return contains(scenarios, id); });
}

// Rows of the capability that the user left out (`--only`, `--skip`): the verdict is without them.
// Those of other vantages or clients are not this run's.
Text left_out_by_choice(const TargetSet& set, const Capability& capability, const Rows& rows,
                        const std::vector<std::string>& scenarios) {
  const auto missing = std::ranges::count_if(row_ids_of(capability), [&](const auto& id) {
    const auto* row = set.find_requirement(id);
    return row != nullptr && rows.find(id) == nullptr && row->vantages.empty() &&
           row->clients.empty() && is_for(*row, scenarios);
  });
  if (missing == 0) return {};
  return plural(missing, "; {} of its requirements was left out of this run",
                "; {} of its requirements were left out of this run");
}

// The variable that stands for one of the row's hosts, or nothing.
std::string variable_of(const TargetSet& set, const std::string& id) {
  const auto* row = set.find_requirement(id);
  for (const auto& variable : set.variables) {
    const auto text = "${" + variable.name + '}';
    const bool used = row != nullptr && std::ranges::any_of(row->hosts, [&](const Host& host) {
                        return host.name.find(text) != host.name.npos;
                      });
    if (used) return variable.name;
  }
  return {};
}

// Users of such a service sign in to it. If no measured row shows whether that works, the verdict
// does not cover it.
Text untested_sign_in(const TargetSet& set, const Rows& rows) {
  if (!is_signed_in_to(set)) return {};
  bool known = false;
  std::string yours;
  for (const auto& capability : set.capabilities) {
    if (!capability.sign_in) continue;
    known = true;
    const auto ids = row_ids_of(capability);
    if (any_measured(ids, rows)) return {};
    for (const auto& id : ids) {
      if (yours.empty() && rows.find(id) != nullptr) yours = variable_of(set, id);
    }
  }
  if (!known) {
    return phrase(
        "Sign-in was not tested: the vendor's document lists no hosts for it. To test your own "
        "sign-in page, add --var sign_in=...");
  }
  if (yours.empty()) return phrase("Sign-in was not tested in this run.");
  return phrase("Sign-in was not tested: specify your own sign-in page with --var {}=...", yours);
}

// True if it hurts a row of the set that matters, or the set as a whole.
bool weakens(const Finding& finding, const SetResult& set) {
  if (finding.confidence == Confidence::possible || has(finding.code, FindingTrait::advice))
    return false;
  const bool affected = std::ranges::any_of(
      finding.affects, [&](const FindingAffects& affects) { return affects.set == set.id; });
  if (!affected || has(finding.code, FindingTrait::strikes_all)) return affected;
  bool any = false;
  for (const auto& row : set.requirements) {
    const auto id = set.id + '/' + row.id;
    if (!contains(finding.explains, id)) continue;
    if (row.severity != Severity::optional && !row.lost) return true;
    any = true;
  }
  return !any;
}

// The prefixes that the site's DNS64 was seen to use, and the well-known ones (RFC 6052, RFC 8215).
std::vector<Network> translators(const Report& report) {
  std::vector<Network> prefixes{*Network::parse("64:ff9b::/47")};
  for (const auto& result : report.probes) {
    for (const auto& evidence : findings::all_evidence(result.observation, EvidenceKind::nat64)) {
      const auto prefix = Network::parse(text_fact(evidence, Fact::prefix));
      if (prefix) prefixes.push_back(*prefix);
    }
  }
  return prefixes;
}

}  // namespace

void weigh_findings(const std::vector<Finding>& findings, std::vector<SetResult>& sets) {
  for (auto& set : sets) {
    const bool weak = std::ranges::any_of(
        findings, [&](const Finding& finding) { return weakens(finding, set); });
    if (weak) set.verdict = worse_of(set.verdict, Verdict::degraded);
  }
}

Verdict verdict_of_set(const std::vector<CapabilityResult>& capabilities, const Rows& rows) {
  bool measured = false, open = false;
  auto verdict = Verdict::ready;
  for (const auto& capability : capabilities) {
    if (!any_measured(capability.requirements, rows)) continue;
    measured = true;
    open |= capability.verdict == Verdict::unknown && is_needed(capability, rows);
    verdict = worse_of(verdict, weight_of(capability, rows));
  }
  if (!measured) return verdict_of_rows(rows);
  // A broken condition of the vendor that no capability names counts for all of them.
  const auto named = [&](const std::string& id) {
    return std::ranges::any_of(capabilities, [&](const auto& capability) {
      return contains(capability.requirements, id);
    });
  };
  const bool broken = std::ranges::any_of(rows, [&](const auto& row) {
    const bool fails = row.status == Status::fail && row.severity == Severity::required;
    return fails || (row.impaired && row.severity != Severity::optional && !named(row.id));
  });
  if (broken && verdict == Verdict::ready) verdict = Verdict::degraded;
  // While a needed one may be blocked, it is not known that it works at all, even in part.
  return verdict == Verdict::degraded && open ? Verdict::unknown : verdict;
}

SetResult judge_set(const PlannedSet& planned, const ResultIndex& index) {
  const auto& set = *planned.set;
  const auto& scenarios = planned.scenarios;
  SetResult result;
  static_cast<SetText&>(result) = set;
  result.leans_on = set.leans_on;
  for (const auto& advice : set.advice) {
    if (is_for(advice, scenarios)) result.advice.push_back({advice.id, advice.text, advice.source});
  }
  const auto regions = distances_of_regions(planned.rows, index);
  for (const auto& plan : planned.rows) {
    const auto* requirement = set.find_requirement(plan.requirement);
    if (plan.set != set.id || requirement == nullptr) continue;
    auto row = *requirement;
    const bool streamed = is_streamed(row, index.results_of(plan.probes));
    if (streamed || carries_media(row.check)) row.thresholds = media_figures(set, row);
    auto judged = judge_requirement(row, plan, index, regions);
    const auto filled = planned.own.find(row.id);
    judged.rules =
        rules_of(set, filled == planned.own.end() ? *requirement : filled->second, scenarios);
    judged.error_texts = row.error_texts;
    judged.of_set = row.of_set;
    result.requirements.push_back(std::move(judged));
  }
  const Rows rows(result.requirements);
  for (const auto& capability : set.capabilities) {
    if (!is_for(capability, scenarios)) continue;
    auto judged = judge_capability(capability, rows);
    if (judged.requirements.empty()) continue;
    judged.summary += left_out_by_choice(set, capability, rows, scenarios);
    result.capabilities.push_back(std::move(judged));
  }
  degrade_by_streams(result, set);
  result.verdict = verdict_of_set(result.capabilities, rows);
  if (auto note = untested_sign_in(set, rows); !note.empty())
    result.notes.push_back(std::move(note));
  return result;
}

std::vector<Text> ipv6_notes(const SetResult& set, const Report& report) {
  std::set<std::string> ids, hosts;
  for (const auto& row : set.requirements) ids.insert(row.probes.begin(), row.probes.end());
  for (const auto& result : report.probes) {
    if (ids.contains(result.probe.id)) hosts.insert(result.probe.target.host);
  }
  const auto prefixes = translators(report);
  std::vector<std::string> native, translated, literal;
  for (const auto& [probe, seen] : report.probes) {
    const bool of_service = probe.check == CheckKind::ipv6 && hosts.contains(probe.target.host);
    const bool ours = of_service || ids.contains(probe.id);
    // Through a proxy the address is the proxy's, and for a question about a name the resolver's.
    const auto& address = seen.address;
    const bool own = probe.target.route.direct() && probe.check != CheckKind::dns;
    if (!ours || !own || !address || !address->is_v6()) continue;
    const auto given = IpAddress::parse(probe.target.host);
    if (!reached(seen.outcome) || (given && given->is_v6())) continue;
    // That packets leave the site does not show that anything works.
    if (!given && seen.outcome == Outcome::passed) continue;
    const bool by_translation = std::ranges::any_of(
        prefixes, [&](const auto& prefix) { return prefix.contains(*address); });
    // Only translation leads from an IPv4 address to an IPv6 one.
    add_once(given ? literal : by_translation ? translated : native, probe.target.host);
  }
  std::vector<Text> notes;
  if (!native.empty())
    notes.push_back(phrase("Works over IPv6, too: {}.", findings::listed(native)));
  if (!translated.empty()) {
    notes.push_back(phrase("Reached over IPv6 only because this network translates (NAT64): {}.",
                           findings::listed(translated)));
  }
  if (!literal.empty()) {
    notes.push_back(
        phrase("Listed as IPv4 addresses, without names: {}. On this network, programs can reach "
               "them only with a translator on the computer itself (464XLAT, CLAT).",
               findings::listed(literal)));
  }
  return notes;
}

}  // namespace callready
