#include "tests/networks/twin.hpp"

#include <algorithm>
#include <ranges>

#include "tests/networks/text.hpp"

namespace callready::networks {
namespace {

constexpr std::size_t most_hosts = 3;

// How long a reply took is a matter of chance.
bool same(const Evidence& one, const Evidence& other) {
  auto facts = one.facts, others = other.facts;
  facts.erase(Fact::took_ms);
  others.erase(Fact::took_ms);
  return one.kind == other.kind && facts == others && one.text == other.text;
}

// Who refused, where that could be measured.
const Evidence* refuser(const Observation& seen) {
  const auto found = std::ranges::find_if(seen.evidence, [](const Evidence& evidence) {
    return evidence.kind == EvidenceKind::refuser &&
           text_fact(evidence, Fact::who) != "not_measured";
  });
  return found == seen.evidence.end() ? nullptr : &*found;
}

// Whether routers had an answer left to show who refused is a matter of chance.
bool same(const Observation& one, const Observation& other) {
  const auto of_others = std::views::filter(
      [](const Evidence& evidence) { return evidence.kind != EvidenceKind::refuser; });
  const auto *by = refuser(one), *others_by = refuser(other);
  return one.outcome == other.outcome && one.detail == other.detail &&
         one.address == other.address &&
         (by == nullptr || others_by == nullptr || same(*by, *others_by)) &&
         std::ranges::equal(one.evidence | of_others, other.evidence | of_others,
                            [](const auto& a, const auto& b) { return same(a, b); });
}

// Packets that end on the way, at a router that had no answer left, tell nothing.
bool unmeasured(const ProbeResult& result) {
  const auto check = result.probe.check;
  return (check == CheckKind::hop || check == CheckKind::udp_range) &&
         result.observation.detail == DetailCode::silent;
}

// Chance decides whether a router had an answer left for a packet, for which of a range's ports,
// and which packets get the few answers a second of a device that refuses in the servers' names.
// What was spared tells nothing.
bool alike(const ProbeResult& one, const ProbeResult& other) {
  if (one.observation.outcome == Outcome::skipped) return true;
  if (unmeasured(one) || unmeasured(other)) return true;
  const auto &a = one.observation, &b = other.observation;
  const auto turned_away = [](const Observation& seen, const Observation& elsewhere) {
    return elsewhere.outcome == Outcome::silent &&
           (seen.outcome == Outcome::rejected || seen.outcome == Outcome::refused);
  };
  const bool udp = one.probe.target.transport == Transport::udp;
  if (udp && (turned_away(a, b) || turned_away(b, a))) return true;
  // How far a packet was seen to get depends on that, too.
  const bool gets_out = a.outcome == Outcome::passed || a.outcome == Outcome::connected;
  if (one.probe.check == CheckKind::hop && gets_out && a.outcome == b.outcome) return true;
  if (one.probe.check != CheckKind::udp_range) return same(a, b);
  return a.outcome == b.outcome && a.detail == b.detail;
}

bool look_the_same(const Report& one, const Report& other) {
  return std::ranges::equal(one.probes, other.probes, [](const auto& a, const auto& b) {
    return a.probe.id == b.probe.id && alike(a, b);
  });
}

// One thing to repair: a box, by its place, or what else is wrong.
struct Repair {
  std::string kind;
  std::optional<std::size_t> box{};
};

networks::Network without(networks::Network network, const std::vector<Repair>& repairs) {
  for (auto repair = repairs.rbegin(); repair != repairs.rend(); ++repair) {
    if (repair->kind == "far") {
      network.far.clear();
    } else if (repair->kind == "dns") {
      network.dns = Dns::works;
      network.resolver_outside = false;
    } else if (repair->kind == "proxy") {
      network.proxy = {network.proxy.given, true, false, {{1, 65535}}};
    } else {
      network.boxes.erase(network.boxes.begin() + static_cast<std::ptrdiff_t>(*repair->box));
    }
  }
  return network;
}

std::vector<Repair> repairs_of(const networks::Network& network, const std::set<std::string>& by) {
  std::vector<Repair> repairs;
  for (std::size_t i = 0; i < network.boxes.size(); ++i) {
    const std::string kind(word(network.boxes[i].kind));
    if (by.contains(kind)) repairs.push_back({kind, i});
  }
  for (const auto* other : {"far", "dns", "proxy"}) {
    if (by.contains(other)) repairs.push_back({other});
  }
  return repairs;
}

// The probes that the two see differently.
std::vector<const Probe*> differing(const Report& one, const Report& other) {
  const auto known = by_id(one);
  std::vector<const Probe*> probes;
  for (const auto& [probe, seen] : other.probes) {
    const auto found = known.find(probe.id);
    if (found != known.end() && !same(found->second->observation, seen)) probes.push_back(&probe);
  }
  return probes;
}

std::vector<Box*> boxes_of(networks::Network& network, const std::vector<Repair>& repairs) {
  std::vector<Box*> boxes;
  for (const auto& repair : repairs) {
    if (repair.box) boxes.push_back(&network.boxes[*repair.box]);
  }
  return boxes;
}

// Whether media hosts refuse strangers or keep silent is no fault.
networks::Network with_other_media(networks::Network network) {
  network.media_answers = !network.media_answers;
  return network;
}

// Every non-empty subset.
std::vector<std::vector<Repair>> choices(const std::vector<Repair>& all) {
  std::vector<std::vector<Repair>> sets(1);
  for (const auto& one : all) {
    const auto so_far = sets.size();
    for (std::size_t i = 0; i < so_far; ++i) {
      sets.push_back(sets[i]);
      sets.back().push_back(one);
    }
  }
  sets.erase(sets.begin());
  return sets;
}

// The network with the boxes in question acting on one host only, or on one port.
networks::Network narrowed(networks::Network network, const std::vector<Repair>& repairs,
                           const std::string& host, std::optional<std::uint16_t> port) {
  for (auto* box : boxes_of(network, repairs)) {
    if (box->except) {  // from a list of the allowed to what was seen to be shut
      if (port) continue;
      box->except = false;
      box->matches = {{}};
    }
    for (auto& match : box->matches) {
      if (port) match.ports = {*port, *port};
      if (!port) match.hosts = {host};
    }
  }
  return network;
}

// The network with the boxes in question letting these flows through.
networks::Network sparing(networks::Network network, const std::vector<Repair>& repairs,
                          const std::vector<Match>& flows) {
  for (auto* box : boxes_of(network, repairs)) {
    if (box->kind == BoxKind::rule || box->kind == BoxKind::replies) box->spares = flows;
  }
  return network;
}

// The flows that the capability needs. `seen`: only those that were seen to get out.
std::vector<Match> flows_of(const Report& report, const std::string& capability, bool seen) {
  const auto probes = by_id(report);
  std::vector<Match> flows;
  for (const auto& set : report.sets) {
    for (const auto& one : set.capabilities) {
      if (set.id + '/' + one.id != capability) continue;
      for (const auto* row : rows_of(set, one)) {
        for (const auto& id : row->probes) {
          const auto& [probe, observation] = *probes.at(id);
          const auto& target = probe.target;
          if (!target.route.direct() || (seen && !reached(observation.outcome))) continue;
          flows.push_back({proto_of(target), target.ports, {target.host}});
        }
      }
    }
  }
  return flows;
}

}  // namespace

bool looks_like_it_works(const networks::Network& network, const Report& report,
                         const std::string& capability, const std::set<std::string>& by) {
  const auto flows = flows_of(report, capability, false);
  const auto seen_flows = flows_of(report, capability, true);
  const auto looks_right_as_it_is = [&](const networks::Network& twin) {
    const auto first = run(twin, &report);
    return truth_of(twin, first).capabilities.at(capability) != Works::no &&
           look_the_same(report, first);
  };
  // A router that does not speak is no fault: what is known of a way may end there.
  const auto looks_right = [&](networks::Network twin) {
    if (looks_right_as_it_is(twin)) return true;
    const auto first = run(twin);
    if (truth_of(twin, first).capabilities.at(capability) == Works::no) return false;
    if (look_the_same(report, first)) return true;
    std::set<std::string> hosts, own, more;
    for (const auto* probe : differing(report, first)) hosts.insert(probe->target.host);
    more = hosts;
    for (const auto& flow : flows) {
      const auto& host = flow.hosts.front();
      if (hosts.contains(host)) own.insert(host);
      more.insert(host);
    }
    const auto known = twin.mute_ways.size();
    for (const auto& all : {own, hosts, more}) {
      for (int from = static_cast<int>(network.hops.size()) + 1; from > 1; --from) {
        for (const auto& host : all) twin.mute_ways.push_back({host, from});
        if (look_the_same(report, run(twin, &report))) return true;
        twin.mute_ways.resize(known);
      }
    }
    return false;
  };
  auto kinds = by;
  kinds.insert({"rule", "replies"});  // hidden behind what breaks it first
  for (const auto& repairs : choices(repairs_of(network, kinds))) {
    auto twin = without(network, repairs);
    std::vector<networks::Network> twins{twin, with_other_media(twin)}, as_they_are{twins[1]};
    for (const auto& spared : {flows, seen_flows}) {
      twins.push_back(sparing(network, repairs, spared));
      auto silent = twins.back();  // how often the boxes in question spoke is chance
      for (auto* box : boxes_of(silent, repairs)) {
        if (box->kind == BoxKind::rule) box->action = Action::drop;
      }
      append(as_they_are, {twins.back(), silent, with_other_media(silent)});
    }
    if (std::ranges::any_of(as_they_are, looks_right_as_it_is)) return true;
    if (std::ranges::any_of(twins, looks_right)) return true;
    // As many faults: one server out of order in place of what was repaired, or the same boxes
    // against one server or one port only.
    const auto seen = run(twin);
    std::set<std::string> hosts;
    std::set<std::uint16_t> ports;
    for (const auto* probe : differing(report, seen)) {
      hosts.insert(probe->target.host);
      ports.insert(probe->target.port());
    }
    if (ports.size() == 1 && looks_right(narrowed(network, repairs, {}, *ports.begin()))) {
      return true;
    }
    if (hosts.size() > most_hosts) continue;
    for (const auto& host : hosts) {
      for (const auto fault : {FarFault::down, FarFault::refuses, FarFault::gone}) {
        auto other = twin;
        other.far.push_back({host, fault});
        if (looks_right(other)) return true;
      }
      if (looks_right(narrowed(network, repairs, host, std::nullopt))) return true;
    }
  }
  return false;
}

namespace {

// What a single box may do in place of several.
std::vector<Box> in_place_of(const std::vector<Box*>& several) {
  const std::vector<Match> web{{Proto::tcp, {80, 80}, {}}, {Proto::tcp, {443, 443}, {}}};
  const Match any_udp{Proto::udp, {1, 65535}, {}}, from_54{Proto::udp, {54, 65535}, {}};
  std::vector<Box> boxes;
  for (const auto* model : several) {
    const auto with = [&](BoxKind kind, bool except, std::vector<Match> matches) {
      auto& box = boxes.emplace_back(*model);
      box.kind = kind;
      box.payload = kind == BoxKind::protocol ? Payload::dns : Payload::none;
      box.except = except;
      box.matches = std::move(matches);
    };
    with(BoxKind::rule, false, {any_udp});
    with(BoxKind::rule, false, {{Proto::udp, {1, 52}, {}}, from_54});  // all but DNS
    with(BoxKind::rule, true, {{Proto::tcp, {1, 65535}, {}}, {Proto::udp, {53, 53}, {}}});
    with(BoxKind::rule, false, {{}});
    with(BoxKind::rule, true, web);
    with(BoxKind::replies, false, {any_udp});
    with(BoxKind::replies, false, {from_54});
    // A box that inspects packets lets only DNS out.
    with(BoxKind::protocol, true, {any_udp});
    if (model->except) {  // the same list, over UDP alone
      auto over_udp = model->matches;
      std::erase_if(over_udp, [](const Match& match) { return match.proto == Proto::tcp; });
      for (auto& match : over_udp) match.proto = Proto::udp;
      with(BoxKind::rule, true, over_udp);
    }
    if (model->kind != BoxKind::rule || model->except) continue;
    auto everywhere = model->matches;
    for (auto& match : everywhere) match.hosts.clear();
    with(BoxKind::rule, false, everywhere);
  }
  return boxes;
}

}  // namespace

bool looks_like_a_simpler_one(const networks::Network& network, const Report& report,
                              const std::function<bool(const networks::Network&)>& holds) {
  std::set<std::string> kinds;
  for (const auto& box : network.boxes) kinds.emplace(word(box.kind));
  kinds.erase("nat");
  if (!network.far.empty()) kinds.insert("far");
  const auto fits = [&](const networks::Network& other) {
    return holds(other) && look_the_same(report, run(other, &report));
  };
  for (const auto& some : choices(repairs_of(network, kinds))) {
    const auto fewer = without(network, some);
    if (fits(fewer)) return true;
    auto whole = network;
    const auto boxes = boxes_of(whole, some);
    if (boxes.size() < 2) continue;
    for (const auto& box : in_place_of(boxes)) {
      auto other = fewer;
      other.boxes.push_back(box);
      if (fits(other)) return true;
    }
  }
  return false;
}

}  // namespace callready::networks
