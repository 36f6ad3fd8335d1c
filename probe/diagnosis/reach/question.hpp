// The next question: the packet whose fate divides the worlds that are left best.
#pragma once

#include "probe/diagnosis/reach/asked.hpp"

namespace callready::reach {

struct Question {
  PacketFlow flow;
  bool as_far_as_the_last_router = false;
  double gain = 0;  // bits that its answer brings, on average
  // What may become of it, and how probable that is.
  std::vector<std::pair<std::string, double>> answers;
};

// Nothing where all worlds say next to the same of all that could be asked of hosts that are known.
std::optional<Question> next_question(const Report& report, const Sight& sight, const Boxes& boxes,
                                      const std::vector<World>& worlds);

// Of these packets, by their numbers, those whose fates divide the worlds best, one after another:
// what each brings beside those before it and the first `sent`, which are sent anyway. At most
// `most`, and none that brings next to nothing.
std::vector<std::size_t> most_telling(const std::vector<Packet>& packets, std::size_t sent,
                                      const Boxes& boxes, const std::vector<World>& worlds,
                                      std::size_t most);

std::string in_words(const Question& question);

}  // namespace callready::reach
