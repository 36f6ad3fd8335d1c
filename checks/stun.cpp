// stun: a Binding request over UDP, TCP or TLS (RFC 8489 sections 2 and 6; TLS: 6.2.3).
//
// Sends one Binding request with no attribute but SOFTWARE, over UDP repeated at
// timeouts::udp_sends. Outcomes: `answered` where a STUN response to it comes back, "success" or
// the error code, such as "401" (some servers want credentials: the way to them is open all the
// same); over TLS only where this machine trusts the certificate, else `failed` with the fault of
// `tls`. `silent`, `refused` and `rejected` as in tcp.cpp; silence on a connection that stands is
// `failed` with "stun_timed_out". `failed` also where something else answers: "not_stun" (an
// inspection device's "HTTP/1.1 400", a port that speaks TLS: the evidence names it),
// "wrong_cookie", "truncated", "trailing_bytes", "attribute_overrun", "oversized",
// "wrong_transaction_id", "endless". An answer from another address than the one asked is evidence
// ("stun_stray") but does not count: a browser would not accept it.
#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "checks/kinds.hpp"
#include "checks/refuser.hpp"
#include "checks/stun_dial.hpp"
#include "checks/stun_flows.hpp"
#include "probe/net/far_end.hpp"

namespace callready::checks {

asio::awaitable<Observation> run_stun(Context& context, Job job) {
  if (!job.parameter("flows").empty()) {
    auto counted = co_await count_stun_answers(context, job);
    co_return counted;
  }
  Observation observation;
  auto dialled = co_await dial_stun(context, job, observation);
  if (!dialled.channel) co_return observation;
  auto& channel = *dialled.channel;
  const auto id = stun::new_transaction_id();
  stun::Builder builder(stun::Class::request, stun::Method::binding, id);
  stun::add_software(builder, context.settings.user_agent);
  const auto request = builder.finish();
  const auto exchange = co_await channel.request(request, context.scope);
  observation.attempts = exchange.attempts;
  if (exchange.answer.has_error()) {
    record_no_answer(observation, channel, exchange.answer.error());
    note_short_wait(observation, job, patience_for(job).reply);
    if (observation.outcome == Outcome::skipped) co_return observation;
    auto payload = request;
    co_await ask_who_refused(context, job, std::move(payload), observation);
    co_return observation;
  }
  const auto& answer = *exchange.answer;
  const bool success = answer.message.message_class == stun::Class::success;
  set_outcome(observation, Outcome::answered,
              success ? DetailCode::success : Detail::status(answer.message.error_code));
  observation.timing_ms[Timing::reply] = answer.took.count();
  if (!channel.reliable()) observation.round_trip = answer.round_trip;
  if (far_end::says_busy(answer.message.reason)) record_busy(observation);
  add_reply_evidence(observation, answer);
  add_loss_evidence(observation, exchange.attempts);
  add_stray_evidence(observation, channel);
  const auto fault = certificate_fault(dialled.tls);
  if (!fault.empty() && observation.outcome != Outcome::skipped) {
    set_outcome(observation, Outcome::failed, fault);
  }
  co_return observation;
}

}  // namespace callready::checks
