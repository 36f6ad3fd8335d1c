#include "reports/words/site_facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/words/phrases.hpp"

namespace callready {
namespace {

std::string in_words(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.to_string());
  return joined(texts);
}

// "address_and_port_dependent" becomes words for people.
std::string in_words(const std::optional<std::string>& word) {
  auto text = word.value_or("");
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

// In words: "20-30", ">180", "<10" seconds without a packet.
std::string lifetime_in_words(const std::optional<std::string>& seconds) {
  if (!seconds || seconds->empty()) return {};
  if (*seconds == to_string(DetailCode::not_measured))
    return say("not measured: it needs a TURN login or `callready serve`");
  if (seconds->front() == '>') return say("still there after {} s idle", seconds->substr(1));
  if (seconds->front() == '<') return say("gone before {} s idle", seconds->substr(1));
  if (seconds->find_first_not_of("0123456789-.") != std::string::npos) return in_words(seconds);
  return say("gone after {} s idle", *seconds);
}

}  // namespace

std::vector<SiteFact> site_facts(const Site& site) {
  std::vector<SiteFact> facts;
  const auto tell = [&](std::string name, std::string text) {
    if (!text.empty()) facts.push_back({std::move(name), std::move(text)});
  };
  for (const auto& interface : site.interfaces) {
    tell(say("Interface"), fmt::format("{}: {}{}", interface.name, in_words(interface.addresses),
                                       interface.tunnel          ? say(" (a tunnel)")
                                       : interface.default_route ? say(" (to the Internet)")
                                                                 : ""));
  }
  tell(say("DNS servers"), joined(site.resolvers));
  tell(say("Proxy"), site.proxy.value_or(say("none")));
  tell(say("Public address"), in_words(site.public_addresses));
  tell(say("NAT mapping"), in_words(site.nat_mapping));
  tell(say("NAT filtering"), in_words(site.nat_filtering));
  tell(say("Port preservation"), in_words(site.nat_port_preservation));
  tell(say("Hairpin"), in_words(site.nat_hairpin));
  tell(say("Translations"), in_words(site.nat_translations));
  tell(say("UDP bindings"), lifetime_in_words(site.nat_binding_lifetime));
  for (const auto& agent : site.agents) {
    tell(say("Runs here"), fmt::format("{} ({})", agent.name, agent.seen));
  }
  for (const auto& policy : site.browser_policies) {
    tell(say("Browser policy"), say("{}: {} is {}{}", policy.browser, policy.name, policy.value,
                                    policy.recommended ? say(" (users may change it)") : ""));
  }
  for (const auto& place : site.unread_policies) {
    tell(say("Browser policy"), say("could not be read: {}", place));
  }
  return facts;
}

}  // namespace callready
