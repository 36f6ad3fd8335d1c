#include "checks/refuser.hpp"

#include <algorithm>

#include "probe/net/own_answers.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks {
namespace {

// Refusals that one run asks about: a router has only some six answers, and media ranges need them,
// too. Answers from nearer cost none of them.
constexpr int most_questions = 4;
// For one refusal, if nothing comes back.
constexpr int most_attempts = 3;
// Where traceroute sends its packets: nobody listens there.
constexpr std::uint16_t unused_port = 33'434;

// One packet as far as the first router outside.
asio::awaitable<SiteEdge::Answer> ask_once(Context& context, Transport transport,
                                           SocketAddress remote,
                                           std::vector<std::uint8_t> payload) {
  SiteEdge::Answer answer;
  const auto interface = context.settings.interface;
  const auto until = context.scope.clock.now() + timeouts::hop;
  if (transport != Transport::udp) {
    answer = co_await context.edge.ask_syn(remote, interface, SiteEdge::Need::supports,
                                           context.scope, until);
    co_return answer;
  }
  auto socket = open_udp(context, remote);
  if (socket.has_error()) co_return answer;
  answer = co_await context.edge.ask(*socket, std::move(payload), SiteEdge::Need::supports,
                                     context.scope, until);
  co_return answer;
}

bool got_beyond(const SiteEdge::Answer& answer, const IpAddress& target) {
  return answer.icmp && answer.icmp->kind == IcmpKind::time_exceeded &&
         answer.icmp->sender != target && beyond_the_edge(answer.icmp->sender);
}

bool is_refusal(const SiteEdge::Answer& answer) {
  return answer.reset || (answer.icmp && answer.icmp->kind == IcmpKind::port_unreachable);
}

// Asks again after silence: a device that refuses with ICMP does so once a second. `asked` covers
// all attempts: false if no packet has left this computer.
asio::awaitable<SiteEdge::Answer> ask_until_told(Context& context, Transport transport,
                                                 SocketAddress target,
                                                 std::vector<std::uint8_t> payload) {
  SiteEdge::Answer answer;
  bool sent = false;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    auto packet = payload;
    answer = co_await ask_once(context, transport, target, std::move(packet));
    sent |= answer.asked && !answer.kept_here;
    if (is_refusal(answer) || answer.icmp || !answer.control_answered) break;
    const auto next = context.scope.clock.now() + timeouts::icmp_refill;
    const bool going_on = co_await sleep_until(context.executor, context.scope, next);
    if (!going_on) break;
  }
  answer.asked = sent;
  co_return answer;
}

// Sends other packets to the same host: if one goes beyond the edge, the host is outside.
asio::awaitable<bool> target_is_outside(Context& context, SocketAddress target) {
  auto remote = target;
  remote.port = unused_port;
  std::vector<std::uint8_t> packet(12);
  const auto by_udp = co_await ask_once(context, Transport::udp, remote, std::move(packet));
  if (got_beyond(by_udp, target.address)) co_return true;
  remote.port = target.port == 443 ? 80 : 443;
  std::vector<std::uint8_t> no_payload;
  const auto by_tcp = co_await ask_once(context, Transport::tcp, remote, std::move(no_payload));
  co_return got_beyond(by_tcp, target.address);
}

// What becomes of a packet with that TTL: it is refused before that expires, a router says that it
// expired, or nothing is heard.
enum class Ending { refused, expired, silence };

asio::awaitable<Ending> end_at(Context& context, SocketAddress target, Transport transport,
                               int ttl) {
  if (transport == Transport::tcp) {
    ConnectOptions options;
    options.interface = context.settings.interface;
    options.ttl = ttl;
    options.timeout = context.edge.patience();
    const auto connected = co_await connect_tcp(context.executor, context.scope, target, options);
    if (connected.has_value()) co_return Ending::silence;
    const auto& failure = connected.error();
    if (failure.icmp) {
      co_return failure.icmp->kind == IcmpKind::time_exceeded ? Ending::expired : Ending::silence;
    }
    const bool refused = failure.kind == FailureKind::connection_refused;
    co_return refused ? Ending::refused : Ending::silence;
  }
  auto socket = open_udp(context, target, {.ttl = ttl});
  if (socket.has_error()) co_return Ending::silence;
  const std::array<std::uint8_t, 12> payload{};
  const auto sent = socket->send(payload);
  if (sent.has_error()) co_return Ending::silence;
  const auto until = context.scope.clock.now() + context.edge.patience();
  const auto icmp = co_await socket->receive_icmp(context.scope, until);
  const bool refused = icmp.has_value() && icmp->kind == IcmpKind::port_unreachable;
  co_return refused ? Ending::refused : Ending::silence;
}

// The last router that a packet reaches before it is refused: a firewall says "time exceeded"
// before it looks at its own rules. If not even the first is reached, the refuser is that one, or
// stands before it. Nothing if a packet got lost before that.
asio::awaitable<std::optional<IpAddress>> refusing_device(Context& context, SocketAddress target,
                                                          Transport transport) {
  std::optional<IpAddress> device;
  const auto routers = context.edge.routers(target);
  for (const auto& [ttl, router] : routers) {
    const auto ending = co_await end_at(context, target, transport, ttl);
    if (ending == Ending::refused && ttl == 1) device = router;
    if (ending == Ending::refused) break;
    // A device that refuses UDP has few answers: its silence after that proves nothing.
    if (transport == Transport::udp) break;
    device = ending == Ending::expired ? std::optional(router) : std::nullopt;
  }
  co_return device;
}

void add(Observation& observation, std::string who, Text text, const std::string& by,
         const std::string& not_measured) {
  FactMap facts{{Fact::who, std::move(who)}};
  if (!by.empty()) facts[Fact::by] = by;
  if (!not_measured.empty()) facts[Fact::not_measured] = not_measured;
  add_evidence(observation, EvidenceKind::refuser, std::move(text), std::move(facts));
}

void add_unmeasured(Observation& observation, const Text& reason) {
  add(observation, std::string(to_string(DetailCode::not_measured)),
      phrase("it is not known which device refused: {}", reason), "", reason.string());
}

}  // namespace

asio::awaitable<void> ask_who_refused(Context& context, Job job, std::vector<std::uint8_t> payload,
                                      Observation& observation) {
  const auto target = job.remote();
  const auto& probe = job.probe.target;
  if (observation.outcome != Outcome::refused || !probe.route.direct()) co_return;
  const auto& known = observation.evidence;
  // dial() has already asked.
  if (std::ranges::find(known, EvidenceKind::refuser, &Evidence::kind) != known.end()) co_return;
  if (target.address.is_special() || context.scope.stop.stopped()) co_return;
  const auto transport = probe.transport == Transport::udp ? Transport::udp : Transport::tcp;
  bool here = false;
  if (transport == Transport::tcp) {
    here = co_await is_reset_here(context.executor, context.scope, target);
  }
  if (here) {
    set_outcome(observation, Outcome::rejected, DetailCode::kept_here);
    add(observation, "this_computer",
        phrase("this computer refuses in the server's name: even a connection request that cannot "
               "leave it is reset"),
        "", "");
    co_return;
  }
  const auto port = std::pair(transport, target.port);
  const bool suspected = context.refusals.ports.contains(port);
  if (!suspected && context.refusals.asked >= most_questions) co_return;
  if (!suspected) ++context.refusals.asked;
  const auto interface = context.settings.interface;
  // Not with the refused port: the refusing device has few answers as well.
  const SocketAddress way{target.address, unused_port};
  const auto found = co_await context.edge.find(way, interface, context.scope);
  if (!found.hop) {
    add_unmeasured(observation, phrase("no router beyond the site's edge answers"));
    co_return;
  }
  const auto router = found.hop->address.to_string();
  const auto answer = co_await ask_until_told(context, transport, target, std::move(payload));
  if (got_beyond(answer, target.address)) {
    add(observation, "beyond",
        phrase("the packet left the site, as far as {}, and was refused beyond it", router), router,
        "");
    co_return;
  }
  if (!is_refusal(answer)) {
    add_unmeasured(observation,
                   answer.asked ? phrase("nothing came back from {}, where the site ends", router)
                                : phrase("no packet was sent to {}, where the site ends", router));
    co_return;
  }
  bool outside = suspected;
  if (!outside) outside = co_await target_is_outside(context, target);
  if (!outside) {
    add_unmeasured(observation, phrase("the refusal came from nearer than {}, where the site ends, "
                                       "and the target may be as near",
                                       router));
    co_return;
  }
  context.refusals.ports.insert(port);
  set_outcome(observation, Outcome::rejected, DetailCode::refused_on_the_way);
  const auto device = co_await refusing_device(context, target, transport);
  const auto name = device ? Text(device->to_string()) : phrase("a device");
  add(observation, "on_the_way",
      phrase("{} refuses in the server's name: its answer comes from nearer than {}, which "
             "other packets to it reach",
             name, router),
      device ? name.string() : std::string(), "");
}

}  // namespace callready::checks
