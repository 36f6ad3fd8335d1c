#include "tests/networks/twin.hpp"

#include <algorithm>

#include "tests/networks/words.hpp"

namespace callready::networks {
namespace {

constexpr std::size_t most_hosts = 3;

bool same(const Evidence& one, const Evidence& other) {
  return one.kind == other.kind && one.facts == other.facts && one.text == other.text;
}

bool same(const Observation& one, const Observation& other) {
  return one.outcome == other.outcome && one.detail == other.detail &&
         one.address == other.address &&
         std::equal(one.evidence.begin(), one.evidence.end(), other.evidence.begin(),
                    other.evidence.end(), [](const auto& a, const auto& b) { return same(a, b); });
}

// Packets that end on the way, at a router that had no answer left: that tells nothing.
bool unmeasured(const ProbeResult& result) {
  const auto check = result.probe.check;
  return (check == CheckKind::hop || check == CheckKind::udp_range) &&
         result.observation.detail == detail_of("silent");
}

// Which of a range's ports a router had an answer left for is chance.
bool alike(const ProbeResult& one, const ProbeResult& other) {
  if (unmeasured(one) || unmeasured(other)) return true;
  const auto &a = one.observation, &b = other.observation;
  if (one.probe.check != CheckKind::udp_range) return same(a, b);
  return a.outcome == b.outcome && a.detail == b.detail;
}

bool look_the_same(const Report& one, const Report& other) {
  return std::equal(one.probes.begin(), one.probes.end(), other.probes.begin(), other.probes.end(),
                    [](const ProbeResult& a, const ProbeResult& b) {
                      return a.probe.id == b.probe.id && alike(a, b);
                    });
}

// One thing to repair: a box, by its place, or what else is wrong.
struct Repair {
  std::string kind;
  std::size_t box = 0;
};

networks::Network without(networks::Network network, const std::vector<Repair>& repairs) {
  for (auto repair = repairs.rbegin(); repair != repairs.rend(); ++repair) {
    if (repair->kind == "far") {
      network.far.clear();
    } else if (repair->kind == "dns") {
      network.dns = Dns::works;
      network.resolver_outside = false;
    } else if (repair->kind == "proxy") {
      network.proxy.up = true;
      network.proxy.login = false;
      network.proxy.ports = {{1, 65535}};
    } else {
      network.boxes.erase(network.boxes.begin() + static_cast<std::ptrdiff_t>(repair->box));
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
    if (by.contains(other)) repairs.push_back({other, 0});
  }
  return repairs;
}

// Of what the two see differently: the probes.
std::vector<const Probe*> differing(const Report& one, const Report& other) {
  std::map<std::string, const ProbeResult*> known;
  for (const auto& result : one.probes) known[result.probe.id] = &result;
  std::vector<const Probe*> probes;
  for (const auto& result : other.probes) {
    const auto found = known.find(result.probe.id);
    if (found != known.end() && !alike(*found->second, result)) probes.push_back(&result.probe);
  }
  return probes;
}

// Every choice of some of them.
template <typename Item>
std::vector<std::vector<Item>> choices(const std::vector<Item>& all) {
  std::vector<std::vector<Item>> sets{{}};
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

// The boxes in question act on one host only, or on one port.
networks::Network narrowed(networks::Network network, const std::vector<Repair>& repairs,
                           const std::string& host, std::optional<std::uint16_t> port) {
  for (const auto& repair : repairs) {
    if (repair.kind == "far" || repair.kind == "dns" || repair.kind == "proxy") continue;
    auto& box = network.boxes[repair.box];
    if (box.except) continue;
    for (auto& match : box.matches) {
      if (port) {
        match.ports = {*port, *port};
      } else {
        match.hosts = {host};
      }
    }
  }
  return network;
}

}  // namespace

bool looks_like_it_works(const networks::Network& network, const Scene& scene, const Report& report,
                         const std::string& capability, const std::set<std::string>& by) {
  const auto looks_right = [&](const networks::Network& twin) {
    const auto seen = run(twin, scene);
    return look_the_same(report, seen) &&
           truth_of(twin, scene, seen).capabilities.at(capability) != Works::no;
  };
  for (const auto& repairs : choices(repairs_of(network, by))) {
    auto twin = without(network, repairs);
    if (looks_right(twin)) return true;
    // As many faults: one server out of order in place of what was repaired, or the same boxes
    // against one server or one port only.
    const auto seen = run(twin, scene);
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
      auto other = twin;
      other.far.push_back({host, FarFault::down});
      if (looks_right(other) || looks_right(narrowed(network, repairs, host, std::nullopt))) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace callready::networks
