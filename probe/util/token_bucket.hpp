// A limit of a rate, which lets pass at once what one second allows.
#pragma once

#include <algorithm>
#include <chrono>

namespace callready {

template <class Time>
class TokenBucket {
 public:
  // Whether `cost` is left of `rate` a second, which is then taken. Full at first, and where the
  // clock went back.
  bool take(double cost, double rate, Time now) {
    const std::chrono::duration<double> passed = now - filled_;
    const bool anew = !asked_ || passed.count() < 0;
    asked_ = true;
    left_ = anew ? rate : std::min(rate, left_ + rate * passed.count());
    filled_ = now;
    if (left_ < cost) return false;
    left_ -= cost;
    return true;
  }
  Time last_asked() const { return filled_; }

 private:
  bool asked_ = false;
  double left_ = 0;
  Time filled_{};
};

}  // namespace callready
