// The causes of the worlds that are left, and what no world explains.
#pragma once

#include "probe/diagnosis/reach/asked.hpp"
#include "probe/diagnosis/reach/search.hpp"

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

struct Explained {
  std::vector<Cause> causes;             // the surest first; below is_worth_saying none
  std::vector<std::size_t> unexplained;  // events that the best world leaves over
};

struct Diagnosis {
  Sight sight;
  Boxes boxes;
  Asked asked;
  bool beside_proxy = false;  // a proxy speaks
  std::vector<World> worlds;  // best first
  Explained explained;
  std::size_t looked_at = 0;

  // What is said of a box.
  Code code_of(const Box& box) const;
};

// `drawn`: complete but for `explained`.
Explained explain(const Diagnosis& drawn);

}  // namespace callready::reach
