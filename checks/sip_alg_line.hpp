// One UDP socket or TCP connection to a SIP server, over which the SIP ALG test asks one thing
// after another.
#pragma once

#include "checks/sip_alg_judge.hpp"

namespace callready::checks {

struct AlgLine {
  std::optional<UdpSocket> socket;  // nothing: over TCP
  std::unique_ptr<Stream> stream;
  sip::Framer framer;  // of what comes over TCP

  // RFC 3261 section 17.1.2: only over UDP is a request sent again.
  bool repeats() const { return socket.has_value(); }
  SocketAddress local() const { return socket ? socket->local() : stream->local(); }
};

// To the job's server at that port, over the job's transport. Null where the observation (and
// `failure`) say why.
asio::awaitable<std::unique_ptr<AlgLine>> open_alg_line(Context& context, Job job,
                                                        std::uint16_t port,
                                                        Observation& observation,
                                                        std::optional<Failure>& failure);

// What may still be sent to one server, over all lines.
struct AlgBudget {
  int left = 0, sent = 0;
  Instant last_sent{};
};

// Sends the message up to `tries` times within the budget, no sooner than timeouts::sip_gap after
// the one before, until it is answered; a provisional reply will do: its Via says the same. Returns
// the failure that ended it, if no reply did.
asio::awaitable<std::optional<Failure>> ask_alg(Context& context, AlgLine& line, AlgBudget& budget,
                                                SocketAddress server, AlgMessage& message,
                                                int tries, sip::Collector& collector);

}  // namespace callready::checks
