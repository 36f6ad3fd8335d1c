// SIP: a device that rewrites it, and servers that answer with an error of their own.
#include <fmt/format.h>

#include <algorithm>

#include "probe/model/describe.hpp"
#include "probe/verdict/finding_rules.hpp"
#include "probe/verdict/finding_words.hpp"

namespace callready::findings {
namespace {

struct Suspicion {
  const ProbeResult* result;
  const Evidence* evidence;
  bool certain;
};

// The sets that a probe was made for.
std::vector<FindingAffects> sets_of(const Facts& facts,
                                    const std::vector<const ProbeResult*>& probes) {
  std::vector<FindingAffects> sets;
  for (const auto* result : probes) {
    for (const auto& row : facts.rows_of(result->probe.id)) {
      const auto set = row.substr(0, row.find('/'));
      const bool known = std::any_of(sets.begin(), sets.end(),
                                     [&](const FindingAffects& other) { return other.set == set; });
      if (!known) sets.push_back({set, {}});
    }
  }
  return sets;
}

// 501 and 505 are about our OPTIONS, not about the server's health (RFC 3261 section 21.5).
bool is_server_error(const Observation& seen) {
  return seen.outcome == Outcome::answered && seen.detail.size() == 3 && seen.detail[0] == '5' &&
         seen.detail != "501" && seen.detail != "505";
}

// A server that is silent on 5060, which an ALG reads, and answers on a port that none knows.
Causes find_swallowed_sip(const Case& of) {
  Cause cause;
  auto& finding = cause.finding;
  for (const auto& cell : of.facts.cells) {
    if (!cell.udp || cell.port != 5060 || cell.way == Way::open) continue;
    const auto other =
        std::find_if(of.facts.cells.begin(), of.facts.cells.end(), [&](const Cell& its) {
          return its.udp && its.host == cell.host && its.port == 5080 && its.way == Way::open;
        });
    const auto probes = of.open_probes(cell);
    if (other == of.facts.cells.end() || !of.matters(probes)) continue;
    finding.evidence.push_back(what_it_saw(*probes.front()));
    finding.evidence.push_back(what_it_saw(*other->contacts.front().result));
    cause.explained.insert(cause.explained.end(), probes.begin(), probes.end());
  }
  if (cause.explained.empty()) return {};
  finding.code = "sip.alg";
  finding.title = "Something on the way swallows SIP on its usual port (SIP ALG or inspection)";
  finding.owner = Owner::network;
  finding.confidence = Confidence::possible;
  finding.fix = fmt::format(
      "Switch off the SIP ALG (also called SIP helper or SIP inspection) on the router and the "
      "firewall, and allow, with the replies: {}. If that changes nothing, ask whoever runs the "
      "server whether it answers OPTIONS there.",
      flows_in_words(of.facts, cause.explained));
  return {cause};
}

}  // namespace

Causes find_sip_alg(const Case& of) {
  std::vector<Suspicion> seen;
  for (const auto& result : of.facts.report.probes) {
    if (of.facts.inside(result)) continue;
    if (result.probe.check == "sip-alg") {
      const auto* evidence = evidence_of(result, "sip_alg");
      const auto& detail = result.observation.detail;
      if (evidence != nullptr && detail == "rewritten") seen.push_back({&result, evidence, true});
      if (evidence != nullptr && detail == "suspected") seen.push_back({&result, evidence, false});
    } else if (result.probe.check == "sip" && is_direct(result)) {
      const auto* via = evidence_of(result, "sip_via");
      // Over TLS nobody on the way can: a rewriting server would be the far end's own.
      const bool readable = result.probe.target.transport != Transport::tls;
      if (via != nullptr && readable && flag_fact(*via, "rewritten").value_or(false)) {
        seen.push_back({&result, via, true});
      }
    }
  }
  if (seen.empty()) return find_swallowed_sip(of);
  std::stable_sort(seen.begin(), seen.end(),
                   [](const Suspicion& a, const Suspicion& b) { return a.certain > b.certain; });
  Cause cause;
  auto& finding = cause.finding;
  finding.code = "sip.alg";
  finding.title = "A device on the way rewrites SIP messages (SIP ALG)";
  finding.owner = Owner::network;
  finding.confidence = seen.front().certain ? Confidence::certain : Confidence::likely;
  finding.fix =
      "Switch off the SIP ALG (also called SIP helper, SIP inspection, SIP transformations or SIP "
      "session helper) on the router and the firewall, and restart the phones. Until then, SIP "
      "over "
      "TLS is not touched.";
  std::vector<const ProbeResult*> probes;
  for (const auto& one : seen) {
    finding.evidence.push_back({one.result->probe.id, one.evidence->text});
    probes.push_back(one.result);
  }
  for (const auto* result : probes) {
    for (const auto& evidence : result->observation.evidence) {
      const bool changed = flag_fact(evidence, "via_changed").value_or(false);
      if (evidence.kind == "sip_alg_message" && changed) {
        finding.evidence.push_back({result->probe.id, evidence.text});
      }
    }
  }
  finding.affects = sets_of(of.facts, probes);
  cause.explained = probes;
  return {cause};
}

Causes find_sip_errors(const Case& of) {
  // One service's servers that say the same are one cause.
  std::map<std::string, std::vector<const ProbeResult*>> by_service;
  for (const auto& result : of.facts.report.probes) {
    if (result.probe.check != "sip" || !is_server_error(result.observation)) continue;
    const auto rows = of.facts.rows_of(result.probe.id);
    if (rows.empty()) continue;
    const auto set = rows.front().substr(0, rows.front().find('/'));
    by_service[set + ' ' + result.observation.detail].push_back(&result);
  }
  Causes causes;
  for (const auto& [service, probes] : by_service) {
    Cause cause;
    cause.explained = probes;
    auto& finding = cause.finding;
    const auto hosts = listed(hosts_of(probes));
    const auto& status = probes.front()->observation.detail;
    finding.code = "sip.server_error";
    finding.title = fmt::format("SIP is answered with an error ({}) by {}", status, hosts);
    finding.owner = Owner::vendor;
    // Over TLS with a certificate that holds, it is the server who says so.
    const bool proved = std::any_of(probes.begin(), probes.end(), [](const ProbeResult* result) {
      return result->probe.target.transport == Transport::tls;
    });
    finding.confidence = proved ? Confidence::certain : Confidence::likely;
    finding.fix = fmt::format(
        "The way there is open; nothing is to be changed on the network. Tell whoever runs {} that "
        "SIP is answered with {}, at {}.",
        hosts, status, endpoint_in_words(probes.front()->probe.target));
    for (const auto* result : probes) {
      const auto* reply = evidence_of(*result, "sip_reply");
      finding.evidence.push_back(
          {result->probe.id,
           fmt::format("{}: {}", endpoint_in_words(result->probe.target),
                       reply == nullptr ? outcome_in_words(result->observation) : reply->text)});
    }
    finding.affects = sets_of(of.facts, probes);
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
