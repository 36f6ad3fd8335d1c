#include <array>
#include <cstdio>
#include <memory>

#include "probe/platform/browser_policies.hpp"
#include "probe/platform/system.hpp"

namespace callready::platform {
namespace {

struct PolicyFile {
  const char *browser, *file;
};
// Where configuration profiles put them for all users of a Mac.
constexpr std::array policy_files{
    PolicyFile{"Google Chrome", "/Library/Managed Preferences/com.google.Chrome.plist"},
    PolicyFile{"Chromium", "/Library/Managed Preferences/org.chromium.Chromium.plist"},
    PolicyFile{"Microsoft Edge", "/Library/Managed Preferences/com.microsoft.Edge.plist"}};

}  // namespace

// Every Mac has plutil, which can read property lists.
std::vector<PolicyText> browser_policies(const std::string& root) {
  std::vector<PolicyText> found;
  for (const auto& [browser, file] : policy_files) {
    if (!is_file(root + file)) continue;
    PolicyText policies{browser, file, false, {}, {}};
    const auto command = "/usr/bin/plutil -convert json -o - '" + root + file + "' 2>/dev/null";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"),
                                                               &::pclose);
    policies.json.resize(most_policy_bytes + 1);
    const auto size =
        pipe ? std::fread(policies.json.data(), 1, policies.json.size(), pipe.get()) : 0;
    policies.json.resize(size);
    if (size == 0 || size > most_policy_bytes) {
      policies.json.clear();
      policies.unread = "plutil could not convert it";
    }
    found.push_back(std::move(policies));
  }
  return found;
}

}  // namespace callready::platform
