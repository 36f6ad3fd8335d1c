#include "tests/support/manual_clock.hpp"

namespace callready::test {

class ManualClock::Entry final : public Clock::Timer {
 public:
  Entry(ManualClock& clock, Instant when, std::function<void()> work)
      : callback(std::move(work)), clock_(clock), place_(clock.timers_.emplace(when, this)) {}
  ~Entry() override { leave(); }
  void leave() {
    if (waiting_) clock_.timers_.erase(place_);
    waiting_ = false;
  }
  std::function<void()> callback;

 private:
  ManualClock& clock_;
  std::multimap<Instant, Entry*>::iterator place_;
  bool waiting_ = true;
};

std::unique_ptr<Clock::Timer> ManualClock::call_at(Instant when, std::function<void()> callback) {
  return std::make_unique<Entry>(*this, when, std::move(callback));
}

bool ManualClock::advance_to_next() {
  if (timers_.empty()) return false;
  const auto [when, entry] = *timers_.begin();
  if (when > now_) now_ = when;
  entry->leave();
  // The callback may destroy the entry.
  const auto callback = std::move(entry->callback);
  callback();
  return true;
}

void ManualClock::advance(milliseconds by) {
  const auto end = now_ + by;
  while (!timers_.empty() && timers_.begin()->first <= end) advance_to_next();
  now_ = end;
}

void ManualClock::be_late(milliseconds by) {
  stalls_.emplace(now_, now_ + by);
  now_ += by;
}

Milliseconds ManualClock::loop_stall_since(Instant from) const {
  Milliseconds sum{0};
  for (const auto& [begin, end] : stalls_) {
    if (end > from) sum += end - std::max(begin, from);
  }
  return sum;
}

}  // namespace callready::test
