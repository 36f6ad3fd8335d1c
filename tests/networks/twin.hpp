// Two networks that look the same to every probe of a run, and of which different things are true:
// no diagnosis can tell them apart, and what it says of one it says of the other.
#pragma once

#include <functional>
#include <set>

#include "tests/networks/truth.hpp"

namespace callready::networks {

// True where a network without some of what breaks the capability (`by`, as Flow has it), and with
// no more faults, looks the same, and the capability may work there. `capability` as Truth has it.
bool looks_like_it_works(const networks::Network& network, const Report& report,
                         const std::string& capability, const std::set<std::string>& by);

// True where a network with fewer faults looks the same and `holds` is true of it: a diagnosis that
// names that one names the likelier one.
bool looks_like_a_simpler_one(const networks::Network& network, const Report& report,
                              const std::function<bool(const networks::Network&)>& holds);

}  // namespace callready::networks
