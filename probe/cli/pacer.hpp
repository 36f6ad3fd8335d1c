// When a probe may start, so that a run does not look like an attack (DESIGN, "Time, load and
// manners"). Pure: takes the time, keeps a small history, moves no clock.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "probe/net/clock.hpp"

namespace callready {

struct PaceLimits {
  int hosts = 24;           // distinct addresses in any `window`
  int ports_per_host = 12;  // distinct ports of one address in any `window`
  std::chrono::milliseconds window{10'000};
  // Between SIP messages to one address, beyond the first of each transport.
  std::chrono::milliseconds sip_gap{1'000};
  bool unlimited = false;  // --pace fast lifts hosts and ports; never the SIP gap
};

class Pacer {
 public:
  explicit Pacer(PaceLimits limits) : limits_(limits) {}

  struct Contact {
    IpAddress address;
    Transport transport = Transport::tcp;
    std::vector<std::uint16_t> ports;  // all that the probe sends to
    bool sip = false;
  };

  // Nothing: go now, the contact is on record. Otherwise the time to ask again: nothing was
  // reserved, and another may have been faster. A contact of more ports than a window allows waits
  // for an empty one.
  std::optional<Instant> ask(const Contact& contact, Instant now);

  // The contact has ended: what was silent was sent to again until now, so its windows begin now.
  void note_end(const Contact& contact, Instant now);

 private:
  struct Host {
    Instant last{};  // latest contact
    std::map<std::pair<Transport, std::uint16_t>, Instant> ports;
    Instant last_sip{};
    std::set<Transport> sip_seen;
  };
  void forget(Instant now);
  Instant when_host_is_free(const IpAddress& address, Instant now) const;
  Instant when_ports_are_free(const Host& host, const Contact& contact, Instant now) const;

  PaceLimits limits_;
  std::map<IpAddress, Host> hosts_;
};

}  // namespace callready
