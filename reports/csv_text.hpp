// Rows of a CSV file (RFC 4180: CRLF, quotes doubled). Internal to reports/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/terminal.hpp"

namespace callready {

using CsvCells = std::vector<std::string>;

// Spreadsheets run what begins like a formula, quoted or not, so that gets an apostrophe before it.
inline std::string csv_cell(std::string_view text) {
  auto value = harmless(text);
  if (!value.empty() && std::string_view("=+-@").find(value.front()) != std::string_view::npos) {
    value.insert(value.begin(), '\'');
  }
  if (value.find_first_of(",\"") == std::string::npos) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

inline std::string csv_row(const CsvCells& cells) {
  std::string line;
  for (const auto& text : cells) {
    if (&text != &cells.front()) line += ',';
    line += csv_cell(text);
  }
  return line + "\r\n";
}

}  // namespace callready
