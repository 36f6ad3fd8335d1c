// What administrators have set for browsers: read where they are, bad ones told.
#include "probe/engine/browser_policies.hpp"

#include <gtest/gtest.h>

#include "probe/util/utf8.hpp"
#include "tests/support/temporary_folder.hpp"

namespace callready {
namespace {

Site told(std::vector<platform::PolicyText> texts) {
  Site site;
  tell_policies(texts, site);
  return site;
}

TEST(BrowserPolicies, OfCallsAreToldAndNoOthers) {
  const auto site = told({{"Google Chrome", "/etc/x.json", false,
                           R"({"WebRtcIPHandling": "disable_non_proxied_udp", // why
                               "QuicAllowed": false, "HomepageLocation": "https://corp.example"})",
                           ""}});
  ASSERT_EQ(site.browser_policies.size(), 2U);
  EXPECT_EQ(site.browser_policies[0].name, "WebRtcIPHandling");
  EXPECT_EQ(site.browser_policies[0].value, "disable_non_proxied_udp");
  EXPECT_EQ(site.browser_policies[1].value, "false");
  EXPECT_TRUE(site.unread_policies.empty());
}

TEST(BrowserPolicies, LongOnesAreCutAtACharacter) {
  const auto json = R"({"WebRtcIPHandling": ")" + std::string(199, 'a') + "\xC3\xA9 and more\"}";
  const auto site = told({{"Chromium", "/etc/x.json", false, json, ""}});
  ASSERT_EQ(site.browser_policies.size(), 1U);
  const auto& value = site.browser_policies[0].value;
  EXPECT_FALSE(find_invalid_utf8(value)) << value;
  EXPECT_TRUE(value.ends_with("...")) << value;
}

TEST(BrowserPolicies, OfFirefoxArePreferences) {
  const auto site = told({{"Firefox", "/etc/firefox/policies/policies.json", false,
                           R"({"policies": {"Preferences": {
              "media.peerconnection.enabled": {"Value": false, "Status": "locked"},
              "media.peerconnection.ice.obfuscate_host_addresses.whitelist": {"Value": "a", "Status": "default"},
              "browser.tabs": {"Value": 1}}}})",
                           ""}});
  ASSERT_EQ(site.browser_policies.size(), 2U);
  EXPECT_EQ(site.browser_policies[0].name, "media.peerconnection.enabled");
  EXPECT_FALSE(site.browser_policies[0].recommended);
  EXPECT_TRUE(site.browser_policies[1].recommended);
}

TEST(BrowserPolicies, ServersWithLoginsAreNotTold) {
  const auto site =
      told({{"Firefox", "/x", false,
             R"({"policies": {"Preferences": {"media.peerconnection.default_iceservers":
              "[{\"urls\":\"turn:turn.example.com\",\"credential\":\"hunter2\"}]"}}})",
             ""}});
  ASSERT_EQ(site.browser_policies.size(), 1U);
  EXPECT_EQ(site.browser_policies[0].value, "(set)");
}

TEST(BrowserPolicies, ThatCannotBeReadAreSaid) {
  for (const auto* bad : {"", "{", "[1]", "{\"WebRtcIPHandling\":", "null"}) {
    const auto site = told({{"Chromium", "/etc/x.json", false, bad, ""}});
    EXPECT_TRUE(site.browser_policies.empty()) << bad;
    ASSERT_EQ(site.unread_policies.size(), 1U) << bad;
  }
  EXPECT_EQ(told({{"Chromium", "/x", false, "", "it is too large"}}).unread_policies,
            std::vector<std::string>{"/x: it is too large"});
  for (const auto* odd : {R"({"policies": 1})", R"({"policies": {"Preferences": []}})",
                          R"({"policies": {"Preferences": {"media.peerconnection.x": {}}}})"}) {
    const auto site = told({{"Firefox", "/x", false, odd, ""}});
    EXPECT_TRUE(site.browser_policies.empty()) << odd;
  }
}

}  // namespace
}  // namespace callready
