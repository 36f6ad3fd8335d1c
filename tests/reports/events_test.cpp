#include "reports/json/events.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/format.hpp"
#include "tests/reports/golden.hpp"
#include "tests/reports/samples.hpp"
#include "tests/reports/schema.hpp"

namespace callready {
namespace {

std::vector<std::string> events_of(const Report& report) {
  std::vector<std::string> sets;
  for (const auto& set : report.sets) sets.push_back(set.id);
  std::vector<std::string> lines = {event_started(report, sets, report.probes.size())};
  for (std::size_t i = 0; i < report.probes.size(); ++i) {
    lines.push_back(event_probe(report.probes[i], i + 1, report.probes.size()));
  }
  for (const auto& set : report.sets) lines.push_back(event_set(set));
  for (const auto& finding : report.findings) lines.push_back(event_finding(finding));
  lines.push_back(event_finished(report));
  return lines;
}

TEST(Events, AreOneValidLineEach) {
  for (const auto& [name, report] : samples::all()) {
    for (const auto& line : events_of(report)) {
      EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << name;
      EXPECT_TRUE(line.ends_with('\n'));
      EXPECT_EQ(line.find('\x1b'), std::string::npos);
      EXPECT_EQ(schema_errors(line, "callready.event-1.schema.json"), "") << name << line;
    }
  }
}

TEST(Events, HoldWhatTheReportDoes) {
  const auto report = samples::blocked();
  auto json = nlohmann::json::parse(render_json(report, {}));
  json.erase("unexplained");  // follows from the sets and the findings
  nlohmann::json built = {{"schema", Report::schema},
                          {"probes", nlohmann::json::array()},
                          {"sets", nlohmann::json::array()},
                          {"findings", nlohmann::json::array()}};
  for (const auto& line : events_of(report)) {
    const auto event = nlohmann::json::parse(line);
    const auto kind = event["event"].get<std::string>();
    const auto take = [&](const char* member) { built[member] = event[member]; };
    if (kind == "started") {
      take("tool");
      take("started_at");
      EXPECT_EQ(event["probes"], report.probes.size());
      EXPECT_EQ(event["sets"], (nlohmann::json{"rainbow", "cloudoe"}));
    } else if (kind == "finished") {
      for (const auto* member : {"site", "finished_at", "duration_ms", "complete", "notes"}) {
        take(member);
      }
      EXPECT_EQ(event["verdict"], "blocked");
      EXPECT_EQ(event["exit_status"], 1);
    } else {
      built[kind + "s"].push_back(event[kind]);
    }
  }
  EXPECT_EQ(built, json);
}

TEST(Events, SchemaRefusesWhatIsNone) {
  const auto refused = [](const char* json) {
    return !schema_errors(json, "callready.event-1.schema.json").empty();
  };
  EXPECT_TRUE(refused("{}"));
  EXPECT_TRUE(refused(R"({"schema": "callready.event/1", "event": "probe", "done": 1})"));
  EXPECT_TRUE(refused(R"({"schema": "callready.event/1", "event": "finished"})"));
  EXPECT_TRUE(refused(R"({"schema": "callready.event/2", "event": "later"})"));
  EXPECT_FALSE(refused(R"({"schema": "callready.event/1", "event": "later"})"));
}

// The schemas stand each for itself, so that one file validates; what they share must be the same.
TEST(Schemas, SayTheSameOfTheSame) {
  const auto folder = std::filesystem::path(test::source_folder()) / "reports/schema";
  std::map<std::string, nlohmann::json> known;
  std::set<std::string> ids;
  int shared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto schema = nlohmann::json::parse(read_file(entry.path()));
    EXPECT_TRUE(ids.insert(schema["$id"]).second) << entry.path();
    if (schema["properties"]["schema"]["const"] == "callready.set/1") continue;  // of other things
    for (const auto& [name, definition] : schema["definitions"].items()) {
      const auto [place, fresh] = known.emplace(name, definition);
      EXPECT_EQ(place->second, definition) << name << " in " << entry.path();
      shared += fresh ? 0 : 1;
    }
  }
  EXPECT_GE(shared, 8);
}

}  // namespace
}  // namespace callready
