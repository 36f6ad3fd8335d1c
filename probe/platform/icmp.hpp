// ICMP errors as an unprivileged socket can see them, and the socket options around them. One file
// per system implements this; where a system cannot, `icmp_supported` says so and nothing is ever
// concluded from an ICMP error that did not come.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "probe/model/ip.hpp"

namespace callready {

// What an ICMP or ICMPv6 error said (RFC 792, RFC 1812, RFC 4443), without the version's numbers.
enum class IcmpKind {
  port_unreachable,
  host_unreachable,
  network_unreachable,
  prohibited,  // codes 9, 10, 13 of type 3; code 1 of ICMPv6 type 1
  fragmentation_needed,
  time_exceeded,
  other,
};

struct IcmpError {
  IcmpKind kind = IcmpKind::other;
  IpAddress sender;                 // the device that sent it
  std::uint8_t type = 0, code = 0;  // as on the wire
  int mtu = 0;                      // of fragmentation_needed
  bool own = false;  // the sender is the address that the packet left from: this computer
  std::optional<std::vector<std::uint8_t>> payload;  // our own payload as it was quoted
};

}  // namespace callready

namespace callready::platform {

using NativeSocket = int;

bool icmp_supported();

// Asks the system to queue ICMP errors for this socket. `v6`: the socket's family.
bool enable_icmp_errors(NativeSocket socket, bool v6);

// The ICMP error in a control message as the error queue delivers it (`struct cmsghdr` and what
// follows), without the payload; nothing if there is none, or where it is cut short.
std::optional<IcmpError> read_icmp_error(std::span<const std::uint8_t> control);

// Takes the oldest queued error; nothing where the queue is empty or holds only local errors.
std::optional<IcmpError> take_icmp_error(NativeSocket socket);

// Who says "time exceeded" to an ICMP echo from `source` that ends `ttl` hops on the way to
// `target`: for systems that tell a socket that its packet ended, but not where. Blocks for
// `patience` at most; nothing if nobody says so, and on systems whose own errors have senders.
std::optional<IpAddress> router_at(const IpAddress& target, const IpAddress& source, int ttl,
                                   std::chrono::milliseconds patience);

// Sets the time to live (hop limit) of what the socket sends from now on; 0 restores the default.
bool set_ttl(NativeSocket socket, bool v6, int ttl);

// The path's known MTU from a connected socket, where the system knows it.
std::optional<int> path_mtu(NativeSocket socket, bool v6);

// Binds the socket's traffic to an interface by name, where the system lets users do that.
bool bind_to_interface(NativeSocket socket, const char* interface_name);

}  // namespace callready::platform
