// The next question: the packet whose fate divides the worlds that are left best.
#pragma once

#include "probe/diagnosis/reach/asked.hpp"

namespace callready::reach {

// What one would see of a packet of that fate, in words.
std::string_view answer_to(Fate fate, const Packet& packet);

// How probable each of the likeliest of these worlds is among them, best first.
std::vector<double> of_the_likeliest(const std::vector<World>& worlds);

// Of these packets, by their numbers, those whose fates divide the worlds best, one after another:
// what each brings beside those before it and the first `sent`, which are sent anyway. At most
// `most`, and none that brings next to nothing.
std::vector<std::size_t> most_telling(const std::vector<Packet>& packets, std::size_t sent,
                                      const Boxes& boxes, const std::vector<World>& worlds,
                                      std::size_t most);

}  // namespace callready::reach
