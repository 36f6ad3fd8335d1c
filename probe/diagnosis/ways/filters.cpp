// Inspection: the port is open, and one protocol on it is dropped or cut (docs/design.md, "How
// neighbours are told apart", 3).
#include <algorithm>

#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/ways/by_worlds.hpp"
#include "probe/diagnosis/ways/flow_groups.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

// Whether what was seen there passed whoever turned the other payload away: a device further out
// than the router that saw it may turn both away.
bool passed_the_device(const Facts& facts, const FlowSample& passing, const FlowSample& dead) {
  const auto device = IpAddress::parse(dead.by);
  if (!device || passing.way == Reachability::open || passing.left_at == dead.by) return true;
  return device->is_private() || facts.may_be_ours(dead.by);
}

// SIP that dies on a port of a host where something else gets out.
const FlowSample* sip_that_dies_alone(const Facts& facts, const Flow& flow) {
  const FlowSample* dead = nullptr;
  for (const auto& sample : flow.samples) {
    if (sample.payload != Payload::sip) continue;
    if (gets_out(sample.way)) return nullptr;
    if (sample.way == Reachability::blocked) dead = &sample;
  }
  const auto passes_beside = [&](const FlowSample& sample) {
    return sample.payload != Payload::sip && gets_out(sample.way) &&
           passed_the_device(facts, sample, *dead);
  };
  return dead != nullptr && any_sample(flow, passes_beside) ? dead : nullptr;
}

// So many times in vain before one port is believed to differ from others; the request itself is
// one.
std::size_t believed_when_lost(const Facts& facts) { return facts.line_loses() ? 4 : 3; }

bool lets_out_sip(const Flow& flow) {
  return flow.udp && any_sample(flow, [](const FlowSample& sample) {
           return sample.payload == Payload::sip && gets_out(sample.way);
         });
}

// SIP over a connection: cut or unanswered after TCP had been established.
bool broke_after_connect(const ProbeResult& result) {
  const auto& seen = result.observation;
  return seen.outcome == Outcome::failed &&
         (seen.detail == DetailCode::connection_reset ||
          seen.detail == DetailCode::closed_by_peer || seen.detail == DetailCode::sip_timed_out);
}

bool over(const ProbeResult& result, Transport transport) {
  return is_direct(result) && result.probe.target.transport == transport;
}

Text contrast_in_words(std::string_view protocol, const std::string& host, std::uint16_t port) {
  return phrase("{} to {}, UDP port {}, is stopped on the way; other packets to that port pass.",
                protocol, host, port);
}

// What died of what that box reads, where something else passes on the same port.
std::vector<FindingEvidence> contrasts(const Diagnosis& context, const reach::Box& box) {
  const auto& sight = context.worlds().sight;
  std::set<std::pair<reach::HostId, std::uint16_t>> passing;
  const auto reads = [&](const reach::Packet& packet) {
    return (box.cargoes & reach::bit(packet.cargo)) != 0;
  };
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto& packet = sight.packets[i];
    const bool out = reach::is_good(sight.events.flows[i].seen) && !packet.ends_at_device;
    if (packet.udp && out && !reads(packet)) passing.insert({packet.host, packet.port});
  }
  std::vector<FindingEvidence> found;
  for (std::size_t i = 0; i < sight.packets.size(); ++i) {
    const auto& packet = sight.packets[i];
    const auto& event = sight.events.flows[i];
    const bool died = event.seen == Seen::dropped || event.seen == Seen::prohibited;
    const bool another_passes = passing.contains({packet.host, packet.port});
    if (!packet.udp || !died || !reads(packet) || !another_passes) continue;
    const auto* protocol = packet.cargo == Cargo::turn ? "TURN" : "STUN";
    found.push_back({event.probe, contrast_in_words(protocol, event.flow.host, packet.port)});
  }
  return found;
}

// Ports on which SIP that anybody can read is answered over a connection.
std::set<std::uint16_t> ports_of_sip_over_tcp(const Facts& facts) {
  std::set<std::uint16_t> ports;
  for (const auto& result : facts.report.probes) {
    const bool readable = result.probe.check == CheckKind::sip && over(result, Transport::tcp);
    if (readable && result.observation.outcome == Outcome::answered) {
      ports.insert(result.probe.target.port());
    }
  }
  return ports;
}

}  // namespace

// Worlds decide it. Silence alone shows no device.
Causes find_stun_filter(const Diagnosis& context) {
  const auto& facts = context.facts;
  const auto is_stun = [&](const ProbeResult& result) {
    const auto check = result.probe.check;
    const bool stun =
        check == CheckKind::stun || check == CheckKind::turn || check == CheckKind::nat;
    return stun && is_direct(result) && !facts.inside(result);
  };
  auto cause = cause_by_worlds(context, reach::Code::stun_filtered, [&](const auto& result) {
    return is_stun(result) && is_udp(result);
  });
  if (!cause) return {};
  const auto told = told_by_worlds(context, [](const reach::Box& box, const reach::World&) {
    return box.code == reach::Code::stun_filtered;
  });
  // Further out it is not this site's, and looks like servers that keep silent.
  if (!told || told->box->beyond) return {};
  auto& finding = cause->finding;
  finding.evidence = contrasts(context, *told->box);
  if (finding.evidence.empty()) finding.confidence = Confidence::possible;
  std::vector<std::string> protocols;
  if (told->box->cargoes & reach::bit(Cargo::stun)) protocols.emplace_back("STUN");
  if (told->box->cargoes & reach::bit(Cargo::turn)) protocols.emplace_back("TURN");
  const auto what = listed(protocols);
  finding.title = told->box->hosts.empty() ? phrase("The firewall lets UDP out, but not {}", what)
                                           : phrase("The firewall lets UDP out, but not {} to {}",
                                                    what, listed(hosts_of(cause->explained)));
  finding.fix = phrase(
      "Turn off the inspection that drops {} (application control, often called \"STUN\", \"TURN\" "
      "or \"WebRTC\") {}, and allow it, with return traffic: {}.{}",
      what, for_users(facts), asked_flows(facts, *cause),
      where_the_list_is(facts, cause->explained));
  const auto answered_by_stream = facts.probes_that([&](const ProbeResult& result) {
    const bool answered = result.observation.outcome == Outcome::answered;
    return is_stun(result) && !is_udp(result) && answered;
  });
  add_what_they_saw(finding.evidence, answered_by_stream, 2);
  add_what_they_saw(finding.evidence, cause->explained, 4);
  return {*cause};
}

Causes find_sip_filter(const Diagnosis& context) {
  const auto& facts = context.facts;
  Cause cause;
  std::vector<FindingEvidence> weak;
  std::set<std::string> hosts;
  bool plain_works = false;
  // Where SIP to others gets out, one that died may have died by chance.
  const bool passes = std::ranges::any_of(facts.flows, lets_out_sip);
  const bool limited = new_flows_are_limited(facts);
  for (const auto& flow : facts.flows) {
    const auto* dead = flow.udp && !limited ? sip_that_dies_alone(facts, flow) : nullptr;
    if (dead == nullptr) continue;
    if (passes && times_lost(flow) < believed_when_lost(facts)) continue;
    cause.tell(contrast_in_words("SIP", flow.host, flow.port), dead->result);
    hosts.insert(flow.host);
  }
  const bool proved = !cause.finding.evidence.empty();
  const auto over_tcp = ports_of_sip_over_tcp(facts);
  for (const auto& result : facts.report.probes) {
    const bool sip =
        result.probe.check == CheckKind::sip || result.probe.check == CheckKind::sip_alg;
    if (!sip || !is_direct(result) || facts.inside(result)) continue;
    if (over(result, Transport::tls)) continue;
    // Inspection of UDP alone is common; what is proved on it stands, whatever TCP does.
    const bool answered = result.observation.outcome == Outcome::answered;
    plain_works |= answered && (is_udp(result) || !proved);
    if (context.explained(result) || !failing(result)) continue;
    const bool cut = over(result, Transport::tcp) && broke_after_connect(result);
    if (cut) {
      // The server speaks SIP, where nobody on the way can read it.
      const bool by_tls = facts.any_probe([&](const ProbeResult& other) {
        return other.probe.check == CheckKind::sip && over(other, Transport::tls) &&
               other.probe.target.host == result.probe.target.host &&
               other.observation.outcome == Outcome::answered;
      });
      if (!by_tls || over_tcp.contains(result.probe.target.port())) continue;
      hosts.insert(result.probe.target.host);
      weak.push_back(what_it_saw(result));
    }
    if (cut || is_udp(result)) cause.explained.push_back(&result);
  }
  if (plain_works || (!proved && weak.empty())) return {};
  if (!context.affects_requirement(cause.explained)) return {};
  auto& finding = cause.name(FindingCode::firewall_sip_filtered, Owner::network,
                             proved             ? Confidence::certain
                             : hosts.size() > 1 ? Confidence::likely
                                                : Confidence::possible);
  auto over_udp = cause.explained;
  std::erase_if(over_udp, [](const ProbeResult* result) { return !is_udp(*result); });
  const bool by_udp = over_udp.size() == cause.explained.size();
  finding.title =
      by_udp ? phrase("The firewall allows UDP to SIP servers, but blocks SIP itself")
             : phrase("The firewall allows connections to SIP servers, but blocks SIP itself");
  finding.fix = phrase(
      "Turn off the inspection that drops SIP (\"SIP\", \"VoIP\" or application control) {}, and "
      "allow it, with return traffic: {}.{}",
      for_users(facts), flows_in_words(facts, cause.explained),
      where_the_list_is(facts, cause.explained));
  append(finding.evidence, weak);
  if (!weak.empty()) {
    cause.tell(phrase("Over TLS, which hides it, SIP to {} is answered.",
                      listed({hosts.begin(), hosts.end()})));
  }
  add_what_they_saw(finding.evidence, over_udp, 4);
  return {cause};
}

}  // namespace callready::findings
