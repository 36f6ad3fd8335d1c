// Inspection: the port is open, and one protocol on it is dropped or cut (docs/design.md, "How
// neighbours are told apart", 3).
#include <algorithm>

#include "probe/diagnosis/ways/flow_groups.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

// What one payload came to on a port, beside what others did.
struct Contrast {
  const FlowSample* dead = nullptr;     // this payload, blocked or unanswered
  const FlowSample* passing = nullptr;  // another payload, which got out
};

// TURN is STUN (RFC 8656 section 2): what drops the one is no proof of the other, but what lets one
// pass and drops the other reads it.
bool is_stun_like(Payload payload) { return payload == Payload::stun || payload == Payload::turn; }

// Whether what was seen there passed whoever turned the other payload away: a device further out
// than the router that saw it may turn both away.
bool passed_the_device(const Facts& facts, const FlowSample& passing, const FlowSample& dead) {
  const auto device = IpAddress::parse(dead.by);
  if (!device || passing.way == Reachability::open || passing.left_at == dead.by) return true;
  return device->is_private() || facts.may_be_ours(dead.by);
}

// On one port of one host, `payload` dies where something else gets out.
std::optional<Contrast> contrast_on(const Facts& facts, const Flow& flow, Payload payload) {
  Contrast contrast;
  for (const auto& sample : flow.samples) {
    if (sample.payload != payload) continue;
    if (gets_out(sample.way)) return std::nullopt;
    if (sample.way == Reachability::blocked) contrast.dead = &sample;
  }
  if (contrast.dead == nullptr) return std::nullopt;
  for (const auto& sample : flow.samples) {
    // That TURN passes says nothing of what drops STUN, which is a part of it.
    const bool other =
        sample.payload != payload && (payload == Payload::turn || !is_stun_like(sample.payload));
    if (other && gets_out(sample.way) && passed_the_device(facts, sample, *contrast.dead)) {
      contrast.passing = &sample;
    }
  }
  if (contrast.passing == nullptr) return std::nullopt;
  return contrast;
}

// What got out here dies on the same port elsewhere: then it is not what is read that decides.
bool by_chance(const Facts& facts, const Flow& flow, const Contrast& contrast) {
  return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& other) {
    const auto died = [&](const FlowSample& sample) {
      return sample.payload == contrast.passing->payload && sample.way == Reachability::blocked &&
             sample.by.empty();
    };
    return other.udp && other.port == flow.port && other.host != flow.host &&
           any_sample(other, died);
  });
}

// So many times in vain before one port is believed to differ from others; the request itself is
// one.
std::size_t believed_when_lost(const Facts& facts) { return facts.line_loses() ? 4 : 3; }

// One request in vain and one packet that died may both be chance there.
constexpr std::size_t believed_on_a_bad_line = 3;

bool lets_out(const Flow& flow, Payload payload) {
  return flow.udp && any_sample(flow, [&](const FlowSample& sample) {
           return sample.payload == payload && gets_out(sample.way);
         });
}

// It gets out on other ports of the host, or to others and is as silent there, and died here no
// more often than a bad line explains.
bool passes_elsewhere(const Facts& facts, const Flow& flow, Payload payload) {
  if (times_lost(flow) >= believed_when_lost(facts)) return false;
  return std::any_of(facts.flows.begin(), facts.flows.end(), [&](const Flow& other) {
    const bool as_silent = other.host == flow.host || other.way != Reachability::open;
    return as_silent && lets_out(other, payload);
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

bool is_stun(const ProbeResult& result) {
  const auto& check = result.probe.check;
  return check == CheckKind::stun || check == CheckKind::turn || check == CheckKind::nat;
}

FindingEvidence contrast_in_words(const Flow& flow, const Contrast& contrast,
                                  std::string_view protocol) {
  return {contrast.dead->result->probe.id,
          phrase("{} to {}, UDP port {}, is dropped; other packets to the same port get as "
                 "far as that router.",
                 protocol, flow.host, flow.port)};
}

// What STUN and TURN over UDP came to, as far as the site can be to blame.
struct StunView {
  std::vector<FindingEvidence> contrasts;
  std::set<std::string> dying, dying_to;  // of the contrasts: protocols, hosts
  std::size_t times = 0;                  // that packets of these died or were not answered
  std::set<std::uint16_t> silent_ports;
  std::set<std::string> silent_parties;
  std::set<std::uint16_t> dead_ports;  // to other packets, too
  bool udp_works = false, stun_works = false, turn_works = false;
  bool heard = false;  // any reply but names; else whether packets get lost is not known
  // Others than STUN who should answer: whether any does, and any does not.
  bool others_answer = false, others_are_silent = false;

  bool others_die_there() const {
    return std::any_of(silent_ports.begin(), silent_ports.end(),
                       [&](std::uint16_t port) { return dead_ports.contains(port); });
  }
};

StunView look_at_stun(const Facts& facts) {
  StunView view;
  const bool limited = new_flows_are_limited(facts);  // then any packet may die
  for (const auto& flow : facts.flows) {
    if (!flow.udp) continue;
    for (const auto payload : {Payload::stun, Payload::turn}) {
      const auto contrast = contrast_on(facts, flow, payload);
      if (contrast && !limited && !by_chance(facts, flow, *contrast) &&
          !passes_elsewhere(facts, flow, payload)) {
        const auto* protocol = payload == Payload::stun ? "STUN" : "TURN";
        view.contrasts.push_back(contrast_in_words(flow, *contrast, protocol));
        view.dying.insert(protocol);
        view.dying_to.insert(flow.host);
        view.times += times_lost(flow);
      }
    }
    for (const auto& sample : flow.samples) {
      view.heard |= sample.way == Reachability::open && sample.payload != Payload::dns;
      if (!is_stun_like(sample.payload)) {
        const bool dns = sample.payload == Payload::dns;
        view.udp_works |= gets_out(sample.way) && !dns;
        view.others_answer |= sample.way == Reachability::open && !dns;
        const bool sip = sample.payload == Payload::sip && facts.answers_sip(flow.host);
        view.others_are_silent |= sample.way == Reachability::lost && (sample.responder || sip);
        if (sample.way == Reachability::blocked) view.dead_ports.insert(flow.port);
      } else if (gets_out(sample.way)) {
        auto& works = sample.payload == Payload::stun ? view.stun_works : view.turn_works;
        works |= sample.way == Reachability::open;
      } else if (sample.responder) {
        view.silent_ports.insert(flow.port);
        view.silent_parties.insert(flow.party);
      }
    }
  }
  return view;
}

// Names that were looked up only when they were asked for again: packets get lost.
bool names_come_late(const Facts& facts) {
  std::set<std::string> found;
  for (const auto& [probe, seen] : facts.report.probes) {
    const bool of_the_system = probe.check == CheckKind::dns && !probe.with.contains("server");
    if (of_the_system && seen.outcome == Outcome::answered) found.insert(probe.target.host);
  }
  const auto& probes = facts.report.probes;
  return std::any_of(probes.begin(), probes.end(), [&](const ProbeResult& result) {
    return result.observation.detail == DetailCode::dns_unreachable &&
           found.contains(result.probe.target.host);
  });
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

Causes find_stun_filter(const Diagnosis& context) {
  const auto& facts = context.facts;
  auto view = look_at_stun(facts);
  const bool by_chance = facts.line_loses() || names_come_late(facts) || !view.heard;
  // What died so seldom may have died by chance.
  const bool weak = by_chance && view.times < believed_on_a_bad_line;
  // Where TURN gets through to anywhere, nobody on the way drops it; a plain Binding may.
  if (view.turn_works) return {};
  Cause cause;
  auto& finding = cause.finding;
  finding.evidence = view.contrasts;
  const bool proved = !finding.evidence.empty();
  if (view.stun_works && !proved) return {};
  std::vector<const ProbeResult*> answered_by_stream;
  for (const auto& result : facts.report.probes) {
    const bool stun = is_stun(result) && is_direct(result) && !facts.inside(result);
    if (!stun) continue;
    if (is_udp(result) && failing(result) && !context.explained(result)) {
      cause.explained.push_back(&result);
    }
    if (!is_udp(result) && result.observation.outcome == Outcome::answered) {
      answered_by_stream.push_back(&result);
    }
  }
  // One silent port may be a closed port; two ports, and two operators, share only the protocol.
  const bool only_stun = view.others_answer || !view.others_are_silent;
  const bool suspected = view.udp_works && only_stun && !view.others_die_there() &&
                         !answered_by_stream.empty() && view.silent_ports.size() >= 2 &&
                         view.silent_parties.size() >= 2;
  if ((!proved && !suspected) || !context.affects_requirement(cause.explained)) return {};
  // Where STUN gets through elsewhere, no more dies than was seen to.
  const auto what = view.stun_works ? listed({view.dying.begin(), view.dying.end()})
                                    : phrase("{} and {}", "STUN", "TURN");
  const bool to_some = view.stun_works && view.dying.contains("STUN");
  finding.code = FindingCode::firewall_stun_filtered;
  finding.title = to_some ? phrase("The firewall lets UDP out, but not {} to {}", what,
                                   listed({view.dying_to.begin(), view.dying_to.end()}))
                          : phrase("The firewall lets UDP out, but not {}", what);
  finding.owner = Owner::network;
  finding.confidence = proved && !weak ? Confidence::certain : Confidence::possible;
  finding.fix = phrase(
      "Turn off the inspection that drops {} (application control, often called \"STUN\", \"TURN\" "
      "or \"WebRTC\") {}, and allow it, with return traffic: {}.{}",
      what, for_users(facts), flows_in_words(facts, cause.explained),
      where_the_list_is(facts, cause.explained));
  if (!proved) {
    finding.evidence.push_back(
        {"",
         phrase("None of the {} operators tested answers STUN over UDP, on {}; other UDP gets out.",
                view.silent_parties.size(),
                named_ports({view.silent_ports.begin(), view.silent_ports.end()}))});
  }
  add_what_they_saw(finding.evidence, answered_by_stream, 2);
  add_what_they_saw(finding.evidence, cause.explained, 4);
  return {cause};
}

Causes find_sip_filter(const Diagnosis& context) {
  const auto& facts = context.facts;
  Cause cause;
  auto& finding = cause.finding;
  std::vector<FindingEvidence> weak;
  std::set<std::string> hosts;
  bool plain_works = false;
  // Where SIP to others gets out, one that died may have died by chance.
  const bool passes = std::any_of(facts.flows.begin(), facts.flows.end(),
                                  [](const Flow& flow) { return lets_out(flow, Payload::sip); });
  const bool limited = new_flows_are_limited(facts);
  for (const auto& flow : facts.flows) {
    if (!flow.udp) continue;
    const auto contrast = contrast_on(facts, flow, Payload::sip);
    if (!contrast || limited) continue;
    if (passes && times_lost(flow) < believed_when_lost(facts)) continue;
    finding.evidence.push_back(contrast_in_words(flow, *contrast, "SIP"));
    hosts.insert(flow.host);
  }
  const bool proved = !finding.evidence.empty();
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
      const bool by_tls = std::any_of(
          facts.report.probes.begin(), facts.report.probes.end(), [&](const ProbeResult& other) {
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
  finding.code = FindingCode::firewall_sip_filtered;
  const bool by_udp = std::all_of(cause.explained.begin(), cause.explained.end(),
                                  [](const ProbeResult* result) { return is_udp(*result); });
  finding.title =
      by_udp ? phrase("The firewall allows UDP to SIP servers, but blocks SIP itself")
             : phrase("The firewall allows connections to SIP servers, but blocks SIP itself");
  finding.owner = Owner::network;
  finding.confidence = proved             ? Confidence::certain
                       : hosts.size() > 1 ? Confidence::likely
                                          : Confidence::possible;
  finding.fix = phrase(
      "Turn off the inspection that drops SIP (\"SIP\", \"VoIP\" or application control) {}, and "
      "allow it, with return traffic: {}.{}",
      for_users(facts), flows_in_words(facts, cause.explained),
      where_the_list_is(facts, cause.explained));
  finding.evidence.insert(finding.evidence.end(), weak.begin(), weak.end());
  if (!weak.empty()) {
    finding.evidence.push_back({"", phrase("Over TLS, which hides it, SIP to {} is answered.",
                                           listed({hosts.begin(), hosts.end()}))});
  }
  add_what_they_saw(finding.evidence, cause.explained, 4);
  return {cause};
}

}  // namespace callready::findings
