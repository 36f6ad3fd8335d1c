// A probe: one check against one endpoint over one route.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/words.hpp"

namespace callready {

// Which way a probe's packets go.
struct Route {
  std::string proxy;  // empty: direct; otherwise the proxy's URL without credentials
  bool direct() const { return proxy.empty(); }
  std::string to_string() const { return direct() ? "direct" : proxy; }
};

struct Target {
  std::string host;  // a name or an address, as the set gives it; empty: a check without endpoint
  PortRange ports;   // one port, except for `udp-range`; 0 if there is no endpoint
  std::vector<std::uint16_t> sample;  // ports of a range that are tried, ascending
  Transport transport = Transport::tcp;
  Route route;
  std::uint16_t port() const { return ports.first; }
};

struct Probe {
  std::string id;  // stable across runs, see probe_id
  CheckKind check = CheckKind::tcp;
  Target target;
  std::map<std::string, std::string> with;  // the check's own parameters
  std::string region;                       // of the host, as the set says; may be empty
  Purpose purpose = Purpose::row;
  std::string vantage;  // of a merged report: which run made it; otherwise empty
  // Measured only to give others a meaning: no row asks for it.
  bool control() const { return purpose != Purpose::row; }
};

// A parameter of the probe's check, or `otherwise` where it has none of that name.
std::string_view parameter_of(const Probe& probe, const std::string& name,
                              std::string_view otherwise = {});

// Speech and pictures go that way, or a stream like them.
inline bool carries_media(std::optional<CheckKind> check) {
  return check == CheckKind::media || check == CheckKind::udp_range || check == CheckKind::turn ||
         check == CheckKind::ice;
}

// A question to the DNS server that is the probe's target, or to the system's own resolvers: then
// the host that has the name hears nothing of it.
inline bool asks_a_dns_server(const Probe& probe) {
  return probe.check == CheckKind::dns && parameter_of(probe, "server") == "true";
}
inline bool asks_system_resolvers(const Probe& probe) {
  return probe.check == CheckKind::dns && !asks_a_dns_server(probe);
}
// The question whether another address of the host's name fares better (clients try them in turn).
inline bool asks_another_address(const Probe& probe) {
  return parameter_of(probe, "address") == "next";
}
// Our own question about what is on the way (NAT, SIP ALG): nothing has to be opened for it.
inline bool only_measures(std::optional<CheckKind> check) {
  return check == CheckKind::nat || check == CheckKind::sip_alg;
}

// "stun/udp/turn-rbx1.openrainbow.com:3478", "nat/udp" without an endpoint; with "@proxy" and
// sorted parameters where there are any. Two probes with one id are one probe.
std::string probe_id(const Probe& probe);

// For a control in a report that does not say what it is for (before 2026-11-25): as far as rules
// need it.
Purpose likely_purpose(const Probe& control);

}  // namespace callready
