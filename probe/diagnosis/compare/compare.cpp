#include "probe/diagnosis/compare/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "probe/util/text.hpp"

namespace callready {
namespace {

// From worst to best. What was not tried is not in it, and compares with nothing.
constexpr std::array by_status{Status::fail, Status::unknown, Status::warn, Status::pass};
constexpr std::array by_verdict{Verdict::blocked, Verdict::unknown, Verdict::degraded,
                                Verdict::ready};

template <typename Value>
Trend trend_of(Value before, Value after, const std::array<Value, 4>& order) {
  const auto then = std::ranges::find(order, before);
  const auto now = std::ranges::find(order, after);
  if (then == order.end() || now == order.end()) return Trend::changed;
  // What could not be decided was not shown to be better than it was, nor worse.
  if (after == Value::unknown) return now > then ? Trend::changed : Trend::unknown;
  return now > then ? Trend::better : Trend::worse;
}

Verdict value_of(const SetResult& set) { return set.verdict; }
Verdict value_of(const CapabilityResult& capability) { return capability.verdict; }
Status value_of(const RequirementResult& row) { return row.status; }
Trend trend_of(Verdict before, Verdict after) { return trend_of(before, after, by_verdict); }
Trend trend_of(Status before, Status after) { return trend_of(before, after, by_status); }

// Sets (`set` is empty), or the capabilities or requirements of one. `of_both` is called with each
// that both reports have.
template <typename Item, typename OfBoth>
void compare_items(Comparison& result, Change::Of of, const std::string& set,
                   const std::vector<Item>& before, const std::vector<Item>& after,
                   OfBoth of_both) {
  const auto entry_of = [&](const Item& item) {
    const std::string word(to_string(value_of(item)));
    return of == Change::Of::set ? Lone{of, item.id, "", item.title, word}
                                 : Lone{of, set, item.id, item.title, word};
  };
  for (const auto& item : after) {
    const auto* old = find_by_id(before, item.id);
    if (old == nullptr) {
      result.added.push_back(entry_of(item));
      continue;
    }
    of_both(*old, item);
    if (value_of(*old) == value_of(item)) continue;
    const auto then = entry_of(*old), now = entry_of(item);
    auto& change = result.changes.emplace_back(
        Change{of, now.set, now.id, now.title, then.status, now.status});
    change.trend = trend_of(value_of(*old), value_of(item));
    if constexpr (requires { item.summary; }) {
      change.summary_before = old->summary.string();
      change.summary_after = item.summary.string();
    }
  }
  for (const auto& item : before) {
    if (find_by_id(after, item.id) == nullptr) result.removed.push_back(entry_of(item));
  }
}

void compare_sets(Comparison& result, const Report& before, const Report& after) {
  const auto nothing_more = [](const auto&, const auto&) {};
  const auto inside = [&](const SetResult& old, const SetResult& set) {
    const auto then = title_and_edition(old.title, old.edition);
    const auto now = title_and_edition(set.title, set.edition);
    if (then != now) {
      result.notes.push_back(fmt::format(
          "{}: the older report used the set \"{}\", the newer one \"{}\"", set.id, then, now));
    }
    compare_items(result, Change::Of::capability, set.id, old.capabilities, set.capabilities,
                  nothing_more);
    compare_items(result, Change::Of::requirement, set.id, old.requirements, set.requirements,
                  nothing_more);
  };
  compare_items(result, Change::Of::set, "", before.sets, after.sets, inside);
  std::ranges::stable_sort(result.changes, {}, &Change::of);
}

// Findings of one code may be several. The same cause has the same title, or (its title names what
// was met, and that may vary) explains some of the same rows.
bool same_cause(const Finding& a, const Finding& b, bool strictly) {
  if (a.code != b.code) return false;
  return a.title == b.title ||
         (!strictly && std::ranges::find_first_of(a.explains, b.explains) != a.explains.end());
}

std::string difference(const Finding& before, const Finding& after) {
  std::string text;
  if (before.confidence != after.confidence)
    text = fmt::format("was {}, is {}", to_string(before.confidence), to_string(after.confidence));
  if (before.title != after.title)
    text += fmt::format("{}was: {}", text.empty() ? "" : "; ", before.title);
  return text;
}

// How many of the rows that the finding explains have no such status in the report.
template <typename Wanted>
std::size_t rows_without(Wanted status, const Finding& finding, const Report& report) {
  std::set<std::string> have;
  for (const auto& set : report.sets) {
    for (const auto& row : set.requirements) {
      if (status(row.status)) have.insert(set.id + '/' + row.id);
    }
  }
  return static_cast<std::size_t>(
      std::ranges::count_if(finding.explains, [&](const auto& id) { return !have.contains(id); }));
}

// Why a finding that only the newer report has may not be new; empty: it is.
std::string doubt_new(const Finding& fresh, const Report& before) {
  if (!before.complete) return "the older run is incomplete: it may have been there before";
  const auto measured = [](Status status) {
    return status != Status::skip && status != Status::unknown;
  };
  const bool none =
      !fresh.explains.empty() && rows_without(measured, fresh, before) == fresh.explains.size();
  return none ? "the older run measured none of the requirements that it explains" : "";
}

// Why a finding that only the older report has may still be there; empty: it is gone.
std::string doubt_gone(const Finding& gone, const Report& after) {
  if (!after.complete) return "the newer run is incomplete: it may still be there";
  const auto works = [](Status status) { return status == Status::pass || status == Status::warn; };
  const auto open = rows_without(works, gone, after);
  if (open == 0) return {};
  return fmt::format("{} of the {} requirements that it explained have not been shown to work",
                     open, gone.explains.size());
}

// What the newer report's own history says counts; where it has none, the older's.
StandingFinding standing_of(const Finding& old, const Finding& finding, const Report& before) {
  const auto& own = finding.standing;
  // A history that begins with the newer run itself knows nothing about the older.
  const bool knows = own && (own->began || own->since <= before.started_at);
  const auto& known = knows ? own : old.standing;
  if (!known) return {finding, before.started_at, true};
  return {finding, known->since, !known->began};
}

// What only one report has. `doubt`: why the trend may not be that; empty: it is.
FindingChange in_one_report(Trend trend, const Finding& finding, std::string_view seen,
                            const std::string& doubt) {
  if (doubt.empty()) return {trend, finding, ""};
  return {Trend::changed, finding, fmt::format("{}, but {}", seen, doubt)};
}

void compare_findings(Comparison& result, const Report& before, const Report& after) {
  const auto same = same_causes(before.findings, after.findings);
  for (std::size_t i = 0; i < same.size(); ++i) {
    const auto& finding = after.findings[i];
    if (same[i] == nullptr) {
      result.findings.push_back(
          in_one_report(Trend::worse, finding, "not seen before", doubt_new(finding, before)));
      continue;
    }
    result.standing.push_back(standing_of(*same[i], finding, before));
    if (const auto text = difference(*same[i], finding); !text.empty())
      result.findings.push_back({Trend::changed, finding, text});
  }
  for (const auto& finding : before.findings) {
    if (contains(same, &finding)) continue;
    result.findings.push_back(
        in_one_report(Trend::better, finding, "no longer seen", doubt_gone(finding, after)));
  }
  std::ranges::stable_sort(result.findings, {}, [](const FindingChange& change) {
    return change.trend == Trend::worse ? 0 : change.trend == Trend::better ? 1 : 2;
  });
}

ComparedReport header_of(const Report& report, const std::string& name) {
  return {name, report.site.name, report.started_at, report.complete, overall(report)};
}

void add_notes(Comparison& result, const Report& before, const Report& after) {
  auto& notes = result.notes;
  if (!before.complete) notes.emplace_back("The older run is incomplete.");
  if (!after.complete) notes.emplace_back("The newer run is incomplete.");
  if (before.started_at > after.started_at)
    notes.emplace_back("The report given as the newer one is older than the other.");
  if (before.site.name != after.site.name) {
    notes.push_back(fmt::format("The reports are of different sites: \"{}\", \"{}\".",
                                before.site.name, after.site.name));
  }
  if (before.site.vantage != after.site.vantage)
    notes.emplace_back("The reports were made with different --from.");
  if (before.part != after.part) {
    notes.emplace_back(
        "The reports were made with different --only, --skip, --client or --region.");
  }
  if (before.redacted != after.redacted)
    notes.emplace_back("The two reports use pseudonyms made with different keys.");
}

// `before`: from the run before, if that said the same.
Standing one_more(const std::optional<Standing>& before, const Report& previous) {
  auto standing = before.value_or(Standing{previous.started_at, 1, false});
  if (standing.runs < std::numeric_limits<int>::max()) ++standing.runs;  // a file holds any number
  return standing;
}

template <typename Item>
void continue_verdicts(const std::vector<Item>& before, std::vector<Item>& after,
                       const Report& previous, const Report& report) {
  for (auto& item : after) {
    const auto* old = find_by_id(before, item.id);
    const bool same = old != nullptr && old->verdict == item.verdict;
    item.standing =
        same ? one_more(old->standing, previous) : Standing{report.started_at, 1, old != nullptr};
  }
}

bool is_of_the_same_place(const Report& previous, const Report& report) {
  return previous.site.name == report.site.name && previous.site.vantage == report.site.vantage &&
         previous.part == report.part && previous.redacted == report.redacted &&
         previous.vantages.empty() && previous.started_at <= report.started_at;
}

}  // namespace

std::vector<const Finding*> same_causes(const std::vector<Finding>& before,
                                        const std::vector<Finding>& after) {
  std::vector<const Finding*> old;
  for (const auto& finding : before) old.push_back(&finding);
  std::vector<const Finding*> found(after.size(), nullptr);
  // In merged reports one cause may have two owners.
  for (int round = 0; round < 4; ++round) {
    const bool strictly = round < 2, same_owner = round % 2 == 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (found[i] != nullptr) continue;
      const auto match = std::ranges::find_if(old, [&](const Finding* candidate) {
        return same_cause(*candidate, after[i], strictly) &&
               (!same_owner || candidate->owner == after[i].owner);
      });
      if (match == old.end()) continue;
      found[i] = *match;
      old.erase(match);
    }
  }
  return found;
}

Comparison compare(const Report& before, const std::string& before_name, const Report& after,
                   const std::string& after_name) {
  Comparison result;
  result.before = header_of(before, before_name);
  result.after = header_of(after, after_name);
  add_notes(result, before, after);
  compare_sets(result, before, after);
  compare_findings(result, before, after);
  return result;
}

void continue_history(const Report* previous, Report& report) {
  static const Report nothing;
  const bool known = previous != nullptr && is_of_the_same_place(*previous, report);
  const auto& before = known ? *previous : nothing;
  continue_verdicts(before.sets, report.sets, before, report);
  for (auto& set : report.sets) {
    const auto* old = find_by_id(before.sets, set.id);
    const std::vector<CapabilityResult> none;
    continue_verdicts(old == nullptr ? none : old->capabilities, set.capabilities, before, report);
  }
  const auto same = same_causes(before.findings, report.findings);
  for (std::size_t i = 0; i < same.size(); ++i) {
    report.findings[i].standing = same[i] != nullptr ? one_more(same[i]->standing, before)
                                                     : Standing{report.started_at, 1, known};
  }
}

void keep_history(const std::vector<Finding>& from, std::vector<Finding>& to) {
  const auto same = same_causes(from, to);
  for (std::size_t i = 0; i < same.size(); ++i) {
    if (same[i] != nullptr) to[i].standing = same[i]->standing;
  }
}

}  // namespace callready
