// render: a saved report in any format, diagnosed with what this version knows.
#include <fmt/format.h>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/privacy.hpp"
#include "probe/cli/saved_report.hpp"
#include "probe/diagnosis/compare/merge.hpp"

namespace callready {

int run_render(const Arguments& arguments) {
  auto privacy = prepare_delivery(arguments);
  if (!privacy) return usage_error;
  const auto read = read_report_file(arguments.names.front());
  if (!read.report) return fail(read.error);
  return conclude(diagnosed_anew(*read.report), arguments, *privacy);
}

}  // namespace callready
