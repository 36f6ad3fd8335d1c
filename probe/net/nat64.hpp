// IPv4 addresses embedded in IPv6 ones for NAT64 (RFC 6052), and how to find its prefix (RFC 7050).
#pragma once

#include <optional>

#include "probe/model/ip.hpp"

namespace callready {

// The name that has 192.0.0.170 and 192.0.0.171 and no IPv6 address: where it has one, a DNS64 made
// it (RFC 7050 section 2).
inline constexpr auto nat64_name = "ipv4only.arpa";

// The prefix with which a DNS64 made this IPv6 address of that name; nothing where none did.
std::optional<Network> nat64_prefix(const IpAddress& answer);

// RFC 6052 section 2.2. `prefix` as nat64_prefix() gives it.
IpAddress nat64_address(const Network& prefix, const IpAddress& v4);

}  // namespace callready
