// sip: one OPTIONS outside a dialog (RFC 3261 section 11) over UDP, TCP or TLS.
//
// Sends OPTIONS from nobody (`From: <sip:anonymous@anonymous.invalid>`), with `rport` (RFC 3581);
// over UDP again at timeouts::udp_sends, over a stream once. Outcomes:
// `answered` with the status ("200", "401", "503") where a final reply came back, whatever it says:
// the way to the server is open; also where only provisional replies did ("100");
// over TLS as in `tls`: `failed` with what is wrong with the certificate where this machine does
// not trust it, since a phone would hang up there; what the server answers is evidence then; and
// `answered` with "client_certificate_wanted" where it wants one and turns us away;
// `failed` with "malformed" where what came back is no SIP, "mismatched_reply" where it is SIP but
// no reply to our request (another branch, Call-ID or CSeq, section 17.1.3), "sip_timed_out" where
// a connection stood and nothing came over it, "closed_by_peer", "connection_reset";
// `silent`, `refused`, `rejected` as in `tcp`.
//
// Parameters: `domain` is the host of the Request-URI where it is not the server's name.
#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "checks/kinds.hpp"
#include "checks/sip_exchange.hpp"

namespace callready::checks {
namespace {

void add_evidence(Observation& observation, const sip::Collector& collector,
                  const sip::Options& sent, const SocketAddress& local) {
  if (collector.reply()) {
    add_sip_reply(observation, *collector.reply());
    add_sip_via(observation, *collector.reply(), sent, local);
  }
  add_sip_discarded(observation, collector);
}

asio::awaitable<void> over_udp(Context& context, Job job, Observation& observation) {
  observation.address = job.address;
  observation.sent_at = context.scope.clock.wall_now();
  UdpSocket::Options socket_options;
  socket_options.interface = context.settings.interface;
  auto socket = UdpSocket::open(context.executor, job.remote(), socket_options);
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
  const auto result = co_await udp_request(*socket, context.scope, *request, is_final);
  std::optional<Failure> failure;
  if (result) {
    observation.attempts = result->attempts;
    observation.round_trip = result->round_trip;
    observation.timing_ms["reply"] = result->since_first.count();
  } else {
    observation.attempts = result.error().attempts;
    failure = result.error().failure;
  }
  conclude_sip(observation, collector, failure, false);
  add_evidence(observation, collector, options, local);
}

asio::awaitable<void> over_stream(Context& context, Job job, Observation& observation) {
  DialOptions dial_options;
  dial_options.tls = job.probe.target.transport == Transport::tls;
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
    const auto start = context.scope.clock.now();
    sip::Collector collector(options.transaction);
    failure = co_await exchange_over_stream(*dialled.stream, context.scope, *request, collector);
    if (!failure) {
      observation.timing_ms["reply"] = elapsed(start, context.scope.clock.now()).count();
    }
    conclude_sip(observation, collector, failure, true);
    add_evidence(observation, collector, options, local);
  }
  // In TLS 1.3 the server's judgement of our missing certificate comes after the handshake.
  const bool alert = failure && failure->kind == FailureKind::tls_alert;
  if (alert && dialled.tls.client_certificate_asked) {
    observation.outcome = Outcome::answered;
    observation.detail = "client_certificate_wanted";
  }
  const auto fault = certificate_fault(dialled.tls);
  if (dialled.stream && !fault.empty() && observation.outcome != Outcome::skipped) {
    observation.outcome = Outcome::failed;
    observation.detail = fault;
  }
}

}  // namespace

asio::awaitable<Observation> run_sip(Context& context, Job job) {
  Observation observation;
  if (job.probe.target.transport == Transport::udp) {
    co_await over_udp(context, job, observation);
  } else {
    co_await over_stream(context, job, observation);
  }
  co_return observation;
}

}  // namespace callready::checks
