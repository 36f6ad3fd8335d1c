#include "probe/model/set_age.hpp"

#include <fmt/format.h>

#include <vector>

#include "probe/model/day.hpp"

namespace callready {

std::optional<std::chrono::sys_days> published_day(std::string_view published) {
  std::string day(published);
  if (day.size() == 4) day += "-12";
  if (day.size() == 7) day += "-28";
  return parse_day(day);
}

std::string published_words(std::string_view published) {
  if (published.empty()) return "undated";
  return (published.size() == 4 ? "about " : "") + std::string(published);
}

bool is_old(std::string_view published, std::string_view today) {
  const auto now = parse_day(today), then = published_day(published);
  return now && then && (*now - *then).count() > old_after;
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
  if (is_old(set.published, today)) {
    const auto days = (*now - *published_day(set.published)).count();
    reasons.push_back(fmt::format("the document is {:.0f} years old (published {})",
                                  static_cast<double>(days) / 365.25,
                                  published_words(set.published)));
  }
  if (reasons.empty()) return {};
  auto text = reasons.size() == 1 ? reasons[0] : reasons[0] + ", and " + reasons[1];
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  text += fmt::format(": look for a newer edition of \"{}\"", set.document);
  if (!set.url.empty()) text += fmt::format(" at {}", set.url);
  return text;
}

}  // namespace callready
