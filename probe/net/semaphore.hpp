// Limits how many use something at a time that others have to provide, such as relays.
#pragma once

#include <deque>

#include "probe/net/one_shot.hpp"

namespace callready {

class Semaphore {
 public:
  explicit Semaphore(int places) : free_(places) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // One place, given back by the destructor. Empty: none came free in time.
  class Permit {
   public:
    Permit() = default;
    explicit Permit(Semaphore& gate) : gate_(&gate) {}
    ~Permit() {
      if (gate_ != nullptr) gate_->leave();
    }
    Permit(Permit&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    Semaphore* gate_ = nullptr;
  };

  // Gives places in the order of the calls, and an empty one at `deadline` or when the run is
  // stopped.
  asio::awaitable<Permit> enter(asio::any_io_executor executor, Scope scope, Instant deadline) {
    if (free_ > 0 && !scope.stop.stopped()) {
      --free_;
      co_return Permit(*this);
    }
    const OneShot<bool> turn(executor);
    line_.push_back(turn);
    const auto came = co_await turn.wait(scope, deadline);
    if (!came.has_error()) co_return Permit(*this);
    turn.deliver(false);  // gone: nobody may pass the place on to us any more
    co_return Permit();
  }

 private:
  void leave() {
    while (!line_.empty()) {
      const auto next = line_.front();
      line_.pop_front();
      if (next.delivered()) continue;
      next.deliver(true);
      return;  // the place passes on
    }
    ++free_;
  }

  int free_;
  std::deque<OneShot<bool>> line_;
};

}  // namespace callready
