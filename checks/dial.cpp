#include "checks/dial.hpp"

#include "checks/certificate_evidence.hpp"
#include "checks/proxy_route.hpp"
#include "checks/refuser.hpp"
#include "probe/net/timeouts.hpp"

namespace callready::checks {

namespace {

// The TCP connection, direct or through the route's proxy; null where the observation says why.
asio::awaitable<std::unique_ptr<Stream>> connect(Context& context, Job job,
                                                 Observation& observation,
                                                 std::optional<Failure>& failure) {
  if (!job.probe.target.route.direct()) {
    auto tunnel = co_await open_tunnel(context, job, observation, failure);
    co_return tunnel;
  }
  const auto start = context.scope.clock.now();
  observation.address = job.address;
  ConnectOptions options;
  options.interface = context.settings.interface;
  const auto remote = job.remote();
  auto connected = co_await connect_tcp(context.executor, context.scope, remote, options);
  if (connected.has_error()) {
    failure = connected.error();
    record(observation, connected.error());
    std::vector<std::uint8_t> no_payload;
    co_await ask_who_refused(context, job, std::move(no_payload), observation);
    co_return nullptr;
  }
  const auto took = elapsed(start, context.scope.clock.now());
  observation.local = (*connected)->local();
  observation.round_trip = took;
  observation.timing_ms["connect"] = took.count();
  co_return std::move(*connected);
}

void record_tls_failure(Observation& observation, const Failure& failure) {
  record(observation, failure);
  // TCP was established: from here on silence is a broken protocol, not an absent host.
  if (observation.outcome == Outcome::silent) {
    observation.outcome = Outcome::failed;
    observation.detail = "tls_timed_out";
  }
  if (knows_old_versions_only(failure)) observation.detail = "tls_version";
}

bool is_https_proxy(const Route& route) { return route.proxy.starts_with("https:"); }

// The tunnel, and the handshake in it, by libcurl, which has the TLS around both.
asio::awaitable<Dialled> through_https_proxy(Context& context, Job job, bool tls,
                                             Observation& observation) {
  Dialled dialled;
  const auto route = co_await find_proxy(context, job, observation);
  if (!route) co_return dialled;
  const auto start = context.scope.clock.now();
  const auto& host = job.probe.target.host;
  auto request = request_through(
      context, *route, (tls ? "https://" : "http://") + authority(host, job.probe.target.port()));
  request.check_name = !IpAddress::parse(host).has_value();
  HttpClient client(context.executor, context.tls);
  const ProxyAttempt attempt = [&](HttpRequest one) -> asio::awaitable<HttpReply> {
    const auto deadline = context.scope.clock.now() + timeouts::proxy_connect;
    auto tunnel = co_await client.connect(one, context.scope, deadline);
    co_return std::move(tunnel.reply);
  };
  const auto reply = co_await with_login(context, *route, request, attempt);
  dialled.failure = reply.failure;
  const bool passed = proxy_let_pass(observation, *route, reply);
  if (!passed) co_return dialled;
  observation.timing_ms["tunnel"] = elapsed(start, context.scope.clock.now()).count();
  observation.outcome = Outcome::connected;
  dialled.tls = reply.tls;
  dialled.stands = !reply.failure;
  if (reply.failure) record_tls_failure(observation, *reply.failure);
  co_return dialled;
}

}  // namespace

asio::awaitable<Dialled> dial(Context& context, Job job, DialOptions options,
                              Observation& observation) {
  Dialled dialled;
  observation.sent_at = context.scope.clock.wall_now();
  observation.attempts = 1;
  if (options.handshake_only && is_https_proxy(job.probe.target.route)) {
    dialled = co_await through_https_proxy(context, job, options.tls, observation);
    co_return dialled;
  }
  auto connected = co_await connect(context, job, observation, dialled.failure);
  if (!connected) co_return dialled;
  const auto established = context.scope.clock.now();
  observation.outcome = Outcome::connected;
  if (!options.tls) {
    dialled.stream = std::move(connected);
    dialled.stands = true;
    co_return dialled;
  }
  TlsOptions tls_options;
  tls_options.server_name = job.parameter("server_name", job.probe.target.host);
  // A bare address in the set has no name to check: such certificates name the service.
  tls_options.check_name = !IpAddress::parse(job.probe.target.host).has_value();
  tls_options.alpn = options.alpn;
  auto attempt =
      co_await tls_handshake(std::move(connected), context.scope, context.tls, tls_options);
  observation.timing_ms["handshake"] = elapsed(established, context.scope.clock.now()).count();
  dialled.tls = std::move(attempt.info);
  if (attempt.stream.has_error()) {
    dialled.failure = attempt.stream.error();
    record_tls_failure(observation, attempt.stream.error());
    co_return dialled;
  }
  dialled.stream = std::move(*attempt.stream);
  dialled.stands = true;
  co_return dialled;
}

}  // namespace callready::checks
