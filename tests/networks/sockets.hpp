// The program's sockets over a network in memory, and its clock: what is sent meets the network's
// boxes, and what comes back does so when it would. Checks run over these.
#pragma once

#include "probe/net/resolver.hpp"
#include "probe/net/sockets.hpp"
#include "tests/networks/observe.hpp"
#include "tests/support/manual_clock.hpp"

namespace callready::networks {

class MemorySockets final : public SocketSource {
 public:
  MemorySockets(const networks::Network& network, const Internet& internet,
                asio::any_io_executor executor, test::ManualClock& clock);

  Result<std::unique_ptr<DatagramCarrier>> open_udp(const SocketAddress& remote,
                                                    const UdpOptions& options) override;
  asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(Scope scope, SocketAddress remote,
                                                                  ConnectOptions options) override;

  // What checks see that are not made of datagrams (observe.hpp).
  Observer& observer() { return observer_; }
  // Since the run began.
  double now_ms() const { return elapsed(start_, clock_.now()).count(); }
  Instant at(double ms) const {
    return start_ + std::chrono::duration_cast<Instant::duration>(Milliseconds(ms));
  }

 private:
  class Carrier;
  // The server's own, as it gets here; empty: it says nothing.
  std::vector<std::uint8_t> answer(const Packet& packet, std::span<const std::uint8_t> bytes) const;
  bool has_route(const SocketAddress& remote) const;
  std::uint16_t new_port(const SocketAddress& remote);

  asio::any_io_executor executor_;
  test::ManualClock& clock_;
  Instant start_;
  Observer observer_;
  std::set<std::uint16_t> ports_;
  std::map<SocketAddress, unsigned> opened_;  // sockets so far
};

MemorySockets& memory_of(const asio::any_io_executor& executor);

// Names as the network's resolver has them; each is asked for once.
class MemoryResolver final : public Resolver {
 public:
  MemoryResolver(const asio::any_io_executor& executor, std::shared_ptr<AresChannel> channel)
      : Resolver(executor, std::move(channel)), executor_(executor) {}
  asio::awaitable<Resolution> resolve(std::string name, Family family, Scope scope) override;

 private:
  struct Entry {
    Resolution resolution;
    Instant known;
  };
  asio::any_io_executor executor_;
  std::map<std::string, Entry> entries_;
};

// Of a run in memory: as they are, or what they would see (observe.hpp).
std::span<const checks::Check> checks_in_memory();

}  // namespace callready::networks
