#include "probe/diagnosis/compare/merge_rows.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <set>
#include <span>
#include <tuple>

#include "probe/diagnosis/status/judge.hpp"
#include "probe/util/text.hpp"

namespace callready::merging {
namespace {

// What one vantage says: a row, a capability or a finding of its report.
template <typename Item>
struct Said {
  const MergeInput* part = nullptr;
  const Item* item = nullptr;
  const Item* operator->() const { return item; }
};
template <typename Item>
using AllSaid = std::vector<Said<Item>>;
using SaidOfRow = Said<RequirementResult>;

// A set of its report.
struct SaidOfSet : Said<SetResult> {
  SaidOfSet(const MergeInput& its_part, const SetResult& set)
      : Said{&its_part, &set}, rows(set.requirements), capabilities(set.capabilities) {}
  Rows rows;
  Indexed<CapabilityResult> capabilities;
};
using AllSets = std::vector<SaidOfSet>;

// What all that have the set say about one of its rows or capabilities.
template <typename Item>
AllSaid<Item> said_of(const std::string& id, const AllSets& sets, Indexed<Item> SaidOfSet::*items) {
  AllSaid<Item> said;
  for (const auto& set : sets) {
    const auto* item = (set.*items).find(id);
    if (item != nullptr) said.push_back({set.part, item});
  }
  return said;
}

// How much a vantage's word weighs; the highest that any has decides.
enum class Weight {
  not_tried,      // skipped there
  open_question,  // the user could settle it, and did not there
  elsewhere,      // measured, but not from where the row is for
  own,            // measured from there, or from anywhere where the row names no place
};

Weight weight_of(const SaidOfRow& row) {
  if (row->status == Status::skip) return Weight::not_tried;
  if (row->total == 0) return Weight::open_question;
  return row->elsewhere ? Weight::elsewhere : Weight::own;
}

// The higher, the worse; what was not decided counts as worse than what works with limits.
std::ptrdiff_t rank_of(const SaidOfRow& row) {
  static constexpr std::array order{Status::skip, Status::pass, Status::warn, Status::unknown,
                                    Status::fail};
  return std::ranges::find(order, row->status) - order.begin();
}

Text word_of(Status status) {
  switch (status) {
    case Status::pass:
      return phrase("works");
    case Status::warn:
      return phrase("works with limits");
    case Status::fail:
      return phrase("fails");
    case Status::unknown:
      return phrase("not decided");
    case Status::skip:
      break;
  }
  return phrase("not tested");
}

Text word_of(Verdict verdict) {
  if (verdict == Verdict::blocked) return phrase("blocked");
  return word_of(verdict == Verdict::ready      ? Status::pass
                 : verdict == Verdict::degraded ? Status::warn
                                                : Status::unknown);
}

// "from user and voice: 2 of 2 reached"; where they differ, "not the same everywhere: fails
// from voice (not reached: ...), works from user"; then what others saw who are not asked.
Text summary_of(std::span<const SaidOfRow> deciding, std::span<const SaidOfRow> others,
                const RequirementResult& worst) {
  const bool agree = std::ranges::all_of(
      deciding, [&](const SaidOfRow& row) { return row->status == worst.status; });
  Text text;
  if (agree) {
    std::vector<std::string> names;
    for (const auto& row : deciding) names.push_back(row.part->name);
    text = phrase("from {}: {}", joined_texts(names), worst.summary);
  } else {
    std::vector<Text> seen;
    std::vector sorted(deciding.begin(), deciding.end());
    std::ranges::stable_sort(sorted, std::greater(), rank_of);
    for (const auto& row : sorted) {
      const auto& from = row.part->name;
      seen.push_back(row->status == Status::pass
                         ? phrase("{} from {}", word_of(row->status), from)
                         : phrase("{} from {} ({})", word_of(row->status), from, row->summary));
    }
    text = phrase("not the same everywhere: {}", joined_texts(seen));
  }
  for (const auto& row : others) {
    if (weight_of(row) < Weight::elsewhere || row->status == worst.status) continue;
    text += phrase("; not relevant at {}, which saw: {} ({})", row.part->name, word_of(row->status),
                   row->summary);
  }
  return text;
}

// Of two saved reports, which may hold any numbers.
int sum_of(int one, int other) {
  constexpr int most = std::numeric_limits<int>::max();
  return other > most - one ? most : one + other;
}

RequirementResult combined(AllSaid<RequirementResult> all) {
  const auto highest = weight_of(*std::ranges::max_element(all, {}, weight_of));
  const std::span others = std::ranges::stable_partition(
      all, [&](const SaidOfRow& row) { return weight_of(row) == highest; });
  const auto deciding = std::span(all).first(all.size() - others.size());
  const auto& [part, worst] = *std::ranges::max_element(deciding, {}, rank_of);
  auto result = *worst;
  for (auto& missed : result.missed) {
    if (!missed.probe.empty()) missed.probe = id_from(missed.probe, part->name);
  }
  result.summary = summary_of(deciding, others, *worst);
  result.reached = result.total = 0;
  result.probes.clear();
  for (const auto& row : all) {
    result.left_out |= row->left_out;
    for (const auto& id : row->probes) result.probes.push_back(id_from(id, row.part->name));
  }
  for (const auto& row : deciding) {
    result.reached = sum_of(result.reached, row->reached);
    result.total = sum_of(result.total, row->total);
    result.poor |= row->poor;
    if (!result.closed_by) result.closed_by = row->closed_by;
    result.impaired |= row->impaired;
    result.lost &= row->lost;
  }
  return result;
}

// A report of an edition that did not write down what a capability needs: the worst of what the
// vantages say themselves.
void combine_verdicts(CapabilityResult& result, const AllSaid<CapabilityResult>& said) {
  const auto& worst = *std::ranges::max_element(
      said, {}, [](const auto& capability) { return badness(capability->verdict); });
  for (const auto& capability : said) add_new(result.requirements, capability->requirements);
  result.verdict = worst->verdict;
  result.fallback = worst->fallback;
  result.summary = worst->summary;
}

// A stream of another row took something from calls (degrade_by_streams), which the rows that the
// capability names do not know: as one of the vantages says it.
void degrade_as_there(CapabilityResult& result, const Capability& capability, const AllSets& sets) {
  if (result.verdict != Verdict::ready) return;
  for (const auto& set : sets) {
    const auto* here = set.capabilities.find(result.id);
    if (here == nullptr || here->verdict != Verdict::degraded) continue;
    if (judge_capability(capability, set.rows).verdict != Verdict::ready) continue;
    result.verdict = Verdict::degraded;
    result.summary = here->summary;
    return;
  }
}

CapabilityResult combined(const AllSaid<CapabilityResult>& said, const AllSets& sets,
                          const Rows& rows, bool any_poor) {
  const auto& first = said.front();
  Capability capability;
  capability.id = first->id;
  capability.title = first->title;
  capability.calls = first->calls;
  std::vector<Text> seen;
  bool differ = false;
  for (const auto& [part, here] : said) {
    if (capability.needs.empty()) capability.needs = here->needs;
    differ |= here->verdict != first->verdict;
    seen.push_back(phrase("{} from {}", word_of(here->verdict), part->name));
  }
  auto result = judge_capability(capability, rows);
  if (capability.needs.empty()) {
    combine_verdicts(result, said);
  } else if (any_poor) {
    degrade_as_there(result, capability, sets);
  }
  if (differ) result.summary += phrase(" ({})", joined_texts(seen));
  return result;
}

SetResult combined(const AllSets& sets, std::size_t all) {
  SetResult result;
  const auto& first = *sets.front().item;
  static_cast<SetText&>(result) = first;
  // Two computers may have different bytes of one edition; then neither hash is the whole truth.
  const bool same =
      std::ranges::all_of(sets, [&](const auto& set) { return set->sha256 == first.sha256; });
  if (!same) result.sha256.clear();
  std::vector<std::string> names;
  std::set<std::string_view> told, capabilities, advice, leans_on;
  for (const auto& set : sets) {
    names.push_back(set.part->name);
    for (const auto& row : set.rows) {
      if (!told.insert(row.id).second) continue;
      result.requirements.push_back(combined(said_of(row.id, sets, &SaidOfSet::rows)));
    }
  }
  const Rows rows(result.requirements);
  const bool any_poor = std::ranges::any_of(rows, &RequirementResult::poor);
  for (const auto& set : sets) {
    for (const auto& capability : set.capabilities) {
      if (!capabilities.insert(capability.id).second) continue;
      const auto said = said_of(capability.id, sets, &SaidOfSet::capabilities);
      result.capabilities.push_back(combined(said, sets, rows, any_poor));
    }
    for (const auto& item : set->advice) {
      if (advice.insert(item.id).second) result.advice.push_back(item);
    }
    for (const auto& other : set->leans_on) {
      if (leans_on.insert(other.id).second) result.leans_on.push_back(other);
    }
    add_new(result.notes, set->notes);
  }
  if (sets.size() < all)
    result.notes.push_back(phrase("Checked from {} only.", joined_texts(names)));
  result.verdict = verdict_of_set(result.capabilities, rows);
  return result;
}

// What came out well after all vantages have had their say.
struct Well {
  explicit Well(const std::vector<SetResult>& sets) {
    for (const auto& set : sets) {
      for (const auto& row : set.requirements) {
        if (is_well(row)) rows.insert(set.id + '/' + row.id);
      }
      for (const auto& capability : set.capabilities) {
        if (capability.verdict == Verdict::ready) capabilities.emplace(set.id, capability.id);
      }
    }
  }
  std::set<std::string> rows;
  std::set<std::pair<std::string, std::string>> capabilities;
};

// It hurts the set as a whole, whatever becomes of rows and capabilities.
bool hurts_whole_set(const Finding& finding, const FindingAffects& affected) {
  return affected.capabilities.empty() &&
         std::ranges::none_of(finding.explains, [&](const std::string& id) {
           return id.starts_with(affected.set + '/');
         });
}

// What a finding still explains and hurts.
void leave_out_what_is_well(Finding& finding, const Well& well) {
  std::set<std::string> whole;
  for (const auto& affected : finding.affects) {
    if (hurts_whole_set(finding, affected)) whole.insert(affected.set);
  }
  std::erase_if(finding.explains, [&](const std::string& id) { return well.rows.contains(id); });
  for (auto& affected : finding.affects) {
    std::erase_if(affected.capabilities, [&](const std::string& id) {
      return well.capabilities.contains({affected.set, id});
    });
  }
  std::erase_if(finding.affects, [&](const FindingAffects& affected) {
    return hurts_whole_set(finding, affected) && !whole.contains(affected.set);
  });
}

Finding combined(const AllSaid<Finding>& group, const std::vector<MergeInput>& parts) {
  const auto& first = *group.front().item;
  Finding result;
  result.code = first.code;
  result.title = first.title;
  result.owner = first.owner;
  result.confidence = first.confidence;
  const auto all_agree = [&](auto Finding::*member) {
    return std::ranges::all_of(
        group, [&](const auto& said) { return said.item->*member == first.*member; });
  };
  const bool same_fix = all_agree(&Finding::fix);
  if (same_fix) result.fix = first.fix;
  if (all_agree(&Finding::runner_up)) result.runner_up = first.runner_up;
  for (const auto& [part, finding] : group) {
    result.confidence = std::min(result.confidence, finding->confidence);  // certain is the first
    add_once(result.seen_from, part->name);
    if (!same_fix) {
      if (!result.fix.empty()) result.fix += " ";
      result.fix += phrase("For {}: {}", part->name, finding->fix);
    }
    for (const auto& [set, capabilities] : finding->affects)
      add_new(affected(result, set).capabilities, capabilities);
    add_new(result.explains, finding->explains);
    for (const auto& rule : finding->rules) add_rule(result.rules, rule);
    for (const auto& item : finding->evidence) {
      result.evidence.push_back({item.probe.empty() ? "" : id_from(item.probe, part->name),
                                 phrase("From {}: {}", part->name, item.text)});
    }
  }
  std::vector<std::string> not_from;
  for (const auto& part : parts) {
    if (!contains(result.seen_from, part.name)) not_from.push_back(part.name);
  }
  if (!not_from.empty()) {
    result.evidence.insert(result.evidence.begin(),
                           {"", phrase("Seen from {}, not from {}.", joined_texts(result.seen_from),
                                       joined_texts(not_from))});
  }
  return result;
}

}  // namespace

std::string id_from(const std::string& probe_id, const std::string& vantage) {
  return probe_id + '#' + vantage;
}

std::vector<SetResult> merged_sets(const std::vector<MergeInput>& parts) {
  std::vector<std::string> order;
  for (const auto& part : parts) {
    for (const auto& set : part.report.sets) add_once(order, set.id);
  }
  std::vector<SetResult> merged;
  for (const auto& id : order) {
    AllSets sets;
    for (const auto& part : parts) {
      const auto* set = find_by_id(part.report.sets, id);
      if (set != nullptr) sets.emplace_back(part, *set);
    }
    merged.push_back(combined(sets, parts.size()));
  }
  return merged;
}

std::vector<Finding> merged_findings(const std::vector<MergeInput>& parts,
                                     const std::vector<SetResult>& sets) {
  AllSaid<Finding> all;
  for (const auto& part : parts) {
    for (const auto& finding : part.report.findings) all.push_back({&part, &finding});
  }
  const auto cause_of = [](const auto& finding) {
    return std::tuple(finding->code, finding->title, finding->owner);
  };
  std::vector<Finding> merged;
  const Well well(sets);
  for (const auto& group : grouped(all, cause_of)) {
    merged.push_back(combined(group, parts));
    leave_out_what_is_well(merged.back(), well);
  }
  sort_by_impact(merged, sets);
  return merged;
}

}  // namespace callready::merging
