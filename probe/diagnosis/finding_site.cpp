// What is wrong with the site as a whole: no way out, a sign-in page in front of it, a wrong clock.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "probe/diagnosis/finding_rules.hpp"
#include "probe/diagnosis/finding_time.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

// Of the first packets that have no way: fewer than this may be a vendor's own trouble.
constexpr std::size_t enough_endpoints = 3;

bool has_no_route(const ProbeResult& result) {
  return result.observation.outcome == Outcome::skipped &&
         result.observation.detail == DetailCode::no_route;
}

std::vector<const ProbeResult*> lost_probes(const Facts& facts) {
  std::vector<const ProbeResult*> lost;
  for (const auto& result : facts.report.probes) {
    if (!facts.inside(result) && (failing(result) || has_no_route(result))) lost.push_back(&result);
  }
  return lost;
}

// Somebody answers at the proxy's address, if only to refuse: it is the proxy that is gone.
bool proxy_is_gone(const ProbeResult& result) {
  const auto& seen = result.observation;
  if (is_direct(result)) return false;
  const bool refused =
      seen.outcome == Outcome::refused && seen.detail == DetailCode::proxy_unreachable;
  return refused || seen.detail == DetailCode::not_a_proxy ||
         seen.detail == DetailCode::proxy_timed_out;
}

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
  return FindingEvidence{
      result.probe.id,
      elsewhere.empty()
          ? fmt::format("The page of {} came with a content that is not its own.", page)
          : fmt::format("The page of {} came as a redirect to {}.", page, elsewhere)};
}

// A router says that it knows no way there.
bool leads_nowhere(const Flow& flow) {
  return any_sample(flow, [](const FlowSample& sample) {
    const auto& seen = sample.result->observation;
    return seen.outcome == Outcome::rejected && seen.detail == DetailCode::unreachable;
  });
}

// Many a network that lets nothing out lets names be looked up, by whatever server.
bool only_asks_names(const Flow& flow) {
  return std::all_of(flow.samples.begin(), flow.samples.end(), [](const FlowSample& sample) {
    return sample.result->probe.check == CheckKind::dns;
  });
}

}  // namespace

Causes find_offline(const Diagnosis& context) {
  const auto& facts = context.facts;
  if (facts.proxy_speaks()) return {};
  std::set<std::string> parties;
  std::set<std::pair<bool, std::uint16_t>> services;  // that nobody answers: by transport and port
  std::size_t silent = 0, silent_resolvers = 0, without_route = 0, tried = 0;
  bool control = false, own = false, own_not_refused = false, looked_up = false;
  std::string device;
  const auto asked_for = facts.hosts_asked_for();
  for (const auto& flow : facts.flows) {
    if (only_asks_names(flow)) {
      if (leads_nowhere(flow)) {
        ++silent;
        parties.insert(flow.party);
        services.insert({flow.udp, flow.port});
      } else if (flow.way == Reachability::lost) {
        ++silent_resolvers;
      }
      continue;
    }
    if (flow.way == Reachability::open || flow.way == Reachability::left ||
        flow.way == Reachability::refused)
      return {};
    const bool answers_all =
        any_sample(flow, [](const FlowSample& sample) { return sample.responder; });
    if (flow.way == Reachability::blocked || answers_all) {
      ++silent;
      parties.insert(flow.party);
      services.insert({flow.udp, flow.port});
      own |= asked_for.contains(flow.host);
    }
    own_not_refused |= asked_for.contains(flow.host) && flow.way != Reachability::blocked;
    for (const auto& sample : flow.samples) {
      const bool vendors = asked_for.contains(flow.host);  // asked again, by the second round
      control |= sample.result->probe.control && !vendors;
      if (!sample.by.empty()) device = sample.by;
    }
  }
  std::string proxy;
  for (const auto& result : facts.report.probes) {
    if (facts.inside(result)) continue;
    if (result.probe.check == CheckKind::dns && reached(result.observation.outcome)) {
      looked_up = true;
      continue;
    }
    if (reached(result.observation.outcome) || proxy_is_gone(result)) return {};
    if (!is_direct(result)) proxy = result.probe.target.route.proxy;
    if (has_no_route(result)) ++without_route;
    looked_up |= is_name(result.probe.target.host) && result.observation.address;
    // Without a route, no name server can be asked either.
    if (failing(result) && result.observation.detail != DetailCode::dns_unreachable) ++tried;
  }
  const auto& interfaces = facts.report.site.interfaces;
  const bool led_nowhere =
      !interfaces.empty() && std::none_of(interfaces.begin(), interfaces.end(),
                                          [](const auto& one) { return one.default_route; });
  const std::size_t enough = led_nowhere ? 1 : enough_endpoints;
  const bool nowhere = without_route >= enough && silent == 0 && tried == 0;
  // That other name servers may not be asked is usual; where names are not found at all, they
  // count.
  const bool with_resolvers = silent < enough_endpoints && !looked_up;
  if (with_resolvers && silent > 1) silent += silent_resolvers;
  if (!nowhere && (silent < enough_endpoints || parties.size() < 2)) return {};

  Cause cause;
  auto& finding = cause.finding;
  cause.explained = lost_probes(facts);
  cause.closes = Closes::direct;
  finding.code = "network.offline";
  finding.owner = Owner::network;
  finding.confidence =
      nowhere || (control && !with_resolvers) ? Confidence::certain : Confidence::likely;
  if (nowhere) {
    finding.owner = Owner::user;
    finding.title = "This computer is not connected to a network that leads to the Internet";
    finding.fix =
        "Connect the network cable or join the Wi-Fi, and check that the computer gets an address "
        "and a default gateway (DHCP). Then run this again.";
    finding.evidence.push_back({"", "The computer has no route to any of the tried servers."});
    return {cause};
  }
  // A name server that finds names has a way out, or has them from before: this computer may be the
  // one that is kept in, and let out to the vendor's list, of which nobody was asked who answers.
  // A device that turns some of the service away may turn no more away than that.
  const bool told = own && (device.empty() || !own_not_refused);
  if (looked_up) finding.confidence = told ? Confidence::likely : Confidence::possible;
  // One or two services may be shut, where little else was asked.
  const std::size_t few = device.empty() ? 2 : 3;
  if (services.size() < few && (looked_up || !control)) finding.confidence = Confidence::possible;
  finding.title =
      looked_up ? "Nothing outside this site answers this computer, though names are looked up"
                : "Nothing outside this site answers: there is no way to the Internet from here";
  if (looked_up && proxy.empty()) {
    finding.fix =
        "The Internet line is likely up, since names are found, and this computer is kept in: find "
        "the address of this site's web proxy in the browser's settings and run again with --proxy "
        "(or --proxy auto, which looks for it). If the site has none, check the firewall, and the "
        "line (can other computers here open any web page?).";
  } else {
    finding.fix =
        "Check the Internet line and the router (can other computers here open any web page?). ";
    finding.fix +=
        proxy.empty()
            ? "If web pages open on them, this site lets traffic out only through a proxy: find "
              "its address in the browser's settings and run again with --proxy."
            : fmt::format(
                  "The proxy {} does not answer either: if web pages open on them, compare "
                  "its address with the one in their browser's settings.",
                  proxy);
  }
  finding.evidence.push_back(
      {"", fmt::format("None of {} endpoints of {} operators answered{}.", silent, parties.size(),
                       control ? ", among them well known public servers" : "")});
  if (!device.empty()) {
    finding.evidence.push_back(
        {"", fmt::format("{} says that it does not let the packets pass.", device)});
    finding.fix += fmt::format(" The device {} turns the traffic away: ask who runs it.", device);
  }
  std::vector<const ProbeResult*> tried_ways;
  for (const auto& flow : facts.flows) tried_ways.push_back(flow.samples.front().result);
  add_what_they_saw(finding.evidence, tried_ways, 6);
  return {cause};
}

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
  finding.code = "network.captive_portal";
  finding.title = "A sign-in page stands before the Internet (captive portal)";
  finding.owner = Owner::user;
  // Who is let out without signing in may be in the portal's garden.
  const bool shut = operators.size() > 1 && secure.empty();
  finding.confidence = shut ? Confidence::certain : Confidence::likely;
  finding.fix =
      "Open a web browser here, go to http://neverssl.com, sign in or accept the terms, and run "
      "this "
      "again. Phones and room devices cannot: ask the network team to exempt them.";
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
  finding.code = "time.skewed";
  const bool slow = consensus->offset_ms > 0;
  const auto amount = duration_in_words(std::abs(consensus->offset_ms));
  finding.title = fmt::format("This computer's clock is {} {}", amount, slow ? "slow" : "fast");
  finding.owner = Owner::helpdesk;
  finding.confidence = Confidence::certain;
  finding.fix = fmt::format(
      "Set the clock of this computer {} by {}, and switch on automatic time (NTP). With a wrong "
      "clock, certificates seem expired or not yet valid, and sign-in and phone registration fail.",
      slow ? "forward" : "back", amount);
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
