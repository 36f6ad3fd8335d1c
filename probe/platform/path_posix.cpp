#include "probe/platform/path.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace callready::platform {
namespace {

#ifdef __APPLE__  // IP_DONTFRAG needs macOS 11; built, never run
constexpr int fragments_v4 = IP_DONTFRAG, fragments_v6 = IPV6_DONTFRAG;
constexpr int never_fragment = 1, may_fragment = 0;
#else
constexpr int fragments_v4 = IP_MTU_DISCOVER, fragments_v6 = IPV6_MTU_DISCOVER;
constexpr int never_fragment = IP_PMTUDISC_PROBE, may_fragment = IP_PMTUDISC_DONT;
static_assert(never_fragment == IPV6_PMTUDISC_PROBE && may_fragment == IPV6_PMTUDISC_DONT);
#endif

bool set_path_option(int socket, int level, int name, int value) {
  return ::setsockopt(socket, level, name, &value, sizeof value) == 0;
}

bool set_fragments(int socket, bool v6, int value) {
  return v6 ? set_path_option(socket, IPPROTO_IPV6, fragments_v6, value)
            : set_path_option(socket, IPPROTO_IP, fragments_v4, value);
}

}  // namespace

bool forbid_fragments(int socket, bool v6) { return set_fragments(socket, v6, never_fragment); }
bool allow_fragments(int socket, bool v6) { return set_fragments(socket, v6, may_fragment); }

bool set_segment_size(int socket, int bytes) {
  return set_path_option(socket, IPPROTO_TCP, TCP_MAXSEG, bytes);
}
bool can_set_segment_size() { return true; }

}  // namespace callready::platform
