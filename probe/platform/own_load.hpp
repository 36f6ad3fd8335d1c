// How this computer fares: its processors, and the Wi-Fi that it has joined. Nothing is sent, and
// no scan is asked for: scanning itself loses packets.
#pragma once

#include <optional>
#include <string>

#include "probe/model/media.hpp"

namespace callready::platform {

// Of all processors since this computer started, in the system's own unit.
struct ProcessorTime {
  double busy = 0, all = 0;
};
std::optional<ProcessorTime> processor_time();

// The link of that interface as it is; nothing if it is not Wi-Fi, or the system does not say.
// `table`: where Linux lists them, for tests; empty: the system's own place.
std::optional<WifiLink> wifi_link(const std::string& interface_name, const std::string& table = {});

}  // namespace callready::platform
