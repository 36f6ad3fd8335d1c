#include "probe/serve/http_head.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>

#include "probe/util/text.hpp"

namespace callready::serve {
namespace {

namespace http = boost::beast::http;

// IMF-fixdate (RFC 9110 section 5.6.7), in English whatever the locale.
std::string http_date(std::time_t when) {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm parts = fmt::gmtime(when);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                     months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

std::string HttpHead::field(const std::string& name) const {
  const auto found = fields.find(lower_case(name));
  return found == fields.end() ? std::string() : found->second;
}

bool HttpHead::lists(const std::string& name, std::string_view token) const {
  return http::token_list(field(name)).exists(token);
}

std::ptrdiff_t http_frame(std::span<const std::uint8_t> bytes) {
  const auto text = as_text(bytes);
  if (text.empty()) return 0;
  if (text[0] < 'A' || text[0] > 'Z') return -1;
  const auto end = text.find("\r\n\r\n");
  return end == std::string_view::npos ? 0 : static_cast<std::ptrdiff_t>(end + 4);
}

std::optional<HttpHead> parse_http_head(std::span<const std::uint8_t> bytes) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(64 * 1024);  // the caller's bound is smaller
  boost::system::error_code error;
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error || !parser.is_header_done()) return std::nullopt;
  const auto& message = parser.get();
  HttpHead head;
  head.method = std::string(message.method_string());
  head.target = std::string(message.target());
  head.version = static_cast<int>(message.version());
  if (head.version != 10 && head.version != 11) return std::nullopt;
  for (const auto& field : message) {
    head.fields[lower_case(field.name_string())] = std::string(field.value());
  }
  // RFC 9112 section 3.2: a server must refuse a request without Host, or with two.
  if (head.version == 11 && message.count(http::field::host) != 1) return std::nullopt;
  head.keep_alive = message.keep_alive();
  head.has_body = message.chunked() || (parser.content_length() && *parser.content_length() > 0);
  return head;
}

HttpReply text_reply(unsigned status, std::string text) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(text);
  reply.fields.emplace_back("Content-Type", "text/plain");
  return reply;
}

std::vector<std::uint8_t> print_http(const HttpReply& reply) {
  const auto reason = http::obsolete_reason(http::int_to_status(reply.status));
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", reply.status,
                  std::string_view(reason.data(), reason.size()), http_date(std::time(nullptr)));
  for (const auto& [name, value] : reply.fields) text += name + ": " + value + "\r\n";
  const bool bodiless = reply.status < 200 || reply.status == 204;
  if (!bodiless) {
    text += fmt::format("Content-Length: {}\r\n", reply.body.size());
    if (!reply.keep_alive) text += "Connection: close\r\n";
  }
  text += "\r\n";
  if (!bodiless && !reply.head_only) text += reply.body;
  return {text.begin(), text.end()};
}

}  // namespace callready::serve
