#include "probe/engine/browser_policies.hpp"

#include <nlohmann/json.hpp>

#include "probe/util/utf8.hpp"

namespace callready {
namespace {

using PolicyJson = nlohmann::json;

// github.com/mozilla/policy-templates: of its Preferences, WebRTC's.
constexpr std::string_view preferences_of_calls = "media.peerconnection.";
constexpr std::string_view with_a_login = "media.peerconnection.default_iceservers";
constexpr std::size_t most_told = 200;  // bytes of a value

std::string policy_in_words(const PolicyJson& value) {
  return printable(value.is_string()
                       ? value.get<std::string>()
                       : value.dump(-1, ' ', false, PolicyJson::error_handler_t::replace),
                   most_told);
}

}  // namespace

void tell_policies(std::span<const platform::PolicyText> texts, Site& site) {
  for (const auto& [browser, place, recommended, text, unread] : texts) {
    if (!unread.empty()) {
      site.unread_policies.push_back(place + ": " + unread);
      continue;
    }
    const auto json = PolicyJson::parse(text, nullptr, /*allow_exceptions=*/false,
                                        /*ignore_comments=*/true);
    if (!json.is_object()) {
      site.unread_policies.push_back(place + ": it does not hold a JSON object");
      continue;
    }
    for (const auto name : platform::policies_of_calls) {
      const auto value = json.find(name);
      if (value == json.end()) continue;
      site.browser_policies.push_back(
          {browser, std::string(name), policy_in_words(*value), place, recommended});
    }
    const auto policies = json.find("policies");
    if (policies == json.end() || !policies->is_object()) continue;
    const auto preferences = policies->find("Preferences");
    if (preferences == policies->end() || !preferences->is_object()) continue;
    for (const auto& [name, set] : preferences->items()) {
      if (!name.starts_with(preferences_of_calls)) continue;
      const auto value = set.is_object() ? set.find("Value") : set.end();
      const auto status = set.is_object() ? set.find("Status") : set.end();
      const bool locked = !set.is_object() || (status != set.end() && *status == "locked");
      if (set.is_object() && value == set.end()) continue;
      site.browser_policies.push_back(
          {browser, name,
           name == with_a_login ? "(set)" : policy_in_words(set.is_object() ? *value : set), place,
           !locked});
    }
  }
}

}  // namespace callready
