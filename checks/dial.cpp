#include "checks/dial.hpp"

#include <fmt/format.h>

#include "checks/certificate_evidence.hpp"
#include "checks/proxy_route.hpp"
#include "checks/refuser.hpp"
#include "probe/net/far_end.hpp"

namespace callready::checks {

namespace {

// The TCP connection, direct or through the route's proxy; null where the observation says why.
asio::awaitable<std::unique_ptr<Stream>> connect(Context& context, Job job, int segment,
                                                 Observation& observation,
                                                 std::optional<Failure>& failure) {
  if (!job.probe.target.route.direct()) {
    auto tunnel = co_await open_tunnel(context, job, observation, failure);
    co_return tunnel;
  }
  observation.address = job.address;
  ConnectOptions options;
  options.interface = context.settings.interface;
  options.segment = segment;
  if (job.doubtful) options.timeout = timeouts::silent_host_connect;
  const auto remote = job.remote();
  auto connected = co_await connect_tcp(context.executor, context.scope, remote, options);
  if (connected.has_error()) {
    failure = connected.error();
    record(observation, connected.error());
    note_short_wait(observation, job, options.timeout);
    std::vector<std::uint8_t> no_payload;
    co_await ask_who_refused(context, job, std::move(no_payload), observation);
    co_return nullptr;
  }
  const auto round_trip = (*connected)->round_trip();
  context.edge.reached(remote, round_trip, options.interface, context.scope);
  observation.local = (*connected)->local();
  observation.round_trip = round_trip;
  observation.timing_ms[Timing::connect] = (*connected)->handshake_took().count();
  add_loss_evidence(observation, 1 + (*connected)->sent_again());
  co_return std::move(*connected);
}

}  // namespace

void record_busy(Observation& observation) {
  set_outcome(observation, Outcome::skipped, DetailCode::far_end_busy);
}

void record_connected(Observation& observation, const Failure& failure, DetailCode silence) {
  record(observation, failure);
  if (observation.outcome == Outcome::silent) set_outcome(observation, Outcome::failed, silence);
}

UdpPatience patience_for(const Job& job) {
  if (job.doubtful) return {3, timeouts::silent_host_reply};
  return {};
}

void note_short_wait(Observation& observation, const Job& job, milliseconds waited) {
  if (!job.doubtful || observation.outcome != Outcome::silent) return;
  add_evidence(observation, EvidenceKind::short_wait,
               phrase("given up after {} s: this host had answered nothing by then",
                      static_cast<double>(waited.count()) / 1000),
               {{Fact::waited_ms, waited.count()}});
}

void add_loss_evidence(Observation& observation, int attempts) {
  if (attempts <= 1) return;
  add_evidence(
      observation, EvidenceKind::retransmitted,
      phrase(
          "answered only after {} transmissions: {} lost, or answers were slow", attempts,
          attempts == 2 ? phrase("a packet was") : phrase("up to {} packets were", attempts - 1)),
      {{Fact::attempts, attempts}});
}

asio::awaitable<Dialled> dial(Context& context, Job job, DialOptions options,
                              Observation& observation) {
  Dialled dialled;
  if (options.tls) context.tls.prepare();  // reads the trust anchors, the first time
  observation.sent_at = context.scope.clock.wall_now();
  observation.attempts = 1;
  auto connected = co_await connect(context, job, options.segment, observation, dialled.failure);
  if (!connected) co_return dialled;
  const auto established = context.scope.clock.now();
  observation.outcome = Outcome::connected;
  if (!options.tls) {
    dialled.stream = std::move(connected);
    co_return dialled;
  }
  TlsOptions tls_options;
  tls_options.server_name = job.parameter("server_name", job.probe.target.host);
  // A bare address in the set has no name to check: such certificates name the service.
  tls_options.check_name = !IpAddress::parse(tls_options.server_name).has_value();
  tls_options.alpn = options.alpn;
  tls_options.padding = options.hello_padding;
  auto attempt =
      co_await tls_handshake(std::move(connected), context.scope, context.tls, tls_options);
  observation.timing_ms[Timing::handshake] =
      elapsed(established, context.scope.clock.now()).count();
  dialled.tls = std::move(attempt.info);
  if (attempt.stream.has_error()) {
    dialled.failure = attempt.stream.error();
    record_connected(observation, attempt.stream.error(), DetailCode::tls_timed_out);
    if (knows_old_versions_only(attempt.stream.error())) {
      observation.detail = DetailCode::tls_version;
    }
    if (!dialled.tls.not_tls.empty()) observation.detail = DetailCode::not_tls;
    if (far_end::says_busy_before_tls(dialled.tls.not_tls)) record_busy(observation);
    co_return dialled;
  }
  dialled.stream = std::move(*attempt.stream);
  co_return dialled;
}

}  // namespace callready::checks
