#include "probe/cli/saved_report.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace callready {

ReadResult read_report_file(const std::string& file) {
  const bool standard = file == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(
      standard ? nullptr : std::fopen(file.c_str(), "rb"),
      [](std::FILE* f) { return std::fclose(f); });
  auto* input = standard ? stdin : opened.get();
  const std::string name = standard ? "standard input" : file;
  if (input == nullptr) return {std::nullopt, name + ": " + std::strerror(errno)};
  std::string text;
  char buffer[65536];
  // One byte more than a report may have, and the reader says so.
  while (text.size() <= largest_report) {
    const auto size = std::fread(buffer, 1, sizeof buffer, input);
    text.append(buffer, size);
    if (size < sizeof buffer) break;
  }
  if (std::ferror(input) != 0) return {std::nullopt, name + ": " + std::strerror(errno)};
  return read_report(text, name);
}

}  // namespace callready
