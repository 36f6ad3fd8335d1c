// The program's own checks, or what they would see.
#include <map>

#include "checks/kinds.hpp"
#include "checks/refuser.hpp"
#include "probe/net/stun.hpp"
#include "tests/networks/sockets.hpp"

namespace callready::networks {
namespace {

using checks::Context;
using checks::Job;

// Finds the address of the target's name, for checks that the engine lets resolve it themselves: a
// domain's SIP servers are at its own address, since there are no SRV records here. If there is no
// address, returns the check's observation.
asio::awaitable<std::optional<Observation>> locate(Context& context, Job& job) {
  if (job.address) co_return std::nullopt;
  const auto& host = job.probe.target.host;
  const auto found = co_await context.resolver.resolve(host, Family::v4, context.scope);
  if (found.addresses.has_error()) {
    Observation unresolved;
    record(unresolved, found.addresses.error());
    co_return unresolved;
  }
  job.address = found.addresses->front();
  co_return std::nullopt;
}

// What the check would see, and when: the rest of the run hears of it at the right moment.
template <void (ModelledCheck::*model)()>
asio::awaitable<Observation> modelled(Context& context, Job job) {
  auto& memory = memory_of(context.executor);
  const auto& target = job.probe.target;
  const bool dials = job.probe.check != CheckKind::ipv6 && job.probe.check != CheckKind::dns;
  if (dials && target.route.direct() && !target.host.empty()) {
    auto unresolved = co_await locate(context, job);
    if (unresolved) co_return std::move(*unresolved);
  }
  const auto began = memory.now_ms();
  const auto sent_at = context.scope.clock.wall_now();
  ModelledCheck check(memory.observer(), job, began);
  (check.*model)();
  auto& observation = check.observation;
  observation.sent_at = sent_at;
  const auto stood = observation.timing_ms.find(Timing::connect);
  if (stood != observation.timing_ms.end() && dials && target.route.direct()) {
    const auto when = memory.at(began + stood->second);
    co_await sleep_until(context.executor, context.scope, when);
    context.edge.reached(job.remote(), Milliseconds(stood->second), context.settings.interface,
                         context.scope);
  }
  if (check.first_reply_ms > 0 && check.first_reply_ms < check.ended_ms) {
    const auto when = memory.at(check.first_reply_ms);
    co_await sleep_until(context.executor, context.scope, when);
    if (reached(observation.outcome)) context.first_reply(job.probe);
  }
  const auto end = memory.at(check.ended_ms);
  co_await sleep_until(context.executor, context.scope, end);
  if (dials) {
    std::vector<std::uint8_t> payload(12);
    if (job.probe.check == CheckKind::turn) {
      const auto id = stun::new_transaction_id();
      payload = stun::Builder(stun::Class::request, stun::Method::allocate, id).finish();
    }
    co_await ask_who_refused(context, job, std::move(payload), observation);
  }
  co_return std::move(observation);
}

asio::awaitable<Observation> sip_without_records(Context& context, Job job) {
  auto unresolved = co_await locate(context, job);
  if (unresolved) co_return std::move(*unresolved);
  auto probe = job.probe;
  const bool located = probe.with.erase("srv") > 0;
  Job there{probe, job.address, job.doubtful};
  auto seen = co_await checks::run_sip(context, there);
  if (located) {
    checks::add_evidence(seen, EvidenceKind::sip_target, {},
                         {{Fact::host, probe.target.host}, {Fact::port, probe.target.port()}});
  }
  co_return seen;
}

// The real check over UDP, its model over connections.
template <checks::Run real, void (ModelledCheck::*model)()>
asio::awaitable<Observation> over_udp(Context& context, Job job) {
  const bool udp = job.probe.target.transport == Transport::udp;
  return udp ? real(context, job) : modelled<model>(context, job);
}

// Relays are modelled.
asio::awaitable<Observation> turn_without_credentials(Context& context, Job job) {
  const auto& network = memory_of(context.executor).observer().network();
  return network.credentials ? modelled<&ModelledCheck::turn>(context, job)
                             : over_udp<checks::run_turn, &ModelledCheck::turn>(context, job);
}

}  // namespace

std::span<const checks::Check> checks_in_memory() {
  using enum CheckKind;
  static const std::map<CheckKind, checks::Run> runs = {
      {tcp, modelled<&ModelledCheck::tcp>},
      {tls, modelled<&ModelledCheck::tls>},
      {tls_hello, modelled<&ModelledCheck::tls_hello>},
      {http, modelled<&ModelledCheck::http>},
      {stun, over_udp<checks::run_stun, &ModelledCheck::stun>},
      {turn, turn_without_credentials},
      {quic, modelled<&ModelledCheck::quic>},
      {sip, over_udp<sip_without_records, &ModelledCheck::sip>},
      {sip_alg, over_udp<checks::run_sip_alg, &ModelledCheck::sip_alg>},
      {sip_long, modelled<&ModelledCheck::sip_long>},
      {path, over_udp<checks::run_path, &ModelledCheck::path>},
      {ipv6, modelled<&ModelledCheck::ipv6>},
      {proxy, modelled<&ModelledCheck::proxy>},
      {dns, modelled<&ModelledCheck::dns>},
      {hop, checks::run_hop},
      {nat, checks::run_nat},
      {ntp, checks::run_ntp},
      {udp_range, checks::run_udp_range}};
  static const auto table = [] {
    std::vector<checks::Check> made(checks::registry().begin(), checks::registry().end());
    std::erase_if(made, [](const auto& check) { return check.kind == ice || check.kind == media; });
    // A check that is missing there would send real packets: at() throws instead.
    for (auto& check : made) check.run = runs.at(check.kind);
    return made;
  }();
  return table;
}

}  // namespace callready::networks
