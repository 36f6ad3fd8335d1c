#include "checks/udp_range_relays.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/net/timeouts.hpp"
#include "probe/net/together.hpp"

namespace callready::checks::udp_range {
namespace {

// How many relays that did not work are tested with a second one: the server is always the same.
constexpr int most_doubts = 2;
// A firewall that counts the ports of one host takes more than some 20 in 5 s for a scan.
constexpr int relays_at_once = 16;

struct Sample {
  std::shared_ptr<Range> range;
  RelayServer server;
  Scope cleanup;
  int granted = 0, outside = 0, left = 0, doubts = 0;
  bool refused = false;             // the server has no more for us
  Text why;                         // of the last that was not measured
  std::optional<bool> relays_work;  // data goes from relay to relay
};

// Finds out with a second relay whether this one works at all.
asio::awaitable<void> settle_doubt(std::shared_ptr<Sample> sample, TurnClient& first) {
  if (sample->relays_work || sample->doubts == most_doubts) co_return;
  ++sample->doubts;
  auto& context = sample->range->context;
  const auto patience = context.scope.clock.now() + timeouts::relay_trip;
  const auto place = co_await context.pairs.enter(context.executor, context.scope, patience);
  if (!place) co_return;
  auto server = sample->server;
  auto second = co_await open_relay(context, server);
  if (second.client && second.why.empty()) {
    Text why;
    const auto carried = co_await between_relays(context, first, *second.client, why);
    if (carried) sample->relays_work = sample->relays_work.value_or(false) || *carried;
  }
  if (second.client) {
    const bool back = co_await second.client->deallocate(sample->cleanup);
    if (!back) ++sample->left;
  }
}

Port port_of(const RelayTrip& trip, std::uint16_t number) {
  Port port;
  port.number = number;
  port.outbound = trip.outbound;
  port.inbound = trip.inbound;
  if (trip.complete()) port.result = DetailCode::replied;
  if (*trip.outbound && !*trip.inbound) port.result = DetailCode::arrived;
  if (!*trip.outbound && trip.icmp && trip.icmp->kind == IcmpKind::prohibited) {
    port.result = DetailCode::prohibited;
    port.by = trip.icmp->sender;
  }
  if (trip.complete()) port.round_trip = *trip.outbound_took + *trip.inbound_took;
  return port;
}

asio::awaitable<void> measure(std::shared_ptr<Sample> sample, TurnClient& client) {
  auto& range = *sample->range;
  const auto number = client.relayed().port;
  ++sample->granted;
  if (!range.whole.contains(number)) {
    ++sample->outside;
    co_return;
  }
  const auto trip = co_await trip_through_relay(range.context, client);
  if (!trip.not_measured.empty()) {
    sample->why = trip.not_measured;
    co_return;
  }
  if (trip.complete()) sample->relays_work = true;
  if (!trip.complete()) co_await settle_doubt(sample, client);
  auto port = port_of(trip, number);
  range.ports.push_back(std::move(port));
}

asio::awaitable<bool> try_one(std::shared_ptr<Sample> sample) {
  auto& context = sample->range->context;
  const auto place =
      co_await context.relays.enter(context.executor, context.scope, context.deadline);
  if (!place || sample->refused) co_return false;
  auto server = sample->server;  // others are on their way, perhaps by another redirect
  auto relay = co_await open_relay(context, server);
  sample->server = std::move(server);
  if (!relay.why.empty()) sample->why = relay.why;
  // What one was refused for, the others will be, too; those that have a relay keep it.
  if (relay.code != 0 || !relay.client) sample->refused = true;
  if (!relay.client) co_return false;
  if (relay.why.empty()) co_await measure(sample, *relay.client);
  const bool back = co_await relay.client->deallocate(sample->cleanup);
  if (!back) ++sample->left;
  co_return true;
}

// A relay that did not hear us shows that the way is blocked only where relays work.
void judge_relays(Sample& sample) {
  for (auto& port : sample.range->ports) {
    if (!port.outbound || port.result != DetailCode::silent) continue;
    if (sample.relays_work.value_or(false)) port.result = DetailCode::dropped;
  }
  if (sample.relays_work.value_or(false)) return;
  for (auto& port : sample.range->ports) {
    // Heard but not answered, by a server whose relays may not answer at all: inbound is not known.
    if (port.outbound && port.inbound && !*port.inbound) port.inbound.reset();
  }
}

void describe(const Sample& sample, int asked, Observation& observation) {
  const int measured =
      static_cast<int>(std::count_if(sample.range->ports.begin(), sample.range->ports.end(),
                                     [](const Port& port) { return port.outbound.has_value(); }));
  FactMap facts{{Fact::asked, asked}, {Fact::granted, sample.granted}, {Fact::measured, measured}};
  auto text = plural(measured, "{} relay on {} served as a far end, out of {} requested",
                     "{} relays on {} served as far ends, out of {} requested",
                     sample.server.probe.target.host, asked);
  if (sample.outside > 0) {
    text += plural(sample.outside, "; {} had a port outside the range",
                   "; {} had ports outside the range");
    facts[Fact::outside] = sample.outside;
  }
  if (measured < asked && !sample.why.empty()) {
    text += phrase("; the others were not measured: {}", sample.why);
    facts[Fact::not_measured] = sample.why.string();
  }
  if (sample.relays_work) facts[Fact::relays_work] = *sample.relays_work;
  add_evidence(observation, EvidenceKind::udp_relays, std::move(text), std::move(facts));
  if (sample.left == 0) return;
  add_evidence(observation, EvidenceKind::allocation_left,
               plural(sample.left,
                      "the server did not confirm that {} allocation was released; it expires by "
                      "itself",
                      "the server did not confirm that {} allocations were released; they expire "
                      "by themselves"),
               {{Fact::allocations, sample.left}});
}

}  // namespace

asio::awaitable<void> try_relays(std::shared_ptr<Range> range, RelayServer server, int relays,
                                 Observation& observation) {
  auto& context = range->context;
  CleanupScope after(context.scope, timeouts::deallocate);
  Sample made{range, std::move(server), after.scope()};
  const auto sample = std::make_shared<Sample>(std::move(made));
  // The first one alone: it learns the server's challenge, and whether there are relays at all.
  bool going_on = co_await try_one(sample);
  for (int done = 1; done < relays && going_on && !sample->refused;) {
    const int wave = std::min(relays - done, relays_at_once - (done == 1 ? 1 : 0));
    std::vector<asio::awaitable<bool>> work;
    for (int i = 0; i < wave; ++i) work.push_back(try_one(sample));
    co_await together(context.executor, std::move(work));
    done += wave;
    if (done == relays) break;
    const auto next = context.scope.clock.now() + timeouts::relay_wave;
    going_on = co_await sleep_until(context.executor, context.scope, next);
  }
  judge_relays(*sample);
  describe(*sample, relays, observation);
}

}  // namespace callready::checks::udp_range
