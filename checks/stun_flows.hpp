// How many of several STUN requests are answered: a question of the second round.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

// Sends twenty Binding requests, each once and 40 ms after the one before, over UDP: from one port
// (`flows` is "one"), or each from a port of its own ("new"). A lossy line drops some of both; a
// limit on new flows lets established ones through, so from one port only requests from the first
// answered one on count. Evidence "udp_sample": `sent`, `answered`. Outcomes: `answered` if any
// was, otherwise `silent`.
asio::awaitable<Observation> count_stun_answers(Context& context, Job job);

}  // namespace callready::checks
