#include "checks/media_calls.hpp"

#include <algorithm>
#include <utility>

#include "checks/far_counts.hpp"
#include "checks/media_parts.hpp"
#include "probe/media/call_steps.hpp"
#include "probe/media/stamp.hpp"
#include "probe/net/udp.hpp"
#include "probe/util/digest.hpp"

namespace callready::checks {
namespace {

using namespace media;

constexpr int calls_of_session = 25;  // a reflector's limits are per session
// How late a packet may be: the queue that such a burst makes on a line that is just wide enough is
// no longer than that, and so not long enough to count.
constexpr double latest_ms = most_queued_ms;

// Up to 25 calls: one socket, one counter at the far end.
class CallSession {
 public:
  CallSession(UdpSocket socket, Instant begin) : socket_(std::move(socket)), begin_(begin) {}

  std::uint16_t ssid() const { return ssid_; }

  void begin_step() { first_ = next_ == never_sent ? next_ + 1 : next_; }
  Asked asked() const {
    const int count = next_ > first_ ? static_cast<int>(next_ - first_) : 0;
    return {first_, count, never_sent};
  }
  const std::vector<Reply>& replies() const { return replies_; }

  // False: this computer did not let it out.
  bool send(const Clock& clock, const CallLoad& load) {
    if (next_ == never_sent) {
      ++next_;
      sent_ms_.push_back(0);
      answered_.push_back(false);
    }
    stamp::SenderPacket packet;
    packet.sequence = next_++;
    packet.ssid = ssid_;
    packet.sent = stamp::to_timestamp(clock.wall_now());
    const auto bytes = stamp::encode(packet, load.bytes, load.key);
    sent_ms_.push_back(in_ms(clock.now() - begin_));
    answered_.push_back(false);
    const auto sent = socket_.send(bytes);
    return !sent.has_error();
  }

  void take_all(const Clock& clock, const CallLoad& load, std::optional<stamp::Timestamp>& first) {
    socket_.take_datagrams(clock, 1'000, [&](const Datagram& datagram) {
      if (replies_.size() > 2 * sent_ms_.size()) return;
      const auto packet = stamp::parse_reply(datagram.bytes, load.key);
      if (!packet || packet->ssid != ssid_ || packet->sender_sequence >= sent_ms_.size()) return;
      if (packet->sender_sequence == never_sent) return;
      if (!first) first = packet->received;
      const auto reply = reply_of(*packet, sent_ms_[packet->sender_sequence],
                                  in_ms(datagram.arrived - begin_), *first);
      replies_.push_back(reply);
      answered_[reply.sequence] = true;
    });
  }

  // Adds how many packets were sent within that time, and how many of those have no reply.
  void count(double from, double to, int& sent, int& unanswered) const {
    const auto step = sent_ms_.begin() + std::min<std::ptrdiff_t>(first_, std::ssize(sent_ms_));
    const auto begin = std::lower_bound(step, sent_ms_.end(), from) - sent_ms_.begin();
    const auto end = std::lower_bound(step, sent_ms_.end(), to) - sent_ms_.begin();
    sent += static_cast<int>(end - begin);
    unanswered +=
        static_cast<int>(std::count(answered_.begin() + begin, answered_.begin() + end, false));
  }

 private:
  UdpSocket socket_;
  Instant begin_;
  std::uint16_t ssid_ = random_number<std::uint16_t>();
  std::uint32_t next_ = 0, first_ = 0;
  std::vector<double> sent_ms_;  // by sequence number
  std::vector<bool> answered_;   // likewise
  std::vector<Reply> replies_;
};

class Load {
 public:
  Load(Context& context, CallLoad load)
      : context_(context), load_(std::move(load)), begin_(context.scope.clock.now()) {
    idle_.lost_up = load_.lost_up;
    idle_.lost_down = load_.lost_down;
  }

  // False: no socket.
  bool open(const SocketAddress& remote) {
    for (int calls = 0; calls < load_.calls; calls += calls_of_session) {
      auto socket = open_udp(context_, remote);
      if (socket.has_error()) return false;
      socket->set_traffic_class(expedited << 2);
      sessions_.emplace_back(std::move(*socket), begin_);
      // Number 0, before the one that is left out; not part of a step.
      sessions_.back().send(context_.scope.clock, load_);
    }
    return true;
  }

  // Sends its packets, then waits for what is still on its way. Nothing if the run was stopped.
  asio::awaitable<std::optional<CallStep>> step(CallTrial trial) {
    const int calls = trial.calls;
    const auto& clock = context_.scope.clock;
    for (auto& session : sessions_) session.begin_step();
    late_ms_ = 0;
    kept_ = 0;
    const auto start = clock.now();
    const auto gap = std::chrono::duration_cast<Instant::duration>(call_interval) / calls;
    const auto length = trial.whole ? timeouts::call_step : timeouts::call_feeler;
    const int all = static_cast<int>(length / gap);
    bool stopped = false;
    auto look = start + timeouts::call_look;
    for (int sent = 0; sent < all && !stopped;) {
      const auto due = start + sent * gap;
      const bool going_on = co_await sleep_until(context_.executor, context_.scope, due);
      if (!going_on) co_return std::nullopt;
      for (; sent < all && start + sent * gap <= clock.now(); ++sent) {
        late_ms_ = std::max(late_ms_, in_ms(clock.now() - (start + sent * gap)));
        auto& session = sessions_[static_cast<std::size_t>(sent % calls / calls_of_session)];
        if (!session.send(clock, load_)) ++kept_;
      }
      take();
      if (clock.now() < look) continue;
      stopped = hurts_now(in_ms(start - begin_));
      look = clock.now() + timeouts::call_look;
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

  // What this computer kept back was not lost on the line.
  bool fit() const { return kept_ == 0 && late_ms_ <= latest_ms; }
  // Whether the far end counts what it gets.
  bool counted() const {
    return std::any_of(sessions_.begin(), sessions_.end(), [](const auto& session) {
      return tell_apart({0, 3, never_sent}, session.replies()).counted;
    });
  }

  // Sends until each session is answered, and drops those that are not, since they say nothing
  // about the line. Returns how many calls the others carry.
  asio::awaitable<int> begin() {
    for (auto times = timeouts::udp_reply / timeouts::media_lead; times > 0; --times) {
      const auto next = context_.scope.clock.now() + timeouts::media_lead;
      const bool going_on = co_await sleep_until(context_.executor, context_.scope, next);
      take();
      const auto mute = std::count_if(sessions_.begin(), sessions_.end(), is_mute);
      if (!going_on || mute == 0) break;
      for (auto& session : sessions_) {
        if (is_mute(session)) session.send(context_.scope.clock, load_);
      }
    }
    for (const auto& session : sessions_) {
      if (is_mute(session)) unheard_.push_back(session.ssid());
    }
    std::erase_if(sessions_, is_mute);
    const auto room = static_cast<int>(sessions_.size()) * calls_of_session;
    co_return std::min(load_.calls, room);
  }
  const std::vector<std::uint16_t>& unheard() const { return unheard_; }
  std::vector<std::uint16_t> ssids() const {
    std::vector<std::uint16_t> all;
    for (const auto& session : sessions_) all.push_back(session.ssid());
    return all;
  }

 private:
  static bool is_mute(const CallSession& session) { return session.replies().empty(); }

  void take() {
    for (auto& session : sessions_) {
      const auto known = session.replies().size();
      session.take_all(context_.scope.clock, load_, far_start_);
      idle_ = idle_delays(std::span(session.replies()).subspan(known), idle_);
    }
  }

  // True if the latest replies show losses or a queue that others wait in, or if the last second
  // as a whole shows less of either.
  bool hurts_now(double start) const {
    const double now = in_ms(context_.scope.clock.now() - begin_);
    const double trip = idle_.up + idle_.down;
    const auto latest =
        replies_since(std::max(start + trip, now - in_ms(timeouts::call_looked_at)));
    constexpr std::size_t enough = 3;
    if (latest.size() >= enough && hurts(0, 0, latest, idle_, harmful_queued_ms)) return true;
    const auto few = losses_within(start, in_ms(timeouts::call_losses));
    if (few && hurts(few->lost, few->sent, {}, idle_)) return true;
    const auto many = losses_within(start, 1'000);
    return many && hurts(many->lost, many->sent, replies_since(now - 1'000), idle_);
  }

  std::vector<Reply> replies_since(double from) const {
    std::vector<Reply> recent;
    for (const auto& session : sessions_) {
      for (auto at = session.replies().rbegin(); at != session.replies().rend(); ++at) {
        if (at->arrived < from) break;
        recent.push_back(*at);
      }
    }
    return recent;
  }

  // Among packets whose replies are due even after the longest permitted queue; nothing until the
  // step has run for `length`.
  struct Losses {
    int sent = 0, lost = 0;
  };
  std::optional<Losses> losses_within(double start, double length) const {
    const double due =
        in_ms(context_.scope.clock.now() - begin_) - (idle_.up + idle_.down + 2 * most_queued_ms);
    if (due - length < start) return std::nullopt;
    Losses all;
    for (const auto& session : sessions_) session.count(due - length, due, all.sent, all.lost);
    return all;
  }

  Context& context_;
  CallLoad load_;
  Instant begin_;
  std::vector<CallSession> sessions_;
  std::optional<stamp::Timestamp> far_start_;  // all sessions have one clock there
  IdleDelays idle_ = no_delays;
  double late_ms_ = 0;  // the latest packet of the step
  int kept_ = 0;        // packets of the step that this computer kept back
  std::vector<std::uint16_t> unheard_;
};

// True where the far end says that it had no room for one of them.
asio::awaitable<bool> refused(FarCounts& far_end, std::vector<std::uint16_t> ssids) {
  for (const auto ssid : ssids) {
    const auto count = co_await far_end.stream(ssid);
    if (count && count->refused > 0) co_return true;
  }
  co_return false;
}

// How many packets, of anybody, the far end itself has lost since it was last asked.
class FarDrops {
 public:
  FarDrops(FarCounts& far_end, std::uint16_t ssid) : far_end_(far_end), ssid_(ssid) {}

  // True if that may be all that the step lost on the way out.
  asio::awaitable<bool> explain(CallStep step) {
    const auto count = co_await far_end_.stream(ssid_);
    const int now = count ? count->dropped : known_, before = std::exchange(known_, now);
    co_return step.lost_up > 0 && now - before >= step.lost_up;
  }

 private:
  FarCounts& far_end_;
  std::uint16_t ssid_;
  int known_ = 0;
};

// Tries one number of calls after another; false: the run was stopped, or the far end counts none.
asio::awaitable<bool> find_most(Context& context, Load& all, FarDrops& drops,
                                CallCapacity& capacity) {
  for (bool again = true;;) {
    const auto trial = next_trial(
        capacity, packets_per_second * static_cast<int>(timeouts::call_step.count()) / 1'000);
    if (!trial) break;
    const auto length = trial->whole ? timeouts::call_step : timeouts::call_feeler;
    // No time left: what passed is "at least".
    if (context.scope.clock.now() + length + 2 * timeouts::media_tail > context.deadline) break;
    auto step = co_await all.step(*trial);
    if (!step || !all.counted()) co_return false;
    // This computer paused, or kept packets back, which a nearly full line feels for long: once
    // more.
    if (!step->passed && !all.fit() && std::exchange(again, false)) continue;
    // The far end could not read them all, which says nothing about the line.
    auto busy = !step->passed && step->queued_up_ms <= most_queued_ms &&
                step->queued_down_ms <= most_queued_ms;
    if (busy) busy = co_await drops.explain(*step);
    if (busy) {
      capacity.busy = true;
      break;
    }
    capacity.steps.push_back(*step);
    if (step->passed) continue;
    capacity.fit = all.fit();
    if (!capacity.fit) break;
  }
  co_return true;
}

}  // namespace

asio::awaitable<std::optional<CallCapacity>> carry_calls(Context& context, Job job, CallLoad load) {
  CallCapacity capacity;
  const int wanted = load.calls;
  Load all(context, std::move(load));
  const auto remote = job.remote();
  if (!all.open(remote)) co_return std::nullopt;
  FarCounts far_end(context, job);
  capacity.wanted = co_await all.begin();
  if (!all.unheard().empty()) {
    const bool busy = co_await refused(far_end, all.unheard());
    if (busy) capacity.busy = true;
  }
  auto known = capacity.wanted > 0;
  if (known) {
    FarDrops drops(far_end, all.ssids().front());
    known = co_await find_most(context, all, drops, capacity);
  }
  for (const auto ssid : all.ssids()) co_await far_end.give_back(ssid);
  capacity.wanted = wanted;
  if (capacity.steps.empty() && !capacity.busy) co_return std::nullopt;
  if (!known && !capacity.busy) co_return std::nullopt;
  media::conclude(capacity);
  co_return capacity;
}

}  // namespace callready::checks
