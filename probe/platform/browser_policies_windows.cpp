#include "probe/platform/browser_policies.hpp"

#include <windows.h>

#include <array>
#include <string_view>

#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

struct PolicyKey {
  const char* browser;
  const wchar_t* key;
};
constexpr std::array policy_keys{
    PolicyKey{"Google Chrome", L"Software\\Policies\\Google\\Chrome"},
    PolicyKey{"Chromium", L"Software\\Policies\\Chromium"},
    PolicyKey{"Microsoft Edge", L"Software\\Policies\\Microsoft\\Edge"}};
constexpr DWORD most_characters = 4'096;

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) json += c;
  }
  return json + '"';
}

// One value as JSON; empty where it is not set.
std::string json_of(HKEY root, const std::wstring& key, const wchar_t* value) {
  DWORD number = 0, size = sizeof number;
  if (RegGetValueW(root, key.c_str(), value, RRF_RT_REG_DWORD, nullptr, &number, &size) ==
      ERROR_SUCCESS) {
    return std::to_string(number);
  }
  std::wstring text(most_characters, L'\0');
  size = most_characters * sizeof(wchar_t);
  if (RegGetValueW(root, key.c_str(), value, RRF_RT_REG_SZ, nullptr, text.data(), &size) !=
      ERROR_SUCCESS) {
    return {};
  }
  text.resize(text.find(L'\0'));
  return quoted(to_utf8(text.c_str()));
}

}  // namespace

std::vector<PolicyText> browser_policies(const std::string&) {
  std::vector<PolicyText> found;
  for (const auto& [browser, key] : policy_keys) {
    for (const bool machine : {true, false}) {
      for (const bool recommended : {false, true}) {
        const auto whole = std::wstring(key) + (recommended ? L"\\Recommended" : L"");
        std::string json;
        // Values are read, lists (a key below) are not.
        for (const auto name : policies_of_calls) {
          const auto text = json_of(machine ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER, whole,
                                    to_wide(name).c_str());
          if (text.empty()) continue;
          json += (json.empty() ? "{" : ",") + quoted(name) + ":" + text;
        }
        if (json.empty()) continue;
        found.push_back({browser,
                         (machine ? "HKLM\\" : "HKCU\\") + to_utf8(whole.c_str()),
                         recommended,
                         json + "}",
                         {}});
      }
    }
  }
  return found;
}

}  // namespace callready::platform
