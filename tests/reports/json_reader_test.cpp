#include "reports/json/reader.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "reports/format.hpp"
#include "tests/reports/samples.hpp"
#include "tests/reports/schema.hpp"

namespace callready {
namespace {

std::string error_of(std::string_view text) {
  const auto result = read_report(text, "old.json");
  EXPECT_FALSE(result.report);
  return result.error;
}

// The error after one member of a good report was replaced.
std::string error_with(const char* pointer, const nlohmann::json& value) {
  auto json = nlohmann::json::parse(render_json(samples::blocked(), {}));
  json[nlohmann::json::json_pointer(pointer)] = value;
  return error_of(json.dump());
}

std::string error_without(const char* pointer, const char* member) {
  auto json = nlohmann::json::parse(render_json(samples::blocked(), {}));
  json[nlohmann::json::json_pointer(pointer)].erase(member);
  return error_of(json.dump());
}

TEST(JsonReader, SaysWhereTheSyntaxIsWrong) {
  EXPECT_EQ(error_of(""), "old.json:1:1: not JSON: unexpected end of input; expected '[', '{', or a literal");
  EXPECT_EQ(error_of("{\"a\": 1,\n  b}"), "old.json:2:3: not JSON: invalid literal; expected string literal");
  EXPECT_EQ(error_of("{}\nx"), "old.json:2:1: not JSON: invalid literal; expected end of input");
  EXPECT_EQ(error_of("{\"a\": \"\xff\"}"), "old.json:1:8: not JSON: invalid string: ill-formed UTF-8 byte");
  EXPECT_EQ(error_of("{\"a\": 1e999}"),
            "old.json: a number in it is larger than any that a report can hold");
}

TEST(JsonReader, RefusesOtherSchemas) {
  EXPECT_EQ(error_of("{}"), "old.json: this is not a callready report: it has no \"schema\"");
  EXPECT_EQ(error_of("[]"), "old.json: at the top: expected an object, found a list");
  EXPECT_EQ(error_of(R"({"schema": 3})"), "old.json: at /schema: expected a text, found 3");
  EXPECT_EQ(error_of(R"({"schema": "callready.report/2"})"),
            "old.json: this report is in the format callready.report/2, and this callready reads "
            "callready.report/1 only: a newer callready made it, so read it with that one, or a "
            "newer one still");
  EXPECT_EQ(error_of(R"({"schema": "callready.targets/1"})"),
            "old.json: this is not a callready report: its schema is \"callready.targets/1\", "
            "expected callready.report/1");
}

TEST(JsonReader, PointsAtTheWrongMember) {
  EXPECT_EQ(error_with("/sets/0/standing",
                       {{"since", "2026-11-20T08:39:29.125Z"}, {"runs", 0}, {"began", true}}),
            "old.json: at /sets/0/standing/runs: expected a whole number, 1 or more, found 0");
  EXPECT_EQ(error_without("", "complete"), "old.json: at the top: \"complete\" is missing");
  EXPECT_EQ(error_without("/sets/1/requirements/0", "status"),
            "old.json: at /sets/1/requirements/0: \"status\" is missing");
  EXPECT_EQ(error_with("/sets/0/verdict", "fine"),
            "old.json: at /sets/0/verdict: expected one of ready, degraded, blocked, unknown, "
            "found \"fine\"");
  EXPECT_EQ(error_with("/complete", "yes"),
            "old.json: at /complete: expected true or false, found \"yes\"");
  EXPECT_EQ(error_with("/notes", nlohmann::json::object()),
            "old.json: at /notes: expected a list, found an object");
  EXPECT_EQ(error_with("/notes/0", nullptr), "old.json: at /notes/0: expected a text, found null");
  EXPECT_EQ(error_with("/started_at", "2026-02-30T00:00:00Z"),
            "old.json: at /started_at: expected a time like 2026-11-20T08:39:29.125Z, found "
            "\"2026-02-30T00:00:00Z\"");
  EXPECT_EQ(error_with("/site/public_addresses/0", "198.51.100"),
            "old.json: at /site/public_addresses/0: expected an IP address, found \"198.51.100\"");
  EXPECT_EQ(error_with("/probes/0/target/port", 65536),
            "old.json: at /probes/0/target/port: expected a whole number from 0 to 65535, found "
            "65536");
  EXPECT_EQ(error_with("/probes/5/target/ports", "2-1"),
            "old.json: at /probes/5/target/ports: expected a port range like 10000-20000, found "
            "\"2-1\"");
  EXPECT_EQ(error_with("/probes/0/attempts", -1),
            "old.json: at /probes/0/attempts: expected a whole number, 0 or more, found -1");
  EXPECT_EQ(error_with("/probes/0/attempts", 2.5),
            "old.json: at /probes/0/attempts: expected a whole number, 0 or more, found 2.5");
  EXPECT_EQ(
      error_with("/probes/0/attempts", 4294967296),
      "old.json: at /probes/0/attempts: expected a whole number, 0 or more, found 4294967296");
  EXPECT_EQ(error_with("/probes/0/timing_ms/dns", "x"),
            "old.json: at /probes/0/timing_ms/dns: expected a number, found \"x\"");
}

TEST(JsonReader, LeavesOutWhatALaterEditionAddsAndSaysSo) {
  auto json = nlohmann::json::parse(render_json(samples::blocked(), {}));
  const auto before = read_report(json.dump(), "x").report;
  json["new"] = {1, 2};
  json["sets"][0]["new"] = "x";
  json["probes"][0]["target"]["new"] = nullptr;
  json["probes"][0]["evidence"][0]["a list of facts"] = {1, 2};
  const auto read = read_report(json.dump(), "x");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_EQ(render_json(*read.report, {}), render_json(before.value(), {}));
  EXPECT_EQ(read.unknown, (std::vector<std::string>{"new", "probes/*/evidence/*/a list of facts",
                                                    "probes/*/target/new", "sets/*/new"}));
}

TEST(JsonReader, LeavesOutTheWordsOfALaterEditionAndSaysSo) {
  auto json = nlohmann::json::parse(render_json(samples::clean(), {}));
  const auto probes = json["probes"].size();
  json["probes"][0]["check"] = "media-over-quic";
  json["probes"][1]["detail"] = "version_negotiation";
  json["probes"][1]["timing_ms"]["a/b~c"] = 1;
  json["probes"][1]["evidence"][0]["spin_bit"] = true;
  json["probes"][1]["evidence"].push_back({{"kind", "moq_reply"}, {"text", "x"}, {"code", 1}});
  const auto kept = json["probes"][1]["evidence"].size() - 1;
  const auto read = read_report(json.dump(), "x");
  ASSERT_TRUE(read.report) << read.error;
  ASSERT_EQ(read.report->probes.size(), probes - 1);
  const auto& seen = read.report->probes[0].observation;
  EXPECT_TRUE(seen.detail.empty());
  EXPECT_EQ(seen.evidence.size(), kept);
  EXPECT_EQ(read.unknown, (std::vector<std::string>{
                              "probes/*/check", "probes/*/detail", "probes/*/evidence/*/kind",
                              "probes/*/evidence/*/spin_bit", "probes/*/timing_ms/a/b~c"}));
}

TEST(JsonReader, KeepsAFindingWhoseCodeOnlyALaterEditionHas) {
  const auto blocked = samples::blocked();
  auto json = nlohmann::json::parse(render_json(blocked, {}));
  json["findings"][0]["code"] = "media.moq_filtered";
  const auto read = read_report(json.dump(), "x");
  ASSERT_TRUE(read.report) << read.error;
  ASSERT_EQ(read.report->findings.size(), blocked.findings.size());
  EXPECT_EQ(read.report->findings[0].code, FindingCode::other);
  EXPECT_EQ(read.report->findings[0].title.string(), blocked.findings[0].title.string());
  EXPECT_EQ(read.unknown, std::vector<std::string>{"findings/*/code"});
}

TEST(JsonReader, KeepsARowThatIsClosedByAFindingOfALaterEdition) {
  auto json = nlohmann::json::parse(render_json(samples::blocked(), {}));
  json["sets"][1]["requirements"][0]["closed_by"] = "media.moq_filtered";
  const auto read = read_report(json.dump(), "x");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_EQ(read.report->sets.at(1).requirements.at(0).closed_by, FindingCode::other);
  EXPECT_EQ(read.unknown, std::vector<std::string>{"sets/*/requirements/*/closed_by"});
}

TEST(JsonReader, TellsWhatControlsOfOldReportsWereForByTheirChecks) {
  auto json = nlohmann::json::parse(render_json(samples::clean(), {}));
  for (const auto& [place, check] : {std::pair{0, "tcp"}, std::pair{1, "stun"}}) {
    auto& probe = json["probes"][static_cast<std::size_t>(place)];
    probe["check"] = check;
    probe["control"] = true;
    probe.erase("purpose");
    probe.erase("with");
  }
  const auto read = read_report(json.dump(), "x");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_EQ(read.report->probes.at(0).probe.purpose, Purpose::neighbour);
  EXPECT_EQ(read.report->probes.at(1).probe.purpose, Purpose::control);
}

TEST(JsonReader, KnowsAllThatIsWritten) {
  for (const auto& [name, report] : samples::all()) {
    EXPECT_EQ(read_report(render_json(report, {}), name).unknown, std::vector<std::string>{})
        << name;
  }
}

TEST(JsonReader, ReadsHowManyAlternativesAreAsGoodAsEachOther) {
  auto report = samples::clean();
  auto& capability = report.sets.at(0).capabilities.at(0);
  capability.needs = {{{{"a"}, {"b"}, {"c"}}, false, 2}, {{{"a"}}, false, 1}, {{{"a"}}, true, 1}};
  const auto read = read_report(render_json(report, {}), "x").report.value();
  const auto& needs = read.sets.at(0).capabilities.at(0).needs;
  ASSERT_EQ(needs.size(), 3u);
  EXPECT_FALSE(needs[0].is_fallback(1));
  EXPECT_TRUE(needs[0].is_fallback(2));
  EXPECT_TRUE(needs[1].is_fallback(1));
  EXPECT_FALSE(needs[2].is_fallback(1));
}

TEST(JsonReader, ReadsThatARowIsBelowTheVendorsFigures) {
  auto report = samples::clean();
  report.sets.at(0).requirements.at(1).poor = true;
  const auto read = read_report(render_json(report, {}), "x").report.value();
  EXPECT_FALSE(read.sets.at(0).requirements.at(0).poor);
  EXPECT_TRUE(read.sets.at(0).requirements.at(1).poor);
}

TEST(JsonReader, ReadsHowLongTheComputerWasBusy) {
  auto report = samples::blocked();
  EXPECT_FALSE(read_report(render_json(report, {}), "old.json").report->loop_stall);
  report.loop_stall = Milliseconds(1'250.5);
  const auto read = read_report(render_json(report, {}), "old.json").report;
  ASSERT_TRUE(read);
  EXPECT_EQ(read->loop_stall, Milliseconds(1'250.5));
}

TEST(JsonReader, KeepsWhatTheRunWaitedForLongest) {
  auto report = samples::clean();
  EXPECT_FALSE(read_report(render_json(report, {}), "old.json").report->longest_wait);
  report.longest_wait = LongestWait{Milliseconds(2'000), CheckKind::sip, false};
  const auto read = read_report(render_json(report, {}), "new.json").report;
  ASSERT_TRUE(read && read->longest_wait);
  EXPECT_EQ(read->longest_wait->took, Milliseconds(2'000));
  EXPECT_EQ(read->longest_wait->check, CheckKind::sip);
  EXPECT_FALSE(read->longest_wait->answered);
}

TEST(JsonReader, KeepsLargeNumbersAsFacts) {
  auto json = nlohmann::json::parse(render_json(samples::clean(), {}));
  json["probes"][0]["evidence"][0]["count"] = std::uint64_t{1} << 63;
  json["probes"][0]["evidence"][0]["code"] = std::numeric_limits<std::int64_t>::min();
  const auto report = read_report(json.dump(), "x").report.value();
  const auto& facts = report.probes.at(0).observation.evidence.at(0).facts;
  EXPECT_EQ(std::get<double>(facts.at(Fact::count)), 9223372036854775808.0);
  EXPECT_EQ(std::get<std::int64_t>(facts.at(Fact::code)), std::numeric_limits<std::int64_t>::min());
}

TEST(JsonReader, RefusesWhatIsTooLargeOrTooDeep) {
  EXPECT_EQ(error_of(std::string(largest_report + 1, ' ')),
            "old.json: 33554433 bytes are more than a report may have (32 MiB)");
  EXPECT_EQ(error_of('\n' + std::string(100'000, '[')),
            "old.json:2:33: nested more than 32 deep, or too many values: this is not a report");
  EXPECT_EQ(error_of(std::string(32, '[')).find("old.json:1:33: not JSON: unexpected end of input"), 0u);
  // Brackets in strings are not nesting.
  auto report = samples::clean();
  report.notes = {std::string(100, '[') + "\"\\"};
  EXPECT_TRUE(read_report(render_json(report, {}), "x").report);
}

TEST(JsonReader, MakesItsErrorsHarmless) {
  const auto result = read_report("{\"schema\": \"\\u001b[2J\"}", "a\x1b[2J.json");
  EXPECT_EQ(result.error,
            "a\\x1b[2J.json: this is not a callready report: its schema is \"\\x1b[2J\", expected "
            "callready.report/1");
}

TEST(JsonReader, ReadsWhatPartWasAskedFor) {
  auto report = samples::clean();
  EXPECT_EQ(render_json(report, {}).find("\"part\""), std::string::npos);
  report.part = {"--only turn-udp"};
  const auto text = render_json(report, {});
  const auto read = read_report(text, "old.json");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_EQ(read.report->part, report.part);
  EXPECT_EQ(schema_errors(text, "callready.report-1.schema.json"), "");
}

TEST(JsonReader, ReadsTheWaysOutAndTheAdvice) {
  auto report = samples::blocked();
  EgressPath way;
  way.interface = "tun0";
  way.gateway = IpAddress::v4({10, 8, 0, 1});
  way.tunnel = way.default_route = true;
  way.hosts = {"turn.example.com"};
  report.site.ways = {way};
  report.site.interfaces.front().tunnel = true;
  report.site.links = {{"eth0", LinkState::up, false}, {"wlan0", LinkState::no_signal, true}};
  report.site.gateways = {{IpAddress::v4({10, 8, 0, 1}), "tun0", false}};
  report.site.proxy_sought = true;
  report.site.proxy_exceptions = {"turn.example.com"};
  report.site.agents = {{"Cloudflare WARP", "process warp-svc"}};
  report.site.browser_policies = {
      {"Google Chrome", "QuicAllowed", "false", "/etc/opt/chrome/policies/managed/a.json", true}};
  report.site.unread_policies = {"/etc/firefox/policies/policies.json: it cannot be opened"};
  report.sets.front().advice = {{"inspection", "Exempt *.example.com.", "page 2"}};
  const auto text = render_json(report, {});
  const auto read = read_report(text, "old.json");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_EQ(render_json(*read.report, {}), text);
  EXPECT_EQ(schema_errors(text, "callready.report-1.schema.json"), "");
  EXPECT_EQ(read.report->site.ways.front().gateway, way.gateway);
  EXPECT_EQ(read.report->sets.front().advice.front().source, "page 2");
}

}  // namespace
}  // namespace callready
