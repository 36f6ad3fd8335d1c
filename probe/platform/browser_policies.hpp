// What administrators have set for the browsers of this computer, where every user may read it.
#pragma once

#include <string>
#include <vector>

namespace callready::platform {

struct PolicyText {
  std::string browser;       // "Google Chrome"
  std::string place;         // the file or the registry key
  bool recommended = false;  // users may change it
  std::string json;          // an object of policies by their names; of Firefox's its file
  std::string unread;        // why there is none, in words
};

// At most most_policy_files of most_policy_bytes. `root`: where the file system begins, for tests;
// what a browser's own folder of a user holds is nobody's policy.
inline constexpr std::size_t most_policy_files = 64, most_policy_bytes = 256 * 1'024;
std::vector<PolicyText> browser_policies(const std::string& root = {});

}  // namespace callready::platform
