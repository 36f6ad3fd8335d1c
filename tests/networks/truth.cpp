#include "tests/networks/truth.hpp"

#include <algorithm>

#include "tests/networks/text.hpp"

namespace callready::networks {

namespace {

Flow broken(std::string_view by) { return {Works::no, std::string(by)}; }

bool udp_probe(const Probe& probe) { return probe.target.transport == Transport::udp; }

// What a service's first packets are, beside the connection itself.
Payload payload_of(const Probe& probe) {
  const auto& check = probe.check;
  const bool tls = probe.target.transport == Transport::tls;
  if (tls) return Payload::tls;
  if (check == CheckKind::stun || check == CheckKind::nat || check == CheckKind::path)
    return Payload::stun;
  if (check == CheckKind::turn) return Payload::turn;
  if (check == CheckKind::sip || check == CheckKind::sip_alg) return Payload::sip;
  if (check == CheckKind::http) return Payload::http;
  if (check == CheckKind::ntp) return Payload::ntp;
  if (check == CheckKind::quic) return Payload::other;
  if (check == CheckKind::dns) return Payload::dns;
  if (check == CheckKind::hop) {
    const auto given = probe.with.find("payload");
    const auto word = given == probe.with.end() ? std::string("rtp") : given->second;
    if (!udp_probe(probe)) return Payload::none;
    return word == "stun"   ? Payload::stun
           : word == "turn" ? Payload::turn
           : word == "sip"  ? Payload::sip
                            : Payload::rtp;
  }
  if (check == CheckKind::udp_range) return Payload::rtp;
  return Payload::none;
}

bool filters_name(const networks::Network& network, const std::string& name) {
  const auto& names = network.dns_names;
  const bool meant = names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  return meant && network.dns != Dns::works;
}

// Asked of anybody, where the site's resolver answers in everybody's name.
bool filters_names(const networks::Network& network, const Probe& probe) {
  const auto name = probe.with.find("name");
  return name != probe.with.end() && filters_name(network, name->second);
}

std::optional<Flow> names_fail(const Traffic& traffic, const std::string& host) {
  const auto& network = traffic.network();
  if (IpAddress::parse(host)) return std::nullopt;
  if (filters_name(network, host)) return broken("dns");
  if (network.resolver_outside) {
    Packet question;
    question.to = outside_resolver();
    question.port = 53;
    question.payload = Payload::dns;
    const auto fate = traffic.always(question);
    if (fate.kind == Fate::taken) return std::nullopt;  // the site's own answers
    if (fate.kind != Fate::arrives) return broken("dns");
    if (traffic.swallows_replies(question) != nullptr) return broken("dns");
  }
  return std::nullopt;
}

// A device that lets one flow pass and not the next like it.
bool goes_by_flows(const Traffic& traffic) {
  return traffic.find(BoxKind::rate) != nullptr || traffic.find(BoxKind::ban) != nullptr ||
         traffic.find(BoxKind::branch) != nullptr;
}

Flow direct(const Traffic& traffic, const Probe& probe, const Packet& packet) {
  const bool fault_counts = probe.check != CheckKind::udp_range && probe.check != CheckKind::hop;
  const auto far = traffic.far(packet.to);
  if (fault_counts && far && (*far == FarFault::down || *far == FarFault::refuses)) {
    return broken("far");
  }
  if (packet.proto == Proto::udp) {
    const auto fate = traffic.always(packet);
    if (fate.kind == Fate::taken) {
      // Asked of anybody, the site's resolver answers.
      return filters_names(traffic.network(), probe) ? broken(word(fate.box->kind)) : Flow{};
    }
    if (fate.kind != Fate::arrives) return broken(word(fate.box->kind));
    if (const auto* box = traffic.swallows_replies(packet)) return broken(word(box->kind));
    return {};
  }
  auto syn = packet;
  syn.payload = Payload::none;
  auto fate = traffic.always(syn);
  const Box* taken_by = fate.kind == Fate::taken ? traffic.last_taker(syn, fate.box) : nullptr;
  if (taken_by != nullptr) {
    const auto kind = taken_by->kind;
    if (kind == BoxKind::portal) return broken(word(kind));
    if (kind == BoxKind::intercept && packet.payload != Payload::none) return broken(word(kind));
    fate = traffic.carried_on(syn, taken_by->hop);
  }
  if (fate.kind != Fate::arrives) return broken(word(fate.box->kind));
  if (packet.payload == Payload::none) return {};
  // Who took the connection sends on what it is told, from where it stands.
  fate = taken_by == nullptr ? traffic.always(packet) : traffic.carried_on(packet, taken_by->hop);
  if (fate.kind != Fate::arrives) return broken(word(fate.box->kind));
  const bool full_packets = packet.payload == Payload::tls;
  if (full_packets && taken_by == nullptr && traffic.find(BoxKind::mtu) != nullptr) {
    return broken("mtu");
  }
  if (packet.payload == Payload::tls && far &&
      (*far == FarFault::expired || *far == FarFault::untrusted || *far == FarFault::wrong_name)) {
    return broken("far");
  }
  if (far == FarFault::error && probe.check == CheckKind::http) return broken("far");
  return {};
}

Flow through_proxy(const Traffic& traffic, const Probe& probe, Packet packet) {
  const auto& proxy = traffic.network().proxy;
  if (!proxy.up || proxy.login) return broken("proxy");
  const bool plain = probe.check == CheckKind::http && probe.target.transport == Transport::tcp;
  const bool allowed = std::any_of(proxy.ports.begin(), proxy.ports.end(),
                                   [&](const auto& range) { return range.contains(packet.port); });
  if (!allowed && !(plain && packet.port == 80)) return broken("proxy");
  int last_inside = 0;
  for (const auto& hop : traffic.network().hops) last_inside += hop.inside ? 1 : 0;
  packet.payload = Payload::none;
  const auto fate = traffic.carried_on(packet, last_inside);
  if (fate.kind != Fate::arrives) return broken(word(fate.box->kind));
  const auto far = traffic.far(packet.to);
  if (far == FarFault::down || far == FarFault::refuses || far == FarFault::gone ||
      far == FarFault::expired || far == FarFault::untrusted || far == FarFault::wrong_name) {
    return broken("far");
  }
  if (far == FarFault::error && probe.check == CheckKind::http) return broken("far");
  return {};
}

}  // namespace

// Of a range that the sample finds open, a part between its ports may be shut: what bounds are
// found there depends on chance, and they are right. By whom.
std::optional<std::string> part_of_range_shut(const Traffic& traffic, const Probe& probe,
                                              Packet packet) {
  const auto& range = probe.target.ports;
  if (probe.check != CheckKind::udp_range) return std::nullopt;
  for (const auto& box : traffic.network().boxes) {
    for (const auto& match : box.matches) {
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

Flow flow_of(const Traffic& traffic, const Probe& probe) {
  const auto& target = probe.target;
  const bool direct_route = target.route.direct();
  if (direct_route) {
    if (const auto lost = names_fail(traffic, target.host)) return *lost;
  }
  Packet packet;
  packet.proto = target.transport == Transport::udp ? Proto::udp : Proto::tcp;
  packet.to = Internet::address_of(target.host);
  packet.port = target.port();
  packet.payload = payload_of(probe);
  packet.name = target.host;
  if (traffic.far(packet.to) == FarFault::gone) return broken("far");
  if (!direct_route) return through_proxy(traffic, probe, packet);
  Flow worst;
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
  if (goes_by_flows(traffic)) return {Works::perhaps, "limit"};
  // Where nobody listens there is nothing to work: what comes back says little.
  const bool asks_a_service = probe.check != CheckKind::udp_range &&
                              probe.check != CheckKind::hop && probe.check != CheckKind::dns &&
                              probe.check != CheckKind::ipv6;
  if (asks_a_service && !traffic.internet().listens(packet.to, packet.proto, packet.port)) {
    return {Works::perhaps, "nobody"};
  }
  return worst;
}

namespace {

// Of hosts that need not all be reached, what holds of all of them.
RowTruth row_truth(const Requirement& requirement, const PlannedRequirement& planned,
                   const std::map<std::string, Flow>& flows,
                   const std::map<std::string, const Probe*>& probes,
                   const std::set<std::string>& gone) {
  RowTruth row;
  if (!planned.skipped.empty()) {
    row.works = Works::perhaps;
    return row;
  }
  // An endpoint works where one of its routes does; a host where all of its endpoints do, or, where
  // the row says so, any of them.
  std::map<std::string, std::map<std::string, Works>> hosts;
  for (const auto& id : planned.probes) {
    const auto* probe = probes.at(id);
    const bool companion = probe->check != requirement.check && probe->check != CheckKind::hop;
    if (companion || probe->check == CheckKind::ipv6 || probe->check == CheckKind::dns) continue;
    const auto& target = probe->target;
    const auto key = std::string(to_string(target.transport)) + target.ports.to_string();
    auto& endpoint = hosts[target.host].try_emplace(key, Works::no).first->second;
    const auto works = flows.at(id).works;
    if (works == Works::yes) endpoint = Works::yes;
    if (works == Works::perhaps && endpoint == Works::no) endpoint = Works::perhaps;
  }
  bool all = true, doubt = false, lost = false;
  for (const auto& [host, endpoints] : hosts) {
    bool some = false, every = true;
    for (const auto& [key, works] : endpoints) {
      some |= works == Works::yes;
      every &= works == Works::yes;
      doubt |= works == Works::perhaps;
    }
    row.any_works |= every;
    row.any_broken |= !every;
    // Beside others a name that has gone everywhere makes the list old, and closes no way.
    lost |= !every && !gone.contains(host);
    // One of several endpoints of a host: by the row's own words enough, or too little.
    if (some && !every) doubt |= requirement.reach.kind == Reach::Kind::any;
    all &= every;
  }
  if (hosts.empty() || doubt) {
    row.works = Works::perhaps;
  } else if (all) {
    row.works = Works::yes;
  } else if (!row.any_works) {
    row.works = Works::no;
  } else {
    // Some hosts: of a sample, of examples, of the nearest.
    row.works = Works::perhaps;
    const bool current = requirement.lifecycle == Lifecycle::current;
    const bool listed = requirement.wildcards.empty() && requirement.reverse_dns.empty();
    const bool every_one = requirement.reach.kind == Reach::Kind::all;
    const bool all_current =
        std::all_of(requirement.hosts.begin(), requirement.hosts.end(),
                    [](const Host& host) { return host.lifecycle == Lifecycle::current; }) &&
        std::all_of(
            requirement.addresses.begin(), requirement.addresses.end(),
            [](const AddressBlock& block) { return block.lifecycle == Lifecycle::current; });
    if (every_one && current && listed && all_current && lost) row.works = Works::no;
  }
  // Rows of the document's past, and examples that need not exist, decide nothing.
  if (row.works == Works::no && requirement.lifecycle != Lifecycle::current) {
    row.works = Works::perhaps;
  }
  return row;
}

// Works by one alternative of each need.
bool is_carried(const TargetSet& set, const Capability& capability,
                const std::map<std::string, RowTruth>& rows) {
  return std::all_of(capability.needs.begin(), capability.needs.end(), [&](const auto& need) {
    return std::any_of(
        need.alternatives.begin(), need.alternatives.end(), [&](const auto& alternative) {
          return std::all_of(alternative.begin(), alternative.end(), [&](const auto& id) {
            const auto found = rows.find(set.id + '/' + id);
            return found != rows.end() && found->second.works == Works::yes;
          });
        });
  });
}

Works capability_truth(const TargetSet& set, const Capability& capability,
                       const std::map<std::string, RowTruth>& rows) {
  const auto of = [&](const std::string& id) -> const RowTruth* {
    const auto found = rows.find(set.id + '/' + id);
    return found == rows.end() ? nullptr : &found->second;
  };
  bool wanted = true, possible = true, measured = false;
  for (const auto& need : capability.needs) {
    bool any_possible = false, any_preferred = false, any_row = false;
    auto weight = Severity::optional;
    for (std::size_t i = 0; i < need.alternatives.size(); ++i) {
      bool may = true, does = true, known = false, all_lost = true;
      for (const auto& id : need.alternatives[i]) {
        const auto* row = of(id);
        if (row == nullptr) continue;
        const auto* requirement = set.find_requirement(id);
        known = true;
        weight = std::min(weight, requirement->severity);
        does &= row->works == Works::yes;
        all_lost &= row->works == Works::no;
        if (row->works == Works::no && requirement->severity == Severity::required) may = false;
      }
      if (!known) continue;
      any_row = true;
      any_possible |= may && !all_lost;
      any_preferred |= does && !need.is_fallback(i);
    }
    if (!any_row) continue;
    measured = true;
    wanted &= any_preferred;
    // What is only recommended takes nothing away that is needed.
    if (weight == Severity::required) possible &= any_possible;
  }
  if (!measured) return Works::perhaps;
  if (!possible) return Works::no;
  return wanted ? Works::yes : Works::perhaps;
}

}  // namespace

std::vector<const RequirementResult*> rows_of(const SetResult& set,
                                              const CapabilityResult& capability) {
  std::vector<const RequirementResult*> rows;
  for (const auto& row : set.requirements) {
    if (contains(capability.requirements, row.id)) rows.push_back(&row);
  }
  return rows;
}

Truth truth_of(const networks::Network& network, const Scene& scene, const Report& report) {
  Truth truth;
  const Traffic traffic(network, scene.internet);
  std::map<std::string, const Probe*> probes;
  for (const auto& result : report.probes) {
    probes[result.probe.id] = &result.probe;
    truth.flows[result.probe.id] = flow_of(traffic, result.probe);
  }
  std::set<std::string> gone;
  for (const auto& far : network.far) {
    if (far.fault == FarFault::gone) gone.insert(far.host);
  }
  for (const auto& planned : scene.plan.requirements) {
    for (const auto& set : scene.sets) {
      if (set.id != planned.set) continue;
      const auto* requirement = set.find_requirement(planned.requirement);
      truth.rows[set.id + '/' + planned.requirement] =
          row_truth(*requirement, planned, truth.flows, probes, gone);
    }
  }
  for (const auto& set : scene.sets) {
    for (const auto& capability : set.capabilities) {
      truth.capabilities[set.id + '/' + capability.id] =
          capability_truth(set, capability, truth.rows);
      if (is_carried(set, capability, truth.rows)) {
        truth.carried.insert(set.id + '/' + capability.id);
      }
    }
  }
  return truth;
}

}  // namespace callready::networks
