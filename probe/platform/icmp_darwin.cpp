// macOS reports "port unreachable" to a connected socket (ECONNREFUSED), but not who sent it; an
// expired TTL it does not report. So nothing is concluded from ICMP here. A datagram socket for
// ICMP, which users may open (icmp(4)), might receive more: not tried on a Mac yet. Built, never
// run.
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "probe/platform/icmp.hpp"

namespace callready::platform {
namespace {

bool set_option(NativeSocket socket, int level, int option, int value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

}  // namespace

bool icmp_supported() { return false; }

// It is always on.
bool enable_icmp_errors(NativeSocket, bool) { return true; }

std::optional<IcmpError> read_icmp_error(std::span<const std::uint8_t>) { return std::nullopt; }
std::optional<IcmpError> take_icmp_error(NativeSocket) { return std::nullopt; }
std::optional<IpAddress> router_at(const IpAddress&, const IpAddress&, int,
                                   std::chrono::milliseconds) {
  return std::nullopt;
}

bool set_ttl(NativeSocket socket, bool v6, int ttl) {
  constexpr int system_ttl = 64;  // net.inet.ip.ttl
  return v6 ? set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl == 0 ? -1 : ttl)
            : set_option(socket, IPPROTO_IP, IP_TTL, ttl == 0 ? system_ttl : ttl);
}

// For IPv6 alone (RFC 3542 section 11.4).
std::optional<int> path_mtu(NativeSocket socket, bool v6) {
  ip6_mtuinfo known{};
  socklen_t size = sizeof known;
  if (!v6 || ::getsockopt(socket, IPPROTO_IPV6, IPV6_PATHMTU, &known, &size) != 0) {
    return std::nullopt;
  }
  return static_cast<int>(known.ip6m_mtu);
}

bool bind_to_interface(NativeSocket socket, const char* interface_name) {
  const auto index = static_cast<int>(if_nametoindex(interface_name));
  // The family of the socket is not known here: one of both options fits.
  return index != 0 && (set_option(socket, IPPROTO_IP, IP_BOUND_IF, index) ||
                        set_option(socket, IPPROTO_IPV6, IPV6_BOUND_IF, index));
}

}  // namespace callready::platform
