#include "checks/sip_alg_line.hpp"

#include "checks/dial.hpp"
#include "probe/net/timeouts.hpp"

namespace callready::checks {
namespace {

// Sends the message once, when its turn has come.
asio::awaitable<std::optional<Failure>> send_once(Context& context, AlgLine& line,
                                                  AlgBudget& budget, SocketAddress server,
                                                  AlgMessage& message, bool again, bool once_more,
                                                  sip::Collector& collector) {
  const auto& scope = context.scope;
  if (budget.sent > 0) {
    const auto when = budget.last_sent + timeouts::sip_gap;
    const bool slept = co_await sleep_until(context.executor, scope, when);
    if (!slept) co_return stopped();
  }
  // The runner has allowed the first datagram, and repetitions need no permission.
  const bool asks = !again && (budget.sent > 0 || !line.repeats());
  if (asks) {
    const bool allowed = co_await sip_allowed(context, server, message.options.transport);
    if (!allowed) co_return stopped();
  }
  if (scope.stop.stopped()) co_return stopped();
  budget.last_sent = scope.clock.now();
  const auto count = [&] {
    ++message.sent;
    ++budget.sent;
    --budget.left;
  };
  // If it may be sent again, the wait ends when that is due: a late reply still counts then.
  const UdpPatience patience{1, once_more ? timeouts::sip_gap : timeouts::sip_single_reply};
  std::optional<Failure> failure;
  if (line.socket) {
    const UdpMatch is_final = [&collector](const Datagram& datagram) {
      return collector.take(datagram.bytes, sip::Carriage::datagram);
    };
    const auto result =
        co_await udp_request(*line.socket, scope, message.bytes, is_final, patience);
    if (result.has_error()) failure = result.error().failure;
    if (result.has_value() || result.error().attempts > 0) count();
  } else {
    const auto deadline = budget.last_sent + patience.reply;
    const auto written = co_await line.stream->write(message.bytes, scope, deadline);
    if (written.has_error()) co_return written.error();
    count();
    failure = co_await read_reply(*line.stream, scope, line.framer, collector, deadline);
  }
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
  auto line = std::make_unique<AlgLine>();
  if (probe.target.transport != Transport::udp) {
    const DialOptions options{};
    auto dialled = co_await dial(context, there, options, observation);
    failure = dialled.failure;
    if (!dialled.stream) co_return nullptr;
    line->stream = std::move(dialled.stream);
    co_return line;
  }
  observation = begin_check(context, job);
  auto socket = open_udp(context, there.remote());
  if (socket.has_error()) {
    failure = socket.error();
    record(observation, socket.error());
    co_return nullptr;
  }
  observation.local = socket->local();
  line->socket.emplace(std::move(*socket));
  co_return line;
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
    message.broken = collector.broken();
    message.why_broken = collector.why_broken();
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
