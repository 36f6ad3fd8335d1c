// How many devices translate our address on the way, judging by the routers on it.
#include "checks/nat_parts.hpp"
#include "probe/net/own_site.hpp"

namespace callready::checks::nat {
namespace {

constexpr auto method = "routers";

// `address`: this machine's own, or that of a router beyond the site's own one.
std::optional<Property> by_address(const IpAddress& address, const Text& whose) {
  if (!address.is_shared()) return std::nullopt;
  return known("carrier", method,
               phrase("{} has {}, an address of a provider's own NAT (100.64.0.0/10)", whose,
                      address.to_string()));
}

}  // namespace

asio::awaitable<Property> measure_translations(Context& context, SocketAddress server,
                                               SocketAddress local, SocketAddress mapped) {
  if (local == mapped)
    co_return known(DetailCode::none, "local_address",
                    phrase("no device translates this computer's address"));
  // VPNs use such addresses, too: they do not mean that a provider translates.
  if (local.address.is_shared() && is_of_a_vpn(local.address)) {
    co_return unknown(
        phrase("the path leads through a VPN of this computer, whose own addresses are in "
               "100.64.0.0/10"));
  }
  if (const auto own = by_address(local.address, phrase("this computer"))) co_return *own;
  if (mapped.address.is_special()) {
    co_return unknown(
        phrase("the server that reports this computer's address is not on the public Internet"));
  }
  const auto interface = context.settings.interface;
  const auto routers = co_await context.edge.look_around(server, interface, context.scope);
  for (const auto& [ttl, router] : routers) {
    // The first one is the gateway, which accounts for one translation.
    if (ttl < 2) continue;
    if (const auto carrier = by_address(router, phrase("the router beyond this site's own"))) {
      co_return *carrier;
    }
    if (router.is_private()) {
      auto two = known("two", method,
                       phrase("behind the gateway there is {}, another private address: a "
                              "second translation, or a site of several routers",
                              router.to_string()));
      co_return two;
    }
  }
  const auto edge = nearest_outside(routers, local.address);
  if (!edge) co_return unknown(phrase("no router beyond the site's edge answers"));
  const auto outside = edge->address.to_string();
  for (int ttl = 2; ttl < edge->ttl; ++ttl) {
    if (routers.contains(ttl)) continue;
    co_return unknown(phrase("a router between the gateway and {} does not answer", outside));
  }
  co_return known("one", method,
                  phrase("the first router behind the gateway, {}, has a public address", outside));
}

}  // namespace callready::checks::nat
