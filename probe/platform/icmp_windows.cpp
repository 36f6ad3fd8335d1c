// Windows tells a socket that an ICMP error came (WSAECONNRESET: port unreachable, WSAENETRESET:
// time exceeded; the call that reads fails) and not who sent it. All that this program concludes
// from ICMP goes by the sender, so there is none here; the error itself is the outcome of the read.
// IP_RECVERR and MSG_ERRQUEUE of newer Windows were not tried on a PC yet.
#include "probe/platform/icmp.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>

#include <mswsock.h>

#include <cerrno>
#include <string_view>

#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

// Not in the headers of the mingw-w64 that Debian 12 has (ws2ipdef.h).
constexpr int ip_mtu = 73, ipv6_mtu = 72;

SOCKET native(NativeSocket socket) { return static_cast<SOCKET>(static_cast<unsigned>(socket)); }

bool set_option(NativeSocket socket, int level, int option, DWORD value) {
  const bool done = ::setsockopt(native(socket), level, option,
                                 reinterpret_cast<const char*>(&value), sizeof value) == 0;
  if (!done) errno = WSAGetLastError();
  return done;
}

constexpr DWORD system_ttl = 128;

}  // namespace

bool icmp_supported() { return false; }

// Both errors are reported unless somebody has switched that off.
bool enable_icmp_errors(NativeSocket socket, bool) {
  BOOL on = TRUE;
  DWORD size = 0;
  return ::WSAIoctl(native(socket), SIO_UDP_CONNRESET, &on, sizeof on, nullptr, 0, &size, nullptr,
                    nullptr) == 0;
}

std::optional<IcmpError> read_icmp_error(std::span<const std::uint8_t>) { return std::nullopt; }
std::optional<IcmpError> take_icmp_error(NativeSocket) { return std::nullopt; }

bool set_ttl(NativeSocket socket, bool v6, int ttl) {
  const DWORD value = ttl == 0 ? system_ttl : static_cast<DWORD>(ttl);
  return v6 ? set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, value)
            : set_option(socket, IPPROTO_IP, IP_TTL, value);
}

std::optional<int> path_mtu(NativeSocket socket, bool v6) {
  DWORD mtu = 0;
  int size = sizeof mtu;
  const int status = ::getsockopt(native(socket), v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                                  v6 ? ipv6_mtu : ip_mtu, reinterpret_cast<char*>(&mtu), &size);
  if (status != 0 || mtu == 0) return std::nullopt;
  return static_cast<int>(mtu);
}

// By its name in "Network Connections": what is sent leaves there.
bool bind_to_interface(NativeSocket socket, const char* interface_name) {
  NET_LUID luid{};
  NET_IFINDEX index = 0;
  if (ConvertInterfaceAliasToLuid(to_wide(interface_name).c_str(), &luid) != NO_ERROR ||
      ConvertInterfaceLuidToIndex(&luid, &index) != NO_ERROR) {
    errno = WSAEADDRNOTAVAIL;
    return false;
  }
  // The family of the socket is not known here: one of both options fits.
  return set_option(socket, IPPROTO_IP, IP_UNICAST_IF, htonl(index)) ||
         set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_IF, index);
}

}  // namespace callready::platform
