// A comparison for a person at a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "reports/diff.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

constexpr int widest_capability = 44;

Mark mark_of(Trend trend) {
  switch (trend) {
    case Trend::better:
      return Mark::good;
    case Trend::worse:
      return Mark::bad;
    case Trend::unknown:
      return Mark::unknown;
    case Trend::changed:
      return Mark::warning;
  }
  return Mark::none;
}

std::string word_of(Change::Of of, const std::string& word) {
  if (of == Change::Of::requirement) {
    const auto status = parse<Status>(word);
    return status ? status_word(*status) : word;
  }
  const auto verdict = parse<Verdict>(word);
  return verdict ? verdict_word(*verdict) : word;
}

// "rainbow: TURN servers over UDP"; for a set, only its title.
std::string name_of(Change::Of of, const std::string& set, const std::string& title) {
  return of == Change::Of::set ? title : fmt::format("{}: {}", set, title);
}

std::string text_of(const Change& change) {
  auto text =
      fmt::format("{} -> {}", word_of(change.of, change.before), word_of(change.of, change.after));
  if (!change.summary_after.empty()) text += fmt::format(" ({})", change.summary_after);
  return text;
}

std::string side(const ComparedReport& report) {
  return fmt::format("{}{}, {}: {}{}", report.name,
                     report.site.empty() ? "" : fmt::format(" ({})", report.site),
                     format_rfc3339(report.started_at).substr(0, 16) + "Z",
                     verdict_word(report.verdict), report.complete ? "" : ", incomplete");
}

std::size_t count(const Comparison& comparison, Trend trend) {
  const auto is = [&](const auto& change) { return change.trend == trend; };
  return static_cast<std::size_t>(
      std::count_if(comparison.changes.begin(), comparison.changes.end(), is) +
      std::count_if(comparison.findings.begin(), comparison.findings.end(), is));
}

void add_result(Page& page, const Comparison& comparison) {
  const auto worse = count(comparison, Trend::worse), better = count(comparison, Trend::better);
  const auto unknown = count(comparison, Trend::unknown);
  auto counts = fmt::format("{} got worse, {} got better", worse, better);
  if (unknown > 0) counts += fmt::format(", {} no longer known", unknown);
  if (comparison.worse()) {
    page.verdict(Mark::bad, "WORSE", counts, 8);
  } else if (comparison.not_known()) {
    page.verdict(Mark::unknown, "NO LONGER KNOWN", counts, 15);
  } else if (better > 0) {
    page.verdict(Mark::good, "BETTER", counts, 8);
  } else if (comparison.same()) {
    page.verdict(Mark::good, "THE SAME", "nothing measured by both has changed", 8);
  } else {
    page.verdict(Mark::good, "NOT WORSE", "nothing got better or worse; what else differs follows",
                 9);
  }
}

void add_finding(Page& page, const FindingChange& change) {
  const auto& finding = change.finding;
  const auto doubt = caution(finding);
  auto text = fmt::format("{}{} ({})", finding.title,
                          doubt.empty() ? "" : fmt::format(", {}", doubt), to_string(finding.code));
  if (!change.note.empty()) text += ": " + change.note;
  page.row(mark_of(change.trend), text, "", widest_capability);
  if (change.trend == Trend::worse && !finding.fix.empty()) {
    page.labelled("Fix", fmt::format("{} (for {})", finding.fix, team(finding.owner)), 2, 4);
  }
}

void add_trend(Page& page, const Comparison& comparison, Trend trend, std::string_view heading,
               std::string_view findings_heading) {
  // Causes come first: the rows below them are their effects.
  bool any = false;
  for (const auto& change : comparison.findings) {
    if (change.trend != trend) continue;
    if (!any) page.heading(findings_heading);
    any = true;
    add_finding(page, change);
  }
  int width = 0;
  any = false;
  for (const auto& change : comparison.changes) {
    if (change.trend != trend) continue;
    any = true;
    width = std::max(width, columns(page.clean(name_of(change.of, change.set, change.title))));
  }
  if (!any) return;
  page.heading(heading);
  for (const auto& change : comparison.changes) {
    if (change.trend != trend) continue;
    page.row(mark_of(trend), name_of(change.of, change.set, change.title), text_of(change),
             std::min(width, widest_capability));
  }
}

void add_standing(Page& page, const std::vector<StandingFinding>& findings) {
  if (findings.empty()) return;
  page.heading("Findings still present");
  for (const auto& [finding, since, earlier] : findings) {
    page.row(Mark::warning,
             fmt::format("{} ({}): since {}Z{}", finding.title, to_string(finding.code),
                         format_rfc3339(since).substr(0, 16), earlier ? " or earlier" : ""),
             "", widest_capability);
  }
}

void add_lone(Page& page, const std::vector<Lone>& items, std::string_view heading) {
  if (items.empty()) return;
  page.heading(heading);
  for (const auto& item : items) {
    page.row(Mark::none, name_of(item.of, item.set, item.title), word_of(item.of, item.status),
             widest_capability);
  }
}

}  // namespace

std::string diff_text(const Comparison& comparison, const RenderOptions& options) {
  Page page(options);
  add_result(page, comparison);
  if (options.quiet) return page.take();
  page.labelled("Before", side(comparison.before), 0, 6);
  page.labelled("After", side(comparison.after), 0, 6);
  for (const auto& note : comparison.notes) page.labelled("Note", note, 0, 6);
  add_trend(page, comparison, Trend::worse, "Worse", "New findings");
  add_trend(page, comparison, Trend::unknown, "No longer known", "");
  add_trend(page, comparison, Trend::better, "Better", "Findings no longer present");
  add_trend(page, comparison, Trend::changed, "Changed, but neither better nor worse",
            "Changed findings");
  add_standing(page, comparison.standing);
  add_lone(page, comparison.added, "Only in the newer report");
  add_lone(page, comparison.removed, "Only in the older report");
  return page.take();
}

}  // namespace callready
