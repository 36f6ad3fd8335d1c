#include "reports/html/media.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "reports/words/phrases.hpp"

namespace callready {
namespace {

// What this way of measuring means, for those who act on the result.
constexpr auto relays_in_words = marked(
    "measured through two relays on the service's own TURN server, one reached over TCP and one "
    "over UDP. Loss is known for each direction: TCP loses nothing, so any loss was on the other "
    "half of the path. Delay and jitter are known only for the round trip: each direction is taken "
    "as half of it, and the score for a direction counts every packet that came too late as if "
    "that direction had delayed it.");

std::string first_hop_told(const FirstHop& hop) {
  auto text = say("the first router, {}, answered {} of {} probes", hop.router.to_string(),
                  hop.answered, hop.sent);
  if (hop.median_ms)
    text += say(", half of them within {} ms", fmt::format("{:.1f}", *hop.median_ms));
  if (hop.jitter_ms) text += say(", jitter {} ms", fmt::format("{:.1f}", *hop.jitter_ms));
  if (!hop.echo) text += say(" (one per second, using packets that expire there)");
  return text;
}

std::string wifi_told(const std::optional<WifiLink>& link) {
  if (link && link->signal_dbm) return fmt::format("{:.0f} dBm", *link->signal_dbm);
  if (link && link->quality_percent) return fmt::format("{:.0f} %", *link->quality_percent);
  return say("not known");
}

std::string own_state_told(const MediaStream& stream) {
  std::vector<std::string> parts;
  if (stream.wifi_before || stream.wifi_after) {
    parts.push_back(say("Wi-Fi signal before: {}, after: {}", wifi_told(stream.wifi_before),
                        wifi_told(stream.wifi_after)));
  }
  if (stream.busy_percent) {
    parts.push_back(say("this computer's processors were busy for {} % of the time",
                        fmt::format("{:.0f}", *stream.busy_percent)));
  }
  return joined(parts, "; ");
}

struct Told {
  const ProbeResult* result;
  const MediaStream* stream;
  const MediaDirection* direction;
  MediaWay way;
};

std::vector<Told> directions(const Report& report) {
  std::vector<Told> all;
  for (const auto& result : report.probes) {
    if (!result.observation.media) continue;
    const auto& stream = *result.observation.media;
    if (stream.up) all.push_back({&result, &stream, &*stream.up, MediaWay::up});
    if (stream.down) all.push_back({&result, &stream, &*stream.down, MediaWay::down});
    if (stream.loop) all.push_back({&result, &stream, &*stream.loop, MediaWay::both});
  }
  return all;
}

// "0.034", "12", "100"
std::string in_percent(double share) {
  return share < 10 ? fmt::format("{:.2g}", share) : fmt::format("{:.0f}", share);
}

std::string figures(const Told& told) {
  const auto& direction = *told.direction;
  std::vector<std::string> parts;
  if (told.stream->fit && direction.score) {
    const auto& score = *direction.score;
    parts.push_back(say("MOS {}{} ({} to {})", fmt::format("{:.1f}", score.mos),
                        told.stream->codec == "opus" ? say(", an estimate") : "",
                        fmt::format("{:.1f}", score.mos_low),
                        fmt::format("{:.1f}", score.mos_high)));
  }
  parts.push_back(say("{} of {} lost ({} to {} %)", direction.lost, direction.sent,
                      in_percent(direction.loss.low), in_percent(direction.loss.high)));
  if (direction.longest_burst > 1) {
    parts.push_back(say("up to {} in a row", direction.longest_burst));
  }
  if (told.stream->fit && direction.delay_ms) {
    parts.push_back(fmt::format("{:.0f} ms +-{:.0f}", *direction.delay_ms,
                                direction.delay_uncertainty_ms.value_or(0)));
  }
  if (told.stream->fit && direction.jitter_ms) {
    parts.push_back(say("jitter {} ms", fmt::format("{:.1f}", *direction.jitter_ms)));
  }
  if (told.stream->fit && direction.late > 0) {
    parts.push_back(say("{} too late to be heard", direction.late));
  }
  if (told.stream->fit && direction.score_fixed) {
    parts.push_back(say("with a fixed buffer of {} ms: MOS {}",
                        fmt::format("{:.0f}", told.stream->jitter_buffer_ms),
                        fmt::format("{:.1f}", direction.score_fixed->mos)));
  }
  if (direction.reordered > 0) {
    parts.push_back(say("{} out of order", direction.reordered));
  }
  if (direction.duplicates.value_or(0) > 0) {
    parts.push_back(say("{} received twice", *direction.duplicates));
  }
  if (!told.stream->fit)
    parts.emplace_back(say("delay and jitter not judged: this computer was busy"));
  return joined(parts);
}

// 0 to 1: how much of the jitter buffer that delay uses up. A saved report may hold any number.
double part_of_buffer(const std::optional<double>& delay_ms, const MediaStream& stream) {
  return std::clamp(delay_ms.value_or(0) / std::max(stream.jitter_buffer_ms, 1.0), 0.0, 1.0);
}

std::string spark(const Told& told, bool unicode) {
  static constexpr std::array<std::string_view, 8> blocks = {"▁", "▂", "▃", "▄",
                                                             "▅", "▆", "▇", "█"};
  static constexpr std::string_view plain = "_.-:=+*#";
  std::string text;
  for (const auto& second : told.direction->seconds) {
    if (second.lost > 0) {
      text += 'x';
    } else {
      const double part = part_of_buffer(second.delay_most_ms, *told.stream);
      const auto height = static_cast<std::size_t>(std::lround(7 * part));
      if (unicode) {
        text += blocks[height];
      } else {
        text += plain[height];
      }
    }
  }
  return text;
}

constexpr int picture_width = 480, picture_height = 60, picture_floor = 50;

// What a screen reader says of a picture: its name, then what is on it.
Html opening(int tall, std::string_view title, std::string_view description) {
  Html out;
  out.put(
      R"(<svg class="stream" role="img" width="{}" height="{}" viewBox="0 0 {} {}"><title>{}</title>)",
      picture_width, tall, picture_width, tall, title);
  return out.put("<desc>{}</desc>", description);
}

std::string in_words_of(const Told& told) {
  std::vector<std::string> lossy;
  for (std::size_t i = 0; i < told.direction->seconds.size(); ++i) {
    const int lost = told.direction->seconds[i].lost;
    if (lost > 0) lossy.push_back(say("{} lost in second {}", lost, i + 1));
  }
  return figures(told) +
         (lossy.empty() ? say(". No packets were lost in any second") : ". " + joined(lossy));
}

// The position on a scale from 1 to 5, the range of a MOS (ITU-T P.800).
double mos_x(double mos) { return (std::clamp(mos, 1.0, 5.0) - 1) / 4 * (picture_width - 20) + 10; }

// The score as a dot, its bounds as a line, on a scale with words for readers who do not know it.
Html score_picture(const Told& told) {
  Html out;
  if (!told.stream->fit || !told.direction->score) return out;
  const auto& score = *told.direction->score;
  constexpr int line = 14, words = 34;
  out = opening(40, say("How it would sound, from 1 to 5 (MOS)"),
                say("{}, between {} and {}", fmt::format("{:.1f}", score.mos),
                    fmt::format("{:.1f}", score.mos_low), fmt::format("{:.1f}", score.mos_high)));
  out.put(R"(<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="currentColor"/>)", 10, line,
          picture_width - 10, line);
  constexpr std::array<std::string_view, 5> names = {
      marked("1 bad"), marked("2 poor"), marked("3 fair"), marked("4 good"), marked("5 excellent")};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto x = mos_x(static_cast<double>(i + 1));
    out.put(R"(<line x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}" stroke="currentColor"/>)", x, line - 4,
            x, line + 4);
    const std::string_view anchor = i == 0 ? "start" : i == 4 ? "end" : "middle";
    const double at = i == 0 ? x - 8 : i == 4 ? x + 8 : x;
    out.put(
        R"(<text x="{:.1f}" y="{}" text-anchor="{}" font-size="11" fill="currentColor">{}</text>)",
        at, words, anchor, say_marked(names[i]));
  }
  out.put(
      R"(<line x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}" stroke="currentColor" stroke-width="5"/>)",
      mos_x(score.mos_low), line, mos_x(score.mos_high), line);
  out.put(R"(<circle cx="{:.1f}" cy="{}" r="6" fill="currentColor"/>)", mos_x(score.mos), line);
  return out.put("</svg>\n");
}

std::string result_of(const CallStep& step, const CallCapacity& calls) {
  if (step.passed) return say("passed");
  return calls.fit ? say("did not pass") : say("not judged");
}

std::string step_in_words(const CallStep& step, const CallCapacity& calls) {
  // A saved report may hold any number.
  const auto lost = std::int64_t{step.lost_up} + step.lost_down;
  auto text = say("{}: {}", say_plural(step.calls, "{} call", "{} calls"), result_of(step, calls));
  if (lost > 0) text += say(", {} of {} packets lost", lost, std::int64_t{2} * step.sent);
  const double queued = std::max(step.queued_up_ms, step.queued_down_ms);
  if (queued >= 1) text += say(", queued for up to {} ms", fmt::format("{:.0f}", queued));
  return text;
}

// A column for each step, as high as its calls: filled if it passed, dashed if it did not.
Html calls_picture(const CallCapacity& calls) {
  std::vector<std::string> told;
  for (const auto& step : calls.steps) told.push_back(step_in_words(step, calls));
  auto steps = calls.steps;
  std::stable_sort(steps.begin(), steps.end(),
                   [](const CallStep& a, const CallStep& b) { return a.calls < b.calls; });
  constexpr std::size_t most = 16, with_words = 5;
  if (steps.size() > most) steps.erase(steps.begin(), steps.end() - most);
  const double each = steps.size() <= 4
                          ? picture_width / 4.0
                          : (picture_width - 10.0) / static_cast<double>(steps.size());
  constexpr int tall = 110, floor = 90;
  const int column = static_cast<int>(std::min(70.0, each - 4));
  Html out = opening(tall, say("Simultaneous calls"), joined(told, "; "));
  out.put(R"(<line x1="0" y1="{}" x2="{}" y2="{}" stroke="currentColor"/>)", floor, picture_width,
          floor);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& step = steps[i];
    const double share = std::clamp(step.calls / std::max(1.0, 1.0 * calls.wanted), 0.0, 1.0);
    const double left = 10 + static_cast<double>(i) * each, high = 4 + 66 * share;
    out.put(
        R"(<rect x="{:.1f}" y="{:.1f}" width="{}" height="{:.1f}" fill="{}" stroke="currentColor"{}/>)",
        left, floor - high, column, high, step.passed ? "currentColor" : "none",
        Html().source(step.passed ? "" : R"( stroke-dasharray="4 3")"));
    out.put(
        R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" font-size="11" fill="currentColor">{}</text>)",
        left + column / 2.0, floor - high - 5, step.calls);
    if (steps.size() > with_words) continue;
    out.put(
        R"(<text x="{:.1f}" y="{}" text-anchor="middle" font-size="11" fill="currentColor">{}</text>)",
        left + column / 2.0, tall - 5, result_of(step, calls));
  }
  return out.put("</svg>\n");
}

// The steps in words, for readers who cannot see the picture.
Html html_calls(const ProbeResult& result) {
  Html out;
  const auto& calls = result.observation.media->calls;
  if (!calls || calls->steps.empty()) return out;
  out.put("<h3>{}</h3>\n", say("{}, {} of {} calls at once", result.probe.target.host,
                               calls->passed, calls->wanted));
  out.put(calls_picture(*calls)).put("<ul>\n");
  for (const auto& step : calls->steps) out.put("<li>{}</li>\n", step_in_words(step, *calls));
  return out.put("</ul>\n");
}

// A bar per second: filled up to its median delay, hollow up to its slowest packet; a second with
// losses is dashed and has its number below, so that the picture does not rely on colour.
Html picture(const Told& told) {
  const auto& seconds = told.direction->seconds;
  if (seconds.empty()) return {};  // only counts are known
  constexpr int room = 38;         // height of a bar that is too late to be heard
  Html out = opening(picture_height + 10, say("Second by second, {}", way_in_words(told.way)),
                     in_words_of(told));
  out.put(R"(<line x1="0" y1="{}" x2="{}" y2="{}" stroke="currentColor"/>)", picture_floor,
          picture_width, picture_floor);
  const bool timed = std::any_of(seconds.begin(), seconds.end(), [](const MediaSecond& second) {
    return second.delay_ms.has_value();
  });
  if (timed) {
    out.put(
        R"(<line x1="0" y1="{}" x2="{}" y2="{}" stroke="currentColor" stroke-dasharray="1 4"/>)",
        picture_floor - room, picture_width, picture_floor - room);
    out.put(R"(<text x="{}" y="{}" text-anchor="end" font-size="9" fill="currentColor">{}</text>)",
            picture_width, picture_floor - room - 3,
            say("{} ms later", told.stream->jitter_buffer_ms));
  }
  const double each = static_cast<double>(picture_width) /
                      static_cast<double>(std::max<std::size_t>(seconds.size(), 1));
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const auto& second = seconds[i];
    const double slowest = 1 + (room - 1) * part_of_buffer(second.delay_most_ms, *told.stream),
                 median = 1 + (room - 1) * part_of_buffer(second.delay_ms, *told.stream),
                 left = each * static_cast<double>(i), wide = std::max(each - 2, 0.5);
    const bool lost = second.lost > 0;
    out.put(
        R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="none" stroke="currentColor"{}/>)",
        left + 1, picture_floor - slowest, wide, slowest,
        Html().source(lost ? R"( stroke-dasharray="2 2")" : ""));
    out.put(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="currentColor"/>)",
            left + 1, picture_floor - median, wide, median);
    if (!lost) continue;
    out.put(
        R"(<text x="{:.1f}" y="{}" text-anchor="middle" font-size="9" fill="currentColor">{}</text>)",
        left + each / 2, picture_height + 4, second.lost);
  }
  return out.put("</svg>\n");
}

// "up to 2 ms", "more than 100 ms"
std::string bar_in_words(std::size_t bar) {
  if (bar < later_ms.size()) return say("up to {} ms", fmt::format("{:g}", later_ms[bar]));
  return say("more than {} ms", fmt::format("{:g}", later_ms.back()));
}

// The distribution of the delays: a bar for each range, its packets above and its upper end below.
Html histogram(const Told& told) {
  const auto& bars = told.direction->histogram;
  Html out;
  if (!told.stream->fit || bars.size() != later_ms.size() + 1) return out;
  const int most = std::max(1, *std::max_element(bars.begin(), bars.end()));
  std::vector<std::string> words;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    if (bars[i] > 0)
      words.push_back(
          fmt::format("{} {}", say_plural(bars[i], "{} packet", "{} packets"), bar_in_words(i)));
  }
  constexpr int tall = 90, floor = 72, room = 56;
  out = opening(
      tall, say("How much later packets arrived than the fastest one, {}", way_in_words(told.way)),
      joined(words));
  out.put(R"(<line x1="0" y1="{}" x2="{}" y2="{}" stroke="currentColor"/>)", floor, picture_width,
          floor);
  const double each = static_cast<double>(picture_width) / static_cast<double>(bars.size());
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double high = room * static_cast<double>(std::max(bars[i], 0)) / most,
                 left = each * static_cast<double>(i), middle = left + each / 2;
    out.put(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="currentColor"/>)",
            left + 4, floor - high, each - 8, high);
    if (bars[i] > 0) {
      out.put(
          R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" font-size="10" fill="currentColor">{}</text>)",
          middle, floor - high - 4, bars[i]);
    }
    out.put(
        R"(<text x="{:.1f}" y="{}" text-anchor="middle" font-size="10" fill="currentColor">{}</text>)",
        middle, tall - 4, i < later_ms.size() ? fmt::format("{:g} ms", later_ms[i]) : say("more"));
  }
  return out.put("</svg>\n");
}

std::string heading_of(MediaWay way) {
  if (way == MediaWay::up) return say("from this site");
  return way == MediaWay::down ? say("to this site") : say("there and back over UDP");
}

std::string column_of(MediaWay way) {
  if (way == MediaWay::up) return say("out");
  return way == MediaWay::down ? say("back") : say("both");
}

// Streams that were begun, or wanted a TURN login or relays, and brought no figures.
std::vector<const ProbeResult*> without_figures(const Report& report) {
  std::vector<const ProbeResult*> found;
  for (const auto& result : report.probes) {
    const auto& seen = result.observation;
    const bool wanted = seen.outcome != Outcome::skipped || seen.detail == DetailCode::no_relays ||
                        seen.detail == DetailCode::no_turn_login;
    if (result.probe.check == CheckKind::media && !seen.media && wanted) found.push_back(&result);
  }
  return found;
}

std::string why_not_measured(const ProbeResult& result) {
  const auto& seen = result.observation;
  const bool told = seen.detail == DetailCode::no_relays && !seen.evidence.empty();
  return told ? say("{}", seen.evidence.back().text) : outcome_in_full(result);
}

}  // namespace

std::vector<MediaLine> media_lines(const Report& report, bool unicode) {
  std::vector<MediaLine> lines;
  for (const auto& told : directions(report)) {
    const auto& probe = told.result->probe;
    const auto host = probe.check == CheckKind::ice ? say("{} (WebRTC call)", probe.target.host)
                                                    : probe.target.host;
    lines.push_back({host, column_of(told.way), figures(told), spark(told, unicode)});
  }
  for (const auto& result : report.probes) {
    const auto& media = result.observation.media;
    if (!media || !media->calls || media->calls->steps.empty()) continue;
    std::vector<std::string> steps;
    for (const auto& step : media->calls->steps) {
      steps.push_back(step_in_words(step, *media->calls));
    }
    std::string marks;
    for (const auto& step : media->calls->steps) marks += step.passed ? '+' : 'x';
    lines.push_back({result.probe.target.host, say("calls"), joined(steps, "; "), marks});
  }
  for (const auto* result : without_figures(report))
    lines.push_back({result->probe.target.host, "", why_not_measured(*result), ""});
  return lines;
}

Html html_media(const Report& report) {
  Html out;
  for (const auto& told : directions(report)) {
    out.put("<h3>{}, {}</h3>\n<p>{}</p>\n", told.result->probe.target.host, heading_of(told.way),
            figures(told));
    out.put(score_picture(told)).put(picture(told)).put(histogram(told));
  }
  for (const auto& result : report.probes) {
    const auto& media = result.observation.media;
    if (!media) continue;
    if (media->by_relays.value_or(false)) {
      out.put("<p>{}</p>\n", say("{}: {}", result.probe.target.host, say_marked(relays_in_words)));
    }
    if (media->first_hop) {
      out.put("<p>{}</p>\n", say("During the stream, {}.", first_hop_told(*media->first_hop)));
    }
    const auto own = own_state_told(*media);
    if (!own.empty()) out.put("<p>{}.</p>\n", own);
    out.put(html_calls(result));
  }
  const bool any_figures = !out.empty();
  for (const auto* result : without_figures(report))
    out.put("<p>{}: {}</p>\n", result->probe.target.host, why_not_measured(*result));
  if (!any_figures) return out;
  Html whole;
  whole.put("<p class=\"muted\">{}</p>\n",
            say("Each bar is one second. It is filled up to the median delay of its packets, "
                "compared with the fastest packet of all, and hollow up to its slowest packet. "
                "Packets that reach the dotted line are too late to be heard. A dashed bar marks a "
                "second with lost packets, and the number below it says how many. The chart "
                "underneath shows how many packets arrived how much later than the fastest one."));
  return whole.put(out);
}

}  // namespace callready
