#include "probe/net/loop_stalls.hpp"

#include <algorithm>

namespace callready {

void LoopStalls::beat(Instant now) {
  if (now - due_ > timeouts::usual_delay) stalls_.push_back({due_, now});
  due_ = now + timeouts::beat;
}

LoopStalls::Duration LoopStalls::between(Instant from, Instant now) const {
  Duration sum{0};
  for (auto stall = stalls_.rbegin(); stall != stalls_.rend() && stall->end > from; ++stall) {
    sum += std::max(Duration(0), std::min(stall->end, now) - std::max(stall->begin, from));
  }
  if (now - due_ > timeouts::usual_delay) sum += now - std::max(due_, from);
  return sum;
}

}  // namespace callready
