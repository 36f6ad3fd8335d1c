// What a page needs to show the verdict, what to do and who has to do it, in the same sentences as
// the reports for people.
#include "reports/format.hpp"
#include "reports/json/text.hpp"
#include "reports/text/ticket.hpp"
#include "reports/words/answer.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rule_words.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_reasons = 2;

Json mark_json(Mark mark) { return {{"mark", mark_name(mark)}, {"glyph", mark_glyph(mark)}}; }

Json set_of(const SetResult& set, const ExplainedRows& explained, const Report& report) {
  auto json = mark_json(mark_of(set, report));
  json["name"] = set_name(set);
  json["word"] = verdict_word(set.verdict);
  json["sentences"] = verdict_sentences(set, report);
  json["doubt"] = source_doubt(set);
  json["capabilities"] = Json::array();
  for (const auto& capability : set.capabilities) {
    auto one = mark_json(mark_of(set, capability, report));
    one["title"] = title_of(capability);
    one["told"] = told_of(set, capability, report);
    json["capabilities"].push_back(std::move(one));
  }
  json["undecided"] = Json::array();
  for (const auto& row : set.requirements) {
    // People can do without what is optional: the report has it.
    const bool open = row.status == Status::unknown && row.severity != Severity::optional;
    if (!open || explained.by(set, row) != 0) continue;
    auto one = mark_json(mark_of(row.status));
    one["title"] = title_of(row);
    one["told"] = summary_and_sample(row);
    json["undecided"].push_back(std::move(one));
  }
  return json;
}

Json cause_of(const Report& report, std::size_t number, const RenderOptions& options) {
  const auto& finding = report.findings[number];
  return {{"title", finding.title},
          {"doubt", caution(finding)},
          {"why", cause(finding, most_reasons, false)},
          {"since", standing_in_words(finding.standing)},
          {"who", team(finding.owner)},
          {"fix", finding.fix},
          {"affects", affected_by(finding, report)},
          {"rules", lines_of(finding.rules)},
          {"ticket", ticket_of(report, number, options)}};
}

}  // namespace

std::string render_summary(const Report& report, const RenderOptions& options) {
  Json json = {{"complete", report.complete}, {"redacted", !report.redacted.empty()}};
  json["where"] = when_and_where(report);
  json["sets"] = Json::array();
  const ExplainedRows explained(report);
  for (const auto& set : report.sets) json["sets"].push_back(set_of(set, explained, report));
  json["causes"] = Json::array();
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    json["causes"].push_back(cause_of(report, i, options));
  }
  json["open"] = unexplained_titles(report);
  json["notes"] = report.notes;
  json["ticket"] = render_ticket(report, options);
  return json_text(json);
}

}  // namespace callready
