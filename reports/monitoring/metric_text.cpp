#include "reports/monitoring/metric_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "reports/words/terminal.hpp"

namespace callready {
namespace {

// The exposition format: \ and " are escaped in a label's value (line breaks are already gone).
// Invalid UTF-8 would make the whole file unreadable.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : harmless(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string("NaN");
}

}  // namespace

std::string Metric::text() const {
  if (samples_.empty()) return {};
  auto text = fmt::format("# HELP {} {}\n# TYPE {} {}\n", name_, help_, name_, type_);
  for (const auto& [labels, value] : samples_) {
    std::string list;
    for (const auto& [key, word] : labels) {
      if (word.empty()) continue;
      list += fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", key, escaped(word));
    }
    text += list.empty() ? fmt::format("{} {}\n", name_, number(value))
                         : fmt::format("{}{{{}}} {}\n", name_, list, number(value));
  }
  return text;
}

}  // namespace callready
