// Random networks, and their reduction to the smallest one that still shows the same problem.
#pragma once

#include <functional>

#include "tests/networks/run.hpp"

namespace callready::networks {

// The same number gives the same network.
networks::Network draw(std::uint64_t number);

// Tries smaller and smaller networks; returns the smallest for which `still` holds.
networks::Network shrink(networks::Network network,
                         const std::function<bool(const networks::Network&)>& still);

}  // namespace callready::networks
