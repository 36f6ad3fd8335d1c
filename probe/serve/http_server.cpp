#include "probe/serve/http_server.hpp"

#include "probe/net/http.hpp"
#include "probe/serve/http_head.hpp"
#include "probe/util/text.hpp"

namespace callready::serve {
namespace {

HttpReply upgrade(const HttpHead& head) {
  const auto key = head.field("Sec-WebSocket-Key");
  const bool asked = head.lists("Upgrade", "websocket") && head.lists("Connection", "upgrade");
  // 16 bytes in base64 are 24 characters (RFC 6455 section 4.2.1).
  if (!asked || key.size() != 24 || head.field("Sec-WebSocket-Version") != "13") {
    auto reply = text_reply(426, "WebSocket only\n");
    reply.fields.emplace_back("Upgrade", "websocket");
    reply.fields.emplace_back("Connection", "Upgrade");
    reply.fields.emplace_back("Sec-WebSocket-Version", "13");
    return reply;
  }
  HttpReply reply;
  reply.status = 101;
  reply.fields.emplace_back("Upgrade", "websocket");
  reply.fields.emplace_back("Connection", "Upgrade");
  reply.fields.emplace_back("Sec-WebSocket-Accept", websocket_accept(key));
  return reply;
}

HttpReply answer(const HttpOptions& options, const HttpHead& head) {
  if (head.method != "GET" && head.method != "HEAD") {
    auto reply = text_reply(405, "GET and HEAD only\n");
    reply.fields.emplace_back("Allow", "GET, HEAD");
    return reply;
  }
  const auto path = head.target.substr(0, head.target.find('?'));
  if (contains(options.websocket_paths, path) && head.method == "GET") return upgrade(head);
  const auto page = options.pages.find(path);
  if (page == options.pages.end()) return text_reply(404, "no such page\n");
  HttpReply reply;
  reply.status = page->second.status;
  reply.body = page->second.body;
  reply.fields.emplace_back("Content-Type", page->second.content_type);
  if (!page->second.location.empty()) reply.fields.emplace_back("Location", page->second.location);
  return reply;
}

// After the upgrade: whatever the client says, or its silence, ends with a Close frame of ours (RFC
// 6455 section 5.5.1, code 1000).
asio::awaitable<void> close_websocket(std::shared_ptr<Connection> connection) {
  std::array<std::uint8_t, 256> chunk;
  if (connection->unread.empty()) {
    const auto deadline = connection->deadline();
    const auto size = co_await connection->stream->read_some(chunk, connection->scope, deadline);
    if (size.has_error() && size.error().kind != FailureKind::timed_out) co_return;
  }
  static constexpr std::array<std::uint8_t, 4> close{0x88, 0x02, 0x03, 0xe8};
  const auto deadline = connection->scope.clock.now() + connection->limits.idle;
  co_await connection->stream->write(close, connection->scope, deadline);
}

asio::awaitable<void> serve_http(std::shared_ptr<Connection> connection,
                                 std::shared_ptr<const HttpOptions> options) {
  const Framing framing = &http_frame;
  for (int served = 1; served <= connection->limits.requests; ++served) {
    const auto bytes = co_await read_message(*connection, framing);
    HttpReply reply;
    bool upgraded = false;
    if (bytes.has_error()) {
      const auto kind = bytes.error().kind;
      if (kind == FailureKind::oversized) {
        reply = text_reply(431, "the request's head is too long\n");
      } else if (kind == FailureKind::malformed) {
        reply = text_reply(400, "not HTTP\n");
      } else {
        co_return;
      }
      reply.keep_alive = false;
    } else {
      const auto head = parse_http_head(*bytes);
      if (head) {
        reply = answer(*options, *head);
        reply.head_only = head->method == "HEAD";
        reply.keep_alive =
            head->keep_alive && !head->has_body && served < connection->limits.requests;
        upgraded = reply.status == 101;
      } else {
        reply = text_reply(400, "not a request of HTTP/1.1\n");
        reply.keep_alive = false;
      }
    }
    if (!options->server.empty()) reply.fields.emplace_back("Server", options->server);
    const auto printed = print_http(reply);
    const auto deadline = connection->deadline();
    const auto written = co_await connection->stream->write(printed, connection->scope, deadline);
    if (written.has_error()) co_return;
    if (upgraded) {
      co_await close_websocket(connection);
      co_return;
    }
    if (!reply.keep_alive) co_return;
  }
}

}  // namespace

Result<std::shared_ptr<HttpServer>> HttpServer::start(const asio::any_io_executor& executor,
                                                      const SocketAddress& bind,
                                                      HttpOptions options) {
  const auto shared = std::make_shared<const HttpOptions>(std::move(options));
  const Serve serve = [shared](std::shared_ptr<Connection> connection) {
    return serve_http(std::move(connection), shared);
  };
  auto service = StreamService::start(executor, bind, serve, shared->tls, shared->limits);
  if (service.has_error()) return service.error();
  return std::shared_ptr<HttpServer>(new HttpServer(std::move(*service)));
}

}  // namespace callready::serve
