// Networks by chance, and the smallest one that still shows what a larger one does.
#pragma once

#include <functional>

#include "tests/networks/run.hpp"

namespace callready::networks {

// The same number gives the same network.
networks::Network draw(std::uint64_t number);

// `still` is asked of smaller and smaller networks; the smallest that it holds of.
networks::Network shrink(networks::Network network,
                         const std::function<bool(const networks::Network&)>& still);

}  // namespace callready::networks
