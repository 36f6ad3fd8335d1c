// Reads a report that `render_json` wrote, so that it can be rendered, compared and diagnosed
// again.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

struct ReadResult {
  std::optional<Report> report;
  std::string error;  // one line; empty if and only if there is a report
  // Members that this edition does not know and that the report therefore lacks: "probes/*/colour",
  // each once, in alphabetical order.
  std::vector<std::string> unknown{};
};

// A saved report may come from a ticket, that is, from anybody: larger or deeper ones are refused.
inline constexpr std::size_t largest_report = std::size_t{32} * 1024 * 1024;  // bytes
inline constexpr int deepest_report = 32;                                     // nested [ and {

// `name` (a file name) starts the error: "NAME:LINE:COLUMN: ..." if the text is not JSON,
// "NAME: at /sets/0/verdict: ..." (RFC 6901) if a member is not what the schema requires.
// Unknown members are left out and listed: a later edition of the same schema may add some.
ReadResult read_report(std::string_view text, std::string_view name);

}  // namespace callready
