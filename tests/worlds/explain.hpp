// The causes of the worlds that are left, of whatever family.
#pragma once

#include "tests/worlds/works.hpp"

namespace callready::reach {

struct Cause {
  Code code;
  double probability = 0;
  double sure = 0;       // the part of it where more than silence shows it
  bool in_best = false;  // the best world has it

  std::size_t world = 0;            // the likeliest that has it
  std::vector<std::size_t> lost{};  // events that cost more bits without it there, the most first

  // Otherwise it is only said with the runner-up ("it could also be").
  bool is_said() const { return in_best || probability >= 0.5; }
};

// The code under which a box is reported.
Code code_of(const Box& box, const Drawn& drawn);

// The surest first; none below is_worth_saying.
std::vector<Cause> causes_of(const Drawn& drawn, const AskedRows& asked);

}  // namespace callready::reach
