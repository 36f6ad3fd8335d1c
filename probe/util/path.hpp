// Paths are UTF-8 texts here. The library would read a text in the code page of the C library,
// which on Windows has no place for most names.
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
