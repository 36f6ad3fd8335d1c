// Rows of a CSV file (RFC 4180: CRLF, quotes doubled). Internal to reports/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/words/terminal.hpp"

namespace callready {

using CsvCells = std::vector<std::string>;

// Spreadsheets run what looks like a formula, quoted or not, even in full-width characters, so it
// gets a leading apostrophe. If the user's spreadsheet separates by semicolons, a cell begins after
// one; the doubled quotes of an escaped quote there are an empty text, which a formula can follow.
inline std::string csv_cell(std::string_view text) {
  const auto safe = harmless(text);
  std::string value;
  bool begins = true;
  for (std::string_view rest = safe; !rest.empty(); rest.remove_prefix(1)) {
    for (const std::string_view sign :
         {"=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}) {
      if (begins && rest.starts_with(sign)) value += '\'';
    }
    begins = rest.front() == ';' || (begins && (rest.front() == ' ' || rest.front() == '"'));
    value += rest.front();
  }
  if (value.find_first_of(",;\"") == std::string::npos) return value;
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
