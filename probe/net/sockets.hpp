// Where the sockets of an event loop come from: the system, or a network in memory that a test has
// put in its place (tests/networks), so that checks run there as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "probe/net/address.hpp"
#include "probe/net/stream.hpp"

namespace callready {

struct Datagram {
  std::vector<std::uint8_t> bytes;
  SocketAddress from;
  Instant arrived;  // at this computer, as its system noted it, however late it was read
  // From its IP header, if that was asked for; and how many datagrams before it had no room in the
  // socket.
  std::optional<int> traffic_class, ttl;
  std::optional<std::uint32_t> dropped;
  // Of a socket that is bound to all addresses of this computer: the one that it came to.
  std::optional<IpAddress> to;
};

using UdpEvent = std::variant<Datagram, IcmpError>;

struct UdpOptions {
  bool connect = true;     // hear only the remote; false: anybody, for NAT tests
  std::string interface;   // by name; empty: the system's choice
  int ttl = 0;             // 0: the system's default
  bool fragments = false;  // what is too long for one packet may be fragmented, also on the way
  bool whole = false;      // the opposite: what is too long for one packet is not sent at all
  bool headers = false;    // note what the IP headers of datagrams say, and which had no room
  int room = 0;  // bytes for datagrams that wait, as far as the system allows; 0: its default
  // For a server: the address and port to bind to; nothing is connected then.
  std::optional<SocketAddress> bind;
};

// What a UdpSocket (udp.hpp) needs from whatever carries its packets.
class DatagramCarrier {
 public:
  virtual ~DatagramCarrier() = default;
  // To the remote where connected, otherwise to `to`.
  virtual error_code send(std::span<const std::uint8_t> bytes, const SocketAddress& to) = 0;
  // From that address of this computer, which a datagram came to.
  virtual error_code send_from(const IpAddress&, std::span<const std::uint8_t> bytes,
                               const SocketAddress& to) {
    return send(bytes, to);
  }
  virtual void set_ttl(int ttl) = 0;  // 0: the system's default
  virtual bool set_traffic_class(int traffic_class) = 0;
  virtual int path_mtu() const = 0;  // bytes; 0: not known
  // What has come by now, ICMP errors before datagrams. Nothing: none has, or `failure` says why
  // (its text is empty if all is well).
  virtual std::optional<UdpEvent> take(const Clock& clock, Failure& failure) = 0;
  // Calls once, on the event loop, when there may be something to take, or after cancel().
  virtual void when_readable(std::function<void()> callback) = 0;
  virtual void cancel() = 0;
  virtual SocketAddress local() const = 0;
};

// The system's own.
Result<std::unique_ptr<DatagramCarrier>> open_by_system(const asio::any_io_executor& executor,
                                                        const SocketAddress& remote,
                                                        const UdpOptions& options);

class SocketSource {
 public:
  virtual ~SocketSource() = default;
  virtual Result<std::unique_ptr<DatagramCarrier>> open_udp(const SocketAddress& remote,
                                                            const UdpOptions& options) = 0;
  // As connect_tcp().
  virtual asio::awaitable<Result<std::unique_ptr<TcpStream>>> connect_tcp(
      Scope scope, SocketAddress remote, ConnectOptions options) = 0;
};

// The source of that event loop's sockets, if it is not the system; otherwise null.
SocketSource* source_in_memory(const asio::any_io_executor& executor);

// Opens them in `source` from now on, which has to outlive what is opened there.
void open_in_memory(const asio::any_io_executor& executor, SocketSource& source);

}  // namespace callready
