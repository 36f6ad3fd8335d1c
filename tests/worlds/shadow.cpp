#include "tests/worlds/shadow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "probe/util/text.hpp"

namespace callready::reach {
namespace {

// Sets and their capabilities that are not ready, and need one of these rows.
std::vector<FindingAffects> affected(const Report& report, const std::vector<std::string>& rows) {
  const std::set<std::string> explained(rows.begin(), rows.end());
  std::vector<FindingAffects> found;
  for (const auto& set : report.sets) {
    FindingAffects affects{set.id, {}};
    bool any = false;
    for (const auto& row : set.requirements) any |= explained.contains(set.id + '/' + row.id);
    for (const auto& capability : set.capabilities) {
      const bool its = std::ranges::any_of(capability.requirements, [&](const std::string& id) {
        return explained.contains(set.id + '/' + id);
      });
      if (its && capability.verdict != Verdict::ready)
        affects.capabilities.push_back(capability.id);
    }
    if (any) found.push_back(std::move(affects));
  }
  return found;
}

Finding finding_of(const ToldCause& cause) {
  Finding finding;
  finding.code = *cause.code.finding;
  finding.title = cause.text;
  finding.confidence = confidence_of(cause.sure);
  finding.owner = cause.owner;
  finding.fix = "Let this through.";
  finding.explains = cause.explains;
  for (const auto& [probe, text, gain] : cause.evidence) finding.evidence.push_back({probe, text});
  return finding;
}

// What no world explains, if it leaves a row open or lost.
std::optional<Finding> leftovers(const Shadow& diagnosis) {
  Finding finding;
  finding.code = FindingCode::network_unexplained;
  finding.owner = Owner::network;
  finding.confidence = Confidence::possible;
  std::map<std::string_view, const Leftover*> left;
  for (const auto& one : diagnosis.told.unexplained) left.try_emplace(one.probe, &one);
  std::set<std::string> shown;
  for (std::size_t i = 0; i < diagnosis.asked_rows.rows.size(); ++i) {
    const auto status = diagnosis.judged.rows[i].status;
    if (status != Status::fail && status != Status::unknown) continue;
    const auto& asked = diagnosis.asked_rows.rows[i];
    for (const auto probe : asked.probes) {
      const auto found = left.find(diagnosis.asked.probes[probe].result->probe.id);
      if (found == left.end()) continue;
      const auto row = asked.set->id + '/' + asked.row->id;
      if (finding.explains.empty() || finding.explains.back() != row) {
        finding.explains.push_back(row);
      }
      if (!shown.insert(found->second->probe).second) continue;
      finding.evidence.push_back({found->second->probe, found->second->text});
    }
  }
  if (finding.evidence.empty()) return std::nullopt;
  finding.title = fmt::format("{} observations that nothing explains", finding.evidence.size());
  finding.fix = "Look at these by hand.";
  return finding;
}

}  // namespace

Shadow diagnose(const Report& report, const RowReach& reach, const SearchLimits& limits,
                std::span<const KindOfBox> table) {
  std::vector<Finding> contents;
  std::ranges::copy_if(report.findings, std::back_inserter(contents), [](const Finding& finding) {
    return has(finding.code, FindingTrait::of_contents);
  });
  auto drawn = find_worlds(report, contents, limits, table);
  Shadow result{std::move(drawn), std::move(contents), {}, {}, {}, {}};
  result.asked_rows = rows_of(report, result, reach, result.contents);
  result.told = tell(result, result.asked_rows);
  result.judged = judge(report, result, result.asked_rows);
  const auto& sets = result.judged.sets;
  const bool open = result.worlds.front().probability < is_likely ||
                    std::ranges::count(sets, Verdict::unknown, &JudgedSet::verdict) > 0;
  if (open) result.question = next_question(report, result.sight, result.boxes, result.worlds);
  return result;
}

Report as_report(const Report& report, const Shadow& diagnosis) {
  auto made = report;
  std::size_t row = 0;
  for (std::size_t i = 0; i < made.sets.size(); ++i) {
    auto& set = made.sets[i];
    const auto& judged = diagnosis.judged.sets[i];
    set.verdict = judged.verdict;
    for (std::size_t j = 0; j < set.capabilities.size(); ++j) {
      set.capabilities[j].verdict = judged.capabilities[j].first;
    }
    for (auto& requirement : set.requirements) {
      requirement.status = diagnosis.judged.rows[row++].status;
    }
  }
  std::set<std::string> open;  // what fails only in some of the worlds is not explained
  for (const auto& set : made.sets) {
    for (const auto& requirement : set.requirements) {
      const auto status = requirement.status;
      if (status == Status::unknown || status == Status::pass) {
        open.insert(set.id + '/' + requirement.id);
      }
    }
  }
  made.findings.clear();
  for (const auto& cause : diagnosis.told.causes) {
    // Causes about contents are reported by their rule.
    if (has(*cause.code.finding, FindingTrait::of_contents)) continue;
    if (!cause.is_said()) continue;
    made.findings.push_back(finding_of(cause));
    std::erase_if(made.findings.back().explains,
                  [&](const std::string& id) { return open.contains(id); });
  }
  append(made.findings, diagnosis.contents);
  if (auto left = leftovers(diagnosis)) made.findings.push_back(std::move(*left));
  for (auto& finding : made.findings) finding.affects = affected(made, finding.explains);
  // What is only possible is reported only if something does not work because of it.
  std::erase_if(made.findings, [](const Finding& finding) {
    const bool breaks = std::ranges::any_of(
        finding.affects, [](const FindingAffects& one) { return !one.capabilities.empty(); });
    const bool weak =
        finding.confidence == Confidence::possible || finding.code == FindingCode::vendor_down;
    return weak && !breaks && !has(finding.code, FindingTrait::of_contents);
  });
  return made;
}

}  // namespace callready::reach
