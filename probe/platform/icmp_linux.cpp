// Linux: IP_RECVERR and MSG_ERRQUEUE (ip(7), ipv6(7)). No privilege is needed.
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "probe/platform/icmp.hpp"

namespace callready::platform {
namespace {

constexpr std::size_t quoted_payload_max = 2048;

// The address in a sockaddr_in or sockaddr_in6 that is long enough for its family; otherwise
// 0.0.0.0.
IpAddress from_sockaddr(std::span<const std::uint8_t> raw) {
  sa_family_t family = AF_UNSPEC;
  std::memcpy(&family, raw.data(), sizeof family);
  if (family == AF_INET && raw.size() >= sizeof(sockaddr_in)) {
    return IpAddress::of_bytes(raw.data() + offsetof(sockaddr_in, sin_addr), false);
  }
  if (family == AF_INET6 && raw.size() >= sizeof(sockaddr_in6)) {
    return IpAddress::of_bytes(raw.data() + offsetof(sockaddr_in6, sin6_addr), true);
  }
  return {};
}

IcmpKind kind_v4(std::uint8_t type, std::uint8_t code) {
  if (type == 11) return IcmpKind::time_exceeded;
  if (type != 3) return IcmpKind::other;
  switch (code) {
    case 0:
    case 6:
    case 11:
      return IcmpKind::network_unreachable;
    case 1:
    case 7:
    case 12:
      return IcmpKind::host_unreachable;
    case 3:
      return IcmpKind::port_unreachable;
    case 4:
      return IcmpKind::fragmentation_needed;
    case 9:
    case 10:
    case 13:
      return IcmpKind::prohibited;
    default:
      return IcmpKind::other;
  }
}

IcmpKind kind_v6(std::uint8_t type, std::uint8_t code) {
  if (type == 3) return IcmpKind::time_exceeded;
  if (type == 2) return IcmpKind::fragmentation_needed;
  if (type != 1) return IcmpKind::other;
  switch (code) {
    case 0:
      return IcmpKind::network_unreachable;
    case 1:
    case 5:
    case 6:
      return IcmpKind::prohibited;
    case 3:
      return IcmpKind::host_unreachable;
    case 4:
      return IcmpKind::port_unreachable;
    default:
      return IcmpKind::other;
  }
}

bool set_option(NativeSocket socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

}  // namespace

bool icmp_supported() { return true; }

bool enable_icmp_errors(NativeSocket socket, bool v6) {
  return v6 ? set_option(socket, IPPROTO_IPV6, IPV6_RECVERR, 1)
            : set_option(socket, IPPROTO_IP, IP_RECVERR, 1);
}

std::optional<IcmpError> read_icmp_error(std::span<const std::uint8_t> control) {
  while (control.size() >= sizeof(cmsghdr)) {
    cmsghdr header{};
    std::memcpy(&header, control.data(), sizeof header);
    if (header.cmsg_len < sizeof header || header.cmsg_len > control.size()) return std::nullopt;
    const auto data = control.first(header.cmsg_len).subspan(CMSG_LEN(0));
    control = control.subspan(std::min<std::size_t>(CMSG_ALIGN(header.cmsg_len), control.size()));

    const bool v4 = header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_RECVERR;
    const bool v6 = header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_RECVERR;
    sock_extended_err error{};
    if ((!v4 && !v6) || data.size() < sizeof error) continue;
    std::memcpy(&error, data.data(), sizeof error);
    if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) continue;

    IcmpError result;
    result.type = error.ee_type;
    result.code = error.ee_code;
    result.kind =
        v4 ? kind_v4(error.ee_type, error.ee_code) : kind_v6(error.ee_type, error.ee_code);
    if (result.kind == IcmpKind::fragmentation_needed) result.mtu = static_cast<int>(error.ee_info);
    // SO_EE_OFFENDER: the sender's address follows the record.
    const auto sender = data.subspan(sizeof error);
    if (sender.size() >= (v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)))
      result.sender = from_sockaddr(sender);
    return result;
  }
  return std::nullopt;
}

std::optional<IcmpError> take_icmp_error(NativeSocket socket) {
  // Local errors (EMSGSIZE and the like) share the queue; the bound keeps a flood from holding us.
  for (int tries = 0; tries < 64; ++tries) {
    std::vector<std::uint8_t> payload(quoted_payload_max);
    alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
    iovec data{payload.data(), payload.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0) return std::nullopt;
    auto error = read_icmp_error(std::span(control).first(message.msg_controllen));
    if (!error) continue;
    payload.resize(static_cast<std::size_t>(size));
    error->payload = std::move(payload);
    return error;
  }
  return std::nullopt;
}

std::optional<IpAddress> router_at(const IpAddress&, const IpAddress&, int,
                                   std::chrono::milliseconds) {
  return std::nullopt;
}

bool set_ttl(NativeSocket socket, bool v6, int ttl) {
  const int value = ttl == 0 ? -1 : ttl;  // -1: the system's default
  return v6 ? set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, value)
            : set_option(socket, IPPROTO_IP, IP_TTL, value);
}

std::optional<int> path_mtu(NativeSocket socket, bool v6) {
  int mtu = 0;
  socklen_t size = sizeof mtu;
  const int status = v6 ? getsockopt(socket, IPPROTO_IPV6, IPV6_MTU, &mtu, &size)
                        : getsockopt(socket, IPPROTO_IP, IP_MTU, &mtu, &size);
  if (status != 0) return std::nullopt;
  return mtu;
}

bool bind_to_interface(NativeSocket socket, const char* interface_name) {
  return setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, interface_name,
                    static_cast<socklen_t>(std::strlen(interface_name) + 1)) == 0;
}

}  // namespace callready::platform
