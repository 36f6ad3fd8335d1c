#include "reports/words/path_flows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "probe/model/describe.hpp"
#include "probe/util/text.hpp"
#include "reports/words/phrases.hpp"

namespace callready {
namespace {

bool proxy_refused(const Observation& seen) {
  switch (seen.detail.code()) {
    case DetailCode::not_a_proxy:
    case DetailCode::proxy_timed_out:
    case DetailCode::proxy_unreachable:
    case DetailCode::proxy_unresolved:
    case DetailCode::proxy_without_tls:
      return true;
    default:
      break;
  }
  const auto reply =
      std::find_if(seen.evidence.rbegin(), seen.evidence.rend(),
                   [](const auto& one) { return one.kind == EvidenceKind::proxy_reply; });
  if (reply == seen.evidence.rend()) return false;
  const auto status = number_fact(*reply, Fact::status);
  return status && (*status < 200 || *status > 299);
}

class Tracer {
 public:
  explicit Tracer(const Report& report) : report_(report) {
    for (const auto& interface : report.site.interfaces) {
      for (const auto& address : interface.addresses) own_.insert(address);
    }
    public_.insert(report.site.public_addresses.begin(), report.site.public_addresses.end());
    for (std::size_t i = 0; i < report.findings.size(); ++i) {
      const auto& finding = report.findings[i];
      const bool in_between = finding.code == FindingCode::tls_intercepted ||
                              finding.code == FindingCode::network_captive_portal;
      portal_ = portal_ || finding.code == FindingCode::network_captive_portal;
      for (const auto& evidence : finding.evidence) {
        if (evidence.probe.empty()) continue;
        named_[evidence.probe].insert(i + 1);
        if (in_between) opened_.insert(evidence.probe);
        if (finding.code == FindingCode::sip_alg) rewritten_.insert(evidence.probe);
      }
    }
  }

  // A finding that explains a row also explains its probes that did not get through.
  void explain(const std::string& probe, std::size_t finding) { named_[probe].insert(finding); }

  const std::set<std::size_t>* findings_of(const std::string& probe) const {
    const auto found = named_.find(probe);
    return found == named_.end() ? nullptr : &found->second;
  }

  // Where the probe stopped, port by port if it tried several. Empty: it was not tried.
  std::vector<Stop> stops_of(const ProbeResult& result) const {
    std::vector<Stop> stops;
    const auto tried = ports_tried(result.probe.target, result.observation);
    if (tried && tried->sample.empty() && tried->relays.empty()) return stops;
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::udp_port || !was_tried(evidence)) continue;
      const auto stop = stop_of_port(evidence, result.observation);
      if (stop) stops.push_back(*stop);
    }
    if (stops.empty() && result.observation.outcome != Outcome::skipped) {
      stops.push_back(stop_of_probe(result));
    }
    return stops;
  }

  // A refusing device belongs to the site if its address can only be used inside a site.
  Place place_of(const std::string& device, const Observation& seen) const {
    const auto address = IpAddress::parse(device);
    if (!address) return Place::unknown;
    if (own_.contains(*address)) return Place::computer;
    if (seen.address && *seen.address == *address) return Place::vendor;
    const bool ours = public_.contains(*address);
    const bool inside = address->is_private() || address->is_link_local();
    return ours || inside ? Place::router : Place::provider;
  }

 private:
  std::optional<Stop> stop_of_port(const Evidence& port, const Observation& seen) const {
    const auto result = detail_fact(port, Fact::result);
    const auto by = text_fact(port, Fact::by);
    if (result == DetailCode::replied) return Stop{Place::vendor, Mark::good, say("answered")};
    if (result == DetailCode::arrived) {
      // As confirmed by a relay or an echo service there, which sends something back.
      const auto inbound = flag_fact(port, Fact::inbound);
      if (inbound && !*inbound) {
        return Stop{Place::unknown, Mark::bad, say("arrives, but the reply does not come back")};
      }
      if (flag_fact(port, Fact::outbound)) return Stop{Place::vendor, Mark::good, say("arrives")};
      return Stop{Place::vendor, Mark::good, say("arrives; nothing is listening there now")};
    }
    if (result == DetailCode::left_site)
      return Stop{Place::provider, Mark::good, say("leaves the site")};
    if (result == DetailCode::prohibited) {
      // Empty if the refusal came in the server's name.
      return Stop{place_of(by, seen), Mark::bad,
                  by.empty() ? say("blocked on the way") : say("blocked on the way by {}", by)};
    }
    if (result == DetailCode::kept_here) {
      return Stop{Place::computer, Mark::bad, say("this computer's own firewall blocks it")};
    }
    if (result == DetailCode::dropped) return dropped();
    if (result == DetailCode::silent) return Stop{Place::unknown, Mark::unknown, say("no answer")};
    return std::nullopt;
  }

  Stop stop_of_probe(const ProbeResult& result) const {
    const auto& seen = result.observation;
    const bool proxied = !result.probe.target.route.direct();
    const auto words = outcome_in_words(seen).string();
    if (opened_.contains(result.probe.id)) {
      return {Place::unknown, Mark::bad, say("answered by a device in the path")};
    }
    if (proxied && !reached(seen.outcome) && proxy_refused(seen)) {
      return {Place::proxy, Mark::bad, words};
    }
    // The drawing must not show as undecided what the words call certain.
    if (!proxied && !reached(seen.outcome)) {
      if (portal_) return {Place::router, Mark::bad, say("stopped by the sign-in page")};
      const bool by_anybody = seen.outcome == Outcome::refused && refuser_is_unknown(seen);
      if (seen.outcome == Outcome::silent || by_anybody) {
        const auto how = shut_by_firewall(result);
        if (how) {
          const bool certain = *how == Confidence::certain;
          return {Place::router, Mark::bad,
                  certain ? say("stopped by the firewall") : say("likely stopped by the firewall")};
        }
        if (seen.detail == DetailCode::dropped) return dropped();
      }
    }
    switch (seen.outcome) {
      case Outcome::answered:
      case Outcome::connected:
        if (rewritten_.contains(result.probe.id)) {
          return {Place::vendor, Mark::warning, say("answered, but changed on the way")};
        }
        return {Place::vendor, Mark::good, say("answered")};
      case Outcome::passed:
        return {Place::provider, Mark::good, say("leaves the site")};
      case Outcome::refused:
      case Outcome::denied:
        return {Place::vendor, Mark::bad, words};
      case Outcome::failed:
        return {said_by_the_server(seen) ? Place::vendor : Place::unknown, Mark::bad, words};
      case Outcome::rejected:
        if (seen.detail == DetailCode::kept_here) return {Place::computer, Mark::bad, words};
        return {place_of(refusing_device(seen), seen), Mark::bad, words};
      case Outcome::unresolved:
        return {Place::computer, Mark::bad, words};
      case Outcome::silent:
      case Outcome::skipped:
        break;
    }
    return {Place::unknown, Mark::unknown, words};
  }

  // How sure it is that this site's firewall is the cause, if it is at least likely.
  std::optional<Confidence> shut_by_firewall(const ProbeResult& result) const {
    const auto* numbers = findings_of(result.probe.id);
    if (numbers == nullptr) return std::nullopt;
    std::optional<Confidence> doubt;
    for (const auto number : *numbers) {
      const auto& finding = report_.findings[number - 1];
      const bool shut = finding.code == FindingCode::proxy_required ||
                        (family_of(finding.code) == "firewall" && finding.owner == Owner::network);
      if (!shut) continue;
      if (finding.confidence == Confidence::certain) return Confidence::certain;
      if (finding.confidence == Confidence::likely) doubt = Confidence::likely;
    }
    return doubt;
  }

  static Stop dropped() { return {Place::router, Mark::bad, say("dropped before the provider")}; }
  const Report& report_;
  bool portal_ = false;  // true: nothing gets past the sign-in page
  std::set<IpAddress> own_, public_;
  std::map<std::string, std::set<std::size_t>> named_;  // probe id -> numbers of findings
  // Probes that, according to findings, a device on the path answered, or whose SIP it changed.
  std::set<std::string> opened_, rewritten_;
};

std::string label_of(const Target& target) {
  const auto label = fmt::format("{} {}", in_capitals(target.transport), target.ports.to_string());
  return target.route.direct() ? label : say("{} through the proxy", label);
}

// DNS queries do not go to the vendor, and a check without an endpoint goes nowhere.
bool on_the_path(const Probe& probe) {
  return probe.check != CheckKind::dns && !probe.target.host.empty() && probe.target.port() != 0;
}

int badness(Mark mark) {
  if (mark == Mark::bad) return 2;
  return mark == Mark::good ? 0 : 1;
}

int badness(const Flow& flow) {
  int worst = 0;
  for (const auto& stop : flow.stops) worst = std::max(worst, badness(stop.mark));
  return worst;
}

FlowGroup group_of(std::string title, const Probes& results, const Tracer& tracer) {
  FlowGroup group{std::move(title), {}};
  auto& flows = group.flows;
  // Their indices in their lists.
  std::map<std::tuple<Transport, PortRange, bool>, std::size_t> known_flows;
  std::map<std::tuple<std::size_t, Place, Mark, std::string>, std::size_t> known_stops;
  for (const auto* result : results) {
    const auto& target = result->probe.target;
    const bool direct = target.route.direct();
    const auto [at, new_flow] =
        known_flows.try_emplace({target.transport, target.ports, direct}, flows.size());
    if (new_flow) flows.push_back({label_of(target), !direct, {}, {}});
    auto& flow = flows[at->second];
    const auto stops = tracer.stops_of(*result);
    for (const auto& stop : stops) {
      const auto [known, new_stop] = known_stops.try_emplace(
          {at->second, stop.place, stop.mark, stop.words}, flow.stops.size());
      if (new_stop) {
        flow.stops.push_back(stop);
      } else {
        ++flow.stops[known->second].count;
      }
    }
    const bool good = std::all_of(stops.begin(), stops.end(),
                                  [](const Stop& stop) { return stop.mark == Mark::good; });
    if (reached(result->observation.outcome) && good) continue;
    if (const auto* numbers = tracer.findings_of(result->probe.id)) {
      for (const auto number : *numbers) add_once(flow.findings, number);
    }
  }
  std::erase_if(flows, [](const Flow& flow) { return flow.stops.empty(); });
  for (auto& flow : flows) {
    std::sort(flow.findings.begin(), flow.findings.end());
    std::stable_sort(flow.stops.begin(), flow.stops.end(), [](const Stop& a, const Stop& b) {
      return a.place != b.place ? a.place < b.place : badness(a.mark) > badness(b.mark);
    });
  }
  std::stable_sort(flows.begin(), flows.end(),
                   [](const Flow& a, const Flow& b) { return badness(a) > badness(b); });
  return group;
}

// Distinct addresses; the drawing has room for two.
std::string some_of(const std::vector<std::string>& addresses) {
  std::vector<std::string> distinct;
  for (const auto& address : addresses) {
    if (!address.empty()) add_once(distinct, address);
    if (distinct.size() > 2) break;
  }
  const bool more = distinct.size() > 2;
  if (more) distinct.resize(2);
  return joined(distinct) + (more ? ", ..." : "");
}

}  // namespace

bool said_by_the_server(const Observation& seen) {
  using enum DetailCode;
  constexpr DetailCode own[] = {expired,   not_yet_valid, wrong_name, incomplete_chain,
                                kiss_deny, kiss_rstr,     kiss_rate,  not_synchronised};
  return seen.detail.is_status() ||
         std::find(std::begin(own), std::end(own), seen.detail) != std::end(own);
}

Path path_of(const Report& report) {
  Tracer tracer(report);
  Path path;
  std::map<std::string, const ProbeResult*> by_id;
  std::vector<std::string> routers, providers;
  Probes controls;
  for (const auto& result : report.probes) {
    if (!on_the_path(result.probe)) continue;
    by_id.emplace(result.probe.id, &result);
    if (result.probe.control()) controls.push_back(&result);
    path.has_proxy = path.has_proxy || !result.probe.target.route.direct();
    const auto& seen = result.observation;
    for (const auto& evidence : seen.evidence) {
      const bool left = detail_fact(evidence, Fact::result) == DetailCode::left_site;
      if (left) providers.push_back(text_fact(evidence, Fact::by));
    }
    const auto device = refusing_device(seen);
    if (seen.outcome != Outcome::rejected || device.empty()) continue;
    const auto place = tracer.place_of(device, seen);
    if (place == Place::router) routers.push_back(device);
    if (place == Place::provider) providers.push_back(device);
  }
  for (const auto& interface : report.site.interfaces) {
    if (interface.default_route && path.computer.empty() && !interface.addresses.empty()) {
      path.computer = interface.addresses.front().to_string();
    }
  }
  path.router = some_of(routers);
  path.provider = some_of(providers);
  path.proxy = report.site.proxy.value_or("");
  path.has_proxy = path.has_proxy || !path.proxy.empty();
  const ExplainedRows explained(report);
  for (const auto& set : report.sets) {
    Probes results;
    std::set<std::string_view> taken;
    for (const auto& requirement : set.requirements) {
      const auto finding = explained.by(set, requirement);
      for (const auto& id : requirement.probes) {
        if (finding != 0) tracer.explain(id, finding);
        const auto found = by_id.find(id);
        if (found == by_id.end() || !taken.insert(id).second) continue;
        results.push_back(found->second);
      }
    }
    auto group = group_of(set_name(set), results, tracer);
    if (!group.flows.empty()) path.groups.push_back(std::move(group));
  }
  auto group = group_of(say("For comparison: hosts unrelated to the vendor"), controls, tracer);
  if (!group.flows.empty()) path.groups.push_back(std::move(group));
  return path;
}

}  // namespace callready
