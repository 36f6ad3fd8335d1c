#include "probe/platform/trust.hpp"

namespace callready::platform {

std::vector<std::string> system_authorities() { return {}; }

}  // namespace callready::platform
