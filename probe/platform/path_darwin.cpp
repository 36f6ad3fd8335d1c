// macOS 11 or newer, of which IP_DONTFRAG is. Built, never run.
#include "probe/platform/path.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace callready::platform {
namespace {

bool set_path_option(int socket, int level, int name, int value) {
  return ::setsockopt(socket, level, name, &value, sizeof value) == 0;
}

}  // namespace

bool forbid_fragments(int socket, bool v6) {
  return v6 ? set_path_option(socket, IPPROTO_IPV6, IPV6_DONTFRAG, 1)
            : set_path_option(socket, IPPROTO_IP, IP_DONTFRAG, 1);
}

bool allow_fragments(int socket, bool v6) {
  return v6 ? set_path_option(socket, IPPROTO_IPV6, IPV6_DONTFRAG, 0)
            : set_path_option(socket, IPPROTO_IP, IP_DONTFRAG, 0);
}

bool set_segment_size(int socket, int bytes) {
  return set_path_option(socket, IPPROTO_TCP, TCP_MAXSEG, bytes);
}
bool can_set_segment_size() { return true; }

}  // namespace callready::platform
