#include "checks/media_calls.hpp"

#include <algorithm>

#include "checks/media_parts.hpp"
#include "probe/media/call_steps.hpp"
#include "probe/media/stamp.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks {
namespace {

using namespace media;

constexpr int calls_of_session = 25;  // a reflector's limits are a session's
// What the 99th percentile of the packets may be late by: the queue that such a burst makes is no
// longer than that, and so no longer than one that counts.
constexpr double latest_ms = most_queued_ms;

// Up to 25 calls: one socket, one counter at the far end.
class CallSession {
 public:
  CallSession(UdpSocket socket, Instant begin) : socket_(std::move(socket)), begin_(begin) {}

  void begin_step() { first_ = next_ == never_sent ? next_ + 1 : next_; }
  Asked asked() const {
    const int count = next_ > first_ ? static_cast<int>(next_ - first_) : 0;
    return {first_, count, never_sent};
  }
  const std::vector<Reply>& replies() const { return replies_; }

  void send(const Clock& clock, const CallLoad& load) {
    if (next_ == never_sent) {
      ++next_;
      sent_ms_.push_back(0);
    }
    stamp::SenderPacket packet;
    packet.sequence = next_++;
    packet.ssid = ssid_;
    packet.sent = stamp::to_timestamp(clock.wall_now());
    const auto bytes = stamp::encode(packet, load.bytes, load.key);
    sent_ms_.push_back(in_ms(clock.now() - begin_));
    const auto sent = socket_.send(bytes);
    static_cast<void>(sent);  // lost, as the network loses it
  }

  void take_all(const Clock& clock, const CallLoad& load, std::optional<stamp::Timestamp>& first) {
    for (int count = 0; count < 1'000; ++count) {
      auto event = socket_.poll(clock);
      if (!event) return;
      if (event->has_error()) continue;
      const auto* datagram = std::get_if<Datagram>(&**event);
      if (datagram == nullptr || replies_.size() > 2 * sent_ms_.size()) continue;
      const auto packet = stamp::parse_reply(datagram->bytes, load.key);
      if (!packet || packet->ssid != ssid_ || packet->sender_sequence >= sent_ms_.size()) continue;
      if (!first) first = packet->received;
      const auto reply = reply_of(*packet, sent_ms_[packet->sender_sequence],
                                  in_ms(datagram->arrived - begin_), *first);
      replies_.push_back(reply);
    }
  }

  // Of the packets sent within that time, how many; and how many of these have no reply.
  void count(double from, double to, int& sent, int& unanswered) const {
    std::vector<bool> answered(sent_ms_.size());
    for (const auto& reply : replies_) answered[reply.sequence] = true;
    for (std::size_t i = first_; i < sent_ms_.size(); ++i) {
      if (sent_ms_[i] < from || sent_ms_[i] >= to) continue;
      ++sent;
      if (!answered[i]) ++unanswered;
    }
  }

 private:
  UdpSocket socket_;
  Instant begin_;
  std::uint16_t ssid_ = random_ssid();
  std::uint32_t next_ = 0, first_ = 0;
  std::vector<double> sent_ms_;  // by sequence number
  std::vector<Reply> replies_;
};

class Load {
 public:
  Load(Context& context, CallLoad load)
      : context_(context), load_(std::move(load)), begin_(context.scope.clock.now()) {}

  // False: no socket.
  bool open(const SocketAddress& remote) {
    UdpSocket::Options options;
    options.interface = context_.settings.interface;
    for (int calls = 0; calls < load_.calls; calls += calls_of_session) {
      auto socket = UdpSocket::open(context_.executor, remote, options);
      if (socket.has_error()) return false;
      socket->set_traffic_class(expedited << 2);
      sessions_.emplace_back(std::move(*socket), begin_);
      // Before the number that is left out, and no part of a step.
      sessions_.back().send(context_.scope.clock, load_);
    }
    return true;
  }

  // Its packets, then what is still on its way. Nothing where the run was stopped.
  asio::awaitable<std::optional<CallStep>> step(int calls) {
    const auto& clock = context_.scope.clock;
    for (auto& session : sessions_) session.begin_step();
    late_.clear();
    const auto start = clock.now();
    const auto gap = std::chrono::duration_cast<Instant::duration>(call_interval) / calls;
    const int all = static_cast<int>(timeouts::call_step / gap);
    bool stopped = false;
    auto look = start + look_after;
    for (int sent = 0; sent < all && !stopped;) {
      const auto due = start + sent * gap;
      const bool going_on = co_await sleep_until(context_.executor, context_.scope, due);
      if (!going_on) co_return std::nullopt;
      for (; sent < all && start + sent * gap <= clock.now(); ++sent) {
        late_.push_back(in_ms(clock.now() - (start + sent * gap)));
        sessions_[static_cast<std::size_t>(sent % calls / calls_of_session)].send(clock, load_);
      }
      take();
      if (clock.now() < look) continue;
      stopped = hurts_now();
      look += std::chrono::seconds(1);
    }
    const auto end = clock.now() + timeouts::media_tail;
    const bool going_on = co_await sleep_until(context_.executor, context_.scope, end);
    if (!going_on) co_return std::nullopt;
    take();
    std::vector<StepSession> parts;
    for (const auto& session : sessions_) {
      const auto asked = session.asked();
      if (asked.count > 0) parts.push_back({asked, session.replies()});
    }
    co_return step_of(calls, parts, idle_, stopped);
  }

  bool fit() const { return percentile(late_, 0.99) <= latest_ms; }
  // Whether the far end counts what it gets.
  bool counted() const {
    const auto& first = sessions_.front();
    return tell_apart({0, 3, never_sent}, first.replies()).counted;
  }

 private:
  // Replies need their time to come before what is missing is lost.
  static constexpr auto look_after = 4 * timeouts::media_tail;

  void take() {
    for (auto& session : sessions_) {
      const auto known = session.replies().size();
      session.take_all(context_.scope.clock, load_, far_start_);
      idle_ = idle_delays(std::span(session.replies()).subspan(known), idle_);
    }
  }

  bool hurts_now() const {
    const double now = in_ms(context_.scope.clock.now() - begin_);
    int sent = 0, lost = 0;
    std::vector<Reply> recent;
    for (const auto& session : sessions_) {
      session.count(now - 2'000, now - 1'000, sent, lost);
      for (auto at = session.replies().rbegin(); at != session.replies().rend(); ++at) {
        if (at->arrived < now - 1'000) break;
        recent.push_back(*at);
      }
    }
    return hurts(lost, sent, recent, idle_);
  }

  Context& context_;
  CallLoad load_;
  Instant begin_;
  std::vector<CallSession> sessions_;
  std::optional<stamp::Timestamp> far_start_;  // all sessions have one clock there
  IdleDelays idle_ = no_delays;
  std::vector<double> late_;
};

}  // namespace

asio::awaitable<std::optional<CallCapacity>> carry_calls(Context& context, Job job, CallLoad load) {
  CallCapacity capacity;
  capacity.wanted = load.calls;
  const auto steps = steps_to(load.calls);
  Load all(context, std::move(load));
  const auto remote = job.remote();
  if (!all.open(remote)) co_return std::nullopt;
  for (const int calls : steps) {
    const auto needed = timeouts::call_step + 2 * timeouts::media_tail;
    if (context.scope.clock.now() + needed > context.deadline) co_return std::nullopt;
    auto step = co_await all.step(calls);
    if (!step || !all.counted()) co_return std::nullopt;
    capacity.steps.push_back(*step);
    if (step->passed) continue;
    capacity.fit = all.fit();
    break;
  }
  media::conclude(capacity);
  co_return capacity;
}

}  // namespace callready::checks
