// A device that shuts this computer out, or a line that goes down: what answered at first no longer
// does.
#include <algorithm>
#include <chrono>
#include <optional>
#include <set>

#include "probe/diagnosis/rules.hpp"
#include "probe/model/canary.hpp"

namespace callready::findings {
namespace {

// The first and the second time that a port was asked.
struct Twice {
  const Flow* flow = nullptr;
  const FlowSample* before = nullptr;  // it answered
  const FlowSample* after = nullptr;   // it does not
};

// This computer's address, for those who are to let it through: IPv4, if it has such an address.
std::string own_address(const Report& report) {
  for (const bool v4 : {true, false}) {
    for (const auto& interface : report.site.interfaces) {
      for (const auto& address : interface.addresses) {
        const bool its = address.is_v4() == v4 && !address.is_link_local();
        if (interface.default_route && its) return " (" + address.to_string() + ")";
      }
    }
  }
  return {};
}

// In the second round: the canary is asked for in the first.
bool asks_our_resolvers(const Facts& facts, const ProbeResult& result) {
  const auto& probe = result.probe;
  return asks_system_resolvers(probe) && !asks_for_canary(probe) && !facts.asked_for(result);
}

// The site's resolver still finds names since then: the line is up, and it is this computer that is
// shut out.
std::optional<FindingEvidence> line_is_up(const Facts& facts, WallTime since) {
  for (const auto& result : facts.report.probes) {
    const auto* answer = evidence_of(result, EvidenceKind::dns_answer);
    const auto& sent = result.observation.sent_at;
    const bool since_then = sent && *sent + std::chrono::seconds(1) >= since;
    if (answer == nullptr || !since_then || !asks_our_resolvers(facts, result)) continue;
    // Cut off from the Internet, it would say so (SERVFAIL).
    const auto rcode = text_fact(*answer, Fact::rcode);
    if (rcode != "NOERROR" && rcode != "NXDOMAIN") continue;
    return FindingEvidence{result.probe.id, phrase("Meanwhile, the line is up: {}.", answer->text)};
  }
  return std::nullopt;
}

// The same question, and no answer, or none but SERVFAIL: then it may be the line.
const ProbeResult* resolver_is_cut_off(const Facts& facts) {
  for (const auto& result : facts.report.probes) {
    const auto& seen = result.observation;
    const bool late = result.probe.control() && asks_our_resolvers(facts, result);
    const bool in_vain = seen.outcome == Outcome::silent || seen.detail == DetailCode::servfail;
    if (late && in_vain) return &result;
  }
  return nullptr;
}

// By a device on the way. `portal`: one has taken the place of pages, and so of all that listens on
// TCP 80.
bool is_answered_nearby(const ProbeResult& result, bool portal) {
  return is_taken_near(result) || (portal && is_to_tcp_80(result) && is_direct(result));
}

// What answered at first, and no longer does. Nothing if any of it still does.
std::vector<Twice> fallen_silent(const Facts& facts) {
  const bool portal = facts.any_probe(is_another_page);
  std::vector<Twice> lost;
  for (const auto& flow : facts.flows) {
    Twice twice{&flow, nullptr, nullptr};
    bool still_there = false;
    for (const auto& sample : flow.samples) {
      const auto& [probe, seen] = *sample.result;
      if (is_answered_nearby(*sample.result, portal)) continue;
      if (probe.purpose != Purpose::repeat) {
        // A refusal may come from a device in the far end's name, and only a few times a second.
        const bool answered =
            sample.way == Reachability::open && seen.sent_at && seen.outcome != Outcome::refused;
        if (answered) twice.before = &sample;
      } else if (gets_out(sample.way)) {
        if (twice.after != nullptr) return {};  // it was lost by chance
        still_there = true;
      } else if (twice.after == nullptr) {
        twice.after = &sample;
      }
    }
    if (twice.before == nullptr) continue;
    if (twice.after == nullptr && still_there) return {};  // nobody took offence
    if (twice.after == nullptr) continue;
    const auto& before = twice.before->result->observation.sent_at;
    const auto& after = twice.after->result->observation.sent_at;
    if (after && *after >= *before) lost.push_back(twice);
  }
  return lost;
}

// When the last packet that got an answer was sent, even if that was only a faulty certificate.
// `dropped`: the device drops packets, so no refusal from beyond it comes back either.
std::optional<WallTime> last_answered(const Facts& facts, bool dropped) {
  const bool portal = facts.any_probe(is_another_page);
  std::optional<WallTime> last;
  for (const auto& result : facts.report.probes) {
    const auto outcome = result.observation.outcome;
    const bool answered =
        outcome == Outcome::answered || outcome == Outcome::connected ||
        outcome == Outcome::denied || has_certificate(result) ||
        (dropped && outcome == Outcome::refused && who_refused(result) == Refuser::beyond);
    if (answered && goes_outside(result) && !is_answered_nearby(result, portal))
      last = std::max(last, result.observation.sent_at);
  }
  return last;
}

// When the first of these was already silent.
WallTime silent_since(const std::vector<Twice>& lost) {
  auto since = WallTime::max();
  for (const auto& twice : lost) since = std::min(since, *twice.after->result->observation.sent_at);
  return since;
}

// Several hosts that owe an answer were silent before the last answer: a device that shuts this
// computer out lets everything pass before, and nothing afterwards.
bool some_died_before(const Facts& facts, std::optional<WallTime> last) {
  const auto silent = facts.select([&](const Flow& flow) {
    return any_sample(flow, [&](const FlowSample& sample) {
      const auto& seen = sample.result->observation;
      const bool owes = !flow.udp || sample.responder;
      return owes && seen.outcome == Outcome::silent && seen.detail == DetailCode::timed_out &&
             seen.sent_at && seen.sent_at < last && goes_outside(*sample.result);
    });
  });
  return set_of(silent, &Flow::host).size() > 1;
}

// Some devices refuse instead of dropping.
bool are_reset(const std::vector<Twice>& lost) {
  return std::ranges::any_of(
      lost, [](const Twice& twice) { return twice.after->way != Reachability::lost; });
}

// What has fallen silent, if nothing else got through since.
std::vector<Twice> shut_out(const Facts& facts) {
  auto lost = fallen_silent(facts);
  const bool others = !lost.empty() && last_answered(facts, !are_reset(lost)) >= silent_since(lost);
  return others ? std::vector<Twice>() : lost;
}

}  // namespace

bool some_fell_silent(const Facts& facts) { return !fallen_silent(facts).empty(); }

bool is_shut_out(const Facts& facts) { return !shut_out(facts).empty(); }

namespace {

// Everything is shut out, and pages known by heart are no longer their own.
void tell_of_ended_session(Cause& cause, const Probes& pages) {
  cause.name(FindingCode::network_captive_portal, parties_of(pages).size() > 1 ? certain : likely);
  cause.title = phrase("The sign-in to this network ended during this test (captive portal)");
  cause.fix = phrase(
      "Open a web browser here, go to http://neverssl.com, sign in again, and repeat this test. "
      "Calls end with the sign-in: ask those who run this network to let sign-ins last longer.");
  for (const auto* page : pages) {
    const auto place = text_of(*page, EvidenceKind::http_reply, Fact::redirect_host);
    const auto& host = page->probe.target.host;
    cause.tell(place.empty() ? phrase("{} returned a page that is not its own.", host)
                             : phrase("The page of {} redirected to {}.", host, place),
               page);
  }
}

}  // namespace

Causes find_rate_limit(const Diagnosis& context) {
  const auto lost = shut_out(context);
  if (lost.empty()) return {};
  const bool resets = are_reset(lost);
  std::set<std::string> networks;
  for (const auto& twice : lost) networks.insert(twice.flow->network);
  Probes cut_off;
  for (const auto& flow : context.flows) {
    if (flow.port == dns_port) continue;
    for (const auto& sample : flow.samples) {
      const auto* result = sample.result;
      const bool refused =
          sample.way == Reachability::refused || sample.way == Reachability::blocked;
      // The ban may come between the connection and the reply.
      const bool is_lost = sample.way == Reachability::lost ||
                           (sample.way == Reachability::open && got_no_answer(*result)) ||
                           (resets && refused);
      if (is_lost && !context.explained(*result)) cut_off.push_back(result);
    }
  }
  Cause cause;
  add_new(cause.explained, cut_off);  // a range is one probe with many flows
  // Routers on the way no longer answer, either.
  add_new(cause.explained, context.probes_that([&](const ProbeResult& result) {
    const auto check = result.probe.check;
    const bool on_the_way = check == CheckKind::hop || check == CheckKind::udp_range;
    const auto& seen = result.observation;
    const bool silent = seen.outcome == Outcome::silent && seen.detail == DetailCode::silent;
    return on_the_way && silent && !context.explained(result);
  }));
  // A row's own request was answered at first, and its server has gone silent since.
  const bool hurts = std::ranges::any_of(
      lost, [&](const Twice& twice) { return context.asked_for(*twice.before->result); });
  if (!hurts && !context.affects_requirement(cause.explained)) return {};
  const auto last = last_answered(context, !resets);
  // Until then, pages may have been changed by somebody else.
  const auto pages = context.probes_that([&](const ProbeResult& result) {
    return is_another_page(result) && result.observation.sent_at >= last;
  });
  const bool portal = !pages.empty();
  const auto line = portal ? std::nullopt : line_is_up(context, silent_since(lost));
  const auto* quiet = line || portal ? nullptr : resolver_is_cut_off(context);
  const bool in_doubt = quiet != nullptr || some_died_before(context, last);
  const auto sure = in_doubt ? possible : line && networks.size() > 1 ? certain : likely;
  cause.name(FindingCode::firewall_rate_limited, sure);
  cause.title = resets
                    ? phrase("A device in the path has started to refuse this computer's packets")
                    : phrase("A device in the path has started to drop this computer's packets");
  cause.fix = phrase(
      "Exempt this computer{} from intrusion prevention (port scan, host sweep, traceroute or "
      "flood protection) on the firewall, or raise its limit: calls contact dozens of servers "
      "within seconds, too. Look for a quota or a rule that blocks at this time of day as well. "
      "Until the block expires (often a minute to an hour), more tests from here will fail. After "
      "that, run this again at the normal pace.",
      own_address(context.report));
  if (quiet != nullptr) {
    cause.owner = Owner::provider;
    cause.title = phrase("During this test, everything fell silent");
    cause.fix = phrase(
        "Find out whether other computers here can still open web pages. If not, the line went "
        "down: ask the Internet provider. If they can, a device has started to block this one. {}",
        cause.fix);
  }
  if (portal) tell_of_ended_session(cause, pages);
  for (const auto& [flow, before, after] : lost) {
    const auto seconds = std::chrono::duration<double>(*after->result->observation.sent_at -
                                                       *before->result->observation.sent_at);
    const auto& target = after->result->probe.target;
    cause.tell(
        phrase("{}, {} {}, answered, but not {} s later.", target.host,
               is_udp(*after->result) ? "UDP" : "TCP", target.port(), whole(seconds.count())),
        after->result);
  }
  if (line) cause.tell(*line);
  if (quiet != nullptr) {
    cause.tell(
        phrase(
            "The DNS servers no longer resolve names either: the line itself may have gone down."),
        quiet);
  }
  cause.show(cause.explained, 4);
  // Whatever passed before, no service works from here until the block expires.
  cause.affects = sets_of(context, context.sent_outside());
  return {cause};
}

}  // namespace callready::findings
