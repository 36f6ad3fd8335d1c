#include "probe/model/set_age.hpp"

#include <fmt/format.h>

#include <vector>

#include "probe/model/day.hpp"

namespace callready {
namespace {

// "2016-07" has no day: its last is taken, so that the warning is never too early.
std::optional<std::chrono::sys_days> published_day(const SetHead& set) {
  return parse_day(set.published.size() == 7 ? set.published + "-28" : set.published);
}

}  // namespace

bool is_old(const SetHead& set, std::string_view today) {
  const auto now = parse_day(today), published = published_day(set);
  return now && published && (*now - *published).count() > old_after;
}

std::string staleness(const SetHead& set, std::string_view today) {
  const auto now = parse_day(today);
  if (!now) return {};
  std::vector<std::string> reasons;
  const auto verified = parse_day(set.verified);
  if (verified && (*now - *verified).count() > stale_after) {
    reasons.push_back(
        fmt::format("this list was last checked against the vendor's document {} days ago ({})",
                    (*now - *verified).count(), set.verified));
  }
  if (is_old(set, today)) {
    const auto years = static_cast<double>((*now - *published_day(set)).count()) / 365.25;
    reasons.push_back(
        fmt::format("the document is {:.0f} years old (published {})", years, set.published));
  }
  if (reasons.empty()) return {};
  auto text = reasons.size() == 1 ? reasons[0] : reasons[0] + ", and " + reasons[1];
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  text += fmt::format(": look for a newer edition of \"{}\"", set.document);
  if (!set.url.empty()) text += fmt::format(" at {}", set.url);
  return text;
}

}  // namespace callready
