#include "probe/diagnosis/ways/own_connection.hpp"

#include <algorithm>

#include "probe/diagnosis/facts.hpp"
#include "probe/diagnosis/words.hpp"

namespace callready::findings {
namespace {

// Those that may lead to a network.
std::vector<LinkInfo> outer_links(const Site& site) {
  auto links = site.links.value_or(std::vector<LinkInfo>());
  std::erase_if(links, [](const LinkInfo& link) { return is_inner_link(link.name); });
  return links;
}

bool is_up(const std::vector<LinkInfo>& links, const std::string& name) {
  return std::ranges::any_of(links, [&](const LinkInfo& link) {
    return link.name == name && link.state == LinkState::up;
  });
}

Text in_words(const LinkInfo& link) {
  const bool wireless = link.wireless.value_or(false);
  if (link.state == LinkState::disabled) return phrase("{} is switched off.", link.name);
  return wireless ? phrase("{} has not joined a Wi-Fi network.", link.name)
                  : phrase("{} has no signal: no cable, or no device at its other end.", link.name);
}

// The links that are up, "eth0 and wlan0".
Text links_up(const Site& site) {
  std::vector<std::string> names;
  for (const auto& link : outer_links(site)) {
    if (link.state == LinkState::up) names.push_back(link.name);
  }
  return listed(names);
}

Text gateways_in_words(const Site& site) {
  std::vector<std::string> all;
  for (const auto& gateway : site.gateways) all.push_back(gateway.address.to_string());
  return listed(all);
}

Text addresses_in_words(const Site& site) {
  std::vector<std::string> all;
  for (const auto& interface : site.interfaces) {
    if (interface.tunnel || is_inner_link(interface.name)) continue;
    for (const auto& address : interface.addresses) {
      if (!address.is_link_local()) all.push_back(address.to_string());
    }
  }
  return listed(all);
}

}  // namespace

std::optional<Disconnection> disconnection_of(const Site& site) {
  if (!site.links) return std::nullopt;
  const auto links = outer_links(site);
  bool leads_on = false, by_tunnel = false, addressed = false;
  for (const auto& interface : site.interfaces) {
    by_tunnel |= interface.default_route && interface.tunnel;
    // A route may outlive the cable.
    if (interface.tunnel || !is_up(links, interface.name)) continue;
    leads_on |= interface.default_route;
    addressed |= !std::ranges::all_of(interface.addresses, &IpAddress::is_link_local);
  }
  if (by_tunnel) return std::nullopt;
  if (std::ranges::count(links, LinkState::up, &LinkInfo::state) == 0)
    return Disconnection::no_link;
  if (!addressed) return Disconnection::no_address;
  if (!leads_on) return Disconnection::no_gateway;
  const auto& gateways = site.gateways;
  const bool silent =
      !gateways.empty() && std::ranges::all_of(gateways, [](const GatewayInfo& gateway) {
        return gateway.answers == std::optional(false);
      });
  return silent ? std::optional(Disconnection::silent_gateway) : std::nullopt;
}

Finding disconnected(const Site& site, Disconnection what) {
  Finding finding;
  finding.confidence = Confidence::certain;
  finding.code = FindingCode::network_no_gateway;
  finding.owner = Owner::lan;
  const auto tell = [&](Text text) { finding.evidence.push_back({"", std::move(text)}); };
  switch (what) {
    case Disconnection::no_link:
      finding.code = FindingCode::network_offline;
      finding.owner = Owner::user;
      finding.title = phrase("This computer is not connected to any network (no cable, no Wi-Fi)");
      finding.fix = phrase(
          "Plug in the network cable (at both ends), or turn off airplane mode and join the Wi-Fi. "
          "Then run this again. If the link light stays dark, tell your network team which wall "
          "socket it is.");
      for (const auto& link : outer_links(site)) tell(in_words(link));
      if (finding.evidence.empty()) tell(phrase("This computer has no network adapter."));
      break;
    case Disconnection::no_address:
      finding.title = phrase("This computer gets no IP address from the network");
      finding.fix = phrase(
          "Check the DHCP server of the network on {}: is it running, does it have free addresses, "
          "and may this device join? On the computer, reconnect the cable or the Wi-Fi, and check "
          "that its address is set to \"automatic\". Then run this again.",
          links_up(site));
      tell(phrase("{} is connected but has no address of its own (DHCP, RFC 2131).",
                  links_up(site)));
      break;
    case Disconnection::no_gateway:
      finding.title = phrase("This computer has an address but no default gateway");
      finding.fix = phrase(
          "Have the DHCP server hand out the router's address (option 3), or set this computer's "
          "default gateway if its address is static. Then run this again. If the only way out of "
          "this network is a proxy, add --proxy URL.");
      tell(phrase("Addresses of this computer: {}. It has no default route.",
                  addresses_in_words(site)));
      break;
    case Disconnection::silent_gateway:
      finding.title =
          site.gateways.size() > 1
              ? phrase("The default gateways {} do not answer", gateways_in_words(site))
              : phrase("The default gateway {} does not answer", gateways_in_words(site));
      finding.fix = phrase(
          "Check that the router is running ({}), and that this computer is on the right network "
          "(VLAN, Wi-Fi name, switch port): the router does not even answer ARP or Neighbor "
          "Discovery. Then run this again.",
          gateways_in_words(site));
      tell(phrase("No device on {} answers for {} (ARP, or Neighbor Discovery for IPv6).",
                  links_up(site), gateways_in_words(site)));
      break;
  }
  return finding;
}

}  // namespace callready::findings
