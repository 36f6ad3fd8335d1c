#include "reports/privacy/pseudonyms.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/util/text.hpp"

namespace callready {
namespace {

std::uint32_t number(const IpAddress& address) {
  const auto& b = address.bytes();
  return static_cast<std::uint32_t>(b[0]) << 24 | static_cast<std::uint32_t>(b[1]) << 16 |
         static_cast<std::uint32_t>(b[2]) << 8 | b[3];
}

IpAddress v4_of(std::uint32_t n) {
  return IpAddress::v4({static_cast<std::uint8_t>(n >> 24), static_cast<std::uint8_t>(n >> 16),
                        static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
}

// Address blocks that every site reuses, and the first byte of their pseudonyms.
struct Block {
  std::uint32_t network;
  int prefix;
  std::uint32_t first_byte;
  std::string_view kind;
};
constexpr std::array<Block, 5> blocks{{
    {0x0A000000, 8, 240, "10/8"},         // RFC 1918
    {0xAC100000, 12, 241, "172.16/12"},   // RFC 1918
    {0xC0A80000, 16, 242, "192.168/16"},  // RFC 1918
    {0x64400000, 10, 243, "100.64/10"},   // RFC 6598
    {0xA9FE0000, 16, 244, "169.254/16"},  // RFC 3927
}};

constexpr std::uint32_t low_bits(int bits) { return bits >= 32 ? 0xFFFFFFFFU : (1U << bits) - 1; }

bool the_same_everywhere(const IpAddress& address) {
  const auto broadcast = IpAddress::v4({255, 255, 255, 255});
  return address.is_loopback() || address.is_unspecified() || address.is_multicast() ||
         address == broadcast;
}

}  // namespace

Pseudonyms::Pseudonyms(KeyedDigest digest) : digest_(std::move(digest)) {}

std::array<std::uint8_t, 32> Pseudonyms::digest(std::string_view kind,
                                                std::string_view value) const {
  std::string message(kind);
  message += '\0';
  message += value;
  return digest_(message);
}

std::string Pseudonyms::key_name() const {
  const auto d = digest("key", "");
  return fmt::format("hmac-sha256:{:02x}{:02x}{:02x}{:02x}", d[0], d[1], d[2], d[3]);
}

std::string Pseudonyms::word(std::string_view kind, std::string_view real) const {
  const auto d = digest(kind, lower_case(real));
  return fmt::format("{}-{:02x}{:02x}{:02x}{:02x}", kind, d[0], d[1], d[2], d[3]);
}

std::string Pseudonyms::host(std::string_view real) const {
  const auto dot = real.find('.');
  if (dot == std::string_view::npos) return word("host", real);
  return fmt::format("{}.{}.invalid", word("host", real.substr(0, dot)),
                     word("domain", real.substr(dot + 1)));
}

std::string Pseudonyms::mac(std::string_view real) const {
  std::string digits;
  for (const char c : lower_case(real)) {
    if (c != ':' && c != '-' && c != '.') digits += c;
  }
  const auto d = digest("mac", digits);
  return fmt::format("02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", d[0], d[1], d[2], d[3], d[4]);
}

// Each bit is flipped or not depending on the bits before it: values share their first n bits if
// and only if they did before (the construction of Crypto-PAn, Xu et al. 2002).
std::uint32_t Pseudonyms::permuted(std::string_view kind, std::uint32_t value, int bits) const {
  std::uint32_t result = 0;
  for (int i = bits - 1; i >= 0; --i) {
    const auto before = i == 31 ? 0 : value >> (i + 1);
    const auto turn = digest(kind, fmt::format("{}/{}", before, bits - 1 - i))[0] & 1U;
    result |= ((value >> i & 1U) ^ turn) << i;
  }
  return result;
}

IpAddress Pseudonyms::v4(const IpAddress& real) const {
  const auto value = number(real);
  for (const auto& block : blocks) {
    const auto host_bits = 32 - block.prefix;
    if ((value & ~low_bits(host_bits)) != block.network) continue;
    return v4_of(block.first_byte << 24 |
                 permuted(block.kind, value & low_bits(host_bits), host_bits));
  }
  const auto d = digest("v4", real.to_string());
  const auto low = static_cast<std::uint32_t>(d[0]) << 24 | static_cast<std::uint32_t>(d[1]) << 16 |
                   static_cast<std::uint32_t>(d[2]) << 8 | d[3];
  return v4_of(248U << 24 | (low & low_bits(26)));
}

IpAddress Pseudonyms::v6(const IpAddress& real) const {
  const auto& bytes = real.bytes();
  const auto mapped = IpAddress::parse("::ffff:0:0").value_or(IpAddress{});
  if (std::equal(bytes.begin(), bytes.begin() + 12, mapped.bytes().begin())) {
    // RFC 4291, section 2.5.5.2: an IPv4-mapped IPv6 address.
    const auto inner = address(IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]}));
    auto out = bytes;
    std::copy_n(inner.bytes().begin(), 4, out.begin() + 12);
    return IpAddress::v6(out);
  }
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto prefix = digest("v6 prefix", all.substr(0, 8)), own = digest("v6", all);
  std::array<std::uint8_t, 16> out{0x20, 0x01, 0x0d, 0xb8};
  std::copy_n(prefix.begin(), 4, out.begin() + 4);
  std::copy_n(own.begin(), 8, out.begin() + 8);
  return IpAddress::v6(out);
}

IpAddress Pseudonyms::address(const IpAddress& real) const {
  if (the_same_everywhere(real)) return real;
  const auto known = known_.find(real);
  if (known != known_.end()) return known->second;
  const auto made = real.is_v4() ? v4(real) : v6(real);
  known_.emplace(real, made);
  return made;
}

Network Pseudonyms::network(const Network& real) const {
  if (real.prefix < 8) return real;  // "everything" and the like reveal nothing about a site
  return Network{address(real.masked().address), real.prefix}.masked();
}

}  // namespace callready
