// What a firewall closes on the way: TCP and UDP ports, media ranges, destinations, and what is
// left over, flow by flow. Worlds decide (closed_flows.hpp; docs/design.md, "How neighbours are
// told apart", 2).
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/closed_flows.hpp"
#include "probe/diagnosis/finding_udp_flows.hpp"
#include "probe/diagnosis/finding_words.hpp"

namespace callready::findings {
namespace {

template <typename Item>
void merge(std::vector<Item>& list, const std::vector<Item>& more) {
  for (const auto& item : more) {
    if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
  }
}

// What a finding will claim, and of which flows.
struct Claim {
  FindingCode code = FindingCode::firewall_flow_blocked;
  double sure = 0;                               // 0 to 1
  Confidence confidence = Confidence::possible;  // by that, and by how it was seen
  bool udp = false, tcp = false;                 // over which transports
  bool beyond = false;                           // the packets leave the site
  bool by_hosts = false;                         // of ports: of these hosts, for all that is known
  bool only_media = false;                       // inspected: perhaps STUN passes
  bool blocked = false;                          // not only silence shows it
  std::string party{};                           // whose, where only flows of one go together
  std::vector<const Flow*> flows{};
  std::vector<const ProbeResult*> probes{}, unseen{};

  bool is_weak() const { return confidence == Confidence::possible; }
  bool is_of_ports() const {
    return code != FindingCode::firewall_flow_blocked &&
           code != FindingCode::firewall_destination_blocked;
  }
  bool is_range() const { return code == FindingCode::firewall_udp_range_blocked; }
  bool goes_with(const Claim& other) const {
    const bool as_seen = is_of_ports() || blocked == other.blocked;
    const bool transports = !is_of_ports() || udp == other.udp;
    // The ends of a range are tried to others, too; what is between them hardly is.
    const bool hosts = is_range() || by_hosts == other.by_hosts;
    return code == other.code && is_weak() == other.is_weak() && transports && as_seen && hosts &&
           beyond == other.beyond && only_media == other.only_media && party == other.party;
  }
  void add(const Claim& other) {
    sure = std::min(sure, other.sure);
    udp |= other.udp;
    tcp |= other.tcp;
    by_hosts &= other.by_hosts;
    confidence = std::max(confidence, other.confidence);
    merge(flows, other.flows);
    merge(probes, other.probes);
    merge(unseen, other.unseen);
  }
};

std::vector<std::uint16_t> ports_of_flows(const std::vector<const Flow*>& flows) {
  std::set<std::uint16_t> ports;
  for (const auto* flow : flows) ports.insert(flow->port);
  return {ports.begin(), ports.end()};
}

std::set<std::string> networks_of(const std::vector<const Flow*>& flows) {
  std::set<std::string> networks;
  for (const auto* flow : flows) networks.insert(flow->network);
  return networks;
}

// A relay or an echo that works did not hear us on a port that is closed.
bool missed_by_a_relay(const std::vector<const Flow*>& flows) {
  const auto missed = [](const FlowSample& sample) {
    const auto& list = sample.result->observation.evidence;
    return std::any_of(list.begin(), list.end(), [&](const Evidence& evidence) {
      return evidence.kind == EvidenceKind::udp_port &&
             detail_fact(evidence, Fact::result) == DetailCode::dropped &&
             number_fact(evidence, Fact::port) == sample.port &&
             !text_fact(evidence, Fact::responder).empty();
    });
  };
  return std::any_of(flows.begin(), flows.end(),
                     [&](const Flow* flow) { return any_sample(*flow, missed); });
}

// STUN that passes on one of these ports.
const FlowSample* passing_stun(const std::vector<const Flow*>& flows) {
  for (const auto* flow : flows) {
    for (const auto& sample : flow->samples) {
      const bool stun = sample.payload == Payload::stun || sample.payload == Payload::turn;
      if (stun && gets_out(sample.way)) return &sample;
    }
  }
  return nullptr;
}

class Claims {
 public:
  explicit Claims(const Diagnosis& context) : facts_(context.facts), works_(context.facts) {}

  Claim of(const ClosedFlows& closed) const {
    Claim claim;
    note(closed.flows, claim);
    claim.probes = closed.probes;
    claim.unseen = closed.unseen;
    const auto& box = *closed.box;
    const bool wide_ports = closed.ports_sure >= reach::is_likely;
    const bool wide_hosts = closed.hosts_sure >= reach::is_likely;
    claim.beyond = box.beyond;
    if (reach::at_far_end(box)) {
      claim.beyond = any_of(closed.flows, [&](const Flow& flow) { return is_beyond(flow); });
    }
    const bool elsewhere =
        any_of(closed.flows, [&](const Flow& flow) { return works_.elsewhere(flow); });
    const bool is_destination = box.kind != reach::Kind::rule && box.ports.empty() &&
                                !claim.beyond && elsewhere && closed.flows.size() > 1;
    const bool several = networks_of(closed.flows).size() > 1;
    const bool nowhere =
        !elsewhere && !claim.beyond && (!claim.udp || closed.whole_sure >= reach::is_likely);
    const bool is_port = (wide_ports || nowhere) && (claim.udp || several);
    if (wide_hosts || is_destination) {
      claim.code = FindingCode::firewall_destination_blocked;
    } else if (is_port) {
      claim.code = !claim.udp ? FindingCode::firewall_tcp_port_blocked
                   : any_of(closed.flows, [](const Flow& flow) { return in_a_range(flow); })
                       ? FindingCode::firewall_udp_range_blocked
                       : FindingCode::firewall_udp_port_blocked;
      claim.by_hosts = !wide_ports || !several;
      claim.only_media = box.cargoes == reach::bit(Cargo::rtp);
    } else {
      claim.party = claim.beyond ? "" : closed.flows.front()->party;
    }
    claim.sure = wide_hosts ? closed.hosts_sure : closed.sure;
    weigh(claim);
    return claim;
  }

  Claim of(double sure, const Flow& flow) const {
    Claim claim;
    note({&flow}, claim);
    claim.beyond = is_beyond(flow);
    claim.party = claim.beyond ? "" : flow.party;
    claim.sure = claim.blocked ? sure : 0;
    weigh(claim);
    return claim;
  }

  void weigh(Claim& claim) const {
    // What is lost further out, and not by its port, is as likely the far end's fault.
    const bool weak = claim.beyond && claim.code == FindingCode::firewall_flow_blocked;
    claim.confidence =
        weak ? Confidence::possible : std::max(reach::confidence_of(claim.sure), most(claim));
  }

 private:
  static void note(const std::vector<const Flow*>& flows, Claim& claim) {
    claim.flows = flows;
    claim.blocked = any_blocked(flows);
    claim.udp = any_of(flows, [](const Flow& flow) { return flow.udp; });
    claim.tcp = any_of(flows, [](const Flow& flow) { return !flow.udp; });
  }
  // Packets to it, or to a sibling on the same port, were seen to leave the site.
  bool is_beyond(const Flow& flow) const {
    return flow.way == Reachability::left || peer_also_silent(facts_, flow);
  }
  template <typename Wanted>
  static bool any_of(const std::vector<const Flow*>& flows, Wanted wanted) {
    return std::any_of(flows.begin(), flows.end(), [&](const Flow* flow) { return wanted(*flow); });
  }
  // A few that a bad line may have lost, or that a limit on new flows may have met.
  bool may_be_chance(const Claim& claim, bool told) const {
    constexpr std::size_t many = 3;
    // A port that fails in two networks is no matter of how many flows are new.
    const bool tcp_port = claim.code == FindingCode::firewall_tcp_port_blocked;
    const bool limited =
        tcp_port ? new_flows_are_limited(facts_) : new_flows_may_be_limited(facts_);
    if (limited && !told) return true;
    return facts_.line_loses() && claim.flows.size() < many &&
           !any_of(claim.flows, [&](const Flow& flow) { return firmly_blocked(facts_, flow); });
  }
  // Silence alone shows no device. For a single flow, and for UDP that dies without a word, no
  // device has said that it is the flow or the port that is closed.
  Confidence most(const Claim& claim) const {
    const bool told = any_of(claim.flows, [](const Flow& flow) {
      return any_sample(flow, [](const FlowSample& sample) { return sample.turned_away(); });
    });
    if (may_be_chance(claim, told)) return Confidence::possible;
    switch (claim.code) {
      case FindingCode::firewall_tcp_port_blocked:
      case FindingCode::firewall_destination_blocked:
        return claim.blocked ? Confidence::certain : Confidence::likely;
      case FindingCode::firewall_flow_blocked:
        return Confidence::likely;
      default:
        return told || missed_by_a_relay(claim.flows) ? Confidence::certain : Confidence::likely;
    }
  }

  const Facts& facts_;
  Working works_;
};

Text transport(bool udp) { return udp ? "UDP" : "TCP"; }

// A probe whose flow is in that span.
std::string probe_within(const Span& span, const Claim& claim) {
  for (const auto* flow : claim.flows) {
    if (span.ports.contains(flow->port)) return flow->samples.front().result->probe.id;
  }
  return {};
}

// Of what is lost further out, how far it got as well.
std::vector<FindingEvidence> evidence_of(const Claim& claim, std::size_t most) {
  if (!claim.beyond) return evidence_for(claim.flows, most);
  std::vector<FindingEvidence> list;
  for (const auto* flow : claim.flows) {
    for (const auto& sample : flow->samples) {
      if (list.size() < most) list.push_back(what_it_saw(sample));
    }
  }
  return list;
}

void say_ports(const Diagnosis& context, const Claim& claim, Cause& cause) {
  const auto& facts = context.facts;
  auto& finding = cause.finding;
  const bool range = claim.is_range();
  const auto numbers = ports_of_flows(claim.flows);
  const auto spans = range ? spans_of(facts, claim.flows) : std::vector<Span>();
  std::vector<std::string> parts;
  for (const auto& span : spans) parts.push_back(span.ports.to_string());
  const auto ports = !range                ? named_ports(numbers)
                     : numbers.size() == 1 ? phrase("port {}", listed(parts))
                                           : phrase("ports {}", listed(parts));
  const auto hosts = hosts_of(claim.probes);
  const auto* stun = claim.only_media ? passing_stun(claim.flows) : nullptr;
  if (claim.beyond) {
    finding.title = phrase("{} to {} is lost beyond this site, whatever the destination",
                           transport(claim.udp), ports);
    finding.fix = phrase(
        "Ask the Internet provider to allow, with return traffic: {1}. This site lets it "
        "out{0}.{2}",
        claim.udp ? phrase(" (check the firewall's log for dropped replies)") : "",
        asked_flows(facts, cause), where_the_list_is(facts, claim.probes));
  } else {
    const auto what = stun != nullptr ? phrase("media (RTP)") : transport(claim.udp);
    finding.title =
        claim.by_hosts && hosts.size() == 1 && spans.size() < 2
            ? phrase("The firewall blocks outgoing {} to {} of {}", what, ports, hosts.front())
            : phrase("The firewall blocks outgoing {} to {}", what, ports);
    const auto asked = asked_flows(facts, cause);
    finding.fix =
        stun != nullptr ? phrase(
                              "Turn off the inspection that drops UDP it does not recognize "
                              "(application control, \"unknown-udp\") for these flows, and allow "
                              "outgoing UDP (and return traffic) {} to the whole range: {}.",
                              from_users(facts), asked)
        : range ? phrase("Allow outgoing UDP (and return traffic) {} to the whole range: {}.",
                         from_users(facts), asked)
                : phrase("Allow outgoing {} (and return traffic) {}: {}.", transport(claim.udp),
                         from_users(facts), asked);
    finding.fix += ask_the_device(device_of(claim.flows));
    finding.fix += where_the_list_is(facts, claim.probes);
  }
  finding.evidence = evidence_of(claim, range ? 6 : 8);
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    insert_second(finding.evidence,
                  {probe_within(*span, claim), phrase("UDP: {}.", span->bounds())});
  }
  if (stun != nullptr) insert_second(finding.evidence, what_it_saw(*stun));
  const auto control = claim.udp ? control_for(facts, claim.flows.front()->host)
                                 : reachable_port_of_same_host(facts, *claim.flows.front());
  if (control && !range) insert_second(finding.evidence, *control);
  if (control && range) finding.evidence.push_back(*control);
  if (claim.udp) return;
  finding.evidence.push_back(
      {"", phrase("The same is true of {} networks, and no connection to {} succeeded anywhere.",
                  networks_of(claim.flows).size(), ports)});
}

void say_destinations(const Diagnosis& context, const Claim& claim, Cause& cause) {
  const auto& facts = context.facts;
  auto& finding = cause.finding;
  const auto hosts = hosts_of(claim.probes);
  const bool proved = claim.blocked;
  const Text what = !claim.tcp   ? phrase("No UDP")
                    : !claim.udp ? phrase("No TCP connection")
                                 : phrase("Nothing");
  finding.title = proved ? phrase("{} gets through to {}", what, listed(hosts))
                         : phrase("Nothing comes back from {}", listed(hosts));
  finding.fix = phrase(
      "Unblock {} on the firewall and on any web filter (by address, name, country or category), "
      "and allow {}, with return traffic: {}.{}{}",
      hosts.size() == 1 ? phrase("this destination") : phrase("these destinations"),
      from_users(facts), flows_in_words(facts, claim.probes),
      proved ? ask_the_device(device_of(claim.flows))
             : phrase(" If the firewall's log shows that the packets leave, ask the servers' "
                      "operator whether they are up."),
      where_the_list_is(facts, claim.probes));
  finding.evidence = evidence_for(claim.flows, 8);
  const Working works(facts);
  auto elsewhere = claim.flows;
  std::erase_if(elsewhere, [&](const Flow* flow) { return !works.elsewhere(*flow); });
  if (elsewhere.empty()) return;
  insert_second(finding.evidence, {"", phrase("The same ports ({}) of other hosts are reachable.",
                                              ports_in_words(ports_of_flows(elsewhere)))});
}

void say_flows(const Diagnosis& context, const Claim& claim, Cause& cause) {
  const auto& facts = context.facts;
  auto& finding = cause.finding;
  std::size_t subjects = 0;
  const auto subject = flows_in_subject(claim.flows, subjects);
  const bool several = subjects > 1;
  if (claim.beyond) {
    const auto hosts = hosts_of(claim.probes);
    finding.owner = Owner::vendor;
    finding.title = several ? phrase("{} are lost beyond this site", subject)
                            : phrase("{} is lost beyond this site", subject);
    finding.fix = phrase(
        "Ask the operator of {} whether {} there; if so, ask the Internet provider to allow: {}. "
        "This site lets the traffic out.",
        listed(hosts), hosts.size() == 1 ? phrase("it answers") : phrase("they answer"),
        asked_flows(facts, cause));
  } else {
    finding.title = claim.blocked ? several ? phrase("{} do not get through", subject)
                                            : phrase("{} does not get through", subject)
                    : several ? phrase("{} are not answered", subject)
                                  : phrase("{} is not answered", subject);
    finding.fix = phrase(
        "Look in the firewall's log for dropped packets from this computer, and allow {}, with "
        "return traffic: {}.{}",
        from_users(facts), asked_flows(facts, cause),
        claim.blocked
            ? ask_the_device(device_of(claim.flows))
            : phrase(" If the log shows that the packets leave, ask the server's operator "
                     "whether it is up."));
  }
  finding.evidence = evidence_of(claim, 6);
  if (const auto alive = reachable_port_of_same_host(facts, *claim.flows.front())) {
    finding.evidence.push_back(*alive);
  }
}

void add(const Claims& claims, std::vector<Claim>& all, Claim claim) {
  const auto same =
      std::find_if(all.begin(), all.end(), [&](const Claim& one) { return one.goes_with(claim); });
  if (same == all.end()) {
    all.push_back(std::move(claim));
    return;
  }
  same->add(claim);
  // A range is one rule's: what a device said of one port it said of all.
  if (claim.is_range()) claims.weigh(*same);
}

bool is_asked_for(const Facts& facts, const std::vector<const ProbeResult*>& probes) {
  return std::any_of(probes.begin(), probes.end(),
                     [&](const ProbeResult* result) { return facts.asked_for(*result); });
}

// Weak as it is, it would be missed.
bool is_missed(const Diagnosis& context, const Claim& claim) {
  return context.breaks_capability(claim.probes) ||
         (claim.beyond && context.fails_required_row(claim.probes));
}

// Others than the second round and the public servers need it.
bool matters(const Diagnosis& context, const Claim& claim) {
  return context.affects_requirement(claim.probes) ||
         (claim.is_range() && is_asked_for(context.facts, claim.unseen));
}

Causes causes_of(const Diagnosis& context, const std::vector<Claim>& all) {
  Causes causes;
  for (const auto& claim : all) {
    const bool only_silent = claim.is_weak() && !claim.blocked;
    if (only_silent && !is_missed(context, claim)) continue;
    Cause cause;
    cause.explained = claim.probes;
    cause.contradicted = claim.unseen;
    auto& finding = cause.finding;
    finding.code = claim.code;
    finding.owner = Owner::network;
    finding.confidence = claim.confidence;
    if (claim.code == FindingCode::firewall_destination_blocked) {
      say_destinations(context, claim, cause);
    } else if (claim.code == FindingCode::firewall_flow_blocked) {
      say_flows(context, claim, cause);
    } else {
      say_ports(context, claim, cause);
    }
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace

Causes find_closed(const Diagnosis& context) {
  const auto parts = closed_flows(context);
  if (parts.empty()) return {};
  const Claims claims(context);
  std::vector<Claim> found, all;
  std::set<std::string> proved;  // operators of whom a destination is seen to be blocked
  for (const auto& closed : parts) {
    auto claim = claims.of(closed);
    if (!matters(context, claim)) continue;
    const bool destination = claim.code == FindingCode::firewall_destination_blocked;
    if (destination && claim.blocked) proved.insert(claim.flows.front()->party);
    found.push_back(std::move(claim));
  }
  for (auto& claim : found) {
    // Beside those, silence of the same operator's is no host that is down.
    const bool destination = claim.code == FindingCode::firewall_destination_blocked;
    if (destination && proved.contains(claim.flows.front()->party)) {
      claim.blocked = true;
      claims.weigh(claim);
    }
    add(claims, all, std::move(claim));
  }
  return causes_of(context, all);
}

// Over UDP only who answers everybody is missed.
Causes find_flows(const Diagnosis& context) {
  std::vector<Claim> all;
  std::optional<Claims> claims;
  for (const auto& flow : context.facts.flows) {
    const bool missed = (flow.way == Reachability::lost || flow.way == Reachability::left) &&
                        any_sample(flow, [](const FlowSample& sample) {
                          return sample.way == Reachability::lost && sample.responder;
                        });
    if (flow.way != Reachability::blocked && !missed) continue;
    const auto open = context.open_probes(flow);
    const bool by_chance = missed && context.facts.line_loses() && times_lost(flow) < 3;
    if (by_chance || !context.affects_requirement(open)) continue;  // see find_loss
    if (!claims) claims.emplace(context);
    auto claim = claims->of(sure_to_be_closed(context, flow), flow);
    claim.probes = open;
    if (!missed || is_missed(context, claim)) add(*claims, all, std::move(claim));
  }
  return causes_of(context, all);
}

}  // namespace callready::findings
