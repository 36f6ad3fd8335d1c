// Paths are UTF-8 strings here. The standard library would read a string in the C library's code
// page, which on Windows cannot represent most names.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace callready {

inline std::filesystem::path path_of(std::string_view utf8) {
  return std::u8string(utf8.begin(), utf8.end());
}

inline std::string utf8_of(const std::filesystem::path& path) {
  const auto text = path.u8string();
  return {text.begin(), text.end()};
}

}  // namespace callready
