// Many calls at once against one STAMP reflector.
#pragma once

#include "checks/check.hpp"
#include "probe/model/media.hpp"

namespace callready::checks {

struct CallLoad {
  int calls = 0;          // in the last step
  std::size_t bytes = 0;  // of a packet, UDP payload
  std::vector<std::uint8_t> key;
};

// In steps (media/call_steps.hpp) of timeouts::call_step, the packets of all calls evenly apart;
// ends where a step does not pass, within a second where it hurts others. Nothing where the far end
// does not count what it gets, or where the run has too little time left.
asio::awaitable<std::optional<CallCapacity>> carry_calls(Context& context, Job job, CallLoad load);

}  // namespace callready::checks
