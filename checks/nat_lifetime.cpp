// How long a UDP binding lives while nothing goes through it (RFC 4787 REQ-5): sockets are left
// idle, each for its time, and then somebody on the other side is told to send to them. Asking the
// server from the socket itself would not do: a NAT that keeps ports maps it the same again.
#include <fmt/format.h>

#include "checks/nat_parts.hpp"
#include "checks/relay_server.hpp"
#include "probe/net/timeouts.hpp"

namespace callready::checks::nat {
namespace {

enum class Arrival { came, lost };

// The other side of a binding.
class FarSide {
 public:
  virtual ~FarSide() = default;
  virtual std::string method() const = 0;
  // A binding of that fresh socket: our address as the far side sees it.
  virtual asio::awaitable<Result<SocketAddress>> open(Context& context, UdpSocket& socket) = 0;
  // Whether the far side's packet to the binding came in. A failure says nothing about the
  // binding: this computer did not send, or nobody could be asked.
  virtual asio::awaitable<Result<Arrival>> reaches(Context& context, UdpSocket& socket,
                                                   SocketAddress mapped) = 0;
};

// A STUN server that answers to another port of ours (RFC 5780 section 7.5).
class StunSide final : public FarSide {
 public:
  explicit StunSide(SocketAddress server) : server_(server) {}
  std::string method() const override { return "response_port"; }

  asio::awaitable<Result<SocketAddress>> open(Context& context, UdpSocket& socket) override {
    auto mapped = co_await mapped_by(context, socket, server_);
    co_return mapped;
  }

  asio::awaitable<Result<Arrival>> reaches(Context& context, UdpSocket& socket,
                                           SocketAddress mapped) override {
    auto asking = fresh_socket(context, server_);
    if (asking.has_error()) co_return asking.error();
    const auto id = stun::new_transaction_id();
    stun::Builder builder(stun::Class::request, stun::Method::binding, id);
    stun::add_software(builder, context.settings.user_agent);
    stun::add_response_port(builder, mapped.port);
    const auto request = builder.finish();
    const UdpMatch matches = [&](const Datagram& datagram) {
      const auto parsed = stun::parse(datagram.bytes);
      return datagram.from == server_ && !parsed.has_error() &&
             parsed->answers(stun::Method::binding, id);
    };
    const auto start = context.scope.clock.now();
    for (const auto wait : relay_waits) {
      const auto sent = asking->send(request);
      if (sent.has_error()) co_return sent.error();
      const auto until = start + wait;
      const auto heard = co_await receive_matching(socket, context.scope, until, matches);
      if (heard.has_value()) co_return Arrival::came;
      if (heard.error().kind != FailureKind::timed_out) co_return heard.error();
    }
    co_return Arrival::lost;
  }

 private:
  SocketAddress server_;
};

// A relay; its control connection is not what is measured.
class RelaySide final : public FarSide {
 public:
  explicit RelaySide(TurnClient& relay) : relay_(relay) {}
  std::string method() const override { return "relays"; }

  asio::awaitable<Result<SocketAddress>> open(Context& context, UdpSocket& socket) override {
    auto heard = co_await hear_at_relay(context, relay_, socket);
    co_return heard;
  }

  asio::awaitable<Result<Arrival>> reaches(Context& context, UdpSocket& socket,
                                           SocketAddress mapped) override {
    // A permission lives for five minutes (RFC 8656 section 9).
    const auto allowed = co_await relay_.create_permission(mapped, context.scope);
    if (allowed.status == TurnStatus::no_answer) co_return allowed.failure;
    if (allowed.status != TurnStatus::granted) co_return timed_out();  // refused: none was sent
    const auto came = co_await hear_from_relay(context, relay_, socket, mapped);
    if (came.has_value()) co_return Arrival::came;
    if (came.error().kind == FailureKind::timed_out) co_return Arrival::lost;
    co_return came.error();
  }

 private:
  TurnClient& relay_;
};

template <typename T>
bool failed_here(const Result<T>& result) {
  return result.has_error() && is_of_this_computer(result.error());
}

asio::awaitable<Result<Sample>> new_binding(Context& context, FarSide& side, SocketAddress server) {
  auto socket = fresh_socket(context, server);
  if (socket.has_error()) co_return socket.error();
  Sample binding;
  binding.socket = std::make_unique<UdpSocket>(std::move(*socket));
  const auto mapped = co_await side.open(context, *binding.socket);
  if (mapped.has_error()) co_return mapped.error();
  binding.mapped = *mapped;
  co_return binding;
}

// The control: whether a binding that was never idle is reached. If not, later silence is no proof.
asio::awaitable<Result<Arrival>> control_works(Context& context, FarSide& side,
                                               SocketAddress server) {
  auto fresh = co_await new_binding(context, side, server);
  if (fresh.has_error()) co_return fresh.error();
  const auto reached = co_await side.reaches(context, *fresh->socket, fresh->mapped);
  co_return reached;
}

Property conclude(const FarSide& side, std::optional<long> alive, std::optional<long> dead) {
  if (alive && dead) {
    return known(fmt::format("{}-{}", *alive, *dead), side.method(),
                 phrase("an idle UDP binding still works after {} s, and is gone after {} s",
                        *alive, *dead));
  }
  if (alive) {
    return known(fmt::format(">{}", *alive), side.method(),
                 phrase("an idle UDP binding lasts more than {} s", *alive));
  }
  return known(fmt::format("<{}", *dead), side.method(),
               phrase("an idle UDP binding is gone after {} s", *dead));
}

asio::awaitable<Property> measure(Context& context, FarSide& side, SocketAddress server) {
  const auto works = co_await control_works(context, side, server);
  if (failed_here(works)) co_return unknown(works.error().text);
  if (works.has_error() || *works == Arrival::lost) {
    co_return unknown(phrase("no host outside can be told to send packets here"));
  }
  Text failure;  // of this computer, where there was one
  std::vector<std::pair<milliseconds, Sample>> idle;
  for (const auto time : timeouts::binding_idle) {
    if (context.scope.clock.now() + time + timeouts::check >= context.deadline) break;
    auto binding = co_await new_binding(context, side, server);
    if (failed_here(binding)) failure = binding.error().text;
    if (binding.has_value()) idle.emplace_back(time, std::move(*binding));
  }
  if (idle.empty()) {
    co_return unknown(failure.empty() ? phrase("the run is too short") : failure);
  }
  const auto start = context.scope.clock.now();
  std::optional<long> alive, dead;
  for (auto& [time, binding] : idle) {
    const bool slept = co_await sleep_until(context.executor, context.scope, start + time);
    if (!slept) break;
    const auto seconds = static_cast<long>(time.count() / 1'000);
    const auto reached = co_await side.reaches(context, *binding.socket, binding.mapped);
    if (failed_here(reached)) failure = reached.error().text;
    if (reached.has_error()) continue;  // nobody sent to it: it may or may not be alive
    if (*reached == Arrival::came) {
      alive = seconds;
      dead.reset();  // the earlier silence was a lost packet: bindings do not come back
      continue;
    }
    const auto control = co_await control_works(context, side, server);
    if (failed_here(control)) failure = control.error().text;
    if (control.has_error() || *control == Arrival::lost) break;
    if (!dead) dead = seconds;
    // Longer idle times will not do better; one more guards against packet loss.
    if (*dead < seconds) break;
  }
  if (!alive && !dead) {
    co_return unknown(failure.empty()
                          ? phrase("the run was stopped, or the other side stopped answering")
                          : failure);
  }
  co_return conclude(side, alive, dead);
}

asio::awaitable<Property> measure_by_relay(Context& context, Job job) {
  const auto server = job.remote();
  const auto where = job.parameter("turn");
  auto relays = co_await find_relay_server(context, where, server.address.is_v6());
  if (relays.has_error()) co_return unknown(phrase("the relay server: {}", relays.error().text));
  CleanupScope after(context.scope, timeouts::deallocate);
  const auto patience = context.scope.clock.now() + timeouts::check;
  const auto place = co_await context.relays.enter(context.executor, context.scope, patience);
  if (!place) co_return unknown(phrase("too many relays are in use"));
  auto relay = co_await open_relay(context, *relays);
  Property lifetime = unknown(relay.why);
  if (relay.why.empty()) {
    auto sample = co_await new_sample(context, server);
    const auto self = sample.has_value() ? sample->mapped : server;
    const auto allowed = co_await relay.client->create_permission(self, context.scope);
    lifetime = unknown(phrase("the relay server refuses this computer's own address as a peer"));
    RelaySide side(*relay.client);
    const auto relayed = relay.client->relayed();
    if (allowed.status == TurnStatus::granted) lifetime = co_await measure(context, side, relayed);
  }
  if (relay.client) {
    const auto cleanup = after.scope();
    co_await relay.client->deallocate(cleanup);
  }
  co_return lifetime;
}

}  // namespace

asio::awaitable<Property> measure_lifetime(Context& context, Job job) {
  const auto server = job.remote();
  StunSide side(server);
  auto lifetime = co_await measure(context, side, server);
  const auto turn = job.parameter("turn");
  const bool relays = !turn.empty() && !credential_for(context, turn).username.empty();
  if (lifetime.measured() || !relays) co_return lifetime;
  lifetime = co_await measure_by_relay(context, job);
  co_return lifetime;
}

}  // namespace callready::checks::nat
