#include "probe/serve/stream_service.hpp"

#include "probe/net/far_end.hpp"
#include "probe/net/service_timeouts.hpp"
#include "probe/net/tls.hpp"

namespace callready::serve {
namespace {

using asio::ip::tcp;

asio::awaitable<void> serve_messages(std::shared_ptr<Connection> connection,
                                     std::shared_ptr<const Framing> framing,
                                     std::shared_ptr<const Respond> respond) {
  for (int served = 0; served < connection->limits.requests; ++served) {
    auto message = co_await read_message(*connection, *framing);
    if (message.has_error()) co_return;
    auto peer = connection->stream->remote();
    const auto reply = (*respond)(*message, peer);
    if (reply.empty()) continue;
    const auto deadline = connection->deadline();
    const auto written = co_await connection->stream->write(reply, connection->scope, deadline);
    if (written.has_error()) co_return;
  }
}

}  // namespace

asio::awaitable<Result<Bytes>> read_message(Connection& connection, const Framing& framing) {
  const auto deadline = connection.deadline();  // for all of it: no drop by drop
  auto& unread = connection.unread;
  std::array<std::uint8_t, 2048> chunk;
  for (;;) {
    const auto length = unread.empty() ? 0 : framing(unread);
    if (length < 0) co_return Failure{FailureKind::malformed, "not the protocol", 0, {}};
    const auto whole = static_cast<std::size_t>(length);
    if (whole > 0 && whole <= unread.size()) {
      const auto end = unread.begin() + length;
      Bytes message(unread.begin(), end);
      unread.erase(unread.begin(), end);
      connection.place.heard(connection.scope.clock.now());
      co_return message;
    }
    if (std::max(whole, unread.size()) > connection.limits.request_bytes) {
      co_return Failure{FailureKind::oversized, "a request beyond the bound", 0, {}};
    }
    const auto size = co_await connection.stream->read_some(chunk, connection.scope, deadline);
    if (size.has_error()) co_return size.error();
    unread.insert(unread.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*size));
  }
}

Serve messages(Framing framing, Respond respond) {
  const auto frame = std::make_shared<const Framing>(std::move(framing));
  const auto answer = std::make_shared<const Respond>(std::move(respond));
  return [frame, answer](std::shared_ptr<Connection> connection) {
    return serve_messages(std::move(connection), frame, answer);
  };
}

struct StreamService::Core {
  Core(const asio::any_io_executor& where, Serve what, std::shared_ptr<asio::ssl::context> with,
       const Limits& bounds)
      : executor(where),
        clock(where),
        serve(std::move(what)),
        tls(std::move(with)),
        limits(bounds),
        open(bounds.open
                 ? bounds.open
                 : OpenConnections::make({bounds.connections, bounds.connections_of_address})),
        acceptor(where) {}

  asio::any_io_executor executor;
  SystemClock clock;
  StopSignal stop;
  Scope scope{clock, stop};
  Serve serve;
  std::shared_ptr<asio::ssl::context> tls;
  Limits limits;
  std::shared_ptr<OpenConnections> open;
  tcp::acceptor acceptor;
};

// An accepted connection: it ends with the service, or if it has to make room.
struct StreamService::Attended {
  explicit Attended(const std::shared_ptr<Core>& core) : owner(core) {
    handle = owner->stop.subscribe([this] { stop.stop(); });
  }
  ~Attended() { owner->stop.unsubscribe(handle); }
  Attended(const Attended&) = delete;
  Attended& operator=(const Attended&) = delete;

  std::shared_ptr<Core> owner;
  StopSignal stop;
  StopSignal::Handle handle;
  std::unique_ptr<OpenConnections::Place> place;
};

Result<std::shared_ptr<StreamService>> StreamService::start(const asio::any_io_executor& executor,
                                                            const SocketAddress& bind, Serve serve,
                                                            std::shared_ptr<asio::ssl::context> tls,
                                                            const Limits& limits) {
  auto core = std::make_shared<Core>(executor, std::move(serve), std::move(tls), limits);
  const auto local = listen_at(core->acceptor, bind);
  if (local.has_error()) return local.error();
  asio::co_spawn(executor, accept(core), asio::detached);
  return std::shared_ptr<StreamService>(new StreamService(std::move(core), *local));
}

StreamService::StreamService(std::shared_ptr<Core> core, const SocketAddress& local)
    : core_(std::move(core)), local_(local) {}

StreamService::~StreamService() { stop(); }

void StreamService::stop() {
  error_code ignored;
  core_->acceptor.close(ignored);
  core_->stop.stop();
}

int StreamService::connections() const { return static_cast<int>(core_->open->count()); }

asio::awaitable<void> StreamService::accept(std::shared_ptr<Core> core) {
  while (core->acceptor.is_open()) {
    auto [error, socket] =
        co_await core->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (!core->acceptor.is_open()) co_return;  // stopped meanwhile
    if (error) {
      const auto later = core->clock.now() + timeouts::without_descriptors;
      co_await sleep_until(core->executor, core->scope, later);
      continue;
    }
    error_code gone;
    const auto client = client_at(from_endpoint(socket.remote_endpoint(gone)).address);
    auto attended = std::make_shared<Attended>(core);
    attended->place =
        core->open->enter(client, core->clock.now(), [weak = std::weak_ptr(attended)] {
          if (const auto one = weak.lock()) one->stop.stop();
        });
    if (attended->place) {
      asio::co_spawn(core->executor, attend(attended, std::move(socket)), asio::detached);
    } else {
      core->open->turn_away(std::move(socket), far_end::busy_line);
    }
  }
}

asio::awaitable<void> StreamService::attend(std::shared_ptr<Attended> attended,
                                            tcp::socket socket) {
  const auto& core = attended->owner;
  const Scope scope{core->clock, attended->stop};
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto ends = core->clock.now() + core->limits.connection;
  auto connection = std::make_shared<Connection>(Connection{
      nullptr, core->executor, scope, core->limits, ends, {}, attended, *attended->place});
  auto transport = std::make_unique<TcpStream>(std::move(socket));
  if (core->tls) {
    auto accepted = co_await tls_accept(std::move(transport), scope, *core->tls);
    if (accepted.has_error()) co_return;
    connection->stream = std::move(*accepted);
  } else {
    connection->stream = std::move(transport);
  }
  auto work = core->serve(connection);
  co_await std::move(work);
}

}  // namespace callready::serve
