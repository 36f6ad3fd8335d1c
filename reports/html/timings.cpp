// How long things took: the round trips of every requirement as dots on one scale, with the median
// marked; and the parts of one exchange as a bar. Drawn twice, for wide and for narrow screens,
// because text in a scaled drawing cannot be read; the table below a drawing says the
// same.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "reports/html/parts.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

// More dots than this cannot be told apart; if there are more, an even selection across the range
// is drawn.
constexpr std::size_t most_dots = 200;

struct Phase {
  Timing key;
  std::string_view name, tone;
};
constexpr std::array<Phase, 6> phases{{
    {Timing::dns, marked("DNS"), "dns"},
    {Timing::tunnel, marked("proxy"), "dns"},
    {Timing::connect, marked("connect"), "connect"},
    {Timing::handshake, marked("TLS"), "tls"},
    {Timing::tls, marked("TLS"), "tls"},
    {Timing::reply, marked("reply"), "reply"},
}};

bool measured(double ms) { return std::isfinite(ms) && ms >= 0; }

std::string in_words(double ms) { return duration_phrase(Milliseconds(ms)); }

struct TimedRow {
  std::string name, anchor;
  std::vector<double> times;  // ms, ascending

  double median() const {
    const auto middle = times.size() / 2;
    return times.size() % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  }
  std::string figures() const {
    const auto middle = in_words(median()), least = in_words(times.front()),
               most = in_words(times.back());
    return least == most ? middle : say("{} ({} to {})", middle, least, most);
  }
};

std::vector<TimedRow> timed_rows(const Report& report, std::size_t set, const PageIndex& index) {
  std::vector<TimedRow> rows;
  const auto& requirements = report.sets[set].requirements;
  for (std::size_t i = 0; i < requirements.size(); ++i) {
    const auto& requirement = requirements[i];
    TimedRow row{title_of(requirement), PageIndex::row(set, i), {}};
    for (const auto& id : requirement.probes) {
      for (const auto at : index.probes(id)) {
        const auto trip = round_trip_of(report.probes[at].observation);
        if (trip && measured(trip->count())) row.times.push_back(trip->count());
      }
    }
    if (row.times.empty()) continue;
    std::sort(row.times.begin(), row.times.end());
    rows.push_back(std::move(row));
  }
  return rows;
}

// The ticks of a logarithmic scale: 1, 2, 5, 10, 20, ... from the last one below `least` to the
// first one above `most`, at least two.
std::vector<double> ticks_around(double least, double most) {
  constexpr double floor_ms = 0.1, ceiling_ms = 100'000;
  least = std::clamp(least, floor_ms, ceiling_ms), most = std::clamp(most, floor_ms, ceiling_ms);
  std::vector<double> ticks;
  for (int power = -2; power <= 6; ++power) {
    for (const double digit : {1, 2, 5}) {
      const double tick = digit * std::pow(10, power);
      if (tick <= least) ticks.clear();
      ticks.push_back(tick);
      if (tick > least && tick >= most && ticks.size() > 1) return ticks;
    }
  }
  return ticks;
}

// Lengths in CSS pixels.
struct PlotLayout {
  std::string_view name;
  int width, first_x, last_x;  // of the drawing; the ends of the scale
  int row_height, words_x;
  bool beside;  // name, dots and figures side by side
};
constexpr PlotLayout wide_plot{"wide", 1040, 290, 800, 30, 824, true};
constexpr PlotLayout narrow_plot{"narrow", 320, 12, 308, 46, 0, false};
constexpr int widest_plotted_name = 38, head_height = 22;

Html plot(const std::vector<TimedRow>& rows, const std::vector<double>& ticks,
          const PlotLayout& layout) {
  const auto x = [&](double ms) {
    const double share = std::log(std::clamp(ms, ticks.front(), ticks.back()) / ticks.front()) /
                         std::log(ticks.back() / ticks.front());
    return layout.first_x + share * (layout.last_x - layout.first_x);
  };
  const int height = head_height + layout.row_height * static_cast<int>(rows.size());
  Html out;
  out.put(R"(<svg class="{}" role="img" width="{}" height="{}" viewBox="0 0 {} {}" aria-label="{}">
)",
          layout.name, layout.width, height, layout.width, height,
          say("Plot of round-trip times; the table below shows the same data"));
  double free_x = 0;  // where the next figure has room
  for (const double tick : ticks) {
    constexpr double room = 52;
    const bool first = tick == ticks.front(), last = tick == ticks.back();
    out.put("<path class=\"grid\" d=\"M{:.1f} {}V{}\"/>\n", x(tick), head_height, height);
    if (!last && (x(tick) < free_x || x(tick) > x(ticks.back()) - room)) continue;
    free_x = x(tick) + (first ? 1.4 : 1) * room;
    out.put("<text class=\"quiet\" x=\"{:.1f}\" y=\"14\" text-anchor=\"{}\">{}</text>\n", x(tick),
            std::string_view(first  ? "start"
                             : last ? "end"
                                    : "middle"),
            tick < 1000 ? fmt::format("{:g} ms", tick) : fmt::format("{:g} s", tick / 1000));
  }
  int y = head_height;
  for (const auto& row : rows) {
    const int middle = y + layout.row_height - 15, words = layout.beside ? middle + 5 : y + 16;
    if (layout.beside) {
      out.put("<text x=\"8\" y=\"{}\">{}</text>", words,
              shortened(harmless(row.name), widest_plotted_name));
      out.put("<text class=\"quiet\" x=\"{}\" y=\"{}\">{}</text>\n", layout.words_x, words,
              row.figures());
    } else {
      const auto name = shortened(harmless(row.name),
                                  widest_plotted_name + 8 - static_cast<int>(row.figures().size()));
      out.put("<text x=\"2\" y=\"{}\">{}</text>\n", words, say("{}: {}", name, row.figures()));
    }
    out.put("<path class=\"span\" d=\"M{:.1f} {}H{:.1f}\"/>", x(row.times.front()), middle,
            x(row.times.back()));
    const auto count = std::min(row.times.size(), most_dots);
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = count < 2 ? 0 : i * (row.times.size() - 1) / (count - 1);
      out.put("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{}\" r=\"5\"/>", x(row.times[at]), middle);
    }
    if (count > 1) {
      out.put("<path class=\"median\" d=\"M{:.1f} {}V{}\"/>", x(row.median()), middle - 9,
              middle + 9);
    }
    out.put("\n");
    y += layout.row_height;
  }
  return out.put("</svg>\n");
}

Html table_of(const std::vector<TimedRow>& rows) {
  Html lines;
  for (const auto& row : rows) {
    lines.put("<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th><td>{}</td><td>{}</td></tr>\n",
              row.anchor, row.name, row.figures(), row.times.size());
  }
  return Html().put(
      "<details>\n<summary>{}</summary>\n{}</details>\n", say("The same data as a table"),
      html_table("stack", {say("Requirement"), say("Round trip"), say("Endpoints")}, lines));
}

}  // namespace

Html html_phases(const ProbeResult& result) {
  constexpr int width = 260;
  const auto parts = parts_of_time(result);
  if (parts.empty()) return {};
  double total = 0;
  for (const auto& [key, ms] : parts) total += ms;
  Html rects, words;
  double at = 0;
  for (const auto& [key, ms] : parts) {
    const auto phase = std::ranges::find(phases, key, &Phase::key);
    const double part = total > 0 ? ms / total * width : 0;
    rects.put("<rect class=\"{}\" x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"12\"/>",
              phase->tone, at, std::max(part, 1.0));
    words.put("{}<span class=\"{}-text\">{} {}</span>",
              std::string_view(words.empty() ? "" : " · "), phase->tone, say_marked(phase->name),
              in_words(ms));
    at += part;
  }
  return Html().put(
      R"(<svg class="parts" width="{}" height="12" viewBox="0 0 {} 12" aria-hidden="true">{}</svg>
<span class="small">{}</span>
)",
      width, width, rects, words);
}

Html html_timings(const Report& report, const PageIndex& index) {
  std::vector<std::vector<TimedRow>> sets;
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (std::size_t i = 0; i < report.sets.size(); ++i) {
    sets.push_back(timed_rows(report, i, index));
    for (const auto& row : sets.back()) {
      least = std::min(least, row.times.front()), most = std::max(most, row.times.back());
    }
  }
  if (most < least) return {};  // nothing was timed
  const auto ticks = ticks_around(least, most);
  Html out;
  out.put(R"(<p class="small muted">{}</p>
)",
          say("Round-trip times: a dot for each endpoint, a line at the median. The scale is "
              "logarithmic and is the same on the whole page."));
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets[i].empty()) continue;
    if (sets.size() > 1) out.put("<h3>{}</h3>\n", set_name(report.sets[i]));
    out.put("<figure class=\"plot\">\n{}{}</figure>\n{}", plot(sets[i], ticks, wide_plot),
            plot(sets[i], ticks, narrow_plot), table_of(sets[i]));
  }
  return out;
}

}  // namespace callready
