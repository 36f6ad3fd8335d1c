// What the checks over STUN share: reaching the server over the probe's transport, and recording
// what it says.
#pragma once

#include "checks/dial.hpp"
#include "probe/net/stun_channel.hpp"

namespace callready::checks {

struct StunDialled {
  std::unique_ptr<StunChannel> channel;  // null: failed, and the observation says how
  TlsInfo tls;
};

// Opens a socket (UDP), or connects (TCP, TLS: dial.hpp). Sets address, local, sent_at and, over
// streams, all that dial() sets; with TLS also the evidence of the certificates.
asio::awaitable<StunDialled> dial_stun(Context& context, Job job, Observation& observation);

// An exchange without an answer. As record() (probe/net/failure.hpp), but: anything else from the
// server makes it `failed`, with the reply's reason as detail; silence on an established connection
// is `failed` with "stun_timed_out".
void record_no_answer(Observation& observation, const StunChannel& channel, const Failure& failure);

// Evidence "stun_stray", one for each unexpected reply.
void add_stray_evidence(Observation& observation, const StunChannel& channel);

// Evidence "stun_reply": class, code and reason, SOFTWARE; and "mapped_address", where there is
// one.
void add_reply_evidence(Observation& observation, const StunAnswer& answer);
// The latter alone.
void add_mapped_address(Observation& observation, const stun::Message& message);

}  // namespace callready::checks
