// A stream like a call's in every format that shows it.
#include "reports/html/media.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "reports/format.hpp"
#include "reports/json/reader.hpp"
#include "tests/reports/samples.hpp"
#include "tests/reports/schema.hpp"

namespace callready {
namespace {

MediaDirection direction(int lost) {
  MediaDirection one;
  one.sent = 150;
  one.lost = lost;
  one.received = 150 - lost;
  one.loss = {100.0 * lost / 150, lost > 0 ? 1.8 : 0, 7.5};
  one.longest_burst = lost;
  one.burst_ratio = 2.5;
  one.duplicates = 1;
  one.delay_ms = 31.25;
  one.delay_uncertainty_ms = 30;
  one.jitter_ms = 2.5;
  one.jitter_most_ms = 4;
  one.variation_ms = 19;
  one.score = CallScore{82.5, 4.1, 3.9, 4.25};
  one.dscp_sent = 46;
  one.dscp_arrived = 0;
  one.histogram = {100, 20, 10, 5, 4, 3, 0, 0, 1, 1};
  one.seconds = {{50, 0, 1.0, 1.5}, {50, 0, 4.0, 20.0}, {50, lost, {}, {}}};
  return one;
}

Report streamed() {
  auto report = samples::clean();
  auto& result = report.probes.emplace_back();
  result.probe.check = CheckKind::media;
  result.probe.target.host = "far.example.com";
  result.probe.target.transport = Transport::udp;
  result.probe.target.ports = {8620, 8620};
  result.probe.id = probe_id(result.probe);
  result.observation.outcome = Outcome::answered;
  result.observation.detail = DetailCode::streamed;
  MediaStream stream;
  stream.codec = "g711";
  stream.packet_bytes = 172;
  stream.interval_ms = 20;
  stream.jitter_buffer_ms = 40;
  stream.sender_late_ms = 0.25;
  stream.round_trip_ms = 62.5;
  stream.round_trip_least_ms = 60;
  stream.round_trip_loss = {4, 1.8, 7.5};
  stream.up = direction(6);
  stream.down = direction(0);
  CallCapacity calls;
  calls.wanted = 12;
  calls.passed = 9;
  calls.steps = {{9, 2'250, 1, 0, 2, 0.5, true}, {12, 3'000, 0, 0, 81.5, 0, false}};
  calls.limit = CallLimit::queueing;
  calls.way = MediaWay::up;
  stream.calls = calls;
  FirstHop hop;
  hop.router = IpAddress::v4({192, 168, 7, 1});
  hop.echo = true;
  hop.wireless = false;
  hop.sent = 150;
  hop.answered = 149;
  hop.loss = {0.667, 0.034, 3.1};
  hop.median_ms = 1.25;
  hop.jitter_ms = 0.5;
  stream.first_hop = hop;
  stream.wifi_before = WifiLink{-58, std::nullopt};
  stream.wifi_after = WifiLink{-71, 60};
  stream.busy_percent = 37.5;
  result.observation.media = stream;
  auto& row = report.sets.front().requirements.front();
  row.poor = true;
  row.missed = {{QualityFigure::loss, MediaWay::up, 4, 1.8, 1, result.probe.id}};
  return report;
}

TEST(MediaReport, JsonIsValidAndReadBackWhole) {
  const auto json = render_json(streamed(), {});
  EXPECT_EQ(schema_errors(json, "callready.report-1.schema.json"), "");
  const auto read = read_report(json, "saved.json");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_TRUE(read.unknown.empty());
  EXPECT_EQ(render_json(*read.report, {}), json);
}

TEST(MediaReport, LinesHaveFiguresAndASparkline) {
  const auto lines = media_lines(streamed(), true);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].way, "out");
  EXPECT_NE(lines[0].figures.find("MOS 4.1 (3.9 to 4.2)"), std::string::npos) << lines[0].figures;
  EXPECT_NE(lines[0].figures.find("6 of 150 lost"), std::string::npos);
  EXPECT_EQ(lines[0].spark, "▁▅x");
  EXPECT_EQ(media_lines(streamed(), false)[0].spark, "_=x");
  EXPECT_EQ(lines[2].figures,
            "9 calls: passed, 1 of 4500 packets lost, queued for up to 2 ms; 12 calls: did not "
            "pass, queued for up to 82 ms");
  EXPECT_EQ(lines[2].spark, "+x");
}

TEST(MediaReport, AHundredPercentIsSaidAsPeopleDo) {
  auto report = streamed();
  auto& up = *report.probes.back().observation.media->up;
  up.lost = up.sent;
  up.loss = {100, 98.02, 100};
  EXPECT_NE(media_lines(report, true)[0].figures.find("150 of 150 lost (98 to 100 %)"),
            std::string::npos);
}

TEST(MediaReport, WhatABusyComputerMeasuredIsNotShown) {
  auto report = streamed();
  report.probes.back().observation.media->fit = false;
  const auto lines = media_lines(report, true);
  EXPECT_EQ(lines[0].figures.find("MOS"), std::string::npos);
  EXPECT_NE(lines[0].figures.find("busy"), std::string::npos);
}

TEST(MediaReport, TextAndPageHaveTheSection) {
  const auto text = render_text(streamed(), {});
  EXPECT_NE(text.find("How a call would sound"), std::string::npos);
  EXPECT_NE(text.find("▁▅x"), std::string::npos);
  const auto page = render_html(streamed(), {});
  EXPECT_NE(page.find("<svg class=\"stream\" role=\"img\""), std::string::npos);
  EXPECT_NE(page.find("<title>Second by second, on the way out</title><desc>MOS 4.1"),
            std::string::npos);
  EXPECT_NE(page.find("<desc>4.1, between 3.9 and 4.2</desc>"), std::string::npos);
  EXPECT_NE(page.find("<title>Simultaneous calls</title><desc>9 calls: passed"), std::string::npos);
  EXPECT_NE(page.find("9 of 12 calls at once"), std::string::npos);
  EXPECT_EQ(render_html(samples::clean(), {}).find("class=\"stream\""), std::string::npos);
}

TEST(MediaReport, ThePageDrawsHowDelaysAreSpread) {
  const auto page = render_html(streamed(), {});
  EXPECT_NE(page.find("<title>How much later packets arrived than the fastest one, on the way "
                      "out</title><desc>100 packets up to 1 ms, 20 packets up to 2 ms"),
            std::string::npos);
  EXPECT_NE(page.find("1 packet more than 100 ms"), std::string::npos);
  EXPECT_NE(page.find("the first router, 192.168.7.1, answered 149 of 150 probes, half of them "
                      "within 1.2 ms, jitter 0.5 ms"),
            std::string::npos);
  auto busy = streamed();
  busy.probes.back().observation.media->fit = false;
  EXPECT_EQ(render_html(busy, {}).find("How much later than"), std::string::npos);
}

TEST(MediaReport, RelaysAreSaidToBeWhatTheyAre) {
  auto report = streamed();
  auto& stream = *report.probes.back().observation.media;
  stream.by_relays = true;
  stream.loop = direction(2);
  const auto lines = media_lines(report, true);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[2].way, "both");
  EXPECT_NE(render_html(report, {}).find("measured through two relays"), std::string::npos);
  const auto json = render_json(report, {});
  EXPECT_EQ(schema_errors(json, "callready.report-1.schema.json"), "");
  const auto read = read_report(json, "saved.json");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_EQ(render_json(*read.report, {}), json);
}

// A saved report may hold any numbers.
TEST(MediaReport, NumbersOutOfAllBoundsBreakNothing) {
  auto report = streamed();
  auto& up = *report.probes.back().observation.media->up;
  up.seconds = {{-5, -1, -1e300, -1e300}, {0, 0, 1e300, 1e300}};
  up.histogram = {-5};
  report.probes.back().observation.media->jitter_buffer_ms = -1e300;
  EXPECT_EQ(media_lines(report, false)[0].spark, "_#");
  constexpr int most = std::numeric_limits<int>::max();
  auto& steps = report.probes.back().observation.media->calls->steps;
  steps = {CallStep{1, most, most, most, 0, 0, true}};
  EXPECT_NE(media_lines(report, false).back().figures.find("4294967294 of 4294967294 packets lost"),
            std::string::npos);
  EXPECT_FALSE(render_html(report, {}).empty());
}

}  // namespace
}  // namespace callready
