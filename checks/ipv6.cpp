// ipv6: connects by IPv6 and by IPv4 as clients do (Happy Eyeballs, RFC 8305), and records how each
// ends. The check itself looks up the host, for both families.
//
// Sends a SYN to the host's first IPv6 address and, a quarter of a second later, one to its first
// IPv4 address. A client that got a connection over IPv6 keeps to it, so it greets the server with
// TLS over that, and over IPv4 if no answer came. Outcomes: `connected` where one of them stands:
// "ipv6_first" (a client uses IPv6), "ipv4_first" (it has an IPv6 address, and a client ends up
// with IPv4), "ipv4_only" (the name has no IPv6 address), "ipv6_only"; else that of the IPv4
// connection, and `failed` with "tls_timed_out" where neither greeting got an answer. Evidence
// "family" for each: `version`, `result` ("connected", "tls_timed_out" where the greeting got no
// answer, or why there is no connection: "no_route" is a computer without IPv6), `ms`; and "nat64"
// with its `prefix` where a DNS64 shows itself (RFC 7050 section 3).
//
// With `service` the host is a service's own, which other probes reach by IPv4: then nothing is
// sent if this computer has no global IPv6 address (`skipped` with "no_route"), if the name has
// none ("no_record") or if that is not known (with the reason, such as "dns_failed"), and IPv4 is
// tried only if IPv6 fails. With a DNS64, `translated` in `family` says if it made the address.
#include <fmt/format.h>

#include "checks/kinds.hpp"
#include "probe/net/nat64.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/tls.hpp"
#include "probe/net/together.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks {
namespace {

// RFC 8305 section 5, "Connection Attempt Delay": what clients give IPv6 as a head start.
constexpr auto attempt_delay = timeouts::udp_sends[1];

struct Attempt {
  std::optional<IpAddress> address;
  std::optional<Failure> failure;  // nothing: connected
  std::unique_ptr<TcpStream> stream;
  bool unheard = false;  // connected, and then no answer to the greeting
  std::optional<SocketAddress> local;
  std::optional<WallTime> sent_at;  // once its name was found, and its turn had come
  Milliseconds took{0};             // of the connection alone
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
  attempt.sent_at = context.scope.clock.wall_now();
  auto connected = co_await connect_tcp(context.executor, context.scope, remote, options);
  if (connected.has_error()) {
    attempt.failure = connected.error();
  } else {
    attempt.local = (*connected)->local();
    attempt.took = (*connected)->handshake_took();
    attempt.stream = std::move(*connected);
  }
  co_return attempt;
}

// As long a greeting as a browser's, in packets of full size as its reply: they may be lost
// although a connection was made.
asio::awaitable<void> greet(Context& context, std::string host, Attempt& attempt) {
  const TlsOptions options{.server_name = std::move(host), .padding = padding_of_browsers};
  const auto greeted =
      co_await tls_handshake(std::move(attempt.stream), context.scope, context.tls, options);
  if (!greeted.stream.has_error()) co_return;
  attempt.unheard = greeted.stream.error().kind == FailureKind::timed_out;
  if (attempt.unheard) attempt.failure = greeted.stream.error();
}

// The prefix with which a DNS64 makes IPv6 addresses from IPv4 ones; nothing without a DNS64.
asio::awaitable<std::optional<Network>> find_nat64(Context& context) {
  const std::string name = nat64_name;
  const auto resolution = co_await context.resolver.resolve(name, Family::v6, context.scope);
  if (resolution.addresses.has_error()) co_return std::nullopt;
  for (const auto& address : *resolution.addresses) {
    const auto prefix = nat64_prefix(address);
    if (prefix) co_return prefix;
  }
  co_return std::nullopt;
}

// Whether packets to the Internet would carry a global address; none is sent.
bool has_global_address(Context& context) {
  const SocketAddress somewhere{*IpAddress::parse("2001:4860:4860::8888"), 443};
  const auto socket = open_udp(context, somewhere);
  static const auto global = *Network::parse("2000::/3");
  return socket.has_value() && global.contains(socket->local().address);
}

void add_family(Observation& observation, const Attempt& attempt, const char* version) {
  const auto result = attempt.unheard   ? DetailCode::tls_timed_out
                      : attempt.failure ? detail_of(attempt.failure->kind)
                                        : DetailCode::connected;
  FactMap facts{{Fact::version, version}, {Fact::result, std::string(to_string(result))}};
  if (attempt.address) facts[Fact::address] = attempt.address->to_string();
  Text text;
  if (attempt.connected()) {
    facts[Fact::ms] = attempt.took.count();
    text = phrase("{}: connected to {} in {} ms", version, attempt.address->to_string(),
                  fmt::format("{:.0f}", attempt.took.count()));
  } else if (attempt.unheard) {
    text = phrase("{}: connected to {}, but the TLS greeting got no answer", version,
                  attempt.address->to_string());
  } else {
    text = phrase("{}: {}", version, attempt.failure->text);
  }
  add_evidence(observation, EvidenceKind::family, std::move(text), std::move(facts));
}

void add_nat64(Observation& observation, const Network& prefix) {
  add_evidence(
      observation, EvidenceKind::nat64,
      phrase("the resolver builds IPv6 addresses from IPv4 addresses with the prefix {} (DNS64)",
             prefix.to_string()),
      {{Fact::prefix, prefix.to_string()}});
}

void conclude(Observation& observation, const Attempt& six, const Attempt& four) {
  const auto head_start = Milliseconds(attempt_delay);
  const bool six_first =
      six.connected() && (!four.connected() || six.took <= four.took + head_start);
  const bool both_failed = !six.connected() && !four.connected();
  const bool four_untried = both_failed && (four.failure->kind == FailureKind::no_address ||
                                            four.failure->kind == FailureKind::no_route);
  const auto& told = six_first || four_untried ? six : four;
  if (told.sent_at) observation.sent_at = told.sent_at;
  if (both_failed) {
    observation.address = told.address;
    record(observation, *told.failure);
    if (told.unheard) set_outcome(observation, Outcome::failed, DetailCode::tls_timed_out);
    return;
  }
  observation.address = told.address;
  observation.local = told.local;
  observation.round_trip = told.took;
  observation.timing_ms[Timing::connect] = told.took.count();
  observation.outcome = Outcome::connected;
  if (!six.address) {
    observation.detail = DetailCode::ipv4_only;
  } else if (!four.address) {
    observation.detail = DetailCode::ipv6_only;
  } else {
    observation.detail = six_first ? DetailCode::ipv6_first : DetailCode::ipv4_first;
  }
}

// A service's own host.
asio::awaitable<Observation> ask_service(Context& context, Job job) {
  Observation observation;
  if (!has_global_address(context)) {
    observation.detail = DetailCode::no_route;
    co_return observation;
  }
  observation.sent_at = context.scope.clock.wall_now();
  const auto& target = job.probe.target;
  auto six = co_await connect_by(context, target.host, target.port(), Family::v6, milliseconds(0));
  if (six.connected()) co_await greet(context, target.host, six);
  if (!six.address) {
    const auto why = six.failure->kind;
    observation.detail = why == FailureKind::no_address ? DetailCode::no_record : detail_of(why);
    co_return observation;
  }
  observation.attempts = 1;
  add_family(observation, six, "IPv6");
  const auto prefix = co_await find_nat64(context);
  if (prefix) {
    add_nat64(observation, *prefix);
    observation.evidence.front().facts[Fact::translated] = prefix->contains(*six.address);
  }
  Attempt four;
  four.failure = Failure{FailureKind::no_address, "not tried", 0, {}};
  if (!six.connected()) {
    four = co_await connect_by(context, target.host, target.port(), Family::v4, milliseconds(0));
    if (six.unheard && four.connected()) co_await greet(context, target.host, four);
    add_family(observation, four, "IPv4");
  }
  conclude(observation, six, four);
  if (six.connected()) observation.detail = DetailCode::ipv6_first;
  co_return observation;
}

}  // namespace

asio::awaitable<Observation> run_ipv6(Context& context, Job job) {
  Observation observation;
  if (job.parameter("service") == "true") {
    observation = co_await ask_service(context, job);
    co_return observation;
  }
  observation.sent_at = context.scope.clock.wall_now();
  observation.attempts = 1;
  const auto& target = job.probe.target;
  std::vector<asio::awaitable<Attempt>> work;
  work.push_back(connect_by(context, target.host, target.port(), Family::v6, milliseconds(0)));
  work.push_back(connect_by(context, target.host, target.port(), Family::v4, attempt_delay));
  auto attempts = co_await together(context.executor, std::move(work));
  auto &six = attempts[0], &four = attempts[1];
  if (six.connected()) co_await greet(context, target.host, six);
  if (six.unheard && four.connected()) co_await greet(context, target.host, four);
  add_family(observation, six, "IPv6");
  add_family(observation, four, "IPv4");
  // If neither look-up found an address, a third would only take as long.
  if (six.address || four.address) {
    const auto prefix = co_await find_nat64(context);
    if (prefix) add_nat64(observation, *prefix);
  }
  conclude(observation, six, four);
  co_return observation;
}

}  // namespace callready::checks
