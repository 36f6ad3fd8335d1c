#include "probe/net/path_probe.hpp"

#include <algorithm>

#include "probe/net/timeouts.hpp"

namespace callready {
namespace {

bool all_answered(const SizedReplies& replies) {
  return std::ranges::all_of(replies.answered, [](bool one) { return one; });
}

// Takes what has come. True if it ends the wait.
bool take(const Result<UdpEvent>& event, const SizedFlow::Match& match, Instant sent,
          SizedReplies& replies) {
  if (event.has_error()) {
    const bool over = event.error().kind == FailureKind::stopped;
    if (over) replies.failure = event.error();
    return over;
  }
  if (const auto* icmp = std::get_if<IcmpError>(&*event)) {
    if (icmp->kind == IcmpKind::time_exceeded) return false;
    if (icmp->kind == IcmpKind::fragmentation_needed) {
      replies.too_large = *icmp;
    } else {
      // It may be about one of them only.
      replies.failure = classify(asio::error::connection_refused, *icmp);
      return replies.answered.size() == 1;
    }
    return true;
  }
  const auto& datagram = std::get<Datagram>(*event);
  const auto which = match(datagram.bytes);
  if (!which || *which >= replies.answered.size() || replies.answered[*which]) return false;
  replies.answered[*which] = true;
  if (replies.attempts == 1) {
    replies.round_trip = elapsed(sent, std::max(sent, datagram.arrived));
  }
  return all_answered(replies);
}

}  // namespace

Result<SizedFlow> SizedFlow::open(const asio::any_io_executor& executor,
                                  const SocketAddress& remote, const std::string& interface) {
  UdpSocket::Options options;
  options.interface = interface;
  options.whole = true;
  auto socket = UdpSocket::open(executor, remote, options);
  if (socket.has_error()) return socket.error();
  return SizedFlow(std::move(*socket));
}

asio::awaitable<SizedReplies> SizedFlow::ask(const Payloads& payloads, const Match& match,
                                             Scope scope) {
  SizedReplies replies;
  replies.answered.resize(payloads.size());
  replies.left.resize(payloads.size());
  const auto start = scope.clock.now();
  std::optional<Failure> not_sent;
  int others = 0;
  for (const auto after : timeouts::udp_sends) {
    const bool last = after == timeouts::udp_sends.back();
    const auto next = static_cast<std::size_t>(replies.attempts) + 1;
    const auto until = start + (last ? timeouts::udp_reply : timeouts::udp_sends[next]);
    const auto sent = scope.clock.now();
    std::size_t refused = 0;
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      if (replies.answered[i]) continue;
      const auto result = socket_.send(payloads[i]);
      replies.left[i] = replies.left[i] || !result.has_error();
      if (!result.has_error()) continue;
      not_sent = result.error();
      ++refused;
    }
    ++replies.attempts;
    if (refused == payloads.size()) {
      replies.failure = not_sent;
      co_return replies;
    }
    for (;;) {
      const auto event = co_await socket_.receive(scope, until);
      const bool late = event.has_error() && event.error().kind == FailureKind::timed_out;
      if (late && scope.clock.now() >= until) break;
      if (take(event, match, sent, replies)) co_return replies;
      if (++others == most_foreign) {
        replies.failure = flooded();
        co_return replies;
      }
    }
  }
  const bool none = std::ranges::none_of(replies.answered, [](bool one) { return one; });
  if (!none) replies.failure.reset();
  if (none && !replies.failure) replies.failure = timed_out();
  co_return replies;
}

}  // namespace callready
