#include <fmt/format.h>

#include <algorithm>

#include "probe/verdict/judge.hpp"

namespace callready {
namespace {

enum class Assume { best, worst };  // what an unknown row is taken for

int badness(Verdict verdict) {
  return verdict == Verdict::ready ? 0 : verdict == Verdict::degraded ? 1 : 2;
}

// What one row alone does to the capability.
Verdict weigh(const RequirementResult& row, Assume assume) {
  const bool bad =
      row.status == Status::fail || (row.status == Status::unknown && assume == Assume::worst);
  if (!bad) return Verdict::ready;
  switch (row.severity) {
    case Severity::required:
      return Verdict::blocked;
    case Severity::recommended:
      return Verdict::degraded;
    case Severity::optional:
      return Verdict::ready;
  }
  return Verdict::blocked;
}

using Rows = std::map<std::string, RequirementResult>;
using Alternative = std::vector<const RequirementResult*>;

// The alternatives that could be measured at all: rows that were skipped do not count.
std::vector<Alternative> measurable(const Need& need, const Rows& rows) {
  std::vector<Alternative> alternatives;
  for (const auto& ids : need.alternatives) {
    Alternative alternative;
    for (const auto& id : ids) {
      const auto found = rows.find(id);
      if (found != rows.end() && found->second.status != Status::skip) {
        alternative.push_back(&found->second);
      }
    }
    if (!alternative.empty()) alternatives.push_back(std::move(alternative));
  }
  return alternatives;
}

Verdict weigh(const Alternative& alternative, Assume assume) {
  auto worst = Verdict::ready;
  for (const auto* row : alternative) {
    const auto verdict = weigh(*row, assume);
    if (badness(verdict) > badness(worst)) worst = verdict;
  }
  return worst;
}

struct Choice {
  Verdict verdict = Verdict::blocked;
  const Alternative* by = nullptr;  // the alternative that carries it
};

Choice choose(const std::vector<Alternative>& alternatives, bool equal, Assume assume) {
  Choice best;
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    auto verdict = weigh(alternatives[i], assume);
    if (i > 0 && !equal && verdict == Verdict::ready) verdict = Verdict::degraded;
    if (badness(verdict) < badness(best.verdict)) best = {verdict, &alternatives[i]};
  }
  return best;
}

std::string titles(const Alternative& alternative) {
  std::string text;
  for (const auto* row : alternative) text += (text.empty() ? "" : " and ") + row->title;
  return text;
}

void add(std::string& text, const std::string& sentence) {
  if (text.find(sentence) != std::string::npos) return;
  text += (text.empty() ? "" : "; ") + sentence;
}

}  // namespace

CapabilityResult judge_capability(const Capability& capability, const Rows& rows) {
  CapabilityResult result;
  result.id = capability.id;
  result.title = capability.title;
  auto best = Verdict::ready, worst = Verdict::ready;
  bool measured = false;
  std::string lost, unsure, fallback;
  for (const auto& need : capability.needs) {
    for (const auto& ids : need.alternatives) {
      result.requirements.insert(result.requirements.end(), ids.begin(), ids.end());
    }
    const auto alternatives = measurable(need, rows);
    if (alternatives.empty()) continue;
    measured = true;
    const auto hoped = choose(alternatives, need.equal, Assume::best);
    const auto feared = choose(alternatives, need.equal, Assume::worst);
    if (badness(hoped.verdict) > badness(best)) best = hoped.verdict;
    if (badness(feared.verdict) > badness(worst)) worst = feared.verdict;
    if (hoped.verdict == Verdict::blocked) {
      add(lost, titles(alternatives.front()));
    } else if (hoped.verdict != feared.verdict) {
      add(unsure, titles(feared.by == nullptr ? *hoped.by : alternatives.front()));
      if (feared.by != nullptr) add(fallback, titles(*feared.by));
    } else if (hoped.verdict == Verdict::degraded) {
      if (hoped.by != &alternatives.front()) add(fallback, titles(*hoped.by));
      add(lost, titles(alternatives.front()));
    }
  }
  result.verdict = best == worst ? best : Verdict::unknown;
  if (!measured) {
    result.verdict = Verdict::unknown;
    result.summary = "nothing of it can be measured from here";
    return result;
  }
  switch (result.verdict) {
    case Verdict::ready:
      result.summary = "works";
      break;
    case Verdict::blocked:
      result.summary = "does not work: " + lost;
      break;
    case Verdict::degraded:
      result.summary = fallback.empty()
                           ? "works with limits: " + lost
                           : fmt::format("works by a fallback ({}), not by {}", fallback, lost);
      break;
    case Verdict::unknown:
      result.summary = "could not be decided: " + (unsure.empty() ? lost : unsure);
      if (!fallback.empty()) result.summary += "; works at least by " + fallback;
      break;
  }
  return result;
}

}  // namespace callready
