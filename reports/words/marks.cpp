#include "reports/words/marks.hpp"

#include <algorithm>
#include <array>

namespace callready {
namespace {

struct MarkRow {
  Mark mark;
  std::string_view name, glyph;
};

constexpr std::array<MarkRow, 6> mark_rows = {{
    {Mark::good, "good", "✓"},
    {Mark::warning, "warning", "!"},
    {Mark::bad, "bad", "✕"},
    {Mark::unknown, "unknown", "?"},
    {Mark::skipped, "skipped", "–"},
    {Mark::none, "none", " "},
}};
static_assert(in_their_places(mark_rows, &MarkRow::mark));

const MarkRow& row_of(Mark mark) { return mark_rows[static_cast<std::size_t>(mark)]; }

}  // namespace

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
      // "dropped", "partly_dropped": proven, because other packets passed where these were lost.
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

std::string_view mark_name(Mark mark) { return row_of(mark).name; }

std::string_view mark_glyph(Mark mark) { return row_of(mark).glyph; }

}  // namespace callready
