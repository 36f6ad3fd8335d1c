#include "probe/model/comparison.hpp"

#include <algorithm>

namespace callready {

std::string_view to_string(Trend trend) {
  switch (trend) {
    case Trend::better:
      return "better";
    case Trend::worse:
      return "worse";
    case Trend::unknown:
      return "unknown";
    case Trend::changed:
      return "changed";
  }
  return "changed";
}

std::string_view to_string(Change::Of of) {
  switch (of) {
    case Change::Of::set:
      return "set";
    case Change::Of::capability:
      return "capability";
    case Change::Of::requirement:
      return "requirement";
  }
  return "requirement";
}

bool Comparison::worse() const {
  const auto got_worse = [](const auto& change) { return change.trend == Trend::worse; };
  return std::any_of(changes.begin(), changes.end(), got_worse) ||
         std::any_of(findings.begin(), findings.end(), got_worse);
}

bool Comparison::not_known() const {
  return !worse() && std::any_of(changes.begin(), changes.end(), [](const Change& change) {
    return change.trend == Trend::unknown && change.of != Change::Of::requirement;
  });
}

bool Comparison::same() const {
  return changes.empty() && added.empty() && removed.empty() && findings.empty();
}

}  // namespace callready
