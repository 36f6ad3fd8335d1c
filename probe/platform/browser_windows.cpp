#include <windows.h>

#include <objbase.h>
#include <shellapi.h>

#include <filesystem>

#include "probe/platform/browser.hpp"
#include "probe/platform/wide.hpp"

namespace callready::platform {

// Whatever opens .html: the browser, unless somebody has chosen otherwise.
bool open_in_browser(const std::string& file) {
  const bool ours = SUCCEEDED(CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED));
  const auto path = std::filesystem::path(to_wide(file)).make_preferred().wstring();
  const auto result = reinterpret_cast<INT_PTR>(
      ShellExecuteW(nullptr, L"open", path.c_str(), nullptr, nullptr, SW_SHOWNORMAL));
  if (ours) CoUninitialize();
  return result > 32;  // anything less is an error (shellapi.h)
}

}  // namespace callready::platform
