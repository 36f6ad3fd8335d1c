// A rate for all, and a share of it for each network, so that one source leaves room for others.
#pragma once

#include <vector>

#include "probe/net/clock.hpp"
#include "probe/util/token_bucket.hpp"

namespace callready::serve {

// Takes the same memory no matter how many networks ask: those that fall into one slot by chance
// share a rate, and nobody can tell which.
class FairRate {
 public:
  // Both are per second; `of_network` for each /24, or /64 in IPv6. If `of_network` is not less
  // than `all`, there are no shares.
  FairRate(double all, double of_network);
  bool take(const IpAddress& from, Instant now);
  // Whether take() would: for work that is not done for nothing. It takes nothing.
  bool has_room(const IpAddress& from, Instant now) const;

 private:
  std::size_t place_of(const IpAddress& from) const;
  double all_, of_network_;
  std::uint64_t salt_ = 0;
  TokenBucket<Instant> together_;
  std::vector<TokenBucket<Instant>> networks_;
};

}  // namespace callready::serve
