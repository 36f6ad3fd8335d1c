// What administrators have set for this computer's browsers, as far as every user may read it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace callready::platform {

// Those that affect calls. developer.samsung.com/browser/policy and learn.microsoft.com/deployedge
// have Chromium's.
inline constexpr std::array<std::string_view, 7> policies_of_calls{
    "WebRtcUdpPortRange",           "WebRtcIPHandling", "WebRtcIPHandlingUrl",
    "WebRtcLocalhostIpHandling",    "QuicAllowed",      "PostQuantumKeyAgreementEnabled",
    "WebRtcPostQuantumKeyAgreement"};

struct PolicyText {
  std::string browser;       // "Google Chrome"
  std::string place;         // the file or the registry key
  bool recommended = false;  // users may change it
  std::string json;          // an object of policies by name; for Firefox the whole file
  std::string unread;        // why there is none, in words
};

// At most most_policy_files of most_policy_bytes. `root`: where the file system begins, for tests.
// A browser's own folder in a user's home is not a policy.
inline constexpr std::size_t most_policy_files = 64, most_policy_bytes = 256 * 1'024;
std::vector<PolicyText> browser_policies(const std::string& root = {});

}  // namespace callready::platform
