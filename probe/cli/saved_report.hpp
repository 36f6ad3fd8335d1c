// Reports that somebody saved, as `render`, `merge` and `diff` take them.
#pragma once

#include <string>

#include "probe/platform/input_file.hpp"
#include "reports/json/reader.hpp"

namespace callready {

// `file`: a path, "-" for standard input, or "last" for the last run's. The error begins with it.
// What this edition does not know, and has left out, is told by a note of the report.
ReadResult read_report_file(const std::string& file);

// Until its end, or until there is more than `most`, however long whoever writes it takes.
platform::Input read_standard_input(std::size_t most);

// Keeps the run for `render last`, for this user alone; without success where there is no place.
void keep_last(const Report& report);

// That note; nothing where all of the report is known.
std::optional<std::string> note_of_left_out(const ReadResult& read);

}  // namespace callready
