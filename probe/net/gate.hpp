// At most so many at a time: of something that others have to give, such as relays.
#pragma once

#include <deque>

#include "probe/net/one_shot.hpp"

namespace callready {

class Gate {
 public:
  explicit Gate(int places) : free_(places) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // One place; given back when this ends. Empty: none came free in time.
  class Place {
   public:
    Place() = default;
    explicit Place(Gate& gate) : gate_(&gate) {}
    ~Place() {
      if (gate_ != nullptr) gate_->leave();
    }
    Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    Gate* gate_ = nullptr;
  };

  // In the order of the calls; an empty place at `deadline` or when the run is stopped.
  asio::awaitable<Place> enter(asio::any_io_executor executor, Scope scope, Instant deadline) {
    if (free_ > 0 && !scope.stop.stopped()) {
      --free_;
      co_return Place(*this);
    }
    const OneShot<bool> turn(executor);
    line_.push_back(turn);
    const auto came = co_await turn.wait(scope, deadline);
    if (!came.has_error()) co_return Place(*this);
    turn.deliver(false);  // gone: whoever leaves must not pass the place on to us
    co_return Place();
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
