// One OPTIONS and its reply, over UDP or a stream, and the evidence of it; shared by `sip` and
// `sip-alg`.
#pragma once

#include "checks/check.hpp"
#include "probe/net/sip.hpp"
#include "probe/net/stream.hpp"
#include "probe/net/udp.hpp"

namespace callready::checks {

// The OPTIONS that goes to a job's server from `local`: the Request-URI names the parameter
// `domain` where it is given, and otherwise the host, with the port where it is not the default.
sip::Options sip_options(const Context& context, const Job& job, const SocketAddress& local);

// True once one more packet may go to that server (Context::sip_manners); false: the run is over.
asio::awaitable<bool> sip_allowed(Context& context, SocketAddress server, Transport transport);

// Writes over the stream and reads until the final reply. `framer` keeps leftover bytes for the
// next message on the same stream. Returns the failure that ended it, if no final reply did.
asio::awaitable<std::optional<Failure>> exchange_over_stream(Stream& stream, Scope scope,
                                                             std::span<const std::uint8_t> request,
                                                             sip::Framer& framer,
                                                             sip::Collector& collector,
                                                             Instant deadline);
// Its second half: reads the reply to a request that was written.
asio::awaitable<std::optional<Failure>> read_reply(Stream& stream, Scope scope, sip::Framer& framer,
                                                   sip::Collector& collector, Instant deadline);

// The outcome and detail, from what came back and the failure that ended the wait; `connected` is
// whether a connection stood. See sip.cpp for what each means.
void conclude_sip(Observation& observation, const sip::Collector& collector,
                  const std::optional<Failure>& failure, bool connected);

// Evidence `sip_reply`: status line, Server, Allow; and `sip_via`: what the reply's topmost Via
// says about address translation and rewriting. No identities.
void add_sip_reply(Observation& observation, const sip::Reply& reply);
void add_sip_via(Observation& observation, const sip::Reply& reply, const sip::Options& sent,
                 const SocketAddress& local);
// Evidence `sip_discarded`: what came that was not a reply to our request, if anything did.
void add_sip_discarded(Observation& observation, const sip::Collector& collector);

// What a topmost Via says, compared with what was sent, and from where. Absent: it does not say.
struct ViaReading {
  bool rewritten = false;                // transport or sent-by came back changed
  std::optional<SocketAddress> seen_as;  // `received` and `rport`; port 0 where there is no rport
  std::optional<bool> translated;        // seen_as is not the local address
};
std::string seen_as_text(const SocketAddress& seen);  // without the port where it is 0
std::string sent_by(const sip::Options& sent);        // as in its Via
ViaReading read_via(const sip::Via& came, const sip::Options& sent, const SocketAddress& local);

}  // namespace callready::checks
