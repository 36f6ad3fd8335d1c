// What is wrong with the site as a whole: a sign-in page in front of it, a wrong clock.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "probe/diagnosis/contents/time.hpp"
#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

// Over plain HTTP the portal answers in everybody's name.
std::vector<const ProbeResult*> plain_http_answers(const Facts& facts) {
  std::vector<const ProbeResult*> answers;
  for (const auto& result : facts.report.probes) {
    const bool plain = result.probe.target.transport == Transport::tcp &&
                       result.probe.target.port() == 80 && is_direct(result);
    if (plain && !facts.inside(result) && reached(result.observation.outcome)) {
      answers.push_back(&result);
    }
  }
  return answers;
}

// A page with a known body, answered by somebody else: what came instead, in words.
std::optional<FindingEvidence> another_page(const ProbeResult& result) {
  if (!is_another_page(result)) return std::nullopt;
  const auto elsewhere =
      text_fact(*evidence_of(result, EvidenceKind::http_reply), Fact::redirect_host);
  const auto& page = result.probe.target.host;
  return FindingEvidence{result.probe.id,
                         elsewhere.empty()
                             ? phrase("{} returned a page that is not its own.", page)
                             : phrase("The page of {} redirected to {}.", page, elsewhere)};
}

}  // namespace

Causes find_captive_portal(const Diagnosis& context) {
  Cause cause;
  auto& finding = cause.finding;
  std::set<std::string> operators, secure;
  bool redirected = false;
  for (const auto& result : context.facts.report.probes) {
    const auto page = another_page(result);
    if (page) {
      finding.evidence.push_back(*page);
      operators.insert(registrable_domain(result.probe.target.host));
      redirected |=
          !text_fact(*evidence_of(result, EvidenceKind::http_reply), Fact::redirect_host).empty();
    }
    const bool tls = result.probe.target.transport == Transport::tls && is_direct(result);
    if (tls && !context.facts.inside(result) && result.observation.outcome == Outcome::answered) {
      // Whoever lets the service itself out wants no one to sign in for it: a web filter keeps its
      // page for others.
      if (context.facts.asked_for(result)) return {};
      secure.insert(registrable_domain(result.probe.target.host));
    }
  }
  // Two operators do not change their pages on one day; one may, and moves it elsewhere at most.
  const bool portal = operators.size() > 1 || (redirected && secure.empty());
  // Where TLS gets out to anywhere, nobody has to sign in.
  if (!portal || secure.size() > 1) return {};
  finding.code = FindingCode::network_captive_portal;
  finding.title = phrase("This network requires you to sign in first (captive portal)");
  finding.owner = Owner::user;
  // Who is let out without signing in may be in the portal's garden.
  const bool shut = operators.size() > 1 && secure.empty();
  finding.confidence = shut ? Confidence::certain : Confidence::likely;
  finding.fix = phrase(
      "Open a web browser here, go to http://neverssl.com, sign in or accept the terms, and run "
      "this "
      "again. Phones and room devices cannot: ask the network team to exempt them.");
  cause.explained = lost_probes(context.facts);
  cause.contradicted = plain_http_answers(context.facts);
  cause.closes = Closes::direct;
  return {cause};
}

Causes find_clock_skew(const Diagnosis& context) {
  const auto consensus = consensus_time(context.facts);
  if (!consensus || std::abs(consensus->offset_ms) < noticeable_skew_ms) return {};
  Cause cause;
  auto& finding = cause.finding;
  finding.code = FindingCode::time_skewed;
  const bool slow = consensus->offset_ms > 0;
  const auto amount = duration_in_words(std::abs(consensus->offset_ms));
  finding.title = slow ? phrase("This computer's clock is {} slow", amount)
                       : phrase("This computer's clock is {} fast", amount);
  finding.owner = Owner::helpdesk;
  finding.confidence = Confidence::certain;
  finding.fix = phrase(
      "{}, and turn on automatic time (NTP). With a wrong clock, certificates seem expired or not "
      "yet valid, and sign-in and phone registration fail.",
      slow ? phrase("Set the clock of this computer forward by {}", amount)
           : phrase("Set the clock of this computer back by {}", amount));
  finding.evidence = consensus->evidence;
  for (const auto& result : context.facts.report.probes) {
    if (fault_of_the_clock(result, *consensus)) {
      cause.explained.push_back(&result);
      finding.evidence.push_back(what_it_saw(result));
    }
  }
  return {cause};
}

}  // namespace callready::findings
