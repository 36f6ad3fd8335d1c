// A fixed set of checks for the loader's tests: the kinds that vendor sets use. The real registry
// is in checks/, which this room does not know.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "targets/load_rules.hpp"
#include "tests/support/source_folder.hpp"

namespace callready::test {

inline LoadRules rules() {
  const auto udp = Transport::udp, tcp = Transport::tcp, tls = Transport::tls;
  const ParameterRule path{"path", "path of the page, \"/\" where left out"};
  const ParameterRule name{"name", "the name to look up"};
  return {{
      {.kind = CheckKind::dns,
       .transports = {udp, tcp},
       .parameters = {{"type", "A, AAAA, SRV"}},
       .needs_target = false},
      {.kind = CheckKind::tcp, .transports = {tcp}, .needs_ports = true},
      {.kind = CheckKind::tls,
       .transports = {tcp, tls},
       .parameters = {{"issuer", "expected issuer"}},
       .needs_ports = true},
      {.kind = CheckKind::http,
       .transports = {tcp, tls},
       .parameters = {path, {"upgrade", "websocket"}, {"issuer", "expected issuer"}},
       .needs_ports = true},
      {.kind = CheckKind::proxy,
       .transports = {tcp, tls},
       .parameters = {name},
       .needs_ports = true},
      {.kind = CheckKind::stun, .transports = {udp, tcp, tls}, .needs_ports = true},
      {.kind = CheckKind::turn,
       .transports = {udp, tcp, tls},
       .parameters = {{"realm", "its realm"}},
       .needs_ports = true},
      {.kind = CheckKind::udp_range, .transports = {udp}, .needs_ports = true},
      {.kind = CheckKind::sip,
       .transports = {udp, tcp, tls},
       .parameters = {{"domain", "SIP domain"}},
       .needs_ports = true},
      {.kind = CheckKind::nat,
       .transports = {udp},
       .parameters = {{"other", "a second STUN server"}},
       .needs_ports = true},
      {.kind = CheckKind::sip_alg, .transports = {udp, tcp}, .needs_ports = true},
      {.kind = CheckKind::ntp, .transports = {udp}, .needs_ports = true},
      {.kind = CheckKind::path, .needs_target = false},
  }};
}

inline std::string folder(const std::string& name) {
  return test::source_folder() + "/tests/targets/" + name;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace callready::test
