#include "probe/platform/route.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>

#include <array>
#include <cstring>

#include "probe/platform/wide.hpp"

#undef interface  // COM's

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
  if (native.si_family == AF_INET) {
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &native.Ipv4.sin_addr, bytes.size());
    return IpAddress::v4(bytes);
  }
  if (native.si_family != AF_INET6) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &native.Ipv6.sin6_addr, bytes.size());
  return IpAddress::v6(bytes);
}

}  // namespace

std::optional<WayOut> way_to(const IpAddress& destination) {
  const auto native = to_native(destination);
  MIB_IPFORWARD_ROW2 route{};
  SOCKADDR_INET source{};
  if (GetBestRoute2(nullptr, 0, nullptr, &native, 0, &route, &source) != NO_ERROR) {
    return std::nullopt;
  }
  WayOut way;
  wchar_t name[IF_MAX_STRING_SIZE + 1] = {};
  if (ConvertInterfaceLuidToAlias(&route.InterfaceLuid, name, IF_MAX_STRING_SIZE + 1) == NO_ERROR) {
    way.interface = to_utf8(name);
  }
  if (way.interface.empty()) return std::nullopt;
  way.gateway = from_native(route.NextHop);
  if (way.gateway && way.gateway->is_unspecified()) way.gateway.reset();
  way.source = from_native(source);
  return way;
}

}  // namespace callready::platform
