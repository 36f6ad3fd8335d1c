// tcp: the TCP handshake and nothing more (RFC 9293 section 3.5).
//
// Sends a SYN; on success closes at once. Outcomes: `connected`; `refused` where the answer was a
// RST or an ICMP port-unreachable from the target; `rejected` where a device on the way sent an
// ICMP error, or refused in the target's name ("refused_on_the_way": evidence "refuser", which says
// who refused as far as it can be known, see refuser.hpp); `silent` where nothing came back within
// timeouts::tcp_connect.
#include "checks/dial.hpp"
#include "checks/kinds.hpp"

namespace callready::checks {

asio::awaitable<Observation> run_tcp(Context& context, Job job) {
  Observation observation;
  DialOptions options;
  const auto dialled = co_await dial(context, job, options, observation);
  if (dialled.stream) observation.detail = DetailCode::connected;
  co_return observation;
}

}  // namespace callready::checks
