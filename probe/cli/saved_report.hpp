// Reports that somebody saved, as `render`, `merge` and `diff` take them.
#pragma once

#include <string>

#include "probe/platform/input_file.hpp"
#include "reports/json/reader.hpp"

namespace callready {

// `file`: a path, "-" for standard input, or "last" for the last run's. The error begins with it. A
// note in the report says what this version does not know and has left out.
ReadResult read_report_file(const std::string& file);

// Reads to the end, or until there is more than `most`, no matter how long the writer takes.
platform::Input read_standard_input(std::size_t most);

// Keeps the run for `render last`, for this user alone; does nothing if there is no place for it.
void keep_last(const Report& report);

// That note; nothing where all of the report is known.
std::optional<std::string> note_of_left_out(const ReadResult& read);

}  // namespace callready
