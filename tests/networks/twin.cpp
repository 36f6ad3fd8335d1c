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

}  // namespace

bool looks_like_it_works(const networks::Network& network, const Scene& scene, const Report& report,
                         const std::string& capability, const std::set<std::string>& by) {
  const auto twin = without(network, by);
  const auto seen = run(twin, scene);
  return look_the_same(report, seen) &&
         truth_of(twin, scene, seen).capabilities.at(capability) != Works::no;
}

}  // namespace callready::networks
