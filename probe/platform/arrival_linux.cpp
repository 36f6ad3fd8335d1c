// Linux: SO_TIMESTAMPNS (socket(7)), which is delivered with a datagram that is only looked at,
// too.
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <ctime>

#include "probe/platform/arrival.hpp"

namespace callready::platform {
namespace {

using std::chrono::nanoseconds;

// Longer than any program is late: then it is the clock that was set meanwhile.
constexpr nanoseconds unlikely = std::chrono::minutes(1);

nanoseconds since_epoch(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

}  // namespace

bool note_arrivals(int socket) {
  const int on = 1;
  return ::setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
}

std::optional<nanoseconds> since_arrival(int socket) {
  // A call that reads would take a pending error away, which says that the port is closed.
  pollfd ready{socket, POLLIN, 0};
  if (::poll(&ready, 1, 0) != 1 || ready.revents != POLLIN) return std::nullopt;
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, 256> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT) < 0) return std::nullopt;
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec arrived{}, now{};
    std::memcpy(&arrived, CMSG_DATA(header), sizeof arrived);
    ::clock_gettime(CLOCK_REALTIME, &now);
    const auto waited = since_epoch(now) - since_epoch(arrived);
    if (waited < nanoseconds(0) || waited > unlikely) return std::nullopt;
    return waited;
  }
  return std::nullopt;
}

}  // namespace callready::platform
