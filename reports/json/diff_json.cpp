// A comparison as JSON; its schema is schema/callready.diff-1.schema.json. As in a report, members
// without a value are left out.
#include <nlohmann/json.hpp>

#include "reports/diff.hpp"
#include "reports/json/text.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;

Json side_json(const ComparedReport& report) {
  Json json = {{"name", report.name}};
  set_if_any(json, "site", report.site);
  json["started_at"] = format_rfc3339(report.started_at);
  json["complete"] = report.complete;
  json["verdict"] = to_string(report.verdict);
  return json;
}

Json change_json(const Change& change) {
  Json json = {{"trend", to_string(change.trend)}, {"of", to_string(change.of)}};
  json["set"] = change.set;
  set_if_any(json, "id", change.id);
  json["title"] = change.title;
  json["before"] = change.before;
  json["after"] = change.after;
  set_if_any(json, "summary_before", change.summary_before);
  set_if_any(json, "summary_after", change.summary_after);
  return json;
}

Json lone_json(const Lone& lone) {
  Json json = {{"of", to_string(lone.of)}, {"set", lone.set}};
  set_if_any(json, "id", lone.id);
  json["title"] = lone.title;
  json["status"] = lone.status;
  return json;
}

Json finding_change_json(const FindingChange& change) {
  const auto& finding = change.finding;
  Json json = {{"trend", to_string(change.trend)},
               {"code", to_string(finding.code)},
               {"title", finding.title},
               {"confidence", to_string(finding.confidence)},
               {"owner", to_string(finding.owner)},
               {"fix", finding.fix},
               {"explains", finding.explains}};
  set_if_any(json, "note", change.note);
  return json;
}

Json standing_json(const StandingFinding& standing) {
  return {{"code", to_string(standing.finding.code)},
          {"title", standing.finding.title},
          {"owner", to_string(standing.finding.owner)},
          {"since", format_rfc3339(standing.since)},
          {"or_earlier", standing.earlier}};
}

}  // namespace

std::string diff_json(const Comparison& comparison) {
  Json json = {{"schema", Comparison::schema},
               {"result", comparison.worse()       ? "worse"
                          : comparison.not_known() ? "not_known"
                          : comparison.same()      ? "same"
                                                   : "not_worse"},
               {"before", side_json(comparison.before)},
               {"after", side_json(comparison.after)}};
  json["changes"] = json_list(comparison.changes, change_json);
  json["findings"] = json_list(comparison.findings, finding_change_json);
  json["standing"] = json_list(comparison.standing, standing_json);
  json["added"] = json_list(comparison.added, lone_json);
  json["removed"] = json_list(comparison.removed, lone_json);
  json["notes"] = comparison.notes;
  return json_text(json);
}

}  // namespace callready
