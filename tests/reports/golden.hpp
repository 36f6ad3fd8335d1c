// Golden files: tests/golden/reports/NAME holds the expected text, byte for byte.
// CALLREADY_UPDATE_GOLDEN=1 writes them anew; read the difference before you commit it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/source_folder.hpp"

namespace callready {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path << " is missing";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Spaces align columns there.
inline std::string hole_in_page(const std::string& text) {
  for (const auto* hole : {": . ", ": ; ", " to ; ", " to . ", "()", "{}"}) {
    if (text.find(hole) != text.npos) return hole;
  }
  return {};
}

inline void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(test::source_folder()) / "tests/golden/reports" / name;
  if (std::getenv("CALLREADY_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  if (name.ends_with(".txt") || name.ends_with(".md")) {
    EXPECT_EQ(hole_in_page(text), "") << name;
  }
  EXPECT_EQ(text, read_file(path)) << "see tests/reports/golden.hpp";
}

}  // namespace callready
