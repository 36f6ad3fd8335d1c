// sip: one OPTIONS outside a dialog (RFC 3261 section 11) over UDP, TCP or TLS.
//
// Sends anonymous OPTIONS (`From: <sip:anonymous@anonymous.invalid>`), with `rport` (RFC 3581);
// over UDP again at timeouts::udp_sends, over a stream once. Outcomes:
// `answered` with the status ("200", "401", "503") where a final reply came back, whatever it says:
// the way to the server is open; also where only provisional replies did ("100");
// over TLS as in `tls`: `failed` with what is wrong with the certificate where this machine does
// not trust it, since a phone would hang up there; what the server answers is evidence then; and
// `answered` with "client_certificate_wanted" where it wants one and turns us away;
// `failed` with "malformed" if what came back is not SIP, "mismatched_reply" if it is SIP but not
// a reply to our request (another branch, Call-ID or CSeq, section 17.1.3), "sip_timed_out" if a
// connection was established and nothing came over it, "closed_by_peer", "connection_reset";
// `silent`, `refused`, `rejected` as in `tcp`.
//
// Parameters: `domain` is the host of the Request-URI where it is not the server's name; `sha256`
// and `public_key_sha256` as in `tls`. With `srv: true` the host is a domain whose servers are
// found first, as a phone does (sip_locate.hpp); the second of them is asked where the first does
// not answer (RFC 3263 section 4.3). Further outcomes: `unresolved` with "no_service" if the domain
// says that it has no such service, or as the runner reports it for names without an address.
#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "checks/kinds.hpp"
#include "checks/sip_exchange.hpp"
#include "checks/sip_locate.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

void add_exchange(Observation& observation, const sip::Collector& collector,
                  const sip::Options& sent, const SocketAddress& local) {
  if (collector.reply()) {
    add_sip_reply(observation, *collector.reply());
    add_sip_via(observation, *collector.reply(), sent, local);
  }
  add_sip_discarded(observation, collector);
}

asio::awaitable<void> over_udp(Context& context, Job job, Observation& observation) {
  observation = begin_check(context, job);
  auto socket = open_udp(context, job.remote());
  if (socket.has_error()) {
    record(observation, socket.error());
    co_return;
  }
  const auto local = socket->local();
  observation.local = local;
  const auto options = sip_options(context, job, local);
  const auto request = sip::build(options);
  if (request.has_error()) {
    record(observation, request.error());
    co_return;
  }
  sip::Collector collector(options.transaction);
  const UdpMatch is_final = [&collector](const Datagram& datagram) {
    return collector.take(datagram.bytes, sip::Carriage::datagram);
  };
  const auto patience = patience_for(job);
  const auto result = co_await udp_request(*socket, context.scope, *request, is_final, patience);
  std::optional<Failure> failure;
  if (result) {
    observation.attempts = result->attempts;
    observation.round_trip = result->round_trip;
    observation.timing_ms[Timing::reply] = result->since_first.count();
  } else {
    observation.attempts = result.error().attempts;
    failure = result.error().failure;
  }
  conclude_sip(observation, collector, failure, false);
  note_short_wait(observation, job, patience.reply);
  add_exchange(observation, collector, options, local);
}

asio::awaitable<void> over_stream(Context& context, Job job, Observation& observation) {
  const DialOptions dial_options{.tls = job.probe.target.transport == Transport::tls};
  auto dialled = co_await dial(context, job, dial_options, observation);
  add_tls_evidence(observation, dialled.tls);
  std::optional<Failure> failure = dialled.failure;
  if (dialled.stream) {
    const auto local = dialled.stream->local();
    const auto options = sip_options(context, job, local);
    const auto request = sip::build(options);
    if (request.has_error()) {
      record(observation, request.error());
      co_return;
    }
    const auto server = job.remote();
    const bool allowed = co_await sip_allowed(context, server, job.probe.target.transport);
    if (!allowed) {
      record(observation, stopped());
      co_return;
    }
    const auto start = context.scope.clock.now();
    sip::Collector collector(options.transaction);
    sip::Framer framer;
    failure = co_await exchange_over_stream(*dialled.stream, context.scope, *request, framer,
                                            collector, start + timeouts::stream_reply);
    if (!failure) {
      observation.timing_ms[Timing::reply] = elapsed(start, context.scope.clock.now()).count();
    }
    conclude_sip(observation, collector, failure, true);
    add_exchange(observation, collector, options, local);
  }
  const bool turned_away = failure && wants_a_client_certificate(*failure, dialled.tls);
  if (turned_away) {
    set_outcome(observation, Outcome::answered, DetailCode::client_certificate_wanted);
  }
  const bool met = dialled.stream || (turned_away && !dialled.tls.chain.empty());
  if (!met || !dial_options.tls || observation.outcome == Outcome::skipped) co_return;
  const auto fault = certificate_fault(dialled.tls, pin_of(job));
  if (!fault.empty()) record_fault(observation, fault);
}

asio::awaitable<Observation> at_address(Context& context, Job job) {
  Observation observation;
  if (job.probe.target.transport == Transport::udp) {
    co_await over_udp(context, job, observation);
  } else {
    co_await over_stream(context, job, observation);
  }
  co_return observation;
}

// How many servers of a domain are asked: a phone would go on, but we need not.
constexpr std::size_t most_sip_servers = 2;

asio::awaitable<Observation> at_domain(Context& context, Job job) {
  const auto& domain = job.probe.target.host;
  auto location = co_await locate_sip(context, domain, job.probe.target);
  Observation observation;
  if (location.targets.empty()) {
    record(observation, *location.failure);
    if (location.no_service) observation.detail = DetailCode::no_service;
  }
  for (std::size_t i = 0; i < location.targets.size() && i < most_sip_servers; ++i) {
    const auto& target = location.targets[i];
    const auto found = co_await context.resolver.resolve_target(target.host, context.scope);
    Probe probe = job.probe;
    probe.target.ports = {target.port, target.port};
    probe.with["domain"] = job.parameter("domain", domain);
    Observation attempt;
    if (found.addresses.has_value()) {
      Job there{probe, found.addresses->front()};
      const auto server = there.remote();
      bool allowed = true;
      if (probe.target.transport == Transport::udp) {
        allowed = co_await sip_allowed(context, server, Transport::udp);
      }
      if (allowed) {
        attempt = co_await at_address(context, there);
      } else {
        record(attempt, stopped());
      }
    } else {
      record(attempt, found.addresses.error());
    }
    add_sip_target(location.seen, target, attempt);
    observation = std::move(attempt);
    if (reached(observation.outcome) || observation.outcome == Outcome::skipped) break;
  }
  append(location.seen.evidence, observation.evidence);
  observation.evidence = std::move(location.seen.evidence);
  observation.timing_ms[Timing::dns] = location.took.count();
  co_return observation;
}

}  // namespace

asio::awaitable<Observation> run_sip(Context& context, Job job) {
  Observation observation;
  if (job.parameter("srv") == "true") {
    observation = co_await at_domain(context, job);
  } else {
    observation = co_await at_address(context, job);
  }
  co_return observation;
}

}  // namespace callready::checks
