// What every user may know of this computer: browsers' policies, agents, the load.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "probe/platform/agents.hpp"
#include "probe/platform/browser_policies.hpp"
#include "probe/platform/own_load.hpp"
#include "tests/support/temporary_folder.hpp"

namespace callready::platform {
namespace {

void put(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

#ifdef __linux__
TEST(BrowserPolicyFiles, AreFoundWhereBrowsersLookAndBounded) {
  const test::TemporaryFolder root;
  const auto in = [&](const char* path) { return root.path() + path; };
  EXPECT_TRUE(browser_policies(root.path()).empty());
  put(in("/etc/opt/chrome/policies/managed/b.json"), "{\"QuicAllowed\": false}");
  put(in("/etc/opt/chrome/policies/managed/a.json"), std::string(most_policy_bytes + 1, ' '));
  put(in("/etc/opt/chrome/policies/managed/notes.txt"), "{}");
  put(in("/etc/opt/edge/policies/recommended/a.json"), "{}");
  put(in("/etc/firefox/policies/policies.json"), "{}");
  std::filesystem::create_directories(in("/etc/chromium/policies/managed/folder.json"));
  const auto found = browser_policies(root.path());
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[0].place, "/etc/opt/chrome/policies/managed/a.json");
  EXPECT_EQ(found[0].unread, "it is too large");
  EXPECT_TRUE(found[0].json.empty());
  EXPECT_EQ(found[1].browser, "Google Chrome");
  EXPECT_EQ(found[1].json, "{\"QuicAllowed\": false}");
  EXPECT_FALSE(found[1].recommended);
  EXPECT_EQ(found[2].browser, "Chromium");
  EXPECT_FALSE(found[2].unread.empty()) << "a folder is no file";
  EXPECT_EQ(found[3].browser, "Microsoft Edge");
  EXPECT_TRUE(found[3].recommended);
  EXPECT_EQ(found[4].browser, "Firefox");
}

TEST(Agents, AreKnownByTheirProcesses) {
  const test::TemporaryFolder processes;
  EXPECT_TRUE(known_agents(processes.path()).empty());
  put(processes.path() + "/17/comm", "warp-svc\n");
  put(processes.path() + "/18/comm", "warp-svc\n");
  put(processes.path() + "/19/comm", "bash\n");
  put(processes.path() + "/self/comm", "warp-svc\n");
  const auto found = known_agents(processes.path());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "Cloudflare WARP");
  EXPECT_EQ(found[0].seen, "process warp-svc");
}

TEST(OwnLoad, TheSignalIsThatOfTheLinkThatWasJoined) {
  const test::TemporaryFolder folder;
  const auto table = folder.path() + "/wireless";
  put(table,
      "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
      " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
      "wlan0: 0000   54.  -56.  -256        0      0      0      0     12        0\n"
      "wlp1s0: 0000   40  -70  -256        0      0      0      0     12        0\n"
      "old0: 0000   40.  180.  -256        0      0      0      0     12        0\n"
      "cut0: 0000\n");
  ASSERT_TRUE(wifi_link("wlan0", table));
  EXPECT_EQ(wifi_link("wlan0", table)->signal_dbm, std::optional(-56.0));
  ASSERT_TRUE(wifi_link("wlp1s0", table));
  EXPECT_EQ(wifi_link("wlp1s0", table)->signal_dbm, std::optional(-70.0));
  EXPECT_FALSE(wifi_link("old0", table)) << "no dBm";
  EXPECT_FALSE(wifi_link("cut0", table));
  EXPECT_FALSE(wifi_link("wlan", table));
  EXPECT_FALSE(wifi_link("wlan0", folder.path() + "/none"));
}
#endif

TEST(OwnLoad, GrowsAndIsNoMoreThanAll) {
  const auto first = processor_time();
  if (!first) GTEST_SKIP() << "the system does not say";
  EXPECT_GT(first->all, 0);
  EXPECT_LE(first->busy, first->all);
}

TEST(OwnLoad, LoopbackIsNoWifi) { EXPECT_FALSE(wifi_link("lo")); }

}  // namespace
}  // namespace callready::platform
