#include "checks/stun_dial.hpp"

#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "probe/net/far_end.hpp"

namespace callready::checks {

asio::awaitable<StunDialled> dial_stun(Context& context, Job job, Observation& observation) {
  StunDialled dialled;
  if (job.probe.target.transport != Transport::udp) {
    const DialOptions options{.tls = job.probe.target.transport == Transport::tls};
    auto connection = co_await dial(context, job, options, observation);
    dialled.tls = std::move(connection.tls);
    if (options.tls) add_tls_evidence(observation, dialled.tls);
    if (connection.stream) dialled.channel = make_stun_channel(std::move(connection.stream));
    co_return dialled;
  }
  observation = begin_check(context, job);
  // A connected socket knows which of this machine's addresses the route takes ...
  const auto connected = open_udp(context, job.remote());
  // ... and one that is not hears an answer from the wrong address.
  auto socket = open_udp(context, job.remote(), {.connect = false, .headers = true});
  if (connected.has_error() || socket.has_error()) {
    const auto failure = connected.has_error() ? connected.error() : socket.error();
    record(observation, failure);
    co_return dialled;
  }
  observation.local = SocketAddress{connected->local().address, socket->local().port};
  dialled.channel = make_stun_channel(std::move(*socket), patience_for(job));
  co_return dialled;
}

void add_stray_evidence(Observation& observation, const StunChannel& channel) {
  for (const auto& reply : channel.unexpected()) {
    const auto from = reply.from.to_string();
    add_evidence(observation, EvidenceKind::stun_stray,
                 reply.from_server ? phrase("{} sent something else: {}", from, reply.text)
                                   : phrase("{}, which was not asked, sent {}", from, reply.text),
                 {{Fact::from, from},
                  {Fact::from_server, reply.from_server},
                  {Fact::reason, std::string(to_string(reply.reason))},
                  {Fact::what, reply.text}});
  }
}

void record_no_answer(Observation& observation, const StunChannel& channel,
                      const Failure& failure) {
  if (channel.reliable()) {
    record_connected(observation, failure, DetailCode::stun_timed_out);
  } else {
    record(observation, failure);
  }
  add_stray_evidence(observation, channel);
  if (observation.outcome == Outcome::skipped) return;
  for (const auto& reply : channel.unexpected()) {
    if (!reply.from_server) continue;
    if (far_end::says_busy(reply.text)) return record_busy(observation);
    return set_outcome(observation, Outcome::failed, reply.reason);
  }
}

void add_reply_evidence(Observation& observation, const StunAnswer& answer) {
  const auto& message = answer.message;
  const bool success = message.message_class == stun::Class::success;
  FactMap facts{{Fact::success, success}};
  auto text = success ? phrase("a STUN success response") : phrase("a STUN error response");
  if (message.error_code != 0) {
    const auto reason = stun::printable(message.reason);
    text = phrase("a STUN error response: {} {}", message.error_code, reason);
    facts[Fact::code] = message.error_code;
    facts[Fact::reason] = reason;
  }
  if (message.software) {
    const auto software = stun::printable(*message.software);
    text += phrase(", from {}", software);
    facts[Fact::software] = software;
  }
  if (message.response_origin) facts[Fact::response_origin] = message.response_origin->to_string();
  if (message.other_address) facts[Fact::other_address] = message.other_address->to_string();
  add_evidence(observation, EvidenceKind::stun_reply, std::move(text), std::move(facts));
  add_mapped_address(observation, message);
}

void add_mapped_address(Observation& observation, const stun::Message& message) {
  const auto mapped = message.mapped();
  if (!mapped) return;
  FactMap facts{{Fact::address, mapped->address.to_string()}, {Fact::port, mapped->port}};
  if (observation.local) facts[Fact::translated] = *mapped != *observation.local;
  add_evidence(observation, EvidenceKind::mapped_address,
               phrase("the server sees us as {}", mapped->to_string()), std::move(facts));
}

}  // namespace callready::checks
