// UDP sockets that also hear ICMP errors, and the request with retransmissions that STUN, SIP and
// NTP share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "probe/net/address.hpp"
#include "probe/net/guard.hpp"
#include "probe/net/timeouts.hpp"

namespace callready {

struct Datagram {
  std::vector<std::uint8_t> bytes;
  SocketAddress from;
  Instant arrived;  // at this computer, as its system noted it, however late it was read
  // Where that was asked for: of its IP header; and how many the socket had no room for before it.
  std::optional<int> traffic_class, ttl;
  std::optional<std::uint32_t> dropped;
};

using UdpEvent = std::variant<Datagram, IcmpError>;

class UdpSocket {
 public:
  struct Options {
    bool connect = true;     // hear only `remote`; false: anybody, for NAT tests
    std::string interface;   // by name; empty: the system's choice
    int ttl = 0;             // 0: the system's default
    bool fragments = false;  // what is too long for one packet may go in several, also on the way
    bool headers = false;    // note what the IP headers of datagrams say, and which had no room
    int room = 0;  // bytes of datagrams that wait, as far as the system lets; 0: its default
    // A server's: the address and port to be bound to; nothing is connected then.
    std::optional<SocketAddress> bind;
  };

  // A socket for `remote`, bound to a port of the kernel's choice.
  static Result<UdpSocket> open(const asio::any_io_executor& executor, const SocketAddress& remote,
                                const Options& options);

  // To the remote it was opened for, or to another one (not where connected).
  Result<void> send(std::span<const std::uint8_t> bytes);
  Result<void> send_to(std::span<const std::uint8_t> bytes, const SocketAddress& to);
  // Where send() and udp_request() go from now on (not where connected): one socket, many servers.
  void set_remote(const SocketAddress& remote) { remote_ = remote; }
  // From now on; 0: the system's default.
  void set_ttl(int ttl);
  // DSCP and ECN of what is sent from now on. False where the system does not let it.
  bool set_traffic_class(int traffic_class);

  // The next datagram or ICMP error; timed_out or stopped; local errors. Where the system does not
  // say whose "time exceeded" it is, an echo asks for the router: then it may take
  // timeouts::icmp_reply longer, and the error quotes nothing.
  asio::awaitable<Result<UdpEvent>> receive(Scope scope, Instant deadline);

  // The same in parts, for those that listen on many sockets and wait for all of them at once: what
  // has come by now, and a call on the event loop when there may be something, or after cancel().
  // The socket has to outlive the call.
  std::optional<Result<UdpEvent>> poll(const Clock& clock);
  void when_readable(std::function<void()> callback);
  void cancel();

  // Where connected: the address that packets to the remote carry; otherwise only the port is ours.
  SocketAddress local() const;
  const SocketAddress& remote() const { return remote_; }
  asio::any_io_executor executor() { return socket_.get_executor(); }

 private:
  UdpSocket(asio::ip::udp::socket socket, SocketAddress remote, int ttl)
      : socket_(std::move(socket)), remote_(remote), ttl_(ttl) {}
  std::optional<UdpEvent> take(const Clock& clock, Failure& failure);

  asio::ip::udp::socket socket_;
  SocketAddress remote_;
  int ttl_;             // of what is sent; 0: the system's default
  int ends_after_ = 0;  // of the last packet that was to end on the way
};

// What a request over UDP came to.
struct UdpReply {
  Datagram datagram;
  int attempts = 0;
  // Arrival since the only send; nothing after a retransmission, which reply answers which request
  // is then not known (Karn).
  std::optional<Milliseconds> round_trip;
  Milliseconds since_first{0};
};

struct UdpFailure {
  Failure failure;
  int attempts = 0;
  int ignored = 0;  // datagrams that did not match, and ICMP errors that end nothing
};

using UdpMatch = std::function<bool(const Datagram&)>;
using UdpOutcome = boost::system::result<UdpReply, UdpFailure>;
[[noreturn]] void throw_exception_from_error(const UdpFailure& failure,
                                             const boost::source_location& where);

// How often a request is sent, at the first of timeouts::udp_sends, and how long after the first it
// is given up.
struct UdpPatience {
  std::size_t sends = timeouts::udp_sends.size();
  milliseconds reply = timeouts::udp_reply;
};
// For a server that has answered after `round_trip` (nothing: it is not known).
UdpPatience patience_with(std::optional<Milliseconds> round_trip);

// Sends `request` and waits for a datagram that `matches` accepts. ICMP errors end it, but for
// time-exceeded, which a routing loop that heals may send.
asio::awaitable<UdpOutcome> udp_request(UdpSocket& socket, Scope scope,
                                        std::span<const std::uint8_t> request,
                                        const UdpMatch& matches, UdpPatience patience = {});

}  // namespace callready
