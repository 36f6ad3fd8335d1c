// One line for Nagios and its relatives, with performance data (Monitoring Plugins guidelines).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/format.hpp"
#include "reports/words/answer.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

std::string_view state_word(int status) {
  static constexpr std::string_view words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return words[std::clamp(status, 0, 3)];
}

// It works, but somebody has to fix something all the same.
bool needs_attention(const SetResult& set, const Report& report) {
  return set.verdict == Verdict::ready && mark_of(set, report) == Mark::warning;
}

// "|" begins the performance data.
std::string plain(std::string_view text) {
  auto safe = harmless(text);
  std::replace(safe.begin(), safe.end(), '|', '/');
  return safe;
}

}  // namespace

int nagios_status(const Report& report) {
  if (!report.complete) return 3;
  switch (overall(report)) {
    case Verdict::ready:
      return std::ranges::any_of(report.sets,
                                 [&](const SetResult& set) { return needs_attention(set, report); })
                 ? 1
                 : 0;
    case Verdict::degraded:
      return 1;
    case Verdict::blocked:
      return 2;
    case Verdict::unknown:
      return 3;
  }
  return 3;
}

std::string render_nagios(const Report& report, const RenderOptions&) {
  std::vector<std::string> parts;
  if (!report.complete) parts.emplace_back("incomplete run");
  if (!report.part.empty()) {
    parts.push_back(fmt::format("only a part was tried ({})", plain(part_asked(report))));
  }
  for (const auto& set : report.sets) {
    parts.push_back(fmt::format("{} {}{}", plain(title_of(set)), verdict_word(set.verdict),
                                needs_attention(set, report) ? ", but needs attention" : ""));
  }
  if (report.sets.empty()) parts.emplace_back("nothing was checked");
  for (const auto& finding : report.findings) parts.push_back(plain(finding.title));
  const auto endpoints = count_endpoints(report);
  const double seconds = report.duration.count() / 1000;
  return fmt::format("CALLREADY {} - {} | endpoints={} reached={} time={:.3f}s\n",
                     state_word(nagios_status(report)), joined(parts, "; "), endpoints.tried,
                     endpoints.reached, std::isfinite(seconds) ? seconds : 0);
}

}  // namespace callready
