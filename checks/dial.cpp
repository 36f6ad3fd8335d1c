#include "checks/dial.hpp"

namespace callready::checks {

asio::awaitable<Dialled> dial(Context& context, Job job, DialOptions options,
                              Observation& observation) {
  Dialled dialled;
  const auto start = context.scope.clock.now();
  observation.address = job.address;
  observation.sent_at = context.scope.clock.wall_now();
  observation.attempts = 1;
  ConnectOptions connect_options;
  connect_options.interface = context.settings.interface;
  const auto remote = job.remote();
  auto connected = co_await connect_tcp(context.executor, context.scope, remote, connect_options);
  if (connected.has_error()) {
    dialled.failure = connected.error();
    record(observation, connected.error());
    co_return dialled;
  }
  const auto established = context.scope.clock.now();
  observation.outcome = Outcome::connected;
  observation.local = (*connected)->local();
  observation.round_trip = elapsed(start, established);
  observation.timing_ms["connect"] = elapsed(start, established).count();
  if (!options.tls) {
    dialled.stream = std::move(*connected);
    co_return dialled;
  }
  TlsOptions tls_options;
  tls_options.server_name = job.probe.target.host;
  // A bare address in the set has no name to check: such certificates name the service.
  tls_options.check_name = !IpAddress::parse(job.probe.target.host).has_value();
  tls_options.alpn = options.alpn;
  auto transport = std::move(*connected);
  auto attempt =
      co_await tls_handshake(std::move(transport), context.scope, context.tls, tls_options);
  observation.timing_ms["handshake"] = elapsed(established, context.scope.clock.now()).count();
  dialled.tls = std::move(attempt.info);
  if (attempt.stream.has_error()) {
    dialled.failure = attempt.stream.error();
    record(observation, attempt.stream.error());
    // TCP was established: from here on silence is a broken protocol, not an absent host.
    if (observation.outcome == Outcome::silent) {
      observation.outcome = Outcome::failed;
      observation.detail = "tls_timed_out";
    }
    co_return dialled;
  }
  dialled.stream = std::move(*attempt.stream);
  co_return dialled;
}

}  // namespace callready::checks
