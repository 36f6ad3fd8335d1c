#include "tests/networks/twin.hpp"

#include <algorithm>

namespace callready::networks {
namespace {

bool same(const Evidence& one, const Evidence& other) {
  return one.kind == other.kind && one.facts == other.facts && one.text == other.text;
}

bool same(const Observation& one, const Observation& other) {
  return one.outcome == other.outcome && one.detail == other.detail &&
         one.address == other.address &&
         std::equal(one.evidence.begin(), one.evidence.end(), other.evidence.begin(),
                    other.evidence.end(), [](const auto& a, const auto& b) { return same(a, b); });
}

bool look_the_same(const Report& one, const Report& other) {
  return std::equal(one.probes.begin(), one.probes.end(), other.probes.begin(), other.probes.end(),
                    [](const ProbeResult& a, const ProbeResult& b) {
                      return a.probe.id == b.probe.id && same(a.observation, b.observation);
                    });
}

networks::Network without(networks::Network network, const std::set<std::string>& by) {
  std::erase_if(network.boxes,
                [&](const Box& box) { return by.contains(std::string(word(box.kind))); });
  if (by.contains("far")) network.far.clear();
  if (by.contains("dns")) {
    network.dns = Dns::works;
    network.resolver_outside = false;
  }
  if (by.contains("proxy")) {
    network.proxy.up = true;
    network.proxy.login = false;
    network.proxy.ports = {{1, 65535}};
  }
  return network;
}

// Hosts of which the two see different things.
std::set<std::string> differing_hosts(const Report& one, const Report& other) {
  std::map<std::string, const ProbeResult*> known;
  for (const auto& result : one.probes) known[result.probe.id] = &result;
  std::set<std::string> hosts;
  for (const auto& result : other.probes) {
    const auto found = known.find(result.probe.id);
    const bool alike = found != known.end() && same(found->second->observation, result.observation);
    if (!alike && found != known.end()) hosts.insert(result.probe.target.host);
  }
  return hosts;
}

// Every choice of some of them.
std::vector<std::set<std::string>> subsets(const std::set<std::string>& all) {
  std::vector<std::set<std::string>> sets{{}};
  for (const auto& one : all) {
    const auto so_far = sets.size();
    for (std::size_t i = 0; i < so_far; ++i) {
      sets.push_back(sets[i]);
      sets.back().insert(one);
    }
  }
  sets.erase(sets.begin());
  return sets;
}

}  // namespace

bool looks_like_it_works(const networks::Network& network, const Scene& scene, const Report& report,
                         const std::string& capability, const std::set<std::string>& by) {
  const auto looks_right = [&](const networks::Network& twin, const Report& seen) {
    return look_the_same(report, seen) &&
           truth_of(twin, scene, seen).capabilities.at(capability) != Works::no;
  };
  for (const auto& repaired : subsets(by)) {
    auto twin = without(network, repaired);
    const auto seen = run(twin, scene);
    if (looks_right(twin, seen)) return true;
    // With one server out of order in place of what was repaired: as many faults.
    const auto hosts = differing_hosts(report, seen);
    if (hosts.size() != 1) continue;
    twin.far.push_back({*hosts.begin(), FarFault::down});
    if (looks_right(twin, run(twin, scene))) return true;
  }
  return false;
}

}  // namespace callready::networks
