// The next question: the packet whose fate best divides the worlds that are left.
#pragma once

#include "probe/diagnosis/reach/asked.hpp"

namespace callready::reach {

// What would be seen of a packet with that fate, in words.
std::string_view answer_to(Fate fate, const Packet& packet);

// How probable each of the likeliest of these worlds is among them, best first.
std::vector<double> of_the_likeliest(const std::vector<World>& worlds);

// The numbers of those packets whose fates best divide the worlds, chosen one after another by what
// each adds to those before it and to the first `sent`, which are sent anyway. At most `most`, and
// none that adds next to nothing.
std::vector<std::size_t> most_telling(const std::vector<Packet>& packets, std::size_t sent,
                                      const Boxes& boxes, const std::vector<World>& worlds,
                                      std::size_t most);

}  // namespace callready::reach
