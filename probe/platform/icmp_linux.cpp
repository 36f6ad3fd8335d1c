// Linux: IP_RECVERR and MSG_ERRQUEUE (ip(7), ipv6(7)). No privilege is needed.
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "probe/platform/icmp.hpp"

namespace callready::platform {
namespace {

constexpr std::size_t quoted_payload_max = 2048;

IpAddress from_sockaddr(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IpAddress::v4(bytes);
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IpAddress::v6(bytes);
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

std::optional<IcmpError> take_icmp_error(NativeSocket socket) {
  // Local errors (EMSGSIZE and the like) share the queue; the bound keeps a flood from holding us.
  for (int tries = 0; tries < 64; ++tries) {
    std::vector<std::uint8_t> payload(quoted_payload_max);
    alignas(cmsghdr) char control[512];
    iovec data{payload.data(), payload.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0) return std::nullopt;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      const bool v4 = header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR;
      const bool v6 = header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR;
      if (!v4 && !v6) continue;
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(header), sizeof error);
      if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
      IcmpError result;
      result.type = error.ee_type;
      result.code = error.ee_code;
      result.kind =
          v4 ? kind_v4(error.ee_type, error.ee_code) : kind_v6(error.ee_type, error.ee_code);
      result.mtu =
          result.kind == IcmpKind::fragmentation_needed ? static_cast<int>(error.ee_info) : 0;
      sockaddr_storage sender{};
      const auto* offender =
          SO_EE_OFFENDER(reinterpret_cast<const sock_extended_err*>(CMSG_DATA(header)));
      const std::size_t length = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
      if (header->cmsg_len >= CMSG_LEN(sizeof error + length)) {
        std::memcpy(&sender, offender, length);
        result.sender = from_sockaddr(reinterpret_cast<const sockaddr*>(&sender));
      }
      payload.resize(static_cast<std::size_t>(size));
      result.payload = std::move(payload);
      return result;
    }
  }
  return std::nullopt;
}

bool set_ttl(NativeSocket socket, bool v6, int ttl) {
  const int value = ttl == 0 ? -1 : ttl;  // -1: the system's default
  return v6 ? set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, value)
            : set_option(socket, IPPROTO_IP, IP_TTL, value);
}

bool enable_received_ttl(NativeSocket socket, bool v6) {
  return v6 ? set_option(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
            : set_option(socket, IPPROTO_IP, IP_RECVTTL, 1);
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
