// Opens the connection that a check over TCP or TLS needs, over its route, and records what it
// learns on the way: the local address, the timings, the certificate.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

// The segment size in bytes that every path carries: the default MSS (RFC 9293 section 3.7.1).
inline constexpr int small_segment = 536;

struct DialOptions {
  bool tls = false;
  std::vector<std::string> alpn;
  std::size_t hello_padding = 0;  // bytes, see TlsOptions
  int segment = 0;                // maximum in bytes, see ConnectOptions; not through a proxy
};

struct Dialled {
  std::unique_ptr<Stream> stream;  // null: failed, and the observation says how
  std::optional<Failure> failure;  // why, if it failed
  TlsInfo tls;                     // where TLS was asked for
};

// `skipped` with "far_end_busy": a far end of ours turned this away because of its own limits
// (far_end.hpp), which says nothing about the network.
void record_busy(Observation& observation);

// As record(), for an established connection: silence on it is a broken protocol (`failed` with
// that detail), not an absent host.
void record_connected(Observation& observation, const Failure& failure, DetailCode silence);

// With a request over UDP; less where the job is doubtful.
UdpPatience patience_for(const Job& job);

// If nothing came back to a doubtful job: notes that the wait was shorter than usual.
void note_short_wait(Observation& observation, const Job& job, milliseconds waited);

// On failure the outcome, detail and evidence are set; "not_tls" where what came was not TLS. On
// success the outcome is `connected`, the round trip is that of the TCP handshake, and `timing_ms`
// has "connect" and, for TLS, "handshake". Through a proxy (proxy_route.hpp) the address is the
// proxy's, the far end's round trip is not known, and "tunnel" is the time until the tunnel stood.
// A doubtful job gets the time of two SYNs (timeouts::silent_host_connect): evidence "short_wait"
// if that was not enough.
asio::awaitable<Dialled> dial(Context& context, Job job, DialOptions options,
                              Observation& observation);

// Evidence "retransmitted" for what took several attempts, because each repetition probably means
// a lost packet; for a TCP connection those of its handshake count.
void add_loss_evidence(Observation& observation, int attempts);

}  // namespace callready::checks
