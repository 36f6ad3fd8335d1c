#include "reports/monitoring/otlp.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/format.hpp"
#include "reports/json/text.hpp"
#include "reports/monitoring/exporter_metrics.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;

// SeverityNumber of logs/v1.
enum class LogSeverity { info = 9, warn = 13, error = 17 };

Json attribute(std::string_view key, const std::string& value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

void add_if_any(Json& attributes, std::string_view key, const std::string& value) {
  if (!value.empty()) attributes.push_back(attribute(key, value));
}

// 64-bit numbers are strings in protobuf's JSON.
std::string nanoseconds(WallTime time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

Json resource(const Report& report) {
  auto attributes = Json::array();
  attributes.push_back(attribute("service.name", "callready"));
  add_if_any(attributes, "service.version", report.tool.version);
  add_if_any(attributes, "host.name", report.site.host);
  add_if_any(attributes, "callready.site", report.site.name);
  return {{"attributes", attributes}};
}

Json scope(const Report& report) {
  return {{"name", "callready"}, {"version", report.tool.version}};
}

Json record(const Report& report, LogSeverity severity, const char* event, std::string body,
            Json attributes) {
  attributes.insert(attributes.begin(), attribute("event.name", event));
  return {{"timeUnixNano", nanoseconds(report.finished_at)},
          {"observedTimeUnixNano", nanoseconds(report.finished_at)},
          {"severityNumber", static_cast<int>(severity)},
          {"severityText", severity == LogSeverity::info   ? "INFO"
                           : severity == LogSeverity::warn ? "WARN"
                                                           : "ERROR"},
          {"body", {{"stringValue", std::move(body)}}},
          {"attributes", std::move(attributes)}};
}

}  // namespace

std::string otlp_logs(const Report& report) {
  const auto verdict = overall(report);
  auto records = Json::array();
  // Like the exit status: an interrupted run decides nothing.
  const auto whole = !report.complete              ? LogSeverity::warn
                     : verdict == Verdict::ready   ? LogSeverity::info
                     : verdict == Verdict::blocked ? LogSeverity::error
                                                   : LogSeverity::warn;
  Json complete = {{"key", "callready.complete"}, {"value", {{"boolValue", report.complete}}}};
  records.push_back(record(
      report, whole, "callready.report", render_json(report, {}),
      Json::array({attribute("callready.verdict", std::string(to_string(verdict))), complete})));
  for (const auto& finding : report.findings) {
    auto attributes =
        Json::array({attribute("callready.code", std::string(to_string(finding.code))),
                     attribute("callready.confidence", std::string(to_string(finding.confidence))),
                     attribute("callready.owner", std::string(to_string(finding.owner)))});
    add_if_any(attributes, "callready.fix", finding.fix.string());
    records.push_back(
        record(report, LogSeverity::warn, "callready.finding", finding.title.string(), attributes));
  }
  Json logs = {{"resource", resource(report)},
               {"scopeLogs", Json::array({{{"scope", scope(report)}, {"logRecords", records}}})}};
  return json_line({{"resourceLogs", Json::array({std::move(logs)})}});
}

std::string otlp_metrics(const Report& report) {
  auto metrics = Json::array();
  for (const auto& metric : exporter_metrics(report)) {
    auto points = Json::array();
    for (const auto& [labels, value] : metric.samples()) {
      if (!std::isfinite(value)) continue;
      auto attributes = Json::array();
      for (const auto& [key, text] : labels) add_if_any(attributes, key, text);
      points.push_back({{"attributes", std::move(attributes)},
                        {"timeUnixNano", nanoseconds(report.finished_at)},
                        {"asDouble", value}});
    }
    if (points.empty()) continue;
    metrics.push_back({{"name", metric.name()},
                       {"description", metric.help()},
                       {"unit", metric.name().ends_with("_seconds") ? "s" : "1"},
                       {"gauge", {{"dataPoints", std::move(points)}}}});
  }
  Json all = {{"resource", resource(report)},
              {"scopeMetrics", Json::array({{{"scope", scope(report)}, {"metrics", metrics}}})}};
  return json_line({{"resourceMetrics", Json::array({std::move(all)})}});
}

}  // namespace callready
