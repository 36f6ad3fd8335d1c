#include "tests/networks/truth.hpp"

#include <algorithm>

#include "tests/networks/text.hpp"

namespace callready::networks {

namespace {

Flow broken(std::string_view by) { return {Works::no, std::string(by)}; }

// What a service's first packets carry, apart from those of the connection itself.
Payload payload_of(const Probe& probe) {
  using enum CheckKind;
  static const std::map<CheckKind, Payload> payloads = {
      {stun, Payload::stun}, {nat, Payload::stun},     {path, Payload::stun},
      {turn, Payload::turn}, {sip, Payload::sip},      {sip_alg, Payload::sip},
      {http, Payload::http}, {ntp, Payload::ntp},      {quic, Payload::other},
      {dns, Payload::dns},   {udp_range, Payload::rtp}};
  if (probe.target.transport == Transport::tls) return Payload::tls;
  if (probe.check == hop && probe.target.transport == Transport::udp) {
    const auto given = probe.with.find("payload");
    const auto word = given == probe.with.end() ? std::string("rtp") : given->second;
    return word == "stun"   ? Payload::stun
           : word == "turn" ? Payload::turn
           : word == "sip"  ? Payload::sip
                            : Payload::rtp;
  }
  const auto found = payloads.find(probe.check);
  return found == payloads.end() ? Payload::none : found->second;
}

bool names_fail(const Traffic& traffic, const std::string& host) {
  const auto& network = traffic.network();
  if (IpAddress::parse(host)) return false;
  if (network.dns_for(host) != Dns::works) return true;
  if (!network.resolver_outside) return false;
  const Packet question{Proto::udp, outside_resolver(), 53, 0, Payload::dns};
  const auto fate = traffic.always(question);
  if (fate.kind == Fate::taken) return false;  // the site's own answers
  return fate.kind != Fate::arrives || traffic.swallows_replies(question) != nullptr;
}

Flow broken(const Box& by) { return broken(word(by.kind)); }

// Whether the far end itself breaks TLS or HTTP.
bool answers_wrongly(std::optional<FarFault> far, const Probe& probe, bool tls) {
  const bool certificate =
      far == FarFault::expired || far == FarFault::untrusted || far == FarFault::wrong_name;
  return (tls && certificate) || (far == FarFault::error && probe.check == CheckKind::http);
}

// Asks no service: it does not matter whether anybody listens there.
bool asks_ways(const Probe& probe) {
  return probe.check == CheckKind::udp_range || probe.check == CheckKind::hop;
}

Flow direct(const Traffic& traffic, const Probe& probe, const Packet& packet) {
  const auto far = traffic.far(packet.to);
  if (!asks_ways(probe) && (far == FarFault::down || far == FarFault::refuses)) {
    return broken("far");
  }
  if (packet.proto == Proto::udp) {
    const auto fate = traffic.always(packet);
    if (fate.kind == Fate::taken) {
      // Whoever is asked, the site's resolver answers.
      const auto name = probe.with.find("name");
      const bool named = name != probe.with.end();
      const bool lies = named && traffic.network().dns_for(name->second) != Dns::works;
      return lies ? broken(*fate.box) : Flow{};
    }
    if (fate.kind != Fate::arrives) return broken(*fate.box);
    if (const auto* box = traffic.swallows_replies(packet)) return broken(*box);
    return {};
  }
  auto syn = packet;
  syn.payload = Payload::none;
  auto fate = traffic.always(syn);
  const Box* taken_by = fate.kind == Fate::taken ? traffic.last_taker(syn, fate.box) : nullptr;
  if (taken_by != nullptr) {
    const bool opens = taken_by->kind == BoxKind::intercept && packet.payload != Payload::none;
    if (opens || taken_by->kind == BoxKind::portal) return broken(*taken_by);
    fate = traffic.carried_on(syn, taken_by->hop);
  }
  if (fate.kind != Fate::arrives) return broken(*fate.box);
  if (packet.payload == Payload::none) return {};
  // The box that took the connection passes on what it is sent, from its own place.
  fate = taken_by == nullptr ? traffic.always(packet) : traffic.carried_on(packet, taken_by->hop);
  if (fate.kind != Fate::arrives) return broken(*fate.box);
  const bool tls = packet.payload == Payload::tls;  // whose packets are full
  if (tls && taken_by == nullptr && traffic.find(BoxKind::mtu) != nullptr) return broken("mtu");
  return answers_wrongly(far, probe, tls) ? broken("far") : Flow{};
}

Flow through_proxy(const Traffic& traffic, const Probe& probe, Packet packet) {
  const auto& proxy = traffic.network().proxy;
  if (!proxy.up || proxy.login || !connects(proxy, probe)) return broken("proxy");
  packet.payload = Payload::none;
  const auto fate = traffic.carried_on(packet, traffic.network().routers_inside());
  if (fate.kind != Fate::arrives) return broken(*fate.box);
  const auto far = traffic.far(packet.to);
  const bool absent = far == FarFault::down || far == FarFault::refuses || far == FarFault::gone;
  return absent || answers_wrongly(far, probe, true) ? broken("far") : Flow{};
}

// A range whose sample is open may still be shut between the sampled ports: which bounds are found
// there depends on chance, and any of them is right. Returns what shuts it.
std::optional<std::string> part_of_range_shut(const Traffic& traffic, const Probe& probe,
                                              Packet packet) {
  const auto& range = probe.target.ports;
  if (probe.check != CheckKind::udp_range) return std::nullopt;
  for (const auto& box : traffic.network().boxes) {
    auto bounds = box.matches;
    append(bounds, box.spares);
    for (const auto& match : bounds) {
      for (const int port : {int{match.ports.first}, match.ports.first - 1, int{match.ports.last},
                             match.ports.last + 1}) {
        if (port < range.first || port > range.last) continue;
        packet.port = static_cast<std::uint16_t>(port);
        const auto flow = direct(traffic, probe, packet);
        if (flow.works == Works::no) return flow.by;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Flow flow_of(const Traffic& traffic, const Probe& probe) {
  const auto& target = probe.target;
  const bool direct_route = target.route.direct();
  if (direct_route && names_fail(traffic, target.host)) return broken("dns");
  Packet packet{proto_of(target),  Internet::address_of(target.host),
                target.port(),     0,
                payload_of(probe), target.host};
  if (traffic.far(packet.to) == FarFault::gone) return broken("far");
  if (!direct_route) return through_proxy(traffic, probe, packet);
  auto ports = target.sample;
  if (ports.empty()) ports.push_back(target.port());
  for (const auto port : ports) {
    packet.port = port;
    const auto flow = direct(traffic, probe, packet);
    if (flow.works == Works::no) return flow;
  }
  if (const auto part = part_of_range_shut(traffic, probe, packet)) return {Works::perhaps, *part};
  if (probe.check == CheckKind::nat) {
    const auto* nat = traffic.find(BoxKind::nat);
    if (nat != nullptr && nat->mapping != Behaviour::independent) return broken("nat");
  }
  const bool readable = target.transport == Transport::udp && target.port() == 5060;
  if (probe.check == CheckKind::sip_alg && readable && traffic.find(BoxKind::sip_alg) != nullptr) {
    return broken("sip_alg");
  }
  if (std::ranges::any_of(traffic.network().boxes, goes_by_flows, &Box::kind)) {
    return {Works::perhaps, "limit"};
  }
  // Where nobody listens nothing can work: what comes back says little.
  const bool asks_a_service =
      !asks_ways(probe) && probe.check != CheckKind::dns && probe.check != CheckKind::ipv6;
  if (asks_a_service && !traffic.internet().listens(packet.to, packet.proto, packet.port)) {
    return {Works::perhaps, "nobody"};
  }
  return {};
}

namespace {

// If not all hosts need to be reached: what holds for all of them.
Works row_truth(const Requirement& requirement, const PlannedRequirement& planned,
                const std::map<std::string, Flow>& flows,
                const std::map<std::string, const ProbeResult*>& results,
                const std::set<std::string>& gone) {
  if (!planned.skipped.empty()) return Works::perhaps;
  // An endpoint works if one of its routes does; a host if all of its endpoints do or, if the row
  // says so, any of them.
  std::map<std::string, std::map<std::string, Works>> hosts;
  for (const auto& id : planned.probes) {
    const auto* probe = &results.at(id)->probe;
    const bool companion = probe->check != requirement.check && probe->check != CheckKind::hop;
    if (companion || probe->check == CheckKind::ipv6 || probe->check == CheckKind::dns) continue;
    const auto& target = probe->target;
    const auto key = std::string(to_string(target.transport)) + target.ports.to_string();
    auto& endpoint = hosts[target.host].try_emplace(key, Works::no).first->second;
    endpoint = std::max(endpoint, flows.at(id).works);
  }
  bool all = true, any = false, doubt = false, lost = false;
  for (const auto& [host, endpoints] : hosts) {
    bool some = false, every = true;
    for (const auto& [key, works] : endpoints) {
      some |= works == Works::yes;
      every &= works == Works::yes;
      doubt |= works == Works::perhaps;
    }
    any |= every;
    // A name that is gone everywhere, beside others that exist, only means that the list is old.
    lost |= !every && !gone.contains(host);
    // Only some of a host's endpoints: enough or too few, depending on how the row is read.
    if (some && !every) doubt |= requirement.reach.kind == Reach::Kind::any;
    all &= every;
  }
  if (hosts.empty() || doubt) return Works::perhaps;
  if (all) return Works::yes;
  // Rows of the document's past, and examples that need not exist, decide nothing.
  const auto current = [](const auto& one) { return one.lifecycle == Lifecycle::current; };
  if (!current(requirement)) return Works::perhaps;
  // Nor do single hosts of a sample, of examples, or of the nearest ones.
  const bool listed = requirement.wildcards.empty() && requirement.reverse_dns.empty();
  const bool all_wanted = requirement.reach.kind == Reach::Kind::all && listed &&
                          std::ranges::all_of(requirement.hosts, current) &&
                          std::ranges::all_of(requirement.addresses, current);
  return !any || (all_wanted && lost) ? Works::no : Works::perhaps;
}

// Whether one alternative of each need works.
bool is_carried(const TargetSet& set, const Capability& capability,
                const std::map<std::string, Works>& rows) {
  const auto works = [&](const std::string& id) {
    const auto found = rows.find(set.id + '/' + id);
    return found != rows.end() && found->second == Works::yes;
  };
  return std::ranges::all_of(capability.needs, [&](const Need& need) {
    return std::ranges::any_of(need.alternatives, [&](const auto& alternative) {
      return std::ranges::all_of(alternative, works);
    });
  });
}

Works capability_truth(const TargetSet& set, const Capability& capability,
                       const std::map<std::string, Works>& rows) {
  bool wanted = true, possible = true, left = false, counts = false, measured = false;
  for (const auto& need : capability.needs) {
    bool any_possible = false, any_preferred = false, any_row = false;
    auto weight = Severity::optional;
    for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
      bool may = true, does = true, known = false, all_lost = true;
      for (const auto& id : need.alternatives[i]) {
        const auto row = rows.find(set.id + '/' + id);
        if (row == rows.end()) continue;
        const auto works = row->second;
        const auto severity = set.find_requirement(id)->severity;
        known = true;
        weight = std::min(weight, severity);
        does &= works == Works::yes;
        all_lost &= works == Works::no;
        may &= works != Works::no || severity != Severity::required;
      }
      if (!known) continue;
      any_row = true;
      any_possible |= may && !all_lost;
      any_preferred |= does && !need.is_fallback(i);
    }
    if (!any_row) continue;
    measured = true;
    wanted &= any_preferred;
    left |= any_possible;
    counts |= any_possible || weight != Severity::optional;
    // Losing what is only recommended does not make the capability impossible.
    if (weight == Severity::required) possible &= any_possible;
  }
  if (!measured) return Works::perhaps;
  if (!possible || (counts && !left)) return Works::no;
  return wanted ? Works::yes : Works::perhaps;
}

}  // namespace

std::map<std::string, const ProbeResult*> by_id(const Report& report) {
  std::map<std::string, const ProbeResult*> results;
  for (const auto& result : report.probes) results[result.probe.id] = &result;
  return results;
}

std::vector<const RequirementResult*> rows_of(const SetResult& set,
                                              const CapabilityResult& capability) {
  std::vector<const RequirementResult*> rows;
  for (const auto& row : set.requirements) {
    if (contains(capability.requirements, row.id)) rows.push_back(&row);
  }
  return rows;
}

Truth truth_of(const networks::Network& network, const Report& report) {
  Truth truth;
  const auto& scene = scene_of(network);
  const Traffic traffic(network, scene.internet);
  const auto results = by_id(report);
  for (const auto& [id, result] : results) truth.flows[id] = flow_of(traffic, result->probe);
  std::set<std::string> gone;
  for (const auto& far : network.far) {
    if (far.fault == FarFault::gone) gone.insert(far.host);
  }
  for (const auto& planned : scene.plan.requirements) {
    const auto* requirement =
        find_by_id(scene.sets, planned.set)->find_requirement(planned.requirement);
    truth.rows[planned.set + '/' + planned.requirement] =
        row_truth(*requirement, planned, truth.flows, results, gone);
  }
  for (const auto& set : scene.sets) {
    for (const auto& capability : set.capabilities) {
      const auto id = set.id + '/' + capability.id;
      truth.capabilities[id] = capability_truth(set, capability, truth.rows);
      if (is_carried(set, capability, truth.rows)) truth.carried.insert(id);
    }
  }
  return truth;
}

}  // namespace callready::networks
