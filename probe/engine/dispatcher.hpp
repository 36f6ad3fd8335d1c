// Makes a probe: finds its check and the address to try, waits until the manners allow the request,
// and runs the check.
#pragma once

#include "checks/check.hpp"
#include "probe/engine/keyed_semaphore.hpp"
#include "probe/engine/pacer.hpp"
#include "probe/engine/probe_scheduler.hpp"
#include "probe/engine/runner.hpp"

namespace callready {

class Dispatcher {
 public:
  // All of it outlives the dispatcher; `scheduler` is told when a probe's first packet may go.
  Dispatcher(checks::Context& context, const RunnerOptions& options,
             std::span<const checks::Check> table, Pacer& pacer, ProbeScheduler& scheduler);

  // What the probe saw, at one address of its host: the first IPv4 one (the second one, where the
  // probe asks for another) if both families may be used, an IPv6 one if there is none, or no way
  // to it. An IPv4 address without a way to it is tried through NAT64 (RFC 8305 section 7.1).
  asio::awaitable<Observation> make(std::size_t index);

  // Asks for the address of the probe's host, so that it is known when the probe begins. Nothing
  // where there is none, or the run is stopped.
  asio::awaitable<std::optional<IpAddress>> look_up(std::size_t index);

  // Waits until that server may be sent one more SIP message; false where the run is stopped.
  asio::awaitable<bool> sip_paced(SocketAddress server, Transport transport);

  // How many probes the pacer holds back now, apart from SIP's.
  int held() const { return held_; }

 private:
  asio::awaitable<Observation> attempt(const checks::Check& check, std::size_t index,
                                       Family family);
  // For a name that does not exist: whether it does with one of this computer's search domains.
  asio::awaitable<void> complete(std::string name, Family family, Observation& observation);
  asio::awaitable<std::optional<IpAddress>> through_nat64(IpAddress v4);
  asio::awaitable<Observation> admitted(const checks::Check& check, checks::Job job,
                                        std::size_t index);
  enum class Pass { go, stopped, no_room };
  asio::awaitable<Pass> paced(Pacer::PacedRequest request, bool may_be_left_out);
  // Waits until the budget has room; no_room: it has none for the rest of the run.
  asio::awaitable<Pass> within_budget(const checks::Job& job);
  asio::awaitable<Pass> may_look_up(std::string name);

  checks::Context& context_;
  const RunnerOptions& options_;
  std::span<const checks::Check> table_;
  Pacer& pacer_;
  RequestBudget budget_;
  std::set<std::string> names_;      // that were asked for
  std::set<std::string> completed_;  // of these, what was also asked for with a search domain
  ProbeScheduler& scheduler_;
  KeyedSemaphore semaphore_;
  std::map<IpAddress, int> sip_waiting_;  // datagrams, by server
  int held_ = 0;
};

}  // namespace callready
