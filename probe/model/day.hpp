// Days as sets and reports write them: "2026-11-20".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace callready {

// Nothing if the text is not a day that exists.
std::optional<std::chrono::sys_days> parse_day(std::string_view text);

// In UTC.
std::string day_of(std::chrono::system_clock::time_point time);

}  // namespace callready
