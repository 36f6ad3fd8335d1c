// When a probe may start, so that a run does not look like an attack (docs/design.md, "Time, load
// and manners"). Pure: takes the time, keeps a small history, moves no clock.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "probe/net/clock.hpp"
#include "probe/plan/pace.hpp"

namespace callready {

class Pacer {
 public:
  explicit Pacer(PaceLimits limits) : limits_(limits) {}

  struct PacedRequest {
    IpAddress address;
    Transport transport = Transport::tcp;
    std::vector<std::uint16_t> ports;  // all that the probe sends to
    bool sip = false;
  };

  // Nothing: go now, the request is on record. Otherwise the time to ask again: nothing was
  // reserved, and another may have been faster. A request of more ports than a window allows waits
  // for an empty one.
  std::optional<Instant> ask(const PacedRequest& request, Instant now);

  // The request has ended: what was silent was sent to again until now, so its windows begin now.
  void note_end(const PacedRequest& request, Instant now);

 private:
  struct Host {
    Instant last{};  // latest request
    std::map<std::pair<Transport, std::uint16_t>, Instant> ports;
    Instant last_sip{};
    std::set<Transport> sip_seen;
  };
  void forget(Instant now);
  Instant when_host_is_free(const IpAddress& address, Instant now) const;
  Instant when_ports_are_free(const Host& host, const PacedRequest& request, Instant now) const;

  PaceLimits limits_;
  std::map<IpAddress, Host> hosts_;
};

}  // namespace callready
