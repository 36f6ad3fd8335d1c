// All that the program makes of a report: every format, in plain and redacted, events, a merged
// report, a comparison, a history, what is still closed in every firewall's language, and the
// report itself after it was written and read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/model/report.hpp"

namespace callready::every_report {

// What is wrong with that, a line each; empty: nothing. `other`: a report to merge and compare it
// with. `some`: the number of a few of the uses, in turn, for many small reports; nothing: all.
// `exact`: all its text is UTF-8 and its figures are as a file has them, so that each format says
// the same of it once it was read back.
struct Case {
  const Report& report;
  const Report& other;
  std::optional<std::uint64_t> some;
  bool exact = true;
};
std::vector<std::string> faults_of(const Case& given);

}  // namespace callready::every_report
