#include "probe/model/day.hpp"

#include <fmt/chrono.h>

#include <charconv>

namespace callready {

std::optional<std::chrono::sys_days> parse_day(std::string_view text) {
  constexpr std::string_view shape = "0000-00-00";
  if (text.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool right = shape[i] == '-' ? text[i] == '-' : text[i] >= '0' && text[i] <= '9';
    if (!right) return std::nullopt;
  }
  int year = 0;
  unsigned month = 0, day = 0;
  std::from_chars(text.data(), text.data() + 4, year);
  std::from_chars(text.data() + 5, text.data() + 7, month);
  std::from_chars(text.data() + 8, text.data() + 10, day);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::string day_of(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace callready
