#include "probe/media/jitter_buffer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <set>

#include "probe/media/stream_figures.hpp"

namespace callready::media {
namespace {

constexpr double tick_ms = 10;     // NetEQ plays out this much at a time
constexpr double bucket_ms = 20;   // of its histograms
constexpr double stretch_ms = 10;  // a change of speed takes or adds a pitch period: 2.5 to 15 ms
constexpr int stretch_every = 5;   // ticks
constexpr double history_ms = 2'000;  // within which the fastest and the slowest packet count

// What share of packets was that late, with older ones forgotten.
class Histogram {
 public:
  explicit Histogram(double forget) : forget_(forget) {
    double share = 1;
    for (auto& bucket : buckets_) bucket = share /= 2;
  }

  void add(double delay_ms) {
    const auto last = static_cast<double>(buckets_.size() - 1);
    const auto at = static_cast<std::size_t>(std::clamp(delay_ms / bucket_ms, 0.0, last));
    // At first it forgets quickly: the first values count for more than the initial guess.
    const double keep = std::min(forget_, std::max(0.0, 1 - 2.0 / (++added_ + 1)));
    for (auto& bucket : buckets_) bucket *= keep;
    buckets_[at] += 1 - keep;
  }

  // The upper end of the bucket up to which that share lies.
  double quantile(double share) const {
    double left = 1;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      left -= buckets_[i];
      if (left <= 1 - share) return bucket_ms * static_cast<double>(i + 1);
    }
    return bucket_ms * static_cast<double>(buckets_.size());
  }

  // The delay with the lowest total cost, where losing a hundredth counts as much as 20 ms of
  // waiting.
  double cheapest(double least_ms) const {
    double left = 1, best = least_ms, best_cost = 1e18;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      left -= buckets_[i];
      const double delay = bucket_ms * static_cast<double>(i);
      const double cost = std::max(0.0, delay - least_ms) + 20 * 100 * std::max(0.0, left);
      if (cost >= best_cost) continue;
      best_cost = cost;
      best = delay + bucket_ms;
    }
    return best;
  }

 private:
  std::array<double, 100> buckets_{};
  double forget_;
  int added_ = 0;
};

// How long packets are to wait.
class Target {
 public:
  void add(const Arrival& packet, double interval_ms) {
    const double lag = packet.arrived_ms - packet.sent_ms;
    const bool reordered = any_ && packet.sequence < newest_;
    newest_ = any_ ? std::max(newest_, packet.sequence) : packet.sequence;
    any_ = true;
    recent_.push_back({packet.arrived_ms, lag});
    while (recent_.front().at < packet.arrived_ms - history_ms) recent_.pop_front();
    const auto [fastest, slowest] = std::minmax_element(
        recent_.begin(), recent_.end(), [](const Seen& a, const Seen& b) { return a.lag < b.lag; });
    fastest_ = fastest->lag;
    spread_ = slowest->lag - fastest_;
    const double late = lag - fastest_;
    reorder_.add(reordered ? late : 0);
    // The latest one within half a second.
    if (!reordered) latest_ = std::max(latest_, late);
    if (packet.arrived_ms >= next_) {
      underrun_.add(latest_);
      latest_ = 0;
      next_ = packet.arrived_ms + 500;
    }
    target_ = std::max(
        {underrun_.quantile(0.95), reorder_.cheapest(underrun_.quantile(0.95)), interval_ms});
  }
  // Playout is stretched if it is sooner than the first after the fastest possible packet, and
  // shortened if it is later than the second.
  double least_ms() const { return fastest_ + target_; }
  double most_ms() const { return fastest_ + target_ + spread_ + bucket_ms; }
  double much_too_late_ms() const { return fastest_ + 4 * (target_ + spread_ + bucket_ms); }

 private:
  struct Seen {
    double at, lag;
  };
  std::deque<Seen> recent_;
  Histogram underrun_{0.983}, reorder_{0.9993};
  double target_ = 80, fastest_ = 0, spread_ = 0, latest_ = 0, next_ = -1e18;
  std::uint32_t newest_ = 0;
  bool any_ = false;
};

// In the order in which they would arrive, with the delay of the fastest taken as zero.
std::vector<Arrival> evenly_sent(std::span<const Arrival> arrivals, double interval_ms) {
  double least = 1e18;
  for (const auto& one : arrivals) least = std::min(least, one.arrived_ms - one.sent_ms);
  std::vector<Arrival> even;
  for (const auto& one : arrivals) {
    const double now = interval_ms * one.sequence;
    even.push_back({one.sequence, now, now + one.arrived_ms - one.sent_ms - least});
  }
  std::stable_sort(even.begin(), even.end(),
                   [](const Arrival& a, const Arrival& b) { return a.arrived_ms < b.arrived_ms; });
  return even;
}

}  // namespace

Playout play(std::span<const Arrival> arrivals, int count, double interval_ms) {
  Playout result;
  if (arrivals.empty() || count <= 0) return result;
  const auto packets = evenly_sent(arrivals, interval_ms);
  Target target;
  std::set<std::uint32_t> waiting;
  std::uint32_t next = packets.front().sequence;
  result.concealed_ms = interval_ms * next;  // lost before the first that came
  double decoded = 0, made_up = 0, held = 0;
  std::size_t taken = 0;
  int pause = 0, played = 0;
  // The times come from the far end: no gap is waited for longer than the whole stream lasts.
  const double most_made_up = interval_ms * count;
  for (double now = packets.front().arrived_ms;
       next < static_cast<std::uint32_t>(count) && made_up < most_made_up; now += tick_ms) {
    for (; taken < packets.size() && packets[taken].arrived_ms <= now; ++taken) {
      target.add(packets[taken], interval_ms);
      if (packets[taken].sequence >= next) waiting.insert(packets[taken].sequence);
    }
    if (taken == packets.size() && waiting.empty() && decoded < tick_ms) break;
    if (pause > 0) --pause;
    while (decoded < tick_ms) {
      // What was made up stands for packets that did not come.
      while (!waiting.empty() && *waiting.begin() != next &&
             made_up + 1e-6 >= interval_ms * (*waiting.begin() - next)) {
        next = *waiting.begin();
      }
      if (waiting.empty() || *waiting.begin() != next) {
        made_up += tick_ms;
        decoded += tick_ms;
        result.concealed_ms += tick_ms;
        continue;
      }
      waiting.erase(waiting.begin());
      const double lag = now + decoded - interval_ms * next;
      held += lag;
      ++played;
      ++next;
      made_up = 0;
      double length = interval_ms;
      if (pause == 0 && lag >= target.most_ms()) {
        length -= stretch_ms;
        pause = lag >= target.much_too_late_ms() ? 0 : stretch_every;
      } else if (pause == 0 && lag < target.least_ms()) {
        length += stretch_ms;
        pause = stretch_every;
      }
      decoded += length;
    }
    decoded -= tick_ms;
  }
  // Nothing more came: silence to the end of what was sent.
  if (next < static_cast<std::uint32_t>(count)) {
    result.concealed_ms += interval_ms * (static_cast<double>(count) - next) - made_up;
  }
  result.concealed_ms = std::clamp(result.concealed_ms, 0.0, most_made_up);
  if (played > 0) result.held_ms = std::max(0.0, held / played);
  return result;
}

}  // namespace callready::media
