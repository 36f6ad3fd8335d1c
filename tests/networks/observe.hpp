// What checks would see on a network if they do not use datagrams, or if servers would have to be
// written for them: models that take the same steps (checks/*.cpp) and make the same observation.
// The other checks over UDP run as they are (checks.cpp). Nothing here knows of the diagnosis.
#pragma once

#include "checks/check.hpp"
#include "tests/networks/traffic.hpp"

namespace callready::networks {

// How long a check waits for TLS, and for an answer over a connection.
inline constexpr double tls_ms = 3000, reply_ms = 2500;

// What came of one request, whatever the protocol.
struct Heard {
  enum Kind { nothing, answer, refused, prohibited, expired } kind = nothing;
  double took_ms = 0;  // since the first packet, or until it was given up
  int attempts = 0;
  IpAddress sender;          // of an ICMP error; otherwise unset
  const Box* box = nullptr;  // that answered in the far end's place, or stopped it
  // As a socket would report it.
  IcmpError icmp() const;
  Failure failure() const;
  // Why a connection broke off.
  DetailCode broken_off(DetailCode timed_out) const {
    return kind == refused ? DetailCode::connection_reset : timed_out;
  }
};

// A connection and its outcome; `box` is the one that holds it in the end.
struct Connection : Heard {
  double at_ms = 0;  // when it was established, or given up
  bool stands() const { return kind == answer; }
  bool taken_by(BoxKind one) const { return box != nullptr && box->kind == one; }
};

// Requests and connections over the network.
class Observer : public Traffic {
 public:
  using Traffic::Traffic;

  Resolution resolve(const std::string& host, double at_ms);
  // What comes back for one packet, and after how long.
  Heard hear(const Packet& packet, double at_ms, int ttl = whole_way);
  Heard ask_udp(Packet packet, double at_ms, std::size_t sends = 4, double patience_ms = 2500);
  Connection connect(const IpAddress& to, std::uint16_t port, double at_ms, int ttl = whole_way,
                     double timeout_ms = 3500);
  // Over a connection that stands. `trips`: how often it goes there and back.
  Heard exchange(const Connection& connection, Packet packet, double timeout_ms, int trips = 1);

 private:
  Heard from_far_end(const Packet& packet);
  Heard ask(const Packet& packet, double at_ms, std::span<const double> times, double patience_ms,
            int ttl = whole_way);
};

// One check that begins at that time: what it sees, and when.
class ModelledCheck {
 public:
  ModelledCheck(Observer& network, const checks::Job& job, double at_ms)
      : net_(network), job_(job), address_(job.address.value_or(IpAddress{})), at_ms_(at_ms) {}

  Observation observation;
  double ended_ms = 0;
  double first_reply_ms = 0;  // if something answered; otherwise the same as `ended_ms`

  void tcp();
  void tls();
  void tls_hello();
  void sip_long();
  void http();
  void stun();
  void turn();
  void quic();
  void sip();
  void sip_alg();
  void path();
  void ipv6();
  void proxy();
  void dns();

 private:
  void say(Outcome outcome, Detail detail) { checks::set_outcome(observation, outcome, detail); }
  void fail(Detail detail) { say(Outcome::failed, detail); }
  void show(EvidenceKind kind, FactMap facts) {
    checks::add_evidence(observation, kind, {}, std::move(facts));
  }
  void show_mapped_address();

  // Steps of a check; false if one fails, and the observation then says how.
  bool open();
  bool open_through_proxy();
  bool open_tls();
  bool open_stream();  // a connection, with TLS where the target speaks it
  bool answers_stun(Payload payload);

  // One request over UDP, or over the connection; beyond a proxy nothing goes wrong.
  Heard ask_once(const Packet& request, std::size_t sends = 4, double patience_ms = 2500);
  Heard request(Payload payload);
  void look_at_certificates();
  // Our own address and port, and how the far end sees them.
  std::pair<SocketAddress, SocketAddress> own_end() const;
  const Target& target() const { return job_.probe.target; }
  bool over_tls() const { return target().transport == Transport::tls; }
  bool direct() const { return target().route.direct(); }
  Packet packet(Payload payload);

  Observer& net_;
  checks::Job job_;
  IpAddress address_;  // the one that is probed
  double at_ms_;
  Connection connection_;
  DetailCode fault_ = DetailCode::unspecified;  // of an established connection's certificates
};

}  // namespace callready::networks
