#include "tests/networks/checks.hpp"

#include <map>

#include "checks/kinds.hpp"
#include "checks/refuser.hpp"
#include "probe/net/stun.hpp"
#include "tests/networks/sockets.hpp"

namespace callready::networks {
namespace {

using checks::Context;
using checks::Job;

std::vector<std::uint8_t> first_packet(CheckKind check) {
  if (check != CheckKind::turn) return std::vector<std::uint8_t>(12);
  return stun::Builder(stun::Class::request, stun::Method::allocate, stun::new_transaction_id())
      .finish();
}

asio::awaitable<void> wait_until(Context& context, Instant when) {
  const bool slept = co_await sleep_until(context.executor, context.scope, when);
  static_cast<void>(slept);
}

// The address of the target's name, for checks that the engine leaves to find it: a domain's SIP
// servers are at its own address, since nobody has SRV records here.
asio::awaitable<std::optional<Failure>> locate(Context& context, Job& job) {
  if (job.address) co_return std::nullopt;
  const auto& host = job.probe.target.host;
  const auto found = co_await context.resolver.resolve(host, Family::v4, context.scope);
  if (found.addresses.has_error()) co_return found.addresses.error();
  job.address = found.addresses->front();
  co_return std::nullopt;
}

Observation unresolved(const Failure& failure) {
  Observation observation;
  record(observation, failure);
  return observation;
}

// What the check would see, when it would: what that tells others of the run is told in time.
template <Seen (Observer::*model)(Observer::Job)>
asio::awaitable<Observation> modelled(Context& context, Job job) {
  auto& memory = memory_of(context.executor);
  const auto& target = job.probe.target;
  const bool dials = job.probe.check != CheckKind::ipv6 && job.probe.check != CheckKind::dns;
  if (dials && target.route.direct() && !target.host.empty()) {
    const auto failure = co_await locate(context, job);
    if (failure) co_return unresolved(*failure);
  }
  const auto began = memory.now_ms();
  const auto sent_at = context.scope.clock.wall_now();
  auto seen = (memory.observer().*model)({job.probe, job.address.value_or(IpAddress{}), began});
  auto& observation = seen.observation;
  observation.sent_at = sent_at;
  const auto stood = observation.timing_ms.find(Timing::connect);
  if (stood != observation.timing_ms.end() && dials && target.route.direct()) {
    const auto when = memory.at(began + stood->second);
    co_await wait_until(context, when);
    context.edge.reached(job.remote(), Milliseconds(stood->second), context.settings.interface,
                         context.scope);
  }
  if (seen.first_reply_ms > 0 && seen.first_reply_ms < seen.ended_ms) {
    const auto when = memory.at(seen.first_reply_ms);
    co_await wait_until(context, when);
    if (reached(observation.outcome)) context.first_reply(job.probe);
  }
  const auto end = memory.at(seen.ended_ms);
  co_await wait_until(context, end);
  if (dials) {
    auto payload = first_packet(job.probe.check);
    co_await ask_who_refused(context, job, std::move(payload), observation);
  }
  co_return std::move(observation);
}

asio::awaitable<Observation> sip_without_records(Context& context, Job job) {
  const auto failure = co_await locate(context, job);
  if (failure) co_return unresolved(*failure);
  auto probe = job.probe;
  const bool located = probe.with.erase("srv") > 0;
  Job there{probe, job.address, job.doubtful};
  auto seen = co_await checks::run_sip(context, there);
  if (located) {
    add(seen, "sip_target", {{"host", probe.target.host}, {"port", probe.target.port()}});
  }
  co_return seen;
}

// As it is over UDP, and modelled over connections.
template <checks::Run real, Seen (Observer::*model)(Observer::Job)>
asio::awaitable<Observation> over_udp(Context& context, Job job) {
  const bool udp = job.probe.target.transport == Transport::udp;
  return udp ? real(context, job) : modelled<model>(context, job);
}

// Relays are modelled.
asio::awaitable<Observation> turn_without_credentials(Context& context, Job job) {
  const auto& network = memory_of(context.executor).observer().traffic().network();
  return network.credentials ? modelled<&Observer::turn>(context, job)
                             : over_udp<checks::run_turn, &Observer::turn>(context, job);
}

}  // namespace

std::span<const checks::Check> checks_in_memory() {
  using enum CheckKind;
  static const std::map<CheckKind, checks::Run> runs = {
      {tcp, modelled<&Observer::tcp>},
      {tls, modelled<&Observer::tls>},
      {tls_hello, modelled<&Observer::tls_hello>},
      {http, modelled<&Observer::http>},
      {stun, over_udp<checks::run_stun, &Observer::stun>},
      {turn, turn_without_credentials},
      {quic, modelled<&Observer::quic>},
      {sip, over_udp<sip_without_records, &Observer::sip>},
      {sip_alg, over_udp<checks::run_sip_alg, &Observer::sip_alg>},
      {sip_long, modelled<&Observer::sip_long>},
      {path, over_udp<checks::run_path, &Observer::path>},
      {ipv6, modelled<&Observer::ipv6>},
      {proxy, modelled<&Observer::proxy>},
      {dns, modelled<&Observer::dns>},
      {hop, checks::run_hop},
      {nat, checks::run_nat},
      {ntp, checks::run_ntp},
      {udp_range, checks::run_udp_range}};
  static const auto table = [] {
    std::vector<checks::Check> made(checks::registry().begin(), checks::registry().end());
    std::erase_if(made, [](const auto& check) { return check.kind == ice || check.kind == media; });
    // The packets of one that is missing there would leave the process: at() throws.
    for (auto& check : made) check.run = runs.at(check.kind);
    return made;
  }();
  return table;
}

}  // namespace callready::networks
