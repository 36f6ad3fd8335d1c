// Runs one check against one endpoint as the program would, without the plan and the runner.
#pragma once

#include "checks/check.hpp"
#include "probe/net/curl_loop.hpp"
#include "probe/net/together.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/said.hpp"

namespace callready::test {

class CheckRunner {
 public:
  Loop loop;
  checks::Settings settings;
  milliseconds run_time{20'000};  // until the run's deadline
  bool doubtful = false;          // nothing has come from the host before
  checks::SipManners sip_manners;

  explicit CheckRunner(const std::vector<std::string>& ca_files = {}, Time time = Time::real)
      : loop(time) {
    // Otherwise a thread would do this, and time that is moved by hand does not wait for threads.
    if (time == Time::by_hand) CurlLoop::prepare();
    settings.credentials.turn_hosts = {"localhost", "127.0.0.1"};
    tls_ = *TlsContext::create(ca_files);
    AresOptions options;
    channel_ = *AresChannel::create(loop.executor(), options);
    resolver_.emplace(loop.executor(), channel_);
  }

  // `host` appears in SNI and headers; the packets go to `address`.
  Observation run(CheckNamed kind, Transport transport, const std::string& host,
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
    checks::Context context{
        loop.executor(), loop.scope, loop.soon(run_time), *resolver_, *tls_, edge, settings};
    context.sip_manners = sip_manners;
    const auto* check = checks::find(probe.check);
    if (check == nullptr)
      throw std::runtime_error("no check " + std::string(to_string(probe.check)));
    checks::Job job{probe, address, doubtful};
    return loop.run(check->run(context, job));
  }

  // Several probes at once in one run. Without `address` they go through a proxy.
  std::vector<Observation> run_all(const std::vector<Probe>& probes,
                                   std::optional<IpAddress> address = std::nullopt) {
    SiteEdge edge(loop.executor());
    checks::Context context{
        loop.executor(), loop.scope, loop.soon(run_time), *resolver_, *tls_, edge, settings};
    std::vector<asio::awaitable<Observation>> work;
    for (const auto& probe : probes) {
      const auto* check = checks::find(probe.check);
      if (check == nullptr)
        throw std::runtime_error("no check " + std::string(to_string(probe.check)));
      work.push_back(check->run(context, checks::Job{probe, address}));
    }
    return loop.run(together(loop.executor(), std::move(work)));
  }

  TlsContext& tls() { return *tls_; }
  // Sends the check's DNS queries to these servers instead of the system's.
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
