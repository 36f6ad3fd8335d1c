// Packets of full size that vanish, and IPv6 that does not work: the path itself.
#include <algorithm>
#include <map>
#include <set>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

// TCP's and IP's headers without options (RFC 9293 section 3.1, RFC 791, RFC 8200 section 3): what
// a segment is smaller than its packet, in bytes.
constexpr int segment_headers = 40, segment_headers_by_ipv6 = 60;

// What gets stuck where full-size packets vanish: the handshake stands, and the first flight of
// more than one packet never comes.
bool gets_stuck(const ProbeResult& result) {
  const auto& detail = result.observation.detail;
  const bool stuck = detail == DetailCode::tls_timed_out || detail == DetailCode::http_timed_out;
  return stuck && is_direct(result) && result.observation.outcome == Outcome::failed;
}

// Full-size packets came through to somebody, over UDP or over a connection.
bool full_size_passes(const Facts& facts, bool udp) {
  return facts.any_probe([&](const ProbeResult& result) {
    return result.probe.check == CheckKind::path && is_udp(result) == udp &&
           result.observation.detail == DetailCode::full_size;
  });
}

// The same question to the same server, asked again, got full-size packets through.
bool passes_again(const Facts& facts, const ProbeResult& hole) {
  const auto& target = hole.probe.target;
  return facts.any_probe([&](const ProbeResult& result) {
    const auto& other = result.probe.target;
    return result.probe.check == CheckKind::path &&
           result.observation.detail == DetailCode::full_size && other.host == target.host &&
           other.port() == target.port() && other.transport == target.transport;
  });
}

// Small datagrams, too, to those who answer everybody.
bool udp_gets_lost(const Facts& facts) {
  const bool lost = std::ranges::any_of(facts.flows, [](const Flow& flow) {
    return flow.udp && flow.way == Reachability::lost && any_sample(flow, &FlowSample::responder);
  });
  return lost || facts.any_probe([](const ProbeResult& result) {
    return result.probe.check == CheckKind::path && is_udp(result) &&
           result.observation.detail == DetailCode::timed_out;
  });
}

// Certificates come in full-size packets, and those of this many others did.
bool certificates_arrive(const Facts& facts, const ProbeResult& stuck) {
  constexpr std::size_t enough = 3;
  std::set<std::string> parties;
  for (const auto& result : facts.report.probes) {
    const auto party = registrable_domain(result.probe.target.host);
    const bool other = party != registrable_domain(stuck.probe.target.host);
    if (other && is_direct(result) && !chain_of(result).empty()) parties.insert(party);
  }
  return parties.size() >= enough;
}

// So did that host's own.
bool own_certificates_arrive(const Facts& facts, const ProbeResult& stuck) {
  return !is_udp(stuck) && facts.any_probe([&](const ProbeResult& result) {
    return result.probe.target.host == stuck.probe.target.host && is_direct(result) &&
           !chain_of(result).empty();
  });
}

// One connection attempt of the `ipv6` check.
struct FamilySeen {
  Detail result;
  Text text;
};

FamilySeen family_of(const ProbeResult& result, std::string_view version) {
  for (const auto& evidence : result.observation.evidence) {
    if (evidence.kind != EvidenceKind::family || text_fact(evidence, Fact::version) != version)
      continue;
    return {detail_fact(evidence, Fact::result), evidence.text};
  }
  return {};
}

bool works_by_ipv6(const ProbeResult& result) {
  if (result.probe.check != CheckKind::ipv6) return false;
  return family_of(result, "IPv6").result == DetailCode::connected;
}

// Packets were sent by IPv6, and no connection came of it.
bool went_wrong(const Detail& result) {
  return result == DetailCode::timed_out || result == DetailCode::unreachable ||
         result == DetailCode::prohibited || result == DetailCode::ttl_exceeded ||
         result == DetailCode::connection_refused;
}

Text repair_of_ipv6(bool refused) {
  return phrase(
      "{} Until then, every connection that first tries IPv6 is slow, and programs that do not "
      "fall back to IPv4 fail.",
      refused
          ? phrase(
                "Allow the same traffic over IPv6 as over IPv4 on the firewall, which refuses it "
                "now, or stop announcing IPv6 on this network.")
          : phrase(
                "Repair the IPv6 route to the Internet (the router announces one, but packets do "
                "not come back), or stop announcing IPv6 on this network."));
}

}  // namespace

Causes find_mtu(const Diagnosis& context) {
  const auto& facts = context.facts;
  Cause cause;
  std::size_t streams = 0;
  std::set<int> passing;  // sizes in bytes
  int headers = segment_headers;
  for (const auto& result : facts.report.probes) {
    if (result.probe.check != CheckKind::path ||
        result.observation.detail != DetailCode::black_hole || passes_again(facts, result)) {
      continue;
    }
    cause.explained.push_back(&result);
    if (!is_udp(result)) ++streams;
    if (const auto& to = result.observation.address; to && to->is_v6()) {
      headers = segment_headers_by_ipv6;
    }
    const auto* evidence = evidence_of(result, EvidenceKind::path_mtu);
    if (evidence == nullptr) continue;
    if (const auto size = number_fact(*evidence, Fact::passes);
        size && *size >= 1 && *size <= 65'535) {
      passing.insert(static_cast<int>(*size));
    }
    cause.tell(phrase("{}: {}.", result.probe.target.host, evidence->text), &result);
  }
  if (cause.explained.empty()) return {};
  // One line has one limit: where servers' differ, chance may have a part in it.
  const bool differ = streams == 0 && passing.size() > 1;
  // A device that limits new flows may limit packets, too, whatever their size.
  if (streams == 0 && new_flows_are_limited(facts)) return {};
  const int passes = passing.empty() ? 0 : *passing.rbegin();
  // Where full-size packets came through elsewhere, these may have been lost by chance, on a bad
  // line; so may datagrams where small ones get lost, too.
  const auto holes = cause.explained.size();
  const auto parties = parties_of(cause.explained);
  const auto* first = cause.explained.front();
  const bool one_is_chance = full_size_passes(facts, is_udp(*first)) ||
                             (is_udp(*first) ? udp_gets_lost(facts) || facts.line_loses()
                                             : certificates_arrive(facts, *first));
  // Out by UDP, and in with the certificates.
  const bool all_are_chance = (facts.line_loses() || full_size_passes(facts, true)) &&
                              std::ranges::all_of(cause.explained, [&](const auto* result) {
                                return own_certificates_arrive(facts, *result);
                              });
  const bool small_too = streams == 0 && udp_gets_lost(facts);
  const bool alone = (holes == 1 && one_is_chance) || all_are_chance || small_too;
  append(cause.explained, facts.probes_that([&](const ProbeResult& result) {
    return !alone && gets_stuck(result) && !context.explained(result);
  }));
  // One server may drop what it does not like; two of different operators, or a connection that
  // works with small segments only and again only with these, are the path.
  const bool sure = parties.size() > 1 || streams > 1;
  auto& finding = cause.name(FindingCode::network_mtu, Owner::lan,
                             alone || differ ? Confidence::possible
                             : sure          ? Confidence::certain
                                             : Confidence::likely);
  finding.title = passes == 0 ? phrase("Large packets are lost in transit")
                              : phrase("Packets larger than {} bytes are lost in transit", passes);
  finding.fix = phrase(
      "On the firewall and the router, allow ICMP \"fragmentation needed\" (type 3, code 4; ICMPv6 "
      "\"packet too big\", type 2) in both directions");
  if (passes > headers) {
    finding.fix +=
        phrase(", and limit the TCP segment size on the line or tunnel (MSS clamping to {} bytes)",
               passes - headers);
  } else {
    finding.fix += phrase(", and limit the TCP segment size on the line or tunnel (MSS clamping)");
  }
  finding.fix +=
      phrase(". Until then, sign-in pages hang, large SIP messages are lost, and video stutters.");
  return {cause};
}

Causes find_broken_ipv6(const Diagnosis& context) {
  Cause cause;
  bool refused = true, says_no = true;
  for (const auto& result : context.facts.report.probes) {
    if (result.probe.check != CheckKind::ipv6) continue;
    const auto six = family_of(result, "IPv6"), four = family_of(result, "IPv4");
    if (works_by_ipv6(result)) return {};
    if (!went_wrong(six.result) || four.result != DetailCode::connected) continue;
    cause.explained.push_back(&result);
    refused &= six.result == DetailCode::connection_refused;
    says_no &= six.result == DetailCode::connection_refused || six.result == DetailCode::prohibited;
    cause.tell(phrase("{}: {}; {}.", result.probe.target.host, six.text, four.text), &result);
  }
  const auto parties = parties_of(cause.explained);
  // One server that refuses by IPv6 only does so by itself.
  if (cause.explained.empty() || (refused && parties.size() < 2)) return {};
  auto& finding = cause.name(FindingCode::network_ipv6_broken, Owner::network,
                             parties.size() > 1 ? Confidence::certain : Confidence::likely);
  finding.title = phrase("IPv6 is set up on this network but does not work");
  finding.fix = repair_of_ipv6(says_no);
  return {cause};
}

// One service's own: IPv6 gets out to others, and to its hosts IPv4 does.
Causes find_vendor_ipv6(const Diagnosis& context) {
  const auto& facts = context.facts;
  std::map<std::string, std::vector<const ProbeResult*>> dead;  // by the vendor's domain
  std::set<std::string> alive;                                  // domains
  for (const auto& result : facts.report.probes) {
    const auto party = registrable_domain(result.probe.target.host);
    if (works_by_ipv6(result)) alive.insert(party);
    if (result.probe.check != CheckKind::ipv6 || !result.probe.with.contains("service")) continue;
    const bool four = family_of(result, "IPv4").result == DetailCode::connected;
    if (four && went_wrong(family_of(result, "IPv6").result)) dead[party].push_back(&result);
  }
  Causes causes;
  for (const auto& [party, results] : dead) {
    const bool others = alive.size() > (alive.contains(party) ? 1u : 0u);
    if (!others) continue;
    const bool all = !alive.contains(party);  // as far as was asked
    const auto hosts = hosts_of(results);
    const bool refused = std::ranges::all_of(results, [](const auto* result) {
      return family_of(*result, "IPv6").result == DetailCode::connection_refused;
    });
    Cause cause;
    const bool sure = all && results.size() > 1 && !facts.line_loses();
    auto& finding = cause.name(FindingCode::network_ipv6_vendor_dead,
                               refused || !all ? Owner::vendor : Owner::provider,
                               sure ? Confidence::likely : Confidence::possible);
    finding.title = phrase("IPv6 to {} does not work, but IPv4 does",
                           all ? party : results.front()->probe.target.host);
    finding.fix = phrase(
        "{} Until then, browsers and other programs that try both lose a quarter of a second on "
        "each connection; programs that try only IPv6 seem to hang.",
        refused || !all
            ? phrase("Ask the operator of {} to offer the service over IPv6, or to remove the IPv6 "
                     "addresses of these names from DNS.",
                     listed(hosts))
            : phrase(
                  "Check that this site's firewall lets IPv6 to {} through. If it does, ask the "
                  "Internet provider to check the IPv6 route, and ask {} whether its IPv6 works.",
                  listed(hosts), party));
    for (const auto* result : results) {
      const auto six = family_of(*result, "IPv6"), four = family_of(*result, "IPv4");
      cause.tell(phrase("{}: {}; {}.", result->probe.target.host, six.text, four.text), result);
    }
    for (const auto& result : facts.report.probes) {
      if (!works_by_ipv6(result) || registrable_domain(result.probe.target.host) == party) continue;
      insert_second(finding.evidence, {result.probe.id, phrase("{}: {}.", result.probe.target.host,
                                                               family_of(result, "IPv6").text)});
      break;
    }
    finding.affects = sets_of(facts, facts.probes_that([&](const ProbeResult& result) {
      return contains(hosts, result.probe.target.host) && facts.asked_for(result);
    }));
    cause.explained = results;
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
