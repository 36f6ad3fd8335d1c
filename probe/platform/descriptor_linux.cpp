#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "probe/platform/descriptor.hpp"

namespace callready::platform {

int open_socket(int family, int type, int protocol) {
  return ::socket(family, type | SOCK_CLOEXEC, protocol);
}

bool is_connected(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

ConnectionFigures connection_figures(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
      size < offsetof(tcp_info, tcpi_total_retrans) + sizeof info.tcpi_total_retrans) {
    return {};
  }
  ConnectionFigures figures;
  figures.sent_again = static_cast<int>(info.tcpi_total_retrans);
  if (info.tcpi_rtt > 0) figures.round_trip = std::chrono::microseconds(info.tcpi_rtt);
  return figures;
}

int duplicate(int descriptor) { return ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

bool open_pipe(int& read_end, int& write_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  read_end = ends[0];
  write_end = ends[1];
  return true;
}

void close_descriptor(int descriptor) { ::close(descriptor); }

Descriptors descriptors() {
  Descriptors result;
  rlimit limit{};
  result.allowed = most_counted;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    result.allowed = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, most_counted));
  }
  // Reading /proc would need a descriptor.
  std::vector<pollfd> numbers(static_cast<std::size_t>(result.allowed));
  int next = 0;
  for (auto& number : numbers) number.fd = next++;
  if (::poll(numbers.data(), numbers.size(), 0) < 0) return result;
  result.open =
      static_cast<int>(std::count_if(numbers.begin(), numbers.end(), [](const pollfd& each) {
        return (each.revents & POLLNVAL) == 0;
      }));
  return result;
}

void allow_more_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto wanted = std::min<rlim_t>(limit.rlim_max, most_counted);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // where that is refused, it stays as it was
}

int why_no_socket() {
  const int socket = open_socket(AF_INET, SOCK_DGRAM, 0);
  if (socket < 0) return errno == EAFNOSUPPORT ? 0 : errno;
  close_descriptor(socket);
  return 0;
}

}  // namespace callready::platform
