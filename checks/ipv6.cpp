// ipv6: connects by IPv6 and by IPv4 as clients do (Happy Eyeballs, RFC 8305), and sees what each
// comes to. The host is looked up by itself, for both families.
//
// Sends a SYN to the host's first IPv6 address and, a quarter of a second later, one to its first
// IPv4 address; closes both. Outcomes: `connected` where one of them stands: "ipv6_first" (a client
// uses IPv6), "ipv4_first" (it has an IPv6 address, and a client ends up with IPv4), "ipv4_only"
// (the name has no IPv6 address), "ipv6_only"; else that of the IPv4 connection. Evidence "family"
// for each: `version`, `result` ("connected", or why not: "no_route" is a computer without IPv6),
// `ms`; and "nat64" with its `prefix` where a DNS64 shows itself (RFC 7050 section 3).
#include <fmt/format.h>

#include "checks/kinds.hpp"
#include "probe/net/nat64.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/together.hpp"

namespace callready::checks {
namespace {

// RFC 8305 section 5, "Connection Attempt Delay": what clients give IPv6 as a head start.
constexpr auto attempt_delay = timeouts::udp_sends[1];

struct Attempt {
  std::optional<IpAddress> address;
  std::optional<Failure> failure;  // nothing: connected
  std::optional<SocketAddress> local;
  Milliseconds took{0};  // of the connection alone
  bool connected() const { return address && !failure; }
};

asio::awaitable<Attempt> connect_by(Context& context, std::string host, std::uint16_t port,
                                    Family family, milliseconds delay) {
  Attempt attempt;
  const auto resolution = co_await context.resolver.resolve(host, family, context.scope);
  if (resolution.addresses.has_error()) {
    attempt.failure = resolution.addresses.error();
    co_return attempt;
  }
  attempt.address = resolution.addresses->front();
  const auto start = context.scope.clock.now() + delay;
  const bool slept = co_await sleep_until(context.executor, context.scope, start);
  if (!slept) {
    attempt.failure = stopped();
    co_return attempt;
  }
  ConnectOptions options;
  options.interface = context.settings.interface;
  const SocketAddress remote{*attempt.address, port};
  const auto connected = co_await connect_tcp(context.executor, context.scope, remote, options);
  if (connected.has_error()) {
    attempt.failure = connected.error();
  } else {
    attempt.local = (*connected)->local();
    attempt.took = (*connected)->handshake_took();
  }
  co_return attempt;
}

void add_family(Observation& observation, const Attempt& attempt, const char* version) {
  Evidence evidence;
  evidence.kind = EvidenceKind::family;
  evidence.facts[Fact::version] = std::string(version);
  const auto result = std::string(
      to_string(attempt.failure ? detail_of(attempt.failure->kind) : DetailCode::connected));
  evidence.facts[Fact::result] = result;
  if (attempt.address) evidence.facts[Fact::address] = attempt.address->to_string();
  if (attempt.connected()) {
    evidence.facts[Fact::ms] = attempt.took.count();
    evidence.text = fmt::format("{}: connected to {} in {:.0f} ms", version,
                                attempt.address->to_string(), attempt.took.count());
  } else {
    evidence.text = fmt::format("{}: {}", version, attempt.failure->text);
  }
  observation.evidence.push_back(std::move(evidence));
}

asio::awaitable<void> look_for_nat64(Context& context, Observation& observation) {
  const std::string name = nat64_name;
  const auto resolution = co_await context.resolver.resolve(name, Family::v6, context.scope);
  if (resolution.addresses.has_error()) co_return;
  for (const auto& address : *resolution.addresses) {
    const auto prefix = nat64_prefix(address);
    if (!prefix) continue;
    Evidence evidence;
    evidence.kind = EvidenceKind::nat64;
    evidence.text =
        fmt::format("the resolver makes IPv6 addresses of IPv4 ones with the prefix {} (DNS64)",
                    prefix->to_string());
    evidence.facts[Fact::prefix] = prefix->to_string();
    observation.evidence.push_back(std::move(evidence));
    co_return;
  }
}

void conclude(Observation& observation, const Attempt& six, const Attempt& four) {
  const auto& used = six.connected() ? six : four;
  const auto head_start = Milliseconds(attempt_delay);
  const bool six_first =
      six.connected() && (!four.connected() || six.took <= four.took + head_start);
  observation.address = used.address;
  if (!six.connected() && !four.connected()) {
    const bool nothing = four.failure->kind == FailureKind::no_address ||
                         four.failure->kind == FailureKind::no_route;
    record(observation, nothing ? *six.failure : *four.failure);
    return;
  }
  const auto& winner = six_first ? six : four;
  observation.address = winner.address;
  observation.local = winner.local;
  observation.round_trip = winner.took;
  observation.timing_ms[Timing::connect] = winner.took.count();
  observation.outcome = Outcome::connected;
  if (!six.address) {
    observation.detail = DetailCode::ipv4_only;
  } else if (!four.address) {
    observation.detail = DetailCode::ipv6_only;
  } else {
    observation.detail = six_first ? DetailCode::ipv6_first : DetailCode::ipv4_first;
  }
}

}  // namespace

asio::awaitable<Observation> run_ipv6(Context& context, Job job) {
  Observation observation;
  observation.sent_at = context.scope.clock.wall_now();
  observation.attempts = 1;
  const auto& target = job.probe.target;
  std::vector<asio::awaitable<Attempt>> work;
  work.push_back(connect_by(context, target.host, target.port(), Family::v6, milliseconds(0)));
  work.push_back(connect_by(context, target.host, target.port(), Family::v4, attempt_delay));
  const auto attempts = co_await together(context.executor, std::move(work));
  add_family(observation, attempts[0], "IPv6");
  add_family(observation, attempts[1], "IPv4");
  co_await look_for_nat64(context, observation);
  conclude(observation, attempts[0], attempts[1]);
  co_return observation;
}

}  // namespace callready::checks
