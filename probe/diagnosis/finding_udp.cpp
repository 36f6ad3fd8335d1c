// UDP, all of it (docs/design.md, "How neighbours are told apart", 1 and 2). Silence
// alone proves nothing; packets that die between controls that pass, a device that says no, and
// known responders of two operators do.
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"
#include "probe/diagnosis/silence.hpp"

namespace callready::findings {
namespace {

// Whether these tell of UDP, and not of one protocol or of a part of the ports: at least two kinds
// of packets, STUN and TURN being one, to well known ports and to higher ones.
bool of_every_kind(const std::vector<const Flow*>& flows) {
  std::set<Payload> payloads;
  bool low = false, high = false;
  for (const auto* flow : flows) {
    (flow->port < first_user_port ? low : high) = true;
    for (const auto& sample : flow->samples) {
      payloads.insert(inspected_as(sample));
    }
  }
  return low && high && payloads.size() > 1;
}

// Below it are the ports that services listen on, and no media range.
constexpr std::uint16_t first_media_port = 10'000;

bool died_without_a_word(const Flow* flow) {
  return flow->way == Reachability::blocked &&
         !any_sample(*flow, [](const FlowSample& sample) { return sample.turned_away(); });
}

const Flow* tcp_works(const Facts& facts) {
  const auto open =
      facts.select([](const Flow& flow) { return !flow.udp && flow.way == Reachability::open; });
  return open.empty() ? nullptr : open.front();
}

// UDP of which none was seen to get out: who met what, and where.
struct UdpView {
  std::vector<const Flow*> dead;  // of those whose silence or death tells of UDP
  std::vector<const Flow*> told;  // turned away, dropped, or the vendor's and silent
  std::vector<const Flow*> died;  // without a word
  std::set<std::uint16_t> dropped;
  std::set<std::string> dropped_networks, stopped_hosts, silent_parties;
  std::set<Payload> own_kinds;  // of the vendor's that is silent or stopped
  // The vendor's: who should answer or was stopped; silent or dropped; refused, or neither.
  bool own = false, own_silent = false, own_dropped = false;
  bool own_refused = false, own_unrefused = false;
  bool others_refused = false, others_quiet = false;

  // Whoever turns others away with a word does not drop the vendor's without one: they are two, and
  // of the vendor's packets those alone are shut that died.
  bool two_devices() const {
    return others_refused && !others_quiet && own_dropped && !own_refused;
  }
  // The vendor's UDP is refused, and nobody else's, or all others' is, and some of the vendor's is
  // not: whatever is silent may be so by a list that the vendor is on, or leave by it. Where some
  // of the vendor's died there without a word, the device rations its refusals, as Linux does (one
  // a second after the first six), and what it did not refuse tells nothing.
  bool treated_apart() const {
    return own_refused && (others_refused ? own_unrefused && !own_dropped : !own_silent);
  }
  // Three ports of one range are that range.
  bool many_dropped() const {
    return dropped.size() >= 3 &&
           (*dropped.begin() < first_media_port || dropped_networks.size() > 1);
  }
};

UdpView look_at_udp(const Facts& facts, const std::vector<const Flow*>& flows) {
  UdpView view;
  const auto vendors = facts.hosts_asked_for();
  const auto perhaps_down = dead_over_tcp(facts);
  const bool more_than_the_list = lets_out_more_than_the_list(facts);
  const auto shut = shut_hosts(facts, Working(facts));
  for (const auto* flow : flows) {
    if (shut.contains(flow->host)) continue;
    const bool responder =
        any_sample(*flow, [](const FlowSample& sample) { return sample.responder; });
    const bool named =
        any_sample(*flow, [](const FlowSample& sample) { return !sample.by.empty(); });
    const bool silent = responder && flow->way == Reachability::lost;
    const bool stopped = flow->way == Reachability::blocked;
    const bool died = died_without_a_word(flow);
    const bool own = facts.asked_for(*flow);
    if (died) view.dropped.insert(flow->port);
    if (died) view.dropped_networks.insert(flow->network);
    if (died) view.died.push_back(flow);
    if (silent) view.silent_parties.insert(flow->party);
    if (stopped) view.stopped_hosts.insert(flow->host);
    view.own_dropped |= died && own;
    // STUN alone may be inspected.
    const bool more_than_stun = any_sample(
        *flow, [](const FlowSample& sample) { return inspected_as(sample) != Payload::stun; });
    view.others_quiet |= (died || silent) && !own && more_than_stun;
    view.own_unrefused |= own && !named && !stopped;
    if (!silent && !stopped) continue;
    for (const auto& sample : flow->samples) {
      if (own) view.own_kinds.insert(inspected_as(sample));
    }
    view.own |= own && (!silent || !perhaps_down.contains(flow->host));
    view.own_silent |= own && !named;
    (own ? view.own_refused : view.others_refused) |= named;
    if (more_than_the_list || vendors.contains(flow->host)) view.dead.push_back(flow);
    if (stopped || vendors.contains(flow->host)) view.told.push_back(flow);
  }
  return view;
}

// STUN over a connection that anybody can read is mute, where the same server answers it over TLS.
bool stun_is_inspected(const Facts& facts) {
  const auto turn = turn_over_connections(facts);
  return std::any_of(turn.mute.begin(), turn.mute.end(),
                     [&](const auto& host) { return turn.tls.contains(host); });
}

// Some UDP gets as far as other UDP died, or farther: not all of it is shut.
bool some_passes(const Facts& facts, const UdpView& view) {
  return facts.udp_passes({}) ||
         (!view.stopped_hosts.empty() && facts.udp_passes_inside(view.stopped_hosts));
}

}  // namespace

std::optional<UdpVerdict> udp_is_blocked(const Facts& facts) {
  const auto flows = udp_cells(facts);
  if (flows.empty() || !tcp_works(facts)) return std::nullopt;
  if (std::any_of(flows.begin(), flows.end(), [](const Flow* flow) { return out(*flow); })) {
    return facts.tcp_gets_out() ? replies_are_lost(facts, flows) : std::nullopt;
  }
  UdpVerdict verdict;
  auto view = look_at_udp(facts, flows);
  if (view.two_devices() && !of_every_kind(view.died)) return std::nullopt;
  if (some_passes(facts, view)) return std::nullopt;
  const auto devices = refusals(flows);
  const auto widest = std::max_element(
      devices.begin(), devices.end(),
      [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  const bool refused = widest != devices.end() && widest->second.size() >= 2;
  if (refused && facts.udp_passes(widest->first)) return std::nullopt;
  if (refused) {
    verdict.evidence.push_back(
        {"", phrase("{} rejects UDP to {} networks.", widest->first, widest->second.size())});
  }
  const bool many = view.many_dropped();
  if (many) {
    const auto& ports = view.dropped;
    verdict.evidence.push_back(
        {"", phrase("UDP to {} ports ({}) is dropped before the first router outside; other "
                    "packets get there.",
                    ports.size(), ports_in_words({ports.begin(), ports.end()}, 4))});
  }
  const bool all_kinds = of_every_kind(view.dead);
  const auto& silent = view.silent_parties;
  if (refused || many) {
    // Who says no to some says so to others as well: whose silence is not that may be a list's.
    if (refused) std::erase_if(view.told, died_without_a_word);
    if (!all_kinds || (!many && !of_every_kind(view.told))) return std::nullopt;
    // Of one network only it may be that one.
    const auto networks = facts.networks([](const Flow& flow) { return flow.udp; });
    verdict.confidence = networks.size() > 1 ? Confidence::certain : Confidence::likely;
  } else if (silent.size() < 2 || !facts.tcp_gets_out()) {
    return std::nullopt;
  }
  if (!silent.empty()) {
    verdict.evidence.push_back({"", phrase("Public servers do not answer over UDP: {}.",
                                           listed({silent.begin(), silent.end()}))});
  }
  const bool only_stun = view.own_kinds == std::set{Payload::stun} && stun_is_inspected(facts);
  if (!view.own || !all_kinds || only_stun || view.treated_apart()) {
    verdict.confidence = Confidence::possible;
  }
  auto more = udp_evidence(flows, 6);
  verdict.evidence.insert(verdict.evidence.end(), more.begin(), more.end());
  return verdict;
}

namespace {

// UDP to these ports and higher ones that was seen to leave the site, and no more.
std::vector<const ProbeResult*> left_without_reply(const Diagnosis& context, std::uint16_t from) {
  std::vector<const ProbeResult*> left;
  for (const auto& result : context.facts.report.probes) {
    const bool dns = result.probe.target.port() == dns_port || result.probe.check == CheckKind::dns;
    const bool passed =
        result.observation.outcome == Outcome::passed && result.probe.target.ports.last >= from;
    if (is_udp(result) && is_direct(result) && !dns && passed && !context.facts.inside(result)) {
      left.push_back(&result);
    }
  }
  return left;
}

// Something else than DNS is answered on its port, which many let out for its sake.
bool works_on_the_port_of_dns(const Facts& facts) {
  return std::any_of(facts.flows.begin(), facts.flows.end(), [](const Flow& flow) {
    return flow.udp && flow.port == dns_port && any_sample(flow, [](const FlowSample& sample) {
             const auto check = sample.result->probe.check;
             return sample.way == Reachability::open &&
                    (check == CheckKind::stun || check == CheckKind::turn);
           });
  });
}

bool only_high(const UdpVerdict& verdict) { return verdict.from_port > last_well_known_port; }

Text title_of(const UdpVerdict& verdict, const Facts& facts) {
  if (only_high(verdict)) {
    return phrase("The firewall blocks UDP replies from port {} up", verdict.from_port);
  }
  if (verdict.only_replies) return phrase("The firewall blocks all UDP replies");
  if (works_on_the_port_of_dns(facts))
    return phrase("The firewall blocks all outgoing UDP except port 53");
  return phrase("The firewall blocks all outgoing UDP");
}

}  // namespace

std::vector<const ProbeResult*> failing_udp(const Diagnosis& context) {
  std::vector<const ProbeResult*> lost;
  for (const auto& result : context.facts.report.probes) {
    const bool dns = result.probe.target.port() == dns_port || result.probe.check == CheckKind::dns;
    if ((is_udp(result) || is_silent_call(result)) && is_direct(result) && !dns &&
        !context.facts.inside(result) && failing(result) && !context.explained(result)) {
      lost.push_back(&result);
    }
  }
  return lost;
}

Causes find_udp_blocked(const Diagnosis& context) {
  const auto verdict = udp_is_blocked(context.facts);
  if (!verdict) return {};
  Cause cause;
  cause.explained = failing_udp(context);
  std::erase_if(cause.explained, [&](const ProbeResult* result) {
    return result->probe.target.ports.last < verdict->from_port;
  });
  for (const auto& result : context.facts.report.probes) {
    if (needs_relay_over_stream(result)) cause.impaired.push_back(&result);
  }
  if (verdict->only_replies) cause.contradicted = left_without_reply(context, verdict->from_port);
  const bool media_too =
      std::any_of(cause.contradicted.begin(), cause.contradicted.end(),
                  [&](const ProbeResult* result) { return context.facts.asked_for(*result); });
  if (!media_too && !context.affects_requirement(cause.explained)) return {};
  cause.closes = only_high(*verdict) ? Closes::high_udp : Closes::udp;
  auto& finding = cause.finding;
  finding.code = FindingCode::firewall_udp_blocked;
  finding.title = title_of(*verdict, context.facts);
  finding.owner = Owner::network;
  finding.confidence = verdict->confidence;
  // The row of a call names the TCP port by which it is offered.
  auto without_calls = cause;
  without_calls.explained.clear();
  std::set<Text> ends;
  for (const auto* list : {&cause.explained, &cause.impaired}) {
    for (const auto* result : *list) {
      if (result->probe.check != CheckKind::ice) {
        without_calls.explained.push_back(result);
      } else if (const auto end = far_end_of_call(*result); !end.empty()) {
        ends.insert(end);
      }
    }
  }
  auto wanted = asked_flows(context.facts, without_calls);
  if (ends.empty()) cause.asked = without_calls.asked;
  for (const auto& end : ends) wanted += (wanted.empty() ? "" : "; ") + end;
  finding.fix =
      phrase("{} {}.{}",
             verdict->only_replies
                 ? phrase("Let in the replies to UDP sent {} (a stateful rule with a timeout of at "
                          "least 120 s):",
                          from_users(context.facts))
                 : phrase("Allow outgoing UDP (and return traffic) {}:", from_users(context.facts)),
             wanted, where_the_list_is(context.facts, cause.explained));
  finding.evidence = verdict->evidence;
  const auto* tcp = tcp_works(context.facts);
  finding.evidence.push_back(
      {tcp->samples.front().result->probe.id,
       phrase("TCP works: {}, port {}, is reachable.", tcp->host, tcp->port)});
  return {cause};
}

}  // namespace callready::findings
