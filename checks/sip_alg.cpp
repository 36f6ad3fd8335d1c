// sip-alg: does a device on the way rewrite SIP messages (an "application layer gateway")?
//
// Sends up to four OPTIONS (RFC 3261 section 11), each once, a second apart, from one UDP socket to
// one server, which needs to be no friend: any SIP server copies the request's Via into its reply
// (section 8.2.6.2) and writes down beside it which address it saw, `received` (section 18.2.1) and
// `rport` (RFC 3581 section 4). The four differ in the address in the Via:
//   unrelated       probe.invalid, which no gateway takes for an address of its own: the server
//                   tells the true mapped address
//   own             the socket's address, which a gateway rewrites on the way out and back
//   mapped          the mapped address, as a gateway itself writes it: it is rewritten on the way
//                   back only, and so comes back otherwise than it was sent
//   own_no_rport    the socket's address without `rport`: behind a NAT the server must add
//                   `received`, unless a gateway has made the Via fit the mapped address
// Without address translation a gateway has nothing to rewrite: the last two are not sent.
// A message that stays unanswered is sent again while fewer than four have gone out.
//
// Outcomes: `answered` with
//   "rewritten"           a Via came back changed, or `received` or `rport` name this machine's own
//                         address where the server saw another: nothing else explains it
//   "suspected"           `received` differs otherwise between messages of one flow, or is missing
//                         where the server had to add it
//   "no_rewriting_seen"   none of it. Gateways vary, and message bodies (SDP) are not tested
//   "inconclusive"        the first was answered and one that the judgement needs was not
// where not even the first is answered, as `sip` over UDP. Evidence: `sip_alg`, the basis of that;
// `sip_alg_message`, one for each message, in the order sent.
//
// Parameters: `domain` as in `sip`.
#include <fmt/format.h>

#include "checks/kinds.hpp"
#include "checks/sip_exchange.hpp"
#include "probe/net/printable.hpp"
#include "probe/net/timeouts.hpp"

namespace callready::checks {
namespace {

constexpr int most_messages = 4;

struct Message {
  std::string name;  // as in the comment above
  sip::Options options;
  std::vector<std::uint8_t> bytes;
  std::optional<sip::Reply> reply;
  ViaReading reading;
};

// The socket and what is left of the budget.
struct Prober {
  Context& context;
  Job job;
  UdpSocket socket;
  SocketAddress local;
  int sent = 0;
  Instant last_sent{};
};

Message make(const Prober& prober, std::string name, const std::string& host, std::uint16_t port,
             bool rport) {
  Message message;
  message.name = std::move(name);
  message.options = sip_options(prober.context, prober.job, prober.local);
  message.options.sent_by_host = host;
  message.options.sent_by_port = port;
  message.options.rport = rport;
  return message;
}

// Sends the message, no sooner than a second after the one before, and listens. What ended it where
// no final reply did.
asio::awaitable<std::optional<Failure>> send_once(Prober& prober, const Message& message,
                                                  sip::Collector& collector) {
  auto& scope = prober.context.scope;
  if (prober.sent > 0) {
    const auto when = prober.last_sent + timeouts::sip_gap;
    const bool slept = co_await sleep_until(prober.context.executor, scope, when);
    if (!slept) co_return stopped();
  }
  if (scope.stop.stopped()) co_return stopped();
  prober.last_sent = scope.clock.now();
  ++prober.sent;
  const auto result = prober.socket.send(message.bytes);
  if (result.has_error()) co_return result.error();
  const auto deadline = prober.last_sent + timeouts::sip_single_reply;
  for (int events = 0; events < 256; ++events) {
    const auto event = co_await prober.socket.receive(scope, deadline);
    if (event.has_error()) co_return event.error();
    if (const auto* icmp = std::get_if<IcmpError>(&*event)) {
      const bool passing =
          icmp->kind == IcmpKind::time_exceeded || icmp->kind == IcmpKind::fragmentation_needed;
      if (!passing) co_return classify(asio::error::connection_refused, *icmp);
      continue;
    }
    const auto& datagram = std::get<Datagram>(*event);
    const bool done = collector.take(datagram.bytes, sip::Carriage::datagram);
    if (done) co_return std::nullopt;
  }
  co_return timed_out();
}

// Sends it up to `tries` times, within the budget, until it is answered. A provisional reply will
// do: its Via says the same.
asio::awaitable<std::optional<Failure>> ask(Prober& prober, Message& message, int tries,
                                            sip::Collector& collector) {
  auto built = sip::build(message.options);
  if (built.has_error()) co_return built.error();
  message.bytes = std::move(*built);
  std::optional<Failure> failure = timed_out();
  for (int i = 0; i < tries && prober.sent < most_messages; ++i) {
    failure = co_await send_once(prober, message, collector);
    if (collector.reply()) {
      message.reply = collector.reply();
      message.reading = read_via(message.reply->vias.front(), message.options, prober.local);
      co_return std::nullopt;
    }
    if (failure && failure->kind != FailureKind::timed_out) break;
  }
  co_return failure;
}

asio::awaitable<void> ask_further(Prober& prober, std::vector<Message>& messages, Message message,
                                  int tries) {
  if (prober.sent >= most_messages) co_return;
  sip::Collector collector(message.options.transaction);
  co_await ask(prober, message, tries, collector);
  messages.push_back(std::move(message));
}

void add_message(Observation& observation, const Message& message) {
  Evidence evidence;
  evidence.kind = "sip_alg_message";
  sip::Via own;
  own.host = message.options.sent_by_host;
  own.port = message.options.sent_by_port;
  evidence.facts["message"] = message.name;
  evidence.facts["sent_by"] = own.sent_by();
  evidence.facts["rport_asked"] = message.options.rport;
  evidence.facts["answered"] = message.reply.has_value();
  evidence.text = fmt::format("an OPTIONS with {} in its Via", own.sent_by());
  if (!message.options.rport) evidence.text += ", without rport";
  if (!message.reply) {
    evidence.text += ", was not answered";
    observation.evidence.push_back(std::move(evidence));
    return;
  }
  const auto& via = message.reply->vias.front();
  const auto echoed = printable(via.sent_by());
  evidence.facts["status"] = static_cast<std::int64_t>(message.reply->status);
  evidence.facts["echoed_sent_by"] = echoed;
  evidence.facts["via_changed"] = message.reading.rewritten;
  if (!via.received.empty()) evidence.facts["received"] = printable(via.received);
  if (via.rport != 0) evidence.facts["rport"] = static_cast<std::int64_t>(via.rport);
  if (message.reading.rewritten) {
    evidence.text += ", came back with " + echoed;
  } else {
    evidence.text += ", came back unchanged";
  }
  if (message.reading.seen_as) {
    evidence.text +=
        fmt::format(", and the server says that it saw {}", seen_as_text(*message.reading.seen_as));
  } else {
    evidence.text += ", and the server says nothing of where it came from";
  }
  observation.evidence.push_back(std::move(evidence));
}

struct Judgement {
  std::string detail, basis, confidence, text;
};

const Message* answered(const std::vector<Message>& messages, std::string_view name) {
  for (const auto& message : messages) {
    if (message.name == name && message.reply) return &message;
  }
  return nullptr;
}

// What the messages show; `translated` is what the first one says.
Judgement judge(const std::vector<Message>& messages, std::optional<bool> translated,
                const SocketAddress& local) {
  for (const auto& message : messages) {
    if (message.reply && message.reading.rewritten) {
      return {
          "rewritten", "via_changed", "certain",
          "a Via header came back otherwise than it was sent: a device on the way rewrites SIP"};
    }
  }
  const auto* unrelated = answered(messages, "unrelated");
  const auto* own = answered(messages, "own");
  const auto* mapped = answered(messages, "mapped");
  const auto* no_rport = answered(messages, "own_no_rport");
  // One flow has one mapping. Where the server sees two, and one of them is our own address, which
  // cannot get there, it was written back in; two others may be a balanced server's own doing.
  for (const auto* other : {own, mapped}) {
    if (other == nullptr || !other->reading.seen_as || !unrelated->reading.seen_as) continue;
    const auto seen = *other->reading.seen_as, truth = *unrelated->reading.seen_as;
    if (seen == truth) continue;
    const bool own_address = seen.address == local.address && truth.address != local.address;
    const bool own_port = seen.port == local.port && truth.port != local.port;
    if (own_address || own_port) {
      return {"rewritten", "received_differs", "certain",
              "the server's reply names this machine's own address where it saw another: a device "
              "on the way rewrites SIP"};
    }
    return {"suspected", "received_differs", "likely",
            "messages of one socket were seen from two addresses: a device on the way may rewrite "
            "SIP"};
  }
  for (const auto* other : {own, no_rport}) {
    if (translated.value_or(false) && other != nullptr && !other->reading.seen_as) {
      return {"suspected", "received_missing", "likely",
              "behind address translation, the server took the address in the Via for the true "
              "one: a device on the way has probably rewritten it"};
    }
  }
  // A server that does not fill in `rport` cannot be sent its view back; the same reply to `own` as
  // to `unrelated` must do.
  const bool port_known = unrelated->reading.seen_as && unrelated->reading.seen_as->port != 0;
  const bool enough =
      own != nullptr && translated && (!*translated || mapped != nullptr || !port_known);
  if (!enough) {
    return {"inconclusive", "", "",
            "too little came back to say whether a device on the way rewrites SIP"};
  }
  return {"no_rewriting_seen", "", "",
          *translated ? "no rewriting of SIP headers was seen; message bodies (SDP) were not tested"
                      : "no rewriting of SIP headers was seen; without address translation there "
                        "is nothing to rewrite"};
}

void add_judgement(Observation& observation, const Prober& prober,
                   const std::vector<Message>& messages) {
  const auto& first = messages.front().reading;
  const auto judgement = judge(messages, first.translated, prober.local);
  observation.outcome = Outcome::answered;
  observation.detail = judgement.detail;
  Evidence evidence;
  evidence.kind = "sip_alg";
  evidence.text = judgement.text;
  evidence.facts["messages"] = static_cast<std::int64_t>(prober.sent);
  evidence.facts["sdp_tested"] = false;
  if (!judgement.basis.empty()) {
    evidence.facts["basis"] = judgement.basis;
    evidence.facts["confidence"] = judgement.confidence;
  }
  if (first.translated) evidence.facts["translated"] = *first.translated;
  if (first.seen_as) evidence.facts["mapped"] = seen_as_text(*first.seen_as);
  observation.evidence.push_back(std::move(evidence));
}

}  // namespace

asio::awaitable<Observation> run_sip_alg(Context& context, Job job) {
  Observation observation;
  observation.address = job.address;
  observation.sent_at = context.scope.clock.wall_now();
  UdpSocket::Options socket_options;
  socket_options.interface = context.settings.interface;
  auto socket = UdpSocket::open(context.executor, job.remote(), socket_options);
  if (socket.has_error()) {
    record(observation, socket.error());
    co_return observation;
  }
  const auto local = socket->local();
  const auto own_host = local.address.to_string();
  observation.local = local;
  Prober prober{context, job, std::move(*socket), local};
  std::vector<Message> messages;

  messages.push_back(make(prober, "unrelated", "probe.invalid", local.port, true));
  sip::Collector collector(messages[0].options.transaction);
  const auto start = context.scope.clock.now();
  const auto failure = co_await ask(prober, messages[0], 2, collector);
  if (!messages[0].reply) {
    observation.attempts = prober.sent;
    conclude_sip(observation, collector, failure, false);
    add_sip_discarded(observation, collector);
    co_return observation;
  }
  if (prober.sent == 1) observation.round_trip = elapsed(start, context.scope.clock.now());
  add_sip_reply(observation, *messages[0].reply);

  auto own = make(prober, "own", own_host, local.port, true);
  co_await ask_further(prober, messages, std::move(own), 2);
  const auto first = messages[0].reading;
  const bool port_known = first.seen_as && first.seen_as->port != 0;
  if (port_known && first.translated.value_or(false)) {
    const auto mapped_host = first.seen_as->address.to_string();
    auto mapped = make(prober, "mapped", mapped_host, first.seen_as->port, true);
    co_await ask_further(prober, messages, std::move(mapped), 2);
    auto no_rport = make(prober, "own_no_rport", own_host, local.port, false);
    co_await ask_further(prober, messages, std::move(no_rport), 1);
  }
  observation.attempts = prober.sent;
  add_judgement(observation, prober, messages);
  for (const auto& message : messages) add_message(observation, message);
  co_return observation;
}

}  // namespace callready::checks
