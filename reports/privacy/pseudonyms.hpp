// Stable pseudonyms for real names, from a keyed digest: with the key, the same name can be made
// again; without it, nobody can find the real one by trying. Pure. Internal to reports/.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "probe/model/ip.hpp"

namespace callready {

// HMAC-SHA-256 (RFC 2104) of a text, with a key that only the caller knows.
using KeyedDigest = std::function<std::array<std::uint8_t, 32>(std::string_view)>;

class Pseudonyms {
 public:
  explicit Pseudonyms(KeyedDigest digest);

  // "hmac-sha256:1a2b3c4d": distinguishes keys without revealing them.
  std::string key_name() const;

  // Private IPv4 becomes an address in 240.0.0.0/4, which no network uses: 10/8 one in 240/8,
  // 172.16/12 in 241/8, 192.168/16 in 242/8, 100.64/10 in 243/8, 169.254/16 in 244/8. These are
  // prefix-preserving at every length, and no two collide. Public IPv4 becomes an address in 248/6,
  // IPv6 one in 2001:db8::/32, where addresses that shared a /64 still do. Loopback, the
  // unspecified address and multicast stay: they are the same everywhere.
  IpAddress address(const IpAddress& real) const;
  Network network(const Network& real) const;
  std::string mac(std::string_view real) const;  // locally administered: 02:..

  // "host-1a2b3c4d" for a single label; "host-1a2b3c4d.domain-5e6f7a8b.invalid" for a longer name.
  // Case does not matter.
  std::string host(std::string_view real) const;
  // "KIND-1a2b3c4d".
  std::string word(std::string_view kind, std::string_view real) const;

 private:
  std::array<std::uint8_t, 32> digest(std::string_view kind, std::string_view value) const;
  std::uint32_t permuted(std::string_view kind, std::uint32_t value, int bits) const;
  IpAddress v4(const IpAddress& real) const;
  IpAddress v6(const IpAddress& real) const;

  KeyedDigest digest_;
  mutable std::map<IpAddress, IpAddress> known_;
};

}  // namespace callready
