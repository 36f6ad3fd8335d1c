#include "probe/cli/place.hpp"

#include <fmt/format.h>

#include "probe/cli/saved_report.hpp"
#include "probe/cli/say.hpp"
#include "probe/diagnosis/compare/compare.hpp"
#include "probe/model/told_apart.hpp"
#include "probe/platform/system.hpp"
#include "reports/format.hpp"

namespace callready {

std::string place_of_this_computer() {
  // Kubernetes sets it in every container.
  return platform::environment("KUBERNETES_SERVICE_HOST").empty() ? "" : "a Kubernetes pod";
}

void add_place(const Arguments& arguments, Report& report) {
  if (!arguments.place.empty()) {
    report.notes.push_back(fmt::format("{}{}.", place_words, arguments.place));
  }
  if (place_of_this_computer().empty()) return;
  report.notes.push_back(
      phrase("Measured from a Kubernetes pod, which is not on the users' network: its firewall "
             "rules, proxy, and address translation may be different. What works here may be "
             "blocked for users, and vice versa."));
}

std::optional<std::string> add_history(const Arguments& arguments, Report& report) {
  const auto& file = arguments.history_file;
  if (file.empty()) return std::nullopt;
  std::optional<Report> previous;
  if (platform::is_file(file)) {
    auto read = read_report_file(file);
    // An old report that cannot be read is no reason to lose a new one.
    if (!read.report) complain(read.error + "; the history begins anew");
    previous = std::move(read.report);
  }
  continue_history(previous ? &*previous : nullptr, report);
  if (!report.complete) return std::nullopt;
  const auto reason = platform::write_whole_file(file, render_json(report, {}));
  if (!reason) return std::nullopt;
  return fmt::format("{}: {}", file, *reason);
}

}  // namespace callready
