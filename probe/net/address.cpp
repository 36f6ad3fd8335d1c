#include "probe/net/address.hpp"

namespace callready {

asio::ip::address to_asio(const IpAddress& address) {
  const auto& bytes = address.bytes();
  if (address.is_v6()) return asio::ip::address_v6(bytes);
  return asio::ip::address_v4(
      asio::ip::address_v4::bytes_type{bytes[0], bytes[1], bytes[2], bytes[3]});
}

IpAddress from_asio(const asio::ip::address& address) {
  if (address.is_v6()) {
    const auto bytes = address.to_v6().to_bytes();
    if (!address.to_v6().is_v4_mapped()) return IpAddress::v6(bytes);
    return IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  }
  const auto bytes = address.to_v4().to_bytes();
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

}  // namespace callready
