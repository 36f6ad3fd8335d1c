// The checks of a run in memory.
#pragma once

#include "checks/check.hpp"

namespace callready::networks {

// The program's own over simulated sockets (sockets.hpp), or what they would see (observe.hpp).
std::span<const checks::Check> checks_in_memory();

}  // namespace callready::networks
