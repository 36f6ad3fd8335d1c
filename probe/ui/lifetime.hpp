// When the program ends: a while after its last page was closed.
#pragma once

#include <functional>
#include <memory>

#include "probe/net/clock.hpp"

namespace callready::ui {

// A page that is loaded anew is away for a moment, and one on a computer that sleeps for longer.
inline constexpr milliseconds after_last_page = std::chrono::seconds(60);
// Until somebody opens the first.
inline constexpr milliseconds before_first_page = std::chrono::minutes(10);

class Lifetime {
 public:
  // `over`: once.
  Lifetime(Clock& clock, std::function<void()> over) : clock_(clock), over_(std::move(over)) {
    wait(before_first_page);
  }
  void page_opened() {
    ++pages_;
    timer_.reset();
  }
  void page_closed() {
    if (--pages_ == 0) wait(after_last_page);
  }

 private:
  void wait(milliseconds time) { timer_ = clock_.call_at(clock_.now() + time, over_); }

  Clock& clock_;
  std::function<void()> over_;
  std::unique_ptr<Clock::Timer> timer_;
  int pages_ = 0;
};

}  // namespace callready::ui
