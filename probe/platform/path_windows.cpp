#include "probe/platform/path.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

namespace callready::platform {

bool forbid_fragments(int socket, bool v6) {
  const DWORD on = 1;
  return ::setsockopt(static_cast<SOCKET>(static_cast<unsigned>(socket)),
                      v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_DONTFRAG : IP_DONTFRAGMENT,
                      reinterpret_cast<const char*>(&on), sizeof on) == 0;
}

// Windows lets nobody choose it.
bool set_segment_size(int, int) { return false; }
bool can_set_segment_size() { return false; }

}  // namespace callready::platform
