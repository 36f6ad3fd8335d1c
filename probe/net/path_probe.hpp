// Packets of chosen sizes: what a path does to them (RFC 1191, RFC 8201, RFC 8899).
#pragma once

#include <functional>
#include <vector>

#include "probe/net/udp.hpp"

namespace callready {

// The outcome of sending datagrams that must not be fragmented.
struct SizedReplies {
  std::vector<bool> answered;              // one for each of them
  std::vector<bool> left;                  // this computer; only then is silence the network's
  std::optional<Milliseconds> round_trip;  // of a reply to a datagram that was sent only once
  // The router that reports one as too large for the next link, and what would fit.
  std::optional<IcmpError> too_large;
  // If no router reported one as too large, and none was answered: timed_out, refused or why none
  // was sent; or the probe was broken off.
  std::optional<Failure> failure;
  int attempts = 0;
};

// Datagrams of several sizes to one server from one port, so that devices that tell flows apart (a
// load balancer, a limit on new flows) treat all of them alike.
class SizedFlow {
 public:
  // `interface` by name; empty: the system's choice.
  static Result<SizedFlow> open(const asio::any_io_executor& executor, const SocketAddress& remote,
                                const std::string& interface);

  SocketAddress local() const { return socket_.local(); }
  int own_mtu() const { return own_mtu_; }  // bytes; 0: the system does not say

  using Payloads = std::vector<std::vector<std::uint8_t>>;
  // Which of the payloads a datagram answers.
  using Match = std::function<std::optional<std::size_t>(std::span<const std::uint8_t>)>;

  // Sends all that are not answered yet at each of timeouts::udp_sends, and waits until
  // timeouts::udp_reply after the first.
  asio::awaitable<SizedReplies> ask(const Payloads& payloads, const Match& match, Scope scope);

 private:
  explicit SizedFlow(UdpSocket socket) : socket_(std::move(socket)), own_mtu_(socket_.path_mtu()) {}

  UdpSocket socket_;
  int own_mtu_;
};

}  // namespace callready
