// At most so many at a time: of something that others have to give, such as relays.
#pragma once

#include <deque>

#include "probe/net/one_shot.hpp"

namespace callready {

class Semaphore {
 public:
  explicit Semaphore(int places) : free_(places) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // One place; given back when this ends. Empty: none came free in time.
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

  // In the order of the calls; an empty place at `deadline` or when the run is stopped.
  asio::awaitable<Permit> enter(asio::any_io_executor executor, Scope scope, Instant deadline) {
    if (free_ > 0 && !scope.stop.stopped()) {
      --free_;
      co_return Permit(*this);
    }
    const OneShot<bool> turn(executor);
    line_.push_back(turn);
    const auto came = co_await turn.wait(scope, deadline);
    if (!came.has_error()) co_return Permit(*this);
    turn.deliver(false);  // gone: whoever leaves must not pass the place on to us
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
