// P(what is seen | what becomes of the packet), in bits. The one place where chance is: loss,
// rationed ICMP, silent routers. No other file knows such a number.
#pragma once

#include <array>

#include "probe/diagnosis/reach/box.hpp"

namespace callready::reach {

// Nothing is ever quite impossible, so that nonsense makes nothing certain. This must cost more
// than the dearest single box (18 bits).
inline constexpr Bits leak = bits(20);

// Loss is a parameter of the world: the share of packets that get lost, one way.
struct Loss {
  double share = 0;
  Bits prior = 0;
};
inline constexpr std::array<Loss, 6> losses{{{0.0005, bits(0)},
                                             {0.01, bits(4)},
                                             {0.03, bits(5)},
                                             {0.08, bits(6)},
                                             {0.15, bits(8)},
                                             {0.25, bits(10)}}};
// From the first on, one failed probe may be chance; from the second on, loss is itself a cause.
inline constexpr double explains_one_failure = 0.03, is_a_cause = 0.05;

// The cost of the event in a world where its packet has that fate.
Bits bits_of(const FlowEvent& event, bool slow_line, Fate fate, double loss);

}  // namespace callready::reach
