// Boxes, worlds and events in words: for developers, in English only.
#pragma once

#include "probe/diagnosis/reach/diagnose.hpp"

namespace callready {

template <>
std::span<const Word<Seen>> words();
template <>
std::span<const Word<Sign>> words();

namespace reach {

// "UDP 10000-65535: dropped, beyond the routers that speak".
std::string in_words(const Box& box, const Sight& sight);
// "nothing wrong"; otherwise its boxes.
std::string in_words(const World& world, const Drawn& drawn);
// "UDP 5060 sip to sbc.example, as far as the last router: dropped".
std::string in_words(const FlowEvent& event);

}  // namespace reach
}  // namespace callready
