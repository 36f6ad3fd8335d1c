// Windows tells a socket that an ICMP error came (WSAECONNRESET: port unreachable, WSAENETRESET:
// time exceeded or network unreachable; the read fails), but not who sent it. Almost all that this
// program concludes from ICMP depends on the sender; the error itself is the outcome of the read.
// Where a packet's TTL ended, an echo with that TTL asks for the router (router_at), as tracert
// does, and without administrator rights. IP_RECVERR and MSG_ERRQUEUE of newer Windows were not
// tried on a PC yet.
#include "probe/platform/icmp.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>

#include <icmpapi.h>
#include <mswsock.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "probe/platform/wide.hpp"

// Not in the headers of Debian 12's mingw-w64 (ws2ipdef.h, mswsock.h, icmpapi.h, ipexport.h); only
// IcmpSendEcho2Ex is in its library.
#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#endif
extern "C" DWORD WINAPI IcmpSendEcho2Ex(HANDLE, HANDLE, FARPROC, PVOID, IPAddr source,
                                        IPAddr destination, LPVOID, WORD, PIP_OPTION_INFORMATION,
                                        LPVOID reply, DWORD reply_size, DWORD timeout_ms);

namespace callready::platform {
namespace {

constexpr int ip_mtu = 73, ipv6_mtu = 72;

// ICMPV6_ECHO_REPLY: its address has no padding.
constexpr std::size_t reply_v6_address = 6, reply_v6_status = 28;
// "At least 8 more bytes" for an ICMP error, and an IO_STATUS_BLOCK; and what is quoted.
constexpr std::size_t reply_size = 256;

// Closed with what it is for.
class EchoHandle {
 public:
  explicit EchoHandle(bool v6) : handle_(v6 ? Icmp6CreateFile() : IcmpCreateFile()) {}
  ~EchoHandle() {
    if (is_open()) IcmpCloseHandle(handle_);
  }
  EchoHandle(const EchoHandle&) = delete;
  EchoHandle& operator=(const EchoHandle&) = delete;
  bool is_open() const { return handle_ != INVALID_HANDLE_VALUE; }
  HANDLE get() const { return handle_; }

 private:
  HANDLE handle_;
};

sockaddr_in6 to_sockaddr_v6(const IpAddress& address) {
  sockaddr_in6 native{};
  native.sin6_family = AF_INET6;
  std::memcpy(&native.sin6_addr, address.bytes().data(), sizeof native.sin6_addr);
  return native;
}

IPAddr to_native_v4(const IpAddress& address) {
  IPAddr native = 0;
  std::memcpy(&native, address.bytes().data(), sizeof native);
  return native;
}

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
  bool done = true;
  for (const DWORD option : {DWORD{SIO_UDP_CONNRESET}, DWORD{SIO_UDP_NETRESET}}) {
    BOOL on = TRUE;
    DWORD size = 0;
    done &= ::WSAIoctl(native(socket), option, &on, sizeof on, nullptr, 0, &size, nullptr,
                       nullptr) == 0;
  }
  return done;
}

std::optional<IcmpError> read_icmp_error(std::span<const std::uint8_t>) { return std::nullopt; }
std::optional<IcmpError> take_icmp_error(NativeSocket) { return std::nullopt; }

std::optional<IpAddress> router_at(const IpAddress& target, const IpAddress& source, int ttl,
                                   std::chrono::milliseconds patience) {
  const bool v6 = target.is_v6();
  const EchoHandle echo(v6);
  if (!echo.is_open() || source.is_v6() != v6) return std::nullopt;
  std::array<char, 32> data{};
  alignas(ICMP_ECHO_REPLY) std::array<std::uint8_t, reply_size> reply{};
  IP_OPTION_INFORMATION options{};
  options.Ttl = static_cast<UCHAR>(ttl);
  const auto timeout = static_cast<DWORD>(patience.count());
  if (v6) {
    auto from = to_sockaddr_v6(source), to = to_sockaddr_v6(target);
    const DWORD count =
        Icmp6SendEcho2(echo.get(), nullptr, nullptr, nullptr, &from, &to, data.data(), data.size(),
                       &options, reply.data(), reply.size(), timeout);
    ULONG status = 0;
    std::memcpy(&status, reply.data() + reply_v6_status, sizeof status);
    if (count == 0 || status != IP_HOP_LIMIT_EXCEEDED) return std::nullopt;
    return IpAddress::of_bytes(reply.data() + reply_v6_address, true);
  }
  const DWORD count = IcmpSendEcho2Ex(echo.get(), nullptr, nullptr, nullptr, to_native_v4(source),
                                      to_native_v4(target), data.data(), data.size(), &options,
                                      reply.data(), reply.size(), timeout);
  ICMP_ECHO_REPLY answer{};
  std::memcpy(&answer, reply.data(), sizeof answer);
  if (count == 0 || answer.Status != IP_TTL_EXPIRED_TRANSIT) return std::nullopt;
  return IpAddress::of_bytes(&answer.Address, false);
}

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
