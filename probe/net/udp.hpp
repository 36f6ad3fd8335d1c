// UDP sockets that also hear ICMP errors, and the request with retransmissions that STUN, SIP and
// NTP share.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "probe/net/sockets.hpp"

namespace callready {

// How much that nobody waits for is read in one go: more would keep us busy.
inline constexpr int most_foreign = 4'096;

class UdpSocket {
 public:
  using Options = UdpOptions;

  // A socket for `remote`, bound to a port of the kernel's choice.
  static Result<UdpSocket> open(const asio::any_io_executor& executor, const SocketAddress& remote,
                                const Options& options);

  // To the remote it was opened for, or to another one (not where connected).
  Result<void> send(std::span<const std::uint8_t> bytes);
  // `own`: from that address of this computer, where a datagram came to it (Datagram::to).
  Result<void> send_to(std::span<const std::uint8_t> bytes, const SocketAddress& to,
                       const std::optional<IpAddress>& own = std::nullopt);
  // Where send() and udp_request() go from now on (not where connected): one socket, many servers.
  void set_remote(const SocketAddress& remote) { remote_ = remote; }
  // For what is sent from now on; 0: the system's default.
  void set_ttl(int ttl);
  // DSCP and ECN of what is sent from now on. False if the system does not allow that.
  bool set_traffic_class(int traffic_class);
  // Where connected: the path MTU to the remote as far as the system knows it, at first that of
  // this computer's own link; 0: it does not say.
  int path_mtu() const { return carrier_->path_mtu(); }

  // The next datagram or ICMP error; timed_out or stopped; local errors. If the system does not say
  // who sent a "time exceeded", an echo finds the router: then it may take timeouts::icmp_reply
  // longer, and the error quotes nothing.
  asio::awaitable<Result<UdpEvent>> receive(Scope scope, Instant deadline);

  // The same in parts, for callers that listen on many sockets and wait for all of them at once:
  // what has come by now, and a callback on the event loop when there may be something, or after
  // cancel(). The socket has to outlive the call.
  std::optional<Result<UdpEvent>> poll(const Clock& clock);
  void when_readable(std::function<void()> callback);
  void cancel();
  // The datagrams that have come by now. `most` looks at a time, so that others on the loop get
  // their turn. Errors are of earlier packets, which nobody waits for.
  void take_datagrams(const Clock& clock, int most,
                      const std::function<void(const Datagram&)>& take);

  // The next ICMP error, for a packet that ends on the way: no datagram can be the answer to that.
  // Fails like receive(); flooded() if too many datagrams come instead.
  asio::awaitable<Result<IcmpError>> receive_icmp(Scope scope, Instant deadline);

  // Where connected: the address that packets to the remote carry; otherwise only the port is ours.
  SocketAddress local() const;
  const SocketAddress& remote() const { return remote_; }
  const asio::any_io_executor& executor() const { return executor_; }

 private:
  UdpSocket(asio::any_io_executor executor, std::unique_ptr<DatagramCarrier> carrier,
            SocketAddress remote, int ttl)
      : executor_(std::move(executor)), carrier_(std::move(carrier)), remote_(remote), ttl_(ttl) {}
  asio::awaitable<void> readable();

  asio::any_io_executor executor_;
  std::unique_ptr<DatagramCarrier> carrier_;
  SocketAddress remote_;
  int ttl_;             // of what is sent; 0: the system's default
  int ends_after_ = 0;  // TTL of the last packet that was to end on the way
};

// The address of this computer that packets to `remote` carry; nothing where no route leads there.
// Sends nothing.
std::optional<IpAddress> own_address_towards(const asio::any_io_executor& executor,
                                             const IpAddress& remote);

// The outcome of a request over UDP.
struct UdpReply {
  Datagram datagram;
  int attempts = 0;
  // From the only send to the arrival; nothing after a retransmission, since it is then not known
  // which request was answered (Karn).
  std::optional<Milliseconds> round_trip;
  Milliseconds since_first{0};
};

struct UdpFailure {
  Failure failure;
  int attempts = 0;
  int ignored = 0;  // unmatched datagrams, and ICMP errors that do not end the wait
};

using UdpMatch = std::function<bool(const Datagram&)>;

// The next datagram that `matches` accepts. Fails like receive(); flooded() if too many others come
// instead. `icmp`: where the first ICMP error is kept, unless there is one already.
asio::awaitable<Result<Datagram>> receive_matching(UdpSocket& socket, Scope scope, Instant deadline,
                                                   const UdpMatch& matches,
                                                   std::optional<IcmpError>* icmp = nullptr);

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

// Sends `request` and waits for a datagram that `matches` accepts. ICMP errors end it, except
// time-exceeded, which may come from a routing loop that is about to heal; so does a flood
// (flooded()).
asio::awaitable<UdpOutcome> udp_request(UdpSocket& socket, Scope scope,
                                        std::span<const std::uint8_t> request,
                                        const UdpMatch& matches, UdpPatience patience = {});

}  // namespace callready
