#include "probe/web/web_server.hpp"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <array>
#include <list>
#include <map>
#include <sstream>

#include "probe/net/far_end.hpp"
#include "probe/net/stream.hpp"
#include "probe/platform/descriptor.hpp"

namespace callready {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using HttpReply = http::response<http::span_body<const char>>;

constexpr std::size_t most_head = 16'384;
constexpr int most_requests = 1'000;  // of one connection
constexpr int most_unread = 262'144;  // bytes of a reply that nobody reads

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
        places(options.open
                   ? options.open
                   : OpenConnections::make({options.most_connections, options.most_of_address})),
        acceptor(made_on),
        in_flight(options.most_in_flight),
        ending(made_on) {}

  // All connections have ended, or they were given up.
  void finish() {
    ending.cancel();
    if (auto tell = std::exchange(ended, nullptr)) asio::post(executor, std::move(tell));
  }

  asio::any_io_executor executor;
  WebServer::Options options;
  WebServer::Handler handler;
  std::shared_ptr<OpenConnections> places;
  tcp::acceptor acceptor;
  std::list<std::function<void()>> open;  // how each connection is closed
  TextsInFlight in_flight;
  bool stopped = false;
  std::function<void()> ended;
  asio::steady_timer ending;
};

namespace {

using Core = std::shared_ptr<WebServerCore>;

Client client_of(const WebServerCore& core, const tcp::socket& socket) {
  error_code gone;
  const auto remote = from_endpoint(socket.remote_endpoint(gone));
  if (core.options.by_user && !gone) {
    const auto local = from_endpoint(socket.local_endpoint(gone));
    const auto user = platform::user_of_connection(remote, local);
    if (user) return {{}, user};
  }
  return client_at(remote.address);
}

// An open connection: counted, and closed with the server, or where it has to make room.
class Listed {
 public:
  explicit Listed(Core core)
      : core_(std::move(core)),
        ends_(std::chrono::steady_clock::now() + core_->options.connection) {
    at_ = core_->open.insert(core_->open.end(), [this] { close(); });
  }
  ~Listed() {
    core_->open.erase(at_);
    if (core_->stopped && core_->open.empty()) core_->finish();
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

  // False: there is no room for it.
  bool enter(const tcp::socket& socket) {
    place_ = core_->places->enter(client_of(*core_, socket), std::chrono::steady_clock::now(),
                                  [this] { close(); });
    return place_ != nullptr;
  }
  void attend(beast::tcp_stream& stream) {
    stream_ = &stream;
    if (closed_) stream.close();
  }
  // What the connection waits with, for the handler's answer; null: it does not.
  void wait_with(asio::steady_timer* wake) { wake_ = wake; }
  bool closed() const { return closed_; }
  void heard() { place_->heard(std::chrono::steady_clock::now()); }
  // The deadline of a step that may take `step`.
  Instant until(milliseconds step) const {
    return std::min(std::chrono::steady_clock::now() + step, ends_);
  }
  bool over() const { return std::chrono::steady_clock::now() >= ends_; }

 private:
  void close() {
    closed_ = true;
    if (stream_ != nullptr) stream_->close();
    if (wake_ != nullptr) wake_->cancel();
  }
  Core core_;
  Instant ends_;
  beast::tcp_stream* stream_ = nullptr;
  asio::steady_timer* wake_ = nullptr;
  bool closed_ = false;
  std::unique_ptr<OpenConnections::Place> place_;
  std::list<std::function<void()>>::iterator at_;
};

HttpReply make_reply(const WebReply& from) {
  HttpReply reply{http::int_to_status(from.status), 11};
  reply.set(http::field::server, "callready");
  reply.set(http::field::content_type, from.content_type);
  reply.set("X-Content-Type-Options", "nosniff");
  reply.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : from.fields) reply.set(name, value);
  const auto& body = from.body.str();
  reply.body() = {body.data(), body.size()};
  return reply;
}

std::string head_of(const HttpReply& reply) {
  std::ostringstream head;
  head << reply.base();
  return head.str();
}

asio::awaitable<WebReply> answer_of(Core core, WebRequest request, Listed& listed) {
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
  listed.wait_with(&pending->wake);
  while (!pending->reply && !listed.closed()) {
    co_await pending->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  listed.wait_with(nullptr);
  if (!pending->reply) co_return WebReply();  // closed: nobody reads it
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

// Writes what comes, as long as somebody reads. Not over TLS, where a read that is still pending
// would outlive the stream.
struct LiveConnection {
  static asio::awaitable<void> write(Core core, beast::tcp_stream& stream, HttpReply& reply,
                                     std::shared_ptr<LiveReply> live) {
    // The reader says nothing more: whatever comes is its end.
    stream.expires_never();
    auto space = std::make_shared<std::array<char, 1>>();
    stream.async_read_some(asio::buffer(*space),
                           [live, space](error_code, std::size_t) { live->reader_has_gone(); });
    reply.keep_alive(false);
    const auto head = head_of(reply);
    stream.expires_after(timeouts::web_reply);
    auto [unsent, written] =
        co_await asio::async_write(stream, asio::buffer(head), asio::as_tuple(asio::use_awaitable));
    while (!unsent && !core->stopped && (!live->ended_ || live->next_)) {
      if (!live->next_) {
        co_await live->wake_.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      const std::string text = std::move(*live->next_);
      live->next_.reset();
      stream.expires_after(timeouts::web_reply);
      const auto [error, size] = co_await asio::async_write(stream, asio::buffer(text),
                                                            asio::as_tuple(asio::use_awaitable));
      unsent = error;
    }
    live->reader_has_gone();
  }
};

namespace {

// One request and its reply; false: the connection is over.
template <typename Stream>
asio::awaitable<bool> serve_one(Core core, Stream& stream, Listed& listed,
                                beast::flat_buffer& buffer, bool last) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(most_head);
  parser.body_limit(core->options.most_body);
  auto& lowest = beast::get_lowest_layer(stream);
  lowest.expires_at(listed.until(timeouts::web_request));
  const auto [unread, size] =
      co_await http::async_read(stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
  WebReply answer;
  bool keep = false, head_only = false;
  if (unread) {
    const bool malformed =
        unread.category() == http::make_error_code(http::error::bad_method).category();
    if (!malformed || unread == http::error::end_of_stream) co_return false;
    answer = {400, "callready: this is not a request that is understood\n"};
  } else {
    auto& asked = parser.get();
    listed.heard();
    keep = asked.keep_alive() && !last;
    head_only = asked.method() == http::verb::head;
    lowest.expires_never();
    auto request = request_of(asked);
    request.client = remote_end_of(lowest.socket());
    request.local = local_end_of(lowest.socket());
    answer = co_await answer_of(core, std::move(request), listed);
  }
  if (!core->in_flight.has_room_for(answer.body)) {
    answer = {503, "callready is busy: too many large answers are being read\n"};
  }
  constexpr bool plain = std::is_same_v<Stream, beast::tcp_stream>;
  if (answer.live && !plain) answer = {500, "callready: live replies are not sent over TLS\n"};
  const TextsInFlight::Reader counted(core->in_flight, answer.body);
  auto reply = make_reply(answer);
  if constexpr (plain) {
    if (answer.live && !head_only) {
      co_await LiveConnection::write(core, stream, reply, answer.live);
      co_return false;
    }
  }
  reply.prepare_payload();
  if (answer.status == 204) reply.content_length(boost::none);  // RFC 9110 section 8.6
  keep = keep && !listed.over();
  reply.keep_alive(keep);
  if (head_only) reply.body() = {};  // the length stays that of the page (RFC 9110, 9.3.2)
  lowest.expires_after(timeouts::web_reply);
  const auto head = head_of(reply);
  const std::array parts{asio::buffer(head),
                         asio::buffer(reply.body().data(), reply.body().size())};
  const auto [unsent, written] =
      co_await asio::async_write(stream, parts, asio::as_tuple(asio::use_awaitable));
  co_return keep && !unsent && !core->stopped;
}

template <typename Stream>
asio::awaitable<void> converse(Core core, Stream& stream, Listed& listed) {
  beast::flat_buffer buffer(2 * most_head + core->options.most_body);
  bool more = true;
  for (int served = 1; more; ++served) {
    const bool last = served == most_requests;
    more = co_await serve_one(core, stream, listed, buffer, last);
  }
}

asio::awaitable<void> attend_plain(Core core, tcp::socket socket, std::unique_ptr<Listed> listed) {
  beast::tcp_stream stream(std::move(socket));
  listed->attend(stream);
  co_await converse(core, stream, *listed);
  error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  listed.reset();  // before the stream that it closes
}

asio::awaitable<void> attend_tls(Core core, tcp::socket socket, std::unique_ptr<Listed> listed,
                                 WebServer::Tls tls) {
  beast::ssl_stream<beast::tcp_stream> stream(std::move(socket), *tls);
  auto& lowest = beast::get_lowest_layer(stream);
  listed->attend(lowest);
  lowest.expires_at(listed->until(timeouts::web_request));
  const auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                         asio::as_tuple(asio::use_awaitable));
  if (!refused) {
    co_await converse(core, stream, *listed);
    lowest.expires_at(listed->until(timeouts::web_reply));
    co_await stream.async_shutdown(asio::as_tuple(asio::use_awaitable));
  }
  listed.reset();
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
    const auto tls = core->options.tls ? core->options.tls() : nullptr;
    auto listed = std::make_unique<Listed>(core);
    if (!listed->enter(socket)) {
      core->places->turn_away(std::move(socket), tls ? far_end::busy_line : far_end::busy_reply);
      continue;
    }
    // What the system holds of a reply counts as this program's, too.
    error_code ignored;
    socket.set_option(asio::socket_base::send_buffer_size(most_unread), ignored);
    if (tls) {
      auto attended = attend_tls(core, std::move(socket), std::move(listed), tls);
      asio::co_spawn(core->executor, std::move(attended), asio::detached);
    } else {
      auto attended = attend_plain(core, std::move(socket), std::move(listed));
      asio::co_spawn(core->executor, std::move(attended), asio::detached);
    }
  }
}

}  // namespace

Result<std::unique_ptr<WebServer>> WebServer::start(const asio::any_io_executor& executor,
                                                    const SocketAddress& address, Options options,
                                                    Handler handler) {
  const auto core =
      std::make_shared<WebServerCore>(executor, std::move(options), std::move(handler));
  const auto listening = listen_at(core->acceptor, address);
  if (listening.has_error()) return listening.error();
  asio::co_spawn(executor, accept(core), asio::detached);
  return std::unique_ptr<WebServer>(new WebServer(core));
}

WebServer::~WebServer() { stop(); }

SocketAddress WebServer::local() const { return local_end_of(core_->acceptor); }

std::size_t WebServer::connections() const { return core_->places->count(); }

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
