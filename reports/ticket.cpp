#include "reports/ticket.hpp"
#include "reports/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/format.hpp"
#include "reports/phrases.hpp"
#include "reports/rule_words.hpp"
#include "reports/terminal.hpp"

namespace callready {
namespace {

constexpr std::size_t most_evidence = 3;

class TicketLines {
 public:
  void add(std::string_view heading, const std::string& text) {
    if (text.empty()) return;
    const auto name = heading.empty() ? std::string() : std::string(heading) + ':';
    out_ += harmless(fmt::format("{:<{}}{}", name, label_width, text)) + '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  static constexpr int label_width = 12;
  std::string out_;
};

void add_head(TicketLines& block, const Report& report, const std::set<std::string>& sets) {
  auto site = report.site.name;
  if (!report.site.host.empty()) {
    site += fmt::format("{}{}", site.empty() ? "" : ", ", report.site.host);
  }
  block.add("Site", site);
  block.add("Time", fmt::format("{}, {} {}", minute_of(report.started_at), report.tool.name,
                                report.tool.version));
  for (const auto& set : report.sets) {
    if (!sets.empty() && !sets.contains(set.id)) continue;
    block.add("Service", set_name(set));
    block.add("Verdict",
              fmt::format("{}: {}", verdict_word(set.verdict), verdict_sentences(set, report)));
  }
}

// The command that shows whether it is mended.
std::string command_for(const Report& report, const std::set<std::string>& sets) {
  std::string command = "callready check";
  for (const auto& set : report.sets) {
    if (sets.empty() || sets.contains(set.id)) command += ' ' + set.id;
  }
  if (report.site.vantage) command += fmt::format(" --from {}", to_string(*report.site.vantage));
  return command;
}

}  // namespace

std::string ticket_of(const Report& report, std::size_t number) {
  const auto& finding = report.findings[number];
  std::set<std::string> sets;
  for (const auto& affected : finding.affects) sets.insert(affected.set);
  TicketLines block;
  add_head(block, report, sets);
  const auto doubt = caution(finding.confidence);
  block.add("Cause", fmt::format("{} ({}; code {})", finding.title,
                                 doubt.empty() ? "certain" : doubt, finding.code));
  block.add("Seen from", joined(finding.seen_from));
  block.add("Users see", seen_by_users(finding, report));
  block.add("For", std::string(team(finding.owner)));
  block.add("To do", finding.fix);
  for (const auto& line : lines_of(finding.rules)) block.add("", line);
  std::set<std::string> told;
  for (const auto& evidence : finding.evidence) {
    if (told.size() == most_evidence) break;
    if (told.insert(evidence.text).second) {
      block.add(told.size() == 1 ? "Evidence" : "", evidence.text);
    }
  }
  const bool one_run = report.vantages.empty();
  block.add("Afterwards", fmt::format("{}\"{}\" there: this cause is to be gone.",
                                      one_run ? "run " : "at each of these places run ",
                                      command_for(report, sets)));
  return block.take();
}

std::string render_ticket(const Report& report, const RenderOptions&) {
  if (report.findings.empty()) {
    TicketLines block;
    add_head(block, report, {});
    const auto open = unexplained_titles(report);
    block.add("Cause",
              open.empty() ? "nothing to be changed was found" : "none found for: " + joined(open));
    return block.take();
  }
  std::string out;
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    out += (i == 0 ? "" : "\n") + ticket_of(report, i);
  }
  return out;
}

}  // namespace callready
