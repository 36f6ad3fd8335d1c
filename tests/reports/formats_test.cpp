// The formats for other programs and for tickets: golden files, and what hostile text may not do.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "reports/format.hpp"
#include "reports/words/terminal.hpp"
#include "tests/reports/golden.hpp"
#include "tests/reports/samples.hpp"

namespace callready {
namespace {

TEST(Formats, GoldenFiles) {
  for (const auto& [name, report] : samples::all()) {
    expect_golden(name + ".md", render_markdown(report, {}));
    expect_golden(name + ".xml", render_junit(report, {}));
    expect_golden(name + ".csv", render_csv(report, {}));
    expect_golden(name + ".nagios.txt", render_nagios(report, {}));
    expect_golden(name + ".prom", render_prometheus(report, {}));
    expect_golden(name + ".exporter.prom", render_exporter(report, {}));
    expect_golden(name + ".summary.json", render_summary(report, {}));
  }
}

TEST(Formats, HoldNoControlCharacters) {
  for (const auto render : {render_markdown, render_junit, render_csv, render_nagios,
                            render_prometheus, render_summary}) {
    std::istringstream stream(render(samples::hostile(), {}));
    for (std::string line; std::getline(stream, line);) {
      if (line.ends_with('\r')) line.pop_back();
      EXPECT_EQ(harmless(line), line);
    }
  }
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Elements open and close in order, and every "<" and "&" in a text is escaped.
void expect_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  std::size_t at = xml.find("?>") + 2;
  while ((at = xml.find('<', at)) != std::string::npos) {
    const auto end = xml.find('>', at);
    ASSERT_NE(end, std::string::npos);
    auto tag = xml.substr(at + 1, end - at - 1);
    EXPECT_EQ(std::count(tag.begin(), tag.end(), '"') % 2, 0) << tag;
    EXPECT_EQ(tag.find('<'), std::string::npos) << tag;
    at = end;
    if (tag.ends_with('/')) continue;
    if (tag.starts_with('/')) {
      ASSERT_FALSE(open.empty()) << tag;
      EXPECT_EQ(tag.substr(1), open.back());
      open.pop_back();
    } else {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  EXPECT_TRUE(open.empty());
  for (at = xml.find('&'); at != std::string::npos; at = xml.find('&', at + 1)) {
    const auto entity = xml.substr(at, xml.find(';', at) - at + 1);
    EXPECT_TRUE(entity == "&amp;" || entity == "&lt;" || entity == "&gt;" || entity == "&quot;" ||
                entity == "&#39;")
        << entity;
  }
}

TEST(Junit, IsWellFormedAndItsCountsAreTrue) {
  for (const auto& [name, report] : samples::all()) {
    const auto xml = render_junit(report, {});
    expect_well_formed(xml);
    std::size_t cases = 0;
    for (const auto& set : report.sets) {
      cases += set.capabilities.size() + set.requirements.size() + (report.complete ? 0 : 1);
    }
    EXPECT_EQ(count(xml, "<testcase "), cases) << name;
  }
  const auto xml = render_junit(samples::blocked(), {});
  EXPECT_NE(xml.find("name=\"Rainbow (Ed 36)\" package=\"callready.rainbow\" id=\"0\" tests=\"6\" "
                     "failures=\"2\" errors=\"1\" "
                     "skipped=\"2\" time=\"200.500\" timestamp=\"2026-11-20T12:00:00\""),
            std::string::npos)
      << xml;
  EXPECT_EQ(count(xml, "<failure "), 2u);
  EXPECT_EQ(count(xml, "<error "), 2u);
  EXPECT_EQ(count(xml, "<skipped "), 2u);
  EXPECT_NE(xml.find("sip: SIP over UDP: altered on the way"), std::string::npos) << "a warning";
}

// Nothing went wrong with what this run left out.
TEST(Junit, ACapabilityThatWasNotTriedIsSkipped) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  set.capabilities.push_back(
      {"calls", "Calls", Verdict::unknown, "cannot be measured from here", {"left-out"}, {}});
  set.requirements.push_back({.id = "left-out", .status = Status::skip});
  auto xml = render_junit(report, {});
  EXPECT_NE(xml.find("<skipped message=\"cannot be measured from here\">"), std::string::npos)
      << xml;
  EXPECT_EQ(count(xml, "<error "), 0u) << xml;
  set.requirements.back().status = Status::unknown;
  xml = render_junit(report, {});
  EXPECT_NE(xml.find("<error type=\"unknown\" message=\"cannot be measured from here\">"),
            std::string::npos)
      << xml;
}

TEST(Junit, WhatWorksMayNeedAttention) {
  auto report = samples::clean();
  EXPECT_EQ(render_junit(report, {}).find("Needs attention"), std::string::npos);
  report.findings = samples::degraded().findings;
  const auto xml = render_junit(report, {});
  EXPECT_NE(xml.find("Needs attention: The firewall drops UDP to port 3478."), std::string::npos)
      << xml;
}

TEST(Junit, SaysThatOnlyAPartWasAskedFor) {
  auto report = samples::clean();
  EXPECT_EQ(render_junit(report, {}).find("part"), std::string::npos);
  report.part = {"--only turn-udp"};
  const auto xml = render_junit(report, {});
  EXPECT_NE(xml.find("<property name=\"part\" value=\"--only turn-udp\"/>"), std::string::npos);
  EXPECT_NE(xml.find("only a part was tried: --only turn-udp\n"), std::string::npos) << xml;
}

// A saved report may hold as many sets and probes, and findings that explain as many rows.
TEST(Junit, TakesManySetsAndExplainedRows) {
  Report report;
  auto& finding = report.findings.emplace_back();
  for (int i = 0; i < 40'000; ++i) {
    auto& set = report.sets.emplace_back();
    set.id = "set" + std::to_string(i);
    set.requirements.push_back({.id = "row", .status = Status::fail});
    set.requirements.front().severity = Severity::optional;
    finding.explains.push_back(set.id + "/row");
    report.probes.emplace_back().probe.id = std::to_string(i);
  }
  EXPECT_EQ(count(render_junit(report, {}), "Fix, for "), 40'000u);
}

TEST(Junit, AnIncompleteRunIsNotGreen) {
  EXPECT_NE(render_junit(samples::incomplete(), {}).find("name=\"complete\""), std::string::npos);
}

// RFC 4180, strictly.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows = {{""}};
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto& cell = rows.back().back();
    if (quoted) {
      if (text[i] != '"') {
        cell += text[i];
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[++i];
      } else {
        quoted = false;
      }
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == ',') {
      rows.back().emplace_back();
    } else if (text.compare(i, 2, "\r\n") == 0) {
      rows.push_back({""});
      ++i;
    } else {
      cell += text[i];
    }
  }
  EXPECT_FALSE(quoted);
  rows.pop_back();
  return rows;
}

TEST(Csv, HasTheSameColumnsInEveryRow) {
  for (const auto& [name, report] : samples::all()) {
    const auto rows = parse_csv(render_csv(report, {}));
    ASSERT_FALSE(rows.empty());
    for (const auto& row : rows) EXPECT_EQ(row.size(), 19u) << name;
  }
}

TEST(Csv, HasEveryProbeAndEveryRequirement) {
  const auto rows = parse_csv(render_csv(samples::blocked(), {}));
  const auto has = [&](std::string_view requirement, std::string_view host,
                       std::string_view outcome) {
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
      return row[1] == requirement && row[9] == host && row[14] == outcome;
    });
  };
  EXPECT_TRUE(has("turn-udp", "turn-rbx1.openrainbow.com", "silent"));
  EXPECT_TRUE(has("push", "", ""));
  EXPECT_TRUE(has("", "anchor.example.org", "connected"));
  // 5 rows of probes that requirements name, one requirement without, and the others.
  const auto report = samples::blocked();
  EXPECT_EQ(rows.size(), 1 + report.probes.size() + 1);
}

TEST(Csv, HoldsNoFormula) {
  auto report = samples::clean();
  for (const auto* attack : {"=1+1", "+1", "-1", "@SUM(A1)"}) {
    report.sets.at(0).requirements.at(0).title = attack;
    for (const auto& row : parse_csv(render_csv(report, {}))) {
      for (const auto& cell : row) {
        EXPECT_TRUE(cell.empty() || std::string("=+-@").find(cell[0]) == std::string::npos) << cell;
      }
    }
    EXPECT_EQ(parse_csv(render_csv(report, {})).at(1).at(2), std::string("'") + attack);
  }
}

TEST(Markdown, HoldsNoMarkupFromOutside) {
  auto report = samples::clean();
  report.sets.at(0).capabilities.at(0).summary =
      "![x](http://evil.example/x) <img src=x> a|b `c` www.evil.example @all *b*";
  const auto text = render_markdown(report, {});
  EXPECT_NE(text.find("\\!\\[x\\](http\\://evil.example/x) \\<img src=x\\> a\\|b \\`c\\` "
                      "www\\.evil.example \\@all \\*b\\*"),
            std::string::npos)
      << text;
}

TEST(Markdown, TellsAPartAsTheOtherReportsDo) {
  auto report = samples::blocked();
  EXPECT_NE(render_markdown(report, {}).find("| packets leave the site, but see cause 2 |"),
            std::string::npos);
  auto& set = report.sets.at(0);
  set.capabilities.push_back(
      {"calls", "Calls", Verdict::unknown, "works by luck", {"left-out"}, {}});
  set.requirements.push_back({.id = "left-out", .status = Status::skip});
  EXPECT_NE(render_markdown(report, {}).find("| Calls | NOT TRIED | not tested in this run |"),
            std::string::npos);
}

TEST(Markdown, NoPeerEndsABlock) {
  auto report = samples::blocked();
  auto& peers = report.findings.at(0).rules.at(0).peers;
  peers.insert(peers.begin(), RulePeer{"```", PeerKind::name, "", "", Lifecycle::current});
  const auto text = render_markdown(report, {});
  EXPECT_NE(text.find("\n````text\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n````\n"), std::string::npos) << text;
}

TEST(Markdown, SaysWhatEachPlaceSaw) {
  EXPECT_EQ(render_markdown(samples::degraded(), {}).find("each place"), std::string::npos);
  auto report = samples::degraded();
  report.findings.at(0).seen_from = {"user VLAN"};
  report.vantages = {{{.complete = false, .sets = report.sets}, "user VLAN"},
                     {{.sets = samples::clean().sets}, "voice|VLAN"}};
  for (auto& vantage : report.vantages) vantage.started_at = report.started_at;
  const auto text = render_markdown(report, {});
  for (const auto* part :
       {"- **Seen from:** user VLAN\n", "\n## What each place saw\n",
        "| user VLAN | Rainbow (Ed 36) | DEGRADED | 2026-11-20 12:00 UTC, incomplete |\n",
        "| voice\\|VLAN | Rainbow (Ed 36) | READY | 2026-11-20 12:00 UTC |\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
}

TEST(Nagios, HasItsStatusAndOneLine) {
  EXPECT_EQ(nagios_status(samples::clean()), 0);
  EXPECT_EQ(nagios_status(samples::degraded()), 1);
  EXPECT_EQ(nagios_status(samples::blocked()), 2);
  EXPECT_EQ(nagios_status(samples::incomplete()), 3);
  EXPECT_EQ(nagios_status(samples::empty()), 3);
  for (const auto& [name, report] : samples::all()) {
    const auto line = render_nagios(report, {});
    EXPECT_EQ(count(line, "\n"), 1u) << name;
    EXPECT_EQ(count(line, "|"), 1u) << name;
  }
  EXPECT_EQ(render_nagios(samples::clean(), {}),
            "CALLREADY OK - Rainbow READY | endpoints=4 reached=4 time=1.203s\n");
}

TEST(Nagios, WarnsOfWhatWorksAndNeedsAttention) {
  auto report = samples::clean();
  report.findings = {{.code = FindingCode::sip_alg, .title = "A device in the path rewrites SIP"}};
  EXPECT_EQ(nagios_status(report), 1);
  EXPECT_EQ(render_nagios(report, {}),
            "CALLREADY WARNING - Rainbow READY, but needs attention; A device in the path rewrites "
            "SIP | endpoints=4 reached=4 time=1.203s\n");
  report.findings.front().affects = {{"another", {}}};
  EXPECT_EQ(nagios_status(report), 0);
}

TEST(Nagios, SaysThatOnlyAPartWasAskedFor) {
  auto report = samples::clean();
  report.part = {"--only turn-udp", "--only a|b"};
  EXPECT_EQ(render_nagios(report, {}),
            "CALLREADY OK - only a part was tried (--only turn-udp, --only a/b); Rainbow READY | "
            "endpoints=4 reached=4 time=1.203s\n");
}

// promtool reads them on the site; here what it cannot know.
TEST(Prometheus, HasOneSeriesForEachState) {
  for (const auto& [name, report] : samples::all()) {
    const auto text = render_prometheus(report, {});
    std::set<std::string> series;
    std::istringstream stream(text);
    std::size_t verdicts = 0;
    for (std::string line; std::getline(stream, line);) {
      if (line.starts_with('#')) continue;
      const auto key = line.substr(0, line.rfind(' '));
      EXPECT_TRUE(series.insert(key).second) << name << ": " << key;
      verdicts += line.starts_with("callready_set_verdict") && line.ends_with(" 1");
    }
    EXPECT_EQ(verdicts, report.sets.size()) << name;
  }
  const auto text = render_prometheus(samples::blocked(), {});
  EXPECT_NE(text.find("callready_set_verdict{set=\"rainbow\",verdict=\"blocked\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("callready_requirement_status{set=\"rainbow\",requirement=\"turn-udp\","
                      "severity=\"required\",status=\"fail\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("callready_finding{code=\"sip.alg\",confidence=\"certain\","
                      "owner=\"network\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("callready_run_duration_seconds 200.5\n"), std::string::npos);
}

// What a value is, in which unit, and what it is where it is a flag or has a label for its word.
TEST(Prometheus, HelpSaysWhatAValueIs) {
  for (const auto& [name, report] : samples::all()) {
    std::istringstream stream(render_prometheus(report, {}) + render_exporter(report, {}));
    for (std::string line; std::getline(stream, line);) {
      if (!line.starts_with("# HELP ")) continue;
      const auto metric = line.substr(7, line.find(' ', 7) - 7);
      const auto help = line.substr(8 + metric.size());
      EXPECT_TRUE(help.ends_with('.')) << line;
      if (metric.ends_with("_timestamp_seconds")) {
        EXPECT_TRUE(help.starts_with("Unix time ")) << line;
      } else if (metric.ends_with("_seconds")) {
        EXPECT_NE(help.find("seconds"), std::string::npos) << line;
      } else if (metric.ends_with("_info")) {
        EXPECT_NE(help.find("Always 1."), std::string::npos) << line;
      } else if (help.starts_with("1 ")) {
        EXPECT_NE(help.find(", 0 if not."), help.find(", 0 if it ")) << line;
      }
    }
  }
}

// --- For callready exporter ---------------------------------------------------------------------

std::vector<std::string> series_of(const std::string& text) {
  std::vector<std::string> series;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with('#')) series.push_back(line.substr(0, line.rfind(' ')));
  }
  return series;
}

TEST(ExporterMetrics, HaveFewSeriesAndNoAddresses) {
  for (const auto& [name, report] : samples::all()) {
    const auto text = render_exporter(report, {});
    const auto series = series_of(text);
    const std::set<std::string> distinct(series.begin(), series.end());
    EXPECT_EQ(distinct.size(), series.size()) << name;
    for (const auto& probe : report.probes) {
      const auto& host = probe.probe.target.host;
      if (host.empty()) continue;
      EXPECT_EQ(text.find('"' + host), std::string::npos) << name << host;
      if (!probe.observation.address) continue;
      EXPECT_EQ(text.find(probe.observation.address->to_string()), std::string::npos) << name;
    }
    EXPECT_EQ(text.find(report.site.host.empty() ? "\"\"" : '"' + report.site.host + '"'),
              std::string::npos);
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) EXPECT_EQ(harmless(line), line);
  }
}

// A set of 1,000 rows and 100 capabilities, with 100 findings.
TEST(ExporterMetrics, AreBoundedForASetOfAnySize) {
  Report report;
  report.site.name = "Lyon";
  auto& set = report.sets.emplace_back();
  set.id = "large";
  set.standing = Standing{};
  set.verified = "2026-10-01";
  set.published = "2026-09";
  for (int i = 0; i < 1'000; ++i) {
    auto& row = set.requirements.emplace_back();
    row.id = "row" + std::to_string(i);
    row.status = i == 999 ? Status::fail : Status::pass;
    row.probes = {row.id};
    auto& probe = report.probes.emplace_back();
    probe.probe.id = row.id;
    probe.observation.outcome = Outcome::answered;
    probe.observation.round_trip = Milliseconds(20);
    MediaStream stream;
    stream.up.emplace();
    stream.up->delay_ms = stream.up->jitter_ms = 1;
    stream.up->score.emplace();
    stream.down = stream.loop = stream.up;
    probe.observation.media = stream;
  }
  for (int i = 0; i < 100; ++i) {
    auto& capability = set.capabilities.emplace_back();
    capability.id = "capability" + std::to_string(i);
    capability.standing = Standing{};
    auto& finding = report.findings.emplace_back();
    finding.code =
        words<FindingCode>()[static_cast<std::size_t>(i) % words<FindingCode>().size()].value;
    finding.standing = Standing{};
    finding.affects = {{"large", {}}};
  }
  const auto text = render_exporter(report, {});
  EXPECT_LE(series_of(text).size() + 5, 300u) << "5 are the exporter's own";
  EXPECT_NE(text.find("requirement=\"row999\",severity=\"required\",status=\"fail\"} 1\n"),
            std::string::npos)
      << "the worst first";
  EXPECT_NE(text.find("callready_set_series_left_out{site=\"Lyon\",set=\"large\"} 1010\n"),
            std::string::npos);
  const auto left_out = std::min<std::size_t>(words<FindingCode>().size(), 100) - 12;
  EXPECT_NE(text.find("callready_findings_left_out{site=\"Lyon\"} " + std::to_string(left_out)),
            std::string::npos)
      << text;
  const auto few = render_exporter(samples::blocked(), {});
  EXPECT_NE(few.find("callready_findings_left_out{site=\"Lyon\"} 0\n"), std::string::npos);
}

TEST(Metrics, HaveNoRoutersRoundTrips) {
  Report report;
  auto& set = report.sets.emplace_back();
  set.id = "calls";
  auto& row = set.requirements.emplace_back();
  row.id = "media";
  row.probes = {"media"};
  auto& [probe, seen] = report.probes.emplace_back();
  probe.id = "media";
  seen.round_trip = Milliseconds(4);
  for (const auto outcome : {Outcome::passed, Outcome::silent, Outcome::rejected}) {
    seen.outcome = outcome;
    for (const auto render : {render_prometheus, render_exporter}) {
      EXPECT_EQ(render(report, {}).find("round_trip_seconds{"), std::string::npos)
          << to_string(outcome);
    }
  }
  seen.outcome = Outcome::answered;
  for (const auto render : {render_prometheus, render_exporter}) {
    EXPECT_NE(render(report, {}).find("} 0.004\n"), std::string::npos);
  }
}

TEST(ExporterMetrics, HaveTheFiguresOfStreams) {
  Report report;
  report.site.name = "Lyon";
  auto& set = report.sets.emplace_back();
  set.id = "calls";
  auto& row = set.requirements.emplace_back();
  row.id = "media";
  row.missed = {MissedFigure{}, MissedFigure{}};
  for (const double loss : {0.5, 2.0}) {
    row.probes.push_back(fmt::format("media/{}", loss));
    auto& [probe, seen] = report.probes.emplace_back();
    probe.id = row.probes.back();
    MediaStream stream;
    stream.up.emplace();
    stream.up->loss.percent = loss;
    stream.up->delay_ms = 20;
    stream.up->jitter_ms = 4;
    stream.up->score = CallScore{80, 5 - loss, 3, 4};
    stream.down = stream.up;
    stream.fit = loss < 1;
    seen.media = stream;
  }
  const auto text = render_exporter(report, {});
  const std::string row_of = "{site=\"Lyon\",set=\"calls\",requirement=\"media\"";
  for (const auto* way : {"up", "down"}) {
    const auto labels = fmt::format("{},direction=\"{}\"}} ", row_of, way);
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
             {"loss_ratio", "0.02"},
             {"delay_seconds", "0.02"},
             {"jitter_seconds", "0.004"},
             {"mos", "4.5"}}) {  // not of the stream that this computer spoiled
      EXPECT_NE(text.find(fmt::format("callready_stream_{}{}{}\n", name, labels, value)),
                std::string::npos)
          << text;
    }
  }
  EXPECT_NE(text.find("callready_stream_missed_figures" + row_of + "} 2\n"), std::string::npos);
}

TEST(ExporterMetrics, SaySinceWhenAndWhatToDo) {
  auto report = samples::blocked();
  report.findings[0].code = FindingCode::firewall_udp_blocked;
  report.findings[0].standing = Standing{WallTime(std::chrono::seconds(1'795'000'000)), 7, true};
  const auto text = render_exporter(report, {});
  EXPECT_NE(text.find("code=\"firewall.udp_blocked\",confidence="), std::string::npos);
  EXPECT_NE(text.find("} 1795000000\n"), std::string::npos);
  EXPECT_NE(text.find("fix=\"Allow UDP to the service's servers and ports, and the replies to "
                      "it.\"} 1\n"),
            std::string::npos);
}

}  // namespace
}  // namespace callready
