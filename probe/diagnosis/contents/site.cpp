// What is wrong with the site as a whole: a sign-in page in front of it.
#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// A page redirects to another owner's host, and no row asks for anything there.
bool leads_elsewhere(const Facts& facts, const ProbeResult& result) {
  const auto elsewhere = text_of(result, EvidenceKind::http_reply, Fact::redirect_host);
  if (elsewhere.empty() || !is_plain_page(result) || !is_name(result.probe.target.host))
    return false;
  const auto owner = registrable_domain(elsewhere);
  const auto& own = result.observation.address;
  if (own && owner == registrable_domain(own->to_string())) return false;
  return !facts.any_probe([&](const ProbeResult& other) {
    return facts.asked_for(other) && registrable_domain(other.probe.target.host) == owner;
  });
}

}  // namespace

Probes plain_http_answers(const Facts& facts) {
  return facts.probes_that([&](const ProbeResult& result) {
    const bool plain = result.probe.target.transport == Transport::tcp &&
                       result.probe.target.port() == 80 && is_direct(result);
    return plain && !is_inside(result) && reached(result.observation.outcome);
  });
}

bool only_plain_http_works(const Facts& facts) {
  bool any_fails = false;
  const bool other_works = facts.any_probe([&](const ProbeResult& result) {
    const auto& [probe, seen] = result;
    if (probe.check == CheckKind::dns || !is_direct(result) || is_inside(result)) return false;
    any_fails |= failing(result) && facts.asked_for(result);
    const bool page = probe.check == CheckKind::http || probe.check == CheckKind::tcp;
    const bool plain =
        page && probe.target.transport == Transport::tcp && probe.target.port() == 80;
    return reached(seen.outcome) && !plain;
  });
  return any_fails && !other_works;
}

Causes find_captive_portal(const Diagnosis& context) {
  Cause cause;
  const bool only_plain_http = only_plain_http_works(context);
  std::set<std::string> operators, secure;
  bool redirected = false;
  for (const auto& result : context.report.probes) {
    const auto& host = result.probe.target.host;
    // Answered by somebody else: what came instead.
    const bool known = is_another_page(result);
    if (known || (only_plain_http && leads_elsewhere(context, result))) {
      const auto elsewhere = text_of(result, EvidenceKind::http_reply, Fact::redirect_host);
      cause.tell(elsewhere.empty() ? phrase("{} returned a page that is not its own.", host)
                                   : phrase("The page of {} redirected to {}.", host, elsewhere),
                 &result);
      if (known) operators.insert(registrable_domain(host));
      redirected |= !elsewhere.empty();
    }
    const bool tls = result.probe.target.transport == Transport::tls && is_direct(result);
    if (tls && !is_inside(result) && result.observation.outcome == Outcome::answered) {
      // A site that lets the service itself out does not want a sign-in for it: a web filter keeps
      // its page for others.
      if (context.asked_for(result)) return {};
      secure.insert(registrable_domain(host));
    }
  }
  // Two operators do not change their pages on one day; one may, and moves it elsewhere at most.
  const bool portal = operators.size() > 1 || (redirected && secure.empty());
  // Where TLS gets out to anywhere, nobody has to sign in.
  if (!portal || secure.size() > 1) return {};
  // What is let out without signing in may be in the portal's walled garden.
  const bool shut = operators.size() > 1 && secure.empty();
  cause.name(FindingCode::network_captive_portal, shut ? certain : likely);
  cause.title = phrase("This network requires you to sign in first (captive portal)");
  cause.fix = phrase(
      "Open a web browser here, go to http://neverssl.com, sign in or accept the terms, and run "
      "this again. Phones and room devices cannot sign in: ask the network team to exempt them.");
  cause.explained = lost_probes(context);
  cause.contradicted = plain_http_answers(context);
  cause.closes = Closes::direct;
  return {cause};
}

}  // namespace callready::findings
