#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "reports/format.hpp"
#include "reports/json/reader.hpp"
#include "tests/reports/golden.hpp"
#include "tests/reports/samples.hpp"

namespace callready {
namespace {

TEST(Json, GoldenFiles) {
  for (const auto& [name, report] : samples::all()) {
    expect_golden(name + ".json", render_json(report, {}));
  }
}

TEST(Json, ReadsBackWhole) {
  for (const auto& [name, report] : samples::all()) {
    const auto written = render_json(report, {});
    const auto read = read_report(written, name);
    ASSERT_TRUE(read.report) << read.error;
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(render_json(*read.report, {}), written) << name;
  }
}

TEST(Json, KeepsEveryFieldOfAReport) {
  const auto report = samples::blocked();
  const auto read = read_report(render_json(report, {}), "x").report.value();
  EXPECT_EQ(read.started_at, report.started_at);
  EXPECT_EQ(read.site.proxy, report.site.proxy);
  EXPECT_EQ(read.site.nat_filtering, report.site.nat_filtering);
  EXPECT_EQ(read.sets.at(1).requirements.at(1).sampled, "12 of 10001 ports");
  EXPECT_EQ(read.findings.at(1).explains, report.findings.at(1).explains);
  ASSERT_EQ(read.probes.size(), report.probes.size());
  for (std::size_t i = 0; i < read.probes.size(); ++i) {
    const auto& [probe, seen] = read.probes[i];
    const auto& [probe_before, seen_before] = report.probes[i];
    EXPECT_EQ(probe.id, probe_before.id);
    EXPECT_EQ(probe_id(probe), probe_before.id);
    EXPECT_EQ(probe.target.sample, probe_before.target.sample);
    EXPECT_EQ(probe.control(), probe_before.control());
    EXPECT_EQ(probe.region, probe_before.region);
    EXPECT_EQ(seen.outcome, seen_before.outcome);
    EXPECT_EQ(seen.detail, seen_before.detail);
    EXPECT_EQ(seen.address, seen_before.address);
    EXPECT_EQ(seen.local, seen_before.local);
    EXPECT_EQ(seen.sent_at, seen_before.sent_at);
    EXPECT_EQ(seen.attempts, seen_before.attempts);
    ASSERT_EQ(seen.evidence.size(), seen_before.evidence.size());
    for (std::size_t j = 0; j < seen.evidence.size(); ++j) {
      EXPECT_EQ(seen.evidence[j].kind, seen_before.evidence[j].kind);
      EXPECT_EQ(seen.evidence[j].facts, seen_before.evidence[j].facts);
    }
  }
}

// As `cat` shows it: no byte that a terminal obeys, whatever the network sent.
TEST(Json, HoldsNoControlCharacters) {
  const auto text = render_json(samples::hostile(), {});
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    EXPECT_TRUE(byte == '\n' || (byte >= 0x20 && byte != 0x7F)) << i;
    if (byte == 0xC2) {
      EXPECT_GE(static_cast<unsigned char>(text[i + 1]), 0xA0) << i;
    }
  }
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
  EXPECT_NE(text.find("\\u202e"), std::string::npos);
  EXPECT_NE(text.find("\\u009b31m"), std::string::npos);
  EXPECT_NE(text.find("\\u001b[2J"), std::string::npos);
}

TEST(Json, EscapesInvisibleCharacters) {
  auto report = samples::clean();
  report.notes = {"tag \U000E0041, anchor \uFFF9"};
  const auto text = render_json(report, {});
  EXPECT_NE(text.find("\"tag \\udb40\\udc41, anchor \\ufff9\""), std::string::npos) << text;
  EXPECT_EQ(read_report(text, "x").report.value().notes, report.notes);
}

TEST(Json, LeavesOutWhatWasNotMeasured) {
  auto report = samples::clean();
  auto& seen = report.probes.at(0).observation;
  seen.round_trip = Milliseconds(std::numeric_limits<double>::infinity());
  seen.timing_ms[Timing::dns] = std::numeric_limits<double>::quiet_NaN();
  seen.evidence.at(0).facts[Fact::took_ms] = std::numeric_limits<double>::quiet_NaN();
  seen.evidence.at(0).facts[Fact::delay_ms] = -0.0001;
  const auto json = nlohmann::json::parse(render_json(report, {}));
  const auto& probe = json["probes"][0];
  EXPECT_FALSE(probe.contains("round_trip_ms"));
  EXPECT_FALSE(probe["timing_ms"].contains("dns"));
  EXPECT_EQ(probe["timing_ms"]["connect"], 10.0);
  EXPECT_FALSE(probe["evidence"][0].contains("took_ms"));
  EXPECT_EQ(probe["evidence"][0]["delay_ms"].dump(), "0.0");
  EXPECT_FALSE(json["site"].contains("proxy"));
  EXPECT_EQ(json["site"]["nat"].size(), 1u);
  EXPECT_EQ(render_json(report, {}).find("null"), std::string::npos);
}

}  // namespace
}  // namespace callready
