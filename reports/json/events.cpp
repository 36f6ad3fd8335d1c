#include "reports/json/events.hpp"

#include "reports/json/parts.hpp"
#include "reports/json/text.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;

Json event(std::string_view name) { return {{"schema", event_schema}, {"event", name}}; }

// JSON itself writes a line break in a text as "\n": one object is one line.
std::string line(const Json& json) { return json_line(json) + '\n'; }

}  // namespace

std::string event_started(const Report& report, const std::vector<std::string>& sets,
                          std::size_t probes) {
  auto json = event("started");
  if (!report.redacted.empty()) json["redacted"] = report.redacted;
  json["tool"] = tool_json(report.tool);
  json["started_at"] = format_rfc3339(report.started_at);
  json["site"] = site_json(report.site);
  json["sets"] = sets;
  json["probes"] = probes;
  return line(json);
}

std::string event_probe(const ProbeResult& result, std::size_t done, std::size_t total) {
  auto json = event("probe");
  json["done"] = done;
  json["total"] = total;
  json["probe"] = probe_json(result);
  return line(json);
}

std::string event_set(const SetResult& set) {
  auto json = event("set");
  json["set"] = set_json(set);
  return line(json);
}

std::string event_finding(const Finding& finding) {
  auto json = event("finding");
  json["finding"] = finding_json(finding);
  return line(json);
}

std::string event_finished(const Report& report) {
  auto json = event("finished");
  json["finished_at"] = format_rfc3339(report.finished_at);
  json["duration_ms"] = duration_json(report.duration);
  json["complete"] = report.complete;
  json["verdict"] = to_string(overall(report));
  json["exit_status"] = exit_status(report);
  json["site"] = site_json(report.site);
  json["notes"] = report.notes;
  return line(json);
}

}  // namespace callready
