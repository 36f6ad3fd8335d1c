// What a WebRTC call showed, as evidence and figures.
#pragma once

#include "checks/check.hpp"
#include "probe/webrtc/ice_call.hpp"
#include "probe/webrtc/whip_client.hpp"

namespace callready::checks {

void add_call_candidates(Observation& observation, const webrtc::Gathered& gathered);

// Where the far end says that it can be reached.
void add_call_answer(Observation& observation, const std::vector<webrtc::Candidate>& candidates);

// What the far end says at the end that it received. Returns how many packets of media.
std::optional<int> add_call_arrived(Observation& observation, const webrtc::WhipReply& reply);

// How many of our DTLS greetings' datagrams it says it received; an older far end does not say.
void add_greetings(Observation& observation, const webrtc::CallSeen& seen,
                   const webrtc::WhipReply& reply);

// The stream of an answered call that was long enough for its media to be measured.
// `arrived`: how many of its packets reached the far end; nothing: it did not say.
MediaStream call_stream_of(const webrtc::CallSeen& seen, const std::optional<int>& arrived);

// Sets outcome, detail and evidence. `relay`: the transport to the relay, if there is one.
void conclude_call(Observation& observation, const webrtc::CallSeen& seen,
                   std::optional<Transport> relay);

}  // namespace callready::checks
