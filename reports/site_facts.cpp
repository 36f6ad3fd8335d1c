#include "reports/site_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/phrases.hpp"

namespace callready {
namespace {

std::string in_words(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.to_string());
  return joined(texts);
}

// "address_and_port_dependent" is a program's spelling.
std::string in_words(const std::optional<std::string>& word) {
  auto text = word.value_or("");
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

// Of "20-30", ">180", "<10" seconds without a packet.
std::string lifetime_in_words(const std::optional<std::string>& seconds) {
  if (!seconds || seconds->empty()) return {};
  if (seconds->front() == '>')
    return fmt::format("still there after {} s idle", seconds->substr(1));
  if (seconds->front() == '<') return fmt::format("gone before {} s idle", seconds->substr(1));
  if (seconds->find_first_not_of("0123456789-.") != std::string::npos) return in_words(seconds);
  return fmt::format("gone after {} s idle", *seconds);
}

}  // namespace

std::vector<SiteFact> site_facts(const Site& site) {
  std::vector<SiteFact> facts;
  const auto tell = [&](std::string_view name, std::string text) {
    if (!text.empty()) facts.push_back({name, std::move(text)});
  };
  for (const auto& interface : site.interfaces) {
    tell("Interface", fmt::format("{}: {}{}", interface.name, in_words(interface.addresses),
                                  interface.tunnel          ? " (a tunnel)"
                                  : interface.default_route ? " (to the Internet)"
                                                            : ""));
  }
  tell("DNS servers", joined(site.resolvers));
  tell("Proxy", site.proxy.value_or("none"));
  tell("Public address", in_words(site.public_addresses));
  tell("NAT mapping", in_words(site.nat_mapping));
  tell("NAT filtering", in_words(site.nat_filtering));
  tell("Ports kept", in_words(site.nat_port_preservation));
  tell("Hairpin", in_words(site.nat_hairpin));
  tell("Translations", in_words(site.nat_translations));
  tell("UDP bindings", lifetime_in_words(site.nat_binding_lifetime));
  for (const auto& agent : site.agents) {
    tell("Runs here", fmt::format("{} ({})", agent.name, agent.seen));
  }
  for (const auto& policy : site.browser_policies) {
    tell("Browser policy", fmt::format("{}: {} is {}{}", policy.browser, policy.name, policy.value,
                                       policy.recommended ? " (users may change it)" : ""));
  }
  for (const auto& place : site.unread_policies) {
    tell("Browser policy", fmt::format("could not be read: {}", place));
  }
  return facts;
}

}  // namespace callready
