#include "probe/diagnosis/reach/diagnose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/read.hpp"

namespace callready::reach {
namespace {

// Signs that a rule about contents has to confirm: it looks closer than one reading can.
void keep_confirmed(FlowEvents& events, const std::vector<const Finding*>& contents) {
  const auto found = [&](std::initializer_list<Code> codes) {
    return std::ranges::any_of(contents, [&](const Finding* finding) {
      return std::ranges::any_of(
          codes, [&](Code code) { return words_of(code).finding == finding->code; });
    });
  };
  const auto confirmed = [&](Sign sign) {
    switch (sign) {
      case Sign::cert_expired:
        return found({Code::tls_expired, Code::clock_off});
      case Sign::cert_wrong_name:
        return found({Code::tls_wrong_name, Code::dns_rewritten});
      case Sign::cert_untrusted:
        return found({Code::tls_untrusted, Code::tls_intercepted});
      case Sign::root_unexpected:
        return found({Code::tls_intercepted, Code::tls_untrusted});
      case Sign::packets_too_big:
        return found({Code::mtu});
      case Sign::ipv6_broken:
        return found({Code::ipv6_broken});
      case Sign::clock_off:
        return found({Code::clock_off});
      case Sign::dns_special:
        return found({Code::dns_rewritten});
      default:
        return true;
    }
  };
  std::erase_if(events.signs, [&](const SignEvent& event) { return !confirmed(event.sign); });
}

Boxes propose(const Clues& clues, const std::vector<std::size_t>& order) {
  Boxes boxes;
  for (const auto row : order) kinds()[row].propose(clues, boxes);
  return boxes;
}

void keep_each_once(Boxes& boxes) {
  std::ranges::stable_sort(boxes, {}, &Box::key);
  const auto twice = std::ranges::unique(boxes, {}, &Box::key);
  boxes.erase(twice.begin(), twice.end());
}

EventIds all_events(const Sight& sight) {
  EventIds events(sight.packets.size());
  std::iota(events.begin(), events.end(), 0U);
  return events;
}

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

Finding finding_of(const Cause& cause) {
  Finding finding;
  const auto& words = words_of(cause.code);
  finding.code = words.finding;
  finding.title = cause.text;
  finding.confidence = confidence_of(cause.sure);
  finding.owner = cause.owner;
  finding.fix = "Let this through.";
  finding.explains = cause.explains;
  for (const auto& [probe, text, gain] : cause.evidence) finding.evidence.push_back({probe, text});
  return finding;
}

// What no world explains, where it leaves a row open or lost.
std::optional<Finding> leftovers(const Diagnosis& diagnosis) {
  Finding finding;
  finding.code = FindingCode::network_unexplained;
  finding.owner = words_of(Code::unexplained).owner;
  finding.confidence = Confidence::possible;
  std::map<std::string_view, const Leftover*> left;
  for (const auto& one : diagnosis.explained.unexplained) left.try_emplace(one.probe, &one);
  const auto& asked = diagnosis.asked;
  std::set<std::string> shown;
  for (std::size_t i = 0; i < asked.rows.size(); ++i) {
    const auto status = diagnosis.judged.rows[i].status;
    if (status != Status::fail && status != Status::unknown) continue;
    for (const auto probe : asked.rows[i].probes) {
      const auto found = left.find(asked.probes[probe].result->probe.id);
      if (found == left.end()) continue;
      const auto row = asked.rows[i].set->id + '/' + asked.rows[i].row->id;
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

Diagnosis find_worlds(const Report& report, const RowReach& reach,
                      std::vector<const Finding*> contents, const SearchLimits& limits,
                      const std::vector<std::size_t>& given_order) {
  auto order = given_order;
  if (order.empty()) {
    order.resize(kinds().size());
    std::iota(order.begin(), order.end(), 0U);
  }
  Diagnosis result;
  result.contents = std::move(contents);
  auto events = read_events(report);
  keep_confirmed(events, result.contents);
  for (const auto* finding : result.contents) {
    if (finding->code == FindingCode::network_no_gateway)
      events.signs.push_back({{}, Sign::no_link, {}});
  }
  result.sight = look(std::move(events), flows_asked_for(report), resolvers_of(report.site));
  result.asked = asked_by(report, result.sight, reach, result.contents);
  const auto all = all_events(result.sight);
  result.boxes = propose(clues_of(result.sight, all), order);
  keep_each_once(result.boxes);
  auto found = search(result.sight, result.boxes, result.asked.packets, limits);
  result.looked_at = found.looked_at;
  // Once more, with what each box of the best world leaves: who is shut out altogether says nothing
  // of ports.
  const auto best = found.worlds.front().boxes;
  if (best.size() > 1) {
    const auto first = result.boxes;
    for (const auto number : best) {
      EventIds rest;
      for (const auto event : all) {
        if (fate_of(first[number], result.sight.packets[event]) == Fate::pass)
          rest.push_back(event);
      }
      auto more = propose(clues_of(result.sight, rest), order);
      std::move(more.begin(), more.end(), std::back_inserter(result.boxes));
    }
    keep_each_once(result.boxes);
    found = search(result.sight, result.boxes, result.asked.packets, limits);
    result.looked_at += found.looked_at;
  }
  result.worlds = std::move(found.worlds);
  result.explained = explain(result.sight, result.boxes, result.worlds, result.asked);
  return result;
}

Diagnosis diagnose(const Report& report, const RowReach& reach, const SearchLimits& limits,
                   const std::vector<std::size_t>& order) {
  std::vector<const Finding*> contents;
  for (const auto& finding : report.findings) {
    if (has(finding.code, FindingTrait::of_contents)) contents.push_back(&finding);
  }
  auto result = find_worlds(report, reach, std::move(contents), limits, order);
  result.judged = judge(report, result.asked, result.worlds, result.boxes);
  const auto& sets = result.judged.sets;
  const bool open = result.worlds.front().probability < is_likely ||
                    std::ranges::count(sets, Verdict::unknown, &JudgedSet::verdict) > 0;
  if (open) result.question = next_question(report, result.sight, result.boxes, result.worlds);
  return result;
}

Report as_report(const Report& report, const Diagnosis& diagnosis) {
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
  std::set<std::string> open;  // what fails in some of the worlds only is not explained
  for (const auto& set : made.sets) {
    for (const auto& requirement : set.requirements) {
      const auto status = requirement.status;
      if (status == Status::unknown || status == Status::pass) {
        open.insert(set.id + '/' + requirement.id);
      }
    }
  }
  made.findings.clear();
  for (const auto& cause : diagnosis.explained.causes) {
    // Of contents its rule says it.
    if (has(words_of(cause.code).finding, FindingTrait::of_contents)) continue;
    if (!cause.is_said()) continue;
    made.findings.push_back(finding_of(cause));
    std::erase_if(made.findings.back().explains,
                  [&](const std::string& id) { return open.contains(id); });
  }
  for (const auto* finding : diagnosis.contents) made.findings.push_back(*finding);
  if (auto left = leftovers(diagnosis)) made.findings.push_back(std::move(*left));
  for (auto& finding : made.findings) finding.affects = affected(made, finding.explains);
  // What is only possible is said where something does not work over it.
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
