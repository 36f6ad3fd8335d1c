#include <gtest/gtest.h>

#include <sstream>

#include "reports/format.hpp"
#include "reports/phrases.hpp"
#include "reports/terminal.hpp"
#include "tests/reports/golden.hpp"
#include "tests/reports/samples.hpp"

namespace callready {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

RenderOptions with(bool verbose, bool quiet, int width = 80, bool unicode = true) {
  RenderOptions options;
  options.verbose = verbose;
  options.quiet = quiet;
  options.width = width;
  options.unicode = unicode;
  return options;
}

TEST(Text, GoldenFiles) {
  for (const auto& [name, report] : samples::all()) {
    expect_golden(name + ".txt", render_text(report, with(false, false)));
    expect_golden(name + ".verbose.txt", render_text(report, with(true, false)));
    expect_golden(name + ".quiet.txt", render_text(report, with(false, true)));
  }
  expect_golden("blocked.narrow.txt", render_text(samples::blocked(), with(true, false, 50)));
  expect_golden("blocked.ascii.txt", render_text(samples::blocked(), with(true, false, 80, false)));
  auto colour = with(false, false);
  colour.colour = true;
  expect_golden("blocked.colour.txt", render_text(samples::blocked(), colour));
}

TEST(Text, KeepsToTheWidthAndHasNoTrailingSpaces) {
  for (const auto& [name, report] : samples::all()) {
    for (const int width : {1, 40, 50, 80, 120, 200, 1000}) {
      for (const auto& options :
           {with(false, false, width), with(true, false, width), with(false, true, width),
            with(true, false, width, false), with(false, true, width, false)}) {
        for (const auto& line : lines_of(render_text(report, options))) {
          EXPECT_LE(columns(line), std::clamp(width, 40, 200)) << name << ": " << line;
          EXPECT_FALSE(line.ends_with(' ')) << name << ": " << line;
        }
      }
    }
  }
}

TEST(Text, NoServerCanSendControlCharactersToTheTerminal) {
  for (const bool unicode : {true, false}) {
    for (const bool verbose : {true, false}) {
      const auto text = render_text(samples::hostile(), with(verbose, false, 80, unicode));
      std::string lines_joined;
      for (const auto& line : lines_of(text)) {
        EXPECT_EQ(harmless(line), line);
        lines_joined += line;
      }
      EXPECT_NE(lines_joined.find("\\x1b[2J"), std::string::npos);
    }
  }
  // A line that begins like a verdict can come only from the program itself.
  for (const auto& line : lines_of(render_text(samples::hostile(), with(true, false)))) {
    EXPECT_NE(line.find("READY"), 0u) << line;
    EXPECT_NE(line.find("✔ READY"), 0u) << line;
  }
}

TEST(Text, IsAsciiWhereTheTerminalIs) {
  auto report = samples::blocked();
  report.sets.at(0).title = "Réunion – 日本";
  for (const char c : render_text(report, with(true, false, 80, false))) {
    EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
  }
}

// Evidence of a saved report is anybody's.
TEST(Text, ASentenceBeginsWithACapitalWhereItBeginsWithAWord) {
  const auto said = [](const char* evidence) {
    Finding finding;
    finding.evidence.push_back({"", evidence});
    return cause(finding, 1);
  };
  EXPECT_EQ(said("the NAT gives way"), "The NAT gives way.");
  EXPECT_EQ(said("sip.example.com answers"), "sip.example.com answers.");
  EXPECT_EQ(said(" begins with a space").find('\0'), std::string::npos);
}

TEST(Text, QuietIsOneLinePerSet) {
  for (const auto& [name, report] : samples::all()) {
    for (const bool unicode : {true, false}) {
      EXPECT_EQ(lines_of(render_text(report, with(false, true, 40, unicode))).size(),
                std::max<std::size_t>(1, report.sets.size()))
          << name;
    }
  }
}

TEST(Text, ColoursOnlyWhenAsked) {
  auto options = with(true, false);
  EXPECT_EQ(render_text(samples::blocked(), options).find('\x1b'), std::string::npos);
  options.colour = true;
  auto coloured = render_text(samples::blocked(), options);
  EXPECT_NE(coloured.find("\x1b[1;31mBLOCKED\x1b[0m"), std::string::npos);
  // Without its colours it is the same text.
  for (auto at = coloured.find('\x1b'); at != std::string::npos; at = coloured.find('\x1b')) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  options.colour = false;
  EXPECT_EQ(coloured, render_text(samples::blocked(), options));
}

// The first screen of 24 lines of 80 columns says what is wrong, what to do and for whom.
TEST(Text, FirstScreenSaysWhatIsWrongAndWhatToDo) {
  auto report = samples::degraded();
  report.sets.at(0).evidence = SourceQuality::vendor_page;  // else one line more
  const auto lines = lines_of(render_text(report, with(false, false)));
  EXPECT_LT(lines.size(), 24u);  // the shell's prompt takes one
  std::string screen;
  for (const auto& line : lines) screen += line + '\n';
  for (const auto* part : {"DEGRADED", "Rainbow (Ed 36)", "The firewall drops UDP to port 3478",
                           "Allow UDP from", "For   your firewall team", "✔ Sign in and messaging",
                           "! Audio, video", "✘ TURN servers over UDP"}) {
    EXPECT_NE(screen.find(part), std::string::npos) << part << "\n" << screen;
  }
}

// However much a fault hurts, and however many sets are checked.
TEST(Text, FirstScreenHasTheFixOfAFaultThatHurtsEverything) {
  auto report = samples::degraded();
  auto& set = report.sets.at(0);
  set.verdict = Verdict::blocked;
  set.capabilities.clear();
  auto& finding = report.findings.at(0);
  finding.affects = {{set.id, {}}};
  for (int i = 0; i < 9; ++i) {
    const auto id = "c" + std::to_string(i);
    set.capabilities.push_back({id,
                                "Audio, video and screen sharing, kind " + id,
                                Verdict::blocked,
                                "does not work",
                                {},
                                {}});
    finding.affects.at(0).capabilities.push_back(id);
  }
  const auto first_screen = [&] {
    auto lines = lines_of(render_text(report, with(false, false)));
    lines.resize(std::min<std::size_t>(lines.size(), 24));
    std::string screen;
    for (const auto& line : lines) screen += line + '\n';
    return screen;
  };
  EXPECT_NE(first_screen().find("   Hurts all that is named above\n"), std::string::npos)
      << first_screen();
  // One that works all the same has not been named there.
  set.capabilities.at(8).verdict = Verdict::ready;
  EXPECT_EQ(first_screen().find("all that is named"), std::string::npos);
  for (const auto* id : {"second", "third", "fourth"}) {
    auto copy = report.sets.at(0);
    copy.id = copy.title = id;
    report.sets.push_back(std::move(copy));
  }
  const auto screen = first_screen();
  EXPECT_NE(screen.find("✘ BLOCKED  third (Ed 36): does not work: 8 of 9 capabilities\n"),
            std::string::npos)
      << screen;
  for (const auto* part :
       {"For   your firewall team", "Fix   Allow UDP from", "Hurts Rainbow: Audio"}) {
    EXPECT_NE(screen.find(part), std::string::npos) << part << '\n' << screen;
  }
}

TEST(Text, OfASetThatWorksFindingsAreNotForgotten) {
  auto report = samples::clean();
  report.findings = samples::degraded().findings;
  EXPECT_NE(render_text(report, with(false, false, 120))
                .find("but not all is as it should be: see below"),
            std::string::npos);
  report.findings.at(0).affects.at(0).set = "another";
  EXPECT_EQ(render_text(report, with(false, false)).find("not all is as"), std::string::npos);
}

TEST(Text, EvidenceIsToldOnceAndInSentences) {
  auto report = samples::degraded();
  auto& evidence = report.findings.at(0).evidence;
  evidence = {{"", "the NAT is strict"},
              {"", "the NAT is strict"},
              {"", "a.example.com is lost"},
              {"", "the NAT is strict"},
              {"", "more"}};
  EXPECT_NE(render_text(report, with(false, false))
                .find("Cause The NAT is strict. a.example.com is lost. (1 more)"),
            std::string::npos);
}

TEST(Text, AMergedReportSaysWhatEachPlaceSaw) {
  auto report = samples::degraded();
  report.findings.at(0).seen_from = {"user VLAN"};
  report.vantages = {{.name = "user VLAN", .complete = false, .sets = report.sets},
                     {.name = "voice VLAN", .sets = samples::clean().sets}};
  const auto text = render_text(report, with(false, false));
  EXPECT_NE(text.find("What each place saw\n"
                      "! user VLAN   Rainbow (Ed 36): DEGRADED; incomplete\n"
                      "✔ voice VLAN  Rainbow (Ed 36): READY\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("   From  user VLAN\n"), std::string::npos);
  report.sets.at(0).verdict = report.sets.at(0).capabilities.at(1).verdict = Verdict::blocked;
  EXPECT_NE(
      render_text(report, with(false, false)).find("\n           Does not work: Audio, video"),
      std::string::npos)
      << render_text(report, with(false, false));
}

TEST(Text, SaysWhichWayWorksWhereThereIsAProxy) {
  const auto in_short = "Tried both ways: 2 of 3 endpoints are reached through the proxy, 2 of 3";
  const auto text = render_text(samples::proxied(), with(false, false));
  EXPECT_NE(text.find(in_short), std::string::npos) << text;
  EXPECT_EQ(text.find("works: only"), std::string::npos);
  const auto verbose = render_text(samples::proxied(), with(true, false, 200));
  for (const auto* part :
       {in_short,
        "files.example.net:443/tls  through the proxy: answered; directly: answered; "
        "works: directly is faster (23 ms against 44 ms)",
        "works: only through the proxy", "! api.example.net:443/tls", "works: only directly",
        "directly: not tried; works: not compared"}) {
    EXPECT_NE(verbose.find(part), std::string::npos) << part << '\n' << verbose;
  }
  EXPECT_EQ(render_text(samples::clean(), with(false, false)).find("both ways"), std::string::npos);
}

TEST(Text, EndRepeatsTheVerdictThatScrolledAway) {
  const auto lines = lines_of(render_text(samples::blocked(), with(false, false)));
  ASSERT_GT(lines.size(), 24u);
  EXPECT_EQ(lines.at(0), "✘ BLOCKED   Rainbow (Ed 36)");
  const std::vector<std::string> end(lines.end() - 7, lines.end() - 1);
  const std::vector<std::string> expected{
      "✘ BLOCKED   Rainbow (Ed 36)",
      "! DEGRADED  Cloudoe",
      "1. The firewall drops UDP to port 3478: for your firewall team",
      "2. A device on the way rewrites SIP messages (SIP ALG): for your firewall team",
      "3. The name provisioning.example.net is missing in this site's DNS only: for",
      "   your DNS team",
  };
  EXPECT_EQ(end, expected);
}

TEST(Formats, AreFoundByName) {
  for (const auto& format : formats()) {
    EXPECT_EQ(find_format(format.name), &format);
    EXPECT_FALSE(format.description.empty());
    EXPECT_FALSE(format.extension.empty());
    for (const auto& [name, report] : samples::all()) {
      EXPECT_TRUE(format.render(report, {}).ends_with('\n')) << format.name << ' ' << name;
    }
  }
  EXPECT_EQ(find_format("pdf"), nullptr);
  EXPECT_EQ(find_format(""), nullptr);
}

}  // namespace
}  // namespace callready
