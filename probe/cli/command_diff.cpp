// diff: what got better and what got worse between two reports. Exit status 1 if anything got
// worse, 3 if a verdict is not known any more, otherwise 0.
#include <fmt/format.h>

#include <algorithm>

#include "probe/cli/commands.hpp"
#include "probe/cli/output.hpp"
#include "probe/cli/privacy.hpp"
#include "probe/cli/saved_report.hpp"
#include "probe/diagnosis/compare/compare.hpp"
#include "probe/diagnosis/compare/merge.hpp"
#include "reports/diff.hpp"

namespace callready {

int run_diff(const Arguments& arguments) {
  auto privacy = privacy_of(arguments);
  if (!privacy.error.empty()) return fail(privacy.error);
  if (std::ranges::count(arguments.names, "-") > 1)
    return fail("only one of the two reports can come from standard input");
  std::vector<Report> reports;
  std::vector<std::string> left_out;
  for (const auto& file : arguments.names) {
    const auto read = read_report_file(file);
    if (!read.report) return fail(read.error);
    if (const auto note = note_of_left_out(read)) left_out.push_back(file + ": " + *note);
    // Both by this version's rules, or its improvements would look like the site's.
    reports.push_back(diagnosed_anew(*read.report));
    // What one of them shows to be the vendor's is the vendor's in the other, too.
    if (privacy.redactor) privacy.redactor->learn(reports.back());
  }
  if (privacy.redactor) {
    for (auto& report : reports) report = privacy.redactor->report(report);
  }
  auto comparison = compare(reports[0], arguments.names[0], reports[1], arguments.names[1]);
  comparison.notes.insert(comparison.notes.end(), left_out.begin(), left_out.end());
  const auto text =
      arguments.json ? diff_json(comparison) : diff_text(comparison, render_options(arguments));
  if (const int failed = printed(text)) return failed;
  return comparison.worse() ? 1 : comparison.not_known() ? 3 : 0;
}

}  // namespace callready
