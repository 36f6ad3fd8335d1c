// The report for a ticket or a wiki: CommonMark with GitHub's tables. What comes from the network
// is escaped, so that no server can put a link, an image or HTML into the ticket.
#include <fmt/format.h>

#include "reports/format.hpp"
#include "reports/markdown_text.hpp"
#include "reports/phrases.hpp"

namespace callready {
namespace {

std::string verdict_line(const SetResult& set) {
  return fmt::format("**{}**: {}. {}", verdict_word(set.verdict), escaped_markdown(set_name(set)),
                     escaped_markdown(verdict_sentences(set)));
}

void add_finding(std::string& out, const Report& report, std::size_t index) {
  const auto& finding = report.findings[index];
  const auto doubt = caution(finding.confidence);
  out += fmt::format("\n### {}. {}{}\n\n", index + 1, escaped_markdown(finding.title),
                     doubt.empty() ? "" : fmt::format(" ({})", doubt));
  if (!finding.fix.empty()) out += fmt::format("- **Fix:** {}\n", escaped_markdown(finding.fix));
  out += fmt::format("- **For:** {} (code: {})\n", team(finding.owner),
                     escaped_markdown(finding.code));
  const auto hurt = hurt_by(finding, report);
  if (!hurt.empty()) out += fmt::format("- **Hurts:** {}\n", escaped_markdown(hurt));
  if (finding.evidence.empty()) return;
  out += "- **Evidence:**\n";
  for (const auto& evidence : finding.evidence) {
    out += fmt::format(
        "  - {}{}\n", escaped_markdown(evidence.text),
        evidence.probe.empty() ? "" : fmt::format(" ({})", escaped_markdown(evidence.probe)));
  }
}

void add_set(std::string& out, const Report& report, const SetResult& set) {
  out += fmt::format("\n## {}\n", escaped_markdown(set_name(set)));
  if (!set.capabilities.empty()) {
    out += "\n| Capability | Verdict | |\n| --- | --- | --- |\n";
    for (const auto& capability : set.capabilities) {
      out += fmt::format("| {} | {} | {} |\n", escaped_markdown(capability.title),
                         verdict_word(capability.verdict), escaped_markdown(capability.summary));
    }
  }
  if (!set.requirements.empty()) {
    out += "\n| Requirement | Status | | Source |\n| --- | --- | --- | --- |\n";
    for (const auto& requirement : set.requirements) {
      auto text = escaped_markdown(summary_and_sample(requirement));
      if (const auto number = explained_by(set, requirement, report); number != 0) {
        text += fmt::format(", see {}", number);
      }
      out += fmt::format("| {} ({}) | {} | {} | {} |\n", escaped_markdown(requirement.title),
                         to_string(requirement.severity), status_word(requirement.status), text,
                         escaped_markdown(requirement.source));
    }
  }
  if (!set.notes.empty()) out += '\n';
  for (const auto& note : set.notes) out += fmt::format("- Note: {}\n", escaped_markdown(note));
}

// Endpoints that were not reached; with `verbose`, all of them.
void add_endpoints(std::string& out, const Report& report, bool verbose) {
  std::string rows;
  for (const auto& result : report.probes) {
    const auto outcome = result.observation.outcome;
    if (!verbose && (reached(outcome) || outcome == Outcome::skipped)) continue;
    rows += fmt::format("| {} | {} |\n", escaped_markdown(endpoint(result.probe)),
                        escaped_markdown(outcome_in_full(result)));
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
  out += fmt::format("\n{}\n", escaped_markdown(when_and_where(report)));
  if (!report.findings.empty()) out += "\n## What is wrong, and what to do\n";
  for (std::size_t i = 0; i < report.findings.size(); ++i) add_finding(out, report, i);
  for (const auto& set : report.sets) add_set(out, report, set);
  add_endpoints(out, report, options.verbose);
  if (!report.notes.empty()) out += '\n';
  for (const auto& note : report.notes) out += fmt::format("- Note: {}\n", escaped_markdown(note));
  out +=
      fmt::format("\n{} tried in {}.\n", count_of(endpoints_tried(report), "endpoint", "endpoints"),
                  duration_phrase(report.duration));
  return out;
}

}  // namespace callready
