// The proxy: needed, or itself in the way.
#include <fmt/format.h>

#include <algorithm>

#include "probe/model/describe.hpp"
#include "probe/verdict/finding_rules.hpp"
#include "probe/verdict/finding_words.hpp"

namespace callready::findings {
namespace {

std::vector<const ProbeResult*> proxied_probes(const Facts& facts) {
  std::vector<const ProbeResult*> found;
  for (const auto& result : facts.report.probes) {
    if (!is_direct(result) && result.observation.outcome != Outcome::skipped) {
      found.push_back(&result);
    }
  }
  return found;
}

// The status with which the proxy turned CONNECT down; 0 where it did not.
int refusal_of(const ProbeResult& result) {
  if (result.observation.outcome != Outcome::denied) return 0;
  const auto& detail = result.observation.detail;
  const bool status = detail.size() == 3 && detail.find_first_not_of("0123456789") == detail.npos;
  return status ? std::stoi(detail) : 0;
}

// The proxy itself was not spoken to, or is none.
bool without_proxy(const ProbeResult& result) {
  const auto& detail = result.observation.detail;
  return detail == "proxy_unreachable" || detail == "proxy_unresolved" ||
         detail == "proxy_timed_out" || detail == "not_a_proxy";
}

const std::string& proxy_name(const std::vector<const ProbeResult*>& probes) {
  return probes.front()->probe.target.route.proxy;
}

}  // namespace

Causes find_proxy_unreachable(const Case& of) {
  const auto probes = proxied_probes(of.facts);
  const bool none = std::all_of(probes.begin(), probes.end(),
                                [](const ProbeResult* result) { return without_proxy(*result); });
  if (probes.empty() || !none) return {};
  Cause cause;
  cause.explained = probes;
  auto& finding = cause.finding;
  finding.code = "proxy.unreachable";
  finding.title = fmt::format("The proxy {} does not answer", proxy_name(probes));
  finding.owner = Owner::proxy;
  finding.confidence = Confidence::certain;
  finding.fix = fmt::format(
      "Check that the proxy {} runs and may be reached from this network, or correct its address "
      "in "
      "the settings of the computers.",
      proxy_name(probes));
  finding.evidence.push_back(
      {"", probes.size() == 1
               ? std::string("No connection through it came about.")
               : fmt::format("None of {} connections through it came about.", probes.size())});
  add_what_they_saw(finding.evidence, probes, 4);
  return {cause};
}

Causes find_proxy_login(const Case& of) {
  const auto& facts = of.facts;
  const auto probes = proxied_probes(facts);
  Cause cause;
  for (const auto* result : probes) {
    if (refusal_of(*result) == 407) cause.explained.push_back(result);
  }
  if (cause.explained.empty()) return {};
  const auto turned_away = cause.explained;
  if (facts.only_by_proxy()) {
    // Nothing gets out beside it: what fails directly waits for the proxy, too.
    for (const auto& result : facts.report.probes) {
      const bool lost = is_direct(result) && failing(result) && !facts.inside(result);
      if (lost) cause.explained.push_back(&result);
    }
  }
  auto& finding = cause.finding;
  finding.code = "proxy.auth_required";
  finding.title = fmt::format("The proxy {} wants a user name and a password", proxy_name(probes));
  finding.owner = Owner::proxy;
  finding.confidence = Confidence::certain;
  finding.fix = fmt::format(
      "Let the service's hosts pass the proxy without a login: {}. Calling applications, phones "
      "and "
      "room devices often cannot log in. To test with a login, set CALLREADY_PROXY_USER and "
      "CALLREADY_PROXY_PASSWORD and run again.",
      listed(hosts_of(turned_away), 8));
  add_what_they_saw(finding.evidence, turned_away);
  if (facts.only_by_proxy()) {
    finding.evidence.push_back({"", "Beside the proxy, no TCP connection gets out."});
  }
  return {cause};
}

Causes find_proxy_required(const Case& of) {
  const auto& facts = of.facts;
  if (!facts.proxy_works()) return {};
  std::set<std::string> parties;
  for (const auto& cell : facts.cells) {
    const bool out = cell.way == Way::open || cell.way == Way::left;
    if (out && !cell.udp) return {};
    if (!cell.udp) parties.insert(cell.party);
  }
  Cause cause;
  for (const auto& result : facts.report.probes) {
    const bool direct = is_direct(result) && failing(result) && !facts.inside(result);
    if (!direct) continue;
    if (result.observation.outcome == Outcome::unresolved) {
      parties.insert(party_of(result.probe.target.host));
    }
    cause.explained.push_back(&result);
  }
  // What the proxy carries needs no direct way: only a row that is not well makes it a finding.
  if (parties.size() < 2 || !of.hurts(cause.explained)) return {};
  auto& finding = cause.finding;
  finding.code = "proxy.required";
  finding.title = "Only the proxy leads out of this site";
  finding.owner = Owner::network;
  finding.confidence = Confidence::certain;
  std::vector<const ProbeResult*> through;
  for (const auto* result : proxied_probes(facts)) {
    if (came_through(*result)) through.push_back(result);
  }
  std::vector<const ProbeResult*> lost;
  for (const auto* result : cause.explained) {
    const bool carried = !is_udp(*result) && facts.proxied_reached(result->probe.target.host);
    if (!carried) lost.push_back(result);
  }
  const auto flows = flows_in_words(facts, lost.empty() ? cause.explained : lost);
  finding.fix = fmt::format(
      "Set the proxy {} in the application and in the devices. What a proxy cannot carry needs a "
      "direct way: allow from the user network, with the replies, {}.{}",
      proxy_name(through), flows, where_the_list_is(facts, cause.explained));
  finding.evidence.push_back(
      {through.front()->probe.id,
       fmt::format("{}: {}", endpoint_in_words(through.front()->probe.target),
                   outcome_in_words(through.front()->observation))});
  finding.evidence.push_back(
      {"", fmt::format("Directly, no TCP connection to any of {} operators came about.",
                       parties.size())});
  add_what_they_saw(finding.evidence, cause.explained, 4);
  return {cause};
}

Causes find_proxy_denials(const Case& of) {
  Cause cause;
  std::vector<std::uint16_t> ports;
  std::set<int> statuses;
  for (const auto* result : proxied_probes(of.facts)) {
    const int status = refusal_of(*result);
    // 502, 503 and 504 say that the proxy did not get through itself.
    if (status < 400 || status == 407 || status >= 500) continue;
    cause.explained.push_back(result);
    statuses.insert(status);
    const auto port = result->probe.target.port();
    if (std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
  }
  if (!of.matters(cause.explained)) return {};
  std::sort(ports.begin(), ports.end());
  auto& finding = cause.finding;
  finding.code = "proxy.connect_denied";
  finding.title = fmt::format("The proxy denies connections to port {}", ports_in_words(ports));
  finding.owner = Owner::proxy;
  finding.confidence = Confidence::certain;
  finding.fix = fmt::format("On the proxy {}, allow CONNECT to {}.{}", proxy_name(cause.explained),
                            flows_in_words(of.facts, cause.explained),
                            where_the_list_is(of.facts, cause.explained));
  add_what_they_saw(finding.evidence, cause.explained);
  return {cause};
}

Causes find_stripped_upgrades(const Case& of) {
  Cause cause;
  bool direct_works = false;
  for (const auto* result : proxied_probes(of.facts)) {
    // Whoever opens the TLS around it is named for that, with what becomes of WebSocket.
    const auto* root = evidence_of(*result, "chain_root");
    const bool opened = root != nullptr && flag_fact(*root, "expected") == std::optional(false);
    if (opened) continue;
    if (result->observation.detail == "no_upgrade") cause.explained.push_back(result);
  }
  if (!of.matters(cause.explained)) return {};
  const auto hosts = hosts_of(cause.explained);
  for (const auto& result : of.facts.report.probes) {
    const bool same =
        std::find(hosts.begin(), hosts.end(), result.probe.target.host) != hosts.end();
    direct_works |= same && is_direct(result) && result.probe.with.contains("upgrade") &&
                    result.observation.outcome == Outcome::answered;
  }
  auto& finding = cause.finding;
  const auto& proxy = proxy_name(cause.explained);
  finding.code = "proxy.no_websocket";
  finding.title = fmt::format("The proxy {} does not let WebSocket through", proxy);
  finding.owner = Owner::proxy;
  // Without the contrast, the server may have done without by itself.
  finding.confidence = direct_works ? Confidence::certain : Confidence::likely;
  finding.fix = fmt::format(
      "On the proxy {}, allow the WebSocket upgrade (RFC 6455) to these hosts, and exempt them "
      "from "
      "inspection: {}.",
      proxy, flows_in_words(of.facts, cause.explained));
  add_what_they_saw(finding.evidence, cause.explained);
  if (direct_works) {
    finding.evidence.push_back({"", "Without the proxy, the upgrade is accepted."});
  }
  return {cause};
}

}  // namespace callready::findings
