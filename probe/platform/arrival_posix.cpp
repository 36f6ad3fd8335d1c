// Linux: SO_TIMESTAMPNS and SO_RXQ_OVFL (socket(7)), IP_RECVTOS and IP_RECVTTL (ip(7)). macOS:
// SO_TIMESTAMP (getsockopt(2)), IP_RECVTOS and IP_RECVTTL (ip(4)). All are delivered even if a
// datagram is only peeked at.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <array>
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
    if (is(SOL_SOCKET, noted_time) && header->cmsg_len >= CMSG_LEN(sizeof(Noted))) {
      Noted time{};
      std::memcpy(&time, CMSG_DATA(header), sizeof time);
      const auto arrived = since_epoch(time);
      // Linux starts its timestamps a moment after the first socket asked. Earlier datagrams get
      // the time of this peek, which says nothing.
      const auto waited = it_was_there_at - arrived;
      if (waited > nanoseconds(0) && waited <= unlikely) arrival.waited = waited;
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
