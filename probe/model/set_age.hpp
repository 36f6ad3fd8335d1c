// How old a set is: its transcription, and the document itself.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "probe/model/target_set.hpp"
#include "probe/model/text.hpp"

namespace callready {

// Days for which a transcription is taken to be current: the vendors' documents change some four
// times a year.
inline constexpr int stale_after = 180;
// Days after which a document itself is taken to be old, no matter how recently it was transcribed:
// no vendor's servers and addresses stay the same for three years.
inline constexpr int old_after = 3 * 365;

// The day of a document's date as written in sets; for a month or a year ("2016-07", "2016") a day
// near its end, so that no warning is too early. Nothing if there is none.
std::optional<std::chrono::sys_days> published_day(std::string_view published);

// "2016-07-01", "about 2016" where only the year is known, "undated" where there is none.
Text published_words(std::string_view published);

// "This list was last checked against the vendor's document 400 days ago (...), and the document is
// 10 years old (...): look for a newer edition ...", or nothing if neither is so or known. `today`
// as YYYY-MM-DD.
Text staleness(const SetHead& set, std::string_view today);

// True where the document itself is old.
bool is_old(std::string_view published, std::string_view today);

}  // namespace callready
