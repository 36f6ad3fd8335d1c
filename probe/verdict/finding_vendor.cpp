// The far end itself: it refuses, or answers that it is out of order. Silence is never this.
#include <fmt/format.h>

#include <algorithm>

#include "probe/model/describe.hpp"
#include "probe/verdict/finding_rules.hpp"
#include "probe/verdict/finding_words.hpp"

namespace callready::findings {
namespace {

// The status of a web server; 0 where none came.
int status_of(const ProbeResult& result) {
  const auto* reply = evidence_of(result, "http_reply");
  if (result.probe.check != "http" || reply == nullptr) return 0;
  return static_cast<int>(number_fact(*reply, "status").value_or(0));
}

// A server error. A 501 is about our request (RFC 9110 section 15.6.2).
bool is_server_error(const ProbeResult& result) {
  const int status = status_of(result);
  return is_direct(result) && status >= 500 && status != 501;
}

// The same over a connection whose certificate holds: nobody but the server says so.
bool is_proved_error(const ProbeResult& result) {
  const auto& seen = result.observation;
  const bool valid = seen.outcome == Outcome::answered || seen.detail == "unexpected_status" ||
                     seen.detail == "unexpected_body" || seen.detail == "no_upgrade";
  return result.probe.target.transport == Transport::tls && valid && is_server_error(result);
}

struct Refusals {
  std::vector<const ProbeResult*> probes;
  std::vector<FindingEvidence> proofs;  // that it was the far end
};

// ICMP port-unreachable carries the target's own address; a reset may be anybody's, unless it was
// seen to come from beyond the site's edge.
void read_refusal(const Case& of, const Cell& cell, Refusals& refusals) {
  for (const auto& contact : cell.contacts) {
    const auto& result = *contact.result;
    if (result.observation.outcome != Outcome::refused || of.explained(result)) continue;
    refusals.probes.push_back(&result);
    if (cell.udp) {
      refusals.proofs.push_back(
          {result.probe.id, fmt::format("{} says itself that nothing listens on UDP {} (ICMP port "
                                        "unreachable).",
                                        cell.host, cell.port)});
    } else if (cell.left) {
      refusals.proofs.push_back(
          {result.probe.id,
           fmt::format("The connection to {}, TCP {}, leaves the site and is refused "
                       "out there.",
                       cell.host, cell.port)});
    }
  }
}

std::set<std::string> proved_hosts(const Facts& facts) {
  std::set<std::string> hosts;
  for (const auto& result : facts.report.probes) {
    if (is_proved_error(result)) hosts.insert(result.probe.target.host);
  }
  return hosts;
}

bool asked_by(const Facts& facts, const SetResult& set, const ProbeResult& result) {
  const auto rows = facts.rows_of(result.probe.id);
  return std::any_of(rows.begin(), rows.end(), [&](const std::string& row) {
    return row.substr(0, row.find('/')) == set.id;
  });
}

}  // namespace

Causes find_vendor_down(const Case& of) {
  const auto& facts = of.facts;
  Refusals all;
  for (const auto& cell : facts.cells) read_refusal(of, cell, all);
  for (const auto& result : facts.report.probes) {
    // Over plain HTTP anybody on the way may say so: only with the server's own word beside it.
    if (!is_server_error(result) || !proved_hosts(facts).contains(result.probe.target.host))
      continue;
    all.probes.push_back(&result);
    if (!is_proved_error(result)) continue;
    all.proofs.push_back(
        {result.probe.id, fmt::format("{}: HTTP {} over a connection with a valid certificate.",
                                      endpoint_in_words(result.probe.target), status_of(result))});
  }
  Causes causes;
  std::set<std::string> told;
  for (const auto& set : facts.report.sets) {
    Cause cause;
    for (const auto* result : all.probes) {
      if (asked_by(facts, set, *result) && !told.contains(result->probe.id)) {
        cause.explained.push_back(result);
      }
    }
    const auto& own = cause.explained;
    const bool out_of_order = std::any_of(
        own.begin(), own.end(), [](const ProbeResult* result) { return is_server_error(*result); });
    // Where nothing is lost, the others carry on, or the vendor does not offer it.
    if (own.empty() || (!out_of_order && !of.hurts(own))) continue;
    auto& finding = cause.finding;
    const auto own_hosts = hosts_of(own);
    for (const auto& proof : all.proofs) {
      const auto* result = facts.find(proof.probe);
      const auto& host = result->probe.target.host;
      if (std::find(own_hosts.begin(), own_hosts.end(), host) != own_hosts.end()) {
        finding.evidence.push_back(proof);
      }
    }
    const bool proved = !finding.evidence.empty();
    const auto hosts = listed(own_hosts);
    finding.code = "vendor.down";
    finding.title = fmt::format("{}: {}",
                                out_of_order ? "The service answers that it is out of order"
                                             : "The far end refuses connections",
                                hosts);
    finding.owner = Owner::vendor;
    finding.confidence = out_of_order ? Confidence::certain
                         : proved     ? Confidence::likely
                                      : Confidence::possible;
    finding.fix = fmt::format(
        "{} Look at the vendor's status page, and report to the vendor that {}: {}.",
        proved
            ? "Nothing is to be changed on the network."
            : "If the service works from another line, look in the firewall's log for resets that "
              "it sends itself.",
        out_of_order ? "these answer with a server error" : "these connections are refused",
        flows_in_words(facts, own));
    add_what_they_saw(finding.evidence, own, 6);
    for (const auto* result : own) told.insert(result->probe.id);
    causes.push_back(std::move(cause));
  }
  return causes;
}

}  // namespace callready::findings
