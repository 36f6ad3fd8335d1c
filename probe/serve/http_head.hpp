// The head of an HTTP/1.x message (RFC 9112), for servers: parsed strictly, printed plainly.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace callready::serve {

struct HttpHead {
  std::string method, target;                 // "GET", "/ncsi.txt"
  int version = 11;                           // 10 or 11
  std::map<std::string, std::string> fields;  // names in lower case; of duplicates the last
  bool keep_alive = true;                     // RFC 9112 section 9.3
  bool has_body = false;                      // a Content-Length above zero, or chunks

  std::string field(const std::string& name) const;  // empty: not there
  // True where a field that is a list holds `token`, in any case.
  bool lists(const std::string& name, std::string_view token) const;
};

// The framing of a head: up to its empty line. Negative if it does not begin like a method.
std::ptrdiff_t http_frame(std::span<const std::uint8_t> bytes);

// Nothing if it is not HTTP/1.x, or ambiguous (two lengths, a length with chunks, no Host in 1.1).
std::optional<HttpHead> parse_http_head(std::span<const std::uint8_t> head);

struct HttpReply {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool head_only = false;  // Content-Length of the body, and no body: HEAD
  bool keep_alive = true;
};

// A reply with one line of plain text.
HttpReply text_reply(unsigned status, std::string text);

// With Date and, where the status allows a body, Content-Length.
std::vector<std::uint8_t> print_http(const HttpReply& reply);

}  // namespace callready::serve
