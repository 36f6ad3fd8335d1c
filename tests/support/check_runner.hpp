// Runs one check against one endpoint as the program would, without plan and runner.
#pragma once

#include <algorithm>

#include "checks/check.hpp"
#include "tests/support/loop.hpp"

namespace callready::test {

class CheckRunner {
 public:
  Loop loop;
  checks::Settings settings;

  explicit CheckRunner(const std::vector<std::string>& ca_files = {}, Time time = Time::real)
      : loop(time) {
    tls_ = *TlsContext::create(ca_files);
    AresOptions options;
    channel_ = *AresChannel::create(loop.executor(), options);
    resolver_.emplace(loop.executor(), channel_);
  }

  // `host` appears in SNI and headers; the packets go to `address`.
  Observation run(const std::string& kind, Transport transport, const std::string& host,
                  const SocketAddress& address, std::map<std::string, std::string> with = {}) {
    Probe probe;
    probe.check = kind;
    probe.target.host = host;
    probe.target.ports = {address.port, address.port};
    probe.target.transport = transport;
    probe.with = std::move(with);
    return run(probe, address.address);
  }

  Observation run(Probe probe, std::optional<IpAddress> address) {
    probe.id = probe_id(probe);
    SiteEdge edge(loop.executor());
    checks::Context context{loop.executor(), loop.scope, loop.soon(milliseconds(20'000)),
                            *resolver_,      *tls_,      edge,
                            settings};
    const auto* check = checks::find(probe.check);
    if (check == nullptr) throw std::runtime_error("no check " + probe.check);
    checks::Job job{probe, address};
    return loop.run(check->run(context, job));
  }

  // The same check against several endpoints at once; observations in their order.
  std::vector<Observation> run_all(const std::string& kind, Transport transport,
                                   const std::string& host,
                                   const std::vector<SocketAddress>& addresses) {
    SiteEdge edge(loop.executor());
    checks::Context context{loop.executor(), loop.scope, loop.soon(milliseconds(20'000)),
                            *resolver_,      *tls_,      edge,
                            settings};
    const auto* check = checks::find(kind);
    if (check == nullptr) throw std::runtime_error("no check " + kind);
    std::vector<Probe> probes;
    for (const auto& address : addresses) {
      Probe probe;
      probe.check = kind;
      probe.target.host = host;
      probe.target.ports = {address.port, address.port};
      probe.target.transport = transport;
      probe.id = probe_id(probe);
      probes.push_back(std::move(probe));
    }
    std::vector<std::optional<Observation>> slots(addresses.size());
    for (std::size_t i = 1; i < probes.size(); ++i) {
      asio::co_spawn(loop.context, check->run(context, {probes[i], addresses[i].address}),
                     [&, i](std::exception_ptr, Observation seen) { slots[i] = std::move(seen); });
    }
    slots[0] = loop.run(check->run(context, {probes[0], addresses[0].address}));
    const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const auto missing = [&] {
      return std::any_of(slots.begin(), slots.end(), [](const auto& slot) { return !slot; });
    };
    while (missing()) {
      if (loop.context.run_one_until(bound) == 0) throw std::runtime_error("a check did not end");
    }
    std::vector<Observation> seen;
    for (auto& slot : slots) seen.push_back(std::move(*slot));
    return seen;
  }

  TlsContext& tls() { return *tls_; }
  // Where DNS questions of the check go, instead of the system's servers.
  void use_dns_servers(const std::vector<std::string>& servers) {
    AresOptions options;
    options.servers = servers;
    options.use_hosts_file = false;
    channel_ = *AresChannel::create(loop.executor(), options);
    resolver_.emplace(loop.executor(), channel_);
  }

 private:
  std::unique_ptr<TlsContext> tls_;
  std::shared_ptr<AresChannel> channel_;
  std::optional<Resolver> resolver_;
};

}  // namespace callready::test
