// Opens the connection that a check over TCP or TLS needs, by its route, and writes down on the way
// what was learnt: the local address, the timings, the certificate.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

struct DialOptions {
  bool tls = false;
  std::vector<std::string> alpn;
  // Nothing is to be sent over the connection: enough that it stands. Through an https proxy there
  // is no other (its TLS is libcurl's own), and checks that need a stream are `skipped`.
  bool handshake_only = false;
};

struct Dialled {
  std::unique_ptr<Stream> stream;  // null: failed, and the observation says how
  std::optional<Failure> failure;  // what it was, where it failed
  bool stands = false;             // also where `handshake_only` gives no stream
  TlsInfo tls;                     // where TLS was asked for
};

// On failure the outcome, detail and evidence are set. On success the outcome is `connected`, the
// round trip is that of the TCP handshake, and `timing_ms` has "connect" and, for TLS, "handshake".
// Through a proxy (proxy_route.hpp) the address is the proxy's, the far end's round trip is not
// known, and "tunnel" is the time until the tunnel stood.
asio::awaitable<Dialled> dial(Context& context, Job job, DialOptions options,
                              Observation& observation);

}  // namespace callready::checks
