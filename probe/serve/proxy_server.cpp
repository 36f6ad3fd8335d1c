#include "probe/serve/proxy_server.hpp"

#include <algorithm>

#include "probe/serve/http_head.hpp"
#include "probe/util/base64.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::serve {
namespace {

// Two streams that end together. Both directions hold it.
struct Tunnel {
  Tunnel(std::shared_ptr<Connection> from, std::unique_ptr<TcpStream> to, std::size_t budget)
      : client(std::move(from)), upstream(std::move(to)), bytes_left(budget) {
    subscription = client->scope.stop.subscribe([this] { stop.stop(); });
    if (client->scope.stop.stopped()) stop.stop();
  }
  ~Tunnel() { client->scope.stop.unsubscribe(subscription); }
  Tunnel(const Tunnel&) = delete;

  Scope scope() { return {client->scope.clock, stop}; }

  std::shared_ptr<Connection> client;
  std::unique_ptr<TcpStream> upstream;
  std::size_t bytes_left;
  StopSignal stop;
  StopSignal::Handle subscription;
};

// Until either end closes: then what was under way is sent, and both are closed (RFC 9110 section
// 9.3.6).
asio::awaitable<void> pump(std::shared_ptr<Tunnel> tunnel, bool outward) {
  Stream* client = tunnel->client->stream.get();
  Stream* upstream = tunnel->upstream.get();
  Stream* from = outward ? client : upstream;
  Stream* to = outward ? upstream : client;
  const auto scope = tunnel->scope();
  const auto ends = tunnel->client->ends;
  std::array<std::uint8_t, 4'096> chunk;
  while (tunnel->bytes_left > 0) {
    const auto size = co_await from->read_some(chunk, scope, ends);
    if (size.has_error()) break;
    const auto allowed = std::min(*size, tunnel->bytes_left);
    tunnel->bytes_left -= allowed;
    const auto part = std::span<const std::uint8_t>(chunk).first(allowed);
    const auto written = co_await to->write(part, scope, ends);
    if (written.has_error()) break;
  }
  tunnel->stop.stop();
}

bool is_authorised(const ProxyOptions& options, const HttpHead& head) {
  if (options.user.empty()) return true;
  const auto given = head.field("Proxy-Authorization");
  const auto space = given.find(' ');
  if (space == std::string::npos) return false;
  const auto scheme = lower_case(given.substr(0, space));
  const auto token = given.substr(given.find_first_not_of(' ', space));
  const auto right = base64(options.user + ':' + options.password);
  return scheme == "basic" && is_same_secret(token, right);
}

// The endpoint, or why not.
boost::system::result<SocketAddress, HttpReply> decide(const ProxyOptions& options,
                                                       const HttpHead& head) {
  if (!is_authorised(options, head)) {
    auto reply = text_reply(407, "this proxy wants a user and a password\n");
    reply.fields.emplace_back("Proxy-Authenticate", "Basic realm=\"callready\"");
    return reply;
  }
  if (head.method != "CONNECT") {
    auto reply = text_reply(405, "this proxy supports only CONNECT\n");
    reply.fields.emplace_back("Allow", "CONNECT");
    return reply;
  }
  const auto found = options.allowed.find(lower_case(head.target));
  if (found == options.allowed.end()) return text_reply(403, "this proxy does not go there\n");
  return found->second;
}

asio::awaitable<void> carry(std::shared_ptr<Connection> connection,
                            std::unique_ptr<TcpStream> upstream, std::size_t budget) {
  static constexpr std::string_view established = "HTTP/1.1 200 Connection established\r\n\r\n";
  const auto head = bytes_of(established);
  const auto tunnel = std::make_shared<Tunnel>(connection, std::move(upstream), budget);
  const auto scope = tunnel->scope();
  const auto deadline = connection->deadline();
  const auto told = co_await connection->stream->write(head, scope, deadline);
  if (told.has_error()) co_return;
  // What the client sent without waiting for the reply.
  const auto early = std::move(connection->unread);
  tunnel->bytes_left -= std::min(tunnel->bytes_left, early.size());
  if (!early.empty()) {
    const auto sent = co_await tunnel->upstream->write(early, scope, deadline);
    if (sent.has_error()) co_return;
  }
  asio::co_spawn(connection->executor, pump(tunnel, false), asio::detached);
  co_await pump(tunnel, true);
}

asio::awaitable<void> serve_proxy(std::shared_ptr<Connection> connection,
                                  std::shared_ptr<const ProxyOptions> options) {
  const Framing framing = &http_frame;
  for (int served = 1; served <= connection->limits.requests; ++served) {
    const auto bytes = co_await read_message(*connection, framing);
    std::optional<HttpHead> head;
    if (!bytes.has_error()) {
      head = parse_http_head(*bytes);
    } else if (bytes.error().kind != FailureKind::malformed &&
               bytes.error().kind != FailureKind::oversized) {
      co_return;
    }
    auto reply = text_reply(400, "not a request of HTTP/1.1\n");
    reply.keep_alive = false;
    if (head) {
      const auto decided = decide(*options, *head);
      if (decided.has_value()) {
        const auto endpoint = *decided;
        const ConnectOptions connect_options;
        auto upstream = co_await connect_tcp(connection->executor, connection->scope, endpoint,
                                             connect_options);
        if (!upstream.has_error()) {
          auto stream = std::move(*upstream);
          co_await carry(connection, std::move(stream), options->tunnel_bytes);
          co_return;
        }
        const bool late = upstream.error().kind == FailureKind::timed_out;
        reply = text_reply(late ? 504 : 502, upstream.error().text + "\n");
      } else {
        reply = decided.error();
      }
      reply.keep_alive =
          head->keep_alive && !head->has_body && served < connection->limits.requests;
      reply.head_only = head->method == "HEAD";
    }
    const auto printed = print_http(reply);
    const auto deadline = connection->deadline();
    const auto written = co_await connection->stream->write(printed, connection->scope, deadline);
    if (written.has_error() || !reply.keep_alive) co_return;
  }
}

}  // namespace

Result<std::shared_ptr<ProxyServer>> ProxyServer::start(const asio::any_io_executor& executor,
                                                        const SocketAddress& bind,
                                                        ProxyOptions options) {
  const auto shared = std::make_shared<const ProxyOptions>(std::move(options));
  const Serve serve = [shared](std::shared_ptr<Connection> connection) {
    return serve_proxy(std::move(connection), shared);
  };
  auto service = StreamService::start(executor, bind, serve, nullptr, shared->limits);
  if (service.has_error()) return service.error();
  return std::shared_ptr<ProxyServer>(new ProxyServer(std::move(*service)));
}

}  // namespace callready::serve
