// Packets of chosen sizes: what a path does to them (RFC 1191, RFC 8201, RFC 8899).
#pragma once

#include <functional>
#include <vector>

#include "probe/net/udp.hpp"

namespace callready {

// What came of datagrams that must not be fragmented.
struct SizedReplies {
  std::vector<bool> answered;              // one for each of them
  std::vector<bool> left;                  // this computer: of no other is silence the network's
  std::optional<Milliseconds> round_trip;  // of a reply to what was sent once
  // The router that says that one is too large for what comes next, and what would not be.
  std::optional<IcmpError> too_large;
  // No router said that one is too large, and none was answered: timed_out, refused or why none was
  // sent; or it was broken off.
  std::optional<Failure> failure;
  int attempts = 0;
};

// Datagrams of several sizes to one server from one port, so that what tells flows apart (a
// balancer of lines, a limit of new ones) does the same to each.
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

  // Sends all at each of timeouts::udp_sends, but for those that are answered, and waits until
  // timeouts::udp_reply after the first.
  asio::awaitable<SizedReplies> ask(const Payloads& payloads, const Match& match, Scope scope);

 private:
  explicit SizedFlow(UdpSocket socket) : socket_(std::move(socket)), own_mtu_(socket_.path_mtu()) {}

  UdpSocket socket_;
  int own_mtu_;
};

}  // namespace callready
