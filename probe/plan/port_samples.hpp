// Which ports of a host's media ranges a run tries: all that it sends to one host has to stay
// within the manners, and a range shares the samples of the ranges within it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/words.hpp"

namespace callready {

// Everything is added first, then it is asked: adding more later makes it sample again.
class PortSamples {
 public:
  // `at_most`: ports of one host, single ones and samples together; each range gets at least two.
  explicit PortSamples(int at_most) : at_most_(at_most) {}

  // A port that is tried in any case.
  void add_port(const std::string& host, Transport transport, std::uint16_t port);
  void add_range(const std::string& host, const PortRange& range);

  // The host's other ranges that lie within this one, narrowest first: their samples count for it.
  std::vector<PortRange> within(const std::string& host, const PortRange& range) const;
  // Ports of the range, ascending, equally spaced over what no range within it covers, both ends of
  // that among them. Empty where nothing is left uncovered.
  std::vector<std::uint16_t> sample(const std::string& host, const PortRange& range) const;

 private:
  struct Host {
    std::set<std::pair<Transport, std::uint16_t>> ports;
    std::set<PortRange> ranges;
    // Filled at the first question, until something is added.
    std::vector<PortRange> narrowest_first;
    std::map<PortRange, std::vector<std::uint16_t>> samples;
  };
  // The host with its samples, or null. They are taken once: each depends on all narrower ones.
  const Host* find(const std::string& host) const;
  void sample_all(Host& host) const;

  int at_most_;
  mutable std::map<std::string, Host> hosts_;
};

}  // namespace callready
