// A kamailio on loopback, over UDP, TCP and TLS, that answers with the status that the host of the
// Request-URI names: "s403.test", "s404.test", "s500.test" and "s603.test" get theirs,
// "silent.test" nothing, all others 200.
#pragma once

#include <memory>

#include "probe/net/address.hpp"
#include "tests/support/child_process.hpp"

namespace callready::test {

class Kamailio {
 public:
  static bool available() { return !installed("kamailio").empty(); }

  // Throws with kamailio's log if it does not come up.
  explicit Kamailio(asio::io_context& context);
  SocketAddress address(Transport transport) const;
  std::string ca_file() const { return folder_.path() + "/ca.pem"; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<ChildProcess> process_;
  std::uint16_t port_ = 0, tls_port_ = 0;
};

}  // namespace callready::test
