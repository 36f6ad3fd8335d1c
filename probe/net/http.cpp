#include "probe/net/http.hpp"

#include <openssl/crypto.h>

#include "probe/net/http_exchange.hpp"
#include "probe/net/in_thread.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/watched.hpp"
#include "probe/util/text.hpp"

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

std::optional<std::string> first_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (is_same_but_for_case(key, name)) return value;
  }
  return std::nullopt;
}

std::shared_ptr<X509_STORE> store_of(TlsContext& tls) {
  X509_STORE* store = SSL_CTX_get_cert_store(tls.native().native_handle());
  X509_STORE_up_ref(store);
  return {store, &X509_STORE_free};
}

// A transfer that has ended, with the exchange behind it.
struct Transfer {
  std::shared_ptr<HttpExchange> exchange;  // null where it did not come back in time
  Ended ended;
};

// On a thread of its own: Negotiate asks Kerberos for a ticket, and that may block.
asio::awaitable<Transfer> run_in_thread(asio::any_io_executor executor,
                                        std::shared_ptr<X509_STORE> trust, HttpRequest request,
                                        bool connect_only, Scope scope, Instant deadline) {
  const auto limit = std::chrono::duration_cast<milliseconds>(deadline - scope.clock.now());
  std::function<Transfer()> work = [trust, request = std::move(request), connect_only, limit] {
    Transfer transfer;
    transfer.exchange = std::make_shared<HttpExchange>(request, trust, nullptr);
    transfer.exchange->prepare(connect_only);
    const auto code = transfer.exchange->block(limit);
    transfer.ended = transfer.exchange->finish(code);
    OPENSSL_thread_stop();  // frees its data of this thread, which may outlive the program
    return transfer;
  };
  auto result = co_await in_thread(executor, std::move(work), scope, deadline);
  Transfer transfer;
  if (result.has_error()) {
    transfer.ended.reply.failure = result.error();
  } else {
    transfer = std::move(*result);
  }
  co_return transfer;
}

asio::awaitable<Transfer> run(asio::any_io_executor executor, TlsContext& tls, HttpRequest request,
                              bool connect_only, Scope scope, Instant deadline) {
  if (request.proxy && request.proxy->auth == ProxyAuth::negotiate) {
    auto transfer =
        co_await run_in_thread(executor, store_of(tls), request, connect_only, scope, deadline);
    co_return transfer;
  }
  tls.prepare();
  // Off the loop, which others use for measuring; if there is no thread for it, the loop does it.
  if (!CurlLoop::is_prepared()) {
    std::function<bool()> work = [] {
      CurlLoop::prepare();
      return true;
    };
    co_await in_thread<bool>(executor, std::move(work), scope, deadline);
  }
  const auto loop = CurlLoop::create(executor);
  const bool direct = !request.proxy;
  const auto patience = request.connect;
  Transfer transfer;
  transfer.exchange = std::make_shared<HttpExchange>(std::move(request), store_of(tls), loop);
  transfer.exchange->prepare(connect_only);
  // libcurl has one timeout for TCP and TLS together: a server that does not even accept the
  // connection is given up as in all other checks. A proxy may take the whole time for both.
  std::unique_ptr<Clock::Timer> connecting;
  if (direct) {
    const auto exchange = transfer.exchange;
    const auto when = scope.clock.now() + patience;
    connecting = scope.clock.call_at(when, [loop, exchange] {
      if (!exchange->connected()) loop->finish(exchange->easy(), CURLE_OPERATION_TIMEDOUT);
    });
  }
  const auto result = co_await loop->perform(transfer.exchange->easy(), scope, deadline);
  transfer.ended = transfer.exchange->finish(result);
  co_return transfer;
}

// A tunnel through an https proxy: libcurl speaks TLS with the proxy, and we wait for its socket.
class CurlStream final : public Stream {
 public:
  CurlStream(std::shared_ptr<HttpExchange> exchange, Watched socket, SocketAddress local,
             SocketAddress remote)
      : exchange_(std::move(exchange)),
        socket_(std::move(socket)),
        local_(local),
        remote_(remote) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> buffer, Scope scope,
                                                 Instant deadline) override {
    Guard guard(scope, deadline, [this] { give_up(); });
    for (;;) {  // what has arrived counts, even if we read it late
      std::size_t received = 0;
      const auto code = exchange_->receive(buffer, received);
      if (code == CURLE_OK && received > 0) co_return received;
      if (code != CURLE_AGAIN) co_return broken(code);
      if (guard.over()) co_return guard.failure();
      co_await socket_.async_wait(Watched::wait_read, asio::as_tuple(asio::use_awaitable));
    }
  }

  asio::awaitable<Result<void>> write(std::span<const std::uint8_t> bytes, Scope scope,
                                      Instant deadline) override {
    Guard guard(scope, deadline, [this] { give_up(); });
    while (!guard.over()) {
      if (bytes.empty()) co_return Result<void>();
      std::size_t sent = 0;
      const auto code = exchange_->send(bytes, sent);
      if (code != CURLE_OK && code != CURLE_AGAIN) co_return broken(code);
      bytes = bytes.subspan(sent);
      if (code == CURLE_OK) continue;
      co_await socket_.async_wait(Watched::wait_write, asio::as_tuple(asio::use_awaitable));
    }
    co_return guard.failure();
  }

  SocketAddress local() const override { return local_; }
  SocketAddress remote() const override { return remote_; }

 private:
  void give_up() {
    error_code ignored;
    socket_.cancel(ignored);
  }
  static Failure broken(CURLcode code) {
    const auto* text = code == CURLE_OK ? "End of file" : curl_easy_strerror(code);
    return {FailureKind::closed_by_peer, text, static_cast<int>(code)};
  }

  std::shared_ptr<HttpExchange> exchange_;
  Watched socket_;
  SocketAddress local_, remote_;
};

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
  auto transfer = co_await run(executor_, tls_, std::move(request), false, scope, deadline);
  co_return std::move(transfer.ended.reply);
}

asio::awaitable<HttpTunnel> HttpClient::connect(HttpRequest request, Scope scope,
                                                Instant deadline) {
  HttpTunnel tunnel;
  auto transfer = co_await run(executor_, tls_, std::move(request), true, scope, deadline);
  auto& ended = transfer.ended;
  tunnel.reply = std::move(ended.reply);
  if (!ended.socket.open()) co_return tunnel;
  const auto local = tunnel.reply.local.value_or(SocketAddress{});
  const auto remote = tunnel.reply.remote.value_or(SocketAddress{});
  if (ended.inside_tls) {
    Watched socket(executor_, ended.socket.release());
    tunnel.stream =
        std::make_unique<CurlStream>(transfer.exchange, std::move(socket), local, remote);
    co_return tunnel;
  }
  asio::ip::tcp::socket socket(executor_);
  error_code error;
  const auto family = remote.address.is_v6() ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
  socket.assign(family, ended.socket.get(), error);
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
