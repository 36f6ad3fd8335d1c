// The report for a ticket or a wiki: CommonMark with GitHub's tables. What comes from the network
// is escaped, so that no server can put a link, an image or HTML into the ticket.
#include <fmt/format.h>

#include "reports/format.hpp"
#include "reports/text/markdown_text.hpp"
#include "reports/words/answer.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rule_words.hpp"

namespace callready {
namespace {

std::string verdict_line(const SetResult& set, const Report& report) {
  return fmt::format("**{}**: {} ({})", verdict_word(set.verdict),
                     escaped_markdown(verdict_sentences(set, report)),
                     escaped_markdown(set_name(set)));
}

void add_finding(std::string& out, const Report& report, std::size_t index) {
  const auto& finding = report.findings[index];
  const auto doubt = caution(finding);
  out += fmt::format("\n### {}. {}{}\n\n", index + 1, escaped_markdown(finding.title),
                     doubt.empty() ? "" : fmt::format(" ({})", doubt));
  if (!finding.fix.empty()) out += fmt::format("- **Fix:** {}\n", escaped_markdown(finding.fix));
  out += fmt::format("- **For:** {} (code: {})\n", team(finding.owner),
                     escaped_markdown(to_string(finding.code)));
  if (!finding.seen_from.empty()) {
    out += fmt::format("- **Seen from:** {}\n", escaped_markdown(joined(finding.seen_from)));
  }
  out += fmt::format("- **Affects:** {}\n", escaped_markdown(affected_by(finding, report)));
  const auto seen = seen_by_users(finding, report);
  if (!seen.empty()) out += fmt::format("- **Users may see:** {}\n", escaped_markdown(seen));
  if (!finding.evidence.empty()) out += "- **Evidence:**\n";
  for (const auto& evidence : finding.evidence) {
    out += fmt::format(
        "  - {}{}\n", escaped_markdown(evidence.text),
        evidence.probe.empty() ? "" : fmt::format(" ({})", escaped_markdown(evidence.probe)));
  }
  if (finding.rules.empty()) return;
  out += "\nRules to allow:\n\n" + markdown_block(lines_of(finding.rules), "text");
}

// For a merged report: the result at each place by itself.
void add_places(std::string& out, const Report& report) {
  if (report.vantages.empty()) return;
  out +=
      "\n## What each place saw\n\n| Place | Set | Verdict | When |\n| --- | --- | --- | --- |\n";
  for (const auto& vantage : report.vantages) {
    for (const auto& set : vantage.sets) {
      out += fmt::format("| {} | {} | {} | {}{} |\n", escaped_markdown(vantage.name),
                         escaped_markdown(set_name(set)), verdict_word(set.verdict),
                         minute_of(vantage.started_at), vantage.complete ? "" : ", incomplete");
    }
  }
}

void add_set(std::string& out, const Report& report, const SetResult& set,
             const ExplainedRows& explained, ToldOnce& told) {
  out += fmt::format("\n## {}\n", escaped_markdown(set_name(set)));
  if (!set.capabilities.empty()) {
    out += "\n| Capability | Verdict | |\n| --- | --- | --- |\n";
    for (const auto& capability : set.capabilities) {
      const bool tried = was_tried(set, capability);
      out += fmt::format("| {} | {} | {} |\n", escaped_markdown(title_of(capability)),
                         tried ? verdict_word(capability.verdict) : "NOT TRIED",
                         escaped_markdown(told_of(set, capability, report)));
    }
  }
  if (!set.requirements.empty()) {
    out += "\n| Requirement | Status | | Source |\n| --- | --- | --- | --- |\n";
    for (const auto& requirement : set.requirements) {
      if (!told.is_news(requirement)) continue;
      auto text = escaped_markdown(summary_and_sample(requirement));
      if (const auto number = explained.by(set, requirement); number != 0) {
        text += fmt::format(", see {}", number);
      }
      out += fmt::format("| {} ({}) | {} | {} | {} |\n", escaped_markdown(title_of(requirement)),
                         to_string(requirement.severity), status_word(requirement.status), text,
                         escaped_markdown(source_of(set, requirement)));
    }
  }
  if (!set.notes.empty()) out += '\n';
  for (const auto& note : set.notes) out += fmt::format("- Note: {}\n", escaped_markdown(note));
}

// The endpoints that were not reached; with `verbose`, all of them.
void add_endpoints(std::string& out, const Report& report, bool verbose) {
  std::string rows;
  for (const auto& result : report.probes) {
    const auto outcome = result.observation.outcome;
    if (!verbose && (reached(outcome) || outcome == Outcome::skipped)) continue;
    rows += fmt::format("| {} | {} |\n", escaped_markdown(endpoint(result)),
                        escaped_markdown(outcome_in_full(result)));
  }
  if (rows.empty()) return;
  out += verbose ? "\n## Every endpoint\n" : "\n## Endpoints that were not reached\n";
  out += "\n| Endpoint | Outcome |\n| --- | --- |\n" + rows;
}

// What was tried both through a proxy and directly: where the routes differ; with `verbose`, all.
void add_routes(std::string& out, const Report& report, bool verbose) {
  const auto pairs = route_pairs(report);
  const auto in_short = routes_in_short(pairs);
  if (in_short.empty()) return;
  out += fmt::format("\n## Through the proxy, and directly\n\n{}\n", escaped_markdown(in_short));
  std::string rows;
  for (const auto& pair : pairs) {
    const bool differ = pair.better == Better::proxy_only || pair.better == Better::direct_only;
    if (pair.better == Better::untold || (!verbose && !differ)) continue;
    rows += fmt::format("| {} | {} | {} | {} |\n", escaped_markdown(endpoint(pair)),
                        escaped_markdown(outcome_in_full(*pair.proxied)),
                        escaped_markdown(outcome_in_full(*pair.direct)),
                        escaped_markdown(better_in_words(pair)));
  }
  if (rows.empty()) return;
  out +=
      "\n| Endpoint | Through the proxy | Directly | Which works |\n| --- | --- | --- | --- |\n" +
      rows;
}

}  // namespace

std::string render_markdown(const Report& report, const RenderOptions& options) {
  std::string out = "# Can this site make calls?\n\n";
  for (const auto& set : report.sets) out += fmt::format("- {}\n", verdict_line(set, report));
  if (report.sets.empty()) {
    out += fmt::format("**{}**: nothing was checked.\n", verdict_word(Verdict::unknown));
  }
  if (!report.complete) {
    out +=
        "\n**Incomplete:** this run was stopped, or ran out of time, before everything was "
        "tried.\n";
  }
  out += fmt::format("\n{}\n", escaped_markdown(when_and_where(report)));
  add_places(out, report);
  if (!report.findings.empty()) out += "\n## What is wrong, and what to do\n";
  for (std::size_t i = 0; i < report.findings.size(); ++i) add_finding(out, report, i);
  ToldOnce told;
  const ExplainedRows explained(report);
  for (const auto& set : report.sets) add_set(out, report, set, explained, told);
  add_endpoints(out, report, options.verbose);
  add_routes(out, report, options.verbose);
  if (const auto lost = resent_in_words(report); !lost.empty()) {
    out += fmt::format("\n{}\n", escaped_markdown(lost));
  }
  if (!report.sets.empty() || !report.notes.empty()) out += '\n';
  for (const auto& set : report.sets) {
    out += fmt::format("- Target set: {}\n", escaped_markdown(set_and_source(set)));
    if (const auto doubt = source_doubt(set); !doubt.empty()) {
      out += fmt::format("- Note: {}\n", escaped_markdown(doubt));
    }
  }
  for (const auto& note : report.notes) out += fmt::format("- Note: {}\n", escaped_markdown(note));
  out += fmt::format("\n{} tried in {}.\n",
                     say_plural(count_endpoints(report).tried, "{} endpoint", "{} endpoints"),
                     duration_phrase(report.duration));
  return out;
}

}  // namespace callready
