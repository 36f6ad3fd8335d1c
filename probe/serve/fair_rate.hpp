// A rate for all, and of it one for each network, so that one source leaves room for others.
#pragma once

#include <vector>

#include "probe/net/clock.hpp"
#include "probe/util/token_bucket.hpp"

namespace callready::serve {

// However many networks ask, it takes the same memory: those that fall into one place by chance
// share a rate, and nobody can tell which.
class FairRate {
 public:
  // Of each /24, and each /64 in IPv6: both a second. `of_network` is not less than `all`: no
  // shares.
  FairRate(double all, double of_network);
  bool take(const IpAddress& from, Instant now);

 private:
  std::size_t place_of(const IpAddress& from) const;
  double all_, of_network_;
  std::uint64_t salt_ = 0;
  TokenBucket<Instant> together_;
  std::vector<TokenBucket<Instant>> networks_;
};

}  // namespace callready::serve
