#include "reports/words/marks.hpp"

#include <algorithm>
#include <array>

namespace callready {

Mark mark_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
      return Mark::good;
    case Verdict::degraded:
      return Mark::warning;
    case Verdict::blocked:
      return Mark::bad;
    case Verdict::unknown:
      return Mark::unknown;
  }
  return Mark::unknown;
}

Mark mark_of(Status status) {
  switch (status) {
    case Status::pass:
      return Mark::good;
    case Status::warn:
      return Mark::warning;
    case Status::fail:
      return Mark::bad;
    case Status::unknown:
      return Mark::unknown;
    case Status::skip:
      return Mark::skipped;
  }
  return Mark::unknown;
}

Mark mark_of(const ProbeResult& result) {
  switch (result.observation.outcome) {
    case Outcome::answered:
    case Outcome::connected:
    case Outcome::passed:
      return Mark::good;
    case Outcome::silent:
      // "dropped", "partly_dropped": proved by others that passed where these died.
      if (!is_dropped(result.observation.detail)) return Mark::unknown;
      break;
    case Outcome::skipped:
      return Mark::skipped;
    case Outcome::refused:
    case Outcome::rejected:
    case Outcome::failed:
    case Outcome::denied:
    case Outcome::unresolved:
      break;
  }
  return result.probe.control() ? Mark::unknown : Mark::bad;
}

Mark mark_of(const RoutePair& pair) {
  return pair.better == Better::direct_only ? Mark::warning : mark_of(*pair.proxied);
}

int badness(Status status) {
  static constexpr std::array upwards = {Status::skip, Status::pass, Status::unknown, Status::warn,
                                         Status::fail};
  return static_cast<int>(std::ranges::find(upwards, status) - upwards.begin());
}

std::string_view mark_name(Mark mark) {
  static constexpr std::array<std::string_view, 6> names = {"good",    "warning", "bad",
                                                            "unknown", "skipped", "none"};
  return names[static_cast<std::size_t>(mark)];
}

std::string_view mark_glyph(Mark mark) {
  static constexpr std::array<std::string_view, 6> glyphs = {"✓", "!", "✕", "?", "–", " "};
  return glyphs[static_cast<std::size_t>(mark)];
}

}  // namespace callready
