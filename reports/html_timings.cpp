// How long things took: per requirement the round trips as dots on one scale for the whole page,
// and the parts of an exchange as a bar.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "reports/html_parts.hpp"
#include "reports/phrases.hpp"

namespace callready {
namespace {

// More dots than this cannot be told apart; of more, evenly many of each part of the range are
// drawn.
constexpr std::size_t most_dots = 200;

struct Phase {
  Timing key;
  std::string_view name, tone;
};
// In the order in which they happen.
constexpr std::array<Phase, 6> phases{{
    {Timing::dns, "DNS", "dns"},
    {Timing::tunnel, "proxy", "dns"},
    {Timing::connect, "connect", "connect"},
    {Timing::handshake, "TLS", "tls"},
    {Timing::tls, "TLS", "tls"},
    {Timing::reply, "reply", "reply"},
}};

bool measured(double ms) { return std::isfinite(ms) && ms >= 0; }

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string in_words(double ms) { return duration_phrase(Milliseconds(ms)); }

using Parts = std::vector<std::pair<const Phase*, double>>;

// A bar of the parts, `scale` being what its whole width stands for, and their figures.
Html bar(const Parts& parts, double scale, int width) {
  Html rects;
  double at = 0;
  for (const auto& [phase, ms] : parts) {
    const double part = scale > 0 ? ms / scale * width : 0;
    rects.put("<rect class=\"{}\" x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"12\"/>",
              phase->tone, at, std::max(part, 1.0));
    at += part;
  }
  Html out;
  out.put(R"(<svg class="plot" width="{}" height="12" viewBox="0 0 {} 12" aria-hidden="true">)"
          R"(<rect class="track" width="{}" height="12"/>{}</svg>
)",
          width, width, width, rects);
  out.put("<span class=\"small\">");
  bool first = true;
  for (const auto& [phase, ms] : parts) {
    out.put("{}<span class=\"{}-text\">{} {}</span>", std::string_view(first ? "" : " · "),
            phase->tone, phase->name, in_words(ms));
    first = false;
  }
  return out.put("</span>\n");
}

// A scale of whole decades that holds every round trip of the report.
struct Scale {
  double first = 1, last = 1000;  // ms
  static constexpr int width = 220, margin = 14;
  double x(double ms) const {
    const double share = std::log10(std::clamp(ms, first, last) / first) / std::log10(last / first);
    return margin + share * (width - 2 * margin);
  }
};

Scale scale_of(const std::vector<double>& all) {
  Scale scale;
  if (all.empty()) return scale;
  const auto [least, most] = std::minmax_element(all.begin(), all.end());
  const auto decade = [](double ms, bool up) {
    const double power = std::log10(std::clamp(ms, 0.1, 100'000.0));
    return std::pow(10, up ? std::ceil(power) : std::floor(power));
  };
  scale.first = decade(*least, false);
  scale.last = std::max(decade(*most, true), scale.first * 10);
  return scale;
}

// The scale's figures, to stand above or below plots of it.
Html ticks(const Scale& scale) {
  Html out;
  out.put(
      R"(<svg class="plot ticks" width="{}" height="14" viewBox="0 0 {} 14" aria-hidden="true">)",
      Scale::width, Scale::width);
  for (double tick = scale.first; tick <= scale.last * 1.001; tick *= 10) {
    out.put(R"(<text x="{:.1f}" y="11" text-anchor="middle">{}</text>)", scale.x(tick),
            tick < 1000 ? fmt::format("{:g}", tick) : fmt::format("{:g} s", tick / 1000));
  }
  return out.put("</svg>\n");
}

Html dots(std::vector<double> values, const Scale& scale) {
  Html out;
  out.put(R"(<svg class="plot" width="{}" height="20" viewBox="0 0 {} 20" aria-hidden="true">)",
          Scale::width, Scale::width);
  for (double tick = scale.first; tick <= scale.last * 1.001; tick *= 10) {
    out.put(R"(<path class="grid" d="M{:.1f} 1V19"/>)", scale.x(tick));
  }
  std::sort(values.begin(), values.end());
  const auto count = std::min(values.size(), most_dots);
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = count < 2 ? 0 : i * (values.size() - 1) / (count - 1);
    out.put("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"10\" r=\"4\"/>", scale.x(values[at]));
  }
  if (count > 1) {
    out.put("<path class=\"median\" d=\"M{:.1f} 2V18\"/>", scale.x(median_of(values)));
  }
  return out.put("</svg>\n");
}

struct TimedRow {
  std::size_t set = 0, requirement = 0;
  std::vector<double> round_trips;
  Parts parts;  // medians
  double total = 0;
};

std::optional<TimedRow> timed(const Report& report, std::size_t set, std::size_t requirement,
                              const PageIndex& index) {
  TimedRow row{set, requirement, {}, {}, 0};
  std::array<std::vector<double>, phases.size()> values;
  for (const auto& id : report.sets[set].requirements[requirement].probes) {
    for (const auto at : index.probes(id)) {
      const auto& seen = report.probes[at].observation;
      if (seen.round_trip && measured(seen.round_trip->count())) {
        row.round_trips.push_back(seen.round_trip->count());
      }
      for (std::size_t i = 0; i < phases.size(); ++i) {
        const auto found = seen.timing_ms.find(phases[i].key);
        if (found != seen.timing_ms.end() && measured(found->second)) {
          values[i].push_back(found->second);
        }
      }
    }
  }
  if (row.round_trips.empty()) return std::nullopt;
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (values[i].empty()) continue;
    row.parts.emplace_back(&phases[i], median_of(values[i]));
    row.total += row.parts.back().second;
  }
  return row;
}

std::string spread(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const auto middle = in_words(median_of(values));
  if (in_words(*least) == in_words(*most)) return middle;
  return fmt::format("{} ({} to {})", middle, in_words(*least), in_words(*most));
}

Html legend() {
  Html out;
  out.put("<ul class=\"legend small\">\n");
  for (const auto* shown : {&phases[0], &phases[2], &phases[3], &phases[5]}) {
    out.put(
        R"(<li><svg width="12" height="12" aria-hidden="true"><rect class="{}" width="12" height="12"/></svg>{}</li>
)",
        shown->tone, shown->name);
  }
  return out.put("</ul>\n");
}

}  // namespace

Html html_phases(const Observation& seen) {
  Parts parts;
  double total = 0;
  for (const auto& phase : phases) {
    const auto found = seen.timing_ms.find(phase.key);
    if (found == seen.timing_ms.end() || !measured(found->second)) continue;
    parts.emplace_back(&phase, found->second);
    total += found->second;
  }
  return parts.empty() ? Html() : bar(parts, total, 260);
}

Html html_timings(const Report& report, const PageIndex& index) {
  std::vector<TimedRow> rows;
  std::vector<double> all;
  double longest = 0;
  for (std::size_t i = 0; i < report.sets.size(); ++i) {
    for (std::size_t j = 0; j < report.sets[i].requirements.size(); ++j) {
      auto row = timed(report, i, j, index);
      if (!row) continue;
      all.insert(all.end(), row->round_trips.begin(), row->round_trips.end());
      longest = std::max(longest, row->total);
      rows.push_back(std::move(*row));
    }
  }
  if (rows.empty()) return {};
  const auto scale = scale_of(all);
  Html out;
  out.put(
      "<p class=\"small muted\">Round trips in milliseconds, one dot for each endpoint, the line "
      "at "
      "the middle one; every step of the scale is ten times the one before. Beside it the parts of "
      "an exchange, each the middle of all its endpoints.</p>\n");
  out.put(legend());
  for (std::size_t i = 0; i < report.sets.size(); ++i) {
    Html body;
    for (const auto& row : rows) {
      if (row.set != i) continue;
      const auto& requirement = report.sets[i].requirements[row.requirement];
      body.put(R"(<tr><th scope="row"><a href="#{}">{}</a></th>
<td><div class="spread"><div>{}{}</div><span class="small">{}</span></div></td><td>{}</td></tr>
)",
               PageIndex::row(row.set, row.requirement),
               requirement.title.empty() ? requirement.id : requirement.title,
               dots(row.round_trips, scale), ticks(scale), spread(row.round_trips),
               row.parts.empty() ? Html() : bar(row.parts, longest, 260));
    }
    if (body.empty()) continue;
    out.put(R"(<table class="stack timings">
<caption>{}</caption>
<thead><tr><th scope="col">Requirement</th><th scope="col">Round trip, in ms{}</th><th scope="col">Where the time goes</th></tr></thead>
<tbody>
{}</tbody>
</table>
)",
            set_name(report.sets[i]), ticks(scale), body);
  }
  return out;
}

}  // namespace callready
