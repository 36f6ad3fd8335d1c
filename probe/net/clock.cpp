#include "probe/net/clock.hpp"

namespace callready {
namespace {

class SteadyTimer final : public Clock::Timer {
 public:
  SteadyTimer(const asio::any_io_executor& executor, Instant when, std::function<void()> callback)
      : callback_(std::make_shared<std::function<void()>>(std::move(callback))), timer_(executor) {
    timer_.expires_at(when);
    // A handler that is already queued when the timer dies still runs: it finds the callback gone.
    timer_.async_wait([weak = std::weak_ptr(callback_)](error_code error) {
      if (error) return;
      if (const auto alive = weak.lock()) (*alive)();
    });
  }

 private:
  std::shared_ptr<std::function<void()>> callback_;
  asio::steady_timer timer_;
};

}  // namespace

std::unique_ptr<Clock::Timer> SystemClock::call_at(Instant when, std::function<void()> callback) {
  return std::make_unique<SteadyTimer>(executor_, when, std::move(callback));
}

}  // namespace callready
