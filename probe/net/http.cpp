#include "probe/net/http.hpp"

#include <algorithm>

#include "probe/net/http_exchange.hpp"
#include "probe/net/in_thread.hpp"

namespace callready {
namespace {

struct AuthWord {
  ProxyAuth auth;
  std::string_view word;
};

constexpr AuthWord auths[] = {
    {ProxyAuth::none, "none"}, {ProxyAuth::basic, "Basic"},         {ProxyAuth::digest, "Digest"},
    {ProxyAuth::ntlm, "NTLM"}, {ProxyAuth::negotiate, "Negotiate"},
};

using Headers = std::vector<std::pair<std::string, std::string>>;

bool same_header(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

std::optional<std::string> first_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (same_header(key, name)) return value;
  }
  return std::nullopt;
}

std::shared_ptr<X509_STORE> store_of(TlsContext& tls) {
  X509_STORE* store = SSL_CTX_get_cert_store(tls.native().native_handle());
  X509_STORE_up_ref(store);
  return {store, &X509_STORE_free};
}

// Negotiate asks Kerberos for a ticket, and that may block: on a thread of its own.
asio::awaitable<Ended> run_in_thread(asio::any_io_executor executor,
                                     std::shared_ptr<X509_STORE> trust, HttpRequest request,
                                     bool connect_only, Scope scope, Instant deadline) {
  const auto limit = std::chrono::duration_cast<milliseconds>(deadline - scope.clock.now());
  std::function<Ended()> work = [trust, request = std::move(request), connect_only, limit] {
    HttpExchange exchange(request, trust, nullptr);
    exchange.prepare(connect_only);
    const auto code = exchange.block(limit);
    return exchange.finish(code);
  };
  auto result = co_await in_thread(executor, std::move(work), scope, deadline);
  Ended ended;
  if (result.has_error()) {
    ended.reply.failure = result.error();
  } else {
    ended = std::move(*result);
  }
  co_return ended;
}

asio::awaitable<Ended> run(asio::any_io_executor executor, TlsContext& tls, HttpRequest request,
                           bool connect_only, Scope scope, Instant deadline) {
  if (request.proxy && request.proxy->auth == ProxyAuth::negotiate) {
    auto ended =
        co_await run_in_thread(executor, store_of(tls), request, connect_only, scope, deadline);
    co_return ended;
  }
  const auto loop = CurlLoop::create(executor);
  HttpExchange exchange(request, store_of(tls), loop);
  exchange.prepare(connect_only);
  const auto result = co_await loop->perform(exchange.easy(), scope, deadline);
  co_return exchange.finish(result);
}

}  // namespace

std::string_view to_string(ProxyAuth auth) {
  for (const auto& row : auths) {
    if (row.auth == auth) return row.word;
  }
  return "?";
}

std::optional<std::string> HttpReply::header(std::string_view name) const {
  return first_header(headers, name);
}

std::optional<std::string> HttpReply::proxy_header(std::string_view name) const {
  return first_header(proxy_headers, name);
}

asio::awaitable<HttpReply> HttpClient::request(HttpRequest request, Scope scope, Instant deadline) {
  auto ended = co_await run(executor_, tls_, request, false, scope, deadline);
  co_return std::move(ended.reply);
}

asio::awaitable<HttpTunnel> HttpClient::connect(HttpRequest request, Scope scope,
                                                Instant deadline) {
  HttpTunnel tunnel;
  auto ended = co_await run(executor_, tls_, request, true, scope, deadline);
  tunnel.reply = std::move(ended.reply);
  if (!ended.socket.open()) co_return tunnel;
  const bool v6 = tunnel.reply.remote && tunnel.reply.remote->address.is_v6();
  asio::ip::tcp::socket socket(executor_);
  error_code error;
  socket.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), ended.socket.get(), error);
  if (error) {
    tunnel.reply.failure = classify(error);
    co_return tunnel;
  }
  ended.socket.release();
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  tunnel.stream = std::make_unique<TcpStream>(std::move(socket));
  co_return tunnel;
}

}  // namespace callready
