#include "probe/model/ip.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "probe/util/text.hpp"

namespace callready {
namespace {

template <typename Integer>
std::optional<Integer> parse_decimal(std::string_view text, Integer max) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  const auto value = whole_number<unsigned>(text);
  if (!value || *value > max) return std::nullopt;
  return static_cast<Integer>(*value);
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  for (auto& byte : bytes) {
    const auto end = text.find('.');
    const auto octet = parse_decimal<std::uint8_t>(text.substr(0, end), 255);
    const bool last = &byte == &bytes.back();
    if (!octet || last != (end == text.npos)) return std::nullopt;
    byte = *octet;
    if (!last) text.remove_prefix(end + 1);
  }
  return bytes;
}

// One side of "::": groups of hex digits, the last of which may be an IPv4 address.
std::optional<std::vector<std::uint8_t>> parse_v6_groups(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  if (text.empty()) return bytes;
  const auto groups = split(text, ":");
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto group = groups[i];
    if (i + 1 == groups.size() && group.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(group);
      if (!v4) return std::nullopt;
      bytes.insert(bytes.end(), v4->begin(), v4->end());
      continue;
    }
    unsigned value = 0;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), value, 16);
    if (group.empty() || group.size() > 4 || error != std::errc{} ||
        end != group.data() + group.size()) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value & 0xff));
  }
  return bytes;
}

std::optional<std::array<std::uint8_t, 16>> parse_v6(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) {
    const auto all = parse_v6_groups(text);
    if (!all || all->size() != 16) return std::nullopt;
    std::copy(all->begin(), all->end(), bytes.begin());
    return bytes;
  }
  const auto head = parse_v6_groups(text.substr(0, gap));
  const auto tail = parse_v6_groups(text.substr(gap + 2));
  if (!head || !tail || head->size() + tail->size() > 14) return std::nullopt;
  if (text.substr(0, gap).find('.') != std::string_view::npos) return std::nullopt;
  std::copy(head->begin(), head->end(), bytes.begin());
  std::copy(tail->begin(), tail->end(), bytes.end() - static_cast<std::ptrdiff_t>(tail->size()));
  return bytes;
}

std::string v6_to_string(const std::array<std::uint8_t, 16>& bytes) {
  const auto group = [&](std::size_t i) {
    return static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  };
  // RFC 5952 section 4.2: the longest run of two or more zero groups, the first of equals.
  std::size_t best = 8, best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && group(i + length) == 0) ++length;
    if (length > best_length) best = i, best_length = length;
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      text += "::";
      i += best_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    char digits[4];
    const auto [end, error] = std::to_chars(digits, digits + 4, group(i), 16);
    static_cast<void>(error);  // four hex digits always fit
    text.append(digits, end);
  }
  return text;
}

// Whether its first bits, 16 at most, are those of `first`.
bool begins(const IpAddress& address, unsigned first, int bits) {
  const unsigned own = address.bytes()[0] * 256U + address.bytes()[1];
  return (own ^ first) >> (16 - bits) == 0;
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes) {
  IpAddress address;
  address.version_ = 6;
  address.bytes_ = bytes;
  return address;
}

IpAddress IpAddress::of_bytes(const void* bytes, bool v6) {
  IpAddress address;
  if (v6) address.version_ = 6;
  std::copy_n(static_cast<const std::uint8_t*>(bytes), v6 ? 16 : 4, address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    if (const auto bytes = parse_v4(text)) return v4(*bytes);
    return std::nullopt;
  }
  if (const auto bytes = parse_v6(text)) return v6(*bytes);
  return std::nullopt;
}

std::string IpAddress::to_string() const {
  if (is_v6()) return v6_to_string(bytes_);
  return std::to_string(bytes_[0]) + '.' + std::to_string(bytes_[1]) + '.' +
         std::to_string(bytes_[2]) + '.' + std::to_string(bytes_[3]);
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return begins(*this, 0x7f00, 8);
  decltype(bytes_) one{};
  one.back() = 1;
  return bytes_ == one;
}

bool IpAddress::is_unspecified() const { return bytes_ == decltype(bytes_){}; }

bool IpAddress::is_private() const {
  if (is_v6()) return begins(*this, 0xfc00, 7);
  return begins(*this, 0x0a00, 8) || begins(*this, 0xac10, 12) || begins(*this, 0xc0a8, 16);
}

bool IpAddress::is_shared() const { return is_v4() && begins(*this, 0x6440, 10); }

bool IpAddress::is_link_local() const {
  return is_v4() ? begins(*this, 0xa9fe, 16) : begins(*this, 0xfe80, 10);
}

bool IpAddress::is_multicast() const {
  return is_v4() ? begins(*this, 0xe000, 4) : begins(*this, 0xff00, 8);
}

bool IpAddress::is_special() const {
  if (is_loopback() || is_unspecified() || is_private() || is_shared() || is_link_local() ||
      is_multicast()) {
    return true;
  }
  return is_v4() && (begins(*this, 0x0000, 8) || begins(*this, 0xf000, 4));
}

std::optional<IpAddress> IpAddress::plus(std::uint64_t offset) const {
  IpAddress sum = *this;
  std::uint64_t carry = offset;
  for (std::size_t i = static_cast<std::size_t>(bits() / 8); i-- > 0 && carry != 0;) {
    const std::uint64_t value = sum.bytes_[i] + (carry & 0xff);
    sum.bytes_[i] = static_cast<std::uint8_t>(value & 0xff);
    carry = (carry >> 8) + (value >> 8);
  }
  if (carry != 0) return std::nullopt;
  return sum;
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const auto prefix =
      parse_decimal<std::uint8_t>(text.substr(slash + 1), address->is_v4() ? 32 : 128);
  if (!prefix) return std::nullopt;
  return Network{*address, *prefix};
}

Network Network::masked() const {
  auto bytes = address.bytes();
  for (int bit = prefix; bit < address.bits(); ++bit) {
    bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(0x80u >> (bit % 8)));
  }
  const auto cleared = address.is_v6() ? IpAddress::v6(bytes)
                                       : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
  return Network{cleared, prefix};
}

bool Network::aligned() const { return masked().address == address; }

bool Network::contains(const IpAddress& other) const {
  if (other.is_v4() != address.is_v4()) return false;
  const auto whole = static_cast<std::size_t>(prefix / 8);
  const auto &own = address.bytes(), &its = other.bytes();
  if (!std::equal(own.begin(), own.begin() + whole, its.begin())) return false;
  return prefix % 8 == 0 || (own[whole] ^ its[whole]) >> (8 - prefix % 8) == 0;
}

IpAddress Network::last() const {
  auto bytes = masked().address.bytes();
  for (int bit = prefix; bit < address.bits(); ++bit) {
    bytes[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(0x80u >> (bit % 8));
  }
  return address.is_v6() ? IpAddress::v6(bytes)
                         : IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

std::string Network::to_string() const {
  return address.to_string() + '/' + std::to_string(prefix);
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = IpAddress::parse(trimmed(text.substr(0, dash)));
  const auto last = IpAddress::parse(trimmed(text.substr(dash + 1)));
  if (!first || !last || first->is_v4() != last->is_v4() || *last < *first) return std::nullopt;
  return AddressRange{*first, *last};
}

bool AddressRange::contains(const IpAddress& other) const {
  return other.is_v4() == first.is_v4() && first <= other && other <= last;
}

std::string AddressRange::to_string() const { return first.to_string() + '-' + last.to_string(); }

std::optional<PortRange> PortRange::parse(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_decimal<std::uint16_t>(text.substr(0, dash), 65535);
  if (!first || *first == 0) return std::nullopt;
  if (dash == std::string_view::npos) return PortRange{*first, *first};
  const auto last = parse_decimal<std::uint16_t>(text.substr(dash + 1), 65535);
  if (!last || *last < *first) return std::nullopt;
  return PortRange{*first, *last};
}

std::string PortRange::to_string() const {
  if (single()) return std::to_string(first);
  return std::to_string(first) + '-' + std::to_string(last);
}

std::string comma_separated(const std::vector<PortRange>& ranges) {
  std::string text;
  for (const auto& range : ranges) text += (text.empty() ? "" : ", ") + range.to_string();
  return text;
}

std::string authority(std::string_view host, std::uint16_t port) {
  return authority(host, PortRange{port, port});
}

std::string authority(std::string_view host, const PortRange& ports) {
  std::string text(host);
  if (host.find(':') != host.npos) text = '[' + text + ']';
  return text + ':' + ports.to_string();
}

}  // namespace callready
