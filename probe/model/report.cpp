#include "probe/model/report.hpp"

#include <algorithm>

namespace callready {

int badness(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
      return 0;
    case Verdict::unknown:
      return 1;
    case Verdict::degraded:
      return 2;
    case Verdict::blocked:
      return 3;
  }
  return 3;
}

Verdict overall(const Report& report) {
  if (report.sets.empty()) return Verdict::unknown;
  auto worst = Verdict::ready;
  for (const auto& set : report.sets) worst = worse_of(worst, set.verdict);
  return worst;
}

FindingAffects& affected(Finding& finding, const std::string& set) {
  const auto known = std::ranges::find(finding.affects, set, &FindingAffects::set);
  if (known != finding.affects.end()) return *known;
  return finding.affects.emplace_back(FindingAffects{set, {}});
}

std::string title_and_edition(const std::string& title, const std::string& edition) {
  return edition.empty() ? title : title + ", " + edition;
}

int exit_status(const Report& report) {
  if (!report.complete) return 3;
  switch (overall(report)) {
    case Verdict::ready:
      return 0;
    case Verdict::blocked:
      return 1;
    case Verdict::unknown:
      return 3;
    case Verdict::degraded:
      return 4;
  }
  return 3;
}

}  // namespace callready
