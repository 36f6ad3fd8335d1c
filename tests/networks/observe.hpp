// What a check would see on a network that is not made of datagrams, or whose servers would have to
// be written for it: the same steps as the check takes (checks/*.cpp), and the same observation.
// The other checks over UDP run as they are (checks.cpp). Nothing here knows what diagnosis makes
// of it.
#pragma once

#include "probe/model/report.hpp"
#include "tests/networks/traffic.hpp"
#include "tests/networks/words.hpp"

namespace callready::networks {

// An observation, and when it was there.
struct Seen {
  Observation observation;
  double ended_ms = 0;
  double first_reply_ms = 0;  // of what answered; else as `ended_ms`
};

inline Seen failed(Seen seen, std::string_view detail) {
  say(seen.observation, Outcome::failed, detail);
  return seen;
}

class Observer {
 public:
  Observer(const networks::Network& network, const Internet& internet)
      : traffic_(network, internet) {}

  const Traffic& traffic() const { return traffic_; }

  // Of one request, whatever the protocol.
  struct Heard {
    enum Kind { nothing, answer, refused, prohibited, expired } kind = nothing;
    double took_ms = 0;  // since the first packet, or until it was given up
    int attempts = 0;
    IpAddress sender;          // of an ICMP error; else unset
    const Box* box = nullptr;  // that answered in the far end's place
    // Why nothing was answered, in details' words; the first of what had been connected.
    std::string_view broken_off(std::string_view timed_out) const;
    std::string_view reason() const;
  };
  struct Connection {
    Heard heard;
    bool stands = false;
    const Box* box = nullptr;  // that took it
    bool proxied = false;
    double at_ms = 0;   // when it stood, or was given up
    std::string fault;  // of the certificates that were shown there
    bool taken_by(BoxKind kind) const { return box != nullptr && box->kind == kind; }
  };
  struct Resolved {
    std::optional<IpAddress> address;
    std::string detail;
    double took_ms = 0;
  };
  struct Job {
    const Probe& probe;
    IpAddress address;
    double at_ms;
    std::string with(const std::string& name, std::string fallback = {}) const;
  };

  Resolved resolve(const std::string& host, double at_ms);
  // What comes back for one packet, and after how long.
  Heard send(const Packet& packet, double at_ms, int ttl = whole_way);
  Connection connect(const IpAddress& to, std::uint16_t port, double at_ms, int ttl = whole_way,
                     double timeout_ms = 3500);

  Seen tcp(Job job);
  Seen tls(Job job);
  Seen tls_hello(Job job);
  Seen sip_long(Job job);
  Seen http(Job job);
  Seen stun(Job job);
  Seen turn(Job job);
  Seen quic(Job job);
  Seen sip(Job job);
  Seen sip_alg(Job job);
  Seen path(Job job);
  Seen ipv6(Job job);
  Seen proxy(Job job);
  Seen dns(Job job);

 private:
  Heard ask(const Packet& packet, double at_ms, std::span<const double> times, double patience_ms,
            int ttl = whole_way);
  Heard ask_udp(Packet packet, double at_ms, std::size_t sends = 4, double patience_ms = 2500);
  // An exchange over a connection that stands: nothing where it works. `trips`: how often it goes
  // there and back.
  Heard exchange(const Connection& connection, Packet packet, double timeout_ms, int trips = 1);
  // One request over it, and when that ended; beyond a proxy all is well.
  Heard request(const Job& job, const Connection& connection, Payload payload, Seen& seen);
  Connection open(Job& job, Seen& seen);
  bool open_tls(Job& job, Connection& connection, Seen& seen);
  // A connection, with TLS where the target speaks it; false where one of the two failed.
  bool open_stream(Job& job, Connection& connection, Seen& seen);
  Connection through_proxy(Job& job, Seen& seen);
  std::string certificates(const Job& job, const Connection& connection, Observation& seen);
  Heard ask_once(const Job& job, const Packet& request, Seen& seen, std::size_t sends = 4,
                 double patience_ms = 2500);
  Seen over_stun(Job& job, Payload payload, bool& answered);

  void record(Observation& observation, const Heard& heard) const;
  void mapped_address(Observation& observation, const Job& job) const;
  Packet packet(const Job& job, Payload payload);

  Traffic traffic_;
};

}  // namespace callready::networks
