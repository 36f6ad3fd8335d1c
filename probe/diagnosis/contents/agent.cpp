// A program on this computer takes connections in everybody's name, and carries some of them
// nowhere.
#include <algorithm>
#include <ranges>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

bool stood_in_vain(const ProbeResult& result) {
  const auto& seen = result.observation;
  return seen.outcome == Outcome::failed && chain_of(result).empty() &&
         (got_no_answer(result) || seen.detail == DetailCode::timed_out ||
          seen.detail == DetailCode::connection_reset || seen.detail == DetailCode::closed_by_peer);
}

}  // namespace

Causes find_agent(const Diagnosis& context) {
  Probes proof, lost;
  std::set<std::uint16_t> taken, answering;  // ports
  bool said = false;                         // by the system
  for (const auto& result : context.report.probes) {
    const auto port = result.probe.target.port();
    const auto who = text_of(result, EvidenceKind::hop, Fact::who);
    // The system says so, or it is too near for anybody else.
    if (is_taken_near(result) && !who.empty()) {
      said |= who == "this_computer";
      proof.push_back(&result);
      taken.insert(port);
    }
    if (is_udp(result) || !is_direct(result) || is_inside(result)) continue;
    const auto outcome = result.observation.outcome;
    if (outcome == Outcome::answered || outcome == Outcome::denied || !chain_of(result).empty())
      answering.insert(port);
    if (stood_in_vain(result) && !context.explained(result)) lost.push_back(&result);
  }
  if (proof.empty()) return {};
  // A program that takes two ports, and lets nothing through, takes them all.
  const bool all = answering.empty() && taken.size() > 1;
  std::erase_if(lost, [&](const ProbeResult* result) {
    return !all && !taken.contains(result->probe.target.port());
  });
  if (!context.affects_requirement(lost)) return {};
  const auto ports = ports_of(lost);
  const bool carries_some = std::ranges::find_first_of(ports, answering) != ports.end();
  Cause cause(lost);
  // What it carries elsewhere may be lost there.
  cause.name(FindingCode::computer_agent, carries_some                        ? possible
                                          : said && hosts_of(lost).size() > 1 ? certain
                                                                              : likely);
  const auto which = listed(ports, 4);
  cause.title =
      carries_some
          ? phrase("A program on this computer intercepts TCP {} and does not pass all of it on",
                   which)
          : phrase("A program on this computer intercepts TCP {} and passes nothing on", which);
  cause.fix = phrase(
      "Ask this computer's administrator which program intercepts these connections (a security "
      "agent, a web shield, a local proxy), and exempt the following in it: {}. {}",
      tried_flows_in_words(context, lost),
      carries_some ? phrase("Check that program's log first: what it passes on may be lost further "
                            "along the path.")
                   : phrase("The network needs no change."));
  for (const auto* result : proof | std::views::take(2))
    cause.tell(evidence_of(*result, EvidenceKind::hop)->text + ".", result);
  for (const auto& agent : context.report.site.agents) {
    cause.tell(phrase("{} runs here ({}); it is not known whether it is the cause.", agent.name,
                      agent.seen));
  }
  cause.show(lost, 6);
  return {cause};
}

}  // namespace callready::findings
