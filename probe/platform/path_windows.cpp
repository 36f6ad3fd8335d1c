#include "probe/platform/path.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

namespace callready::platform {

namespace {

bool set_dont_fragment(int socket, bool v6, DWORD value) {
  return ::setsockopt(static_cast<SOCKET>(static_cast<unsigned>(socket)),
                      v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_DONTFRAG : IP_DONTFRAGMENT,
                      reinterpret_cast<const char*>(&value), sizeof value) == 0;
}

}  // namespace

bool forbid_fragments(int socket, bool v6) { return set_dont_fragment(socket, v6, 1); }
bool allow_fragments(int socket, bool v6) { return set_dont_fragment(socket, v6, 0); }

// Windows does not let programs choose it.
bool set_segment_size(int, int) { return false; }
bool can_set_segment_size() { return false; }

}  // namespace callready::platform
