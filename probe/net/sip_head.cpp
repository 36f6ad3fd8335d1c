#include "probe/net/sip_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace callready::sip {
namespace {

// RFC 3261 section 7.3.3.
std::string full_name(std::string_view name) {
  auto text = lower_case(name);
  if (text.size() != 1) return text;
  constexpr std::pair<char, std::string_view> forms[] = {
      {'i', "call-id"}, {'m', "contact"}, {'l', "content-length"}, {'f', "from"},
      {'t', "to"},      {'v', "via"},     {'c', "content-type"}};
  for (const auto& [letter, full] : forms) {
    if (text[0] == letter) return std::string(full);
  }
  return text;
}

// Section 25.1: token.
bool is_token(std::string_view text) {
  constexpr std::string_view others = "-.!%*_+`'~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

bool is_version(std::string_view text) { return lower_case(text) == "sip/2.0"; }

bool read_status_line(std::string_view line, Head& head) {
  // "SIP/2.0 200 OK"; the reason may be empty, its blank may not.
  if (line.size() < 12 || line[7] != ' ' || line[11] != ' ') return false;
  const auto code = line.substr(8, 3);
  const auto [end, error] = std::from_chars(code.data(), code.data() + 3, head.status);
  if (error != std::errc() || end != code.data() + 3) return false;
  head.reason = line.substr(12);
  return head.status >= 100 && head.status <= 699;
}

Result<void> add_content_length(std::string_view value, Head& head) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  const bool digits = end == value.data() + value.size() && !value.empty();
  if (digits && (error == std::errc::result_out_of_range || length > max_message)) {
    return malformed("a Content-Length of more than 65,535");
  }
  if (!digits || error != std::errc()) return malformed("a Content-Length that is no number");
  if (head.content_length && *head.content_length != length) {
    return malformed("two different Content-Length headers");
  }
  head.content_length = length;
  return {};
}

}  // namespace

StartLine start_line_kind(std::string_view line) {
  if (line.size() >= 8 && line[7] == ' ' && is_version(line.substr(0, 7))) return StartLine::reply;
  // Section 7.1: method, one URI, version, with single blanks.
  const auto last = line.rfind(' ');
  if (last != std::string_view::npos && is_version(line.substr(last + 1)) &&
      is_token(line.substr(0, line.find(' '))) && line.find(' ') != last) {
    return StartLine::request;
  }
  return StartLine::other;
}

Result<Head> split_head(std::span<const std::uint8_t> message) {
  const auto text = as_text(message);
  const auto end = text.substr(0, max_head).find("\r\n\r\n");
  Head head;
  head.kind = start_line_kind(text.substr(0, std::min(text.find("\r\n"), max_head)));
  if (head.kind == StartLine::other) return malformed("not SIP");
  if (end == std::string_view::npos) {
    if (text.size() < max_head) return malformed("cut off within the headers");
    return Failure{FailureKind::oversized, "more than 16,384 bytes of headers"};
  }
  head.size = end + 4;
  const auto lines = text.substr(0, end + 2);
  if (lines.find('\0') != std::string_view::npos) return malformed("a NUL byte in the headers");
  // Parsers disagree on a lone CR or LF; RFC 3261 section 7 knows CRLF only.
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool lone_lf = lines[i] == '\n' && lines[i - 1] != '\r';
    const bool lone_cr = lines[i] == '\r' && lines[i + 1] != '\n';
    if (lone_lf || lone_cr) return malformed("a lone CR or LF in the headers");
  }
  auto at = lines.find("\r\n") + 2;
  if (head.kind == StartLine::reply && !read_status_line(lines.substr(0, at - 2), head)) {
    return malformed("a status line that breaks the grammar");
  }
  while (at < lines.size()) {
    const auto line = lines.substr(at, lines.find("\r\n", at) - at);
    at += line.size() + 2;
    // Section 7.3.1: a line that begins with a blank continues the one before.
    if (line.front() == ' ' || line.front() == '\t') {
      if (head.fields.empty()) return malformed("a header line that continues nothing");
      auto& value = head.fields.back().value;
      value += (value.empty() ? "" : " ") + std::string(trimmed(line));
      continue;
    }
    const auto colon = line.find(':');
    const auto name = trimmed(line.substr(0, colon));
    if (colon == std::string_view::npos || !is_token(name)) {
      return malformed("a header line without a name");
    }
    if (head.fields.size() == max_header_fields) {
      return Failure{FailureKind::oversized, "more than 256 headers"};
    }
    head.fields.push_back({full_name(name), std::string(trimmed(line.substr(colon + 1)))});
  }
  for (const auto& field : head.fields) {
    if (field.name != "content-length") continue;
    const auto added = add_content_length(field.value, head);
    if (added.has_error()) return added.error();
  }
  return head;
}

}  // namespace callready::sip
