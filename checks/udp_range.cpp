// udp-range: does UDP to a range of media ports get out? Sampled ports climb the evidence ladder of
// DESIGN until something is proved; silence proves nothing.
//
// Sends one RTP packet (RFC 3550 section 5.1) to each sampled port, then, where nothing came back,
// the same with a TTL that ends at the first router beyond the site's edge (SiteEdge). With the
// parameter `stop_on_the_way` only the latter: the far end is somebody else's machine.
//
// Per port, in evidence "udp_port" (fact `result`):
//   replied     a datagram came back from the port
//   arrived     ICMP port-unreachable of the target itself: the packet got there
//   left_site   ICMP time-exceeded from a router beyond the edge: it got as far as that
//   prohibited  ICMP prohibited (or another refusal) from a device on the way, which is named
//   dropped     twice, nothing came back from the hop where a control, sent after it, was answered
//   silent      none of these
//
// Outcomes: `answered` or `passed` where ports were proved open and none closed; `rejected` with
// "prohibited" or "partly_prohibited"; `silent` with "dropped", "partly_dropped" or "silent".
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "checks/kinds.hpp"
#include "probe/net/stream.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks {
namespace {

enum class PortResult { silent, dropped, prohibited, left_site, arrived, replied };

std::string_view word(PortResult result) {
  switch (result) {
    case PortResult::silent:
      return "silent";
    case PortResult::dropped:
      return "dropped";
    case PortResult::prohibited:
      return "prohibited";
    case PortResult::left_site:
      return "left_site";
    case PortResult::arrived:
      return "arrived";
    case PortResult::replied:
      return "replied";
  }
  return "?";
}

// Times a port has to stay silent between answered controls before it counts as dropped: once may
// be a lost packet.
constexpr int strikes_needed = 2;

struct Port {
  std::uint16_t number = 0;
  std::optional<UdpSocket> socket;
  PortResult result = PortResult::silent;
  std::optional<IpAddress> by;  // who sent the ICMP error
  Instant sent;
  std::optional<Milliseconds> round_trip;
};

// An RTP packet as a G.711 phone sends it every 20 ms: version 2, payload type 0, silence.
std::array<std::uint8_t, 172> rtp_packet() {
  std::array<std::uint8_t, 172> packet;
  packet.fill(0xff);  // mu-law silence
  std::random_device random;
  packet[0] = 0x80;
  packet[1] = 0x00;
  for (std::size_t i = 2; i < 12; ++i) packet[i] = static_cast<std::uint8_t>(random());
  return packet;
}

// The sockets of one probe and what came back to them. Listeners share it.
struct Range {
  Range(Context& run, IpAddress address, bool thorough_run)
      : context(run), target(address), thorough(thorough_run) {}
  Context& context;
  IpAddress target;
  bool thorough;
  std::vector<Port> ports;
  std::size_t first = 0;  // of `ports`: who climbs first, so that several hosts prove several ports
};

// Ends when the last of several coroutines does.
struct Gathering {
  explicit Gathering(const asio::any_io_executor& executor) : ended(executor) {}
  void leave() {
    if (--running == 0) ended.deliver(true);
  }
  // All that run end by themselves, soon after `until` or a stop: they hold our sockets.
  asio::awaitable<void> wait(Scope scope, Instant until) {
    StopSignal never;
    const Scope unhurried{scope.clock, never};
    const auto result = co_await ended.wait(unhurried, until + timeouts::check);
    static_cast<void>(result);
  }
  OneShot<bool> ended;
  int running = 0;
};

void note_icmp(Port& port, const IcmpError& icmp, const IpAddress& target, Instant now) {
  port.by = icmp.sender;
  if (icmp.kind == IcmpKind::port_unreachable && icmp.sender == target) {
    port.result = PortResult::arrived;
    port.round_trip = elapsed(port.sent, now);
  } else if (icmp.kind == IcmpKind::time_exceeded) {
    // A router of the site that answers before its own drop rule proves nothing.
    port.result = beyond_the_edge(icmp.sender) ? PortResult::left_site : PortResult::silent;
  } else {
    port.result = PortResult::prohibited;
  }
}

Result<void> open_sockets(Range& range, const Job& job) {
  UdpSocket::Options options;
  options.interface = range.context.settings.interface;
  auto sample = job.probe.target.sample;
  if (sample.empty()) sample.push_back(job.probe.target.port());
  for (const auto number : sample) {
    auto socket = UdpSocket::open(range.context.executor, {range.target, number}, options);
    if (socket.has_error()) return socket.error();
    Port port;
    port.number = number;
    port.socket.emplace(std::move(*socket));
    range.ports.push_back(std::move(port));
  }
  range.first = std::hash<std::string>{}(job.probe.target.host) % range.ports.size();
  return {};
}

// The first step: as far as the packet goes.
asio::awaitable<void> listen(std::shared_ptr<Range> range, std::shared_ptr<Gathering> gathering,
                             std::size_t index, Instant deadline) {
  auto& port = range->ports[index];
  auto& scope = range->context.scope;
  auto event = co_await port.socket->receive(scope, deadline);
  if (!event.has_error()) {
    if (const auto* icmp = std::get_if<IcmpError>(&*event)) {
      note_icmp(port, *icmp, range->target, scope.clock.now());
    } else {
      port.result = PortResult::replied;
      port.round_trip = elapsed(port.sent, std::get<Datagram>(*event).arrived);
    }
  }
  gathering->leave();
}

asio::awaitable<void> send_to_the_end(std::shared_ptr<Range> range) {
  auto& context = range->context;
  const auto payload = rtp_packet();
  const auto now = context.scope.clock.now();
  const auto gathering = std::make_shared<Gathering>(context.executor);
  ++gathering->running;  // ours, until all is sent: loopback answers at once
  for (std::size_t i = 0; i < range->ports.size(); ++i) {
    auto& port = range->ports[i];
    port.sent = now;
    const auto sent = port.socket->send(payload);
    if (sent.has_error()) continue;
    ++gathering->running;
    asio::co_spawn(context.executor, listen(range, gathering, i, now + timeouts::icmp_reply),
                   asio::detached);
  }
  gathering->leave();
  co_await gathering->wait(context.scope, now + timeouts::icmp_reply);
}

// The next step for one port: packets that end at the first router outside, from a socket of their
// own, because the first step may still listen on the port's.
asio::awaitable<void> climb(std::shared_ptr<Range> range, std::size_t index, bool patient,
                            Instant until) {
  auto& context = range->context;
  auto& port = range->ports[index];
  UdpSocket::Options options;
  options.interface = context.settings.interface;
  auto socket = UdpSocket::open(context.executor, {range->target, port.number}, options);
  if (socket.has_error()) co_return;
  const auto packet = rtp_packet();
  for (int strikes = 0; port.result == PortResult::silent;) {
    std::vector<std::uint8_t> payload(packet.begin(), packet.end());
    auto answer =
        co_await context.edge.ask(*socket, std::move(payload), patient, context.scope, until);
    // A better proof may have come meanwhile from the far end.
    if (port.result != PortResult::silent) co_return;
    if (answer.icmp) {
      note_icmp(port, *answer.icmp, range->target, context.scope.clock.now());
      co_return;
    }
    if (!answer.control_answered) co_return;
    if (++strikes == strikes_needed) port.result = PortResult::dropped;
  }
}

asio::awaitable<void> climb_beside(std::shared_ptr<Range> range,
                                   std::shared_ptr<Gathering> gathering, std::size_t index,
                                   bool patient, Instant until) {
  co_await climb(range, index, patient, until);
  gathering->leave();
}

asio::awaitable<void> send_beside(std::shared_ptr<Range> range,
                                  std::shared_ptr<Gathering> gathering) {
  co_await send_to_the_end(range);
  gathering->leave();
}

// Both steps of one port at once, so that a silent far end costs no time. Afterwards the silent
// ports follow: they wait for a router that has run out of answers only where something was found,
// or in a thorough run.
asio::awaitable<void> climb_all(std::shared_ptr<Range> range, bool to_the_end, Instant until) {
  auto& context = range->context;
  const auto both = std::make_shared<Gathering>(context.executor);
  if (to_the_end) {
    ++both->running;
    asio::co_spawn(context.executor, send_beside(range, both), asio::detached);
  }
  auto& first = range->ports[range->first];
  const SocketAddress way{range->target, first.number};
  const auto found = co_await context.edge.find(way, context.settings.interface, context.scope);
  if (found.by_this_call && first.result == PortResult::silent) {
    first.result = PortResult::left_site;
    first.by = found.hop->address;
  }
  if (found.hop) co_await climb(range, range->first, true, until);
  if (both->running > 0) co_await both->wait(context.scope, until);
  if (!found.hop) co_return;
  const auto proved = std::any_of(range->ports.begin(), range->ports.end(), [](const Port& port) {
    return port.result != PortResult::silent && port.result != PortResult::left_site;
  });
  const bool suspicious = proved || first.result != PortResult::left_site;
  const bool patient = range->thorough || suspicious;
  if (context.edge.exhausted() && !patient) co_return;
  const auto others = std::make_shared<Gathering>(context.executor);
  for (std::size_t i = 0; i < range->ports.size(); ++i) {
    if (range->ports[i].result != PortResult::silent) continue;
    ++others->running;
    asio::co_spawn(context.executor, climb_beside(range, others, i, patient, until),
                   asio::detached);
  }
  if (others->running > 0) co_await others->wait(context.scope, until);
}

Evidence describe(const Port& port) {
  Evidence evidence;
  evidence.kind = "udp_port";
  evidence.facts["port"] = static_cast<std::int64_t>(port.number);
  evidence.facts["result"] = std::string(word(port.result));
  if (port.by) evidence.facts["by"] = port.by->to_string();
  const auto by = port.by ? port.by->to_string() : std::string();
  switch (port.result) {
    case PortResult::replied:
      evidence.text = fmt::format("UDP {}: it replied", port.number);
      break;
    case PortResult::arrived:
      evidence.text =
          fmt::format("UDP {}: the packet arrived, nothing listens there now", port.number);
      break;
    case PortResult::left_site:
      evidence.text =
          fmt::format("UDP {}: the packet left the site, as far as {}", port.number, by);
      break;
    case PortResult::prohibited:
      evidence.text = fmt::format("UDP {}: {} refuses to let it pass", port.number, by);
      break;
    case PortResult::dropped:
      evidence.text =
          fmt::format("UDP {}: dropped before the first router outside, which other packets reach",
                      port.number);
      break;
    case PortResult::silent:
      evidence.text = fmt::format("UDP {}: nothing came back", port.number);
      break;
  }
  return evidence;
}

// What a sample of `proved` ports, all of them open, can exclude with 95 % confidence: if a larger
// share of the range were blocked at random, it would have met some of it.
Evidence describe_sample(const Range& range, const PortRange& whole, int proved) {
  Evidence evidence;
  evidence.kind = "udp_sample";
  evidence.facts["proved"] = static_cast<std::int64_t>(proved);
  evidence.facts["sampled"] = static_cast<std::int64_t>(range.ports.size());
  evidence.facts["ports"] = static_cast<std::int64_t>(whole.count());
  evidence.text = fmt::format("{} of {} sampled ports proved to get out, of {} ports", proved,
                              range.ports.size(), whole.count());
  if (proved > 0 && !whole.single()) {
    const double share = 100 * (1 - std::pow(0.05, 1.0 / proved));
    evidence.facts["excludes_percent"] = share;
    evidence.text += fmt::format(
        "; if more than {:.0f} % were blocked, this would have met it "
        "(95 % confidence)",
        share);
  }
  return evidence;
}

void conclude(Observation& observation, const Range& range, const PortRange& whole) {
  const auto count = [&](PortResult result) {
    return static_cast<int>(std::count_if(range.ports.begin(), range.ports.end(),
                                          [&](const Port& port) { return port.result == result; }));
  };
  const int all = static_cast<int>(range.ports.size());
  const int replied = count(PortResult::replied);
  const int open = replied + count(PortResult::arrived) + count(PortResult::left_site);
  const int prohibited = count(PortResult::prohibited), dropped = count(PortResult::dropped);
  if (prohibited > 0) {
    observation.outcome = Outcome::rejected;
    observation.detail = prohibited == all ? "prohibited" : "partly_prohibited";
  } else if (dropped > 0) {
    observation.outcome = Outcome::silent;
    observation.detail = dropped == all ? "dropped" : "partly_dropped";
  } else if (open > 0) {
    observation.outcome = replied > 0 ? Outcome::answered : Outcome::passed;
    observation.detail = replied > 0 ? "replied" : "left_site";
  } else {
    observation.outcome = Outcome::silent;
    observation.detail = "silent";
  }
  for (const auto& port : range.ports) {
    if (port.round_trip &&
        (!observation.round_trip || *port.round_trip < *observation.round_trip)) {
      observation.round_trip = port.round_trip;
    }
    observation.evidence.push_back(describe(port));
  }
  observation.evidence.push_back(describe_sample(range, whole, open));
}

}  // namespace

asio::awaitable<Observation> run_udp_range(Context& context, Job job) {
  Observation observation;
  const auto target = *job.address;
  observation.address = target;
  observation.sent_at = context.scope.clock.wall_now();
  observation.attempts = 1;
  const auto range = std::make_shared<Range>(context, target, context.settings.thorough);
  const auto opened = open_sockets(*range, job);
  if (opened.has_error()) {
    record(observation, opened.error());
    co_return observation;
  }
  observation.local = range->ports.front().socket->local();
  const auto start = context.scope.clock.now();
  const auto until = context.settings.thorough ? context.deadline : start + timeouts::udp_range;
  const bool to_the_end = job.parameter("stop_on_the_way") != "true";
  co_await climb_all(range, to_the_end, until);
  conclude(observation, *range, job.probe.target.ports);
  co_return observation;
}

}  // namespace callready::checks
