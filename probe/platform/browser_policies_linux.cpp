#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "probe/platform/browser_policies.hpp"

namespace callready::platform {
namespace {

// chromeenterprise.google/policies, learn.microsoft.com/deployedge,
// firefox-admin-docs.mozilla.org: where each looks on Linux.
struct PolicyFolder {
  const char *browser, *folder;
};
constexpr std::array policy_folders{PolicyFolder{"Google Chrome", "/etc/opt/chrome/policies"},
                                    PolicyFolder{"Chromium", "/etc/chromium/policies"},
                                    PolicyFolder{"Microsoft Edge", "/etc/opt/edge/policies"}};

PolicyText read_policies(const char* browser, const std::filesystem::path& file,
                         const std::string& root, bool recommended) {
  PolicyText policies{browser, file.string().substr(root.size()), recommended, {}, {}};
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(file, error);
  std::ifstream stream;
  if (regular) stream.open(file, std::ios::binary);
  if (!stream.is_open()) {
    policies.unread = "it cannot be opened";
    return policies;
  }
  policies.json.resize(most_policy_bytes + 1);
  stream.read(policies.json.data(), static_cast<std::streamsize>(policies.json.size()));
  policies.json.resize(static_cast<std::size_t>(stream.gcount()));
  if (policies.json.size() <= most_policy_bytes) return policies;
  policies.json.clear();
  policies.unread = "it is too large";
  return policies;
}

}  // namespace

std::vector<PolicyText> browser_policies(const std::string& root) {
  namespace fs = std::filesystem;
  std::vector<PolicyText> found;
  for (const auto& [browser, folder] : policy_folders) {
    for (const bool recommended : {false, true}) {
      const fs::path place = root + folder + (recommended ? "/recommended" : "/managed");
      std::vector<fs::path> files;
      std::error_code error;
      for (fs::directory_iterator entry(place, error), end; !error && entry != end;
           entry.increment(error)) {
        if (entry->path().extension() != ".json") continue;
        if (files.size() == most_policy_files) break;
        files.push_back(entry->path());
      }
      std::sort(files.begin(), files.end());
      for (const auto& file : files) {
        if (found.size() == most_policy_files) return found;
        found.push_back(read_policies(browser, file, root, recommended));
      }
    }
  }
  const fs::path firefox = root + "/etc/firefox/policies/policies.json";
  std::error_code error;
  if (fs::exists(firefox, error)) found.push_back(read_policies("Firefox", firefox, root, false));
  return found;
}

}  // namespace callready::platform
