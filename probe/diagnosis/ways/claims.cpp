#include "probe/diagnosis/ways/claims.hpp"

#include <algorithm>

namespace callready::findings {
namespace {

// A relay or an echo that works did not hear us on a port that is closed.
bool missed_by_a_relay(const std::vector<const Flow*>& flows) {
  return any_sample(flows, [](const FlowSample& sample) {
    return std::ranges::any_of(sample.result->observation.evidence, [&](const Evidence& evidence) {
      return evidence.kind == EvidenceKind::udp_port &&
             detail_fact(evidence, Fact::result) == DetailCode::dropped &&
             number_fact(evidence, Fact::port) == sample.port &&
             !text_fact(evidence, Fact::responder).empty();
    });
  });
}

bool of_a_range(const FlowSample& sample) {
  const auto& probe = sample.result->probe;
  return probe.check == CheckKind::udp_range && !probe.target.ports.single();
}

// Packets to it were seen to leave; or it is silent, like another host of the same operator on the
// same port to which packets leave: then the fault is beyond the site for this one, too.
bool is_beyond(const Facts& facts, const Flow& flow) {
  if (flow.way != Reachability::lost) return flow.way == Reachability::left;
  return std::ranges::any_of(facts.flows, [&](const Flow& other) {
    return other.udp == flow.udp && other.port == flow.port && other.party == flow.party &&
           other.way == Reachability::left && any_sample(other, went_unanswered);
  });
}

// How many servers: two names may lead to one.
std::size_t servers_of(const std::vector<const Flow*>& flows) {
  const auto server = [](const Flow& flow) {
    const auto& address = flow.samples.front().result->observation.address;
    return address ? address->to_string() : flow.host;
  };
  return set_of(flows, server).size();
}

// Few enough for a line that loses packets, or for a limit on new flows, to explain them.
bool may_be_chance(const Facts& facts, const Claim& claim, bool told) {
  constexpr std::size_t many = 3;
  // A TCP port that fails in two networks: only a limit that was measured explains it.
  const bool tcp_port = claim.code == FindingCode::firewall_tcp_port_blocked &&
                        set_of(claim.flows, &Flow::network).size() > 1;
  const bool limited = tcp_port ? new_flows_are_limited(facts) : new_flows_may_be_limited(facts);
  if (limited && !told) return true;
  return facts.line_loses() && claim.flows.size() < many &&
         std::ranges::none_of(claim.flows,
                              [&](const Flow* flow) { return firmly_blocked(facts, *flow); });
}

// Silence alone shows no device. For a single flow, and for UDP that dies without a word, no
// device has said that it is the flow or the port that is closed.
Confidence most_of(const Facts& facts, const Claim& claim) {
  const bool told = any_sample(claim.flows, &FlowSample::turned_away);
  if (may_be_chance(facts, claim, told)) return possible;
  switch (claim.code) {
    case FindingCode::firewall_tcp_port_blocked:
    case FindingCode::firewall_destination_blocked:
      return claim.blocked ? certain : likely;
    case FindingCode::firewall_flow_blocked:
      return likely;
    default:
      return told || missed_by_a_relay(claim.flows) ? certain : likely;
  }
}

}  // namespace

bool Claim::goes_with(const Claim& other) const {
  const bool as_seen = is_of_ports() || blocked == other.blocked;
  const bool transports = !is_of_ports() || udp() == other.udp();
  // The ends of a range are tried with others, too; what is between them hardly is.
  const bool hosts = is_range() || by_hosts == other.by_hosts;
  return code == other.code && is_weak() == other.is_weak() && transports && as_seen && hosts &&
         beyond == other.beyond && only_media == other.only_media && party == other.party;
}

void Claim::add(const Claim& other) {
  sure = std::min(sure, other.sure);
  by_hosts &= other.by_hosts;
  blocked |= other.blocked;
  confidence = std::max(confidence, other.confidence);
  add_new(flows, other.flows);
  add_new(probes, other.probes);
  add_new(unseen, other.unseen);
}

void Claim::weigh(const Facts& facts) {
  // What is lost further out, and not by its port, is as likely the far end's fault.
  const bool weak = beyond && code == FindingCode::firewall_flow_blocked;
  confidence = weak ? possible : std::max(reach::confidence_of(sure), most_of(facts, *this));
}

Claim claim_of(const Facts& facts, const ClosedFlows& closed) {
  Claim claim;
  claim.flows = closed.flows;
  claim.blocked = any_blocked(claim.flows);
  claim.probes = closed.probes;
  // What was lost over UDP says nothing about TCP that was only seen to leave, nor the other way
  // round.
  claim.unseen = closed.unseen;
  std::erase_if(claim.unseen, [&](const ProbeResult* result) {
    return !(is_udp(*result) ? claim.udp() : claim.tcp());
  });
  const auto& box = *closed.box;
  const bool wide_ports = closed.ports_sure >= reach::is_likely;
  const bool wide_hosts = closed.hosts_sure >= reach::is_likely;
  // A device that names itself need not be placed.
  claim.beyond = box.beyond && !reach::names_itself(box.fate);
  if (reach::at_far_end(box)) {
    claim.beyond = std::ranges::any_of(closed.flows,
                                       [&](const Flow* flow) { return is_beyond(facts, *flow); });
  }
  const bool elsewhere = closed.ports_sure <= 1 - reach::is_likely;  // the ports are open
  const bool is_destination = box.kind != reach::Kind::rule && box.ports.empty() && !claim.beyond &&
                              elsewhere && closed.flows.size() > 1;
  const bool several = set_of(closed.flows, &Flow::network).size() > 1;
  const bool nowhere =
      !elsewhere && !claim.beyond && (!claim.udp() || closed.whole_sure >= reach::is_likely);
  // To a firewall what goes to port 53 is DNS, whatever it carries.
  const bool dns = set_of(closed.flows, &Flow::port).contains(dns_port);
  // From one network alone, only a block at this site can be told from one farther out.
  const bool near = servers_of(closed.flows) > 1 && closed.near_sure >= reach::is_likely;
  const bool one_will_do = !claim.beyond && (claim.udp() || near);
  const bool one_transport = claim.udp() != claim.tcp();  // a sentence about ports names one
  const bool is_port = one_transport && !dns && (wide_ports || nowhere) && (one_will_do || several);
  if (wide_hosts || is_destination) {
    claim.code = FindingCode::firewall_destination_blocked;
  } else if (is_port) {
    claim.code = !claim.udp()                           ? FindingCode::firewall_tcp_port_blocked
                 : any_sample(closed.flows, of_a_range) ? FindingCode::firewall_udp_range_blocked
                                                        : FindingCode::firewall_udp_port_blocked;
    claim.by_hosts = !wide_ports || !several;
    claim.only_media = box.cargoes == reach::bit(Cargo::rtp);
  } else {
    claim.party = claim.beyond ? "" : closed.flows.front()->party;
  }
  claim.sure = wide_hosts ? closed.hosts_sure : closed.sure;
  claim.weigh(facts);
  return claim;
}

Claim claim_of(const Facts& facts, const Flow& flow, double sure) {
  Claim claim;
  claim.flows = {&flow};
  claim.blocked = flow.way == Reachability::blocked;
  claim.beyond = is_beyond(facts, flow);
  claim.party = claim.beyond ? "" : flow.party;
  claim.sure = claim.blocked ? sure : 0;
  claim.weigh(facts);
  return claim;
}

}  // namespace callready::findings
