// sip-long: do SIP messages that are too long for one packet get through over UDP? An INVITE with
// many codecs is that long, and goes as IP fragments, which devices on the way may drop (RFC 3261
// section 18.1.1, RFC 8900 section 3).
//
// OPTIONS of 2,600 and 1,600 bytes with a header that servers ignore, in turn, a second apart, from
// one UDP socket that lets them be fragmented: each up to twice, until one is answered. Only if
// none is answered, one of 1,200 bytes, which goes in one packet, up to twice; if that is answered,
// the long ones once more, and the longer one over TCP or TLS. With `mirror`, once the longer one
// is answered, a reply of the same length is asked for in the same way. Outcomes: `answered` with
// the status if a long one was answered; `failed` with "long_sip_lost" if all of one kind are lost
// and the short one is answered; `skipped` with "sizes_not_compared" if nothing follows from that:
// the short one gets no answer either, nor does the long one over an established connection, or
// something other than a SIP reply came. Evidence "sip_size", one per kind: `bytes`, `transport`,
// `answered`, `attempts`, and `back` if the reply was to be as long.
//
// Parameters: `domain` as in `sip`; `stream`, PORT/tcp or PORT/tls where the same server answers,
// the same port over TCP where absent; `mirror`, the server is `callready serve`.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "checks/dial.hpp"
#include "checks/kinds.hpp"
#include "checks/sip_exchange.hpp"
#include "probe/model/describe.hpp"
#include "probe/net/far_end.hpp"
#include "probe/net/timeouts.hpp"

namespace callready::checks {
namespace {

// Both take two Ethernet packets; servers with small buffers accept the smaller one, too.
constexpr std::size_t longer = 2'600, long_enough = 1'600;
// One packet on every path that is wide enough for QUIC (RFC 9000 section 14).
constexpr std::size_t in_one_packet = 1'200;
constexpr int tries = 3, tries_in_one_packet = 2;

// One kind of message.
struct Ask {
  std::size_t bytes;
  Transport transport = Transport::udp;
  bool back = false;  // the reply is to be as long
  int sent = 0;
  bool garbled = false;  // during the wait something other than a SIP reply came
  std::vector<std::uint8_t> message{};
  sip::Collector collector{{}};
  bool answered() const { return collector.reply().has_value(); }
};

// Nothing, or why the message cannot be written.
std::optional<Failure> write(const Context& context, const Job& job, const SocketAddress& local,
                             Ask& ask) {
  auto options = sip_options(context, job, local);
  options.transport = ask.transport;
  options.size = ask.bytes;
  if (ask.back) options.reply_size = ask.bytes;
  auto built = sip::build(options);
  if (built.has_error()) return built.error();
  ask.message = std::move(*built);
  ask.collector = sip::Collector(options.transaction);
  return std::nullopt;
}

class Datagrams {
 public:
  Datagrams(Context& context, Job job, UdpSocket socket)
      : context_(context), job_(job), socket_(std::move(socket)) {}

  Ask& add(std::size_t bytes, bool back = false) {
    auto& ask = asked.emplace_back(Ask{bytes});
    ask.back = back;
    if (const auto why = write(context_, job_, socket_.local(), ask)) failure = why;
    return ask;
  }

  // Sends it once more, and listens for a second. False: no more can be asked here, see `failure`.
  asio::awaitable<bool> send(Ask& ask) {
    const auto server = job_.remote();
    if (any_sent_) {  // the first datagram is the runner's to allow
      const bool allowed = co_await sip_allowed(context_, server, Transport::udp);
      if (!allowed) failure = stopped();
    }
    any_sent_ = true;
    if (failure) co_return false;
    const int broken = ask.collector.broken();
    // A late reply is an answer, too: every datagram is offered to every request.
    const UdpMatch answers = [&](const Datagram& datagram) {
      for (auto& one : asked) one.collector.take(datagram.bytes, sip::Carriage::datagram);
      return ask.answered();
    };
    const UdpPatience patience{1, timeouts::sip_gap};
    const auto result =
        co_await udp_request(socket_, context_.scope, ask.message, answers, patience);
    ask.sent += result.has_value() ? result->attempts : result.error().attempts;
    ask.garbled |= ask.collector.broken() > broken;
    if (result.has_value()) {
      if (ask.sent == 1) took = result->since_first;
      co_return true;
    }
    const bool going_on = result.error().failure.kind == FailureKind::timed_out;
    if (!going_on) failure = result.error().failure;
    co_return going_on;
  }

  asio::awaitable<bool> send_until_answered(Ask& ask, int most) {
    while (!ask.answered() && ask.sent < most) {
      const bool going_on = co_await send(ask);
      if (!going_on) co_return false;
    }
    co_return true;
  }

  std::deque<Ask> asked;
  std::optional<Failure> failure;
  std::optional<Milliseconds> took;

 private:
  Context& context_;
  const Job job_;
  UdpSocket socket_;
  bool any_sent_ = false;
};

enum class Fate { through, lost, unknown };

bool any_answered(const std::vector<Ask*>& asks) {
  return std::ranges::any_of(asks, [](const Ask* ask) { return ask->answered(); });
}

// Sends each of them up to `rounds` times, in turn, until one is answered. False: as send().
asio::awaitable<bool> ask_in_turn(Datagrams& line, std::vector<Ask*> longs, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    for (auto* ask : longs) {
      if (any_answered(longs)) co_return true;
      const bool going_on = co_await line.send(*ask);
      if (!going_on) co_return false;
    }
  }
  co_return true;
}

// If they are lost, sends the short one, and then them once more: a device that lets few new flows
// through knows this one by then.
asio::awaitable<Fate> ask_by_datagrams(Datagrams& line, std::vector<Ask*> longs) {
  bool going_on = co_await ask_in_turn(line, longs, tries - 1);
  if (any_answered(longs)) co_return Fate::through;
  if (!going_on) co_return Fate::unknown;
  auto& small = line.add(in_one_packet);
  going_on = co_await line.send_until_answered(small, tries_in_one_packet);
  if (!going_on || !small.answered()) co_return Fate::unknown;
  going_on = co_await ask_in_turn(line, longs, 1);
  if (any_answered(longs)) co_return Fate::through;
  // A request that brought something back was not lost.
  const bool garbled = std::ranges::any_of(longs, &Ask::garbled);
  co_return going_on && !garbled ? Fate::lost : Fate::unknown;
}

// Every SIP server that has UDP has to have TCP (RFC 3261 section 18).
Target stream_of(const Job& job) {
  auto target = job.probe.target;
  target.transport = Transport::tcp;
  const auto text = job.parameter("stream");
  const auto slash = text.find('/');
  const auto ports = PortRange::parse(text.substr(0, slash));
  if (ports) target.ports = *ports;
  if (slash != text.npos && text.substr(slash) == "/tls") target.transport = Transport::tls;
  return target;
}

// Nothing: no connection, so that nothing was asked, or the run was stopped meanwhile.
asio::awaitable<std::optional<Ask>> ask_over_stream(Context& context, Job job, Target target) {
  Probe probe = job.probe;
  probe.target = std::move(target);
  Job there{probe, job.address};
  const DialOptions options{.tls = probe.target.transport == Transport::tls};
  Observation unused;
  auto dialled = co_await dial(context, there, options, unused);
  if (!dialled.stream) co_return std::nullopt;
  Ask ask{longer, probe.target.transport};
  const auto unwritten = write(context, there, dialled.stream->local(), ask);
  if (unwritten) co_return std::nullopt;
  const auto server = there.remote();
  const bool allowed = co_await sip_allowed(context, server, ask.transport);
  if (!allowed) co_return std::nullopt;
  ask.sent = 1;
  sip::Framer framer;
  const auto deadline = context.scope.clock.now() + timeouts::stream_reply;
  co_await exchange_over_stream(*dialled.stream, context.scope, ask.message, framer, ask.collector,
                                deadline);
  if (!ask.answered() && context.scope.stop.stopped()) co_return std::nullopt;
  ask.garbled = ask.collector.broken() > 0;
  co_return ask;
}

void add_size(Observation& observation, const Ask& ask) {
  FactMap facts{{Fact::bytes, static_cast<std::int64_t>(ask.bytes)},
                {Fact::transport, std::string(to_string(ask.transport))},
                {Fact::answered, ask.answered()},
                {Fact::attempts, ask.sent}};
  if (ask.back) facts[Fact::back] = true;
  const auto answered = ask.answered() ? phrase("answered")
                        : ask.garbled  ? phrase("the answer could not be understood")
                                       : phrase("not answered");
  const auto times = ask.sent == 1 ? (ask.back ? phrase("asked once for an equally long reply")
                                               : phrase("sent once"))
                     : ask.back    ? phrase("asked {} times for an equally long reply", ask.sent)
                                   : phrase("sent {} times", ask.sent);
  auto text =
      phrase("{} bytes over {}, {}: {}", ask.bytes, in_capitals(ask.transport), times, answered);
  add_evidence(observation, EvidenceKind::sip_size, std::move(text), std::move(facts));
  const auto& why = ask.collector.why_broken();
  if (ask.answered() || !ask.garbled || why.empty()) return;
  add_evidence(observation, EvidenceKind::sip_discarded,
               phrase("what came back was not a SIP reply: {}", why),
               {{Fact::broken, ask.collector.broken()}});
}

}  // namespace

asio::awaitable<Observation> run_sip_long(Context& context, Job job) {
  auto observation = begin_check(context, job);
  auto socket = open_udp(context, job.remote(), {.fragments = true});
  if (socket.has_error()) {
    record(observation, socket.error());
    co_return observation;
  }
  observation.local = socket->local();
  Datagrams line(context, job, std::move(*socket));
  const bool mirror = job.parameter("mirror") == "true";
  auto& most = line.add(longer);
  auto& less = line.add(long_enough);
  std::vector<Ask*> longs{&most, &less};
  Fate fate = co_await ask_by_datagrams(line, longs);
  if (mirror && most.answered()) {
    longs = {&line.add(longer, true)};
    fate = co_await ask_by_datagrams(line, longs);
  }
  const bool none_sent =
      std::ranges::all_of(line.asked, [](const Ask& ask) { return ask.sent == 0; });
  if (none_sent && line.failure) {
    record(observation, *line.failure);
    // That this computer does not let long packets out says nothing about the port.
    const bool skipped = observation.outcome == Outcome::skipped;
    if (!skipped) set_outcome(observation, Outcome::skipped, DetailCode::local_error);
    co_return observation;
  }
  for (const auto& ask : line.asked) {
    if (ask.sent > 0) add_size(observation, ask);
    observation.attempts = std::max(observation.attempts, ask.sent);
    const auto& reply = ask.collector.reply();
    if (!reply) continue;
    if (far_end::says_busy(reply->reason)) {
      record_busy(observation);
      co_return observation;
    }
    if (observation.outcome == Outcome::answered || ask.bytes <= in_one_packet) continue;
    set_outcome(observation, Outcome::answered, Detail::status(reply->status));
  }
  if (line.asked.front().sent == 1) observation.round_trip = line.took;
  if (fate == Fate::through) co_return observation;
  bool lost = fate == Fate::lost;
  if (lost) {
    const auto over = co_await ask_over_stream(context, job, stream_of(job));
    if (over) {
      add_size(observation, *over);
      lost = over->answered();
    }
  }
  if (context.scope.stop.stopped()) {
    record(observation, stopped());
    co_return observation;
  }
  if (lost) {
    set_outcome(observation, Outcome::failed, DetailCode::long_sip_lost);
  } else {
    set_outcome(observation, Outcome::skipped, DetailCode::sizes_not_compared);
  }
  co_return observation;
}

}  // namespace callready::checks
