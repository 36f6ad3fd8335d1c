// A rate limit that allows one second's worth at once.
#pragma once

#include <algorithm>
#include <chrono>

namespace callready {

template <class Time>
class TokenBucket {
 public:
  // Takes `cost` from the bucket, which refills by `rate` a second; false if too little is left.
  // Full at first, and after the clock went back.
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
  // Whether take() would be true.
  bool has(double cost, double rate, Time now) const {
    return TokenBucket(*this).take(cost, rate, now);
  }
  Time last_asked() const { return filled_; }

 private:
  bool asked_ = false;
  double left_ = 0;
  Time filled_{};
};

}  // namespace callready
