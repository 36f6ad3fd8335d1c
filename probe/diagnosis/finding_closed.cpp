// What a firewall closes on the way: TCP and UDP ports, media ranges, destinations, and what is
// left over, flow by flow. Worlds decide (closed_flows.hpp).
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

// A finding in the making: what it says, and of which flows.
struct Said {
  FindingCode code = FindingCode::firewall_flow_blocked;
  double sure = 0;                               // 0 to 1
  Confidence confidence = Confidence::possible;  // by that, and by how it was seen
  bool udp = false;                              // for ports
  bool beyond = false;                           // the packets leave the site
  bool by_hosts = false;                         // of ports: of these hosts, for all that is known
  bool only_media = false;                       // STUN passes on these ports
  std::string party{};                           // for flows: whose
  std::vector<const Flow*> flows{};
  std::vector<const ProbeResult*> probes{}, unseen{};

  bool is_weak() const { return confidence == Confidence::possible; }
  bool goes_with(const Said& other) const {
    return code == other.code && is_weak() == other.is_weak() && udp == other.udp &&
           beyond == other.beyond && by_hosts == other.by_hosts && only_media == other.only_media &&
           party == other.party;
  }
  void add(const Said& other) {
    sure = std::min(sure, other.sure);
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

bool all_udp(const std::vector<const Flow*>& flows) {
  return std::all_of(flows.begin(), flows.end(), [](const Flow* flow) { return flow->udp; });
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

class Sayer {
 public:
  explicit Sayer(const Diagnosis& context)
      : facts_(context.facts), works_(context.facts), limited_(new_flows_may_be_limited(facts_)) {}

  Said say(const ClosedFlows& closed) const {
    Said said;
    said.flows = closed.flows;
    said.probes = closed.probes;
    said.unseen = closed.unseen;
    const auto& box = *closed.box;
    const bool udp = closed.flows.front()->udp;
    const bool wide_ports = closed.ports_sure >= reach::is_likely;
    const bool wide_hosts = closed.hosts_sure >= reach::is_likely;
    said.beyond = (box.beyond || reach::at_far_end(box)) &&
                  any_of(closed.flows, [&](const Flow& flow) { return is_beyond(flow); });
    const bool only_media =
        (box.cargoes & reach::bit(Cargo::rtp)) != 0 && (box.cargoes & reach::bit(Cargo::stun)) == 0;
    const bool elsewhere = std::any_of(closed.flows.begin(), closed.flows.end(),
                                       [&](const Flow* flow) { return works_.elsewhere(*flow); });
    const bool is_destination = box.kind != reach::Kind::rule && box.ports.empty() &&
                                !said.beyond && elsewhere && closed.flows.size() > 1;
    const bool is_port = !elsewhere && (udp ? closed.whole_sure >= reach::is_likely
                                            : networks_of(closed.flows).size() > 1);
    if (wide_hosts || is_destination) {
      said.code = FindingCode::firewall_destination_blocked;
    } else if (wide_ports || is_port) {
      said.code = !udp ? FindingCode::firewall_tcp_port_blocked
                  : any_of(closed.flows, [](const Flow& flow) { return in_a_range(flow); })
                      ? FindingCode::firewall_udp_range_blocked
                      : FindingCode::firewall_udp_port_blocked;
      said.udp = udp;
      said.by_hosts = !wide_ports;
      said.only_media = only_media;
    } else {
      said.party = said.beyond ? "" : closed.flows.front()->party;
    }
    said.sure = wide_hosts ? closed.hosts_sure : closed.sure;
    settle(said);
    return said;
  }

  Said say(double sure, const Flow& flow) const {
    Said said;
    said.flows = {&flow};
    said.beyond = is_beyond(flow);
    said.party = said.beyond ? "" : flow.party;
    said.sure = any_blocked(said.flows) ? sure : 0;
    settle(said);
    return said;
  }

  void settle(Said& said) const {
    // What is lost further out, and not by its port, is as likely the far end's fault.
    const bool weak = said.beyond && said.code == FindingCode::firewall_flow_blocked;
    said.confidence = weak ? Confidence::possible
                           : std::max(reach::confidence_of(said.sure), most(said.code, said.flows));
  }

 private:
  // It leaves the site, or what a sibling of that host was sent does.
  bool is_beyond(const Flow& flow) const {
    return flow.way == Reachability::left || peer_also_silent(facts_, flow);
  }
  template <typename Wanted>
  static bool any_of(const std::vector<const Flow*>& flows, Wanted wanted) {
    return std::any_of(flows.begin(), flows.end(), [&](const Flow* flow) { return wanted(*flow); });
  }
  // Silence alone shows no device. On a line that loses packets it shows nothing, and where new
  // flows may be limited, neither do packets that die on the way. Of single flows, and of UDP whose
  // packets die without a word, nobody said that it is the flow, or the port, that is closed.
  Confidence most(FindingCode code, const std::vector<const Flow*>& flows) const {
    const bool told = any_of(flows, [](const Flow& flow) {
      return any_sample(flow, [](const FlowSample& sample) { return sample.turned_away(); });
    });
    const bool firm = any_of(flows, [&](const Flow& flow) { return firmly_blocked(facts_, flow); });
    if ((limited_ && !told) || (facts_.line_loses() && !firm)) return Confidence::possible;
    switch (code) {
      case FindingCode::firewall_tcp_port_blocked:
      case FindingCode::firewall_destination_blocked:
        return any_blocked(flows) ? Confidence::certain : Confidence::likely;
      case FindingCode::firewall_flow_blocked:
        return Confidence::likely;
      default:
        return told || missed_by_a_relay(flows) ? Confidence::certain : Confidence::likely;
    }
  }

  const Facts& facts_;
  Working works_;
  bool limited_;
};

Text transport(bool udp) { return udp ? "UDP" : "TCP"; }

void say_ports(const Diagnosis& context, const Said& said, Cause& cause) {
  const auto& facts = context.facts;
  auto& finding = cause.finding;
  const bool range = said.code == FindingCode::firewall_udp_range_blocked;
  const auto numbers = ports_of_flows(said.flows);
  const auto spans = range ? spans_of(facts, said.flows) : std::vector<Span>();
  std::vector<std::string> parts;
  for (const auto& span : spans) parts.push_back(span.ports.to_string());
  const auto ports = !range                ? named_ports(numbers)
                     : numbers.size() == 1 ? phrase("port {}", listed(parts))
                                           : phrase("ports {}", listed(parts));
  const auto hosts = hosts_of(said.probes);
  if (said.beyond) {
    finding.title = phrase("{} to {} is lost beyond this site, whatever the destination",
                           transport(said.udp), ports);
    finding.fix = phrase(
        "Ask the Internet provider to allow, with return traffic: {1}. This site lets it "
        "out{0}.{2}",
        said.udp ? phrase(" (check the firewall's log for dropped replies)") : "",
        asked_flows(facts, cause), where_the_list_is(facts, said.probes));
  } else {
    const auto what = said.only_media ? phrase("media (RTP)") : transport(said.udp);
    finding.title =
        said.by_hosts && hosts.size() == 1
            ? phrase("The firewall blocks outgoing {} to {} of {}", what, ports, hosts.front())
            : phrase("The firewall blocks outgoing {} to {}", what, ports);
    const auto asked = asked_flows(facts, cause);
    finding.fix =
        said.only_media ? phrase(
                              "Turn off the inspection that drops UDP it does not recognize "
                              "(application control, \"unknown-udp\") for these flows, and allow "
                              "outgoing UDP (and return traffic) {} to the whole range: {}.",
                              from_users(facts), asked)
        : range ? phrase("Allow outgoing UDP (and return traffic) {} to the whole range: {}.",
                         from_users(facts), asked)
                : phrase("Allow outgoing {} (and return traffic) {}: {}.", transport(said.udp),
                         from_users(facts), asked);
    finding.fix += ask_the_device(device_of(said.flows));
    finding.fix += where_the_list_is(facts, said.probes);
  }
  finding.evidence = evidence_for(said.flows, range ? 6 : 8);
  for (const auto& span : spans) {
    insert_second(finding.evidence,
                  {said.probes.front()->probe.id, phrase("UDP: {}.", span.bounds())});
  }
  const auto control = said.udp ? control_for(facts, said.flows.front()->host)
                                : reachable_port_of_same_host(facts, *said.flows.front());
  if (control && !range) insert_second(finding.evidence, *control);
  if (control && range) finding.evidence.push_back(*control);
}

void say_destinations(const Diagnosis& context, const Said& said, Cause& cause) {
  const auto& facts = context.facts;
  auto& finding = cause.finding;
  const auto hosts = hosts_of(said.probes);
  const bool proved = any_blocked(said.flows);
  const Text what = all_udp(said.flows) ? phrase("No UDP")
                    : std::none_of(said.flows.begin(), said.flows.end(),
                                   [](const Flow* flow) { return flow->udp; })
                        ? phrase("No TCP connection")
                        : phrase("Nothing");
  finding.title = proved ? phrase("{} gets through to {}", what, listed(hosts))
                         : phrase("Nothing comes back from {}", listed(hosts));
  finding.fix = phrase(
      "Unblock {} on the firewall and on any web filter (by address, name, country or category), "
      "and allow {}, with return traffic: {}.{}{}",
      hosts.size() == 1 ? phrase("this destination") : phrase("these destinations"),
      from_users(facts), flows_in_words(facts, said.probes),
      proved ? ask_the_device(device_of(said.flows))
             : phrase(" If the firewall's log shows that the packets leave, ask the servers' "
                      "operator whether they are up."),
      where_the_list_is(facts, said.probes));
  finding.evidence = evidence_for(said.flows, 8);
  insert_second(finding.evidence, {"", phrase("The same ports ({}) of other hosts are reachable.",
                                              ports_in_words(ports_of_flows(said.flows)))});
}

void say_flows(const Diagnosis& context, const Said& said, Cause& cause) {
  const auto& facts = context.facts;
  auto& finding = cause.finding;
  std::size_t subjects = 0;
  const auto subject = flows_in_subject(said.flows, subjects);
  const bool several = subjects > 1;
  if (said.beyond) {
    const auto hosts = hosts_of(said.probes);
    finding.owner = Owner::vendor;
    finding.title = several ? phrase("{} are lost beyond this site", subject)
                            : phrase("{} is lost beyond this site", subject);
    finding.fix = phrase(
        "Ask the operator of {} whether {} there; if so, ask the Internet provider to allow: {}. "
        "This site lets the traffic out.",
        listed(hosts), hosts.size() == 1 ? phrase("it answers") : phrase("they answer"),
        asked_flows(facts, cause));
  } else {
    finding.title = any_blocked(said.flows) ? several ? phrase("{} do not get through", subject)
                                                      : phrase("{} does not get through", subject)
                    : several ? phrase("{} are not answered", subject)
                                            : phrase("{} is not answered", subject);
    finding.fix = phrase(
        "Look in the firewall's log for dropped packets from this computer, and allow {}, with "
        "return traffic: {}.{}",
        from_users(facts), asked_flows(facts, cause),
        any_blocked(said.flows)
            ? ask_the_device(device_of(said.flows))
            : phrase(" If the log shows that the packets leave, ask the server's operator "
                     "whether it is up."));
  }
  finding.evidence = evidence_for(said.flows, 6);
  if (const auto alive = reachable_port_of_same_host(facts, *said.flows.front())) {
    finding.evidence.push_back(*alive);
  }
}

}  // namespace

namespace {

void add(const Sayer& sayer, std::vector<Said>& all, Said said) {
  const auto same =
      std::find_if(all.begin(), all.end(), [&](const Said& one) { return one.goes_with(said); });
  if (same == all.end()) {
    all.push_back(std::move(said));
  } else {
    same->add(said);
    sayer.settle(*same);
  }
}

bool is_asked_for(const Facts& facts, const std::vector<const ProbeResult*>& probes) {
  return std::any_of(probes.begin(), probes.end(),
                     [&](const ProbeResult* result) { return facts.asked_for(*result); });
}

// Weak as it is, it would be missed.
bool is_missed(const Diagnosis& context, const Said& said) {
  return context.breaks_capability(said.probes) ||
         (said.beyond && context.fails_required_row(said.probes));
}

Causes causes_of(const Diagnosis& context, const std::vector<Said>& all) {
  Causes causes;
  for (const auto& said : all) {
    const bool is_range = said.code == FindingCode::firewall_udp_range_blocked;
    const bool matters = context.affects_requirement(said.probes) ||
                         (is_range && is_asked_for(context.facts, said.unseen));
    if (!matters) continue;
    if (said.is_weak() && !is_missed(context, said)) continue;
    Cause cause;
    cause.explained = said.probes;
    cause.contradicted = said.unseen;
    auto& finding = cause.finding;
    finding.code = said.code;
    finding.owner = Owner::network;
    finding.confidence = said.confidence;
    if (said.code == FindingCode::firewall_destination_blocked) {
      say_destinations(context, said, cause);
    } else if (said.code == FindingCode::firewall_flow_blocked) {
      say_flows(context, said, cause);
    } else {
      say_ports(context, said, cause);
    }
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace

Causes find_closed(const Diagnosis& context) {
  std::vector<Said> all;
  const Sayer sayer(context);
  for (const auto& closed : closed_flows(context)) add(sayer, all, sayer.say(closed));
  return causes_of(context, all);
}

// Over UDP only who answers everybody is missed.
Causes find_flows(const Diagnosis& context) {
  std::vector<Said> all;
  const Sayer sayer(context);
  for (const auto& flow : context.facts.flows) {
    const bool missed = (flow.way == Reachability::lost || flow.way == Reachability::left) &&
                        any_sample(flow, [](const FlowSample& sample) {
                          return sample.way == Reachability::lost && sample.responder;
                        });
    if (flow.way != Reachability::blocked && !missed) continue;
    const auto open = context.open_probes(flow);
    const bool by_chance = missed && context.facts.line_loses() && times_lost(flow) < 3;
    if (by_chance || !context.affects_requirement(open)) continue;  // see find_loss
    auto said = sayer.say(sure_to_be_closed(context, flow), flow);
    said.probes = open;
    if (!missed || is_missed(context, said)) add(sayer, all, std::move(said));
  }
  return causes_of(context, all);
}

}  // namespace callready::findings
