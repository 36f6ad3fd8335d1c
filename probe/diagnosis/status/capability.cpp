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

// What the loss of a row of that severity does to a capability.
Verdict loss_of(Severity severity) {
  if (severity == Severity::optional) return Verdict::ready;
  return severity == Severity::recommended ? Verdict::degraded : Verdict::blocked;
}

using Alternative = std::vector<const RequirementResult*>;

// The alternatives that could be measured at all: rows that were skipped do not count. One that
// has lost all of its rows, and none of these is a reason to fail, is no way in beside another.
struct Measurable {
  std::vector<Alternative> alternatives;
  // So many of the first are as good as wanted. Where none of those that the set prefers could be
  // measured, the first that could is.
  std::size_t preferred = 0;
};

Measurable measurable(const Need& need, const Rows& rows) {
  Measurable result, spared;
  for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
    Alternative alternative;
    for (const auto& id : need.alternatives[i]) {
      const auto found = rows.find(id);
      if (found != rows.end() && found->second.status != Status::skip) {
        alternative.push_back(&found->second);
      }
    }
    if (alternative.empty()) continue;
    const auto lost = [](const auto* row) { return row->lost; };
    auto& list = std::ranges::all_of(alternative, lost) ? spared : result;
    list.alternatives.push_back(std::move(alternative));
    if (!need.is_fallback(i)) ++list.preferred;
  }
  if (result.alternatives.empty()) result = std::move(spared);
  result.preferred = std::max<std::size_t>(result.preferred, 1);
  return result;
}

// An alternative holds where its rows do. One that has lost all of them carries nothing, however
// little each of them weighs (an optional alternate port that is closed is no way in).
Verdict weigh(const Alternative& alternative, Assume assume) {
  const auto bad = [&](const auto* row) { return is_bad(*row, assume); };
  if (std::ranges::all_of(alternative, bad)) return Verdict::blocked;
  auto worst = Verdict::ready;
  for (const auto* row : alternative) {
    const bool limited = row->poor || row->impaired;
    if (!bad(row) && !limited) continue;
    // What is reached below the vendor's figures, or with a fault on the way, still carries calls.
    auto verdict = loss_of(row->severity);
    if (!bad(row) && verdict == Verdict::blocked) verdict = Verdict::degraded;
    worst = worse_of(worst, verdict);
  }
  return worst;
}

// What the loss of all alternatives does: as the weightiest row of the need says.
Verdict loss_of(const Need& need, const Rows& rows) {
  auto worst = Verdict::ready;
  for (const auto& ids : need.alternatives) worst = worse_of(worst, loss_of(ids, rows));
  return worst;
}

struct Choice {
  Verdict verdict = Verdict::blocked;
  const Alternative* by = nullptr;  // the alternative that carries it; none where all are lost
  bool fallback = false;            // that one is not among those that the set prefers
};

Choice choose(const Measurable& measured, const Need& need, const Rows& rows, Assume assume) {
  const auto& alternatives = measured.alternatives;
  const auto loss = loss_of(need, rows);
  Choice best{loss, nullptr, false};
  auto least = Verdict::blocked;
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    auto verdict = weigh(alternatives[i], assume);
    if (i >= measured.preferred && verdict == Verdict::ready) verdict = Verdict::degraded;
    if (badness(verdict) >= badness(least)) continue;
    least = verdict;
    best = {badness(verdict) < badness(loss) ? verdict : loss, &alternatives[i],
            i >= measured.preferred};
  }
  return best;
}

Text titles(const Alternative& alternative) {
  Text text;
  for (const auto* row : alternative) {
    text = text.empty() ? Text(row->title) : phrase("{} and {}", text, row->title);
  }
  return text;
}

// What keeps an alternative from being good, as far as its rows can say.
Text culprits(const Alternative& alternative) {
  Alternative bad;
  std::ranges::copy_if(alternative, std::back_inserter(bad), [](const auto* row) {
    return is_bad(*row, Assume::worst) || row->poor || row->impaired;
  });
  return titles(bad.empty() ? alternative : bad);
}

// Of all needs together. Where each of them is lost a capability does not work, however little its
// rows weigh in the set; those that are only optional are not counted.
class Together {
 public:
  void add(const Choice& choice) {
    if (choice.by == nullptr && choice.verdict == Verdict::ready) return;
    counted_ = true;
    all_lost_ = all_lost_ && choice.by == nullptr;
    worst_ = worse_of(worst_, choice.verdict);
  }
  void add_untried() { all_lost_ = false; }
  Verdict verdict() const { return counted_ && all_lost_ ? Verdict::blocked : worst_; }

 private:
  Verdict worst_ = Verdict::ready;
  bool counted_ = false, all_lost_ = true;
};

}  // namespace

Verdict loss_of(const std::vector<std::string>& ids, const Rows& rows) {
  auto worst = Verdict::ready;
  for (const auto& id : ids) {
    const auto found = rows.find(id);
    if (found != rows.end()) worst = worse_of(worst, loss_of(found->second.severity));
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
  std::erase_if(result.requirements, [&](const auto& id) { return !rows.contains(id); });
  Together best, worst;
  bool measured = false;
  std::vector<Text> lost, limited, unsure, sure, fallback;  // sentences of the summary, each once
  const auto said = [](const std::vector<Text>& sentences) {
    return joined_texts(sentences, "; ");
  };
  for (const auto& need : capability.needs) {
    const auto alternatives = measurable(need, rows);
    if (alternatives.alternatives.empty()) {
      if (loss_of(need, rows) != Verdict::ready) {
        best.add_untried();
        worst.add_untried();
      }
      continue;
    }
    measured = true;
    const auto& first = alternatives.alternatives.front();
    const auto hoped = choose(alternatives, need, rows, Assume::best);
    const auto feared = choose(alternatives, need, rows, Assume::worst);
    best.add(hoped);
    worst.add(feared);
    if (hoped.verdict == Verdict::blocked) {
      add_once(lost, culprits(first));
      continue;
    }
    const bool may_be_lost = feared.by == nullptr && hoped.by != nullptr;
    if (hoped.verdict != feared.verdict || (may_be_lost && hoped.verdict == Verdict::degraded)) {
      add_once(unsure, culprits(may_be_lost ? *hoped.by : first));
      if (feared.by != nullptr) add_once(sure, titles(*feared.by));
    }
    // By what works for sure: another one, nearer to the first, may not be known.
    if (hoped.verdict == Verdict::degraded && feared.verdict == Verdict::degraded) {
      if (feared.fallback) add_once(fallback, titles(*feared.by));
      add_once(limited, culprits(first));
    }
  }
  if (!measured) {
    result.verdict = Verdict::unknown;
    const bool left_out = std::ranges::any_of(rows, [&](const auto& row) {
      return contains(result.requirements, row.first) && row.second.left_out;
    });
    result.summary = left_out ? phrase("skipped to keep traffic low; use --all to test it")
                              : phrase("cannot be measured from here");
    return result;
  }
  result.verdict = best.verdict() == worst.verdict() ? best.verdict() : Verdict::unknown;
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
      result.summary = sure.empty() ? phrase("could not be decided: {}", said(unsure))
                                    : phrase("could not be decided: {}; works at least over {}",
                                             said(unsure), said(sure));
      break;
  }
  return result;
}

}  // namespace callready
