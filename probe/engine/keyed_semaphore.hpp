// Lets only so many probes at a time go to an address or through a proxy.
#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>

#include "probe/net/guard.hpp"
#include "probe/net/one_shot.hpp"

namespace callready {

// At most `limit` holders per door (an address, a proxy); others wait in line, the lower `rank`
// before the higher.
class KeyedSemaphore {
 public:
  explicit KeyedSemaphore(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  asio::awaitable<bool> enter(std::string door, int limit, std::size_t rank, Scope scope,
                              Instant deadline) {
    auto& place = places_[door];
    if (place.inside < limit) {
      ++place.inside;
      co_return true;
    }
    OneShot<bool> turn(executor_);
    const auto behind =
        std::upper_bound(place.line.begin(), place.line.end(), rank,
                         [](std::size_t ours, const Waiter& other) { return ours < other.rank; });
    place.line.insert(behind, {turn, rank});
    const auto result = co_await turn.wait(scope, deadline);
    if (!result.has_error()) co_return true;
    turn.deliver(false);  // gone: nobody may pass a place on to us
    co_return false;
  }

  void leave(const std::string& door) {
    const auto found = places_.find(door);
    auto& place = found->second;
    while (!place.line.empty()) {
      const auto next = place.line.front().turn;
      place.line.pop_front();
      if (next.delivered()) continue;
      next.deliver(true);
      return;  // the place passes on
    }
    if (--place.inside == 0) places_.erase(found);
  }

 private:
  struct Waiter {
    OneShot<bool> turn;
    std::size_t rank;
  };
  struct Place {
    int inside = 0;
    std::deque<Waiter> line;
  };
  asio::any_io_executor executor_;
  std::unordered_map<std::string, Place> places_;
};

// The place is given back even if a check throws.
class Permit {
 public:
  Permit(KeyedSemaphore& semaphore, std::string door)
      : semaphore_(semaphore), door_(std::move(door)) {}
  ~Permit() {
    if (!door_.empty()) semaphore_.leave(door_);
  }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;

 private:
  KeyedSemaphore& semaphore_;
  std::string door_;
};

}  // namespace callready
