// Reports that somebody saved, as `render`, `merge` and `diff` take them.
#pragma once

#include <string>

#include "reports/json_reader.hpp"

namespace callready {

// `file`: a path, or "-" for standard input. The error begins with it. What this edition does not
// know, and has left out, is told by a note of the report.
ReadResult read_report_file(const std::string& file);

// That note; nothing where all of the report is known.
std::optional<std::string> note_of_left_out(const ReadResult& read);

}  // namespace callready
