// DNS messages as bytes (RFC 1035 section 4): a reader that never leaves its bounds, and a writer
// that compresses names.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/util/text.hpp"

namespace callready::serve {

// In lower case and without the last dot, as names are compared (RFC 4343).
inline std::string dns_canonical(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  return lower_case(text);
}

// Reads within its bounds and remembers if it could not.
class DnsReader {
 public:
  explicit DnsReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  std::size_t position() const { return position_; }
  std::uint8_t u8() {
    if (position_ >= bytes_.size()) {
      ok_ = false;
      return 0;
    }
    return bytes_[position_++];
  }
  std::uint16_t u16() {
    const unsigned high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  void skip(std::size_t count) {
    ok_ = ok_ && count <= bytes_.size() - position_;
    position_ = ok_ ? position_ + count : bytes_.size();
  }
  // A name without pointers: a query has nothing to point to (RFC 1035 section 4.1.4).
  std::string name() {
    std::string text;
    for (;;) {
      const std::size_t size = u8();
      if (!ok_ || size == 0) return text;
      if (size > 63 || text.size() + size > 253) {
        ok_ = false;
        return text;
      }
      if (!text.empty()) text += '.';
      for (std::size_t i = 0; i < size; ++i) {
        const auto c = static_cast<char>(u8());
        ok_ = ok_ && c != '.';  // a dot inside a label cannot be told from one between labels
        text += c;
      }
    }
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

class DnsWriter {
 public:
  std::vector<std::uint8_t> bytes;
  void u8(unsigned value) { bytes.push_back(static_cast<std::uint8_t>(value)); }
  void u16(unsigned value) {
    u8(value >> 8 & 0xff);
    u8(value & 0xff);
  }
  void u32(std::uint32_t value) {
    u16(value >> 16);
    u16(value & 0xffff);
  }
  void append(std::span<const std::uint8_t> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
  }
  void text(std::string_view value) {  // <character-string>
    u8(static_cast<unsigned>(std::min<std::size_t>(value.size(), 255)));
    for (const char c : value.substr(0, 255)) u8(static_cast<unsigned char>(c));
  }
  // Compressed by suffixes that were written before, except in SRV (RFC 2782) and NAPTR (RFC 3403).
  void name(std::string_view value, bool compress) {
    while (!value.empty()) {
      const std::string suffix = dns_canonical(value);
      const auto seen = offsets_.find(suffix);
      if (compress && seen != offsets_.end()) return u16(0xc000U | seen->second);
      if (bytes.size() < 0x4000) offsets_.emplace(suffix, static_cast<unsigned>(bytes.size()));
      const auto label = value.substr(0, value.find('.'));
      u8(static_cast<unsigned>(label.size()));
      for (const char c : label) u8(static_cast<unsigned char>(c));
      value.remove_prefix(std::min(value.size(), label.size() + 1));
    }
    u8(0);
  }
  void patch(std::size_t at, std::size_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8 & 0xff);
    bytes[at + 1] = static_cast<std::uint8_t>(value & 0xff);
  }
  void cut(std::size_t size) {
    bytes.resize(size);
    std::erase_if(offsets_, [size](const auto& entry) { return entry.second >= size; });
  }

 private:
  std::map<std::string, unsigned> offsets_;
};

}  // namespace callready::serve
