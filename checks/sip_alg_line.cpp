#include "checks/sip_alg_line.hpp"

#include "checks/dial.hpp"
#include "probe/net/timeouts.hpp"

namespace callready::checks {
namespace {

class DatagramLine final : public AlgLine {
 public:
  explicit DatagramLine(UdpSocket socket) : socket_(std::move(socket)) {}

  asio::awaitable<std::optional<Failure>> exchange(Scope scope, std::span<const std::uint8_t> bytes,
                                                   sip::Collector& collector,
                                                   Instant deadline) override {
    const auto result = socket_.send(bytes);
    if (result.has_error()) co_return result.error();
    for (int events = 0; events < 256; ++events) {
      const auto event = co_await socket_.receive(scope, deadline);
      if (event.has_error()) co_return event.error();
      if (const auto* icmp = std::get_if<IcmpError>(&*event)) {
        const bool passing =
            icmp->kind == IcmpKind::time_exceeded || icmp->kind == IcmpKind::fragmentation_needed;
        if (!passing) co_return classify(asio::error::connection_refused, *icmp);
        continue;
      }
      const auto& datagram = std::get<Datagram>(*event);
      const bool done = collector.take(datagram.bytes, sip::Carriage::datagram);
      if (done) co_return std::nullopt;
    }
    co_return timed_out();
  }

  bool repeats() const override { return true; }
  SocketAddress local() const override { return socket_.local(); }

 private:
  UdpSocket socket_;
};

class StreamLine final : public AlgLine {
 public:
  explicit StreamLine(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  asio::awaitable<std::optional<Failure>> exchange(Scope scope, std::span<const std::uint8_t> bytes,
                                                   sip::Collector& collector,
                                                   Instant deadline) override {
    auto failure =
        co_await exchange_over_stream(*stream_, scope, bytes, framer_, collector, deadline);
    co_return failure;
  }

  bool repeats() const override { return false; }
  SocketAddress local() const override { return stream_->local(); }

 private:
  std::unique_ptr<Stream> stream_;
  sip::Framer framer_;
};

// Sends the message once, when its turn has come.
asio::awaitable<std::optional<Failure>> send_once(Context& context, AlgLine& line,
                                                  AlgBudget& budget, SocketAddress server,
                                                  const AlgMessage& message, bool again,
                                                  bool once_more, sip::Collector& collector) {
  const auto& scope = context.scope;
  if (budget.sent > 0) {
    const auto when = budget.last_sent + timeouts::sip_gap;
    const bool slept = co_await sleep_until(context.executor, scope, when);
    if (!slept) co_return stopped();
  }
  // The first datagram is the runner's to allow, and what is sent again has had its turn.
  const bool asks = !again && (budget.sent > 0 || !line.repeats());
  if (asks) {
    const bool allowed = co_await sip_allowed(context, server, message.options.transport);
    if (!allowed) co_return stopped();
  }
  if (scope.stop.stopped()) co_return stopped();
  budget.last_sent = scope.clock.now();
  ++budget.sent;
  --budget.left;
  // Where it may be sent again, that is what ends the waiting: a late reply still counts then.
  const auto patience = once_more ? timeouts::sip_gap : timeouts::sip_single_reply;
  const auto deadline = budget.last_sent + patience;
  auto failure = co_await line.exchange(scope, message.bytes, collector, deadline);
  co_return failure;
}

}  // namespace

asio::awaitable<std::unique_ptr<AlgLine>> open_alg_line(Context& context, Job job,
                                                        std::uint16_t port,
                                                        Observation& observation,
                                                        std::optional<Failure>& failure) {
  Probe probe = job.probe;
  probe.target.ports = {port, port};
  Job there{probe, job.address};
  if (probe.target.transport != Transport::udp) {
    DialOptions options;
    auto dialled = co_await dial(context, there, options, observation);
    failure = dialled.failure;
    if (!dialled.stream) co_return nullptr;
    co_return std::make_unique<StreamLine>(std::move(dialled.stream));
  }
  observation.address = job.address;
  observation.sent_at = context.scope.clock.wall_now();
  auto socket = open_udp(context, there.remote());
  if (socket.has_error()) {
    failure = socket.error();
    record(observation, socket.error());
    co_return nullptr;
  }
  observation.local = socket->local();
  co_return std::make_unique<DatagramLine>(std::move(*socket));
}

asio::awaitable<std::optional<Failure>> ask_alg(Context& context, AlgLine& line, AlgBudget& budget,
                                                SocketAddress server, AlgMessage& message,
                                                int tries, sip::Collector& collector) {
  auto built = sip::build(message.options);
  if (built.has_error()) co_return built.error();
  message.bytes = std::move(*built);
  std::optional<Failure> failure = timed_out();
  const int most = line.repeats() ? tries : 1;
  for (int i = 0; i < most && budget.left > 0; ++i) {
    const bool again = i > 0, once_more = i + 1 < most && budget.left > 1;
    failure =
        co_await send_once(context, line, budget, server, message, again, once_more, collector);
    if (collector.reply()) {
      message.reply = collector.reply();
      message.reading = read_via(message.reply->vias.front(), message.options, message.local);
      message.mirrored = sip::mirrored_changes(*message.reply, message.bytes);
      co_return std::nullopt;
    }
    if (failure && failure->kind != FailureKind::timed_out) break;
  }
  co_return failure;
}

}  // namespace callready::checks
