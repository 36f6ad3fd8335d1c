// The program's sockets over a network in memory, and its clock: what is sent meets the network's
// boxes, and replies arrive when they would. Checks run over these.
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

  // For checks that do not use datagrams (observe.hpp).
  Observer& observer() { return observer_; }
  // Since the run began.
  double now_ms() const { return elapsed(start_, clock_.now()).count(); }
  Instant at(double ms) const {
    return start_ + std::chrono::duration_cast<Instant::duration>(Milliseconds(ms));
  }

 private:
  class Carrier;
  // The server's reply as it arrives here; empty: it does not reply.
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

// Resolves names as the network's resolver does; each is asked for once.
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

// The checks of a run in memory: the real ones, or models of them (observe.hpp).
std::span<const checks::Check> checks_in_memory();

}  // namespace callready::networks
