#include "reports/words/rfc3339.hpp"

#include <fmt/format.h>

namespace callready {
namespace {

using std::chrono::duration_cast;
using std::chrono::sys_days;

// Consumes the parts of a timestamp from its front, and remembers whether all of them were there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t digits, int least, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const char digit = take();
      if (digit < '0' || digit > '9') good_ = false;
      value = value * 10 + (digit - '0');
    }
    if (value < least || value > most) good_ = false;
    return value;
  }

  void expect(std::string_view any_of) {
    if (any_of.find(take()) == std::string_view::npos) good_ = false;
  }

  bool starts_with(char c) const { return !rest_.empty() && rest_.front() == c; }

  std::chrono::nanoseconds fraction() {
    std::int64_t value = 0;
    int digits = 0;
    while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
      const char digit = take();
      if (digits++ < 9) value = value * 10 + (digit - '0');
    }
    if (digits == 0) good_ = false;
    for (; digits < 9; ++digits) value *= 10;
    return std::chrono::nanoseconds(value);
  }

  char take() {
    if (rest_.empty()) {
      good_ = false;
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  bool done() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string format_rfc3339(WallTime time) {
  const auto moment = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(moment - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  Scanner scan(text);
  const auto year = std::chrono::year(scan.number(4, 1700, 2200));
  scan.expect("-");
  const auto month = std::chrono::month(static_cast<unsigned>(scan.number(2, 1, 12)));
  scan.expect("-");
  const auto day = std::chrono::day(static_cast<unsigned>(scan.number(2, 1, 31)));
  scan.expect("Tt");
  std::chrono::nanoseconds clock = std::chrono::hours(scan.number(2, 0, 23));
  scan.expect(":");
  clock += std::chrono::minutes(scan.number(2, 0, 59));
  scan.expect(":");
  clock += std::chrono::seconds(scan.number(2, 0, 60));  // 60: a leap second
  if (scan.starts_with('.')) {
    scan.take();
    clock += scan.fraction();
  }
  if (scan.starts_with('+') || scan.starts_with('-')) {
    const int sign = scan.take() == '+' ? 1 : -1;
    clock -= std::chrono::hours(sign * scan.number(2, 0, 23));
    scan.expect(":");
    clock -= std::chrono::minutes(sign * scan.number(2, 0, 59));
  } else {
    scan.expect("Zz");
  }
  const std::chrono::year_month_day date(year, month, day);
  if (!scan.done() || !date.ok()) return std::nullopt;
  const auto time = WallTime(sys_days(date)) + duration_cast<WallTime::duration>(clock);
  // The offset may have moved it past the first or the last supported year.
  const auto first = sys_days(std::chrono::January / 1 / 1700);
  const auto end = sys_days(std::chrono::January / 1 / 2201);
  if (time < first || time >= end) return std::nullopt;
  return time;
}

}  // namespace callready
