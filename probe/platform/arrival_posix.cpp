// Linux: SO_TIMESTAMPNS and SO_RXQ_OVFL (socket(7)), IP_RECVTOS and IP_RECVTTL (ip(7)). macOS:
// SO_TIMESTAMP (getsockopt(2)), IP_RECVTOS and IP_RECVTTL (ip(4)). Both: IP_PKTINFO and
// IPV6_RECVPKTINFO (RFC 3542 section 6). All are delivered even if a datagram is only peeked at.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "probe/platform/arrival.hpp"

namespace callready::platform {
namespace {

using std::chrono::nanoseconds;

// No program is that late: the clock was set meanwhile.
constexpr nanoseconds unlikely = std::chrono::minutes(1);

#ifdef __APPLE__  // built, never run
using Noted = timeval;
constexpr int note_time = SO_TIMESTAMP, noted_time = SCM_TIMESTAMP;
constexpr int noted_tos = IP_RECVTOS, noted_ttl = IP_RECVTTL;

nanoseconds since_epoch(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

nanoseconds now() {
  timeval time{};
  ::gettimeofday(&time, nullptr);
  return since_epoch(time);
}
#else
using Noted = timespec;
constexpr int note_time = SO_TIMESTAMPNS, noted_time = SCM_TIMESTAMPNS;
constexpr int noted_tos = IP_TOS, noted_ttl = IP_TTL;

nanoseconds since_epoch(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

nanoseconds now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return since_epoch(time);
}
#endif

template <class Info>
std::optional<Info> content_of(cmsghdr& header) {
  Info info{};
  if (header.cmsg_len < CMSG_LEN(sizeof info)) return std::nullopt;
  std::memcpy(&info, CMSG_DATA(&header), sizeof info);
  return info;
}

// A socket for both families gets the destinations of IPv4, too, as IPv6's.
IpAddress destination(const in6_pktinfo& info) {
  const auto* bytes = info.ipi6_addr.s6_addr;
  const bool v4 = IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr);
  return IpAddress::of_bytes(v4 ? bytes + 12 : bytes, !v4);
}

// Linux says which address answers, also if all were asked; macOS what stands in the header.
IpAddress destination(const in_pktinfo& info) {
#ifdef __APPLE__
  return IpAddress::of_bytes(&info.ipi_addr, false);
#else
  return IpAddress::of_bytes(&info.ipi_spec_dst, false);
#endif
}

}  // namespace

bool note_arrivals(int socket) {
  const int on = 1;
  return ::setsockopt(socket, SOL_SOCKET, note_time, &on, sizeof on) == 0;
}

bool note_headers(int socket, bool v6) {
  const int on = 1, level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const bool tos =
      ::setsockopt(socket, level, v6 ? IPV6_RECVTCLASS : IP_RECVTOS, &on, sizeof on) == 0;
  const bool ttl =
      ::setsockopt(socket, level, v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on, sizeof on) == 0;
#ifndef __APPLE__
  ::setsockopt(socket, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
#endif
  return tos && ttl;
}

bool note_destinations(int socket, bool v6) {
  const int on = 1;
  return v6 ? ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0
            : ::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
}

int send_from(int socket, const IpAddress& own, std::span<const std::uint8_t> bytes,
              const SocketAddress& to) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(to.port);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(to.port);
  in_pktinfo from_v4{};
  in6_pktinfo from_v6{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof from_v6)> control{};
  iovec data{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  const auto say = [&](auto& name, const auto& info, int level, int type) {
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_controllen = CMSG_SPACE(sizeof info);
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
  };
  if (own.is_v6()) {
    std::memcpy(&v6.sin6_addr, to.address.bytes().data(), sizeof v6.sin6_addr);
    std::memcpy(&from_v6.ipi6_addr, own.bytes().data(), sizeof from_v6.ipi6_addr);
    say(v6, from_v6, IPPROTO_IPV6, IPV6_PKTINFO);
  } else {
    std::memcpy(&v4.sin_addr, to.address.bytes().data(), sizeof v4.sin_addr);
    std::memcpy(&from_v4.ipi_spec_dst, own.bytes().data(), sizeof from_v4.ipi_spec_dst);
    say(v4, from_v4, IPPROTO_IP, IP_PKTINFO);
  }
  return ::sendmsg(socket, &message, 0) < 0 ? errno : 0;
}

bool set_traffic_class(int socket, bool v6, int traffic_class) {
  return ::setsockopt(socket, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS,
                      &traffic_class, sizeof traffic_class) == 0;
}

Arrival next_arrival(int socket) {
  // A read would consume a pending error, which says that the port is closed.
  pollfd ready{socket, POLLIN, 0};
  if (::poll(&ready, 1, 0) != 1 || ready.revents != POLLIN) return {};
  const auto it_was_there_at = now();
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, 256> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT) < 0) return {};
  Arrival arrival;
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    const auto is = [&](int level, int type) {
      return header->cmsg_level == level && header->cmsg_type == type;
    };
    const auto time = is(SOL_SOCKET, noted_time) ? content_of<Noted>(*header) : std::nullopt;
    if (time) {
      const auto arrived = since_epoch(*time);
      // Linux starts its timestamps a moment after the first socket asked. Earlier datagrams get
      // the time of this peek, which says nothing.
      const auto waited = it_was_there_at - arrived;
      if (waited > nanoseconds(0) && waited <= unlikely) arrival.waited = waited;
    }
    if (is(IPPROTO_IP, IP_PKTINFO)) {
      if (const auto info = content_of<in_pktinfo>(*header)) arrival.to = destination(*info);
    } else if (is(IPPROTO_IPV6, IPV6_PKTINFO)) {
      if (const auto info = content_of<in6_pktinfo>(*header)) arrival.to = destination(*info);
    }
    // IPv4's type of service comes as one byte, on macOS also its TTL; all else comes as an int.
    int number = *CMSG_DATA(header);
    if (header->cmsg_len >= CMSG_LEN(sizeof number)) {
      std::memcpy(&number, CMSG_DATA(header), sizeof number);
    }
    const bool v4_tos = is(IPPROTO_IP, noted_tos), v4_ttl = is(IPPROTO_IP, noted_ttl);
    if (v4_tos || is(IPPROTO_IPV6, IPV6_TCLASS)) arrival.traffic_class = number;
    if (v4_ttl || is(IPPROTO_IPV6, IPV6_HOPLIMIT)) arrival.ttl = number;
#ifndef __APPLE__
    if (is(SOL_SOCKET, SO_RXQ_OVFL)) arrival.dropped = static_cast<std::uint32_t>(number);
#endif
  }
  return arrival;
}

}  // namespace callready::platform
