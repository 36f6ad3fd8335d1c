#include "probe/engine/dispatcher.hpp"

#include <algorithm>

#include "probe/net/nat64.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/plan/plan_size.hpp"

namespace callready {
namespace {

// How many missing names are asked for with how many search domains each.
constexpr std::size_t most_completed = 3, most_search_domains = 3;

// What the pacer has to know about a job sent to that address; nothing if it needs to know nothing.
std::optional<Pacer::PacedRequest> contact_of(const checks::Job& job,
                                              std::optional<IpAddress> address) {
  if (!address || address->is_loopback()) return std::nullopt;
  Pacer::PacedRequest request;
  request.address = *address;
  // A device that counts ports sees the same one.
  const auto transport = job.probe.target.transport;
  request.transport = transport == Transport::tls ? Transport::tcp : transport;
  request.ports = job.probe.target.sample;
  if (request.ports.empty()) request.ports.push_back(job.probe.target.port());
  // Over a connection, the check itself asks once it is connected.
  const auto check = job.probe.check;
  const bool sip =
      check == CheckKind::sip || check == CheckKind::sip_alg || check == CheckKind::sip_long;
  request.sip = sip && request.transport == Transport::udp;
  return request;
}

// What is asked, as the budget counts it.
std::string destination_of(const checks::Job& job) {
  const auto& target = job.probe.target;
  if (!target.route.direct()) return target.route.proxy + ' ' + target.host;
  if (job.address) return job.address->to_string();
  return job.probe.check == CheckKind::dns ? "name servers" : target.host;
}

// There is no such address, or no way to it: another family may have both.
bool wants_another_family(const Observation& observation) {
  return observation.detail == DetailCode::no_address || observation.detail == DetailCode::no_route;
}

}  // namespace

Dispatcher::Dispatcher(checks::Context& context, const RunnerOptions& options,
                       std::span<const checks::Check> table, Pacer& pacer,
                       ProbeScheduler& scheduler)
    : context_(context),
      options_(options),
      table_(table),
      pacer_(pacer),
      budget_(options.pace),
      scheduler_(scheduler),
      semaphore_(context.executor) {}

asio::awaitable<Observation> Dispatcher::make(std::size_t index) {
  const auto& probe = scheduler_.probe(index);
  const auto check = std::ranges::find(table_, probe.check, &checks::Check::kind);
  if (check == table_.end()) co_return skipped_for(DetailCode::no_such_check);
  const bool both = options_.v4 && options_.v6;
  if (check->both_families && !both) co_return skipped_for(DetailCode::other_family);
  const auto& target = probe.target;
  Observation observation;
  if (!checks::needs_address(*check, probe) || !target.route.direct()) {
    checks::Job job{probe, std::nullopt};
    observation = co_await admitted(*check, job, index);
    co_return observation;
  }
  const auto literal = IpAddress::parse(target.host);
  if (literal && !(literal->is_v4() ? options_.v4 : options_.v6)) {
    observation.address = literal;
    observation.detail = DetailCode::other_family;
    co_return observation;
  }
  const auto preferred = options_.v4 ? Family::v4 : Family::v6;
  observation = co_await attempt(*check, index, preferred);
  if (literal && literal->is_v4() && observation.detail == DetailCode::no_route) {
    const auto made = co_await through_nat64(*literal);
    if (!made) co_return observation;
    checks::Job job{probe, *made};
    auto translated = co_await admitted(*check, job, index);
    co_return translated;
  }
  if (!wants_another_family(observation) || !both || literal) co_return observation;
  auto second = co_await attempt(*check, index, Family::v6);
  if (wants_another_family(second)) co_return observation;
  co_return second;
}

asio::awaitable<std::optional<IpAddress>> Dispatcher::look_up(std::size_t index) {
  const auto& target = scheduler_.probe(index).target;
  if (const auto literal = IpAddress::parse(target.host)) co_return literal;
  const auto family = options_.v4 ? Family::v4 : Family::v6;
  const auto pass = co_await may_look_up(target.host);
  if (pass != Pass::go) co_return std::nullopt;
  const auto resolution = co_await context_.resolver.resolve(target.host, family, context_.scope);
  if (resolution.addresses.has_error()) co_return std::nullopt;
  co_return resolution.addresses->front();
}

// The check with the name's first address of that family, or with its second one.
asio::awaitable<Observation> Dispatcher::attempt(const checks::Check& check, std::size_t index,
                                                 Family family) {
  const auto& probe = scheduler_.probe(index);
  Observation observation;
  const auto literal = IpAddress::parse(probe.target.host);
  if (literal) family = literal->is_v4() ? Family::v4 : Family::v6;
  auto pass = Pass::go;
  if (!literal) pass = co_await may_look_up(probe.target.host);
  if (pass != Pass::go) {
    if (pass == Pass::stopped) record(observation, stopped());
    if (pass == Pass::no_room) observation.detail = DetailCode::no_room;
    co_return observation;
  }
  if (probe.purpose == Purpose::repeat)
    context_.resolver.forget_unanswered(probe.target.host, family);
  auto resolution = co_await context_.resolver.resolve(probe.target.host, family, context_.scope);
  if (resolution.addresses.has_error()) {
    record(observation, resolution.addresses.error());
    observation.timing_ms[Timing::dns] = resolution.took.count();
    co_await complete(probe.target.host, family, observation);
    co_return observation;
  }
  const bool next = asks_another_address(probe);
  if (next && resolution.addresses->size() < 2) co_return skipped_for(DetailCode::not_needed);
  checks::Job job{probe, resolution.addresses->at(next ? 1 : 0)};
  observation = co_await admitted(check, job, index);
  if (resolution.from_hosts_file) {
    const auto address = job.address->to_string();
    checks::add_evidence(observation, EvidenceKind::hosts_file,
                         phrase("this computer's hosts file gives {} for the name", address),
                         {{Fact::address, address}});
  }
  if (resolution.took.count() > 0) observation.timing_ms[Timing::dns] = resolution.took.count();
  co_return observation;
}

asio::awaitable<void> Dispatcher::complete(std::string name, Family family,
                                           Observation& observation) {
  // Short names are completed anyway.
  const bool whole_name = name.find('.') != name.npos;
  if (observation.detail != DetailCode::no_such_name || !whole_name) co_return;
  // A domain that answers for every name shows it with any of them.
  if (completed_.size() >= most_completed && !completed_.contains(name)) co_return;
  completed_.insert(name);
  auto domains = context_.resolver.channel().search_domains();
  if (domains.size() > most_search_domains) domains.resize(most_search_domains);
  for (const auto& domain : domains) {
    const auto whole = name + '.' + domain;
    const auto pass = co_await may_look_up(whole);
    if (pass != Pass::go) co_return;
    const auto found = co_await context_.resolver.resolve(whole, family, context_.scope);
    if (found.addresses.has_error()) continue;
    const auto address = found.addresses->front().to_string();
    checks::add_evidence(observation, EvidenceKind::search_domain,
                         phrase("with this computer's search domain it exists: {} is at {}, and "
                                "programs that complete names connect there",
                                whole, address),
                         {{Fact::name, whole}, {Fact::address, address}});
    co_return;
  }
}

// An IPv4 address as clients on an IPv6-only network with NAT64 reach it.
asio::awaitable<std::optional<IpAddress>> Dispatcher::through_nat64(IpAddress v4) {
  if (!options_.v6) co_return std::nullopt;
  const std::string name = nat64_name;
  const auto resolution = co_await context_.resolver.resolve(name, Family::v6, context_.scope);
  if (resolution.addresses.has_error()) co_return std::nullopt;
  for (const auto& address : *resolution.addresses) {
    const auto prefix = nat64_prefix(address);
    if (prefix) co_return nat64_address(*prefix, v4);
  }
  co_return std::nullopt;
}

// Runs the check once the pacer and the semaphore let it through.
asio::awaitable<Observation> Dispatcher::admitted(const checks::Check& check, checks::Job job,
                                                  std::size_t index) {
  Observation observation;
  observation.address = job.address;
  // What goes through a proxy meets the proxy's door; a check without an endpoint meets none, and
  // neither do packets that end on the way.
  std::string door = job.probe.target.route.proxy;
  int limit = options_.per_proxy;
  if (job.address && job.probe.check != CheckKind::hop) {
    door = job.address->to_string();
    // A probe that waits for a silent server must not keep out what stands in for it.
    limit = scheduler_.stands_in(index) ? 2 * options_.per_address : options_.per_address;
  }
  if (!door.empty()) {
    const auto rank = scheduler_.rank(index);
    const bool entered =
        co_await semaphore_.enter(door, limit, rank, context_.scope, context_.deadline);
    if (!entered) {
      record(observation, stopped());
      co_return observation;
    }
  }
  const Permit inside(semaphore_, door);
  auto address = job.address;
  // The check looks up both families by itself; the pace counts its host's first IPv4 address.
  if (check.both_families) address = co_await look_up(index);
  const auto request = contact_of(job, address);
  // Neither a stand-in nor a question of the second round is worth a window of the pace.
  const auto purpose = job.probe.purpose;
  const bool question = purpose != Purpose::row && purpose != Purpose::control;
  // Nor is one to an address that is not on the Internet and answers nothing, as a resolver gives
  // for names that it blocks: all of them share it.
  const bool nowhere =
      job.address && job.address->is_special() && scheduler_.silent_so_far(*job.address);
  const bool may_be_left_out = question || nowhere || scheduler_.stands_in(index);
  auto pass = co_await within_budget(job);
  // The few second addresses are within what the pace leaves free (PaceLimits::hosts).
  const bool wants_pace = request && !asks_another_address(job.probe);
  if (wants_pace && pass == Pass::go) pass = co_await paced(*request, may_be_left_out);
  if (pass == Pass::stopped) {
    record(observation, stopped());
    co_return observation;
  }
  if (pass == Pass::no_room) {
    observation.detail = DetailCode::no_room;
    co_return observation;
  }
  job.doubtful = job.address && scheduler_.silent_so_far(*job.address);
  scheduler_.note_start(index, job.address);
  if (options_.waits != nullptr) options_.waits->note_begin(check.kind);
  observation = co_await check.run(context_, job);
  if (options_.waits != nullptr) {
    options_.waits->note_end(check.kind, observation.outcome, context_.scope.clock.now());
  }
  if (wants_pace) pacer_.note_end(*request, context_.scope.clock.now());
  co_return observation;
}

asio::awaitable<Dispatcher::Pass> Dispatcher::within_budget(const checks::Job& job) {
  const auto destination = destination_of(job);
  const auto packets = packets_of(job.probe, context_.settings.thorough).in_window;
  while (!context_.scope.stop.stopped()) {
    const auto now = context_.scope.clock.now();
    const auto when = budget_.request(destination, static_cast<int>(packets), now);
    if (!when) co_return Pass::no_room;
    if (*when <= now) co_return Pass::go;
    const bool slept = co_await sleep_until(context_.executor, context_.scope, *when);
    if (!slept) break;
  }
  co_return Pass::stopped;
}

asio::awaitable<Dispatcher::Pass> Dispatcher::may_look_up(std::string name) {
  if (names_.contains(name)) co_return Pass::go;
  while (!context_.scope.stop.stopped()) {
    const auto now = context_.scope.clock.now();
    const auto when = budget_.lookup(now);
    if (!when) co_return Pass::no_room;
    if (*when <= now) {
      names_.insert(std::move(name));
      co_return Pass::go;
    }
    const bool slept = co_await sleep_until(context_.executor, context_.scope, *when);
    if (!slept) break;
  }
  co_return Pass::stopped;
}

asio::awaitable<bool> Dispatcher::sip_paced(SocketAddress server, Transport transport) {
  if (server.address.is_loopback()) co_return !context_.scope.stop.stopped();
  Pacer::PacedRequest request;
  request.address = server.address;
  request.transport = transport;
  request.ports.push_back(server.port);
  request.sip = true;
  const auto pass = co_await paced(request, false);
  co_return pass == Pass::go;
}

asio::awaitable<Dispatcher::Pass> Dispatcher::paced(Pacer::PacedRequest request,
                                                    bool may_be_left_out) {
  const bool datagram = request.transport == Transport::udp;
  auto& waiting = request.sip ? sip_waiting_[request.address] : held_;
  for (bool first = true;; first = false) {
    if (context_.scope.stop.stopped()) co_return Pass::stopped;
    const auto now = context_.scope.clock.now();
    // Datagrams first: it is their silence that has to be waited for.
    const bool yields = request.sip && !datagram && !first && waiting > 0;
    auto again = std::optional(now + options_.pace.sip_gap);
    if (!yields) again = pacer_.ask(request, now);
    if (!again) co_return Pass::go;
    if (may_be_left_out && !options_.stand_ins_wait && *again > now + timeouts::stand_in_room)
      co_return Pass::no_room;
    const bool counts = !request.sip || datagram;
    if (counts) ++waiting;
    const bool slept = co_await sleep_until(context_.executor, context_.scope, *again);
    if (counts) --waiting;
    if (!slept) co_return Pass::stopped;
  }
}

}  // namespace callready
