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
  int strikes = 0;
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

// The sockets of one probe and what came back to them. Listeners share it and may outlast a wave.
struct Range {
  Range(const asio::any_io_executor& loop, Scope frame, IpAddress address)
      : executor(loop), scope(frame), target(address) {}
  asio::any_io_executor executor;
  Scope scope;
  IpAddress target;
  std::vector<Port> ports;
};

// One round of packets: ends when every listener has. The sender counts as one until all is sent:
// where the answer is there at once (loopback, a virtual network), the first listener ends before
// the second has begun.
struct Wave {
  explicit Wave(const asio::any_io_executor& executor) : ended(executor) {}
  OneShot<bool> ended;
  int listening = 1;
  bool control_answered = false;
};

void leave(const std::shared_ptr<Wave>& wave) {
  if (--wave->listening == 0) wave->ended.deliver(true);
}

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

asio::awaitable<void> listen(std::shared_ptr<Range> range, std::shared_ptr<Wave> wave,
                             std::size_t index, Instant deadline) {
  auto& port = range->ports[index];
  auto event = co_await port.socket->receive(range->scope, deadline);
  if (!event.has_error()) {
    if (const auto* icmp = std::get_if<IcmpError>(&*event)) {
      note_icmp(port, *icmp, range->target, range->scope.clock.now());
    } else {
      port.result = PortResult::replied;
      port.round_trip = elapsed(port.sent, std::get<Datagram>(*event).arrived);
    }
  }
  leave(wave);
}

// The control by UDP: a port that was seen to leave the site before.
asio::awaitable<void> listen_to_control(std::shared_ptr<Range> range, std::shared_ptr<Wave> wave,
                                        std::size_t index, Instant deadline) {
  auto event = co_await range->ports[index].socket->receive(range->scope, deadline);
  const auto* icmp = event.has_error() ? nullptr : std::get_if<IcmpError>(&*event);
  if (icmp != nullptr && icmp->kind == IcmpKind::time_exceeded) wave->control_answered = true;
  leave(wave);
}

// The control by TCP, where no port of the range was seen to leave yet: HTTPS to the same address.
asio::awaitable<void> ask_control_by_tcp(std::shared_ptr<Range> range, std::shared_ptr<Wave> wave,
                                         ConnectOptions options) {
  const SocketAddress remote{range->target, 443};
  auto connected = co_await connect_tcp(range->executor, range->scope, remote, options);
  if (connected.has_error() && connected.error().kind == FailureKind::ttl_exceeded) {
    wave->control_answered = beyond_the_edge(connected.error().icmp->sender);
  }
  leave(wave);
}

Result<void> open_sockets(Range& range, const Job& job, const std::string& interface) {
  UdpSocket::Options options;
  options.interface = interface;
  auto sample = job.probe.target.sample;
  if (sample.empty()) sample.push_back(job.probe.target.port());
  for (const auto number : sample) {
    auto socket = UdpSocket::open(range.executor, {range.target, number}, options);
    if (socket.has_error()) return socket.error();
    Port port;
    port.number = number;
    port.socket.emplace(std::move(*socket));
    range.ports.push_back(std::move(port));
  }
  return {};
}

std::vector<std::size_t> silent_ports(const Range& range) {
  std::vector<std::size_t> silent;
  for (std::size_t i = 0; i < range.ports.size(); ++i) {
    if (range.ports[i].result == PortResult::silent) silent.push_back(i);
  }
  return silent;
}

// Sends to these ports with this TTL (0: as far as it goes) and listens for what comes back.
void send_wave(const std::shared_ptr<Range>& range, const std::shared_ptr<Wave>& wave,
               const std::vector<std::size_t>& ports, int ttl) {
  const auto payload = rtp_packet();
  const auto now = range->scope.clock.now();
  for (const auto index : ports) {
    auto& port = range->ports[index];
    port.socket->set_ttl(ttl);
    port.sent = now;
    const auto sent = port.socket->send(payload);
    if (sent.has_error()) continue;
    ++wave->listening;
    asio::co_spawn(range->executor, listen(range, wave, index, now + timeouts::icmp_reply),
                   asio::detached);
  }
}

asio::awaitable<void> wait_for(std::shared_ptr<Wave> wave, Scope scope) {
  leave(wave);
  const auto ended = co_await wave->ended.wait(scope, scope.clock.now() + 2 * timeouts::icmp_reply);
  static_cast<void>(ended);
}

asio::awaitable<void> first_wave(std::shared_ptr<Range> range) {
  const auto wave = std::make_shared<Wave>(range->executor);
  const auto all = silent_ports(*range);
  send_wave(range, wave, all, 0);
  co_await wait_for(wave, range->scope);
}

// Silent ports and, after them, a control, all ending at the hop: where the control is answered,
// the hop had an ICMP error to spend and the packets before it did not get there.
asio::awaitable<bool> limited_wave(std::shared_ptr<Range> range, Hop hop, std::string interface) {
  const auto wave = std::make_shared<Wave>(range->executor);
  std::optional<std::size_t> control;
  for (std::size_t i = 0; i < range->ports.size(); ++i) {
    if (range->ports[i].result == PortResult::left_site) control = i;
  }
  const auto asked = silent_ports(*range);
  send_wave(range, wave, asked, hop.ttl);
  ++wave->listening;
  if (control) {
    auto& port = range->ports[*control];
    port.socket->set_ttl(hop.ttl);
    const auto payload = rtp_packet();
    const auto sent = port.socket->send(payload);
    static_cast<void>(sent);  // not sent is not answered
    const auto deadline = range->scope.clock.now() + timeouts::icmp_reply;
    asio::co_spawn(range->executor, listen_to_control(range, wave, *control, deadline),
                   asio::detached);
  } else {
    ConnectOptions options;
    options.interface = interface;
    options.ttl = hop.ttl;
    options.timeout = timeouts::icmp_reply;
    asio::co_spawn(range->executor, ask_control_by_tcp(range, wave, options), asio::detached);
  }
  co_await wait_for(wave, range->scope);
  if (wave->control_answered) {
    for (const auto index : asked) {
      auto& port = range->ports[index];
      if (port.result != PortResult::silent) continue;
      if (++port.strikes >= strikes_needed) port.result = PortResult::dropped;
    }
  }
  co_return wave->control_answered;
}

// Steps 4 and 5 of the ladder, until every port is settled or the time is up.
asio::awaitable<void> climb(Context& context, std::shared_ptr<Range> range, Instant until) {
  const auto interface = context.settings.interface;
  const auto hop = co_await context.edge.find(range->target, interface, range->scope);
  if (!hop) co_return;
  for (;;) {
    const auto silent = silent_ports(*range);
    if (silent.empty() || range->scope.stop.stopped()) co_return;
    const bool answered = co_await limited_wave(range, *hop, interface);
    const auto again =
        range->scope.clock.now() + (answered ? milliseconds(0) : timeouts::icmp_refill);
    if (again + timeouts::icmp_reply > until) co_return;
    if (!answered) {
      const bool slept = co_await sleep_until(range->executor, range->scope, again);
      if (!slept) co_return;
    }
  }
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
  const auto range = std::make_shared<Range>(context.executor, context.scope, target);
  const auto opened = open_sockets(*range, job, context.settings.interface);
  if (opened.has_error()) {
    record(observation, opened.error());
    co_return observation;
  }
  observation.local = range->ports.front().socket->local();
  const auto start = context.scope.clock.now();
  const auto until = context.settings.thorough ? context.deadline : start + timeouts::udp_range;
  const bool to_the_end = job.parameter("stop_on_the_way") != "true";
  if (to_the_end) co_await first_wave(range);
  co_await climb(context, range, until);
  conclude(observation, *range, job.probe.target.ports);
  co_return observation;
}

}  // namespace callready::checks
