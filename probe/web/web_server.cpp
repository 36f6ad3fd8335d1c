#include "probe/web/web_server.hpp"
#include "probe/net/service_timeouts.hpp"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <array>
#include <list>
#include <map>

#include "probe/net/address.hpp"
#include "probe/net/watched.hpp"

namespace callready {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using HttpReply = http::response<http::string_body>;

constexpr std::size_t most_head = 16'384;
constexpr int most_requests = 1'000;  // of one connection

}  // namespace

std::vector<std::string_view> WebRequest::all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [its_name, value] : fields) {
    if (beast::iequals({its_name.data(), its_name.size()}, {name.data(), name.size()})) {
      values.push_back(value);
    }
  }
  return values;
}

std::string_view WebRequest::field(std::string_view name) const {
  const auto values = all(name);
  return values.size() == 1 ? values.front() : std::string_view();
}

LiveReply::LiveReply(const asio::any_io_executor& executor, std::function<void()> gone)
    : wake_(executor, std::chrono::steady_clock::time_point::max()), gone_(std::move(gone)) {}

void LiveReply::send(std::string text) {
  next_ = std::move(text);
  wake_.cancel();
}

void LiveReply::end() {
  ended_ = true;
  wake_.cancel();
}

void LiveReply::reader_has_gone() {
  end();
  if (const auto gone = std::exchange(gone_, nullptr)) gone();
}

struct WebServerCore {
  WebServerCore(const asio::any_io_executor& made_on, WebServer::Options its_options,
                WebServer::Handler its_handler)
      : executor(made_on),
        options(std::move(its_options)),
        handler(std::move(its_handler)),
        acceptor(made_on),
        ending(made_on) {}

  // All connections have ended, or they were given up.
  void finish() {
    ending.cancel();
    if (auto tell = std::exchange(ended, nullptr)) asio::post(executor, std::move(tell));
  }

  asio::any_io_executor executor;
  WebServer::Options options;
  WebServer::Handler handler;
  tcp::acceptor acceptor;
  std::list<std::function<void()>> open;     // how each connection is closed
  std::map<IpAddress, std::size_t> clients;  // how many of them each address has
  bool stopped = false;
  std::function<void()> ended;
  asio::steady_timer ending;
};

namespace {

using Core = std::shared_ptr<WebServerCore>;

IpAddress client_of(const tcp::socket& socket) {
  error_code gone;
  return from_endpoint(socket.remote_endpoint(gone)).address;
}

// An open connection: counted, and closed with the server.
class Listed {
 public:
  Listed(Core core, const tcp::socket& socket, std::function<void()> close)
      : core_(std::move(core)), client_(client_of(socket)) {
    place_ = core_->open.insert(core_->open.end(), std::move(close));
    ++core_->clients[client_];
  }
  ~Listed() {
    core_->open.erase(place_);
    if (--core_->clients[client_] == 0) core_->clients.erase(client_);
    if (core_->stopped && core_->open.empty()) core_->finish();
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  Core core_;
  IpAddress client_;
  std::list<std::function<void()>>::iterator place_;
};

HttpReply make_reply(const WebReply& from) {
  HttpReply reply{http::int_to_status(from.status), 11};
  reply.set(http::field::server, "callready");
  reply.set(http::field::content_type, from.content_type);
  reply.set("X-Content-Type-Options", "nosniff");
  reply.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : from.fields) reply.set(name, value);
  reply.body() = from.body;
  return reply;
}

asio::awaitable<WebReply> answer_of(Core core, WebRequest request) {
  struct Pending {
    explicit Pending(const asio::any_io_executor& executor) : wake(executor) {
      wake.expires_at(std::chrono::steady_clock::time_point::max());
    }
    asio::steady_timer wake;  // used as a condition
    std::optional<WebReply> reply;
  };
  const auto pending = std::make_shared<Pending>(core->executor);
  core->handler(std::move(request), [pending](WebReply reply) {
    pending->reply = std::move(reply);
    pending->wake.cancel();
  });
  while (!pending->reply && !core->stopped) {
    co_await pending->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!pending->reply) co_return WebReply{503, "callready: is being stopped\n"};
  co_return std::move(*pending->reply);
}

WebRequest request_of(http::request<http::string_body>& asked) {
  WebRequest request;
  request.method = std::string(asked.method_string());
  request.target = std::string(asked.target());
  for (const auto& field : asked) {
    request.fields.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(asked.body());
  return request;
}

}  // namespace

// Writes what comes, as long as somebody reads.
struct LiveConnection {
  template <typename Stream>
  static asio::awaitable<void> write(Core core, Stream& stream, HttpReply& reply,
                                     std::shared_ptr<LiveReply> live) {
    auto& lowest = beast::get_lowest_layer(stream);
    // The reader says nothing more: whatever comes is its end.
    lowest.expires_never();
    auto space = std::make_shared<std::array<char, 1>>();
    stream.async_read_some(asio::buffer(*space),
                           [live, space](error_code, std::size_t) { live->reader_has_gone(); });
    reply.keep_alive(false);
    http::response_serializer<http::string_body> serializer(reply);
    lowest.expires_after(timeouts::web_reply);
    auto [unsent, written] =
        co_await http::async_write_header(stream, serializer, asio::as_tuple(asio::use_awaitable));
    while (!unsent && !core->stopped && (!live->ended_ || live->next_)) {
      if (!live->next_) {
        co_await live->wake_.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      const std::string text = std::move(*live->next_);
      live->next_.reset();
      lowest.expires_after(timeouts::web_reply);
      const auto [error, size] = co_await asio::async_write(stream, asio::buffer(text),
                                                            asio::as_tuple(asio::use_awaitable));
      static_cast<void>(size);
      unsent = error;
    }
    static_cast<void>(written);
    live->reader_has_gone();
  }
};

namespace {

// One request and its reply; false: the connection is over.
template <typename Stream>
asio::awaitable<bool> serve_one(Core core, Stream& stream, beast::flat_buffer& buffer, bool last) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(most_head);
  parser.body_limit(core->options.most_body);
  auto& lowest = beast::get_lowest_layer(stream);
  lowest.expires_after(timeouts::web_request);
  const auto [unread, size] =
      co_await http::async_read(stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
  static_cast<void>(size);
  WebReply answer;
  bool keep = false, head_only = false;
  if (unread) {
    const bool malformed =
        unread.category() == http::make_error_code(http::error::bad_method).category();
    if (!malformed || unread == http::error::end_of_stream) co_return false;
    answer = {400, "callready: this is not a request that is understood\n"};
  } else {
    auto& asked = parser.get();
    keep = asked.keep_alive() && !last;
    head_only = asked.method() == http::verb::head;
    lowest.expires_never();
    auto request = request_of(asked);
    error_code unknown;
    request.client = from_endpoint(lowest.socket().remote_endpoint(unknown));
    request.local = from_endpoint(lowest.socket().local_endpoint(unknown));
    answer = co_await answer_of(core, std::move(request));
  }
  auto reply = make_reply(answer);
  if (answer.live && !head_only) {
    co_await LiveConnection::write(core, stream, reply, answer.live);
    co_return false;
  }
  reply.prepare_payload();
  reply.keep_alive(keep);
  if (head_only) reply.body().clear();  // the length stays that of the page (RFC 9110, 9.3.2)
  lowest.expires_after(timeouts::web_reply);
  http::response_serializer<http::string_body> serializer(reply);
  const auto [unsent, written] =
      co_await http::async_write(stream, serializer, asio::as_tuple(asio::use_awaitable));
  static_cast<void>(written);
  co_return keep && !unsent && !core->stopped;
}

template <typename Stream>
asio::awaitable<void> converse(Core core, Stream& stream) {
  beast::flat_buffer buffer(2 * most_head + core->options.most_body);
  bool more = true;
  for (int served = 1; more; ++served) {
    const bool last = served == most_requests;
    more = co_await serve_one(core, stream, buffer, last);
  }
}

asio::awaitable<void> attend_plain(Core core, tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  const Listed listed(core, stream.socket(), [&stream] { stream.close(); });
  co_await converse(core, stream);
  error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> attend_tls(Core core, tcp::socket socket, WebServer::Tls tls) {
  beast::ssl_stream<beast::tcp_stream> stream(std::move(socket), *tls);
  auto& lowest = beast::get_lowest_layer(stream);
  const Listed listed(core, lowest.socket(), [&lowest] { lowest.close(); });
  lowest.expires_after(timeouts::web_request);
  const auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                         asio::as_tuple(asio::use_awaitable));
  if (refused) co_return;
  co_await converse(core, stream);
  lowest.expires_after(timeouts::web_reply);
  co_await stream.async_shutdown(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> accept(Core core) {
  while (!core->stopped) {
    auto [error, socket] =
        co_await core->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (core->stopped) break;
    if (error) {  // no descriptor left: they come back
      asio::steady_timer pause(core->executor, timeouts::without_descriptors);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (core->open.size() >= core->options.most_connections) continue;
    const auto client = core->clients.find(client_of(socket));
    const bool has_enough =
        client != core->clients.end() && client->second >= core->options.most_of_address;
    if (has_enough) continue;
    const auto tls = core->options.tls ? core->options.tls() : nullptr;
    if (tls) {
      asio::co_spawn(core->executor, attend_tls(core, std::move(socket), tls), asio::detached);
    } else {
      asio::co_spawn(core->executor, attend_plain(core, std::move(socket)), asio::detached);
    }
  }
}

}  // namespace

Result<std::unique_ptr<WebServer>> WebServer::start(const asio::any_io_executor& executor,
                                                    const SocketAddress& address, Options options,
                                                    Handler handler) {
  const auto core =
      std::make_shared<WebServerCore>(executor, std::move(options), std::move(handler));
  const tcp::endpoint endpoint(asio::ip::make_address(address.address.to_string()), address.port);
  auto& acceptor = core->acceptor;
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(OwnPort(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return classify(error);
  asio::co_spawn(executor, accept(core), asio::detached);
  return std::unique_ptr<WebServer>(new WebServer(core));
}

WebServer::~WebServer() { stop(); }

SocketAddress WebServer::local() const {
  const auto endpoint = core_->acceptor.local_endpoint();
  return {IpAddress::parse(endpoint.address().to_string()).value_or(IpAddress{}), endpoint.port()};
}

std::size_t WebServer::connections() const { return core_->open.size(); }

void WebServer::stop(std::function<void()> ended) {
  if (core_->stopped) return;
  core_->stopped = true;
  error_code ignored;
  core_->acceptor.close(ignored);
  for (const auto& close : core_->open) close();
  if (!ended) return;
  core_->ended = std::move(ended);
  if (core_->open.empty()) return core_->finish();
  core_->ending.expires_after(timeouts::server_end);
  core_->ending.async_wait([core = core_](error_code error) {
    if (!error) core->finish();
  });
}

}  // namespace callready
