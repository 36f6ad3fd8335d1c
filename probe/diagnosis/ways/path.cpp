// Packets of full size that vanish, and IPv6 that does not work: the path itself.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

// TCP's and IP's headers without options (RFC 9293 section 3.1, RFC 791, RFC 8200 section 3): how
// much smaller a segment is than its packet, in bytes.
constexpr int segment_headers = 40, segment_headers_by_ipv6 = 60;

bool is_path_with(const ProbeResult& result, DetailCode detail) {
  return result.probe.check == CheckKind::path && result.observation.detail == detail;
}

// Full-size packets came through to somebody, over UDP or over a connection.
bool full_size_passes(const Facts& facts, bool udp) {
  return facts.any_probe([&](const ProbeResult& result) {
    return is_path_with(result, DetailCode::full_size) && is_udp(result) == udp;
  });
}

// The same question to the same server, asked again, got full-size packets through.
bool passes_again(const Facts& facts, const ProbeResult& hole) {
  const auto& target = hole.probe.target;
  return facts.any_probe([&](const ProbeResult& result) {
    const auto& other = result.probe.target;
    return is_path_with(result, DetailCode::full_size) && other.host == target.host &&
           other.port() == target.port() && other.transport == target.transport;
  });
}

// Small datagrams get lost, too, to servers that answer everybody.
bool udp_gets_lost(const Facts& facts) {
  const bool lost = std::ranges::any_of(facts.flows, [](const Flow& flow) {
    return flow.udp && flow.way == Reachability::lost && any_sample(flow, &FlowSample::responder);
  });
  return lost || facts.any_probe([](const ProbeResult& result) {
    return is_path_with(result, DetailCode::timed_out) && is_udp(result);
  });
}

// Certificates come in full-size packets, and those of this many others arrived.
bool certificates_arrive(const Facts& facts, const ProbeResult& stuck) {
  constexpr std::size_t enough = 3;
  auto parties = parties_of(facts.probes_that(
      [](const ProbeResult& result) { return is_direct(result) && has_certificate(result); }));
  parties.erase(registrable_domain(stuck.probe.target.host));
  return parties.size() >= enough;
}

// So did that host's own.
bool own_certificates_arrive(const Facts& facts, const ProbeResult& stuck) {
  return !is_udp(stuck) && facts.any_probe([&](const ProbeResult& result) {
    return result.probe.target.host == stuck.probe.target.host && is_direct(result) &&
           has_certificate(result);
  });
}

bool works_by_ipv6(const ProbeResult& result) {
  return result.probe.check == CheckKind::ipv6 &&
         attempt_over(result, "IPv6").result == DetailCode::connected;
}

// Packets were sent over IPv6 without a connection that carries data, although IPv4 made one.
bool works_by_ipv4_only(const ProbeResult& result) {
  using enum DetailCode;
  constexpr std::array wrong{timed_out,    unreachable,        prohibited,
                             ttl_exceeded, connection_refused, tls_timed_out};
  return result.probe.check == CheckKind::ipv6 &&
         contains(wrong, attempt_over(result, "IPv6").result) &&
         attempt_over(result, "IPv4").result == connected;
}

// Its IPv6 address was made by a DNS64.
bool is_made_up(const ProbeResult* result) {
  const auto prefix = Network::parse(text_of(*result, EvidenceKind::nat64, Fact::prefix));
  return prefix && std::ranges::any_of(all_evidence(result->observation, EvidenceKind::family),
                                       [&](const Evidence& evidence) {
                                         const auto to =
                                             IpAddress::parse(text_fact(evidence, Fact::address));
                                         return to && to->is_v6() && prefix->contains(*to);
                                       });
}

bool is_refused_by_ipv6(const ProbeResult* result) {
  return attempt_over(*result, "IPv6").result == DetailCode::connection_refused;
}

}  // namespace

void tell_of_both(const ProbeResult& result, Cause& cause) {
  cause.tell(phrase("{}: {}; {}.", result.probe.target.host, attempt_over(result, "IPv6").text,
                    attempt_over(result, "IPv4").text),
             &result);
}

Causes find_mtu(const Diagnosis& context) {
  Cause cause;
  std::size_t streams = 0;
  std::set<int> passing;  // sizes in bytes
  int headers = segment_headers;
  for (const auto& result : context.report.probes) {
    if (!is_path_with(result, DetailCode::black_hole) || passes_again(context, result)) continue;
    cause.explained.push_back(&result);
    if (!is_udp(result)) ++streams;
    if (const auto& to = result.observation.address; to && to->is_v6())
      headers = segment_headers_by_ipv6;
    const auto* evidence = evidence_of(result, EvidenceKind::path_mtu);
    if (evidence == nullptr) continue;
    if (const auto size = whole_fact(*evidence, Fact::passes, 1, 65'535)) passing.insert(*size);
    cause.tell(phrase("{}: {}.", result.probe.target.host, evidence->text), &result);
  }
  if (cause.explained.empty()) return {};
  // One line has one limit: where servers' differ, chance may have a part in it.
  const bool differ = streams == 0 && passing.size() > 1;
  // A device that limits new flows may limit packets, too, whatever their size.
  if (streams == 0 && new_flows_are_limited(context)) return {};
  const int passes = passing.empty() ? 0 : *passing.rbegin();
  // Where full-size packets came through elsewhere, these may have been lost by chance, on a bad
  // line; so may datagrams where small ones get lost, too.
  const auto parties = parties_of(cause.explained);
  const auto& first = *cause.explained.front();
  const bool one = cause.explained.size() == 1;
  const bool passes_elsewhere = full_size_passes(context, is_udp(first));
  const bool small_ones_too =
      is_udp(first) && udp_gets_lost(context) && certificates_arrive(context, first);
  if (one && context.line_loses() && (passes_elsewhere || small_ones_too)) return {};
  const bool one_is_chance =
      one && (passes_elsewhere ||
              (is_udp(first) ? context.line_loses() : certificates_arrive(context, first)));
  // Out by UDP, and in with the certificates.
  const bool all_are_chance = (context.line_loses() || full_size_passes(context, true)) &&
                              std::ranges::all_of(cause.explained, [&](const auto* result) {
                                return own_certificates_arrive(context, *result);
                              });
  const bool small_too = streams == 0 && udp_gets_lost(context);
  const bool alone = one_is_chance || all_are_chance || small_too;
  // What gets stuck: the handshake is complete, and the first flight of more than one packet never
  // comes.
  append(cause.explained, context.probes_that([&](const ProbeResult& result) {
    const auto& seen = result.observation;
    const bool stuck =
        seen.detail == DetailCode::tls_timed_out || seen.detail == DetailCode::http_timed_out;
    return !alone && stuck && is_direct(result) && seen.outcome == Outcome::failed &&
           !context.explained(result);
  }));
  // One server may drop what it does not like; two of different operators, or a connection that
  // works with small segments only and again only with these, are the path.
  const bool sure = parties.size() > 1 || streams > 1;
  cause.name(FindingCode::network_mtu, alone || differ ? possible : sure ? certain : likely);
  // Where connections carry full-size packets, a tunnel or a device is in the way of UDP alone.
  const bool udp_alone = streams == 0 && full_size_passes(context, false);
  // Browsers send media in packets of 1,200 bytes, and QUIC needs no more (RFC 9000 section 14):
  // both fit in what any path of IPv6 carries (RFC 8200 section 5). Longer datagrams are SIP's.
  constexpr int of_any_path = 1'280;
  const bool only_long_ones = udp_alone && passes >= of_any_path;
  if (udp_alone) {
    cause.title = passes == 0
                      ? phrase("Large UDP packets are lost in transit")
                      : phrase("UDP packets larger than {} bytes are lost in transit", passes);
    cause.fix = phrase(
        "Find the tunnel (SD-WAN, VPN) that UDP goes through and TCP does not, or the firewall "
        "that drops fragments of UDP and limits the segments of TCP. Let UDP packets of 1500 bytes "
        "pass there, or allow ICMP \"fragmentation needed\" (type 3, code 4; ICMPv6 \"packet too "
        "big\", type 2) in both directions. Until then, {}.",
        only_long_ones ? phrase("large SIP messages are lost")
                       : phrase("large SIP messages are lost, video stutters, and QUIC falls back "
                                "to TCP"));
  } else {
    cause.title = passes == 0 ? phrase("Large packets are lost in transit")
                              : phrase("Packets larger than {} bytes are lost in transit", passes);
    cause.fix = phrase(
        "On the firewall and the router, allow ICMP \"fragmentation needed\" (type 3, code 4; "
        "ICMPv6 \"packet too big\", type 2) in both directions");
    cause.fix +=
        passes > headers
            ? phrase(
                  ", and limit the TCP segment size on the line or tunnel (MSS clamping to {} "
                  "bytes)",
                  passes - headers)
            : phrase(", and limit the TCP segment size on the line or tunnel (MSS clamping)");
    cause.fix += phrase(
        ". Until then, sign-in pages hang, large SIP messages are lost, and video stutters.");
  }
  // What a test says is short; what people send is not.
  if (cause.confidence != possible) {
    cause.impaired = context.probes_that([&](const ProbeResult& result) {
      const auto outcome = result.observation.outcome;
      const bool so = is_udp(result) == udp_alone && goes_outside(result);
      const bool heard = reached(outcome) && (udp_alone || outcome != Outcome::passed);
      const bool short_ones = only_long_ones && result.probe.check != CheckKind::sip;
      return so && heard && !short_ones && context.asked_for(result);
    });
  }
  return {cause};
}

Causes find_broken_ipv6(const Diagnosis& context) {
  if (context.any_probe(works_by_ipv6)) return {};
  Cause cause(context.probes_that(works_by_ipv4_only));
  const bool several = parties_of(cause.explained).size() > 1;
  // One server that refuses only over IPv6 does so by itself.
  const bool refused = std::ranges::all_of(cause.explained, is_refused_by_ipv6);
  if (cause.explained.empty() || (refused && !several)) return {};
  const bool says_no = std::ranges::all_of(cause.explained, [](const auto* result) {
    return is_refused_by_ipv6(result) ||
           attempt_over(*result, "IPv6").result == DetailCode::prohibited;
  });
  const auto all_ended_with = [&](DetailCode detail) {
    return std::ranges::all_of(cause.explained, [&](const auto* result) {
      return attempt_over(*result, "IPv6").result == detail;
    });
  };
  const bool no_way = all_ended_with(DetailCode::unreachable);
  const bool unheard = all_ended_with(DetailCode::tls_timed_out);
  cause.name(FindingCode::network_ipv6_broken, several && !unheard ? certain : likely);
  if (no_way) cause.owner = Owner::lan;
  cause.title = unheard ? phrase("Connections over IPv6 open, but TLS over them gets no answer")
                        : phrase("IPv6 is set up on this network but does not work");
  cause.fix = phrase(
      "{} Until then, every connection that first tries IPv6 is slow, and programs that do not "
      "fall back to IPv4 fail.",
      no_way    ? phrase("Give the router an IPv6 route to the Internet (it announces IPv6 on this "
                            "network, and then rejects the packets), or stop announcing it.")
      : unheard ? phrase("Look for what drops large packets or TLS over IPv6: allow ICMPv6 "
                         "\"packet too big\" (type 2) on every firewall, and announce an MTU (1280 "
                         "always fits) on this network.")
      : says_no ? phrase("Allow the same traffic over IPv6 as over IPv4 on the firewall, which "
                         "refuses it now, or stop announcing IPv6 on this network.")
                : phrase("Repair the IPv6 route to the Internet (the router announces one, but "
                         "packets do not come back), or stop announcing IPv6 on this network."));
  if (std::ranges::all_of(cause.explained, is_made_up)) {
    cause.owner = Owner::dns;
    cause.title = phrase("DNS makes up IPv6 addresses (DNS64), and nothing translates them");
    cause.fix = phrase(
        "Turn off DNS64 on this site's DNS servers. If this network is meant to reach IPv4 over "
        "IPv6, repair its NAT64 instead.");
  }
  for (const auto* result : cause.explained) tell_of_both(*result, cause);
  return {cause};
}

// One service's own: IPv6 gets out to others, and to its hosts IPv4 does.
Causes find_vendor_ipv6(const Diagnosis& context) {
  std::map<std::string, Probes> dead;  // by the vendor's domain
  for (const auto& result : context.report.probes) {
    const bool own = result.probe.with.contains("service");
    if (own && works_by_ipv4_only(result))
      dead[registrable_domain(result.probe.target.host)].push_back(&result);
  }
  const auto alive = context.probes_that(works_by_ipv6);
  const auto alive_parties = parties_of(alive);
  Causes causes;
  for (const auto& [party, results] : dead) {
    const auto works = std::ranges::find_if(alive, [&](const ProbeResult* result) {
      return registrable_domain(result->probe.target.host) != party;
    });
    if (works == alive.end()) continue;
    const bool all = !alive_parties.contains(party);  // as far as was asked
    const auto hosts = hosts_of(results);
    const bool refused = std::ranges::all_of(results, is_refused_by_ipv6);
    auto& cause = causes.emplace_back(results);
    const bool sure = all && results.size() > 1 && !context.line_loses();
    cause.name(FindingCode::network_ipv6_vendor_dead, sure ? likely : possible);
    if (refused || !all) cause.owner = Owner::vendor;
    cause.title =
        phrase("IPv6 to {} does not work, but IPv4 does", all ? Text(party) : listed(hosts));
    cause.fix = phrase(
        "{} Until then, browsers and other programs that try both lose time on each connection; "
        "programs that try only IPv6 seem to hang.",
        refused || !all
            ? phrase("Ask the operator of {} to offer the service over IPv6, or to remove the IPv6 "
                     "addresses of these names from DNS.",
                     listed(hosts))
            : phrase(
                  "Check that this site's firewall lets IPv6 to {} through. If it does, ask the "
                  "Internet provider to check the IPv6 route, and ask {} whether its IPv6 works.",
                  listed(hosts), party));
    for (const auto* result : results) tell_of_both(*result, cause);
    cause.contrast({(*works)->probe.id, phrase("{}: {}.", (*works)->probe.target.host,
                                               attempt_over(**works, "IPv6").text)});
    cause.affects = sets_of(context, context.probes_that([&](const ProbeResult& result) {
      return contains(hosts, result.probe.target.host) && context.asked_for(result);
    }));
  }
  return causes;
}

}  // namespace callready::findings
