#include "reports/words/marks.hpp"

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
  switch (status) {
    case Status::skip:
      return 0;
    case Status::pass:
      return 1;
    case Status::unknown:
      return 2;
    case Status::warn:
      return 3;
    case Status::fail:
      return 4;
  }
  return 0;
}

std::string_view mark_name(Mark mark) {
  switch (mark) {
    case Mark::good:
      return "good";
    case Mark::warning:
      return "warning";
    case Mark::bad:
      return "bad";
    case Mark::unknown:
      return "unknown";
    case Mark::skipped:
      return "skipped";
    case Mark::none:
      break;
  }
  return "none";
}

std::string_view mark_glyph(Mark mark) {
  switch (mark) {
    case Mark::good:
      return "✓";
    case Mark::warning:
      return "!";
    case Mark::bad:
      return "✕";
    case Mark::unknown:
      return "?";
    case Mark::skipped:
      return "–";
    case Mark::none:
      break;
  }
  return " ";
}

}  // namespace callready
