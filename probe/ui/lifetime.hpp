// When the program ends: a while after its last page was closed.
#pragma once

#include <functional>
#include <memory>

#include "probe/net/clock.hpp"
#include "probe/net/service_timeouts.hpp"

namespace callready::ui {

class Lifetime {
 public:
  // `over`: called once.
  Lifetime(Clock& clock, std::function<void()> over) : clock_(clock), over_(std::move(over)) {
    wait(timeouts::before_first_page);
  }
  void page_opened() {
    ++pages_;
    timer_.reset();
  }
  void page_closed() {
    if (--pages_ == 0) wait(timeouts::after_last_page);
  }

 private:
  void wait(milliseconds time) { timer_ = clock_.call_at(clock_.now() + time, over_); }

  Clock& clock_;
  std::function<void()> over_;
  std::unique_ptr<Clock::Timer> timer_;
  int pages_ = 0;
};

}  // namespace callready::ui
