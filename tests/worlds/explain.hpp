// The causes of the worlds that are left, of whatever family.
#pragma once

#include "tests/worlds/works.hpp"

namespace callready::reach {

struct Cause {
  Code code;
  double probability = 0;
  double sure = 0;       // of that, where more than silence shows it
  bool in_best = false;  // the best world has it

  std::size_t world = 0;            // the likeliest that has it
  std::vector<std::size_t> lost{};  // events that are dearer without it there, the dearest first

  // Else it is said with a runner-up ("it could also be").
  bool is_said() const { return in_best || probability >= 0.5; }
};

// What is said of a box.
Code code_of(const Box& box, const Diagnosis& drawn);

// The surest first; below is_worth_saying none.
std::vector<Cause> causes_of(const Diagnosis& drawn, const AskedRows& asked);

}  // namespace callready::reach
