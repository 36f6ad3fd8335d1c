#include "probe/platform/own_sockets.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace callready::platform {
namespace {

// Nobody makes calls on a computer with more connections than this.
constexpr ULONG most_bytes = 4'000'000;

}  // namespace

std::string_view inner_link() { return {}; }

// From the table of all programs' connections over IPv4, which every user may read.
std::optional<bool> is_taken_here(const SocketAddress& own) {
  if (own.address.is_v6()) return std::nullopt;
  ULONG size = 0;
  if (GetTcpTable(nullptr, &size, FALSE) != ERROR_INSUFFICIENT_BUFFER) return std::nullopt;
  size += 16 * sizeof(MIB_TCPROW);  // for connections that are made meanwhile
  if (size > most_bytes) return std::nullopt;
  std::vector<MIB_TCPTABLE> buffer(size / sizeof(MIB_TCPTABLE) + 1);
  if (GetTcpTable(buffer.data(), &size, FALSE) != NO_ERROR) return std::nullopt;
  DWORD address = 0;
  std::memcpy(&address, own.address.bytes().data(), sizeof address);
  const MIB_TCPROW* row = buffer.front().table;
  for (DWORD i = 0; i < buffer.front().dwNumEntries; ++i, ++row) {
    const auto port = ntohs(static_cast<u_short>(row->dwRemotePort));
    if (row->dwRemoteAddr == address && port == own.port) return true;
  }
  return false;
}

}  // namespace callready::platform
