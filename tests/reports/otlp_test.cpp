#include "reports/monitoring/otlp.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/format.hpp"
#include "tests/reports/samples.hpp"

namespace callready::otlp_test {
namespace {

using nlohmann::json;

std::string value_of(const json& attributes, const std::string& key) {
  for (const auto& one : attributes) {
    if (one["key"] == key) return one["value"]["stringValue"];
  }
  return "";
}

TEST(Otlp, LogsHoldTheWholeReportAndEachFinding) {
  for (const auto& [name, report] : samples::all()) {
    const auto logs = json::parse(otlp_logs(report))["resourceLogs"][0];
    EXPECT_EQ(value_of(logs["resource"]["attributes"], "service.name"), "callready");
    const auto& records = logs["scopeLogs"][0]["logRecords"];
    ASSERT_EQ(records.size(), 1 + report.findings.size()) << name;
    EXPECT_EQ(records[0]["body"]["stringValue"], render_json(report, {})) << name;
    EXPECT_EQ(value_of(records[0]["attributes"], "callready.verdict"), to_string(overall(report)));
    EXPECT_TRUE(records[0]["timeUnixNano"].is_string()) << "64 bits are a text in protobuf's JSON";
    if (name == "hostile") continue;  // what is no UTF-8 is replaced
    for (std::size_t i = 0; i < report.findings.size(); ++i) {
      EXPECT_EQ(value_of(records[i + 1]["attributes"], "callready.code"),
                to_string(report.findings[i].code));
      EXPECT_EQ(records[i + 1]["severityNumber"], 13);
    }
  }
  const auto blocked = json::parse(otlp_logs(samples::blocked()));
  EXPECT_EQ(blocked["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["severityText"], "ERROR");
}

// As the exit status, and as Nagios is told.
TEST(Otlp, ARunThatWasStoppedIsNoGoodNews) {
  for (auto report : {samples::clean(), samples::blocked()}) {
    report.complete = false;
    const auto logs = json::parse(otlp_logs(report));
    const auto& record = logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    EXPECT_EQ(record["severityText"], "WARN");
    EXPECT_EQ(value_of(record["attributes"], "callready.verdict"), to_string(overall(report)));
    EXPECT_EQ(record["attributes"].back()["key"], "callready.complete");
    EXPECT_EQ(record["attributes"].back()["value"]["boolValue"], false);
  }
  const auto clean = json::parse(otlp_logs(samples::clean()));
  EXPECT_EQ(clean["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["severityText"], "INFO");
}

TEST(Otlp, MetricsAreThoseOfTheExporter) {
  for (const auto& [name, report] : samples::all()) {
    const auto text = render_exporter(report, {});
    const auto all = json::parse(otlp_metrics(report))["resourceMetrics"][0]["scopeMetrics"][0];
    std::size_t points = 0;
    for (const auto& metric : all["metrics"]) {
      EXPECT_NE(text.find("# TYPE " + metric["name"].get<std::string>() + " gauge\n"), text.npos);
      const auto seconds = metric["name"].get<std::string>().ends_with("_seconds");
      EXPECT_EQ(metric["unit"], seconds ? "s" : "1");
      for (const auto& point : metric["gauge"]["dataPoints"]) {
        EXPECT_TRUE(point["asDouble"].is_number());
        ++points;
      }
    }
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = text.find('\n', at)) != text.npos; ++at) ++lines;
    EXPECT_EQ(points + 2 * all["metrics"].size(), lines) << name;
  }
}

}  // namespace
}  // namespace callready::otlp_test
