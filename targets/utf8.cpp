#include "targets/utf8.hpp"

#include <algorithm>

namespace callready {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
}

// Bytes of the character at `at`, 0 where it is malformed: the table of RFC 3629 section 4.
std::size_t character_length(std::string_view text, std::size_t at) {
  const unsigned lead = byte_at(text, at), second = byte_at(text, at + 1);
  const auto continues = [&](std::size_t i) { return (byte_at(text, at + i) & 0xc0u) == 0x80u; };
  const auto between = [&](unsigned low, unsigned high) { return low <= second && second <= high; };
  if (lead == 0) return 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80, high = lead == 0xed ? 0x9f : 0xbf;
    return between(low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80, high = lead == 0xf4 ? 0x8f : 0xbf;
    return between(low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = character_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0u) != 0x80u;
  }));
}

namespace {

// Bytes of the control character at `at`, 0 where there is another: C0 and DEL, or C1 (C2 80..9F).
std::size_t control_length(std::string_view text, std::size_t at) {
  const auto byte = byte_at(text, at);
  if (byte < 0x20 || byte == 0x7f) return 1;
  const auto next = byte_at(text, at + 1);
  return byte == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 0;
}

}  // namespace

bool has_control_characters(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\t' && text[at] != '\n' && control_length(text, at) > 0) return true;
  }
  return false;
}

std::string on_one_line(std::string text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto length = control_length(text, at);
    if (length > 0 && text[at] != '\t') text.replace(at, length, 1, ' ');
  }
  return text;
}

}  // namespace callready
