// Reports of invented sites, in a few words, for tests of findings by table.
//
//   report({row("sip", {sip("sip.vendor.com", 5060, silent), sip_tls("sip.vendor.com")}),
//           controls({tls("www.google.com"), stun("stun.l.google.com", 19302)})})
//
// Hosts get public addresses, one network to each registered domain. A row passes where all its
// probes reached their endpoint; one capability, "calls", needs all rows.
#pragma once

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/facts.hpp"
#include "probe/model/report.hpp"
#include "tests/support/said.hpp"

namespace callready::test {

struct Row {
  std::string id;
  std::vector<ProbeResult> probes;
  Severity severity = Severity::required;
  bool control = false;
  bool in_capability = true;
};

inline Row row(std::string id, std::vector<ProbeResult> probes) {
  return {std::move(id), std::move(probes)};
}
// A row that no capability needs: a fallback, or a note.
inline Row spare(std::string id, std::vector<ProbeResult> probes) {
  return {std::move(id), std::move(probes), Severity::optional, false, false};
}
inline Row recommended(std::string id, std::vector<ProbeResult> probes) {
  return {std::move(id), std::move(probes), Severity::recommended, false, false};
}
inline Row controls(std::vector<ProbeResult> probes) {
  return {"", std::move(probes), Severity::optional, true, false};
}
// What a second round asked for: not part of any row.
inline Row follow_up(std::vector<ProbeResult> probes) { return controls(std::move(probes)); }

// FNV-1a: the same on every machine.
inline std::uint32_t mixed(const std::string& text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return hash;
}

inline IpAddress address_of(const std::string& host) {
  if (const auto literal = IpAddress::parse(host)) return *literal;
  const auto party = mixed(findings::registrable_domain(host));
  return IpAddress::v4({20, static_cast<std::uint8_t>(party >> 8), static_cast<std::uint8_t>(party),
                        static_cast<std::uint8_t>(mixed(host) % 250 + 1)});
}

inline WallTime noon() { return WallTime(std::chrono::seconds(1795176000)); }  // 2026-11-20

inline ProbeResult probe(CheckNamed check, Transport transport, std::string host,
                         std::uint16_t port, Outcome outcome, Said detail = {}) {
  ProbeResult result;
  result.probe.check = check;
  result.probe.target.host = std::move(host);
  result.probe.target.ports = {port, port};
  result.probe.target.transport = transport;
  auto& seen = result.observation;
  seen.outcome = outcome;
  seen.detail = detail;
  seen.sent_at = noon();
  const bool tried = outcome != Outcome::unresolved && outcome != Outcome::skipped;
  if (tried) seen.address = address_of(result.probe.target.host);
  if (transport != Transport::udp && (outcome == Outcome::failed || reached(outcome))) {
    seen.timing_ms[Timing::connect] = 20;
  }
  return result;
}

using enum Outcome;

inline ProbeResult tcp(std::string host, std::uint16_t port, Outcome outcome = connected) {
  return probe(CheckKind::tcp, Transport::tcp, std::move(host), port, outcome);
}
inline ProbeResult stun(std::string host, std::uint16_t port = 3478, Outcome outcome = answered) {
  return probe(CheckKind::stun, Transport::udp, std::move(host), port, outcome);
}
inline ProbeResult turn(std::string host, Outcome outcome = answered, Said detail = "401") {
  return probe(CheckKind::turn, Transport::udp, std::move(host), 3478, outcome, detail);
}
inline ProbeResult turn_tls(std::string host, Outcome outcome = answered) {
  return probe(CheckKind::turn, Transport::tls, std::move(host), 443, outcome, "401");
}
inline ProbeResult turn_tcp(std::string host, Outcome outcome = answered) {
  return probe(CheckKind::turn, Transport::tcp, std::move(host), 80, outcome, "401");
}
inline ProbeResult sip(std::string host, std::uint16_t port = 5060, Outcome outcome = answered,
                       Said detail = "200") {
  return probe(CheckKind::sip, Transport::udp, std::move(host), port, outcome, detail);
}
inline ProbeResult sip_tcp(std::string host, std::uint16_t port = 5060, Outcome outcome = answered,
                           Said detail = "200") {
  return probe(CheckKind::sip, Transport::tcp, std::move(host), port, outcome, detail);
}
inline ProbeResult ntp(std::string host, Outcome outcome = answered, double offset_ms = 3) {
  auto result =
      probe(CheckKind::ntp, Transport::udp, std::move(host), 123, outcome, "synchronised");
  if (outcome == answered) {
    result.observation.evidence.push_back(
        {EvidenceKind::clock_offset,
         fmt::format("this machine's clock is off by {:.0f} ms", offset_ms),
         {{Fact::offset_ms, offset_ms}, {Fact::exact, true}}});
  }
  return result;
}

inline Evidence certificate(int position, std::string subject, std::string issuer,
                            std::string from = "2026-01-01T00:00:00Z",
                            std::string until = "2027-01-01T00:00:00Z") {
  Evidence evidence;
  evidence.kind = EvidenceKind::certificate;
  evidence.text = fmt::format("{}, issued by {}, valid until {}", subject, issuer, until);
  evidence.facts = {{Fact::position, std::int64_t{position}},
                    {Fact::sha256, "hash of " + subject},
                    {Fact::subject, std::move(subject)},
                    {Fact::issuer, std::move(issuer)},
                    {Fact::not_before, std::move(from)},
                    {Fact::not_after, std::move(until)},
                    {Fact::self_signed, false}};
  return evidence;
}

inline const std::string public_ca = "CN=R11,O=Let's Encrypt,C=US";

// A handshake that ended: `detail` is "trusted" or the fault.
inline ProbeResult tls(std::string host, Outcome outcome = answered, Said detail = "trusted",
                       std::string issuer = public_ca, std::uint16_t port = 443) {
  auto result = probe(CheckKind::tls, Transport::tls, host, port, outcome, detail);
  const bool handshake = outcome == answered ||
                         (outcome == failed && detail.text().find('_') == std::string::npos) ||
                         detail == DetailCode::wrong_name || detail == DetailCode::not_yet_valid ||
                         detail == DetailCode::incomplete_chain;
  if (handshake) result.observation.evidence.push_back(certificate(0, "CN=" + host, issuer));
  return result;
}
inline ProbeResult with_root(ProbeResult result, bool expected) {
  result.observation.evidence.push_back(
      {EvidenceKind::chain_root, "", {{Fact::expected, expected}}});
  return result;
}
inline ProbeResult sip_tls(std::string host, Outcome outcome = answered, Said detail = "200") {
  auto result = tls(std::move(host), outcome, detail, public_ca, 5061);
  result.probe.check = CheckKind::sip;
  return result;
}

struct Port {
  std::uint16_t number;
  std::string result;  // as udp_range.cpp says it
  std::string by = {};
};

// A media range with the results of its sampled ports.
inline ProbeResult range(std::string host, std::vector<Port> ports,
                         PortRange whole = {10000, 20000}) {
  auto result =
      probe(CheckKind::udp_range, Transport::udp, std::move(host), whole.first, silent, "silent");
  result.probe.target.ports = whole;
  const auto count = [&](std::string_view word) {
    return std::count_if(ports.begin(), ports.end(),
                         [&](const Port& port) { return port.result == word; });
  };
  auto& seen = result.observation;
  const auto all = static_cast<std::ptrdiff_t>(ports.size());
  const auto dropped = count("dropped"), prohibited = count("prohibited");
  const auto kept_here = count("kept_here");
  if (kept_here > 0) {
    seen.outcome = rejected;
    seen.detail = kept_here == all ? DetailCode::kept_here : DetailCode::partly_kept_here;
  } else if (prohibited > 0) {
    seen.outcome = rejected;
    seen.detail = prohibited == all ? DetailCode::prohibited : DetailCode::partly_prohibited;
  } else if (dropped > 0) {
    seen.detail = dropped == all ? DetailCode::dropped : DetailCode::partly_dropped;
  } else if (count("silent") < all) {
    seen.outcome = passed;
    seen.detail = DetailCode::left_site;
  }
  for (const auto& port : ports) {
    result.probe.target.sample.push_back(port.number);
    Evidence evidence;
    evidence.kind = EvidenceKind::udp_port;
    evidence.text = fmt::format("UDP {}: {}", port.number, port.result);
    evidence.facts = {{Fact::port, std::int64_t{port.number}}, {Fact::result, port.result}};
    if (!port.by.empty()) evidence.facts[Fact::by] = port.by;
    seen.evidence.push_back(std::move(evidence));
  }
  return result;
}
inline std::vector<Port> all_ports(std::string result, std::string by = {}) {
  std::vector<Port> ports;
  for (const int port : {10000, 12000, 14000, 16000, 18000, 20000}) {
    ports.push_back({static_cast<std::uint16_t>(port), result, by});
  }
  return ports;
}
// What the second round learns of one port: "left_site", "dropped", "refused_on_the_way",
// "prohibited" or "silent".
inline ProbeResult hop(Transport transport, std::string host, std::uint16_t port,
                       const std::string& result) {
  const bool quiet = result == "dropped" || result == "silent";
  const auto outcome = result == "left_site" ? passed : quiet ? silent : rejected;
  auto found = probe(CheckKind::hop, transport, std::move(host), port, outcome, result);
  found.observation.timing_ms.clear();
  if (result == "dropped") found.observation.attempts = 2;
  found.observation.evidence.push_back(
      {EvidenceKind::hop, "the packet: " + result, {{Fact::result, result}}});
  return found;
}
inline ProbeResult udp_hop(std::string host, std::uint16_t port, const std::string& result,
                           std::string payload = "rtp") {
  auto found = hop(Transport::udp, std::move(host), port, result);
  found.probe.with["payload"] = std::move(payload);
  return found;
}
inline ProbeResult tcp_hop(std::string host, std::uint16_t port, const std::string& result) {
  return hop(Transport::tcp, std::move(host), port, result);
}

inline ProbeResult rejected_by(ProbeResult result, std::string device) {
  result.observation.outcome = rejected;
  result.observation.detail = DetailCode::prohibited;
  result.observation.evidence.push_back({EvidenceKind::icmp_error,
                                         device + " answered: administratively prohibited",
                                         {{Fact::sender, device}}});
  return result;
}
inline ProbeResult proxied(ProbeResult result, Outcome outcome = answered,
                           Said detail = "trusted") {
  result.probe.target.route.proxy = "http://10.20.0.3:3128";
  result.observation.outcome = outcome;
  result.observation.detail = detail;
  result.observation.address.reset();
  // A connection that the proxy itself ends has not reached any server.
  if (!reached(outcome) && outcome != failed) result.observation.evidence.clear();
  return result;
}
inline ProbeResult resolved_in(ProbeResult result, double milliseconds) {
  result.observation.timing_ms[Timing::dns] = milliseconds;
  return result;
}
inline ProbeResult at(ProbeResult result, std::string_view address) {
  result.observation.address = IpAddress::parse(address);
  return result;
}
inline ProbeResult with(ProbeResult result, Evidence evidence) {
  result.observation.evidence.push_back(std::move(evidence));
  return result;
}

inline const std::string lan_resolver = "10.20.0.1";

// A question for a name's address: to the site's resolvers, or to the one with this address.
inline ProbeResult question(std::string name, std::string rcode, std::string server = {},
                            FactMap facts = {}) {
  auto result = probe(CheckKind::dns, Transport::udp, server.empty() ? name : server,
                      server.empty() ? std::uint16_t{0} : std::uint16_t{53}, answered);
  if (!server.empty()) result.probe.with = {{"server", "true"}, {"name", name}};
  const auto from = (server.empty() ? lan_resolver : server) + ":53";
  facts[Fact::server] = from;
  facts[Fact::rcode] = rcode;
  const bool records = rcode == "NOERROR" && !facts.contains(Fact::count);
  facts.try_emplace(Fact::count, std::int64_t{records ? 1 : 0});
  if (!records) result.observation.outcome = unresolved;
  result.observation.evidence.push_back({EvidenceKind::dns_answer,
                                         fmt::format("{} answered {} for {}", from, rcode, name),
                                         std::move(facts)});
  return result;
}

// The same, to a host that is not a DNS server: a device on the way answers.
inline ProbeResult asked_of_nobody(const std::string& name, const std::string& host) {
  auto result = question(name, "NXDOMAIN", host);
  result.probe.with[std::string("nobody")] = "true";
  return result;
}

inline Status status_of(const Row& row) {
  auto status = Status::pass;
  for (const auto& result : row.probes) {
    if (reached(result.observation.outcome)) continue;
    const auto& probe = result.probe;
    const bool undecided =
        result.observation.outcome == skipped ||
        (result.observation.outcome == silent &&
         (result.observation.detail == DetailCode::silent ||
          (probe.check == CheckKind::sip && probe.target.transport == Transport::udp)));
    if (!undecided) return Status::fail;
    status = Status::unknown;
  }
  return status;
}

inline Report report(std::vector<Row> rows) {
  Report report;
  report.site.resolvers = {lan_resolver};
  report.site.interfaces = {{"eth0", {IpAddress::v4({10, 20, 0, 23})}, true}};
  SetResult set;
  set.id = "vendor";
  set.title = "Vendor";
  CapabilityResult calls;
  calls.id = "calls";
  calls.title = "Calls";
  calls.verdict = Verdict::ready;
  for (auto& row : rows) {
    RequirementResult requirement;
    requirement.id = requirement.title = row.id;
    requirement.severity = row.severity;
    requirement.status = status_of(row);
    for (auto& result : row.probes) {
      if (row.control) result.probe.purpose = likely_purpose(result.probe);
      result.probe.id = probe_id(result.probe);
      requirement.probes.push_back(result.probe.id);
      report.probes.push_back(std::move(result));
    }
    if (row.control) continue;
    if (row.in_capability) {
      calls.requirements.push_back(row.id);
      if (requirement.status == Status::fail) calls.verdict = Verdict::blocked;
      const bool open = calls.verdict == Verdict::ready && requirement.status == Status::unknown;
      if (open) calls.verdict = Verdict::unknown;
    }
    set.requirements.push_back(std::move(requirement));
  }
  set.verdict = calls.verdict;
  set.capabilities.push_back(std::move(calls));
  report.sets.push_back(std::move(set));
  return report;
}

}  // namespace callready::test
