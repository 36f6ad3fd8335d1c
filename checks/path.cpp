// path: do full-size packets get through, over UDP to a STUN server and over TCP to a web server?
// (RFC 1191, RFC 8201, RFC 4821)
//
// Over UDP: a Binding request as it is, then one that fills a packet of this computer's own MTU, by
// an attribute that servers ignore (RFC 8489 section 14), never fragmented (DF). Where only the
// small one is answered, several sizes at once; all from one port. Over TCP or TLS: one GET whose
// header fills two full-size packets; where no answer comes, the same once more with small segments
// both ways (MSS 536, which the peer is told, RFC 9293 section 3.7.1); a second round, which has
// seen it get stuck before, tries both at once.
//
// Outcomes: `answered` with "full_size", with "path_mtu" (a router on the way says that packets
// must be smaller, and how small: clients adapt), or with "padding_ignored" (only requests without
// padding are answered: nothing is known); `failed` with "black_hole" where small packets pass and
// large ones vanish without a word; else as in `stun` and `tls`. Evidence "path_mtu": `passes` (the
// largest size that was answered, in bytes of the IP packet), `vanishes` (the smallest that was
// not), `full`, `by` (the router that spoke). What this computer keeps of the large ones alone is
// `skipped` with "local_error".
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "checks/dial.hpp"
#include "checks/kinds.hpp"
#include "probe/net/path_probe.hpp"
#include "probe/net/stun.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/net/together.hpp"

namespace callready::checks {
namespace {

constexpr int ethernet = 1500;
// What tunnels and access lines leave: PPPoE 1492, GRE 1476, WireGuard 1420 and 1440, VPNs 1400 and
// 1360, IPv6's least 1280, and much less.
constexpr int sizes[] = {1492, 1476, 1460, 1440, 1420, 1400, 1360, 1280, 1000, 576};
constexpr std::size_t attribute_header = 4;
// Comprehension-optional and unassigned: a server ignores it.
constexpr auto padding_attribute = static_cast<stun::Attribute>(0xc0de);
constexpr std::size_t padding_header = 3'000;

int headers_of(const IpAddress& address) { return address.is_v4() ? 28 : 48; }

using Bytes = std::vector<std::uint8_t>;

// A Binding request padded to `size`, rounded down to a multiple of 4; 0: without padding.
Bytes request_of(std::size_t size, const stun::TransactionId& id) {
  stun::Builder builder(stun::Class::request, stun::Method::binding, id);
  constexpr auto least = stun::header_size + attribute_header;
  if (size >= least) builder.add_bytes(padding_attribute, Bytes((size - least) / 4 * 4));
  return builder.finish();
}

int full_size(int own_mtu) { return own_mtu == 0 ? ethernet : std::min(own_mtu, ethernet); }

// Binding requests in packets of those sizes in bytes, all in one flow; 0: without padding.
asio::awaitable<SizedReplies> ask(Context& context, SizedFlow& flow, const SocketAddress& remote,
                                  std::vector<int> wanted) {
  std::vector<stun::TransactionId> ids;
  SizedFlow::Payloads payloads;
  for (const int size : wanted) {
    ids.push_back(stun::new_transaction_id());
    const int room = std::max(size - headers_of(remote.address), 0);
    payloads.push_back(request_of(static_cast<std::size_t>(room), ids.back()));
  }
  const SizedFlow::Match which =
      [&](std::span<const std::uint8_t> bytes) -> std::optional<std::size_t> {
    const auto message = stun::parse(bytes);
    if (message.has_error()) return std::nullopt;
    const auto found = std::ranges::find_if(ids, [&](const stun::TransactionId& id) {
      return message->answers(stun::Method::binding, id);
    });
    if (found == ids.end()) return std::nullopt;
    return static_cast<std::size_t>(found - ids.begin());
  };
  auto replies = co_await flow.ask(payloads, which, context.scope);
  co_return replies;
}

void conclude(Observation& observation, Outcome outcome, DetailCode detail, Text text, int full,
              FactMap facts = {}) {
  set_outcome(observation, outcome, detail);
  facts[Fact::full] = full;
  add_evidence(observation, EvidenceKind::path_mtu, std::move(text), std::move(facts));
}

// True if the question is settled: an answer came, or a router said that the packet is too large.
bool conclude_told(Observation& observation, const SizedReplies& reply, bool answered, int full) {
  if (answered) {
    conclude(observation, Outcome::answered, DetailCode::full_size,
             phrase("packets of {} bytes, the largest of this computer, get through", full), full,
             {{Fact::passes, full}});
    return true;
  }
  if (!reply.too_large) return false;
  const auto router = reply.too_large->sender.to_string();
  const int mtu = reply.too_large->mtu;
  FactMap facts{{Fact::by, router}};
  auto text = phrase("{} says that packets must be smaller, but not how small", router);
  // Old routers leave it out (RFC 1191 section 5); one that our packet fits is none (RFC 8899
  // section 4.6.2).
  if (mtu > 0 && mtu < full) {
    facts[Fact::passes] = mtu;
    text = phrase("{} says that packets must not be larger than {} bytes", router, mtu);
  }
  conclude(observation, Outcome::answered, DetailCode::path_mtu, std::move(text), full,
           std::move(facts));
  return true;
}

// That this computer keeps what is large says nothing of the port.
void record_large(Observation& observation, const Failure& failure) {
  record(observation, failure);
  if (failure.kind == FailureKind::kept_here) {
    set_outcome(observation, Outcome::skipped, DetailCode::local_error);
  }
}

asio::awaitable<void> search(Context& context, SizedFlow& flow, SocketAddress remote, int full,
                             Observation& observation) {
  std::vector<int> smaller;
  std::ranges::copy_if(sizes, std::back_inserter(smaller), [&](int size) { return size < full; });
  const auto seen = co_await ask(context, flow, remote, smaller);
  if (conclude_told(observation, seen, false, full)) co_return;
  if (seen.failure && seen.failure->kind != FailureKind::timed_out) {
    record_large(observation, *seen.failure);
    co_return;
  }
  int passes = 0, vanishes = full;
  for (std::size_t i = 0; i < smaller.size(); ++i) {
    if (seen.answered[i]) passes = std::max(passes, smaller[i]);
  }
  for (std::size_t i = 0; i < smaller.size(); ++i) {
    if (seen.left[i] && smaller[i] > passes) vanishes = std::min(vanishes, smaller[i]);
  }
  observation.attempts += static_cast<int>(smaller.size());
  if (passes == 0) {
    set_outcome(observation, Outcome::answered, DetailCode::padding_ignored);
    co_return;
  }
  conclude(observation, Outcome::failed, DetailCode::black_hole,
           phrase("packets of {} bytes get through, those of {} vanish, and no router says so",
                  passes, vanishes),
           full, {{Fact::passes, passes}, {Fact::vanishes, vanishes}});
}

asio::awaitable<void> measure_datagrams(Context& context, Job job, Observation& observation) {
  const auto remote = job.remote();
  observation = begin_check(context, job);
  auto flow = SizedFlow::open(context.executor, remote, context.settings.interface);
  if (flow.has_error()) {
    record(observation, flow.error());
    co_return;
  }
  observation.local = flow->local();
  const auto small = co_await ask(context, *flow, remote, std::vector<int>(1, 0));
  observation.attempts = small.attempts;
  if (!small.answered.front()) {
    record(observation, small.failure.value_or(Failure{}));
    co_return;
  }
  observation.round_trip = small.round_trip;
  const int full = full_size(flow->own_mtu());
  const auto large = co_await ask(context, *flow, remote, std::vector<int>(1, full));
  observation.attempts += large.attempts;
  if (conclude_told(observation, large, large.answered.front(), full)) co_return;
  const auto failure = large.failure.value_or(Failure{});
  if (failure.kind == FailureKind::timed_out) {
    co_await search(context, *flow, remote, full, observation);
  } else {
    record_large(observation, failure);
  }
}

// Connects, and awaits the answer to a request that fills packets; `segment` 0: the usual size.
asio::awaitable<Observation> exchange(Context& context, Job job, int segment) {
  auto seen = begin_check(context, job);
  seen.attempts = 1;
  const auto remote = job.remote();
  const auto& target = job.probe.target;
  ConnectOptions wanted;
  wanted.interface = context.settings.interface;
  wanted.segment = segment;
  auto connected = co_await connect_tcp(context.executor, context.scope, remote, wanted);
  if (connected.has_error()) {
    record(seen, connected.error());
    co_return seen;
  }
  seen.local = (*connected)->local();
  seen.round_trip = (*connected)->round_trip();
  seen.timing_ms[Timing::connect] = (*connected)->handshake_took().count();
  std::unique_ptr<Stream> stream = std::move(*connected);
  if (target.transport == Transport::tls) {
    TlsOptions options;
    options.server_name = target.host;
    auto attempt = co_await tls_handshake(std::move(stream), context.scope, context.tls, options);
    if (attempt.stream.has_error()) {
      record_connected(seen, attempt.stream.error(), DetailCode::tls_timed_out);
      co_return seen;
    }
    stream = std::move(*attempt.stream);
  }
  const std::uint16_t usual_port = target.transport == Transport::tls ? 443 : 80;
  const auto request = fmt::format(
      "GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nConnection: close\r\nX-Padding: {}\r\n\r\n",
      authority(target.host, target.port(), usual_port), context.settings.user_agent,
      std::string(padding_header, 'x'));
  const Bytes bytes(request.begin(), request.end());
  const auto deadline = context.scope.clock.now() + timeouts::stream_reply;
  const auto sent = co_await stream->write(bytes, context.scope, deadline);
  Bytes buffer(1024);
  Result<std::size_t> received = Failure{};
  if (sent.has_error()) {
    received = sent.error();
  } else {
    received = co_await stream->read_some(buffer, context.scope, deadline);
  }
  // A server that closes after such a request has received it.
  const bool closed = received.has_error() && received.error().kind == FailureKind::closed_by_peer;
  if (!received.has_error() || closed) {
    set_outcome(seen, Outcome::answered, DetailCode::full_size);
  } else {
    record_connected(seen, received.error(), DetailCode::http_timed_out);
  }
  co_return seen;
}

asio::awaitable<void> measure_stream(Context& context, Job job, Observation& observation) {
  const auto stuck = [](const Observation& seen) {
    return seen.detail == DetailCode::tls_timed_out || seen.detail == DetailCode::http_timed_out;
  };
  std::vector<asio::awaitable<Observation>> work;
  work.push_back(exchange(context, job, 0));
  if (job.probe.purpose == Purpose::repeat) work.push_back(exchange(context, job, small_segment));
  auto seen = co_await together(context.executor, std::move(work));
  observation = std::move(seen.front());
  if (seen.size() == 1 && stuck(observation)) {
    auto small = co_await exchange(context, job, small_segment);
    seen.push_back(std::move(small));
  }
  observation.attempts = static_cast<int>(seen.size());
  if (!stuck(observation) || seen.back().outcome != Outcome::answered) co_return;
  conclude(observation, Outcome::failed, DetailCode::black_hole,
           phrase("a connection with small segments works, one with full-size segments gets stuck"),
           ethernet);
}

}  // namespace

asio::awaitable<Observation> run_path(Context& context, Job job) {
  Observation observation;
  if (job.probe.target.transport == Transport::udp) {
    co_await measure_datagrams(context, job, observation);
  } else {
    co_await measure_stream(context, job, observation);
  }
  co_return observation;
}

}  // namespace callready::checks
