// How many of several STUN requests are answered: a question of the second round.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

// Sends twenty Binding requests, each once and 40 ms after the one before, over UDP: from one port
// (`flows` is "one"), or each from a port of its own ("new"). What a line loses, it loses of both;
// a limit on new flows lets through what belongs to a flow that stands: of one port those count
// from the first answered on. Evidence "udp_sample": `sent`, `answered`. Outcomes: `answered` where
// any was, else `silent`.
asio::awaitable<Observation> count_stun_answers(Context& context, Job job);

}  // namespace callready::checks
