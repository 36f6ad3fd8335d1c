// Many calls at once against one STAMP reflector.
#pragma once

#include "checks/check.hpp"
#include "probe/model/media.hpp"

namespace callready::checks {

struct CallLoad {
  int calls = 0;          // that are wanted
  std::size_t bytes = 0;  // of a packet, UDP payload
  std::vector<std::uint8_t> key;
  double lost_up = 0, lost_down = 0;  // of one call at most, in percent
};

// In steps (media/call_steps.hpp), the packets of all calls evenly apart; a step ends within a
// third of a second where it hurts others. What the far end had no room for is not tried. Its
// sessions are given back. Nothing where the far end does not count what it gets, or where there is
// no time for one step.
asio::awaitable<std::optional<CallCapacity>> carry_calls(Context& context, Job job, CallLoad load);

}  // namespace callready::checks
