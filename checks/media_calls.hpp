// Many calls at once against one STAMP reflector.
#pragma once

#include "checks/check.hpp"
#include "probe/model/media.hpp"

namespace callready::checks {

struct CallLoad {
  int calls = 0;          // wanted
  std::size_t bytes = 0;  // of a packet, UDP payload
  std::vector<std::uint8_t> key;
  double lost_up = 0, lost_down = 0;  // what one call loses at most, in percent
};

// In steps (media/call_steps.hpp), with the packets of all calls evenly spaced; a step that hurts
// others ends within a third of a second. Calls that the far end has no room for are not tried. The
// sessions there are released. Nothing if the far end does not count what it receives, or if there
// is no time for one step.
asio::awaitable<std::optional<CallCapacity>> carry_calls(Context& context, Job job, CallLoad load);

}  // namespace callready::checks
