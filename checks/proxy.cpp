// proxy: CONNECT to the target through the route's HTTP proxy (RFC 9110 section 9.3.6).
//
// Sends CONNECT without a login; if the proxy wants one and offers schemes that we have
// credentials for, once more with each (proxy_route.hpp), and closes. Outcomes: `answered` with the
// status where the tunnel stands; `denied` with "407" (its schemes are in the evidence), "403" or
// another 4xx; `failed` with a 5xx (the proxy itself does not reach the target), "not_a_proxy",
// "proxy_timed_out" or "closed_by_peer"; where there is no connection to the proxy, the outcome of
// that connection with "proxy_unreachable", "proxy_unresolved" or "kept_here"; `skipped` with
// "no_proxy" on a direct route. Whether the tunnel carries anything is left to `tls` and the other
// checks over the same route.
#include "checks/kinds.hpp"
#include "checks/proxy_route.hpp"

namespace callready::checks {

asio::awaitable<Observation> run_proxy(Context& context, Job job) {
  Observation observation;
  if (job.probe.target.route.direct()) {
    observation.detail = DetailCode::no_proxy;
    co_return observation;
  }
  observation.sent_at = context.scope.clock.wall_now();
  observation.attempts = 1;
  std::optional<Failure> failure;
  const auto stream = co_await open_tunnel(context, job, observation, failure);
  if (stream) set_outcome(observation, Outcome::answered, Detail::status(200));
  co_return observation;
}

}  // namespace callready::checks
