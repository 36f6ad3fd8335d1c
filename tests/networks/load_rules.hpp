#pragma once

#include "targets/load_rules.hpp"

namespace callready::networks {

LoadRules load_rules();

}  // namespace callready::networks
