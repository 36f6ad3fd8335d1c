// The report for a person at a terminal. What matters most comes first: the verdict, what to
// change, what works, and only then the vendor's rows that have problems.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/format.hpp"
#include "reports/html/media.hpp"
#include "reports/words/answer.hpp"
#include "reports/words/calls.hpp"
#include "reports/words/marks.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/site_facts.hpp"
#include "reports/words/terminal.hpp"
#include "reports/words/waits.hpp"

namespace callready {
namespace {

// A classic terminal: if the report is longer, its end repeats the verdict that scrolled away.
constexpr int screen_lines = 24;
constexpr std::size_t most_verdict_lines = 7;  // of several sets, before they are shortened
constexpr std::size_t most_repeated = 4;       // causes that the end of a long report repeats
constexpr int widest_name = 44;                // columns that names may take next to their text

struct Row {
  Mark mark;
  std::string name, text;
};

// The width of a column that holds all names except overlong ones, which get their own lines.
int name_column(const Page& page, const std::vector<Row>& rows) {
  const int most = std::min(std::max(widest_name, page.width() / 3), page.width() / 2);
  int width = 0;
  for (const auto& row : rows) {
    const int name = columns(page.clean(row.name));
    if (name <= most) width = std::max(width, name);
  }
  return width;
}

void add_rows(Page& page, const std::vector<Row>& rows) {
  const int width = name_column(page, rows);
  for (const auto& row : rows) page.row(row.mark, row.name, row.text, width);
}

int widest_verdict(const Report& report) {
  int width = 0;
  for (const auto& set : report.sets) width = std::max(width, columns(verdict_word(set.verdict)));
  return width;
}

// The capabilities of several sets that do not work would fill a screen: then each set gets one
// line, so that what is wrong and the fix stay visible.
bool verdicts_in_short(const Page& page, const Report& report) {
  const int room = page.width() - page.mark_width() - widest_verdict(report) - 3;
  std::size_t lines = 0;
  for (const auto& set : report.sets) {
    lines += wrap(page.clean(verdict_sentences(set, report)), room).size();
  }
  return report.sets.size() > 1 && lines > most_verdict_lines;
}

void add_verdicts(Page& page, const Report& report, bool in_short) {
  const int word = widest_verdict(report);
  for (const auto& set : report.sets) {
    page.verdict(mark_of(set, report), verdict_word(set.verdict),
                 in_short ? say("{}: {}", title_of(set), verdict_in_short(set, report))
                          : verdict_sentences(set, report),
                 word);
  }
  if (report.sets.empty()) {
    page.verdict(Mark::unknown, verdict_word(Verdict::unknown), say("Nothing was checked."),
                 columns(verdict_word(Verdict::unknown)));
  }
  if (!report.complete) {
    page.paragraph(say("This run was stopped, or ran out of time, before everything was tried. The "
                       "following is what had been seen by then."),
                   Style::warning);
  }
}

// For a merged report: the result at each place by itself.
void add_places(Page& page, const Report& report) {
  if (report.vantages.empty()) return;
  page.heading(say("What each place saw"));
  std::vector<Row> rows;
  for (const auto& vantage : report.vantages) {
    auto worst = vantage.sets.empty() ? Verdict::unknown : Verdict::ready;
    std::vector<std::string> verdicts;
    if (vantage.sets.empty()) verdicts.push_back(say("Nothing was checked."));
    for (const auto& set : vantage.sets) {
      if (badness(set.verdict) > badness(worst)) worst = set.verdict;
      verdicts.push_back(say("{}: {}", set_name(set), verdict_word(set.verdict)));
    }
    if (!vantage.complete) verdicts.push_back(say("incomplete"));
    rows.push_back({mark_of(worst), vantage.name, joined(verdicts, "; ")});
  }
  add_rows(page, rows);
}

// The width of a finding's labels, the longest of which in English is "Affects".
int width_of_labels() {
  int width = 0;
  for (const auto& label : {say("Cause"), say("For"), say("Fix"), say("Or"), say("From"),
                            say("Users"), say("Affects")}) {
    width = std::max(width, columns(label));
  }
  return width;
}

void add_evidence(Page& page, const Finding& finding, bool verbose, int label) {
  if (!verbose) {
    const auto why = cause(finding, 2);
    if (!why.empty()) page.labelled(say("Cause"), why, 3, label);
    return;
  }
  auto name = say("Cause");
  for (const auto& evidence : finding.evidence) {
    const auto probe = evidence.probe.empty() ? "" : fmt::format(" [{}]", evidence.probe);
    page.labelled(name, evidence.text.string() + probe, 3, label);
    name.clear();
  }
}

// Who has to do what, and where to find the full list if the fix only gives a count.
void add_fix(Page& page, const Finding& finding, bool is_last, int label) {
  page.labelled(say("For"), say("{} (code: {})", team(finding.owner), to_string(finding.code)), 3,
                label);
  if (finding.fix.empty()) return;
  const bool cut = is_cut_short(finding.rules) && is_in_the_list(finding);
  page.labelled(
      say("Fix"),
      finding.fix.string() + (cut ? say(" Full list: {}.", command_for_the_list("", is_last)) : ""),
      3, label);
}

void add_title(Page& page, const Finding& finding, std::size_t i) {
  const auto doubt = caution(finding);
  page.paragraph(fmt::format("{}. {}{}", i + 1, finding.title,
                             doubt.empty() ? "" : fmt::format(" ({})", doubt)),
                 Style::bold, 3);
}

void add_findings(Page& page, const Report& report, const RenderOptions& options,
                  bool verdicts_name_all) {
  const bool verbose = options.verbose;
  if (report.findings.empty()) return;
  page.heading(say("What is wrong, and what to do"));
  const int label = width_of_labels();
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    const auto& finding = report.findings[i];
    if (i > 0) page.blank();
    add_title(page, finding, i);
    add_evidence(page, finding, verbose, label);
    add_fix(page, finding, options.is_last, label);  // who, before the fix, which may be long
    if (verbose && finding.runner_up) {
      const auto& [cause, tells] = *finding.runner_up;
      page.labelled(say("Or"), fmt::format("{}. {}", cause, tells), 3, label);
    }
    if (!finding.seen_from.empty()) page.labelled(say("From"), joined(finding.seen_from), 3, label);
    if (const auto seen = seen_by_users(finding, report); !seen.empty()) {
      page.labelled(say("Users"), say("may see {}", seen), 3, label);
    }
    // The verdicts have named them.
    if (report.findings.size() == 1 && verdicts_name_all && affects_all(finding, report)) continue;
    page.labelled(say("Affects"), affected_by(finding, report), 3, label);
  }
  const auto open = unexplained_titles(report);
  if (!open.empty()) page.paragraph(say("Not explained by this: {}.", listed(open)));
}

void add_capabilities(Page& page, const Report& report, const SetResult& set) {
  std::vector<Row> rows;
  for (const auto& capability : set.capabilities) {
    rows.push_back(
        {mark_of(set, capability, report), title_of(capability), told_of(set, capability, report)});
  }
  add_rows(page, rows);
}

std::string requirement_text(const ExplainedRows& explained, const SetResult& set,
                             const RequirementResult& requirement, bool verbose) {
  auto text = summary_and_sample(requirement);
  if (requirement.severity != Severity::required) {
    text += fmt::format(" ({})", severity_word(requirement.severity));
  }
  if (const auto number = explained.by(set, requirement); number != 0) {
    text += say(", see {} above", number);
  }
  if (verbose && !requirement.source.empty())
    text += fmt::format(" [{}]", source_of(set, requirement));
  return text;
}

// How much was only sampled or not tried, and how to get all of it.
std::string told_in_short(std::size_t sampled, std::size_t skipped) {
  std::vector<std::string> parts;
  if (sampled > 0) {
    parts.push_back(say_plural(
        sampled, "{} requirement tried on a sample of its hosts or ports (--all tries every one)",
        "{} requirements tried on a sample of their hosts or ports (--all tries every one)"));
  }
  if (skipped > 0) {
    parts.push_back(
        sampled > 0
            ? say_plural(skipped, "{} was not tested in this run (--verbose says why)",
                         "{} were not tested in this run (--verbose says why)")
            : say_plural(skipped, "{} requirement not tested in this run (--verbose says why)",
                         "{} requirements not tested in this run (--verbose says why)"));
  }
  return parts.empty() ? "" : joined(parts, "; ") + ".";
}

// "Cause 1 explains 21 requirements; cause 2: 3 (--verbose lists them)."
std::string told_by_causes(const std::map<std::size_t, std::size_t>& rows_of_cause) {
  std::vector<std::string> parts;
  std::size_t all = 0;
  for (const auto& [number, rows] : rows_of_cause) {
    parts.push_back(parts.empty() ? say_plural(rows, "Cause {1} explains {0} requirement",
                                               "Cause {1} explains {0} requirements", number)
                                  : say("cause {}: {}", number, rows));
    all += rows;
  }
  if (parts.empty()) return {};
  return say_plural(all, "{1} (--verbose lists it).", "{1} (--verbose lists them).",
                    joined(parts, "; "));
}

void add_requirements(Page& page, const ExplainedRows& explained, const SetResult& set,
                      ToldOnce& told, bool verbose) {
  std::vector<Row> rows, undecided;
  std::size_t sampled = 0, skipped = 0;
  std::map<std::size_t, std::size_t> same_cause;
  for (const auto& requirement : set.requirements) {
    if (!told.is_news(requirement)) continue;
    const auto number = is_well(requirement) ? 0 : explained.by(set, requirement);
    if (!verbose && number != 0) {
      ++same_cause[number];
    } else if (verbose || !is_well(requirement)) {
      auto& list = verbose || requirement.status != Status::unknown ? rows : undecided;
      list.push_back({mark_of(requirement.status), title_of(requirement),
                      requirement_text(explained, set, requirement, verbose)});
    } else if (requirement.status == Status::skip) {
      ++skipped;
    } else if (!requirement.sampled.empty()) {
      ++sampled;
    }
  }
  if (!rows.empty()) {
    page.heading(verbose ? say("The vendor's requirements") : say("Other problems, cause unknown"));
    add_rows(page, rows);
  }
  if (!undecided.empty()) {
    page.heading(say("Requirements that could not be decided"));
    add_rows(page, undecided);
  }
  for (const auto& rest : {told_by_causes(same_cause), told_in_short(sampled, skipped)}) {
    if (!rest.empty()) page.paragraph(rest);
  }
  for (const auto& note : set.notes) {
    if (told.is_news(note.string())) page.paragraph(say("Note: {}", note));
  }
}

void add_sets(Page& page, const Report& report, bool verbose) {
  const ExplainedRows explained(report);
  ToldOnce told;
  for (const auto& set : report.sets) {
    if (!set.capabilities.empty() || report.sets.size() > 1) {
      page.heading(report.sets.size() > 1 ? set_name(set) : say("What works, and what does not"));
    }
    add_capabilities(page, report, set);
    add_requirements(page, explained, set, told, verbose);
  }
}

void add_endpoints(Page& page, const Report& report) {
  if (report.probes.empty()) return;
  page.heading(say("Every endpoint"));
  std::vector<Row> rows;
  for (const auto& result : report.probes) {
    rows.push_back({mark_of(result), endpoint(result), outcome_in_full(result)});
  }
  add_rows(page, rows);
}

// What was tried both through a proxy and directly: a summary, or each endpoint with its results.
void add_routes(Page& page, const Report& report, bool verbose) {
  const auto pairs = route_pairs(report);
  if (pairs.empty()) return;
  const auto in_short = routes_in_short(pairs);
  if (!verbose) {
    if (!in_short.empty()) page.paragraph(in_short);
    return;
  }
  std::vector<Row> rows;
  for (const auto& pair : pairs) {
    rows.push_back(
        {mark_of(pair), endpoint(pair),
         say("through the proxy: {}; directly: {}; works: {}", outcome_in_full(*pair.proxied),
             pair.direct == nullptr ? say("not tried") : outcome_in_full(*pair.direct),
             better_in_words(pair))});
  }
  page.heading(say("Through the proxy, and directly"));
  if (!in_short.empty()) page.paragraph(in_short);
  add_rows(page, rows);
}

void add_streams(Page& page, const Report& report, bool unicode) {
  const auto lines = media_lines(report, unicode);
  if (lines.empty()) return;
  page.heading(say("How a call would sound"));
  int widest_way = 5;
  for (const auto& line : lines) widest_way = std::max(widest_way, columns(line.way));
  std::string host;
  for (const auto& line : lines) {
    if (line.host != host) page.paragraph(line.host);
    host = line.host;
    page.labelled(line.way, line.figures, 3, widest_way);
    page.labelled("", line.spark, 3, widest_way);
  }
  if (std::ranges::all_of(lines, [](const auto& line) { return line.spark.empty(); })) return;
  page.paragraph(say(
      "A mark for each second: the higher, the later its slowest packet (x: some were lost). For "
      "several calls, one for each step (+: no worse than one call alone)."));
}

void add_calls(Page& page, const Report& report) {
  const auto lines = call_lines(report);
  if (lines.empty()) return;
  page.heading(say("A WebRTC call from here"));
  for (const auto& line : lines) page.paragraph(line);
}

void add_site(Page& page, const Site& site, const std::string& title) {
  page.heading(title);
  const auto facts = site_facts(site);
  int widest_fact = 14;
  for (const auto& fact : facts) widest_fact = std::max(widest_fact, columns(fact.name));
  for (const auto& fact : facts) page.labelled(fact.name, fact.text, 0, widest_fact);
}

std::string closing(const Report& report, bool verbose) {
  const auto tried = say_plural(count_endpoints(report).tried, "{} endpoint", "{} endpoints");
  const auto took = duration_phrase(report.duration);
  return verbose ? say("{} tried in {}; to send: --report html=FILE", tried, took)
                 : say("{} tried in {}; more: --verbose, to send: --report html=FILE", tried, took);
}

// People only see the end of a report that is longer than the screen, so it repeats the answer,
// the causes, and who has to do what. `whole`: how many causes to print with their fixes; if there
// is no room even for the first fix, `short_fix` lines of it.
Page last_screen(const Report& report, const RenderOptions& options, std::size_t whole,
                 std::size_t short_fix = 0) {
  Page page(options);
  const int label = width_of_labels();
  add_verdicts(page, report, report.sets.size() > 1);
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    if (i >= whole && i >= most_repeated) {
      page.paragraph(say_plural(report.findings.size() - i, "and {} more cause, above",
                                "and {} more causes, above"));
      break;
    }
    add_title(page, report.findings[i], i);
    if (i < whole) {
      add_fix(page, report.findings[i], options.is_last, label);
    } else if (i == 0 && short_fix > 0) {
      page.labelled(say("For"), team(report.findings[i].owner), 3, label);
      page.labelled_in_short(say("Fix"), report.findings[i].fix, 3, label, short_fix,
                             say("In full: --ticket."));
    } else {
      const auto who = team(report.findings[i].owner);
      const bool cut = !report.findings[i].fix.empty();
      page.labelled(say("For"), cut ? say("{}; fix above", who) : who, 3, label);
    }
  }
  if (const auto lost = resent_in_words(report); !lost.empty()) page.paragraph(lost);
  return page;
}

void repeat_in_short(Page& page, const Report& report, const RenderOptions& options) {
  constexpr int room = screen_lines - 3;  // an empty line, the closing one and the shell's prompt
  auto whole = std::min(report.findings.size(), most_repeated);
  auto last = last_screen(report, options, whole);
  while (whole > 0 && last.lines() > room) last = last_screen(report, options, --whole);
  if (whole == 0 && !report.findings.empty() && last.lines() < room) {
    last = last_screen(report, options, 0, static_cast<std::size_t>(room - last.lines()));
  }
  page.blank();
  page.append(std::move(last));
}

// Nothing else can be said about a site with such a cause until it is fixed.
bool stops_everything(const Report& report) {
  return !report.findings.empty() && report.vantages.empty() &&
         report.findings.front().code == FindingCode::network_captive_portal;
}

// All that somebody needs who has to sign in first.
std::string render_in_short(const Report& report, const RenderOptions& options) {
  Page page(options);
  add_verdicts(page, report, report.sets.size() > 1);
  add_title(page, report.findings.front(), 0);
  add_fix(page, report.findings.front(), options.is_last, width_of_labels());
  return page.take();
}

// One line per set, whatever the width: what does not fit is shortened.
std::string quiet_text(const Report& report, const RenderOptions& options) {
  Page page(options);
  const int word = widest_verdict(report);
  const int room = page.width() - page.mark_width() - 1 - word - 2;
  const std::string unfinished = report.complete ? "" : say("incomplete run; ");
  std::string part, which_part;
  if (!report.part.empty()) {
    part = say("only a part was tried; ");
    which_part = say("only a part was tried ({}); ", part_asked(report));
  }
  for (const auto& set : report.sets) {
    auto text = page.clean(unfinished + which_part + verdict_sentences(set, report));
    if (!options.on_screen) {
      page.whole_verdict(mark_of(set, report), verdict_word(set.verdict), text, word);
      continue;
    }
    if (columns(text) > room) {
      text = page.clean(
          say("{}: {}", title_of(set), unfinished + part + verdict_in_short(set, report)));
    }
    page.verdict(mark_of(set, report), verdict_word(set.verdict), shortened(text, room), word);
  }
  if (report.sets.empty()) {
    page.verdict(Mark::unknown, verdict_word(Verdict::unknown), say("Nothing was checked."),
                 columns(verdict_word(Verdict::unknown)));
  }
  return page.take();
}

}  // namespace

std::string render_text(const Report& report, const RenderOptions& options) {
  if (options.quiet) return quiet_text(report, options);
  if (!options.verbose && stops_everything(report)) return render_in_short(report, options);
  Page page(options);
  const bool in_short = !options.verbose && verdicts_in_short(page, report);
  add_verdicts(page, report, in_short);
  if (const auto next = how_to_settle(report); !next.empty()) page.paragraph(next);
  add_places(page, report);
  add_findings(page, report, options, !options.verbose && !in_short);
  add_sets(page, report, options.verbose);
  add_streams(page, report, options.unicode);
  add_calls(page, report);
  if (!options.verbose) add_routes(page, report, false);
  if (options.verbose) {
    add_endpoints(page, report);
    add_routes(page, report, true);
    if (report.vantages.empty()) add_site(page, report.site, say("This site"));
    for (const auto& vantage : report.vantages) add_site(page, vantage.site, vantage.name);
  }
  for (const auto& set : report.sets) {
    const auto doubt = options.verbose ? source_doubt(set) : source_doubt_in_short(set);
    if (!doubt.empty()) page.paragraph(say("Note: {}", doubt));
    if (options.verbose) page.paragraph(say("Target set: {}", set_and_source(set)));
  }
  // No empty line here: with one finding the whole report fits on the smallest screen.
  if (const auto lost = resent_in_words(report); !lost.empty()) page.paragraph(lost);
  for (const auto& note : report.notes) page.paragraph(say("Note: {}", note));
  std::vector<std::string> sets;
  for (const auto& set : report.sets) sets.push_back(set_name(set));
  page.paragraph((sets.empty() ? "" : say("Checked: {}. ", joined(sets))) + when_and_where(report),
                 Style::dim);
  if (options.verbose && report.longest_wait) {
    page.paragraph(say("Longest wait, {}", wait_in_words(*report.longest_wait)), Style::dim);
  }
  if (page.lines() + 2 > screen_lines) {  // with the closing line, and the shell's prompt
    repeat_in_short(page, report, options);
  }
  page.paragraph(closing(report, options.verbose), Style::dim);
  return page.take();
}

}  // namespace callready
