#include "reports/diff.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/reports/golden.hpp"
#include "tests/reports/samples.hpp"
#include "tests/reports/schema.hpp"

namespace callready::diff_test {
namespace {

// One of each thing that a comparison can hold.
Comparison example() {
  const auto before = samples::blocked(), after = samples::degraded();
  Comparison result;
  result.before = {"old.json", "Lyon", before.started_at, true, Verdict::blocked};
  result.after = {"new.json", "", after.started_at, false, Verdict::degraded};
  result.changes = {
      {Change::Of::set, "rainbow", "", "Rainbow", "blocked", "degraded", "", "", Trend::better},
      {Change::Of::capability, "rainbow", "media", "Audio, video and screen sharing", "ready",
       "blocked", "works", "does not work: TURN servers over UDP", Trend::worse},
      {Change::Of::requirement, "rainbow", "turn-udp", "TURN servers over UDP", "pass", "fail",
       "reached", "not reached", Trend::worse},
      {Change::Of::requirement, "rainbow", "push", "Push", "pass", "skip", "reached", "not tried",
       Trend::changed}};
  result.added = {{Change::Of::requirement, "rainbow", "new", "A new row", "pass"}};
  result.removed = {{Change::Of::set, "cloudoe", "", "Cloudoe", "blocked"}};
  result.findings = {{Trend::worse, before.findings.at(0), ""},
                     {Trend::better, before.findings.at(1), ""},
                     {Trend::changed, before.findings.at(2), "was likely, is possible"}};
  result.standing = {{before.findings.at(1), before.started_at, true},
                     {before.findings.at(2), before.started_at, false}};
  result.notes = {"The newer run is incomplete."};
  return result;
}

TEST(Diff, GoldenFiles) {
  RenderOptions options;
  expect_golden("diff.txt", diff_text(example(), options));
  expect_golden("diff.json", diff_json(example()));
  options.quiet = true;
  EXPECT_EQ(diff_text(example(), options), "✘ WORSE     3 got worse, 2 got better\n");
}

TEST(Diff, SaysInOneWordWhatCameOfIt) {
  const auto first_line = [](const Comparison& comparison) {
    const auto text = diff_text(comparison, {});
    return text.substr(0, text.find('\n'));
  };
  const auto result = [](const Comparison& comparison) {
    return nlohmann::json::parse(diff_json(comparison))["result"].get<std::string>();
  };
  Comparison comparison;
  EXPECT_NE(first_line(comparison).find("THE SAME"), std::string::npos);
  EXPECT_EQ(result(comparison), "same");
  comparison.added = example().added;
  EXPECT_NE(first_line(comparison).find("NOT WORSE"), std::string::npos);
  EXPECT_EQ(result(comparison), "not_worse");
  comparison.changes = {example().changes.at(0)};
  EXPECT_NE(first_line(comparison).find("BETTER"), std::string::npos);
  EXPECT_EQ(result(comparison), "not_worse");
  comparison.changes.push_back(example().changes.at(1));
  EXPECT_NE(first_line(comparison).find("WORSE"), std::string::npos);
  EXPECT_EQ(result(comparison), "worse");
}

TEST(Diff, SaysThatSomethingIsNotKnownAnyMore) {
  Comparison comparison;
  comparison.changes = {
      {Change::Of::set, "rainbow", "", "Rainbow", "ready", "unknown", "", "", Trend::unknown}};
  const auto text = diff_text(comparison, {}), json = diff_json(comparison);
  EXPECT_TRUE(text.find("NO LONGER KNOWN  0 got worse, 0 got better, 1 no longer known") !=
              text.npos)
      << text;
  EXPECT_NE(text.find("Rainbow  READY -> NOT DECIDED"), text.npos) << text;
  EXPECT_EQ(nlohmann::json::parse(json)["result"], "not_known");
  EXPECT_EQ(schema_errors(json, "callready.diff-1.schema.json"), "");
}

TEST(Diff, IsValid) {
  EXPECT_EQ(schema_errors(diff_json(example()), "callready.diff-1.schema.json"), "");
  EXPECT_EQ(schema_errors(diff_json({}), "callready.diff-1.schema.json"), "");
  auto json = nlohmann::json::parse(diff_json(example()));
  json["changes"][0]["trend"] = "sideways";
  EXPECT_NE(schema_errors(json.dump(), "callready.diff-1.schema.json"), "");
}

TEST(Diff, IsHarmless) {
  auto comparison = example();
  comparison.changes.at(0).title = comparison.findings.at(0).finding.fix = "\x1b[2J\r\nREADY";
  comparison.before.name = "\x1b]0;x\x07";
  const auto text = diff_text(comparison, {}) + diff_json(comparison);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

}  // namespace
}  // namespace callready::diff_test
