// The report for a ticket or a wiki: CommonMark with GitHub's tables. What comes from the network
// is escaped, so that no server can put a link, an image or HTML into the ticket.
#include <fmt/format.h>

#include "reports/format.hpp"
#include "reports/phrases.hpp"
#include "reports/terminal.hpp"

namespace callready {
namespace {

// Every character that could begin markup where we place text: never at the start of a line, so
// list bullets and the like need no escape. "http://" and "www." would become links by themselves.
std::string escaped(std::string_view text) {
  constexpr std::string_view special = "\\`*_[]<>#|~&!@";
  const auto safe = harmless(text);
  std::string out;
  for (std::size_t i = 0; i < safe.size(); ++i) {
    const std::string_view rest(safe.data() + i, safe.size() - i);
    const bool link = rest.starts_with("://") || (rest.starts_with('.') && out.ends_with("www"));
    if (link || special.find(safe[i]) != std::string_view::npos) out += '\\';
    out += safe[i];
  }
  return out;
}

std::string verdict_line(const SetResult& set) {
  return fmt::format("**{}**: {}. {}", verdict_word(set.verdict), escaped(set_name(set)),
                     escaped(verdict_sentences(set)));
}

void add_finding(std::string& out, const Report& report, std::size_t index) {
  const auto& finding = report.findings[index];
  const auto doubt = caution(finding.confidence);
  out += fmt::format("\n### {}. {}{}\n\n", index + 1, escaped(finding.title),
                     doubt.empty() ? "" : fmt::format(" ({})", doubt));
  if (!finding.fix.empty()) out += fmt::format("- **Fix:** {}\n", escaped(finding.fix));
  out += fmt::format("- **For:** {} (code: {})\n", team(finding.owner), escaped(finding.code));
  const auto hurt = hurt_by(finding, report);
  if (!hurt.empty()) out += fmt::format("- **Hurts:** {}\n", escaped(hurt));
  if (finding.evidence.empty()) return;
  out += "- **Evidence:**\n";
  for (const auto& evidence : finding.evidence) {
    out += fmt::format("  - {}{}\n", escaped(evidence.text),
                       evidence.probe.empty() ? "" : fmt::format(" ({})", escaped(evidence.probe)));
  }
}

void add_set(std::string& out, const Report& report, const SetResult& set) {
  out += fmt::format("\n## {}\n", escaped(set_name(set)));
  if (!set.capabilities.empty()) {
    out += "\n| Capability | Verdict | |\n| --- | --- | --- |\n";
    for (const auto& capability : set.capabilities) {
      out += fmt::format("| {} | {} | {} |\n", escaped(capability.title),
                         verdict_word(capability.verdict), escaped(capability.summary));
    }
  }
  if (!set.requirements.empty()) {
    out += "\n| Requirement | Status | | Source |\n| --- | --- | --- | --- |\n";
    for (const auto& requirement : set.requirements) {
      auto text = escaped(summary_and_sample(requirement));
      if (const auto number = explained_by(set, requirement, report); number != 0) {
        text += fmt::format(", see {}", number);
      }
      out += fmt::format("| {} ({}) | {} | {} | {} |\n", escaped(requirement.title),
                         to_string(requirement.severity), status_word(requirement.status), text,
                         escaped(requirement.source));
    }
  }
  if (!set.notes.empty()) out += '\n';
  for (const auto& note : set.notes) out += fmt::format("- Note: {}\n", escaped(note));
}

// Endpoints that were not reached; with `verbose`, all of them.
void add_endpoints(std::string& out, const Report& report, bool verbose) {
  std::string rows;
  for (const auto& result : report.probes) {
    const auto outcome = result.observation.outcome;
    if (!verbose && (reached(outcome) || outcome == Outcome::skipped)) continue;
    rows += fmt::format("| {} | {} |\n", escaped(endpoint(result.probe)),
                        escaped(outcome_in_full(result)));
  }
  if (rows.empty()) return;
  out += verbose ? "\n## Every endpoint\n" : "\n## Endpoints that were not reached\n";
  out += "\n| Endpoint | Outcome |\n| --- | --- |\n" + rows;
}

}  // namespace

std::string render_markdown(const Report& report, const RenderOptions& options) {
  std::string out = "# Can this site make calls?\n\n";
  for (const auto& set : report.sets) out += fmt::format("- {}\n", verdict_line(set));
  if (report.sets.empty()) {
    out += fmt::format("**{}**: nothing was checked.\n", verdict_word(Verdict::unknown));
  }
  if (!report.complete) {
    out +=
        "\n**Incomplete:** this run was stopped, or ran out of time, before everything was "
        "tried.\n";
  }
  out += fmt::format("\n{}\n", escaped(when_and_where(report)));
  if (!report.findings.empty()) out += "\n## What is wrong, and what to do\n";
  for (std::size_t i = 0; i < report.findings.size(); ++i) add_finding(out, report, i);
  for (const auto& set : report.sets) add_set(out, report, set);
  add_endpoints(out, report, options.verbose);
  if (!report.notes.empty()) out += '\n';
  for (const auto& note : report.notes) out += fmt::format("- Note: {}\n", escaped(note));
  out +=
      fmt::format("\n{} tried in {}.\n", count_of(endpoints_tried(report), "endpoint", "endpoints"),
                  duration_phrase(report.duration));
  return out;
}

}  // namespace callready
