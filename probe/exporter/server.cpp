#include "probe/exporter/server.hpp"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <list>
#include <set>

#include "probe/net/in_thread.hpp"
#include "probe/net/semaphore.hpp"
#include "probe/util/digest.hpp"

namespace callready::exporter {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using HttpReply = http::response<http::string_body>;

constexpr std::size_t most_connections = 128, most_head = 16'384;
constexpr int most_requests = 1'000;  // of one connection
// For a request to arrive whole, and for a reply to leave; for the check of a password.
constexpr std::chrono::seconds to_ask(30), to_leave(30), to_know(10);
constexpr std::chrono::milliseconds without_descriptors(200);
// A password takes a tenth of a second of a processor: those of many strangers wait for each other,
// and what was right once is remembered.
constexpr int most_passwords = 2;
constexpr std::size_t most_known = 64;

}  // namespace

struct ServerCore {
  ServerCore(const asio::any_io_executor& made_on, Scope its_scope, WebConfig its_web,
             Server::Handler its_handler)
      : executor(made_on),
        scope(its_scope),
        web(std::make_shared<const WebConfig>(std::move(its_web))),
        handler(std::move(its_handler)),
        acceptor(made_on) {}

  asio::any_io_executor executor;
  Scope scope;
  std::shared_ptr<const WebConfig> web;
  Server::Handler handler;
  tcp::acceptor acceptor;
  std::list<std::function<void()>> open;  // how each connection is closed
  Semaphore passwords{most_passwords};
  std::set<std::string> known;  // digests of logins that were right
  bool stopped = false;
};

namespace {

using Core = std::shared_ptr<ServerCore>;

// An open connection: counted, and closed with the server.
class Listed {
 public:
  Listed(Core core, std::function<void()> close) : core_(std::move(core)) {
    place_ = core_->open.insert(core_->open.end(), std::move(close));
  }
  ~Listed() { core_->open.erase(place_); }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  Core core_;
  std::list<std::function<void()>>::iterator place_;
};

HttpReply make_reply(const Reply& from, const WebConfig& web) {
  HttpReply reply{http::int_to_status(from.status), 11};
  reply.set(http::field::server, "callready");
  reply.set(http::field::content_type, from.content_type);
  reply.set("X-Content-Type-Options", "nosniff");
  reply.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : web.headers) reply.set(name, value);
  if (from.status == 401) reply.set(http::field::www_authenticate, "Basic realm=\"callready\"");
  if (from.status == 405) reply.set(http::field::allow, "GET, HEAD");
  reply.body() = from.body;
  reply.prepare_payload();
  return reply;
}

// Whether a login that is asked for was given.
asio::awaitable<bool> may_enter(Core core, std::shared_ptr<const WebConfig> web,
                                std::string authorization) {
  const auto login = read_login(authorization);
  if (!login) co_return false;
  const auto user = web->users.find(login->first);
  const std::string hash = user == web->users.end() ? "" : user->second;
  const auto digest = sha256_hex(login->first + ':' + hash + ':' + login->second);
  if (core->known.contains(digest)) co_return true;
  const auto deadline = core->scope.clock.now() + to_know;
  const auto permit = co_await core->passwords.enter(core->executor, core->scope, deadline);
  if (!permit) co_return false;
  std::function<bool()> work = [password = login->second, hash] {
    return is_password(password, hash);
  };
  const auto right =
      co_await in_thread<bool>(core->executor, std::move(work), core->scope, deadline);
  if (right.has_error() || !*right) co_return false;
  if (core->known.size() >= most_known) core->known.clear();
  core->known.insert(digest);
  co_return true;
}

asio::awaitable<Reply> answer_of(Core core, Request request) {
  struct Pending {
    explicit Pending(const asio::any_io_executor& executor) : wake(executor) {
      wake.expires_at(std::chrono::steady_clock::time_point::max());
    }
    asio::steady_timer wake;  // used as a condition
    std::optional<Reply> reply;
  };
  const auto pending = std::make_shared<Pending>(core->executor);
  core->handler(request, [pending](Reply reply) {
    pending->reply = std::move(reply);
    pending->wake.cancel();
  });
  while (!pending->reply && !core->stopped) {
    co_await pending->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!pending->reply) co_return Reply{503, "callready: is being stopped\n"};
  co_return std::move(*pending->reply);
}

std::string field_of(const http::request<http::empty_body>& asked, std::string_view name) {
  const auto found = asked.find(beast::string_view(name.data(), name.size()));
  return found == asked.end() ? std::string() : std::string(found->value());
}

// One request and its reply; false: the connection is over.
template <typename Stream>
asio::awaitable<bool> serve_one(Core core, Stream& stream, beast::flat_buffer& buffer, bool last) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(most_head);
  auto& lowest = beast::get_lowest_layer(stream);
  lowest.expires_after(to_ask);
  const auto [unread, size] =
      co_await http::async_read(stream, buffer, parser, asio::as_tuple(asio::use_awaitable));
  static_cast<void>(size);
  const auto web = core->web;
  Reply answer;
  bool keep = false, head_only = false;
  if (unread) {
    const bool malformed =
        unread.category() == http::make_error_code(http::error::bad_method).category();
    if (!malformed || unread == http::error::end_of_stream) co_return false;
    answer = {400, "callready: this is not a request that is understood\n"};
  } else {
    const auto& asked = parser.get();
    keep = asked.keep_alive() && !last;
    head_only = asked.method() == http::verb::head;
    lowest.expires_never();
    bool allowed = !web->asks_for_login();
    if (!allowed) allowed = co_await may_enter(core, web, field_of(asked, "Authorization"));
    if (allowed) {
      Request request;
      request.method = std::string(asked.method_string());
      request.target = std::string(asked.target());
      request.scrape_timeout = field_of(asked, "X-Prometheus-Scrape-Timeout-Seconds");
      answer = co_await answer_of(core, std::move(request));
    } else {
      answer = {401, "callready: a name and a password are needed\n"};
    }
  }
  auto reply = make_reply(answer, *web);
  reply.keep_alive(keep);
  if (head_only) reply.body().clear();  // the length stays that of the page (RFC 9110, 9.3.2)
  lowest.expires_after(to_leave);
  http::response_serializer<http::string_body> serializer(reply);
  const auto [unsent, written] =
      co_await http::async_write(stream, serializer, asio::as_tuple(asio::use_awaitable));
  static_cast<void>(written);
  co_return keep && !unsent && !core->stopped;
}

template <typename Stream>
asio::awaitable<void> converse(Core core, Stream& stream) {
  beast::flat_buffer buffer(2 * most_head);
  bool more = true;
  for (int served = 1; more; ++served) {
    const bool last = served == most_requests;
    more = co_await serve_one(core, stream, buffer, last);
  }
}

asio::awaitable<void> attend_plain(Core core, tcp::socket socket) {
  beast::tcp_stream stream(std::move(socket));
  const Listed listed(core, [&stream] { stream.close(); });
  co_await converse(core, stream);
  error_code ignored;
  stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> attend_tls(Core core, tcp::socket socket,
                                 std::shared_ptr<asio::ssl::context> tls) {
  beast::ssl_stream<beast::tcp_stream> stream(std::move(socket), *tls);
  auto& lowest = beast::get_lowest_layer(stream);
  const Listed listed(core, [&lowest] { lowest.close(); });
  lowest.expires_after(to_ask);
  const auto [refused] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                         asio::as_tuple(asio::use_awaitable));
  if (refused) co_return;
  co_await converse(core, stream);
  lowest.expires_after(to_leave);
  co_await stream.async_shutdown(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> accept(Core core) {
  while (!core->stopped) {
    auto [error, socket] =
        co_await core->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (core->stopped) break;
    if (error) {  // no descriptor left: they come back
      asio::steady_timer pause(core->executor, without_descriptors);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (core->open.size() >= most_connections) continue;
    const auto tls = core->web->tls;
    if (tls) {
      asio::co_spawn(core->executor, attend_tls(core, std::move(socket), tls), asio::detached);
    } else {
      asio::co_spawn(core->executor, attend_plain(core, std::move(socket)), asio::detached);
    }
  }
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const asio::any_io_executor& executor, Scope scope,
                                              const SocketAddress& address, WebConfig web,
                                              Handler handler) {
  const auto core =
      std::make_shared<ServerCore>(executor, scope, std::move(web), std::move(handler));
  const tcp::endpoint endpoint(asio::ip::make_address(address.address.to_string()), address.port);
  auto& acceptor = core->acceptor;
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return classify(error);
  asio::co_spawn(executor, accept(core), asio::detached);
  return std::unique_ptr<Server>(new Server(core));
}

Server::~Server() { stop(); }

SocketAddress Server::local() const {
  const auto endpoint = core_->acceptor.local_endpoint();
  return {IpAddress::parse(endpoint.address().to_string()).value_or(IpAddress{}), endpoint.port()};
}

std::size_t Server::connections() const { return core_->open.size(); }

void Server::use(WebConfig web) {
  core_->web = std::make_shared<const WebConfig>(std::move(web));
  core_->known.clear();
}

void Server::stop() {
  if (core_->stopped) return;
  core_->stopped = true;
  error_code ignored;
  core_->acceptor.close(ignored);
  for (const auto& close : core_->open) close();
}

}  // namespace callready::exporter
