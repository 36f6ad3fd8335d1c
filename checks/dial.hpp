// Opens the connection that a check over TCP or TLS needs, by its route, and writes down on the way
// what was learnt: the local address, the timings, the certificate.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

// A segment without any option that every path carries (RFC 9293 section 3.7.1), in bytes.
inline constexpr int small_segment = 536;

struct DialOptions {
  bool tls = false;
  std::vector<std::string> alpn;
  std::size_t hello_padding = 0;  // bytes, see TlsOptions
  int segment = 0;                // bytes of one at most, see ConnectOptions; not through a proxy
};

struct Dialled {
  std::unique_ptr<Stream> stream;  // null: failed, and the observation says how
  std::optional<Failure> failure;  // what it was, where it failed
  TlsInfo tls;                     // where TLS was asked for
};

// `skipped` with "far_end_busy": a far end of ours turned this away by limits of its own
// (far_end.hpp), and of the network that says nothing.
void record_busy(Observation& observation);

// As record(), where a connection stood: from then on silence is a broken protocol (`failed` with
// that detail), not an absent host.
void record_connected(Observation& observation, const Failure& failure, DetailCode silence);

// Where nothing came back: says that it was not waited for as long as usual.
void note_short_wait(Observation& observation, milliseconds waited);

// On failure the outcome, detail and evidence are set. On success the outcome is `connected`, the
// round trip is that of the TCP handshake, and `timing_ms` has "connect" and, for TLS, "handshake".
// Through a proxy (proxy_route.hpp) the address is the proxy's, the far end's round trip is not
// known, and "tunnel" is the time until the tunnel stood. A doubtful job has the time of two SYNs
// (timeouts::silent_host_connect): evidence "short_wait" where that was not enough.
asio::awaitable<Dialled> dial(Context& context, Job job, DialOptions options,
                              Observation& observation);

// What came after repetitions: evidence "retransmitted", because each repetition is likely
// a lost packet; a TCP connection counts those of its handshake.
void add_loss_evidence(Observation& observation, int attempts);

}  // namespace callready::checks
