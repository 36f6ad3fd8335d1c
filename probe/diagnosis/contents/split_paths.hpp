// As whom servers outside see this site over UDP, and over TCP.
#pragma once

#include <optional>

#include "probe/diagnosis/facts.hpp"

namespace callready::findings {

// IPv4 only: with IPv6 a computer has several addresses of its own.
struct SplitPaths {
  IpAddress udp_address, tcp_address;
  std::vector<const ProbeResult*> udp, tcp;  // by which each was seen
};

// Nothing where both are one, or where one protocol alone was seen as several: a pool, several
// lines.
std::optional<SplitPaths> split_paths(const Facts& facts);

}  // namespace callready::findings
