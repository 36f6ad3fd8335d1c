// What the worlds would say of each cause: who is to act, which rows fail by it, and what shows it.
#pragma once

#include "tests/worlds/explain.hpp"

namespace callready::reach {

struct CauseEvidence {
  std::string probe;  // id
  std::string text;
  Bits gain = 0;  // so much dearer without that cause
};

struct ToldCause : Cause {
  Owner owner = Owner::network;
  std::string text;                     // of its boxes in its world
  std::vector<std::string> explains;    // "set/row", what fails by it in its world
  std::vector<CauseEvidence> evidence;  // the strongest first
};

// An observation that the best world leaves over.
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

Told tell(const Diagnosis& drawn, const AskedRows& asked);

}  // namespace callready::reach
