#include "probe/net/nat64.hpp"

#include <array>

namespace callready {
namespace {

// Bits 64 to 71 are not part of the address (RFC 6052 section 2.2).
constexpr std::size_t reserved_byte = 8;
// The longest first: a shorter one could hold the same bytes by chance.
constexpr std::array prefixes = {96, 64, 56, 48, 40, 32};

std::array<std::size_t, 4> positions(int prefix) {
  std::array<std::size_t, 4> places{};
  auto at = static_cast<std::size_t>(prefix / 8);
  for (auto& place : places) {
    if (at == reserved_byte) ++at;
    place = at++;
  }
  return places;
}

}  // namespace

std::optional<Network> nat64_prefix(const IpAddress& answer) {
  if (!answer.is_v6()) return std::nullopt;
  for (const int prefix : prefixes) {
    const auto places = positions(prefix);
    const auto byte = [&](std::size_t i) { return answer.bytes()[places[i]]; };
    const bool well_known =
        byte(0) == 192 && byte(1) == 0 && byte(2) == 0 && (byte(3) == 170 || byte(3) == 171);
    if (well_known) return Network{answer, prefix}.masked();
  }
  return std::nullopt;
}

IpAddress nat64_address(const Network& prefix, const IpAddress& v4) {
  auto bytes = prefix.masked().address.bytes();
  const auto places = positions(prefix.prefix);
  for (std::size_t i = 0; i < places.size(); ++i) bytes[places[i]] = v4.bytes()[i];
  return IpAddress::v6(bytes);
}

}  // namespace callready
