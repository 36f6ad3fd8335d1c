// UDP, all of it (docs/design.md, "How neighbours are told apart", 1 and 2). Silence
// alone proves nothing; packets that die between controls that pass, a device that says no, and
// known responders of two operators do.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"
#include "probe/diagnosis/silence.hpp"

namespace callready::findings {
namespace {

// A row needs that port of that host: where only the vendor's list is allowed, the well known
// public servers are silent or refused, and nothing is wrong.
bool asked_for(const Facts& facts, const Flow& flow) {
  return any_sample(flow,
                    [&](const FlowSample& sample) { return facts.asked_for(*sample.result); });
}

// Whether these tell of UDP, and not of one protocol or of a part of the ports: at least two kinds
// of packets, STUN and TURN being one, to well known ports and to higher ones.
bool of_every_kind(const std::vector<const Flow*>& flows) {
  std::set<Payload> payloads;
  bool low = false, high = false;
  for (const auto* flow : flows) {
    (flow->port < 1024 ? low : high) = true;
    for (const auto& sample : flow->samples) {
      payloads.insert(inspected_as(sample));
    }
  }
  return low && high && payloads.size() > 1;
}

// The far end spoke: a connection that stands and says nothing may be somebody's on the way.
bool spoke(const FlowSample& sample) {
  const auto outcome = sample.result->observation.outcome;
  return outcome == Outcome::answered || outcome == Outcome::denied ||
         !chain_of(*sample.result).empty();
}

// On the port of DNS, who is asked for is heard, and who is not is silent: for UDP, a list is at
// work.
bool list_lets_out_udp(const Facts& facts) {
  bool own_heard = false, others_silent = false;
  for (const auto& flow : facts.flows) {
    if (!flow.udp || flow.port != dns_port) continue;
    const bool own = asked_for(facts, flow);
    if (!own && flow.way == Reachability::open) return false;
    own_heard |= own && flow.way == Reachability::open;
    others_silent |= !own;
  }
  return own_heard && others_silent;
}

// Somebody near takes connections in everybody's name: whom it reaches says nothing of UDP.
bool connections_are_taken(const Facts& facts) {
  const auto& probes = facts.report.probes;
  return std::any_of(probes.begin(), probes.end(), [](const ProbeResult& result) {
    return is_direct(result) && result.observation.detail == DetailCode::answered_on_the_way;
  });
}

// A site may let out nothing but the vendor's list: then others tell nothing of UDP.
bool lets_out_more_than_the_list(const Facts& facts) {
  if (list_lets_out_udp(facts) || connections_are_taken(facts)) return false;
  const auto vendors = facts.hosts_asked_for();
  return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& flow) {
    const auto opened = [](const auto& sample) { return has_foreign_root(*sample.result); };
    // How far it leaves may be no further than to whoever stops it.
    return !flow.udp && !vendors.contains(flow.host) && any_sample(flow, spoke) &&
           !any_sample(flow, opened);
  });
}

// Packets were seen in the network of the host that they are for.
bool seen_at_its_door(const Flow& flow, const FlowSample& sample) {
  const auto router = IpAddress::parse(sample.left_at);
  return sample.way == Reachability::left && router && network_of(*router) == flow.network;
}

// Whether those who answer everybody and are silent were seen to be sent to as far as the vendor's
// hosts: at the same routers or next to them, or beyond those that several ways have in common, but
// at their doors, where the vendor's were seen at theirs. Else they may be stopped in between,
// where a list is.
bool sent_as_far_as_the_vendors(const std::vector<const Flow*>& flows, const Facts& facts) {
  std::map<std::string, std::set<std::string>> hosts;  // of others, by the router that saw them
  std::set<std::string> vendors, climbed;              // routers
  std::int64_t vendors_ttl = 0, others_ttl = 0;        // of the farthest, as far as was asked
  bool vendors_arrive = false, others_arrive = false;
  for (const auto* flow : flows) {
    const bool own = asked_for(facts, *flow);
    for (const auto& sample : flow->samples) {
      if (sample.way != Reachability::left) continue;
      (own ? vendors_arrive : others_arrive) |= seen_at_its_door(*flow, sample);
      if (own) vendors.insert(sample.left_at);
      const bool with_control = sample.result->probe.with.contains("control");
      if (!own && with_control) hosts[sample.left_at].insert(flow->host);
      if (!own && !with_control) climbed.insert(sample.left_at);
      const auto* hop = evidence_of(*sample.result, EvidenceKind::hop);
      const auto ttl = hop == nullptr ? std::nullopt : number_fact(*hop, Fact::ttl);
      auto& farthest = own ? vendors_ttl : others_ttl;
      farthest = std::max(farthest, static_cast<std::int64_t>(ttl.value_or(0)));
    }
  }
  const auto is_new = [&](const std::string& router) { return !hosts.contains(router); };
  const bool on_ways_of_their_own =
      hosts.size() > 1 && std::any_of(hosts.begin(), hosts.end(),
                                      [](const auto& seen) { return seen.second.size() == 1; });
  const bool next_to_them = vendors_ttl > 0 && others_ttl >= vendors_ttl;
  auto routers = vendors;
  routers.insert(climbed.begin(), climbed.end());
  for (const auto& [router, seen] : hosts) routers.insert(router);
  // Where one alone speaks, a list may be its own: it answers what ends there before it looks.
  if (routers.size() == 1 && !routers.begin()->empty()) return false;
  if (vendors_arrive && !others_arrive) return false;
  if (next_to_them || on_ways_of_their_own) return true;
  return std::none_of(vendors.begin(), vendors.end(), is_new) ||
         std::any_of(climbed.begin(), climbed.end(), is_new);
}

// The vendors' packets leave, and of others' none does, and some are seen to be dropped: a list
// lets out the vendors only, and the others' silence tells nothing of replies.
bool only_the_vendors_leave(const Facts& facts, const std::vector<const Flow*>& flows) {
  bool others_dropped = false;
  for (const auto* flow : flows) {
    if (asked_for(facts, *flow)) continue;
    if (flow->way == Reachability::left) return false;
    others_dropped |= flow->way == Reachability::blocked;
  }
  return others_dropped;
}

// Hosts of which no connection is answered either, or all stand and are mute: they may be down.
std::set<std::string> dead_over_tcp(const Facts& facts) {
  const bool taken = connections_are_taken(facts);
  std::set<std::string> hosts, speaking;
  for (const auto& flow : facts.flows) {
    if (flow.udp) continue;
    if (taken ? any_sample(flow, spoke) : heard(flow)) speaking.insert(flow.host);
    if (taken || asked_for(facts, flow)) hosts.insert(flow.host);
  }
  for (const auto& host : speaking) hosts.erase(host);
  return hosts;
}

// Packets leave, and nobody who answers everybody is heard, on whatever port: the way back is shut,
// or one further out. One of those who are silent must have been seen to be sent to.
std::optional<UdpVerdict> replies_are_lost(const Facts& facts,
                                           const std::vector<const Flow*>& flows) {
  UdpVerdict verdict;
  verdict.from_port = std::numeric_limits<std::uint16_t>::max();
  std::set<std::uint16_t> ports, telling_ports;
  std::set<std::string> parties;
  const Flow* left = nullptr;
  bool silent_yet_left = false, own_too = false, own_responders = false;
  // What is seen to leave is of the same kind: a device may drop one protocol only.
  const auto leaves = [](const Flow& flow, Payload payload) {
    return any_sample(flow, [&](const FlowSample& sample) {
      return sample.way == Reachability::left && sample.payload == payload;
    });
  };
  const bool list = only_the_vendors_leave(facts, flows);
  const bool more_than_the_list = lets_out_more_than_the_list(facts);
  const auto perhaps_down = dead_over_tcp(facts);
  for (const auto* flow : flows) {
    if (heard(*flow)) return std::nullopt;  // a refusal passes where no reply does, too
    const bool own = asked_for(facts, *flow);
    if (list && !own) continue;
    if (flow->way == Reachability::left) left = flow;
    if (flow->way == Reachability::blocked) continue;  // it is not the reply that is lost
    for (const auto& sample : flow->samples) {
      const bool sip = sample.payload == Payload::sip && facts.answers_sip(flow->host);
      const bool should_answer = sample.responder || sip;
      own_responders |= should_answer && facts.asked_for(*sample.result);
      if (sample.way != Reachability::lost || !should_answer) continue;
      ports.insert(flow->port);
      if (own || more_than_the_list) telling_ports.insert(flow->port);
      parties.insert(flow->party);
      silent_yet_left |= flow->way == Reachability::left;
      // Whose packets were not seen to leave may be dropped, as others on such ports.
      const bool sent = flow->way == Reachability::left || own;
      if (sent) verdict.from_port = std::min(verdict.from_port, flow->port);
      own_too |= leaves(*flow, sample.payload) && own && !perhaps_down.contains(flow->host);
    }
  }
  // A port that is inspected, or one operator that is down, has the others answer.
  if (!silent_yet_left || ports.size() < 2 || parties.size() < 3) return std::nullopt;
  // Where the vendor has servers that answer everybody, they have to be seen to fare no better.
  const bool others_tell =
      !own_responders && more_than_the_list && sent_as_far_as_the_vendors(flows, facts);
  // Two ports may each be shut.
  const bool told =
      (own_too || others_tell) && telling_ports.size() > 2 && !new_flows_may_be_limited(facts);
  verdict.confidence = told ? Confidence::likely : Confidence::possible;
  verdict.only_replies = true;
  verdict.evidence.push_back(
      {"", fmt::format("UDP leaves the site, and no reply comes back: servers that answer "
                       "everybody are silent, on ports {}: {}.",
                       ports_in_words({ports.begin(), ports.end()}, 4),
                       listed({parties.begin(), parties.end()}))});
  for (const auto& sample : left->samples) {
    if (sample.way == Reachability::left) verdict.evidence.push_back(what_it_saw(sample));
  }
  return verdict;
}

// Below it are the ports that services listen on, and no media range.
constexpr std::uint16_t first_media_port = 10'000;

bool died_without_a_word(const Flow* flow) {
  return flow->way == Reachability::blocked && !any_sample(*flow, [](const FlowSample& sample) {
           return sample.forged || !sample.by.empty();
         });
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
  // not: whatever is silent may be so by a list that the vendor is on, or leave by it.
  bool treated_apart() const {
    return own_refused && (others_refused ? own_unrefused : !own_silent);
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
    const bool own = asked_for(facts, *flow);
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
  std::set<std::string> mute, answering;
  for (const auto& result : facts.report.probes) {
    const auto& host = result.probe.target.host;
    const bool stun =
        result.probe.check == CheckKind::turn || result.probe.check == CheckKind::stun;
    if (!stun || !is_direct(result)) continue;
    const bool tls = result.probe.target.transport == Transport::tls;
    if (tls && result.observation.outcome == Outcome::answered) answering.insert(host);
    if (!tls && result.observation.detail == DetailCode::stun_timed_out) mute.insert(host);
  }
  return std::any_of(mute.begin(), mute.end(),
                     [&](const auto& host) { return answering.contains(host); });
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
    verdict.evidence.push_back({"", fmt::format("{} turns UDP to {} networks away.", widest->first,
                                                widest->second.size())});
  }
  const bool many = view.many_dropped();
  if (many) {
    const auto& ports = view.dropped;
    verdict.evidence.push_back(
        {"", fmt::format("UDP to {} ports ({}) does not get as far as the first router outside, "
                         "which other packets reach.",
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
    verdict.evidence.push_back({"", fmt::format("Servers that answer everybody are silent over "
                                                "UDP: {}.",
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

std::string title_of(const UdpVerdict& verdict, const Facts& facts) {
  if (only_high(verdict)) {
    return fmt::format("The firewall lets no replies over UDP in from port {} up",
                       verdict.from_port);
  }
  if (verdict.only_replies) return "The firewall lets no replies over UDP in";
  if (works_on_the_port_of_dns(facts)) return "The firewall lets no UDP out but to port 53";
  return "The firewall lets no UDP out";
}

}  // namespace

std::vector<const ProbeResult*> failing_udp(const Diagnosis& context) {
  std::vector<const ProbeResult*> lost;
  for (const auto& result : context.facts.report.probes) {
    const bool dns = result.probe.target.port() == dns_port || result.probe.check == CheckKind::dns;
    if (is_udp(result) && is_direct(result) && !dns && !context.facts.inside(result) &&
        failing(result) && !context.explained(result)) {
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
  if (verdict->only_replies) cause.contradicted = left_without_reply(context, verdict->from_port);
  const bool media_too =
      std::any_of(cause.contradicted.begin(), cause.contradicted.end(),
                  [&](const ProbeResult* result) { return context.facts.asked_for(*result); });
  if (!media_too && !context.affects_requirement(cause.explained)) return {};
  cause.closes = only_high(*verdict) ? Closes::high_udp : Closes::udp;
  auto& finding = cause.finding;
  finding.code = "firewall.udp_blocked";
  finding.title = title_of(*verdict, context.facts);
  finding.owner = Owner::network;
  finding.confidence = verdict->confidence;
  finding.fix = fmt::format("{} {}.{}",
                            verdict->only_replies
                                ? "Let the replies in to the UDP that the user network sends (a "
                                  "stateful rule, with a timeout of 60 s or more):"
                                : "Allow outgoing UDP from the user network, with the replies:",
                            flows_in_words(context.facts, cause.explained, cause.contradicted),
                            where_the_list_is(context.facts, cause.explained));
  finding.evidence = verdict->evidence;
  const auto* tcp = tcp_works(context.facts);
  finding.evidence.push_back(
      {tcp->samples.front().result->probe.id,
       fmt::format("TCP works: {}, port {}, is reached.", tcp->host, tcp->port)});
  return {cause};
}

}  // namespace callready::findings
