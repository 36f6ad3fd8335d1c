#include "probe/platform/own_load.hpp"

namespace callready::platform {

// CoreWLAN is a framework without headers outside macOS.
std::optional<ProcessorTime> processor_time() { return std::nullopt; }
std::optional<WifiLink> wifi_link(const std::string&, const std::string&) { return std::nullopt; }

}  // namespace callready::platform
