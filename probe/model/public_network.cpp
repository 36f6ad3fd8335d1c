#include "probe/model/public_network.hpp"

#include <algorithm>
#include <array>

namespace callready {
namespace {

bool overlap(const Network& a, const Network& b) {
  return a.contains(b.first()) || b.contains(a.first());
}

// Whether all of it is global unicast (RFC 6890; for IPv6 within 2000::/3, RFC 4291 section 2.4).
bool is_global(const Network& network) {
  if (network.address.is_v6()) {
    static const auto global = *Network::parse("2000::/3");
    return network.prefix >= global.prefix && global.contains(network.first());
  }
  static const std::array special{
      *Network::parse("0.0.0.0/8"),      *Network::parse("10.0.0.0/8"),
      *Network::parse("100.64.0.0/10"),  *Network::parse("127.0.0.0/8"),
      *Network::parse("169.254.0.0/16"), *Network::parse("172.16.0.0/12"),
      *Network::parse("192.168.0.0/16"), *Network::parse("224.0.0.0/3")};
  return std::none_of(special.begin(), special.end(),
                      [&](const Network& one) { return overlap(one, network); });
}

}  // namespace

std::optional<std::string_view> why_no_services_network(const Network& network) {
  if (network.prefix < (network.address.is_v4() ? 8 : 16)) {
    return "is wider than any service's network: it lets in everybody there";
  }
  if (!is_global(network)) {
    return "is not of the public Internet: it is private, link-local, multicast or reserved";
  }
  return std::nullopt;
}

}  // namespace callready
