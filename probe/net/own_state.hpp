// How this computer fares during a measurement: a weak Wi-Fi or a busy processor loses packets that
// the network did not.
#pragma once

#include <string>

#include "probe/model/media.hpp"
#include "probe/platform/own_load.hpp"

namespace callready {

struct OwnState {
  std::optional<WifiLink> wifi;  // of the interface that leads there
  std::optional<platform::ProcessorTime> time;
};

// `interface`: by name; empty: the system's choice. Sends nothing.
OwnState own_state(const IpAddress& remote, const std::string& interface);

// How busy the processors were between these two.
std::optional<double> busy_percent(const OwnState& before, const OwnState& after);

}  // namespace callready
