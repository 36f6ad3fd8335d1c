#include "checks/stun_dial.hpp"

#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "probe/net/far_end.hpp"

namespace callready::checks {

asio::awaitable<StunDialled> dial_stun(Context& context, Job job, Observation& observation) {
  StunDialled dialled;
  if (job.probe.target.transport != Transport::udp) {
    DialOptions options;
    options.tls = job.probe.target.transport == Transport::tls;
    auto connection = co_await dial(context, job, options, observation);
    dialled.tls = std::move(connection.tls);
    if (options.tls) add_tls_evidence(observation, dialled.tls);
    if (connection.stream) dialled.channel = make_stun_channel(std::move(connection.stream));
    co_return dialled;
  }
  observation.address = job.address;
  observation.sent_at = context.scope.clock.wall_now();
  UdpSocket::Options options;
  options.interface = context.settings.interface;
  // A connected socket knows which of this machine's addresses the route takes ...
  auto connected = UdpSocket::open(context.executor, job.remote(), options);
  // ... and one that is not hears an answer from the wrong address.
  options.connect = false;
  options.headers = true;
  auto socket = UdpSocket::open(context.executor, job.remote(), options);
  if (connected.has_error() || socket.has_error()) {
    const auto failure = connected.has_error() ? connected.error() : socket.error();
    record(observation, failure);
    co_return dialled;
  }
  observation.local = SocketAddress{connected->local().address, socket->local().port};
  dialled.channel = make_stun_channel(std::move(*socket));
  co_return dialled;
}

void add_stray_evidence(Observation& observation, const StunChannel& channel) {
  for (const auto& reply : channel.unexpected()) {
    Evidence evidence;
    evidence.kind = EvidenceKind::stun_stray;
    const auto from = reply.from.to_string();
    evidence.text = reply.from_server
                        ? phrase("{} sent something else: {}", from, reply.text)
                        : phrase("{}, which was not asked, sent {}", from, reply.text);
    evidence.facts[Fact::from] = from;
    evidence.facts[Fact::from_server] = reply.from_server;
    evidence.facts[Fact::reason] = std::string(to_string(reply.reason));
    evidence.facts[Fact::what] = reply.text;
    observation.evidence.push_back(std::move(evidence));
  }
}

void record_no_answer(Observation& observation, const StunChannel& channel,
                      const Failure& failure) {
  record(observation, failure);
  add_stray_evidence(observation, channel);
  if (failure.kind == FailureKind::stopped) return;
  for (const auto& reply : channel.unexpected()) {
    if (!reply.from_server) continue;
    if (far_end::says_busy(reply.text)) return record_busy(observation);
    observation.outcome = Outcome::failed;
    observation.detail = reply.reason;
    return;
  }
  // TCP was established: from here on silence is a broken protocol, not an absent host.
  if (channel.reliable() && observation.outcome == Outcome::silent) {
    observation.outcome = Outcome::failed;
    observation.detail = DetailCode::stun_timed_out;
  }
}

void add_reply_evidence(Observation& observation, const StunAnswer& answer) {
  const auto& message = answer.message;
  Evidence reply;
  reply.kind = EvidenceKind::stun_reply;
  reply.text = message.message_class == stun::Class::success ? phrase("a STUN success response")
                                                             : phrase("a STUN error response");
  if (message.error_code != 0) {
    const auto reason = stun::printable(message.reason);
    reply.text = phrase("a STUN error response: {} {}", message.error_code, reason);
    reply.facts[Fact::code] = static_cast<std::int64_t>(message.error_code);
    reply.facts[Fact::reason] = reason;
  }
  reply.facts[Fact::success] = message.message_class == stun::Class::success;
  if (message.software) {
    const auto software = stun::printable(*message.software);
    reply.text += phrase(", from {}", software);
    reply.facts[Fact::software] = software;
  }
  if (message.response_origin) {
    reply.facts[Fact::response_origin] = message.response_origin->to_string();
  }
  if (message.other_address) reply.facts[Fact::other_address] = message.other_address->to_string();
  observation.evidence.push_back(std::move(reply));
  add_mapped_address(observation, message);
}

void add_mapped_address(Observation& observation, const stun::Message& message) {
  const auto mapped = message.mapped();
  if (!mapped) return;
  Evidence evidence;
  evidence.kind = EvidenceKind::mapped_address;
  evidence.text = phrase("the server sees us as {}", mapped->to_string());
  evidence.facts[Fact::address] = mapped->address.to_string();
  evidence.facts[Fact::port] = static_cast<std::int64_t>(mapped->port);
  if (observation.local) evidence.facts[Fact::translated] = *mapped != *observation.local;
  observation.evidence.push_back(std::move(evidence));
}

}  // namespace callready::checks
