#include "reports/media.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/phrases.hpp"

namespace callready {
namespace {

struct Told {
  const ProbeResult* result;
  const MediaStream* stream;
  const MediaDirection* direction;
  std::string_view way;
};

std::vector<Told> directions(const Report& report) {
  std::vector<Told> all;
  for (const auto& result : report.probes) {
    if (!result.observation.media) continue;
    const auto& stream = *result.observation.media;
    if (stream.up) all.push_back({&result, &stream, &*stream.up, "out"});
    if (stream.down) all.push_back({&result, &stream, &*stream.down, "back"});
  }
  return all;
}

std::string figures(const Told& told) {
  const auto& direction = *told.direction;
  std::vector<std::string> parts;
  if (told.stream->fit && direction.score) {
    const auto& score = *direction.score;
    parts.push_back(fmt::format("MOS {:.1f}{} ({:.1f} to {:.1f})", score.mos,
                                told.stream->codec == "opus" ? ", an estimate" : "", score.mos_low,
                                score.mos_high));
  }
  parts.push_back(fmt::format("{} of {} lost ({:.2g} to {:.2g} %)", direction.lost, direction.sent,
                              direction.loss.low, direction.loss.high));
  if (direction.longest_burst > 1) {
    parts.push_back(fmt::format("up to {} in a row", direction.longest_burst));
  }
  if (told.stream->fit && direction.delay_ms) {
    parts.push_back(fmt::format("{:.0f} ms +-{:.0f}", *direction.delay_ms,
                                direction.delay_uncertainty_ms.value_or(0)));
  }
  if (told.stream->fit && direction.jitter_ms) {
    parts.push_back(fmt::format("jitter {:.1f} ms", *direction.jitter_ms));
  }
  if (told.stream->fit && direction.late > 0) {
    parts.push_back(fmt::format("{} too late to be heard", direction.late));
  }
  if (direction.reordered > 0) {
    parts.push_back(fmt::format("{} out of order", direction.reordered));
  }
  if (direction.duplicates.value_or(0) > 0) {
    parts.push_back(fmt::format("{} twice", *direction.duplicates));
  }
  if (!told.stream->fit) parts.emplace_back("delay and jitter not judged: this computer was busy");
  return joined(parts);
}

// 0 to 1: how much of the jitter buffer that delay takes. A saved report may hold anything.
double part_of_buffer(const MediaSecond& second, const MediaStream& stream) {
  const double part = second.delay_most_ms.value_or(0) / std::max(stream.jitter_buffer_ms, 1.0);
  return std::clamp(part, 0.0, 1.0);
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
      const auto height =
          static_cast<std::size_t>(std::lround(7 * part_of_buffer(second, *told.stream)));
      if (unicode) {
        text += blocks[height];
      } else {
        text += plain[height];
      }
    }
  }
  return text;
}

constexpr int width = 480, height = 60, base = 50;  // of a picture, and where its floor is

// A bar a second, as high as its slowest packet was late; a second with losses is hatched and has
// its number on top, so that no colour is needed.
Html picture(const Told& told) {
  const auto& seconds = told.direction->seconds;
  Html out;
  out.put(
      R"(<svg class="stream" role="img" width="{}" height="{}" viewBox="0 0 {} {}" aria-label="{}: {}">)",
      width, height + 10, width, height + 10, told.way, figures(told));
  out.put(R"(<line x1="0" y1="{}" x2="{}" y2="{}" stroke="currentColor"/>)", base, width, base);
  const double each =
      static_cast<double>(width) / static_cast<double>(std::max<std::size_t>(seconds.size(), 1));
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const auto& second = seconds[i];
    const double tall = 1 + 38 * part_of_buffer(second, *told.stream),
                 left = each * static_cast<double>(i);
    const bool lost = second.lost > 0;
    out.put(
        R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}" stroke="currentColor"{}/>)",
        left + 1, base - tall, std::max(each - 2, 0.5), tall, lost ? "none" : "currentColor",
        Html().source(lost ? R"( stroke-dasharray="2 2")" : ""));
    if (!lost) continue;
    out.put(
        R"(<text x="{:.1f}" y="{}" text-anchor="middle" font-size="9" fill="currentColor">{}</text>)",
        left + each / 2, height + 4, second.lost);
  }
  return out.put("</svg>\n");
}

}  // namespace

std::vector<MediaLine> media_lines(const Report& report, bool unicode) {
  std::vector<MediaLine> lines;
  for (const auto& told : directions(report)) {
    lines.push_back({told.result->probe.target.host, std::string(told.way), figures(told),
                     spark(told, unicode)});
  }
  return lines;
}

Html html_media(const Report& report) {
  Html out;
  for (const auto& told : directions(report)) {
    out.put("<h3>{}, {}</h3>\n<p>{}</p>\n", told.result->probe.target.host,
            told.way == "out" ? "from this site" : "to this site", figures(told));
    out.put(picture(told));
  }
  if (out.empty()) return out;
  Html whole;
  whole.put(
      "<p class=\"muted\">A bar for each second: how much later than the fastest packet its "
      "slowest "
      "one was; a full bar is too late to be heard. A dashed bar lost packets, with their number "
      "below it.</p>\n");
  return whole.put(out);
}

}  // namespace callready
