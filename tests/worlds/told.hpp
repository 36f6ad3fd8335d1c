// What the worlds would say of each cause: who must act, which rows it makes fail, what shows it.
#pragma once

#include "tests/worlds/explain.hpp"

namespace callready::reach {

struct CauseEvidence {
  std::string probe;  // id
  std::string text;
  Bits gain = 0;  // how much more it costs without that cause
};

struct ToldCause : Cause {
  Owner owner = Owner::network;
  std::string text;                     // describes its boxes in its world
  std::vector<std::string> explains;    // "set/row", what it makes fail in its world
  std::vector<CauseEvidence> evidence;  // the strongest first
};

// An observation that the best world leaves unexplained.
struct Leftover {
  std::string probe;  // id
  std::string text;
};

struct Told {
  std::vector<ToldCause> causes;  // the surest first
  std::vector<Leftover> unexplained;
  // The runner-up: the best world with other codes than the best one, if there is any.
  std::optional<std::size_t> runner_up;
};

Told tell(const Drawn& drawn, const AskedRows& asked);

}  // namespace callready::reach
