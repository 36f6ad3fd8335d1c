#include "reports/words/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "probe/util/text.hpp"

namespace callready {
namespace {

constexpr std::size_t most_options = 8;  // options that limited the run to a part

// Those with this verdict that were tried or, with `tried` false, that were not.
std::vector<std::string> titles_with(const SetResult& set, Verdict verdict, bool tried = true) {
  return titles_of(set, [&](const CapabilityResult& capability) {
    return capability.verdict == verdict && was_tried(set, capability) == tried;
  });
}

// Those that work with limits: only over a fallback, or for other reasons.
std::vector<std::string> titles_of_degraded(const SetResult& set, bool fallback) {
  return titles_of(set, [&](const CapabilityResult& capability) {
    return capability.verdict == Verdict::degraded && capability.fallback == fallback;
  });
}

// True if no other capability was tried.
bool are_all(const std::vector<std::string>& titles, const std::vector<std::string>& not_tried,
             const SetResult& set) {
  return titles.size() + not_tried.size() == set.capabilities.size();
}

bool is_usable(const CapabilityResult& capability) {
  return capability.verdict == Verdict::ready || capability.verdict == Verdict::degraded;
}

// True if everything that calls need was tried, and something works.
bool calls_work(const SetResult& set) {
  bool any = false;
  for (const auto& capability : set.capabilities) {
    if (capability.calls && !was_tried(set, capability)) return false;
    any |= capability.calls && is_usable(capability);
  }
  return any;
}

bool tried_in_part(const SetResult& set, const Report& report) {
  if (!report.part.empty()) return true;
  return std::any_of(set.requirements.begin(), set.requirements.end(), [](const auto& requirement) {
    return requirement.status == Status::skip || !requirement.sampled.empty();
  });
}

// Among what was tried. A set may be ready although a row failed or was not decided, if that row is
// optional or others can replace it.
bool all_reached(const SetResult& set) {
  return std::none_of(set.requirements.begin(), set.requirements.end(), [](const auto& row) {
    return row.status == Status::fail || row.status == Status::unknown || row.lost;
  });
}

bool is_about(const Finding& finding, const SetResult& set) {
  return std::any_of(finding.affects.begin(), finding.affects.end(),
                     [&](const FindingAffects& affected) { return affected.set == set.id; });
}

// Titles of the findings about the set; for one that works, also of those that affect no set at all
// (an inspection that spares what this run tried).
std::vector<std::string> to_be_mended(const SetResult& set, const Report& report) {
  std::vector<std::string> titles;
  for (const auto& finding : report.findings) {
    const bool at_large = set.verdict == Verdict::ready && finding.affects.empty();
    if (!at_large && !is_about(finding, set)) continue;
    const auto doubt = finding.confidence == Confidence::possible ? caution(finding) : "";
    titles.push_back(doubt.empty() ? finding.title.string() : say("{} ({})", finding.title, doubt));
  }
  return titles;
}

std::string first_of(const std::vector<std::string>& titles) {
  if (titles.size() < 2) return titles.front();
  return say_plural(titles.size() - 1, "{1}, and {0} more cause", "{1}, and {0} more causes",
                    titles.front());
}

// The findings that explain the row, by number.
std::vector<std::size_t> explained_by(const SetResult& set, const RequirementResult& row,
                                      const Report& report) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    if (contains(report.findings[i].explains, set.id + '/' + row.id)) numbers.push_back(i + 1);
  }
  return numbers;
}

// Titles of required rows that fail and that no cause explains.
std::vector<std::string> lost_without_cause(const SetResult& set, const Report& report) {
  std::vector<std::string> titles;
  for (const auto& row : set.requirements) {
    const bool lost = row.status == Status::fail && row.severity == Severity::required;
    if (lost && explained_by(set, row, report).empty()) titles.push_back(title_of(row));
  }
  return titles;
}

bool any_is(const SetResult& set, Verdict verdict) {
  return std::ranges::count(set.capabilities, verdict, &CapabilityResult::verdict) > 0;
}

// "2 of 5 capabilities", or the name if it is only one.
std::string counted(const std::vector<std::string>& titles, const SetResult& set) {
  if (titles.size() == 1) return titles.front();
  return say("{} of {} capabilities", titles.size(), set.capabilities.size());
}

// The findings that name the capability, by number.
std::vector<std::size_t> causes_of(const SetResult& set, const CapabilityResult& capability,
                                   const Report& report) {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    const auto names_it = [&](const FindingAffects& affected) {
      return affected.set == set.id && contains(affected.capabilities, capability.id);
    };
    if (std::ranges::any_of(report.findings[i].affects, names_it)) numbers.push_back(i + 1);
  }
  return numbers;
}

// The findings about flaws in a capability that works, by number: about itself, and about rows of
// it that others stand in for, if the set is not ready.
std::vector<std::size_t> flaws_of(const SetResult& set, const CapabilityResult& capability,
                                  const Report& report) {
  if (capability.verdict != Verdict::ready) return {};
  auto numbers = causes_of(set, capability, report);
  for (const auto& row : set.requirements) {
    const bool replaced = row.status == Status::fail && set.verdict != Verdict::ready;
    const bool flawed = row.status == Status::warn || replaced;
    if (!flawed || row.severity == Severity::optional) continue;
    if (!contains(capability.requirements, row.id)) continue;
    add_new(numbers, explained_by(set, row, report));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// "1, 2 and 3".
std::string in_words(const std::vector<std::size_t>& numbers) {
  std::vector<std::string> words;
  for (const auto number : numbers) words.push_back(std::to_string(number));
  if (words.size() < 2) return joined(words);
  const auto last = words.back();
  words.pop_back();
  return say("{} and {}", joined(words), last);
}

// Signalling sounds the same over any transport.
bool any_fallback_carries_media(const SetResult& set, const Report& report) {
  std::set<std::string_view> rows, probes;
  for (const auto& capability : set.capabilities) {
    if (capability.fallback)
      rows.insert(capability.requirements.begin(), capability.requirements.end());
  }
  for (const auto& row : set.requirements) {
    if (rows.contains(row.id)) probes.insert(row.probes.begin(), row.probes.end());
  }
  return std::ranges::any_of(report.probes, [&](const ProbeResult& result) {
    return probes.contains(result.probe.id) && carries_media(result.probe.check);
  });
}

}  // namespace

bool was_tried(const SetResult& set, const CapabilityResult& capability) {
  const auto& ids = capability.requirements;
  const auto skipped = [&](const std::string& id) {
    return std::any_of(set.requirements.begin(), set.requirements.end(),
                       [&](const auto& row) { return row.id == id && row.status == Status::skip; });
  };
  return capability.verdict != Verdict::unknown || !std::all_of(ids.begin(), ids.end(), skipped);
}

std::string part_asked(const Report& report) {
  const auto& options = report.part;
  if (options.size() <= most_options) return joined(options);
  const std::vector<std::string> told(options.begin(),
                                      options.begin() + static_cast<std::ptrdiff_t>(most_options));
  return say("{}, and {} more", joined(told), options.size() - most_options);
}

std::string verdict_sentences(const SetResult& set, const Report& report) {
  const auto blocked = titles_with(set, Verdict::blocked);
  const auto fallback = titles_of_degraded(set, true);
  const auto limited = titles_of_degraded(set, false);
  const auto unknown = titles_with(set, Verdict::unknown);
  const auto not_tried = titles_with(set, Verdict::unknown, false);
  const auto mend = to_be_mended(set, report);
  const bool nothing_else = are_all(blocked, not_tried, set);
  const auto& all = set.capabilities;
  const bool usable = std::any_of(all.begin(), all.end(), is_usable);
  const auto& name = title_of(set);
  // For several places together, "here" makes no sense.
  const std::string here = report.vantages.empty() ? say(" from here") : "";
  std::vector<std::string> sentences;
  const auto tell = [&](const std::string& sentence) { sentences.push_back(sentence); };
  if (!blocked.empty() && set.verdict == Verdict::degraded && nothing_else) {
    tell(say("Blocked: {}.", listed(blocked)));
  } else if (!blocked.empty() && set.verdict == Verdict::degraded && calls_work(set)) {
    tell(say("Calls with {} work{}. Blocked: {}.", name, here, listed(blocked)));
  } else if (!blocked.empty() && usable) {
    tell(say("{} only partly works{}. Blocked: {}.", name, here, listed(blocked)));
  } else if (!blocked.empty() && !nothing_else) {
    tell(say("No part of {} is known to work{}. Blocked: {}.", name, here, listed(blocked)));
  } else if (set.verdict == Verdict::blocked) {
    tell(say("{} does not work{}.", name, here));
  }
  const auto tell_unknown = [&] {
    if (!unknown.empty() && sentences.empty() && set.verdict == Verdict::degraded) {
      tell(say("{} does not fully work{}. Still unknown: {}.", name, here, listed(unknown)));
    } else if (!unknown.empty() && sentences.empty()) {
      tell(say("Could not determine whether {} fully works{}. Still unknown: {}.", name, here,
               listed(unknown)));
    } else if (!unknown.empty()) {
      tell(say("Still unknown: {}.", listed(unknown)));
    } else if (set.verdict == Verdict::unknown) {
      tell(say("Could not determine whether {} works{}.", name, here));
    }
  };
  // What a verdict of NOT DECIDED is about goes before what works. So does what may not work at all
  // where nothing is known to work with limits.
  const bool no_limit = set.verdict == Verdict::degraded && fallback.empty() && limited.empty();
  const bool unknown_first =
      (set.verdict == Verdict::unknown || (no_limit && !unknown.empty())) && sentences.empty();
  if (unknown_first) tell_unknown();
  const bool sounds = any_fallback_carries_media(set, report);
  if (!fallback.empty() && sentences.empty()) {
    tell(sounds ? say("{} works{}, but only over a fallback (expect lower quality): {}.", name,
                      here, listed(fallback))
                : say("{} works{}, but only over a fallback: {}.", name, here, listed(fallback)));
  } else if (!fallback.empty()) {
    tell(sounds ? say("Only over a fallback (expect lower quality): {}.", listed(fallback))
                : say("Only over a fallback: {}.", listed(fallback)));
  }
  if (!limited.empty() && sentences.empty()) {
    tell(say("{} works{}, with limits: {}.", name, here, listed(limited)));
  } else if (!limited.empty()) {
    tell(say("With limits: {}.", listed(limited)));
  } else if (fallback.empty() && set.verdict == Verdict::degraded) {
    if (sentences.empty()) tell(say("{} works{}, with limits.", name, here));
    if (!mend.empty()) tell(say("Cause: {}.", first_of(mend)));
    const auto lost = lost_without_cause(set, report);
    if (!lost.empty()) tell(say("Not reached: {}.", listed(lost)));
  }
  if (!unknown_first) tell_unknown();
  if (sentences.empty()) {
    tell(!tried_in_part(set, report) ? say("{} works{}.", name, here)
         : all_reached(set)          ? say("Everything tested for {} works{}.", name, here)
                                     : say("{} works{}, as far as tested.", name, here));
  }
  if (!not_tried.empty()) tell(say("Not tested: {}.", listed(not_tried)));
  if (set.verdict == Verdict::ready && !mend.empty()) {
    tell(say("Needs attention: {}.", first_of(mend)));
  }
  return joined(sentences, " ");
}

std::string verdict_in_short(const SetResult& set, const Report& report) {
  const std::string here = report.vantages.empty() ? say(" from here") : "";
  const auto titles = titles_with(set, set.verdict);
  const auto not_tried = titles_with(set, Verdict::unknown, false);
  auto text = [&]() -> std::string {
    switch (set.verdict) {
      case Verdict::ready:
        if (!to_be_mended(set, report).empty()) return say("works{}, but needs attention", here);
        return report.part.empty() ? say("works{}", here) : say("works{}, as far as tested", here);
      case Verdict::degraded:
        if (const auto blocked = titles_with(set, Verdict::blocked); !blocked.empty()) {
          return calls_work(set) ? say("calls work; blocked: {}", counted(blocked, set))
                                 : say("does not work: {}", counted(blocked, set));
        }
        if (titles.empty())
          return any_is(set, Verdict::ready) && titles_with(set, Verdict::unknown).empty()
                     ? say("works{}, with limits", here)
                     : say("does not fully work{}", here);
        return titles_of_degraded(set, false).empty()
                   ? say("works only over a fallback: {}", counted(titles, set))
                   : say("works with limits: {}", counted(titles, set));
      case Verdict::blocked:
        if (are_all(titles, not_tried, set)) {
          return say("does not work{}", here);
        }
        return say("does not work: {}", counted(titles, set));
      case Verdict::unknown:
        return titles.empty() ? say("could not be determined")
                              : say("could not be determined: {}", counted(titles, set));
    }
    return {};
  }();
  const auto unknown = titles_with(set, Verdict::unknown);
  const bool works = set.verdict == Verdict::ready || set.verdict == Verdict::degraded;
  if (works && !unknown.empty()) text = say("{}; still unknown: {}", text, counted(unknown, set));
  if (not_tried.empty()) return text;
  return say("{}; not tested: {}", text, counted(not_tried, set));
}

// Packets with short TTLs were sent, and none of them was heard of.
bool no_router_speaks(const Report& report) {
  bool any_silent = false;
  for (const auto& [probe, seen] : report.probes) {
    if (probe.check != CheckKind::hop && probe.check != CheckKind::udp_range) continue;
    any_silent |= seen.outcome == Outcome::silent && seen.detail == DetailCode::silent;
    const bool named = std::ranges::any_of(seen.evidence, [](const Evidence& evidence) {
      return !text_fact(evidence, Fact::by).empty();
    });
    if (named || reached(seen.outcome)) return false;
  }
  return any_silent;
}

std::string how_to_settle(const Report& report) {
  std::vector<std::size_t> causes;
  bool again = false;  // what was measured may come out otherwise
  std::set<std::string_view> tried;
  for (const auto& result : report.probes) {
    if (result.observation.outcome != Outcome::skipped) tried.insert(result.probe.id);
  }
  const auto was_sent = [&](const std::string& id) { return tried.contains(id); };
  for (const auto& set : report.sets) {
    for (const auto& capability : set.capabilities) {
      if (capability.verdict != Verdict::unknown || !was_tried(set, capability)) continue;
      add_new(causes, causes_of(set, capability, report));
      again |= std::any_of(set.requirements.begin(), set.requirements.end(), [&](const auto& row) {
        return row.status == Status::unknown && row.total > 0 &&
               (row.probes.empty() || std::ranges::any_of(row.probes, was_sent)) &&
               contains(capability.requirements, row.id);
      });
    }
  }
  if (!causes.empty()) {
    std::sort(causes.begin(), causes.end());
    return say_plural(
        causes.size(),
        "To settle what is still unknown, follow the fix under cause {1}, then run this again.",
        "To settle what is still unknown, follow the fixes under causes {1}, then run this again.",
        in_words(causes));
  }
  if (!again || !report.complete) return {};
  if (no_router_speaks(report)) {
    return say(
        "Another run will not settle what is still unknown: no router on the way reports how far "
        "packets get. Make a call from here, or look at the firewall's log.");
  }
  return say(
      "To settle what is still unknown, wait 60 s and run this again; --thorough (up to 4 minutes) "
      "tests more.");
}

Mark mark_of(const SetResult& set, const Report& report) {
  const bool flawed = set.verdict == Verdict::ready && !to_be_mended(set, report).empty();
  return flawed ? Mark::warning : mark_of(set.verdict);
}

Mark mark_of(const SetResult& set, const CapabilityResult& capability, const Report& report) {
  if (!was_tried(set, capability)) return Mark::skipped;
  return flaws_of(set, capability, report).empty() ? mark_of(capability.verdict) : Mark::warning;
}

std::string told_of(const SetResult& set, const CapabilityResult& capability,
                    const Report& report) {
  if (!was_tried(set, capability)) return say("not tested in this run");
  const auto flaws = flaws_of(set, capability, report);
  if (flaws.empty()) return capability.summary.string();
  return say_plural(flaws.size(), "{1}, but see cause {2}", "{1}, but see causes {2}",
                    capability.summary, in_words(flaws));
}

}  // namespace callready
