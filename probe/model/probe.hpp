// A probe: one check against one endpoint over one route.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/words.hpp"

namespace callready {

// Which way a probe's packets go.
struct Route {
  std::string proxy;  // empty: direct; else the proxy's URL without credentials
  bool direct() const { return proxy.empty(); }
  std::string to_string() const { return direct() ? "direct" : proxy; }
};

struct Target {
  std::string host;  // a name or an address, as the set gives it; empty: a check without endpoint
  PortRange ports;   // one port, but for `udp-range`; 0 where there is no endpoint
  std::vector<std::uint16_t> sample;  // ports of a range that are tried, ascending
  Transport transport = Transport::tcp;
  Route route;
  std::uint16_t port() const { return ports.first; }
};

// Why a probe is made; all but the first two are questions of a second round.
enum class Purpose {
  row,                // a set's row asks for it
  control,            // gives others a meaning
  name_elsewhere,     // what do other resolvers say of a name?
  way_out,            // do packets to that port leave the site?
  neighbour,          // is that host alive at all?
  repeat,             // does what answered at first answer still?
  other_server_name,  // is it the name in the greeting that is cut off?
  servers_word,       // what does the server itself say?
  proxys_issuer,      // does a private issuer beyond the proxy sign for everybody?
  other_sip_port,     // does a port that no SIP ALG knows fare better?
};

struct Probe {
  std::string id;  // stable across runs, see probe_id
  CheckKind check = CheckKind::tcp;
  Target target;
  std::map<std::string, std::string> with;  // the check's own parameters
  std::string region;                       // of the host, as the set says; may be empty
  Purpose purpose = Purpose::row;
  bool control = false;  // measured only to give others a meaning: not a row's
  std::string vantage;   // of a merged report: which run made it; else empty
};

// "stun/udp/turn-rbx1.openrainbow.com:3478", "nat/udp" without an endpoint; with "@proxy" and
// sorted parameters where there are any. Two probes with one id are one probe.
std::string probe_id(const Probe& probe);

// Of a probe of a saved report, which does not hold it: those purposes that a rule asks for.
Purpose saved_purpose(const Probe& probe);

}  // namespace callready
