#include "probe/diagnosis/status/media_quality.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <ranges>

#include "probe/util/text.hpp"

namespace callready {
namespace {

// Two significant digits below 10, whole numbers from there on.
std::string figure(double value) {
  return value < 10 ? fmt::format("{:.2g}", value) : whole(value);
}

Text direction_in_words(const MediaDirection& direction, bool fit) {
  const auto& loss = direction.loss;
  auto text = direction.lost == 0
                  ? phrase("0 of {} lost (at most {} %)", direction.sent, figure(loss.high))
                  : phrase("{} of {} lost ({} %; {} to {} %)", direction.lost, direction.sent,
                           figure(loss.percent), figure(loss.low), figure(loss.high));
  if (direction.duplicates.value_or(0) > 0)
    text += phrase(", {} arrived twice", *direction.duplicates);
  if (direction.reordered > 0) text += phrase(", {} out of order", direction.reordered);
  if (!fit) return text;
  if (direction.delay_ms) text += phrase(", about {} ms", whole(*direction.delay_ms));
  if (direction.jitter_ms) text += phrase(", jitter {} ms", tenths(*direction.jitter_ms));
  if (direction.late > 0) text += phrase(", {} too late to be heard", direction.late);
  if (direction.score) text += phrase(", MOS {}", tenths(direction.score->mos));
  return text;
}

// If a vendor gives none: jitter and loss as most vendors require. And the MOS that satisfies all
// but some users according to G.107's table B.2, since vendors give none.
constexpr double usual_jitter_ms = 30, usual_loss_percent = 1;
constexpr double least_mos = 3.6;

// Clocks and stacks may be off by this much; a figure that is missed by less is not missed.
constexpr double time_error_ms = 1;

// Null: none failed.
const CallStep* fewest_that_failed(const CallCapacity& calls) {
  auto failed = calls.steps | std::views::filter([](const auto& step) { return !step.passed; });
  const auto fewest = std::ranges::min_element(failed, {}, &CallStep::calls);
  return fewest == failed.end() ? nullptr : &*fewest;
}

Text wifi_in_words(const std::optional<WifiLink>& link) {
  if (link && link->signal_dbm) return phrase("{} dBm", whole(*link->signal_dbm));
  if (link && link->quality_percent) return fmt::format("{:.0f} %", *link->quality_percent);
  return {};
}

}  // namespace

Thresholds media_figures(const TargetSet& set, const Requirement& requirement) {
  auto wanted = requirement.thresholds;
  const auto take = [&](const Thresholds& figures) {
    for (const auto figure : {&Thresholds::round_trip_ms, &Thresholds::one_way_delay_ms,
                              &Thresholds::jitter_ms, &Thresholds::loss_percent,
                              &Thresholds::burst_loss_percent, &Thresholds::reordering_percent}) {
      if (!(wanted.*figure)) wanted.*figure = figures.*figure;
    }
  };
  for (const auto& capability : set.capabilities) {
    const bool its = contains(row_ids_of(capability), requirement.id);
    if (its && capability.quality) take(*capability.quality);
  }
  // What a line does to one stream it does to all: figures of other rows, and other capabilities.
  for (const auto& row : set.requirements) {
    auto figures = row.thresholds;
    // A sign-in page may take longer to answer than a conversation allows.
    if (!carries_media(row.check)) figures.round_trip_ms.reset();
    take(figures);
  }
  for (const auto& capability : set.capabilities) {
    if (capability.quality) take(*capability.quality);
  }
  return wanted;
}

bool is_streamed(const Requirement& requirement, const Probes& probes) {
  return requirement.check == CheckKind::media ||
         std::ranges::any_of(
             probes, [](const auto* probe) { return probe->observation.media.has_value(); });
}

std::vector<MissedFigure> missed_figures(const MediaStream& stream, const Thresholds& wanted) {
  const bool usual_loss = !wanted.loss_percent, usual_jitter = !wanted.jitter_ms;
  const double loss = wanted.loss_percent.value_or(usual_loss_percent);
  const double jitter = wanted.jitter_ms.value_or(usual_jitter_ms);
  // A vendor that gives a round trip means the delay.
  const bool usual_delay = !wanted.one_way_delay_ms && !wanted.round_trip_ms;
  const auto delay = usual_delay ? std::optional(usual_delay_ms) : wanted.one_way_delay_ms;
  std::vector<MissedFigure> missed;
  const auto add = [&](QualityFigure figure, MediaWay way, double seen, double bound,
                       const std::optional<double>& most, bool usual = false) {
    if (most && seen > *most) missed.push_back({figure, way, seen, bound, *most, {}, usual});
  };
  const auto add_time = [&](QualityFigure figure, MediaWay way, const std::optional<double>& seen,
                            const std::optional<double>& most, bool usual = false) {
    const bool late = stream.fit && seen && most && *seen > *most + time_error_ms;
    if (late) add(figure, way, *seen, *seen, most, usual);
  };
  const auto judge = [&](MediaWay way, const MediaDirection& direction) {
    add(QualityFigure::loss, way, direction.loss.percent, direction.loss.low, loss, usual_loss);
    if (const auto& burst = direction.worst_burst_percent) {
      // Two of the ten packets of 200 ms may get lost by chance; three, or two more than once,
      // hardly.
      const bool sure = *burst >= 30 || direction.bad_stretches.value_or(0) >= 2;
      const auto& most = wanted.burst_loss_percent;
      add(QualityFigure::burst_loss, way, *burst,
          sure ? *burst : std::min(*burst, most.value_or(0)), most);
    }
    if (const auto& reordered = direction.out_of_order) {
      add(QualityFigure::reordering, way, reordered->percent, reordered->low,
          wanted.reordering_percent);
    }
    add_time(QualityFigure::one_way_delay, way, direction.delay_ms, delay, usual_delay);
    add_time(QualityFigure::jitter, way, direction.jitter_ms, jitter, usual_jitter);
    if (const auto& score = direction.score; stream.fit && score && score->mos < least_mos)
      missed.push_back({QualityFigure::mos, way, score->mos, score->mos_high, least_mos, {}, true});
  };
  if (stream.up) judge(MediaWay::up, *stream.up);
  if (stream.down) judge(MediaWay::down, *stream.down);
  // The jitter of both ways together is at most their sum: more than twice what one way may have is
  // too much on one of them.
  if (stream.loop) {
    add_time(QualityFigure::jitter, MediaWay::both, stream.loop->jitter_ms, 2 * jitter,
             usual_jitter);
  }
  // If both ways together lose more than twice what one may, then one of them loses too much.
  if (!stream.up && !stream.down) {
    const auto& both = stream.round_trip_loss;
    add(QualityFigure::loss, MediaWay::both, both.percent, both.low, 2 * loss, usual_loss);
  }
  add_time(QualityFigure::round_trip, MediaWay::both, stream.round_trip_ms, wanted.round_trip_ms);
  return missed;
}

bool is_full(const MediaStream& stream, MediaWay way) {
  constexpr double long_ms = 100;  // of waiting, for half of the packets
  const auto& direction = stream.direction(way);
  if (!stream.fit || way == MediaWay::both || !direction || !direction->delay_ms) return false;
  if (!stream.round_trip_least_ms || stream.by_relays.value_or(false)) return false;
  return *direction->delay_ms - *stream.round_trip_least_ms / 2 > long_ms;
}

bool too_few_calls(const MediaStream& stream) {
  return stream.calls && stream.calls->limit && stream.calls->passed < stream.calls->wanted;
}

bool may_carry_more(const CallCapacity& calls) {
  const auto* failed = fewest_that_failed(calls);
  return calls.passed < calls.wanted && (failed == nullptr || failed->calls > calls.passed + 1);
}

Text calls_in_words(const MediaStream& stream) {
  if (!stream.calls) return {};
  const auto& calls = *stream.calls;
  if (calls.passed == calls.wanted) return phrase("{} simultaneous calls passed", calls.wanted);
  const auto* failed = fewest_that_failed(calls);
  auto text = phrase("{}{} of {} simultaneous calls passed",
                     may_carry_more(calls) ? phrase("at least ") : "", calls.passed, calls.wanted);
  if (calls.busy.value_or(false) && !calls.limit)
    return text + phrase("; the far end had no room for more");
  if (failed == nullptr) return text + phrase("; there was no time to try more");
  if (!calls.limit) {
    return text + phrase("; with {}, {}", failed->calls,
                         calls.fit ? phrase("too many packets got no answer, and it is not known "
                                            "what happened to them")
                                   : phrase("this computer could not send packets on schedule"));
  }
  const auto way = way_in_words(calls.way);
  // A saved report may hold any numbers.
  const std::int64_t up = failed->lost_up, down = failed->lost_down, each = failed->sent;
  const auto lost = (calls.way == MediaWay::down ? 0 : up) + (calls.way == MediaWay::up ? 0 : down);
  const auto sent = calls.way == MediaWay::both ? 2 * each : each;
  switch (*calls.limit) {
    case CallLimit::queueing:
      return text + phrase("; with {}, packets queued {} (up to {} ms)", failed->calls, way,
                           whole(std::max(failed->queued_up_ms, failed->queued_down_ms)));
    case CallLimit::policing:
      return text + phrase("; with {}, packets above a limit were dropped {} ({} of {})",
                           failed->calls, way, lost, sent);
    case CallLimit::loss:
      return text + phrase("; even with {}, packets were lost {} ({} of {})", failed->calls, way,
                           lost, sent);
  }
  return text;
}

Place place_of(const MediaStream& stream, const MissedFigure& missed) {
  const auto& hop = stream.first_hop;
  constexpr int fewest = 10;  // answers needed to show anything
  if (!hop || hop->answered < fewest) return Place::unknown;
  if (missed.figure == QualityFigure::loss) {
    // Both shares with their bounds. Of both ways together the stream lost as much as one of them,
    // and at most twice.
    if (hop->loss.high < missed.bound) return Place::beyond;
    // A router that answers fewer than reach it is busy: then it lost more than the stream.
    const auto most = [](const std::optional<MediaDirection>& way) {
      return way ? way->loss.high / 100 : 0.0;
    };
    double both = 100 * (1 - (1 - most(stream.up)) * (1 - most(stream.down)));
    if (!stream.up || !stream.down) both = stream.round_trip_loss.high;
    const bool as_the_stream = hop->loss.low <= both;
    if (hop->echo && as_the_stream && hop->loss.low > missed.wanted) return Place::first_hop;
    return Place::unknown;
  }
  // Times do not show where a share or a score was lost.
  if (missed.figure == QualityFigure::burst_loss || missed.figure == QualityFigure::reordering ||
      missed.figure == QualityFigure::mos) {
    return Place::unknown;
  }
  // Routers answer at their leisure, so if their answers are even, the way there is, too; if they
  // are uneven, that counts only if most of what was measured is there.
  if (!hop->jitter_ms || !hop->median_ms || !stream.fit) return Place::unknown;
  if (missed.figure != QualityFigure::jitter)
    return *hop->median_ms < missed.measured / 4 ? Place::beyond : Place::unknown;
  if (*hop->jitter_ms < missed.measured / 4) return Place::beyond;
  const bool steady = 10LL * hop->answered >= 9LL * hop->sent;
  return hop->echo && steady && *hop->jitter_ms > missed.measured / 2 ? Place::first_hop
                                                                      : Place::unknown;
}

Text first_hop_in_words(const FirstHop& hop) {
  auto text = phrase("the first router ({}) answered {} of {} probes", hop.router.to_string(),
                     hop.answered, hop.sent);
  if (hop.median_ms) text += phrase(", after {} ms", figure(*hop.median_ms));
  if (hop.jitter_ms) text += phrase(", jitter {} ms", figure(*hop.jitter_ms));
  return text;
}

Text own_state_in_words(const MediaStream& stream) {
  Text text;
  const auto before = wifi_in_words(stream.wifi_before), after = wifi_in_words(stream.wifi_after);
  if (!before.empty() && !after.empty())
    text = phrase("the Wi-Fi signal was {} before and {} after", before, after);
  if (stream.busy_percent) {
    text += phrase("{}this computer's CPU was busy {} % of the time", text.empty() ? "" : "; ",
                   whole(*stream.busy_percent));
  }
  return text;
}

bool is_sure(const MissedFigure& missed) {
  return missed.figure == QualityFigure::mos ? missed.bound < missed.wanted
                                             : missed.bound > missed.wanted;
}

Text missed_in_words(const MissedFigure& missed) {
  const auto seen = figure(missed.measured), most = figure(missed.wanted);
  const auto way = way_in_words(missed.way);
  const Text who = missed.usual ? phrase("good calls have") : phrase("the vendor allows");
  const Text luck = phrase("this may be chance; use --thorough to find out");
  const bool sure = is_sure(missed);
  const Text join = sure ? phrase("and") : phrase("where");
  const Text hint = sure ? "" : phrase(": {}", luck);
  switch (missed.figure) {
    case QualityFigure::loss:
      if (!sure)
        return phrase("{} % lost {}, while {} at most {} %: {}", seen, way, who, most, luck);
      return phrase("{} % lost {} (at least {} %), but {} at most {} %", seen, way,
                    figure(missed.bound), who, most);
    case QualityFigure::burst_loss:
      return phrase(
          "{} % of the packets in one 200 ms window lost {}, {} the vendor requires less than {} "
          "%{}",
          seen, way, join, most, hint);
    case QualityFigure::reordering:
      return phrase("{} % out of order {}, {} the vendor allows at most {} %{}", seen, way, join,
                    most, hint);
    case QualityFigure::mos:
      return phrase("a MOS of {} {}; a good call has {} or more (ITU-T G.107)",
                    tenths(missed.measured), way, tenths(missed.wanted));
    case QualityFigure::jitter:
      if (missed.way == MediaWay::both) {
        return phrase("round-trip jitter of {} ms, more than twice the maximum of {} ms that {}",
                      seen, figure(missed.wanted / 2), who);
      }
      return phrase("jitter of {} ms {}, but {} at most {} ms", seen, way, who, most);
    case QualityFigure::one_way_delay:
      return phrase("about {} ms {} (estimated as half of the round trip), but {} at most {} ms",
                    seen, way, missed.usual ? phrase("ITU-T G.114 allows") : who, most);
    case QualityFigure::round_trip:
      return phrase("{} ms round trip, but the vendor allows at most {} ms", seen, most);
  }
  return {};
}

Text outage_in_words(const MediaStream& stream) {
  if (!stream.outage) return {};
  const auto& outage = *stream.outage;
  const auto way = outage.way
                       ? phrase(", {}", *outage.way == MediaWay::both ? phrase("both ways")
                                                                      : way_in_words(*outage.way))
                       : Text();
  const auto from = tenths(outage.from_ms / 1'000), length = tenths(outage.length_ms / 1'000);
  return outage.to_the_end ? phrase("silent from {} s to the end ({} s){}", from, length, way)
                           : phrase("{} s of silence after {} s{}", length, from, way);
}

Text stream_in_words(const MediaStream& stream) {
  Text text;
  if (stream.up && stream.down) {
    text = phrase("out: {}; back: {}", direction_in_words(*stream.up, stream.fit),
                  direction_in_words(*stream.down, stream.fit));
  } else {
    text = phrase("{} % lost over the round trip ({} to {} %); which way is not known",
                  figure(stream.round_trip_loss.percent), figure(stream.round_trip_loss.low),
                  figure(stream.round_trip_loss.high));
  }
  if (stream.loop) {
    text += stream.by_relays.value_or(false)
                ? phrase(
                      "; through two relays of the server: loss is known for each way, delay and "
                      "jitter only for the round trip")
                : phrase("; round-trip delay and jitter");
    if (stream.fit && stream.round_trip_ms) text += phrase(" ({} ms", whole(*stream.round_trip_ms));
    if (stream.fit && stream.loop->jitter_ms)
      text += phrase(", jitter {} ms", tenths(*stream.loop->jitter_ms));
    if (stream.fit && stream.round_trip_ms) text += ")";
  }
  if (!stream.fit) text += phrase("; delay and jitter are not rated: this computer was too busy");
  return text;
}

void degrade_by_streams(SetResult& result, const TargetSet& set) {
  auto missed =
      result.requirements | std::views::transform(&RequirementResult::missed) | std::views::join;
  const auto worst = std::ranges::find_if(missed, is_sure);
  if (worst == missed.end()) return;
  for (auto& capability : result.capabilities) {
    const bool media = std::ranges::any_of(set.requirements, [&](const Requirement& row) {
      return carries_media(row.check) && contains(capability.requirements, row.id);
    });
    if (!media || capability.verdict != Verdict::ready) continue;
    capability.verdict = Verdict::degraded;
    capability.summary = phrase("works with limits: {}", missed_in_words(*worst));
  }
}

}  // namespace callready
