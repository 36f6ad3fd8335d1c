#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "probe/verdict/judge.hpp"

namespace callready {
namespace {

// How long a transcription is taken to be current: the vendors' documents change some four times a
// year.
constexpr int stale_after = 180;

std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
  if (text.size() != 10) return std::nullopt;
  int year = 0;
  unsigned month = 0, day = 0;
  std::from_chars(text.data(), text.data() + 4, year);
  std::from_chars(text.data() + 5, text.data() + 7, month);
  std::from_chars(text.data() + 8, text.data() + 10, day);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// Among capabilities: blocked and degraded outweigh what could not be decided, as in overall().
int weight(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
      return 0;
    case Verdict::unknown:
      return 1;
    case Verdict::degraded:
      return 2;
    case Verdict::blocked:
      return 3;
  }
  return 3;
}

}  // namespace

Evidences::Evidences(const std::vector<ProbeResult>& results) {
  for (const auto& result : results) {
    by_id_[result.probe.id] = &result;
    const auto& host = result.probe.target.host;
    if (result.observation.round_trip && result.probe.target.route.direct()) {
      const auto [place, fresh] = distances_.try_emplace(host, *result.observation.round_trip);
      if (!fresh) place->second = std::min(place->second, *result.observation.round_trip);
    }
    if (result.probe.check == "sip" && result.observation.outcome == Outcome::answered) {
      sip_answers_[host] = true;
    }
  }
}

const ProbeResult* Evidences::find(const std::string& probe_id) const {
  const auto found = by_id_.find(probe_id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::optional<Milliseconds> Evidences::distance(const std::string& host) const {
  const auto found = distances_.find(host);
  if (found == distances_.end()) return std::nullopt;
  return found->second;
}

bool Evidences::answers_sip(const std::string& host) const { return sip_answers_.contains(host); }

SetResult judge_set(const TargetSet& set, const std::vector<PlannedRequirement>& planned,
                    const Evidences& evidences) {
  SetResult result;
  result.id = set.id;
  result.title = set.title;
  result.edition = set.edition;
  result.verified = set.verified;
  result.document = set.document;
  std::map<std::string, RequirementResult> rows;
  for (const auto& plan : planned) {
    const auto* requirement = set.find_requirement(plan.requirement);
    if (plan.set != set.id || requirement == nullptr) continue;
    result.requirements.push_back(judge_requirement(*requirement, plan, evidences));
    rows[requirement->id] = result.requirements.back();
  }
  bool any_measured = false;
  auto verdict = Verdict::ready;
  for (const auto& capability : set.capabilities) {
    const auto in_run = [&](const Need& need) {
      return std::any_of(need.alternatives.begin(), need.alternatives.end(), [&](const auto& ids) {
        return std::any_of(ids.begin(), ids.end(),
                           [&](const auto& id) { return rows.contains(id); });
      });
    };
    if (std::none_of(capability.needs.begin(), capability.needs.end(), in_run)) continue;
    auto judged = judge_capability(capability, rows);
    std::erase_if(judged.requirements, [&](const auto& id) { return !rows.contains(id); });
    const bool measured =
        std::any_of(judged.requirements.begin(), judged.requirements.end(),
                    [&](const auto& id) { return rows.at(id).status != Status::skip; });
    if (measured) {
      any_measured = true;
      if (weight(judged.verdict) > weight(verdict)) verdict = judged.verdict;
    }
    result.capabilities.push_back(std::move(judged));
  }
  result.verdict = any_measured ? verdict : Verdict::unknown;
  return result;
}

std::string staleness(const TargetSet& set, std::string_view today) {
  const auto now = parse_day(today);
  const auto verified = parse_day(set.verified);
  if (!now || !verified) return {};
  const auto age = (*now - *verified).count();
  if (age <= stale_after) return {};
  return fmt::format(
      "This list was last held against the vendor's document {} days ago ({}): look for a newer "
      "edition of \"{}\"",
      age, set.verified, set.document);
}

}  // namespace callready
