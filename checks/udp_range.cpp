// udp-range: does UDP to a range of media ports get out? Sampled ports climb the evidence ladder of
// docs/design.md until something is proved; silence proves nothing.
//
// Sends one RTP packet (RFC 3550 section 5.1) to each sampled port, then, where nothing came back,
// the same with a TTL that ends at the first router beyond the site's edge (SiteEdge). With the
// parameter `stop_on_the_way` only the latter: the far end is somebody else's machine. The port
// `closed`, which was found closed to another host, is tried before the sample. With `echo`
// the far end sends everything back, and silence on one port where others answer is a proof; with
// `authenticated` it answers only who has its key (`skipped` with "no_key" where we have none).
// With `turn` and the run's credentials, relays of that server (RFC 8656) are far ends within the
// range: what is sent to a relay's port is heard there, and sent back, each direction recorded.
//
// Where some ports get out and others do not, the ports between them are tried in halves: a few in
// a normal run, down to the bound itself in a thorough one, which also samples more densely.
//
// Per port, in evidence "udp_port" (fact `result`):
//   replied     a datagram came back from the port (a relay: both ways)
//   arrived     ICMP port-unreachable from the target itself, or a relay heard it: it got there
//   left_site   ICMP time-exceeded from a router beyond the edge: it got that far
//   prohibited  ICMP prohibited (or another refusal) from a device on the way, which is named
//   kept_here   this computer's own firewall did not let it out
//   dropped     twice, nothing came back from the hop where a control, sent after it, was answered;
//               or three times nothing from an echo or a relay that is known to work
//   silent      none of these; with the fact `sent` 0 nothing was sent to it
// If the far end has our key and the row says where it counts (`counts`, `public_key_sha256`), it
// says over TLS for each silent port whether our packets came: arrived, or dropped. left_site and
// prohibited also have `ttl`, the TTL with which packets expire at that router, if this run's climb
// has met it. Then "udp_block" for each run of blocked ports, "udp_relays", and "udp_sample": what
// the sample can exclude.
//
// Outcomes: `answered` or `passed` where ports were proved open and none closed; `rejected` with
// "prohibited" or "partly_prohibited"; `silent` with "dropped", "partly_dropped", "inbound_dropped"
// (relays hear us, but what they send does not come in) or "silent".
#include <fmt/format.h>

#include <algorithm>

#include "checks/far_counts.hpp"
#include "checks/kinds.hpp"
#include "checks/udp_range_relays.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"

namespace callready::checks {
namespace {

using namespace udp_range;

// docs/design.md: 16 to 32 allocations; 32 exclude a block of 9 % of the range with 95 %
// confidence.
constexpr int relays_normally = 16, relays_thoroughly = 32;
// How many ports a normal run tries to find bounds: with the sample these are 12 ports of one host,
// which no firewall takes for a scan.
constexpr int bounds_normally = 6;
// In a thorough run as many as bisecting 65,535 ports for two bounds takes, and some for loss.
constexpr int bounds_thoroughly = 40;

// Thorough runs add ports slowly, so that they do not look like a scan.
asio::awaitable<bool> add_slowly(std::shared_ptr<Range> range, std::vector<std::uint16_t> numbers,
                                 bool refined, Instant until) {
  auto& context = range->context;
  const auto added = add_ports(*range, numbers, refined);
  if (added.has_error()) co_return false;
  if (!context.settings.thorough) co_return true;
  const auto pause = static_cast<int>(numbers.size()) * timeouts::port_gap;
  const auto next = std::min(until, context.scope.clock.now() + pause);
  const bool going_on = co_await sleep_until(context.executor, context.scope, next);
  co_return going_on;
}

asio::awaitable<void> sample_more(std::shared_ptr<Range> range, std::vector<std::uint16_t> sample,
                                  Instant until) {
  for (const auto number : midpoints(sample)) {
    const auto from = range->ports.size();
    std::vector<std::uint16_t> one{number};
    const bool going_on = co_await add_slowly(range, std::move(one), false, until);
    if (!going_on || range->context.scope.clock.now() >= until) co_return;
    co_await climb_more(range, from, until);
  }
}

asio::awaitable<void> find_bounds(std::shared_ptr<Range> range, int most, Instant until) {
  std::set<std::uint16_t> tried;
  for (int left = most; left > 0;) {
    auto next = next_bounds(known_ports(range->ports), tried);
    if (next.empty() || range->context.scope.clock.now() >= until) co_return;
    if (next.size() > static_cast<std::size_t>(left)) next.resize(static_cast<std::size_t>(left));
    left -= static_cast<int>(next.size());
    tried.insert(next.begin(), next.end());
    const auto from = range->ports.size();
    const bool going_on = co_await add_slowly(range, std::move(next), true, until);
    if (!going_on) co_return;
    co_await climb_more(range, from, until);
    judge_silence(*range);
    // Those that are known now bound the next halves.
    for (auto at = from; at < range->ports.size(); ++at) {
      if (range->ports[at].result != DetailCode::silent) tried.erase(range->ports[at].number);
    }
  }
}

// In a hurry: time to search for the site's edge, and for one look at it.
milliseconds patience_of(const Settings& settings, milliseconds unhurried) {
  if (!settings.hurried) return unhurried;
  return timeouts::edge_search + timeouts::udp_range_hurried;
}

asio::awaitable<void> climb_ladder(std::shared_ptr<Range> range, Job job,
                                   Observation& observation) {
  auto& context = range->context;
  const bool thorough = context.settings.thorough;
  auto sample = job.probe.target.sample;
  if (sample.empty()) sample.push_back(job.probe.target.port());
  const auto closed = whole_number<std::uint16_t>(job.parameter("closed"));
  if (closed) {
    std::erase(sample, *closed);
    sample.insert(sample.begin(), *closed);
    range->row.reset();
  }
  const auto before = range->ports.size();
  const auto opened = add_ports(*range, sample, false);
  if (opened.has_error()) {
    record(observation, opened.error());
    co_return;
  }
  range->first = before;
  if (!closed) range->first += context.edge.begin_with(sample, range->target.is_v6());
  observation.local = range->ports.back().socket->local();
  auto until = context.deadline;
  const auto start = context.scope.clock.now();
  if (!thorough) until = start + patience_of(context.settings, timeouts::udp_range);
  co_await climb_all(range, until);
  if (thorough) co_await sample_more(range, std::move(sample), context.deadline);
  judge_silence(*range);
  const auto sampled = context.scope.clock.now();
  if (!thorough) until = sampled + patience_of(context.settings, timeouts::range_bounds);
  const int most = thorough ? bounds_thoroughly : bounds_normally;
  co_await find_bounds(range, most, until);
}

// For ports of our own far end that did not answer: it says over TLS which of them it heard, and so
// which direction is blocked.
asio::awaitable<void> ask_what_came(std::shared_ptr<Range> range, Job job) {
  auto& context = range->context;
  const auto unanswered = [](const Port& port) {
    return port.waited &&
           (port.result == DetailCode::silent || port.result == DetailCode::dropped ||
            port.result == DetailCode::left_site);
  };
  if (!range->echo || range->key.empty()) co_return;
  if (std::none_of(range->ports.begin(), range->ports.end(), unanswered)) co_return;
  FarCounts far_end(context, job);
  const auto told = co_await far_end.ports(range->source);
  if (!told) co_return;
  for (auto& port : range->ports) {
    if (!unanswered(port)) continue;
    const bool came = told->came.contains(port.number);
    if (came && told->refused > 0) {
      port.result = DetailCode::silent;  // its own limit may be the only reason
      continue;
    }
    port.outbound = came;
    if (came) port.inbound = false;
    port.result = came ? DetailCode::arrived : DetailCode::dropped;
  }
}

// True if relays have told what there is to know.
asio::awaitable<bool> ask_relays(std::shared_ptr<Range> range, Job job, Observation& observation) {
  auto& context = range->context;
  const auto where = job.parameter("turn");
  const auto credential = credential_for(context, where);
  if (where.empty() || credential.username.empty()) co_return false;
  auto server = co_await find_relay_server(context, where, range->target.is_v6());
  if (server.has_error()) {
    add_evidence(observation, EvidenceKind::udp_relays,
                 phrase("relays were not tried: {}", server.error().text),
                 {{Fact::not_measured, server.error().text}});
    co_return false;
  }
  const bool same_host = server->address == range->target;
  const int relays = context.settings.thorough ? relays_thoroughly : relays_normally;
  co_await try_relays(range, std::move(*server), relays, observation);
  co_return same_host && !known_ports(range->ports).empty();
}

}  // namespace

asio::awaitable<Observation> run_udp_range(Context& context, Job job) {
  auto observation = begin_check(context, job);
  observation.attempts = 1;
  const auto range = std::make_shared<Range>(context, job);
  range->to_the_end = job.parameter("stop_on_the_way") != "true";
  range->echo = job.parameter("echo") == "true";
  if (job.parameter("authenticated") == "true") {
    const auto& key = context.settings.credentials.media_key;
    range->key.assign(key.begin(), key.end());
    range->source = random_number<std::uint32_t>();
    if (key.empty()) {
      observation.detail = DetailCode::no_key;
      co_return observation;
    }
  }
  const bool told_by_relays = co_await ask_relays(range, job, observation);
  if (!told_by_relays) co_await climb_ladder(range, job, observation);
  co_await ask_what_came(range, job);
  if (range->ports.empty()) co_return observation;
  conclude(observation, *range);
  co_return observation;
}

}  // namespace callready::checks
