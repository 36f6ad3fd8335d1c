#include <algorithm>
#include <iterator>

#include "probe/diagnosis/status/judge.hpp"
#include "probe/util/text.hpp"

namespace callready {
namespace {

enum class Assume { best, worst };  // what an unknown row is taken for

bool is_bad(const RequirementResult& row, Assume assume) {
  return row.status == Status::fail || (row.status == Status::unknown && assume == Assume::worst);
}

// Reached below the vendor's figures, or with a fault on the way: it still carries calls.
bool is_limited(const RequirementResult& row) { return row.poor || row.impaired; }

// What the loss of a row of that severity does to a capability.
Verdict loss_of(Severity severity) {
  if (severity == Severity::optional) return Verdict::ready;
  return severity == Severity::recommended ? Verdict::degraded : Verdict::blocked;
}

using SomeRows = std::vector<const RequirementResult*>;

struct Alternative {
  SomeRows rows;          // those that were measured
  bool fallback = false;  // not among those that the set prefers
};

// The alternatives that could be measured at all: skipped rows do not count. One that has lost all
// of its rows, none of which is a reason to fail, does not count if there is another. If none of
// those that the set prefers could be measured, the first that could is taken for one.
std::vector<Alternative> measurable(const Need& need, const Rows& rows) {
  std::vector<Alternative> result, spared;
  for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
    SomeRows measured;
    for (const auto& id : need.alternatives[i]) {
      const auto* row = rows.find(id);
      if (row != nullptr && row->status != Status::skip) measured.push_back(row);
    }
    if (measured.empty()) continue;
    const bool lost = std::ranges::all_of(measured, [](const auto* row) { return row->lost; });
    (lost ? spared : result).push_back({std::move(measured), need.is_fallback(i)});
  }
  if (result.empty()) result = std::move(spared);
  if (!result.empty()) result.front().fallback = false;
  return result;
}

// An alternative works if its rows do. One that has lost all of them carries nothing, however
// little each of them weighs (an optional alternate port that is closed is not a way in).
Verdict weigh(const SomeRows& rows, Assume assume) {
  const auto bad = [&](const auto* row) { return is_bad(*row, assume); };
  if (std::ranges::all_of(rows, bad)) return Verdict::blocked;
  auto worst = Verdict::ready;
  for (const auto* row : rows) {
    const auto loss = loss_of(row->severity);
    if (bad(row)) {
      worst = worse_of(worst, loss);
    } else if (is_limited(*row) && loss != Verdict::ready) {
      worst = worse_of(worst, Verdict::degraded);
    }
  }
  return worst;
}

struct Choice {
  Verdict verdict = Verdict::blocked;
  const Alternative* by = nullptr;  // the alternative that carries it; none where all are lost
};

// `loss`: what the loss of all alternatives does.
Choice choose(const std::vector<Alternative>& alternatives, Verdict loss, Assume assume) {
  Choice best{loss, nullptr};
  auto least = Verdict::blocked;
  for (const auto& alternative : alternatives) {
    auto verdict = weigh(alternative.rows, assume);
    if (alternative.fallback && verdict == Verdict::ready) verdict = Verdict::degraded;
    if (badness(verdict) >= badness(least)) continue;
    least = verdict;
    best = {badness(verdict) < badness(loss) ? verdict : loss, &alternative};
  }
  return best;
}

Text titles(const SomeRows& rows) {
  Text text;
  for (const auto* row : rows)
    text = text.empty() ? Text(row->title) : phrase("{} and {}", text, row->title);
  return text;
}

// The rows that keep an alternative from being good. Assuming the best, only those known to;
// assuming the worst, also those that are open.
Text culprits(const SomeRows& rows, Assume assume) {
  SomeRows bad;
  std::ranges::copy_if(rows, std::back_inserter(bad),
                       [&](const auto* row) { return is_bad(*row, assume) || is_limited(*row); });
  return titles(bad.empty() ? rows : bad);
}

// All ways to meet a need are lost.
Text lost_in_words(const std::vector<Alternative>& ways) {
  const auto first = culprits(ways.front().rows, Assume::best);
  if (ways.size() == 1) return first;
  if (ways.size() == 2)
    return phrase("neither {} nor {}", first, culprits(ways.back().rows, Assume::best));
  return phrase("none of {} ways ({}, ...)", ways.size(), first);
}

// All needs together. If each of them is lost, a capability does not work, however little its rows
// weigh in the set; needs that are only optional are not counted.
class Together {
 public:
  void add(const Choice& choice) {
    if (choice.by == nullptr && choice.verdict == Verdict::ready) return;
    counted_ = true;
    all_lost_ = all_lost_ && choice.by == nullptr;
    worst_ = worse_of(worst_, choice.verdict);
  }
  // `untried`: a need that matters could not be measured.
  Verdict verdict(bool untried) const {
    return counted_ && all_lost_ && !untried ? Verdict::blocked : worst_;
  }

 private:
  Verdict worst_ = Verdict::ready;
  bool counted_ = false, all_lost_ = true;
};

// What the loss of the need does: as its weightiest row says.
Verdict loss_of(const Need& need, const Rows& rows) {
  auto loss = Verdict::ready;
  for (const auto& ids : need.alternatives) loss = worse_of(loss, loss_of(ids, rows));
  return loss;
}

}  // namespace

Verdict loss_of(const std::vector<std::string>& ids, const Rows& rows) {
  auto worst = Verdict::ready;
  for (const auto& id : ids) {
    const auto* row = rows.find(id);
    if (row != nullptr) worst = worse_of(worst, loss_of(row->severity));
  }
  return worst;
}

CapabilityResult judge_capability(const Capability& capability, const Rows& rows) {
  CapabilityResult result;
  result.id = capability.id;
  result.title = capability.title;
  result.calls = capability.calls;
  result.needs = capability.needs;
  result.requirements = row_ids_of(capability);
  std::erase_if(result.requirements, [&](const auto& id) { return rows.find(id) == nullptr; });
  Together best, worst;
  bool measured = false, untried = false;
  // Sentences of the summary, each once. `perhaps`: needs that are only optional.
  std::vector<Text> lost, limited, unsure, perhaps, sure, fallback;
  const auto said = [](const std::vector<Text>& sentences) {
    return joined_texts(sentences, "; ");
  };
  for (const auto& need : capability.needs) {
    const auto alternatives = measurable(need, rows);
    const auto loss = loss_of(need, rows);
    if (alternatives.empty()) {
      untried |= loss != Verdict::ready;
      continue;
    }
    measured = true;
    const auto& first = alternatives.front().rows;
    const auto hoped = choose(alternatives, loss, Assume::best);
    const auto feared = choose(alternatives, loss, Assume::worst);
    best.add(hoped);
    worst.add(feared);
    if (hoped.verdict == Verdict::blocked) {
      add_once(lost, lost_in_words(alternatives));
      continue;
    }
    const bool may_be_lost = feared.by == nullptr && hoped.by != nullptr;
    if (hoped.verdict != feared.verdict || (may_be_lost && hoped.verdict == Verdict::degraded)) {
      add_once(unsure, culprits(may_be_lost ? hoped.by->rows : first, Assume::worst));
      if (feared.by != nullptr) add_once(sure, titles(feared.by->rows));
    } else if (may_be_lost) {
      add_once(perhaps, culprits(hoped.by->rows, Assume::worst));
    }
    // By what works for sure: another one, nearer to the first, may not be known.
    if (hoped.verdict == Verdict::degraded && feared.verdict == Verdict::degraded) {
      if (feared.by != nullptr && feared.by->fallback) add_once(fallback, titles(feared.by->rows));
      add_once(limited, culprits(first, Assume::best));
    }
  }
  if (!measured) {
    result.verdict = Verdict::unknown;
    const bool left_out = std::ranges::any_of(
        result.requirements, [&](const auto& id) { return rows.find(id)->left_out; });
    result.summary = left_out ? phrase("skipped to keep traffic low; use --all to test it")
                              : phrase("cannot be measured from here");
    return result;
  }
  const auto hoped = best.verdict(untried), feared = worst.verdict(untried);
  result.verdict = hoped == feared ? hoped : Verdict::unknown;
  switch (result.verdict) {
    case Verdict::ready:
      result.summary = phrase("works");
      break;
    case Verdict::blocked:
      result.summary = phrase("does not work: {}", said(lost.empty() ? limited : lost));
      break;
    case Verdict::degraded:
      result.fallback = !fallback.empty();
      result.summary = fallback.empty() ? phrase("works with limits: {}", said(limited))
                                        : phrase("works only over a fallback ({}), not over {}",
                                                 said(fallback), said(limited));
      break;
    case Verdict::unknown:
      if (unsure.empty()) unsure = std::move(perhaps);
      result.summary = sure.empty() ? phrase("could not be decided: {}", said(unsure))
                                    : phrase("could not be decided: {}; works at least over {}",
                                             said(unsure), said(sure));
      break;
  }
  return result;
}

std::vector<std::string> rows_that_block(const CapabilityResult& capability, const Rows& rows) {
  if (capability.verdict != Verdict::blocked) return {};
  std::vector<std::string> lost;
  for (const auto& need : capability.needs) {
    const auto hoped = choose(measurable(need, rows), loss_of(need, rows), Assume::best);
    if (hoped.verdict != Verdict::blocked) continue;
    for (const auto& ids : need.alternatives) add_new(lost, ids);
  }
  // If no need blocks it alone, all of them do together.
  if (lost.empty()) lost = capability.requirements;
  std::erase_if(lost, [&](const std::string& id) {
    const auto* row = rows.find(id);
    return row == nullptr || row->status != Status::fail;
  });
  return lost;
}

}  // namespace callready
