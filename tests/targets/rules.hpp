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
  return {{
      {.kind = CheckKind::dns,
       .transports = {udp, tcp},
       .parameters = {"type"},
       .needs_ports = false,
       .needs_target = false},
      {.kind = CheckKind::tcp, .transports = {tcp}},
      {.kind = CheckKind::tls, .transports = {tcp, tls}, .parameters = {"issuer"}},
      {.kind = CheckKind::http,
       .transports = {tcp, tls},
       .parameters = {"path", "upgrade", "issuer"}},
      {.kind = CheckKind::proxy, .transports = {tcp, tls}, .parameters = {"name"}},
      {.kind = CheckKind::stun, .transports = {udp, tcp, tls}},
      {.kind = CheckKind::turn, .transports = {udp, tcp, tls}, .parameters = {"realm"}},
      {.kind = CheckKind::udp_range, .transports = {udp}},
      {.kind = CheckKind::sip, .transports = {udp, tcp, tls}, .parameters = {"domain"}},
      {.kind = CheckKind::nat, .transports = {udp}, .parameters = {"other"}},
      {.kind = CheckKind::sip_alg, .transports = {udp, tcp}},
      {.kind = CheckKind::ntp, .transports = {udp}},
      {.kind = CheckKind::path, .needs_ports = false, .needs_target = false},
  }};
}

inline std::string folder(const std::string& name) {
  return test::source_folder() + "/tests/targets/" + name;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string printed(const std::vector<Problem>& problems) {
  std::string text;
  for (const auto& problem : problems) text += problem.to_string() + '\n';
  return text;
}

}  // namespace callready::test
