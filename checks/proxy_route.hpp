// The way through an HTTP proxy (RFC 9110 section 9.3.6): finding it, logging in, and what its
// answers mean as an observation.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

struct ProxyRoute {
  std::string url;  // with its port, without credentials
  ProxyEndpoint endpoint;
  IpAddress address;
};

// The proxy of the job's route, resolved. If nothing, the observation says why: `skipped` with
// "bad_proxy" if its URL cannot be used, otherwise the outcome of resolving its name, with
// "proxy_unresolved".
asio::awaitable<std::optional<ProxyRoute>> find_proxy(Context& context, Job job,
                                                      Observation& observation);

// A request to `url` through the proxy, without login.
HttpRequest request_through(const Context& context, const ProxyRoute& route, std::string url);

using ProxyAttempt = std::function<asio::awaitable<HttpReply>(HttpRequest, Instant deadline)>;

// Makes the request as it is and, after a 407, with the login that the user gave for the proxy: one
// scheme after another of those that the proxy offers, the strongest first (Negotiate, if the
// system has a login, NTLM, Digest, Basic). What works is kept for the run, and what fails is not
// tried again. Takes at most timeouts::proxy_total.
asio::awaitable<HttpReply> with_login(Context& context, const ProxyRoute& route,
                                      HttpRequest request, const ProxyAttempt& attempt);

// Records what the proxy said, and returns true if it let the request pass. Otherwise the outcome
// is: that of the failed connection, with "proxy_unreachable", or with this computer's own reason
// ("kept_here"); `denied` with "407", "403" or another 4xx; `failed` with its 5xx,
// "proxy_timed_out", "proxy_without_tls", "not_a_proxy" or "closed_by_peer".
bool proxy_let_pass(Observation& observation, const Context& context, const ProxyRoute& route,
                    const HttpReply& reply);

// A tunnel to the job's target. If null, the observation (and `failure`) say why.
asio::awaitable<std::unique_ptr<Stream>> open_tunnel(Context& context, Job job,
                                                     Observation& observation,
                                                     std::optional<Failure>& failure);

}  // namespace callready::checks
