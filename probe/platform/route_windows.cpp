#include "probe/platform/route.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>

#include <cstring>

#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

SOCKADDR_INET to_native(const IpAddress& address) {
  SOCKADDR_INET native{};
  const auto bytes = address.bytes();
  if (address.is_v4()) {
    native.si_family = AF_INET;
    std::memcpy(&native.Ipv4.sin_addr, bytes.data(), 4);
  } else {
    native.si_family = AF_INET6;
    std::memcpy(&native.Ipv6.sin6_addr, bytes.data(), 16);
  }
  return native;
}

std::optional<IpAddress> from_native(const SOCKADDR_INET& native) {
  if (native.si_family == AF_INET) return IpAddress::of_bytes(&native.Ipv4.sin_addr, false);
  if (native.si_family != AF_INET6) return std::nullopt;
  return IpAddress::of_bytes(&native.Ipv6.sin6_addr, true);
}

std::string name_of(const NET_LUID& luid) {
  wchar_t name[IF_MAX_STRING_SIZE + 1] = {};
  if (ConvertInterfaceLuidToAlias(&luid, name, IF_MAX_STRING_SIZE + 1) != NO_ERROR) return {};
  return to_utf8(name);
}

// The older call, for IPv4 only, and without the source: Wine 8 has no other.
std::optional<WayOut> older_way_to(const SOCKADDR_INET& destination) {
  MIB_IPFORWARDROW route{};
  NET_LUID luid{};
  if (destination.si_family != AF_INET ||
      GetBestRoute(destination.Ipv4.sin_addr.s_addr, 0, &route) != NO_ERROR ||
      ConvertInterfaceIndexToLuid(route.dwForwardIfIndex, &luid) != NO_ERROR) {
    return std::nullopt;
  }
  WayOut way;
  way.interface_name = name_of(luid);
  SOCKADDR_INET gateway{};
  gateway.si_family = AF_INET;
  gateway.Ipv4.sin_addr.s_addr = route.dwForwardNextHop;
  way.gateway = from_native(gateway);
  return way;
}

std::optional<WayOut> newer_way_to(const SOCKADDR_INET& destination) {
  MIB_IPFORWARD_ROW2 route{};
  SOCKADDR_INET source{};
  if (GetBestRoute2(nullptr, 0, nullptr, &destination, 0, &route, &source) != NO_ERROR) {
    return std::nullopt;
  }
  WayOut way;
  way.interface_name = name_of(route.InterfaceLuid);
  way.gateway = from_native(route.NextHop);
  way.source = from_native(source);
  return way;
}

}  // namespace

std::optional<WayOut> way_to(const IpAddress& destination) {
  const auto native = to_native(destination);
  auto way = newer_way_to(native);
  if (!way) way = older_way_to(native);
  if (!way || way->interface_name.empty()) return std::nullopt;
  if (way->gateway && way->gateway->is_unspecified()) way->gateway.reset();
  return way;
}

// From the whole table: Wine 8 has no call for one neighbour.
std::optional<bool> neighbour_answers(const std::string& interface_name, const IpAddress& address) {
  NET_LUID link{};
  MIB_IPNET_TABLE2* table = nullptr;
  if (ConvertInterfaceAliasToLuid(to_wide(interface_name).c_str(), &link) != NO_ERROR ||
      GetIpNetTable2(AF_UNSPEC, &table) != NO_ERROR) {
    return std::nullopt;
  }
  std::optional<bool> answers;
  for (ULONG i = 0; i < table->NumEntries; ++i) {
    const auto& row = table->Table[i];
    if (row.InterfaceLuid.Value != link.Value || from_native(row.Address) != address) continue;
    if (row.State == NlnsReachable) answers = true;
    if (row.State == NlnsUnreachable || row.State == NlnsIncomplete) answers = false;
  }
  FreeMibTable(table);
  return answers;
}

}  // namespace callready::platform
