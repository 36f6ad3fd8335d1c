#include "probe/net/own_site.hpp"

#include <algorithm>

#include "probe/platform/system.hpp"

namespace callready {

bool is_of_a_vpn(const IpAddress& own) {
  const auto links = platform::interfaces();
  const auto has = [](const platform::Interface& link, auto wanted) {
    return std::any_of(link.addresses.begin(), link.addresses.end(), wanted);
  };
  const bool of_tunnel = std::any_of(links.begin(), links.end(), [&](const auto& link) {
    return link.tunnel && has(link, [&](const IpAddress& address) { return address == own; });
  });
  return of_tunnel && std::any_of(links.begin(), links.end(), [&](const auto& link) {
           return !link.tunnel && link.up &&
                  has(link, [](const IpAddress& address) { return !address.is_link_local(); });
         });
}

}  // namespace callready
