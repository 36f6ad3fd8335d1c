#include "reports/metric_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "reports/terminal.hpp"

namespace callready {
namespace {

// The exposition format: in a label's value \ and " are escaped (line breaks are none left). What
// is no UTF-8 would make the whole file unreadable.
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

Metric::Metric(std::string_view name, std::string_view help, std::string_view type)
    : name_(name), head_(fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type)) {}

void Metric::add(const Labels& labels, double value) {
  std::string list;
  for (const auto& [key, text] : labels) {
    if (text.empty()) continue;
    list += fmt::format("{}{}=\"{}\"", list.empty() ? "" : ",", key, escaped(text));
  }
  samples_ += list.empty() ? fmt::format("{} {}\n", name_, number(value))
                           : fmt::format("{}{{{}}} {}\n", name_, list, number(value));
}

}  // namespace callready
