// Is this computer connected at all? Judged by what its system says about its links, addresses,
// routes and gateways, before looking at anything that was sent.
#include "probe/diagnosis/rules.hpp"

namespace callready::findings {
namespace {

Text in_words(const LinkInfo& link) {
  const bool wireless = link.wireless.value_or(false);
  if (link.state == LinkState::disabled) return phrase("{} is switched off.", link.name);
  return wireless ? phrase("{} has not joined a Wi-Fi network.", link.name)
                  : phrase("{} has no signal: no cable, or no device at its other end.", link.name);
}

}  // namespace

std::optional<Finding> disconnected(const Site& site) {
  if (!site.links) return std::nullopt;
  auto links = *site.links;  // those that may lead to a network
  std::erase_if(links, [](const LinkInfo& link) { return is_inner_link(link.name); });
  std::vector<std::string> up, addresses, gateways;
  for (const auto& link : links) {
    if (link.state == LinkState::up) up.push_back(link.name);
  }
  bool leads_on = false, addressed = false;
  for (const auto& interface : site.interfaces) {
    if (interface.default_route && interface.tunnel) return std::nullopt;
    if (interface.tunnel || is_inner_link(interface.name)) continue;
    // A route may outlive the cable.
    const bool is_up = contains(up, interface.name);
    leads_on |= is_up && interface.default_route;
    for (const auto& address : interface.addresses) {
      if (address.is_link_local()) continue;
      addressed |= is_up;
      addresses.push_back(address.to_string());
    }
  }
  bool silent = true;
  for (const auto& gateway : site.gateways) {
    silent &= gateway.answers == std::optional(false);
    gateways.push_back(gateway.address.to_string());
  }
  Cause cause;
  cause.name(up.empty() ? FindingCode::network_offline : FindingCode::network_no_gateway, certain);
  if (up.empty()) {
    cause.title = phrase("This computer is not connected to any network (no cable, no Wi-Fi)");
    cause.fix = phrase(
        "Plug in the network cable (at both ends), or turn off airplane mode and join the Wi-Fi. "
        "Then run this again. If the link light stays dark, tell your network team which wall "
        "socket it is.");
    for (const auto& link : links) cause.tell(in_words(link));
    if (links.empty()) cause.tell(phrase("This computer has no network adapter."));
  } else if (!addressed) {
    cause.title = phrase("This computer gets no IP address from the network");
    cause.fix = phrase(
        "Check the DHCP server of the network on {}: is it running, does it have free addresses, "
        "and may this device join? On the computer, reconnect the cable or the Wi-Fi, and check "
        "that its address is set to \"automatic\". Then run this again.",
        listed(up));
    cause.tell(
        phrase("{} is connected but has no address of its own (DHCP, RFC 2131).", listed(up)));
  } else if (!leads_on) {
    cause.title = phrase("This computer has an address but no default gateway");
    cause.fix = phrase(
        "Have the DHCP server hand out the router's address (option 3), or set this computer's "
        "default gateway if its address is static. Then run this again. If the only way out of "
        "this network is a proxy, add --proxy URL.");
    cause.tell(
        phrase("Addresses of this computer: {}. It has no default route.", listed(addresses)));
  } else if (silent && !gateways.empty()) {
    const auto routers = listed(gateways);
    cause.title = gateways.size() > 1 ? phrase("The default gateways {} do not answer", routers)
                                      : phrase("The default gateway {} does not answer", routers);
    cause.fix = phrase(
        "Check that the router is running ({}), and that this computer is on the right network "
        "(VLAN, Wi-Fi name, switch port): the router does not even answer ARP or Neighbor "
        "Discovery. Then run this again.",
        routers);
    cause.tell(phrase("No device on {} answers for {} (ARP, or Neighbor Discovery for IPv6).",
                      listed(up), routers));
  } else {
    return std::nullopt;
  }
  return cause;
}

}  // namespace callready::findings
