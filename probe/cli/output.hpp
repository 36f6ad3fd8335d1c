// Where a report goes: standard output and files, in the formats asked for.
#pragma once

#include <optional>
#include <string>

#include "probe/cli/arguments.hpp"
#include "reports/format.hpp"

namespace callready {

// What standard output can show, and what the user chose.
RenderOptions render_options(const Arguments& arguments);

// Before a run: the first reason why a report could not be written, or nothing.
std::optional<std::string> why_not_deliverable(const Arguments& arguments);

// After a run: writes everything; the first error in words, or nothing. Standard output gets one
// report: the text, unless --json or a --report without a file asks for another.
std::optional<std::string> deliver(const Report& report, const Arguments& arguments);

// Writes to standard output whole; false where it is closed or full.
bool print(const std::string& text);

}  // namespace callready
