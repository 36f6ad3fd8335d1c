// IP addresses, networks, address ranges and port ranges as values: parsing, printing, membership.
// No sockets; used by target sets, plans and reports alike.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callready {

// An IPv4 or IPv6 address without zone. IPv4 occupies the first four bytes.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  static IpAddress v6(std::array<std::uint8_t, 16> bytes);
  // As it stands in packets and in the system's structures: 4 bytes, or 16.
  static IpAddress of_bytes(const void* bytes, bool v6);
  // Dotted quad, or RFC 4291 text. Nothing else ("127.1", "1.2.3.4/8", "fe80::1%eth0") is accepted.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const { return version_ == 4; }
  bool is_v6() const { return version_ == 6; }
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  int bits() const { return is_v4() ? 32 : 128; }
  std::string to_string() const;  // RFC 5952 for IPv6

  bool is_loopback() const;     // 127/8, ::1
  bool is_unspecified() const;  // 0.0.0.0, ::
  bool is_private() const;      // RFC 1918; RFC 4193 fc00::/7
  bool is_shared() const;       // RFC 6598 100.64/10: carrier NAT
  bool is_link_local() const;   // 169.254/16, fe80::/10
  bool is_multicast() const;
  // True where no host of the public Internet can have this address.
  bool is_special() const;

  // The address `offset` above this one, or nothing past the end of the address space.
  std::optional<IpAddress> plus(std::uint64_t offset) const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::uint8_t version_ = 4;
  std::array<std::uint8_t, 16> bytes_{};
};

// A CIDR prefix. `parse` accepts only aligned ones unless told otherwise (a document's slip is kept
// with both readings, see targets/README.md).
struct Network {
  IpAddress address;
  int prefix = 32;

  static std::optional<Network> parse(std::string_view text);
  bool aligned() const;    // no host bits set
  Network masked() const;  // host bits cleared
  bool contains(const IpAddress& other) const;
  IpAddress first() const { return masked().address; }
  IpAddress last() const;
  std::string to_string() const;
  friend auto operator<=>(const Network&, const Network&) = default;
};

struct AddressRange {
  IpAddress first, last;  // same family, first <= last

  static std::optional<AddressRange> parse(std::string_view text);  // "a.b.c.d-e.f.g.h"
  bool contains(const IpAddress& other) const;
  std::string to_string() const;
  friend auto operator<=>(const AddressRange&, const AddressRange&) = default;
};

// Below are the system ports (RFC 6335, section 6); firewalls' rules often begin here.
inline constexpr std::uint16_t first_user_port = 1024;

struct PortRange {
  std::uint16_t first = 0, last = 0;  // 1 <= first <= last

  static std::optional<PortRange> parse(std::string_view text);  // "443" or "10000-20000"
  bool single() const { return first == last; }
  bool contains(std::uint16_t port) const { return first <= port && port <= last; }
  bool overlaps(const PortRange& other) const { return first <= other.last && other.first <= last; }
  unsigned count() const { return static_cast<unsigned>(last - first) + 1; }
  std::string to_string() const;
  friend auto operator<=>(const PortRange&, const PortRange&) = default;
};

// "443, 5000-5100"
std::string comma_separated(const std::vector<PortRange>& ranges);

// "host:port" or "host:first-last", with brackets around an IPv6 address (RFC 3986 section 3.2).
std::string authority(std::string_view host, std::uint16_t port);
std::string authority(std::string_view host, const PortRange& ports);

}  // namespace callready
