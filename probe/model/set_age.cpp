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

Text published_words(std::string_view published) {
  if (published.empty()) return phrase("undated");
  return published.size() == 4 ? phrase("about {}", published) : Text(published);
}

bool is_old(std::string_view published, std::string_view today) {
  const auto now = parse_day(today), then = published_day(published);
  return now && then && (*now - *then).count() > old_after;
}

Text staleness(const SetHead& set, std::string_view today) {
  const auto now = parse_day(today);
  if (!now) return {};
  const auto verified = parse_day(set.verified);
  const auto checked = verified ? (*now - *verified).count() : 0;
  const bool stale = checked > stale_after, old = is_old(set.published, today);
  if (!stale && !old) return {};
  const auto published = published_words(set.published);
  const auto years = [&] {
    const auto days = (*now - *published_day(set.published)).count();
    return fmt::format("{:.0f}", static_cast<double>(days) / 365.25);
  };
  const auto where =
      set.url.empty() ? phrase("look for a newer edition of \"{}\"", set.document)
                      : phrase("look for a newer edition of \"{}\" at {}", set.document, set.url);
  if (!old) {
    return phrase("This list was last checked against the vendor's document {} days ago ({}): {}",
                  checked, set.verified, where);
  }
  if (!stale)
    return phrase("The document is {} years old (published {}): {}", years(), published, where);
  return phrase(
      "This list was last checked against the vendor's document {} days ago ({}), and the document "
      "is {} years old (published {}): {}",
      checked, set.verified, years(), published, where);
}

}  // namespace callready
