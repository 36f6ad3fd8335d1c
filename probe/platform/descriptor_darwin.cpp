// macOS: as on Linux, except that nothing is made "not inherited" in the same call, and TCP's
// figures come from TCP_CONNECTION_INFO (netinet/tcp.h). Built, never run.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "probe/platform/descriptor.hpp"

namespace callready::platform {
namespace {

int not_inherited(int descriptor) {
  if (descriptor >= 0) ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return descriptor;
}

}  // namespace

int open_socket(int family, int type, int protocol) {
  return not_inherited(::socket(family, type, protocol));
}

ConnectionFigures connection_figures(int socket) {
  tcp_connection_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_CONNECTION_INFO, &info, &size) != 0 ||
      size < sizeof info) {
    return {};
  }
  ConnectionFigures figures;
  figures.sent_again = static_cast<int>(info.tcpi_txretransmitpackets);
  if (info.tcpi_srtt > 0) figures.round_trip = std::chrono::milliseconds(info.tcpi_srtt);
  return figures;
}

// Only root may read the table of sockets.
std::optional<std::uint32_t> user_of_connection(const SocketAddress&, const SocketAddress&) {
  return std::nullopt;
}

bool open_pipe(int& read_end, int& write_end) {
  int ends[2];
  if (::pipe(ends) != 0) return false;
  read_end = not_inherited(ends[0]);
  write_end = not_inherited(ends[1]);
  return true;
}

Descriptors descriptors() {
  Descriptors result;
  rlimit limit{};
  result.allowed = most_counted;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    result.allowed = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, most_counted));
  }
  for (int number = 0; number < result.allowed; ++number) {
    if (::fcntl(number, F_GETFD) != -1) ++result.open;
  }
  return result;
}

}  // namespace callready::platform
