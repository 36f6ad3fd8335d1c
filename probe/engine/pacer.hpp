// When a probe may start, so that a run does not look like an attack (docs/design.md, "Time, load
// and manners"). Pure: it is given the time, keeps a small history, and reads no clock.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
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

  // The request has ended: a silent host was sent retransmissions until now, and a connection's
  // last packets leave a little later, so its windows begin then.
  void note_end(const PacedRequest& request, Instant ended);

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

// A number at once, and then a number each second.
class Rate {
 public:
  Rate(int at_once, int a_second);
  // Now: they are on record. Later: nothing is reserved. More than `at_once` wait until all before
  // them are paid for.
  Instant take(int count, Instant now);

 private:
  int at_once_;
  Instant::duration each_;
  Instant paid_{};  // until when those on record have used up their time
};

// The bounds that hold for every set, at any pace: how many packets one destination and all of them
// together get, and how many names are looked up. Pure, like the pacer.
class RequestBudget {
 public:
  explicit RequestBudget(PaceLimits limits);

  // When they may be sent. Now: they are on record; later: nothing is reserved; nothing: never in
  // this run. More than a window allows wait for an empty one.
  std::optional<Instant> request(const std::string& destination, int packets, Instant now);
  std::optional<Instant> lookup(Instant now);

 private:
  struct Destination {
    std::deque<std::pair<Instant, int>> latest;  // within the window
    int in_window = 0, in_run = 0;
  };
  PaceLimits limits_;
  std::map<std::string, Destination> destinations_;
  Rate packet_rate_, lookup_rate_;
  int packets_ = 0, lookups_ = 0;
};

}  // namespace callready
