#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "probe/platform/descriptor.hpp"

namespace callready::platform {

bool is_connected(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

int duplicate(int descriptor) { return ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

void close_descriptor(int descriptor) { ::close(descriptor); }

void allow_more_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto wanted = std::min<rlim_t>(limit.rlim_max, most_counted);
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // if refused, it stays as it was
}

int why_no_socket() {
  const int socket = open_socket(AF_INET, SOCK_DGRAM, 0);
  if (socket < 0) return errno == EAFNOSUPPORT ? 0 : errno;
  close_descriptor(socket);
  return 0;
}

}  // namespace callready::platform
