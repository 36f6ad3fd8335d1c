// How a port of udp-range climbs the evidence ladder: to the far end, and to the first router
// outside.
#include <algorithm>
#include <map>

#include "checks/udp_range_ports.hpp"
#include "probe/media/echo.hpp"
#include "probe/model/port_order.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/together.hpp"

namespace callready::checks::udp_range {
namespace {

// Times a port has to stay silent between answered controls before it counts as dropped: once may
// be a lost packet.
constexpr int strikes_needed = 2;
// How often a port with an echo is asked: the first of timeouts::udp_sends.
constexpr std::size_t echo_sends = 3;
// Datagrams of one port that are read in a row: a flood must not keep the event loop busy.
constexpr int most_in_a_row = 64;

// Ends when the last of several coroutines does.
struct Gathering {
  explicit Gathering(const asio::any_io_executor& executor) : ended(executor) {}
  void leave() {
    if (--running == 0) ended.deliver(true);
  }
  // Waits even after a stop, because they hold our sockets: all end soon after that or `until`.
  asio::awaitable<void> wait(Scope scope, Instant until) {
    StopSignal never;
    const Scope unhurried{scope.clock, never};
    co_await ended.wait(unhurried, until + timeouts::check);
  }
  OneShot<bool> ended;
  int running = 0;
};

void note_icmp(Port& port, const IcmpError& icmp, const IpAddress& target) {
  port.by = icmp.sender;
  if (icmp.kind == IcmpKind::port_unreachable && icmp.sender == target) {
    port.result = DetailCode::arrived;
  } else if (icmp.kind == IcmpKind::time_exceeded) {
    // A router inside the site may answer before it applies its own drop rule: no proof.
    port.result = beyond_the_edge(icmp.sender) ? DetailCode::left_site : DetailCode::silent;
  } else if (classify({}, icmp).kind == FailureKind::kept_here) {
    port.result = DetailCode::kept_here;
  } else if (was_not_sent(icmp)) {
    port.result = DetailCode::silent;
  } else {
    port.result = DetailCode::prohibited;
    port.no_way = knows_no_way(icmp);
  }
}

// Hears the replies to the first step, whose packets go all the way, for the ports from one
// position on. They share one guard and use callbacks, since hundreds of networks are asked at
// once: a coroutine for each of their ports would take ten times the memory.
class Listeners : public std::enable_shared_from_this<Listeners> {
 public:
  Listeners(std::shared_ptr<Range> range, std::shared_ptr<Gathering> gathering, std::size_t from,
            Instant deadline)
      : range_(std::move(range)),
        gathering_(std::move(gathering)),
        from_(from),
        guard_(range_->context.scope, deadline, [this] { wake(); }) {}

  void listen(std::size_t index) {
    ++gathering_->running;
    look(index);
  }

 private:
  void look(std::size_t index) {
    try {
      if (goes_on(index)) return;
    } catch (...) {
      gathering_->leave();
      throw;
    }
    gathering_->leave();
  }

  // True: waits for more; false: is done.
  bool goes_on(std::size_t index) {
    auto& port = range_->ports[index];
    for (int i = 0; i < most_in_a_row; ++i) {
      const auto event = port.socket->poll(range_->context.scope.clock);
      if (!event) break;
      if (event->has_error()) return false;
      if (is_another(port, **event)) continue;
      note(port, **event);
      return false;
    }
    if (guard_.over()) return false;
    port.socket->when_readable([self = shared_from_this(), index] { self->look(index); });
    return true;
  }

  // Not an answer from an echo with our key: somebody on the way only pretends to be the far end.
  bool is_another(const Port& port, const UdpEvent& event) const {
    const auto* datagram = std::get_if<Datagram>(&event);
    return datagram != nullptr && !range_->key.empty() &&
           std::none_of(port.asked.begin(), port.asked.end(), [&](const auto& request) {
             return media::echo_matches(request, datagram->bytes, range_->key);
           });
  }

  void note(Port& port, const UdpEvent& event) {
    auto came = range_->context.scope.clock.now();
    if (const auto* icmp = std::get_if<IcmpError>(&event)) {
      note_icmp(port, *icmp, range_->target);
    } else {
      port.result = DetailCode::replied;
      came = std::get<Datagram>(event).arrived;
    }
    const bool by_target = port.result == DetailCode::replied || port.result == DetailCode::arrived;
    // After a repetition nobody knows which packet was answered (Karn's algorithm, RFC 6298).
    if (by_target && !port.repeated) port.round_trip = elapsed(port.sent, came);
  }

  void wake() {
    for (auto i = from_; i < range_->ports.size(); ++i) {
      if (range_->ports[i].socket) range_->ports[i].socket->cancel();
    }
  }

  std::shared_ptr<Range> range_;
  std::shared_ptr<Gathering> gathering_;
  std::size_t from_;
  Guard guard_;
};

// A new packet each time: an echo with a key does not answer the same one twice.
Result<void> ask_echo(const Range& range, Port& port) {
  auto packet = media::echo_request(range.key, range.source);
  const auto sent = port.socket->send(packet);
  if (!range.key.empty()) port.asked.push_back(std::move(packet));
  return sent;
}

// Sends to an echo several times, so that a lost packet is not taken for a blocked port.
asio::awaitable<void> send_to_the_end(std::shared_ptr<Range> range, std::size_t from) {
  auto& context = range->context;
  const auto now = context.scope.clock.now();
  const auto until = now + (range->echo ? timeouts::echo : timeouts::icmp_reply);
  const auto gathering = std::make_shared<Gathering>(context.executor);
  ++gathering->running;  // ours, until all is sent: loopback answers at once
  const auto listeners = std::make_shared<Listeners>(range, gathering, from, until);
  for (std::size_t i = from; i < range->ports.size(); ++i) {
    auto& port = range->ports[i];
    if (!port.socket) continue;
    port.sent = now;
    const auto sent = ask_echo(*range, port);
    const bool kept = sent.has_error() && sent.error().kind == FailureKind::kept_here;
    if (kept) port.result = DetailCode::kept_here;
    if (sent.has_error() && !kept) range->not_sent = sent.error();
    port.waited = !sent.has_error();
    port.tried |= kept || port.waited;
    if (port.waited) listeners->listen(i);
  }
  for (std::size_t again = 1; range->echo && again < echo_sends; ++again) {
    // All others have left with their answers: no need to wait.
    if (gathering->running == 1) break;
    const auto next = now + timeouts::udp_sends[again];
    const bool slept = co_await sleep_until(context.executor, context.scope, next);
    if (!slept) break;
    for (std::size_t i = from; i < range->ports.size(); ++i) {
      auto& port = range->ports[i];
      if (port.result != DetailCode::silent || !port.waited) continue;
      port.repeated = true;
      const auto sent = ask_echo(*range, port);
      static_cast<void>(sent);  // a local failure showed at the first one
    }
  }
  gathering->leave();
  co_await gathering->wait(context.scope, until);
  if (!context.scope.stop.stopped()) co_return;
  for (std::size_t i = from; i < range->ports.size(); ++i) range->ports[i].waited = false;
}

// Once more, after silence where a control was answered: what the first was asked for, and no less.
SiteEdge::Need confirming(SiteEdge::Need need) {
  return need == SiteEdge::Need::supports ? need : SiteEdge::Need::confirms;
}

// The next step for one port: packets that end at the first router outside, from a socket of their
// own, because the first step may still listen on the port's. If the target itself refused a port,
// only once: a refusal that comes even then is made in its name.
asio::awaitable<void> climb(std::shared_ptr<Range> range, std::size_t index, SiteEdge::Need need,
                            Instant until) {
  auto& context = range->context;
  auto& port = range->ports[index];
  auto socket = open_udp(context, {range->target, port.number});
  if (socket.has_error()) co_return;
  const auto packet = media::echo_request(range->key);
  const bool arrived = port.result == DetailCode::arrived;
  for (int strikes = 0; arrived || port.result == DetailCode::silent;) {
    std::vector<std::uint8_t> payload(packet.begin(), packet.end());
    const auto now = strikes == 0 ? need : confirming(need);
    auto answer = co_await context.edge.ask(*socket, std::move(payload), now, context.scope, until,
                                            range->row);
    port.tried |= answer.asked;
    // The packet cannot have got to the target.
    const bool forged = answer.icmp && answer.icmp->kind == IcmpKind::port_unreachable &&
                        answer.icmp->sender == range->target && !range->target.is_special();
    if (forged && port.result != DetailCode::replied) {
      range->refused_near = true;
      port.result = DetailCode::prohibited;
      port.by.reset();
    }
    // A better proof may have come meanwhile from the far end.
    if (port.result != DetailCode::silent) co_return;
    if (answer.kept_here) {
      port.result = DetailCode::kept_here;
      co_return;
    }
    if (answer.icmp) {
      note_icmp(port, *answer.icmp, range->target);
      co_return;
    }
    if (!answer.control_answered) co_return;
    if (++strikes == strikes_needed) {
      port.result = DetailCode::dropped;
      port.before = answer.hop.address;
    }
  }
}

// After one refusal in the target's name the others prove nothing by themselves.
void take_back_refusals(Range& range) {
  for (auto& port : range.ports) {
    const bool told = port.result == DetailCode::arrived && port.socket;
    if (range.refused_near && told) port.result = DetailCode::silent;
  }
}

// The indices of the silent ports from that position on: first those that tell the most besides
// the ones that are known.
std::vector<std::size_t> find_silent(const Range& range, std::size_t from) {
  std::map<std::uint16_t, std::size_t> silent;
  std::vector<std::uint16_t> wanted;
  std::set<std::uint16_t> known;
  for (std::size_t i = 0; i < range.ports.size(); ++i) {
    const auto& port = range.ports[i];
    if (port.result != DetailCode::silent) known.insert(port.number);
    if (i < from || port.result != DetailCode::silent || !port.socket) continue;
    silent[port.number] = i;
    wanted.push_back(port.number);
  }
  std::vector<std::size_t> places;
  for (const auto number : farthest_first(std::move(wanted), std::move(known))) {
    places.push_back(silent.at(number));
  }
  return places;
}

// All at once; a router that answers only a few packets is asked in their order.
asio::awaitable<void> climb_silent(std::shared_ptr<Range> range, std::size_t from,
                                   SiteEdge::Need need, Instant until) {
  TaskGroup climbers(range->context.executor);
  for (const auto index : find_silent(*range, from)) {
    climbers.start([&] { return climb(range, index, need, until); });
  }
  co_await climbers.join();
}

// `end`: until when to go on; nothing where no router outside answers.
asio::awaitable<void> climb_first(std::shared_ptr<Range> range, Instant until,
                                  std::optional<Instant>& end) {
  auto& context = range->context;
  auto& first = range->ports[range->first];
  const SocketAddress way{range->target, first.number};
  const auto found = co_await context.edge.find(way, context.settings.interface, context.scope);
  first.climbed = found.sent;
  first.tried |= found.by_this_call || found.refused;
  if (found.refused && first.result == DetailCode::silent) {
    note_icmp(first, found.refused->error, range->target);
  }
  if (found.by_this_call && first.result == DetailCode::silent) {
    first.result = DetailCode::left_site;
    first.by = found.hop->address;
  }
  // With hundreds of ranges the router's answers are soon spent: the rest need not queue for them.
  if (context.settings.hurried) {
    until = std::min(until, context.scope.clock.now() + timeouts::udp_range_hurried);
  }
  if (!found.hop) co_return;
  const bool hopeless = context.settings.hurried && context.edge.exhausted();
  if (!hopeless && first.result == DetailCode::silent) {
    // With many services at once each of them has its turn.
    const auto patient =
        context.scope.clock.now() + timeouts::icmp_decides + context.edge.backlog();
    const auto long_enough = context.settings.hurried ? until : std::max(until, patient);
    co_await climb(range, range->first, SiteEdge::Need::decides, long_enough);
  }
  end = until;
}

}  // namespace

Result<void> add_ports(Range& range, const std::vector<std::uint16_t>& numbers, bool refined) {
  for (const auto number : numbers) {
    auto socket = open_udp(range.context, {range.target, number});
    if (socket.has_error()) return socket.error();
    Port port;
    port.number = number;
    port.socket.emplace(std::move(*socket));
    port.refined = refined;
    range.ports.push_back(std::move(port));
  }
  return {};
}

// Both steps of one port at once, so that a silent far end costs no time. Afterwards the silent
// ports follow: they wait for a router that has run out of answers only where something was found,
// or in a thorough run.
asio::awaitable<void> climb_all(std::shared_ptr<Range> range, Instant until) {
  auto& context = range->context;
  TaskGroup beside(context.executor);
  std::optional<Instant> end;
  auto first_port = climb_first(range, until, end);
  auto others_ended = beside.join();
  auto both = in_turn(std::move(first_port), std::move(others_ended));
  // Last: from here on it has to be waited for.
  if (range->to_the_end) beside.start([&] { return send_to_the_end(range, 0); });
  co_await std::move(both);
  if (!end) co_return;
  const auto told = std::find_if(range->ports.begin(), range->ports.end(), [](const Port& port) {
    return port.result == DetailCode::arrived && port.socket;
  });
  if (told != range->ports.end() && !context.edge.exhausted()) {
    const auto index = static_cast<std::size_t>(told - range->ports.begin());
    co_await climb(range, index, SiteEdge::Need::decides, *end);
  }
  take_back_refusals(*range);
  const auto& first = range->ports[range->first];
  // One port that passed says little of a wide range: the one that is farthest from it is asked as
  // well, unless another row's was.
  const bool one_passed = first.result == DetailCode::left_site && is_wide(range->whole) &&
                          !context.edge.passed(range->whole, range->target.is_v6());
  if (one_passed && !context.settings.hurried) {
    const auto silent = find_silent(*range, 0);
    if (!silent.empty()) {
      co_await climb(range, silent.front(), SiteEdge::Need::another_port, *end);
    }
  }
  const auto proved = std::any_of(range->ports.begin(), range->ports.end(), [](const Port& port) {
    return port.result != DetailCode::silent && port.result != DetailCode::left_site;
  });
  // It does not matter that a router had no answer left if the same ports were seen to pass.
  range->covered = range->row && context.edge.passed(*range->row, range->target.is_v6());
  const bool suspicious = proved || (first.result != DetailCode::left_site && !range->covered);
  const bool patient = context.settings.thorough || suspicious;
  const bool go_on = patient && !context.settings.hurried;
  if (context.edge.exhausted() && !go_on) co_return;
  const auto need = patient ? SiteEdge::Need::supports : SiteEdge::Need::rounds_off;
  co_await climb_silent(range, 0, need, *end);
  // Now that some are known to be blocked, what lies on both sides of them is worth the wait.
  const bool met = std::any_of(range->ports.begin(), range->ports.end(),
                               [](const Port& port) { return is_blocked(port.result); });
  if (met && !patient && !context.settings.hurried) {
    co_await climb_silent(range, 0, SiteEdge::Need::supports, *end);
  }
}

asio::awaitable<void> climb_more(std::shared_ptr<Range> range, std::size_t from, Instant until) {
  auto& context = range->context;
  if (range->to_the_end) co_await send_to_the_end(range, from);
  const SocketAddress way{range->target, range->ports[from].number};
  const auto found = co_await context.edge.find(way, context.settings.interface, context.scope);
  const bool hopeless = context.settings.hurried && context.edge.exhausted();
  if (found.hop && !hopeless) co_await climb_silent(range, from, SiteEdge::Need::supports, until);
}

void judge_silence(Range& range) {
  take_back_refusals(range);
  const auto echoed = [](const Port& port) { return port.result == DetailCode::replied; };
  if (!range.echo || std::none_of(range.ports.begin(), range.ports.end(), echoed)) return;
  for (auto& port : range.ports) {
    // A far end that has our key answers: that the packet left the site is not enough.
    const bool owed = port.result == DetailCode::left_site && !range.key.empty();
    if ((port.result == DetailCode::silent || owed) && port.waited) {
      port.result = DetailCode::dropped;
    }
  }
}

}  // namespace callready::checks::udp_range
