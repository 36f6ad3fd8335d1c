// The entry points of all checks, for registry.cpp; each is described in its own .cpp.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

asio::awaitable<Observation> run_http(Context& context, Job job);
asio::awaitable<Observation> run_ice(Context& context, Job job);
asio::awaitable<Observation> run_hop(Context& context, Job job);
asio::awaitable<Observation> run_ipv6(Context& context, Job job);
asio::awaitable<Observation> run_media(Context& context, Job job);
asio::awaitable<Observation> run_ntp(Context& context, Job job);
asio::awaitable<Observation> run_nat(Context& context, Job job);
asio::awaitable<Observation> run_path(Context& context, Job job);
asio::awaitable<Observation> run_proxy(Context& context, Job job);
asio::awaitable<Observation> run_quic(Context& context, Job job);
asio::awaitable<Observation> run_sip(Context& context, Job job);
asio::awaitable<Observation> run_sip_alg(Context& context, Job job);
asio::awaitable<Observation> run_sip_long(Context& context, Job job);
asio::awaitable<Observation> run_stun(Context& context, Job job);
asio::awaitable<Observation> run_dns(Context& context, Job job);
asio::awaitable<Observation> run_tcp(Context& context, Job job);
asio::awaitable<Observation> run_tls(Context& context, Job job);
asio::awaitable<Observation> run_tls_hello(Context& context, Job job);
asio::awaitable<Observation> run_turn(Context& context, Job job);
asio::awaitable<Observation> run_udp_range(Context& context, Job job);

}  // namespace callready::checks
