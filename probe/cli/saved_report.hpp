// Reports that somebody saved, as `render`, `merge` and `diff` take them.
#pragma once

#include <string>

#include "reports/json_reader.hpp"

namespace callready {

// `file`: a path, or "-" for standard input. The error begins with it.
ReadResult read_report_file(const std::string& file);

}  // namespace callready
