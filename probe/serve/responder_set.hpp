// The target set of a responder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probe/model/ip.hpp"

namespace callready::serve {

// Where everything listens.
struct ResponderPorts {
  std::uint16_t stream = 0;
  std::vector<PortRange> media, tcp, tls;
  std::optional<std::uint16_t> stun, sip, sips;
  std::optional<std::uint16_t> call;  // UDP, of WebRTC calls that are made at the first of `tls`
  bool discovery = false;             // the STUN server has another address and port (RFC 5780)
};

struct ResponderIdentity {
  std::string name;        // a name or an address
  std::string public_key;  // of its certificate: SHA-256 in hexadecimal
  std::string today;       // YYYY-MM-DD
};

// As YAML (targets/README.md).
std::string responder_set(const ResponderPorts& ports, const ResponderIdentity& identity);

}  // namespace callready::serve
