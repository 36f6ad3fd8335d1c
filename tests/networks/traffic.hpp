// What becomes of a packet on a network: pure but for chance, which comes from the network's own
// number, and for what devices remember (flows, hosts met, ICMP answers given).
#pragma once

#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "probe/model/observation.hpp"
#include "probe/model/probe.hpp"
#include "tests/networks/network.hpp"

namespace callready::networks {

inline constexpr int whole_way = 64;  // a TTL that reaches every destination

// The site's own resolver: within the site, or the provider's.
IpAddress outside_resolver();
IpAddress resolver_of(const networks::Network& network);

struct Packet {
  Proto proto = Proto::udp;
  IpAddress to;
  std::uint16_t port = 0, from = 0;
  Payload payload = Payload::none;
  std::string_view name{};  // that a TLS greeting carries
  int bytes = 100;
};

Proto proto_of(const Target& target);
bool connects(const ProxyBox& proxy, const Probe& probe);

// What became of a packet.
struct Fate {
  enum Kind { arrives, expires, dropped, lost, prohibited, refused, taken } kind = arrives;
  int hop = 0;               // where
  const Box* box = nullptr;  // by whom
};

// Which ports of which addresses somebody listens on, and what names mean.
class Internet {
 public:
  void listen(const std::string& host, Proto proto, PortRange ports);
  static IpAddress address_of(const std::string& host);
  bool listens(const IpAddress& address, Proto proto, std::uint16_t port) const;

 private:
  std::map<std::pair<IpAddress, bool>, std::vector<PortRange>> open_;
};

class Traffic {
 public:
  Traffic(const networks::Network& network, const Internet& internet);

  const networks::Network& network() const { return network_; }
  const Internet& internet() const { return internet_; }
  int last_router() const { return static_cast<int>(network_.hops.size()) + 1; }
  // The address of the router at that distance, from 1, on the way to `to`.
  IpAddress router(int hop, const IpAddress& to) const;

  // Without chance and without memory: what would always become of it.
  Fate always(const Packet& packet, int ttl = whole_way) const { return beyond(packet, 0, ttl); }
  // The same beyond that router, whose own boxes it has passed.
  Fate beyond(const Packet& packet, int hop, int ttl = whole_way) const;
  // The same for a connection opened at that router, and for whatever takes it and opens another.
  Fate carried_on(const Packet& packet, int hop) const;
  // Which box answers in the end if `box` took the connection: the last of several.
  const Box* last_taker(const Packet& packet, const Box* box) const;
  // At that time, with losses, limits and bans.
  Fate send(const Packet& packet, double at_ms, int ttl = whole_way);
  // Whether the reply comes back; it may be lost by chance.
  bool comes_back(const Packet& packet);
  const Box* swallows_replies(const Packet& packet) const;
  // True if whatever stopped the packet says so by ICMP (it was refused, or its TTL ended; both
  // use up one budget), and that error arrives.
  bool says_so(const Fate& fate, const IpAddress& to, double at_ms);
  // The address from which it says so.
  IpAddress signer(const Fate& fate, const IpAddress& to) const;
  // One chance on the line, for what was sent last. The same packet has the same luck in another
  // network, whatever else is sent there: twins (twin.hpp) differ by their boxes only.
  bool lost_out() { return chance(network_.loss_out); }
  bool lost_in() { return chance(network_.loss_in); }
  void sends(const Packet& packet, int ttl = whole_way);

  // There and back to the host, or to the router at that distance.
  double round_trip(const IpAddress& to) const;
  double round_trip_to(int hop) const;

  // Our address and port as the far end sees them.
  SocketAddress mapped(std::uint16_t local, const SocketAddress& to) const;
  const Box* find(BoxKind kind) const { return network_.find(kind); }
  std::optional<FarFault> far(const IpAddress& address) const;
  // True if the far end is up and listens for that packet.
  bool is_served(const Packet& packet) const;
  std::uint16_t new_port() { return next_port_++; }
  // For packets that end on the way: their number must not change other flows' ports.
  std::uint16_t new_port_on_the_way() { return next_port_on_the_way_++; }

 private:
  struct Addresses {
    explicit Addresses(const Match& of);
    const Match& match;
    std::vector<IpAddress> single;  // sorted
    std::vector<callready::Network> networks;
  };
  bool matches(std::size_t box, const Packet& packet) const;
  std::optional<Fate::Kind> act(std::size_t box, const Packet& packet) const;
  bool stops(std::size_t box, const Packet& packet, double at_ms);
  bool chance(double p);

  const networks::Network& network_;
  const Internet& internet_;
  std::vector<std::size_t> order_;  // of the boxes: a portal lets nobody take what it shuts out
  std::vector<std::vector<Addresses>> addresses_, spared_;  // of each box's matches
  std::map<IpAddress, FarFault> far_;
  std::map<IpAddress, int> mute_;               // MuteWay::from
  std::uint64_t luck_ = 0;                      // of the packet that was sent last
  std::map<std::uint64_t, int> sent_so_often_;  // by what it is
  std::uint16_t next_port_ = 40'000, next_port_on_the_way_ = 20'000;
  // What devices remember.
  using Flow = std::tuple<Proto, IpAddress, std::uint16_t, std::uint16_t>;
  struct Memory {
    std::set<Flow> flows;
    std::map<long, int> new_flows;         // by second
    std::multimap<double, IpAddress> met;  // when which host was sent to
    double banned_since = std::numeric_limits<double>::infinity();
  };
  std::map<std::size_t, Memory> memory_;  // by box
  struct Answers {
    double left = 0, at_ms = 0;
  };
  std::map<IpAddress, Answers> answers_;  // by router
};

}  // namespace callready::networks
