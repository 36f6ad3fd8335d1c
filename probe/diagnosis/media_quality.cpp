#include "probe/diagnosis/media_quality.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace callready {
namespace {

std::string_view way_in_words(MediaWay way) {
  switch (way) {
    case MediaWay::up:
      return "on the way out";
    case MediaWay::down:
      return "on the way back";
    case MediaWay::both:
      break;
  }
  return "there and back";
}

// Two digits of what is small, no more than one place of what is not.
std::string figure(double value) {
  return value < 10 ? fmt::format("{:.2g}", value) : fmt::format("{:.0f}", value);
}

std::string share_in_words(int lost, int sent, const Share& share) {
  if (lost == 0) return fmt::format("0 of {} lost (at most {} %)", sent, figure(share.high));
  return fmt::format("{} of {} lost ({} %; {} to {} %)", lost, sent, figure(share.percent),
                     figure(share.low), figure(share.high));
}

std::string direction_in_words(const MediaDirection& direction, bool fit) {
  auto text = share_in_words(direction.lost, direction.sent, direction.loss);
  if (direction.duplicates.value_or(0) > 0) {
    text += fmt::format(", {} came twice", *direction.duplicates);
  }
  if (direction.reordered > 0) text += fmt::format(", {} out of order", direction.reordered);
  if (!fit) return text;
  if (direction.delay_ms) text += fmt::format(", about {:.0f} ms", *direction.delay_ms);
  if (direction.jitter_ms) text += fmt::format(", jitter {:.1f} ms", *direction.jitter_ms);
  if (direction.late > 0) text += fmt::format(", {} too late to be heard", direction.late);
  if (direction.score) text += fmt::format(", MOS {:.1f}", direction.score->mos);
  return text;
}

}  // namespace

Thresholds media_figures(const TargetSet& set, const Requirement& requirement) {
  auto wanted = requirement.thresholds;
  const auto fill = [](std::optional<double>& place, const std::optional<double>& figure) {
    if (!place) place = figure;
  };
  for (const auto& capability : set.capabilities) {
    const bool needs_it =
        std::any_of(capability.needs.begin(), capability.needs.end(), [&](const Need& need) {
          return std::any_of(
              need.alternatives.begin(), need.alternatives.end(), [&](const auto& rows) {
                return std::find(rows.begin(), rows.end(), requirement.id) != rows.end();
              });
        });
    if (!needs_it || !capability.quality) continue;
    fill(wanted.round_trip_ms, capability.quality->round_trip_ms);
    fill(wanted.one_way_delay_ms, capability.quality->one_way_delay_ms);
    fill(wanted.jitter_ms, capability.quality->jitter_ms);
    fill(wanted.loss_percent, capability.quality->loss_percent);
  }
  return wanted;
}

std::vector<MissedFigure> missed_figures(const MediaStream& stream, const Thresholds& wanted) {
  std::vector<MissedFigure> missed;
  const auto hold = [&](QualityFigure what, MediaWay way, const std::optional<double>& seen,
                        const std::optional<double>& most) {
    if (seen && most && *seen > *most) missed.push_back({what, way, *seen, *seen, *most, {}});
  };
  const auto judge = [&](MediaWay way, const MediaDirection& direction) {
    const auto& most = wanted.loss_percent;
    if (most && direction.loss.percent > *most) {
      missed.push_back(
          {QualityFigure::loss, way, direction.loss.percent, direction.loss.low, *most, {}});
    }
    if (!stream.fit) return;
    hold(QualityFigure::one_way_delay, way, direction.delay_ms, wanted.one_way_delay_ms);
    hold(QualityFigure::jitter, way, direction.jitter_ms, wanted.jitter_ms);
  };
  if (stream.up) judge(MediaWay::up, *stream.up);
  if (stream.down) judge(MediaWay::down, *stream.down);
  // Of both ways together the jitters add up at most: more than twice what one may have is too much
  // on one of them.
  if (stream.fit && stream.loop && stream.loop->jitter_ms && wanted.jitter_ms) {
    hold(QualityFigure::jitter, MediaWay::both, stream.loop->jitter_ms, 2 * *wanted.jitter_ms);
  }
  // Both ways together lose more than twice what one may: then one of them does lose more.
  const auto& lost = stream.round_trip_loss;
  const bool apart = stream.up || stream.down;
  if (!apart && wanted.loss_percent && lost.percent > 2 * *wanted.loss_percent) {
    missed.push_back({QualityFigure::loss,
                      MediaWay::both,
                      lost.percent,
                      lost.low,
                      2 * *wanted.loss_percent,
                      {}});
  }
  if (stream.fit) {
    hold(QualityFigure::round_trip, MediaWay::both, stream.round_trip_ms, wanted.round_trip_ms);
  }
  return missed;
}

bool too_few_calls(const MediaStream& stream) {
  return stream.calls && stream.calls->limit && stream.calls->passed < stream.calls->wanted;
}

std::string calls_in_words(const MediaStream& stream) {
  if (!stream.calls || stream.calls->steps.empty()) return {};
  const auto& calls = *stream.calls;
  if (calls.passed == calls.wanted) return fmt::format("{} calls at once passed", calls.wanted);
  auto text = fmt::format("{} of {} calls at once passed", calls.passed, calls.wanted);
  const auto& last = calls.steps.back();
  if (!calls.limit) {
    return text + fmt::format("; with {} {}", last.calls,
                              calls.fit ? "too many packets got no answer, and what became of them "
                                          "is not known"
                                        : "this computer could not keep the time");
  }
  const auto way = way_in_words(calls.way);
  switch (*calls.limit) {
    case CallLimit::queueing:
      return text + fmt::format("; with {}, packets waited for each other {} (up to {:.0f} ms)",
                                last.calls, way, std::max(last.queued_up_ms, last.queued_down_ms));
    case CallLimit::policing:
      return text +
             fmt::format("; with {}, what is above a limit was dropped {} ({} of {} packets)",
                         last.calls, way, last.lost_up + last.lost_down, 2 * last.sent);
    case CallLimit::loss:
      return text + fmt::format("; with {} already, packets got lost {} ({} of {})", last.calls,
                                way, last.lost_up + last.lost_down, 2 * last.sent);
  }
  return text;
}

Place place_of(const MediaStream& stream, const MissedFigure& missed) {
  const auto& hop = stream.first_hop;
  constexpr int fewest = 10;  // answers that tell anything
  if (!hop || hop->answered < fewest) return Place::unknown;
  if (missed.figure == QualityFigure::loss) {
    // Both shares with their bounds. Of both ways together the stream lost as much as one of them,
    // and at most twice.
    if (hop->loss.high < missed.bound) return Place::beyond;
    // A router that answers fewer than come is a busy router: then it lost more than the stream.
    const auto most = [](const std::optional<MediaDirection>& way) {
      return way ? way->loss.high / 100 : 0.0;
    };
    double both = 100 * (1 - (1 - most(stream.up)) * (1 - most(stream.down)));
    if (!stream.up || !stream.down) both = stream.round_trip_loss.high;
    const bool as_the_stream = hop->loss.low <= both;
    if (hop->echo && as_the_stream && hop->loss.low > missed.wanted) return Place::first_hop;
    return Place::unknown;
  }
  // Routers answer at their leisure, so that what is even there is even on the way there, too; and
  // where they answer unevenly, it counts only where most of what was measured is there.
  if (!hop->jitter_ms || !hop->median_ms || !stream.fit) return Place::unknown;
  if (missed.figure != QualityFigure::jitter) {
    return *hop->median_ms < missed.measured / 4 ? Place::beyond : Place::unknown;
  }
  if (*hop->jitter_ms < missed.measured / 4) return Place::beyond;
  const bool steady = hop->answered * 10 >= hop->sent * 9;
  return hop->echo && steady && *hop->jitter_ms > missed.measured / 2 ? Place::first_hop
                                                                      : Place::unknown;
}

std::string first_hop_in_words(const FirstHop& hop) {
  auto text = fmt::format("the first router ({}) answered {} of {} questions in the same seconds",
                          hop.router.to_string(), hop.answered, hop.sent);
  if (hop.median_ms) text += fmt::format(", after {} ms", figure(*hop.median_ms));
  if (hop.jitter_ms) text += fmt::format(", jitter {} ms", figure(*hop.jitter_ms));
  return text;
}

bool is_sure(const MissedFigure& missed) { return missed.bound > missed.wanted; }

std::string missed_in_words(const MissedFigure& missed) {
  const auto seen = figure(missed.measured), most = figure(missed.wanted);
  switch (missed.figure) {
    case QualityFigure::loss:
      if (!is_sure(missed)) {
        return fmt::format(
            "{} % lost {}, where the vendor wants at most {} %: it may have been bad "
            "luck, --thorough tells",
            seen, way_in_words(missed.way), most);
      }
      return fmt::format("{} % lost {} (at least {} %), and the vendor wants at most {} %", seen,
                         way_in_words(missed.way), figure(missed.bound), most);
    case QualityFigure::jitter:
      if (missed.way == MediaWay::both) {
        return fmt::format(
            "jitter of {} ms there and back, more than twice the {} ms that the vendor wants at "
            "most",
            seen, figure(missed.wanted / 2));
      }
      return fmt::format("jitter of {} ms {}, and the vendor wants at most {} ms", seen,
                         way_in_words(missed.way), most);
    case QualityFigure::one_way_delay:
      return fmt::format(
          "about {} ms {} (as far as half of the round trip tells), and the vendor "
          "wants at most {} ms",
          seen, way_in_words(missed.way), most);
    case QualityFigure::round_trip:
      return fmt::format("{} ms there and back, and the vendor wants at most {} ms", seen, most);
  }
  return {};
}

std::string stream_in_words(const MediaStream& stream) {
  std::string text;
  if (stream.up && stream.down) {
    text = fmt::format("out: {}; back: {}", direction_in_words(*stream.up, stream.fit),
                       direction_in_words(*stream.down, stream.fit));
  } else {
    text = fmt::format("there and back {} % lost ({} to {} %), which way is not known",
                       figure(stream.round_trip_loss.percent), figure(stream.round_trip_loss.low),
                       figure(stream.round_trip_loss.high));
  }
  if (stream.by_relays.value_or(false)) {
    text +=
        "; by two relays of the server: what is lost is known for each way, delay and jitter only "
        "there and back";
    if (stream.fit && stream.round_trip_ms)
      text += fmt::format(" ({:.0f} ms", *stream.round_trip_ms);
    if (stream.fit && stream.loop && stream.loop->jitter_ms) {
      text += fmt::format(", jitter {:.1f} ms", *stream.loop->jitter_ms);
    }
    if (stream.fit && stream.round_trip_ms) text += ")";
  }
  if (!stream.fit) text += "; delay and jitter are not judged: this computer was too busy";
  return text;
}

}  // namespace callready
