// Words: the causes of the worlds that are left, what shows each, and what no world explains.
#pragma once

#include "probe/diagnosis/reach/asked.hpp"
#include "probe/diagnosis/reach/search.hpp"

namespace callready::reach {

struct CauseEvidence {
  std::string probe;  // id
  std::string text;
  Bits gain = 0;  // so much dearer without that cause
};

struct Cause {
  Code code = Code::none;
  double probability = 0;
  double sure = 0;       // of that, where more than silence shows it
  bool in_best = false;  // the best world has it
  Owner owner = Owner::network;

  std::size_t world = 0;                // the likeliest that has it
  std::string text;                     // of that world
  std::vector<std::string> explains;    // "set/row", what fails by it there
  std::vector<CauseEvidence> evidence;  // the strongest first
  std::vector<std::string> lost;        // probes that are dearer without it, the dearest first

  // Else it is said with a runner-up ("it could also be").
  bool is_said() const { return in_best || probability >= 0.5; }
};

// An observation that the best world leaves over.
struct Leftover {
  std::string probe;  // id
  std::string text;
  Bits cost = 0;
};

struct Explained {
  std::vector<Cause> causes;  // the surest first; below is_worth_saying none
  std::vector<Leftover> unexplained;
  // The runner-up: the best world with other codes than the best one, if there is any.
  std::optional<std::size_t> runner_up;
};

Explained explain(const Sight& sight, const Boxes& boxes, const std::vector<World>& worlds,
                  const Asked& asked);

// "nothing wrong", "UDP from 10000 up: dropped + STUN over UDP on any port: dropped".
std::string in_words(const World& world, const Boxes& boxes);
// "UDP 5060 SIP to sbc.example, as far as the last router: dropped".
std::string in_words(const FlowEvent& event);

}  // namespace callready::reach
