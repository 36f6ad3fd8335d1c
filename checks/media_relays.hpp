// A call-like stream between two relays of a TURN server: it needs no server of ours, and still
// shows the direction of loss.
#pragma once

#include "checks/check.hpp"
#include "checks/media_parts.hpp"

namespace callready::checks {

// Relay A is allocated over TCP or TLS (parameter `turn`), relay B over UDP (the probe's target).
// Three streams at once, each as long and as dense as the wish says:
//   from A to B: up over TCP, which loses nothing, down over UDP: what is missing was lost down;
//   from B to A: what is missing was lost up;
//   from B to B, through its own relay, if the server permits that: UDP both ways, and so delay,
//   jitter and DSCP of the round trip. The other two report no times: where TCP repairs a loss,
//   later packets wait.
// `answered` with "streamed" or "unfit"; `skipped` with "no_turn_login" or "no_relays" (evidence
// relay_to_relay says why); `failed` with "relay_dead" where one of the first two carries nothing.
asio::awaitable<void> stream_between_relays(Context& context, Job job, StreamWish wish,
                                            Observation& observation);

}  // namespace callready::checks
