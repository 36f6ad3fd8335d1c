// What a WebRTC call showed, as evidence and figures.
#pragma once

#include "checks/check.hpp"
#include "checks/whip_client.hpp"
#include "probe/webrtc/ice_call.hpp"

namespace callready::checks {

void add_call_candidates(Observation& observation, const webrtc::Gathered& gathered);

// Where the far end says that it can be reached.
void add_call_answer(Observation& observation, const std::vector<webrtc::Candidate>& candidates);

// What it says at the end that it got. Returns how many packets of media.
std::optional<int> add_call_arrived(Observation& observation, const WhipReply& reply);

// How many of its later greetings it says that came, by their datagrams; an older one says nothing.
void add_greetings(Observation& observation, const webrtc::CallSeen& seen, const WhipReply& reply);

// Of a call that was made long enough for its media to be measured, and that was answered.
// `arrived`: of its packets, at the far end; nothing: it did not say.
MediaStream call_stream_of(const webrtc::CallSeen& seen, const std::optional<int>& arrived);

// Outcome, detail and evidence. `relay`: by what transport the relay is reached, where there is
// one.
void conclude_call(Observation& observation, const webrtc::CallSeen& seen,
                   std::optional<Transport> relay);

}  // namespace callready::checks
