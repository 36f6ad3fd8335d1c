// Inspection: the port is open, and one protocol on it is dropped or cut (docs/design.md, "How
// neighbours are told apart", 3): STUN, SIP, TLS. And a device that takes connections. Worlds
// decide all of these.
#include <algorithm>

#include "probe/diagnosis/ways/by_worlds.hpp"

namespace callready::findings {
namespace {

// The device behind that finding, according to the worlds. Null if there is none, or if it is
// further out: there it is not this site's, and looks like servers that keep silent.
const reach::Box* near_filter(const Diagnosis& context, reach::Code family) {
  const auto told = told_by_worlds(
      context, [&](const reach::Box& box, const reach::World&) { return is_of(family, box); });
  return told && !told->box->beyond ? told->box : nullptr;
}

// Packets of the kind that the box reads that died where others pass on the same port.
std::vector<FindingEvidence> contrasts(const Diagnosis& context, const reach::Box& box) {
  const auto& sight = context.worlds().sight;
  std::set<std::pair<reach::HostId, std::uint16_t>> passing;
  const auto reads = [&](const reach::Packet& packet) {
    return (box.cargoes & reach::bit(packet.cargo)) != 0;
  };
  for (const auto& [packet, event] : sight.seen_packets()) {
    const bool out = reach::is_good(event.seen) && !packet.ends_at_device;
    if (packet.udp && out && !reads(packet)) passing.insert({packet.host, packet.port});
  }
  std::vector<FindingEvidence> found;
  for (const auto& [packet, event] : sight.seen_packets()) {
    const bool died = event.seen == Seen::dropped || event.seen == Seen::prohibited;
    const bool another_passes = passing.contains({packet.host, packet.port});
    if (!packet.udp || !died || !reads(packet) || !another_passes) continue;
    const auto* protocol = packet.cargo == Cargo::turn   ? "TURN"
                           : packet.cargo == Cargo::stun ? "STUN"
                           : packet.cargo == Cargo::rtp  ? "RTP"
                                                         : "SIP";
    found.push_back(
        {event.probe,
         phrase("{} to {}, UDP port {}, is stopped on the way; other packets to that port pass.",
                protocol, event.flow.host, packet.port)});
  }
  return found;
}

// SIP to that host was answered over TLS, where nobody on the way can read it.
bool speaks_sip_over_tls(const Facts& facts, const std::string& host) {
  return facts.any_probe([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::sip && is_direct(result) && over_tls(result) &&
           result.probe.target.host == host && result.observation.outcome == Outcome::answered;
  });
}

// A request for STUN gets no answer from a server that answers everybody.
bool stun_gets_lost(const Facts& facts) {
  return std::ranges::any_of(facts.flows, [](const Flow& flow) {
    return flow.udp && any_sample(flow, [](const FlowSample& sample) {
             return sample.responder && sample.cargo == Cargo::stun &&
                    sample.way == Reachability::lost;
           });
  });
}

}  // namespace

// Silence alone shows no device.
Causes find_stun_filter(const Diagnosis& context) {
  const auto is_stun = [&](const ProbeResult& result) {
    const auto check = result.probe.check;
    const bool stun =
        check == CheckKind::stun || check == CheckKind::turn || check == CheckKind::nat;
    return stun && goes_outside(result);
  };
  auto cause =
      cause_by_worlds(context, FindingCode::firewall_stun_filtered,
                      [&](const auto& result) { return is_stun(result) && is_udp(result); });
  if (!cause) return {};
  const auto* box = near_filter(context, FindingCode::firewall_stun_filtered);
  if (box == nullptr) return {};
  cause->evidence = contrasts(context, *box);
  if (cause->evidence.empty()) cause->confidence = possible;
  std::vector<std::string> protocols;
  if (box->cargoes & reach::bit(Cargo::stun)) protocols.emplace_back("STUN");
  if (box->cargoes & reach::bit(Cargo::turn)) protocols.emplace_back("TURN");
  const auto what = listed(protocols);
  cause->title = box->hosts.empty() ? phrase("The firewall lets UDP out, but not {}", what)
                                    : phrase("The firewall lets UDP out, but not {} to {}", what,
                                             listed(hosts_of(cause->explained)));
  cause->fix = phrase(
      "Turn off the inspection that drops {} (application control, often called \"STUN\", \"TURN\" "
      "or \"WebRTC\") {}, and allow this traffic (and return traffic): {}.{}",
      what, for_users(context), asked_flows(context, *cause),
      where_the_list_is(context, cause->explained));
  const auto answered_by_stream = context.probes_that([&](const ProbeResult& result) {
    const bool answered = result.observation.outcome == Outcome::answered;
    return is_stun(result) && !is_udp(result) && answered;
  });
  cause->show(answered_by_stream, 2);
  cause->show(cause->explained, 4);
  return {*cause};
}

// Only beside other packets that pass: media dies of a closed port as well. One may have taken
// another path; and where what should pass gets lost, too, they show little.
Causes find_media_filter(const Diagnosis& context) {
  constexpr std::size_t enough = 2;
  if (stun_gets_lost(context)) return {};
  auto cause = cause_by_worlds(
      context, FindingCode::firewall_media_filtered,
      [](const ProbeResult& result) { return is_udp(result) && goes_outside(result); });
  if (!cause || reach::passed_beside_media(context.worlds().sight) < enough) return {};
  const auto* box = near_filter(context, FindingCode::firewall_media_filtered);
  if (box == nullptr) return {};
  cause->evidence = contrasts(context, *box);
  if (cause->evidence.empty()) return {};
  cause->title = phrase("The firewall lets UDP out, but not media (RTP)");
  cause->fix = phrase(
      "Turn off the inspection that drops RTP, or UDP that it does not recognize (application "
      "control, \"RTP\", \"VoIP\", \"unknown-udp\") {}, and allow this traffic (and return "
      "traffic): {}.{}",
      for_users(context), asked_flows(context, *cause),
      where_the_list_is(context, cause->explained));
  cause->show(cause->explained, 4);
  return {*cause};
}

// Silence alone shows no device; what does is SIP that dies where another packet passes, or that
// breaks a connection to a server that answers it over TLS.
Causes find_sip_filter(const Diagnosis& context) {
  auto cause =
      cause_by_worlds(context, FindingCode::firewall_sip_filtered, [&](const ProbeResult& result) {
        const auto check = result.probe.check;
        const bool sip = check == CheckKind::sip || check == CheckKind::sip_alg;
        return sip && goes_outside(result) && !over_tls(result);
      });
  if (!cause) return {};
  const auto* box = near_filter(context, FindingCode::firewall_sip_filtered);
  if (box == nullptr) return {};
  cause->evidence = contrasts(context, *box);
  // A connection that breaks may be the server's fault, if it does not speak SIP otherwise.
  std::erase_if(cause->explained, [&](const ProbeResult* result) {
    return !is_udp(*result) && !speaks_sip_over_tls(context, result->probe.target.host);
  });
  Probes over_udp;
  std::set<std::string> hidden;
  for (const auto* result : cause->explained) {
    if (is_udp(*result)) {
      over_udp.push_back(result);
    } else {
      cause->tell(what_it_saw(*result));
      hidden.insert(result->probe.target.host);
    }
  }
  if (cause->evidence.empty() || !context.affects_requirement(cause->explained)) return {};
  cause->title =
      hidden.empty()
          ? phrase("The firewall allows UDP to SIP servers, but blocks SIP itself")
          : phrase("The firewall allows connections to SIP servers, but blocks SIP itself");
  cause->fix = phrase(
      "Turn off the inspection that drops SIP (\"SIP\", \"VoIP\" or application control) {}, and "
      "allow this traffic (and return traffic): {}.{}",
      for_users(context), flows_in_words(context, cause->explained),
      where_the_list_is(context, cause->explained));
  if (!hidden.empty())
    cause->tell(phrase("Over TLS, which hides it, SIP to {} is answered.", listed(hidden)));
  cause->fix += phrase(
      " This test sends OPTIONS only: if phones register all the same, only OPTIONS is dropped.");
  cause->show(over_udp, 4);
  return {*cause};
}

// Connections that are established too soon, and stay silent: a device that carries connections on
// is as near, and servers that ignore strangers are as silent. So it is certain only if a packet
// that was to end on the way was answered. Or the servers themselves take them, and then nothing
// gets through, whatever is sent.
Causes find_taken_connections(const Diagnosis& context) {
  auto cause = cause_by_worlds(context, reach::connections_taken,
                               [](const ProbeResult& result) {  // that stood, and died
                                 const auto& seen = result.observation;
                                 return !is_udp(result) &&
                                        (seen.round_trip || seen.outcome == Outcome::failed);
                               });
  if (!cause) return {};
  const auto* box = near_filter(context, reach::connections_taken);
  const bool by_servers = box != nullptr && box->fate != reach::Fate::take;
  if (!by_servers && !context.any_probe(is_taken_near))
    cause->confidence = std::max(cause->confidence, likely);
  const auto ports = named_ports(ports_of(cause->explained));
  cause->title =
      by_servers
          ? phrase("TCP to {} connects, but carries nothing", ports)
          : phrase("A device in the path answers TCP to {} itself; nothing comes back", ports);
  cause->fix = phrase(
      "Exempt this traffic from the firewall's transparent proxy or inspection, and allow it (and "
      "return traffic) {}: {}.{}",
      from_users(context), asked_flows(context, *cause),
      where_the_list_is(context, cause->explained));
  // It may pass on what servers send later than we waited for it.
  if (!by_servers)
    cause->fix += phrase(" If connections work after some seconds, that device may be overloaded.");
  if (by_servers && box->fate == reach::Fate::mute) {
    cause->fix = phrase(
                     "Check that both directions of these connections pass the same firewall: one "
                     "that does not see the replies drops what follows (asymmetric routing).") +
                 " " + cause->fix;
  }
  for (const auto& result : context.report.probes) {
    const auto* hop = is_taken_near(result) ? evidence_of(result, EvidenceKind::hop) : nullptr;
    if (hop == nullptr || cause->evidence.size() == 2) continue;
    cause->tell(hop->text + ".", &result);
  }
  cause->show(cause->explained, 6);
  return {*cause};
}

// TLS greetings that are cut off or get no answer, by a firewall's category filter, or by the
// servers themselves.
Causes find_tls_filter(const Diagnosis& context) {
  const auto is_greeting = [&](const ProbeResult& result) {
    return over_tls(result) && goes_outside(result);
  };
  auto cause =
      cause_by_worlds(context, FindingCode::firewall_tls_filtered, [&](const ProbeResult& result) {
        // What fails later did get a certificate.
        return is_greeting(result) && !has_certificate(result);
      });
  if (!cause) return {};
  const auto hosts = hosts_of(cause->explained);
  const auto ports = ports_of(cause->explained);
  const auto names = listed(hosts);
  cause->show(cause->explained, 1);
  // Of the same ports: greetings that were answered, and what else the servers answer.
  bool tls_works = false;
  for (const auto& result : context.report.probes) {
    const auto& [probe, seen] = result;
    const auto& target = probe.target;
    if (!contains(ports, target.port()) || !is_direct(result) || is_udp(result)) continue;
    // A certificate answers the greeting, whatever is wrong with it.
    const bool tls = is_greeting(result);
    if (seen.outcome != Outcome::answered && (!tls || !has_certificate(result))) continue;
    tls_works |= tls;
    const bool other_name = probe.purpose == Purpose::other_server_name;
    if (!contains(hosts, target.host) || (tls && !other_name)) continue;
    const auto name = probe.with.find("server_name");  // a report from elsewhere may lack it
    if (!other_name || name == probe.with.end()) {
      cause->tell(what_it_saw(result));
      continue;
    }
    cause->tell(phrase("With another name in the TLS greeting ({}), {} answers: the block matches "
                       "on its name.",
                       name->second, target.host),
                &result);
  }
  const bool alone = cause->confidence == possible;
  cause->title =
      alone       ? phrase("TLS connections to {} are cut off, in transit or by the server", names)
      : tls_works ? phrase("TLS connections to {} are cut off in transit", names)
                  : phrase("TLS connections on {} are cut off in transit", named_ports(ports));
  // Where a device answers connections itself, a port that is closed behind it looks the same.
  const auto* taken = first_that(context.report.probes, [&](const ProbeResult& result) {
    return is_taken_near(result) && contains(ports, result.probe.target.port());
  });
  const bool may_be_closed = !tls_works && !alone && taken != nullptr;
  if (may_be_closed) {
    cause->confidence = std::max(cause->confidence, likely);
    cause->title = phrase("Connections on {} open, but carry nothing", named_ports(ports));
    cause->tell(EvidenceKind::hop, *taken);
  }
  cause->fix = marked_text(
      may_be_closed
          ? marked(
                "A device in the path answers connections itself. Allow this traffic end to end, "
                "and exempt it from TLS inspection: {}.{}{}")
          : marked("Exempt these destinations from blocking and inspection, on the firewall or web "
                   "filter that inspects TLS: {}.{}{}"),
      flows_in_words(context, cause->explained),
      alone ? phrase(" If the result is the same from another line, ask the servers' operator.")
            : "",
      where_the_list_is(context, cause->explained));
  cause->tell(
      phrase("TCP to {} connects, but then the TLS greeting is cut off or not answered: {}.",
             named_ports(ports), names));
  return {*cause};
}

}  // namespace callready::findings
