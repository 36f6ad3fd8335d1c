// Where a report goes: standard output and files, in the formats asked for.
#pragma once

#include <optional>
#include <string>

#include "probe/cli/arguments.hpp"
#include "probe/cli/privacy.hpp"
#include "reports/format.hpp"

namespace callready {

// What standard output can show, and what the user chose.
RenderOptions render_options(const Arguments& arguments);

// True where the run is kept for `render last` and the next one.
bool keeps_run(const Arguments& arguments);

// Before a run: the first reason why a report could not be written, or nothing.
std::optional<std::string> why_not_deliverable(const Arguments& arguments);

// After a run: writes everything; the first error in words, or nothing. Standard output gets one
// report: the text, unless --json or a --report without a file asks for another.
std::optional<std::string> deliver(const Report& report, const Arguments& arguments);

// What print_reason says about a pipe that nobody reads.
inline constexpr std::string_view reader_has_gone = "its reader has gone";

// Writes all of it to standard output; why it could not, in words, or nothing.
std::optional<std::string> print_reason(const std::string& text);
bool print(const std::string& text);
// The same, but a reader that has gone is not a failure (`| head`): complains about all others. 0,
// or the exit status of a failure.
int printed(const std::string& text);

// The first step of a command that writes a saved report: what hides the private data in it.
// Nothing, after a complaint, if the report could not be written, or not hidden.
std::optional<Privacy> prepare_delivery(const Arguments& arguments);

// The last step of a command that has a report: hides what is to be hidden, delivers, complains if
// that fails. The exit status: the verdict's (Nagios' for --nagios), or 2. `push_token`: for
// --push-to.
int conclude(Report report, const Arguments& arguments, Privacy& privacy,
             const std::string& push_token = {});
// True once a report has been delivered: the exit status is then a verdict.
bool has_delivered();

}  // namespace callready
