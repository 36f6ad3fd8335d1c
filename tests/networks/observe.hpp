// What each check would see on a network: the same steps as the check takes (checks/*.cpp), packet
// by packet, and the same observation. Nothing here knows what diagnosis makes of it.
#pragma once

#include <map>

#include "probe/model/report.hpp"
#include "probe/model/round_trips.hpp"
#include "tests/networks/traffic.hpp"

namespace callready::networks {

// An observation, and when it was there.
struct Seen {
  Observation observation;
  double ended_ms = 0;
  double first_reply_ms = 0;  // of what answered; else as `ended_ms`
};

// One run on one network. Probes are to be made in the order of their beginnings.
class Observer {
 public:
  Observer(const networks::Network& network, const Internet& internet)
      : traffic_(network, internet) {}

  Seen observe(const Probe& probe, double at_ms);
  Traffic& traffic() { return traffic_; }
  // A TCP listener that the run connects to at its beginning.
  void expect(const std::string& host, std::uint16_t port) { listeners_.emplace_back(host, port); }

 private:
  // Of one request, whatever the protocol.
  struct Heard {
    enum Kind { nothing, answer, refused, prohibited, expired } kind = nothing;
    IpAddress sender;  // of an ICMP error; else unset
    bool icmp = false;
    const Box* box = nullptr;  // that answered in the far end's place
    double took_ms = 0;        // since the first packet, or until it was given up
    int attempts = 0;
    std::optional<double> round_trip;
  };
  struct Connection {
    Heard heard;
    bool stands = false;
    const Box* box = nullptr;  // that took it
    bool proxied = false;
    double at_ms = 0;  // when it stood, or was given up
  };
  struct Resolved {
    std::optional<IpAddress> address;
    Outcome outcome = Outcome::unresolved;
    std::string detail;
    double took_ms = 0;
  };
  struct Job {
    const Probe& probe;
    IpAddress address;
    double at_ms;
    std::string with(const std::string& name) const;
  };
  // probe/net/site_edge.cpp
  using Routers = std::map<int, IpAddress>;  // by TTL
  struct End {
    int ttl = 0;
    IpAddress address;
    friend bool operator==(const End&, const End&) = default;
  };
  struct Climb {
    Proto proto = Proto::udp;
    IpAddress to;
    std::uint16_t port = 0;
    Routers routers;
    std::map<int, double> round_trips;  // to those
    std::optional<End> refused;         // the first TTL at which a device said no, and who
    bool taken_near = false;
    double ended_ms = 0;
  };
  // A hop, and a flow that gets there.
  struct Way {
    End hop;
    Climb climb;
    std::optional<Climb> refused{};  // of the target's own climb: beyond the hop
  };
  struct Expired {
    enum Kind { nothing, expired, prohibited, port_unreachable, taken, reset } kind = nothing;
    IpAddress sender;
    bool asked = false;
    bool control_answered = false;
    double ended_ms = 0;
  };
  // probe/net/site_edge.hpp, SiteEdge::Need
  enum class Need { decides, confirms, supports, another_host, rounds_off };

  Resolved resolve(const std::string& host, double at_ms);
  Heard ask_udp(Packet packet, double at_ms, int sends = 4, double patience_ms = 2500);
  Connection connect(const IpAddress& to, std::uint16_t port, double at_ms, int ttl = whole_way,
                     double timeout_ms = 3500);
  // An exchange over a connection that stands: nothing where it works. `trips`: how often it goes
  // there and back.
  Heard exchange(const Connection& connection, Packet packet, double timeout_ms, int trips = 1);
  Connection open(Job& job, Seen& seen);
  bool open_tls(Job& job, Connection& connection, Seen& seen);
  bool through_proxy(Job& job, Connection& connection, Seen& seen);
  std::string certificates(const Job& job, const Connection& connection, Observation& seen);

  // `hasty`: over with the first answer from beyond the edge.
  Climb climb(Proto proto, const IpAddress& to, std::uint16_t port, int from, double at_ms,
              bool hasty = false);
  // Of ICMP errors, by the round trips that are known at that time; and of one that may become
  // more.
  double icmp_patience(double at_ms) const;
  double growing_patience(double at_ms) const;
  void find_trunk(double& at_ms);
  bool search_trunk(double& at_ms, double limit_ms);
  bool trunk_is_told() const;
  void search(const IpAddress& target, double& at_ms);
  std::optional<End> farthest(const Climb& climb) const;
  std::optional<Way> end_of_trunk(const IpAddress& target) const;
  std::optional<Way> known_way_to(const IpAddress& target) const;
  std::optional<Way> way_to(const IpAddress& target) const;
  // `at_ms` becomes when that was known.
  std::optional<Way> find_way(const IpAddress& target, std::uint16_t port, double& at_ms,
                              bool& by_this_call);
  // Who turned away the packets of a climb with UDP to that target and port.
  std::optional<IpAddress> refused_climb(const IpAddress& target, std::uint16_t port) const;
  Expired ask_edge(Packet packet, Need need, double at_ms, double until_ms,
                   const PortRange* row = nullptr);
  bool find_unspent_hop(Way& way, bool& nearer) const;
  bool passed(const PortRange& row) const;
  int far_from_begun(int port) const;
  Expired ask_at(const Packet& packet, const End& hop, const Climb& climb, double patience_ms,
                 double at_ms);
  Expired expire(const Packet& packet, int ttl, double at_ms, double patience_ms);
  void ask_who_refused(const Job& job, Packet packet, Seen& seen);

  Heard ask_once(const Job& job, Packet& request, Seen& seen);
  Seen over_stun(Job& job, Payload payload, bool& answered);

  Seen tcp(Job job);
  Seen tls(Job job);
  Seen tls_hello(Job job);
  Seen sip_long(Job job);
  Seen http(Job job);
  Seen stun(Job job);
  Seen count_stun_answers(const Job& job);
  Seen turn(Job job);
  Seen ntp(Job job);
  Seen quic(Job job);
  Seen sip(Job job);
  Seen sip_alg(Job job);
  Seen nat(Job job);
  Seen udp_range(Job job);
  Seen hop(Job job);
  Seen path(Job job);
  Seen ipv6(Job job);
  Seen proxy(Job job);
  Seen dns(Job job);

  void record(Observation& observation, const Heard& heard) const;
  void mapped_address(Observation& observation, const Job& job) const;
  Packet packet(const Job& job, Payload payload);

  Traffic traffic_;
  std::map<IpAddress, Climb> climbs_;
  std::vector<std::pair<std::string, std::uint16_t>> listeners_;
  std::optional<std::vector<Climb>> trunk_;  // to listeners, once that was tried
  std::optional<std::pair<IpAddress, std::uint16_t>> over_udp_;  // the first climb over UDP
  int searches_ = 0;
  bool any_listener_ = false;
  std::map<IpAddress, int> heard_;  // ICMP errors of each router
  // By address, and whether below 1024: a TCP port to which a SYN got as far; 0: none yet.
  std::map<std::pair<IpAddress, bool>, std::uint16_t> syns_that_pass_;
  std::set<std::uint16_t> begun_;   // UDP ports that ranges began with
  std::set<std::uint16_t> passed_;  // UDP ports of packets that got as far as any
  struct Wave {
    double at_ms;
    End hop;
    bool answered;  // the control was
    double ended_ms;
  };
  std::vector<Wave> waves_;
  std::vector<std::pair<double, double>> round_trips_;  // of connections: when known, how long
  int refusals_ = 0;
  std::set<std::pair<bool, std::uint16_t>> refused_near_;
};

}  // namespace callready::networks
