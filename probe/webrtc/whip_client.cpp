#include "probe/webrtc/whip_client.hpp"

#include <boost/beast/http.hpp>

#include <algorithm>
#include <sstream>

#include "probe/util/text.hpp"
#include "probe/webrtc/sdp.hpp"

namespace callready::webrtc {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t most_head = 16'384, most_location = 512;
// "0", CRLF, CRLF: the end of a chunked body. Beast assumes that all of that is there once the last
// chunk's line is (boost 1.81, basic_parser.ipp:702).
constexpr std::size_t last_chunk = 5;
constexpr int most_interim = 16;

}  // namespace

struct WhipReader::Parser {
  std::optional<http::response_parser<http::string_body>> http;
  std::vector<std::uint8_t> unread;
  int interim = 0;
  bool too_long = false;  // its body; the rest is not read

  void begin() {
    http.emplace();
    http->header_limit(most_head);
    http->body_limit(most_sdp);
    http->eager(true);
  }
  bool is_interim() const {
    return http->is_done() && http->get().result_int() / 100 == 1 &&
           http->get().result() != http::status::switching_protocols;
  }
};

WhipReader::WhipReader() : parser_(std::make_unique<Parser>()) { parser_->begin(); }

WhipReader::~WhipReader() = default;

bool WhipReader::take(std::span<const std::uint8_t> bytes) {
  auto& unread = parser_->unread;
  unread.insert(unread.end(), bytes.begin(), bytes.end());
  while (!unread.empty() && !parser_->http->is_done() && !parser_->too_long) {
    auto& parser = *parser_->http;
    if (parser.is_header_done() && parser.chunked() && unread.size() < last_chunk) break;
    error_code error;
    const auto used = parser.put(asio::buffer(unread), error);
    unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(used));
    if (error == http::error::need_more) return unread.size() <= most_head;
    parser_->too_long = error == http::error::body_limit;
    if (error) return parser_->too_long;
    if (parser_->is_interim()) {
      if (++parser_->interim > most_interim) return false;
      parser_->begin();
      continue;
    }
    if (used == 0) break;
  }
  return true;
}

void WhipReader::end() {
  auto& parser = *parser_->http;
  error_code cut_off;  // then it is not done
  if (parser.is_header_done() && !parser.is_done()) parser.put_eof(cut_off);
}

std::optional<WhipReply> WhipReader::reply() const {
  const auto& parser = *parser_->http;
  const bool too_long = parser_->too_long;
  if ((!parser.is_done() && !too_long) || parser_->is_interim()) return std::nullopt;
  const auto& message = parser.get();
  WhipReply reply;
  reply.status = static_cast<int>(message.result_int());
  reply.location = std::string(message[http::field::location]);
  if (!too_long) reply.body = message.body();
  reply.too_long = too_long;
  reply.goes_on = !too_long && parser.keep_alive();
  return reply;
}

asio::awaitable<Result<WhipReply>> whip_request(Stream& stream, WhipRequest request, Scope scope,
                                                Instant deadline) {
  http::request<http::string_body> message{http::string_to_verb(request.method), request.path, 11};
  message.set(http::field::host, request.host);
  message.set(http::field::user_agent, request.user_agent);
  if (!request.token.empty()) {
    message.set(http::field::authorization, "Bearer " + request.token);
  }
  if (!request.body.empty()) message.set(http::field::content_type, "application/sdp");
  message.body() = std::move(request.body);
  message.prepare_payload();
  std::ostringstream text;
  text << message;
  const auto bytes = text.str();
  const auto written = co_await stream.write(bytes_of(bytes), scope, deadline);
  if (written.has_error()) co_return written.error();
  WhipReader reader;
  std::array<std::uint8_t, 4'096> chunk;
  for (;;) {
    const auto size = co_await stream.read_some(chunk, scope, deadline);
    if (size.has_error()) {
      if (size.error().kind == FailureKind::closed_by_peer) reader.end();
      auto ended = reader.reply();
      if (ended) co_return std::move(*ended);
      co_return size.error();
    }
    if (!reader.take(std::span(chunk).first(*size))) {
      co_return Failure{FailureKind::malformed, "not an HTTP/1.1 reply", 0, {}};
    }
    auto reply = reader.reply();
    if (reply) co_return std::move(*reply);
  }
}

std::string whip_resource(const std::string& location, const std::string& host) {
  auto path = location;
  std::string origin = "https://" + host;
  // The default port may be left out.
  const bool short_form = origin.ends_with(":443") && !path.starts_with(origin + '/');
  if (short_form) origin.resize(origin.size() - 4);
  if (path.starts_with(origin + '/')) path.erase(0, origin.size());
  const bool plain =
      path.starts_with('/') && !path.starts_with("//") && path.size() <= most_location &&
      std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c <= '~'; });
  return plain ? path : std::string();
}

}  // namespace callready::webrtc
