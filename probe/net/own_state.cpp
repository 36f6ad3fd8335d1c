#include "probe/net/own_state.hpp"

#include "probe/platform/route.hpp"

namespace callready {

OwnState own_state(const IpAddress& remote, const std::string& interface) {
  OwnState state;
  const auto way = interface.empty() ? platform::way_to(remote) : std::nullopt;
  const auto name = way ? way->interface_name : interface;
  if (!name.empty()) state.wifi = platform::wifi_link(name);
  state.time = platform::processor_time();
  return state;
}

std::optional<double> busy_percent(const OwnState& before, const OwnState& after) {
  if (!before.time || !after.time) return std::nullopt;
  const double all = after.time->all - before.time->all;
  if (all <= 0) return std::nullopt;
  return 100 * (after.time->busy - before.time->busy) / all;
}

}  // namespace callready
