#include "probe/cli/saved_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "probe/platform/input_file.hpp"
#include "probe/platform/system.hpp"
#include "reports/format.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

constexpr std::size_t most_told = 4;

// Empty where the user has no such folder.
std::string last_file() {
  const auto folder = platform::state_folder();
  return folder.empty() ? folder : folder + "/last.json";
}

}  // namespace

platform::Input read_standard_input(std::size_t most) {
  platform::Input input;
  char buffer[65536];
  while (input.text.size() <= most) {
    const auto size = std::fread(buffer, 1, sizeof buffer, stdin);
    input.text.append(buffer, size);
    if (size < sizeof buffer) break;
  }
  if (std::ferror(stdin) != 0) input.error = std::strerror(errno);
  return input;
}

void keep_last(const Report& report) {
  const auto file = last_file();
  if (file.empty()) return;
  if (const auto reason = platform::replace_private_file(file, render_json(report, {}))) {
    spdlog::debug("the run is not kept: {}: {}", file, *reason);
  }
}

ReadResult read_report_file(const std::string& given) {
  if (given.empty()) return {std::nullopt, "a report's name is empty; expected a file", {}};
  const bool last = given == "last" && !platform::is_file(given);
  const auto file = last ? last_file() : given;
  if (last && !platform::is_file(file)) {
    return {std::nullopt, "no run has been kept yet: callready check SERVICE makes one", {}};
  }
  const bool standard = file == "-";
  const std::string name = standard ? "standard input" : file;
  // One byte more than a report may have, and the reader says so.
  const auto input =
      standard ? read_standard_input(largest_report) : platform::read_input(file, largest_report);
  if (!input.error.empty()) return {std::nullopt, harmless(name + ": " + input.error)};
  auto result = read_report(input.text, name);
  if (auto note = note_of_left_out(result)) result.report->notes.push_back(std::move(*note));
  return result;
}

// Readers of what is made from the report must know that there was more.
std::optional<std::string> note_of_left_out(const ReadResult& read) {
  const auto& unknown = read.unknown;
  if (!read.report || unknown.empty()) return std::nullopt;
  const auto told = std::min(unknown.size(), most_told);
  const std::vector<std::string> some(unknown.begin(),
                                      unknown.begin() + static_cast<std::ptrdiff_t>(told));
  return fmt::format(
      "The saved report was made by callready {} and holds members that callready {} does not know "
      "and has left out: {}{}.",
      read.report->tool.version, CALLREADY_VERSION, fmt::join(some, ", "),
      unknown.size() > told ? fmt::format(", and {} more", unknown.size() - told) : "");
}

}  // namespace callready
