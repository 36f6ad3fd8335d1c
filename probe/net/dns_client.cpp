#include "probe/net/dns_client.hpp"

#include "probe/net/stream.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/together.hpp"
#include "probe/net/udp.hpp"
#include "probe/util/digest.hpp"

namespace callready::dns {
namespace {

asio::awaitable<void> ask_udp(asio::any_io_executor executor, Scope scope, const Question& question,
                              bool edns, UdpPatience patience, Exchange& exchange) {
  const auto id = random_number<std::uint16_t>();
  auto request = encode_question(id, question.name, question.type, edns);
  if (request.has_error()) {
    exchange.reply = request.error();
    co_return;
  }
  UdpSocket::Options options;
  options.interface = question.interface;
  auto socket = UdpSocket::open(executor, question.server, options);
  if (socket.has_error()) {
    exchange.reply = socket.error();
    co_return;
  }
  exchange.local = socket->local();
  exchange.ended.reset();
  std::optional<Failure> malformed;
  const UdpMatch matches = [&](const Datagram& datagram) {
    auto message = parse_message(datagram.bytes);
    if (message.has_error()) {
      malformed = message.error();
      return false;
    }
    if (!answers(*message, id, question.name, question.type)) return false;
    exchange.reply = std::move(*message);
    return true;
  };
  const auto outcome = co_await udp_request(*socket, scope, *request, matches, patience);
  if (outcome.has_error()) {
    exchange.attempts += outcome.error().attempts;
    exchange.reply = outcome.error().failure;
    if (malformed && outcome.error().failure.kind == FailureKind::timed_out) {
      exchange.reply = *malformed;
    }
    co_return;
  }
  exchange.attempts += outcome->attempts;
  exchange.round_trip = outcome->round_trip;
  exchange.ended = outcome->datagram.arrived;
}

// One of two parallel questions over UDP. The first answer ends both, and so does an error that is
// as conclusive.
struct Leg {
  Exchange exchange;
  bool edns = true;
  bool silent() const {
    const auto& reply = exchange.reply;
    return reply.has_error() && (reply.error().kind == FailureKind::timed_out ||
                                 reply.error().kind == FailureKind::stopped);
  }
};

asio::awaitable<Leg> run_leg(asio::any_io_executor executor, Scope scope, Question question,
                             bool edns) {
  Leg leg;
  leg.edns = edns;
  UdpPatience patience;
  bool going_on = true;
  if (!edns) {
    // Three transmissions, and an end together with the other question.
    patience = {timeouts::udp_sends.size() - 1, timeouts::udp_reply - timeouts::dns_plain};
    const auto when = scope.clock.now() + timeouts::dns_plain;
    going_on = co_await sleep_until(executor, scope, when);
  }
  if (!going_on) {
    leg.exchange.reply = stopped();
    co_return leg;
  }
  co_await ask_udp(executor, scope, question, edns, patience, leg.exchange);
  if (!leg.silent()) scope.stop.stop();
  co_return leg;
}

// With EDNS, and without once that stays silent.
asio::awaitable<Leg> ask_both_ways(asio::any_io_executor executor, Scope scope, Question question) {
  InnerScope until_one_answers(scope);
  std::vector<asio::awaitable<Leg>> work;
  for (const bool edns : {true, false}) {
    work.push_back(run_leg(executor, until_one_answers.scope(), question, edns));
  }
  auto legs = co_await together(executor, std::move(work));
  const int attempts = legs[0].exchange.attempts + legs[1].exchange.attempts;
  const bool plain_answered = legs[0].silent() && !legs[1].silent();
  auto& told = plain_answered ? legs[1] : legs[0];
  told.exchange.attempts = attempts;
  co_return std::move(told);
}

// Fills the whole buffer.
asio::awaitable<Result<void>> read_all(Stream& stream, std::span<std::uint8_t> buffer, Scope scope,
                                       Instant deadline) {
  while (!buffer.empty()) {
    const auto size = co_await stream.read_some(buffer, scope, deadline);
    if (size.has_error()) co_return size.error();
    buffer = buffer.subspan(*size);
  }
  co_return Result<void>();
}

// RFC 1035 section 4.2.2: a two-byte length before the message.
asio::awaitable<Result<Message>> exchange_over(Stream& stream, Scope scope,
                                               std::vector<std::uint8_t> request, std::uint16_t id,
                                               const Question& question) {
  const auto deadline = scope.clock.now() + timeouts::stream_reply;
  const auto size = request.size();
  request.insert(request.begin(),
                 {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size & 0xff)});
  const auto written = co_await stream.write(request, scope, deadline);
  if (written.has_error()) co_return written.error();
  std::array<std::uint8_t, 2> prefix{};
  auto got = co_await read_all(stream, prefix, scope, deadline);
  if (got.has_error()) co_return got.error();
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(prefix[0] << 8 | prefix[1]));
  got = co_await read_all(stream, bytes, scope, deadline);
  if (got.has_error()) co_return got.error();
  auto message = parse_message(bytes);
  if (message.has_error()) co_return message.error();
  if (!answers(*message, id, question.name, question.type)) {
    co_return malformed("a DNS message that does not answer the question");
  }
  if (message->cut) co_return malformed("a DNS message that is cut off");
  co_return std::move(*message);
}

asio::awaitable<void> ask_tcp(asio::any_io_executor executor, Scope scope, const Question& question,
                              bool edns, Exchange& exchange) {
  const auto id = random_number<std::uint16_t>();
  auto request = encode_question(id, question.name, question.type, edns);
  if (request.has_error()) {
    exchange.reply = request.error();
    co_return;
  }
  ConnectOptions options;
  options.interface = question.interface;
  ++exchange.attempts;
  auto connected = co_await connect_tcp(executor, scope, question.server, options);
  if (connected.has_error()) {
    exchange.reply = connected.error();
    co_return;
  }
  exchange.round_trip = (*connected)->round_trip();
  exchange.local = (*connected)->local();
  auto& stream = **connected;
  exchange.reply = co_await exchange_over(stream, scope, std::move(*request), id, question);
}

// RFC 6891 section 7: a server that does not know EDNS says so by one of these, without OPT.
bool dislikes_edns(const Result<Message>& reply) {
  if (reply.has_error() || reply->edns) return false;
  return reply->rcode == rcode_format_error || reply->rcode == rcode_not_implemented ||
         reply->rcode == rcode_server_failure;
}

}  // namespace

asio::awaitable<Exchange> ask(asio::any_io_executor executor, Scope scope, Question question) {
  Exchange exchange;
  const auto start = scope.clock.now();
  bool edns = true;
  if (!question.tcp) {
    auto leg = co_await ask_both_ways(executor, scope, question);
    exchange = std::move(leg.exchange);
    edns = leg.edns;
    if (edns && dislikes_edns(exchange.reply)) {
      edns = false;
      const UdpPatience patience;
      co_await ask_udp(executor, scope, question, edns, patience, exchange);
    }
  }
  const bool truncated = !exchange.reply.has_error() && exchange.reply->truncated;
  if (question.tcp || truncated) {
    exchange.retried_by_tcp = truncated;
    exchange.ended.reset();
    co_await ask_tcp(executor, scope, question, edns, exchange);
    // A truncated answer over UDP has already shown that the server knows EDNS.
    if (edns && !truncated && dislikes_edns(exchange.reply)) {
      edns = false;
      co_await ask_tcp(executor, scope, question, edns, exchange);
    }
  }
  exchange.without_edns = !edns && !exchange.reply.has_error();
  exchange.took = elapsed(start, exchange.ended.value_or(scope.clock.now()));
  co_return exchange;
}

}  // namespace callready::dns
