// A coturn on loopback for one test.
#pragma once

#include "probe/serve/certificates.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready::test {

struct CoturnOptions {
  std::vector<std::string> arguments;  // in addition to the usual ones: "--no-udp-relay"
  bool tls = false;                    // with a certificate of `authority` for "localhost"
  bool allow_loopback_peers = true;    // relays may send to 127.0.0.1
  bool v6 = false;                     // on ::1, with relays there; otherwise on 127.0.0.1
};

class Coturn {
 public:
  static bool available() { return !installed("turnserver").empty(); }

  // Waits until it listens; throws with its log if it does not within 5 s.
  explicit Coturn(asio::io_context& context, const CoturnOptions& options);

  SocketAddress address() const { return {address_, port_}; }  // UDP and TCP
  SocketAddress tls_address() const { return {address_, tls_port_}; }
  std::string ca_file() const { return folder_.path() + "/ca.pem"; }
  std::string log() const { return process_->log(); }

 private:
  TemporaryFolder folder_;
  IpAddress address_;
  std::uint16_t port_ = 0, tls_port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

#define CALLREADY_NEEDS_COTURN()                                                       \
  if (!callready::test::Coturn::available()) {                                         \
    GTEST_SKIP() << "coturn is not installed (Debian: apt install coturn); this test " \
                    "holds the check against a real server";                           \
  }

}  // namespace callready::test
