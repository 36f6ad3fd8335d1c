#include <gtest/gtest.h>

#include <sstream>

#include "reports/format.hpp"
#include "reports/text/ticket.hpp"
#include "reports/words/language.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/terminal.hpp"
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

template <typename Enum>
void expect_words_for_all(std::string (*word_of)(Enum)) {
  for (const auto& [value, spelling] : words<Enum>()) EXPECT_NE(word_of(value), "") << spelling;
}

TEST(Words, NameEveryMember) {
  expect_words_for_all(verdict_word);
  expect_words_for_all(status_word);
  expect_words_for_all(severity_word);
  expect_words_for_all(confidence_word);
  expect_words_for_all(team);
  for (const auto& [quality, spelling] : words<SourceQuality>()) {
    EXPECT_NE(source_words(quality, ""), "") << spelling;
  }
}

TEST(Words, CountAnEndpointOnceWhateverItWasAsked) {
  auto report = samples::clean();
  EXPECT_EQ(count_endpoints(report).tried, 4u);
  const auto add = [&](CheckKind check, Transport transport, const std::string& host,
                       Outcome outcome, Purpose purpose, const std::string& proxy = "") {
    auto& [probe, seen] = report.probes.emplace_back(report.probes.at(0));
    probe.check = check;
    probe.purpose = purpose;
    probe.target.host = host;
    probe.target.transport = transport;
    probe.target.route.proxy = proxy;
    seen.outcome = outcome;
  };
  const auto same = report.probes.at(0).probe.target.host;
  const auto service = report.probes.at(0).probe.purpose;
  add(CheckKind::tcp, Transport::tcp, same, Outcome::connected, service);
  add(CheckKind::http, Transport::tls, same, Outcome::denied, service, "http://proxy:3128");
  add(CheckKind::tls, Transport::tls, same, Outcome::silent, Purpose::control);
  add(CheckKind::tls, Transport::tls, "skipped.example", Outcome::skipped, service);
  add(CheckKind::dns, Transport::udp, same, Outcome::answered, service);
  EXPECT_EQ(count_endpoints(report).tried, 4u);
  EXPECT_EQ(count_endpoints(report).reached, 4u);
  add(CheckKind::quic, Transport::udp, same, Outcome::silent, service);
  add(CheckKind::hop, Transport::udp, same, Outcome::passed, Purpose::control);
  EXPECT_EQ(count_endpoints(report).tried, 5u);
  EXPECT_EQ(count_endpoints(report).reached, 4u) << "what others showed is not the service's";
  add(CheckKind::tls, Transport::tls, "anchor.example", Outcome::answered, Purpose::control);
  EXPECT_EQ(count_endpoints(report).reached, 5u);
}

// Relays' ports are their server's choice, and none of the sample.
TEST(Words, AnEndpointSaysHowManyPortsWereTried) {
  ProbeResult range;
  range.probe.target.host = "192.0.2.40";
  range.probe.target.ports = {10'000, 20'000};
  range.probe.target.sample = {10'000, 15'000, 20'000};
  EXPECT_EQ(endpoint(range), "192.0.2.40:10000-20000/tcp, 3 ports tried");
  for (const std::int64_t port : {11'111, 12'222}) {
    range.observation.evidence.push_back(
        {EvidenceKind::udp_port,
         "",
         {{Fact::port, port}, {Fact::responder, std::string("relay")}}});
  }
  EXPECT_EQ(endpoint(range), "192.0.2.40:10000-20000/tcp, 2 ports tried");
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
  for (const auto code : language_codes()) {
    for (const auto& [verbose, quiet] : {std::pair{true, false}, {false, true}, {false, false}}) {
      auto options = with(verbose, quiet, 80, false);
      options.language = find_language(code);
      for (const char c : find_format("text")->render(report, options)) {
        ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << code << static_cast<int>(c);
      }
    }
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

TEST(Text, QuietSaysThatOnlyAPartWasAskedFor) {
  auto report = samples::clean();
  report.part = {"--only turn-udp"};
  auto options = with(false, true, 200);
  EXPECT_NE(render_text(report, options).find("only a part was tried (--only turn-udp); "),
            std::string::npos)
      << render_text(report, options);
  options.width = 60;
  EXPECT_NE(render_text(report, options).find("only a part was tried; "), std::string::npos)
      << render_text(report, options);
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
  for (const auto* part :
       {"DEGRADED", "Rainbow (Ed 36)", "The firewall drops UDP to port 3478", "Allow outgoing UDP",
        "For     your firewall team", "firewall --missing", "✔ Sign in and messaging",
        "! Audio, video", "Cause 1 explains 1 requirement ("}) {
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
  // All that it affects is named by the verdict.
  EXPECT_EQ(first_screen().find("   Affects "), std::string::npos) << first_screen();
  // One that works all the same has not been named there.
  set.capabilities.at(8).verdict = Verdict::ready;
  EXPECT_NE(first_screen().find("   Affects "), std::string::npos);
  for (const auto* id : {"second", "third", "fourth"}) {
    auto copy = report.sets.at(0);
    copy.id = copy.title = id;
    report.sets.push_back(std::move(copy));
  }
  const auto screen = first_screen();
  EXPECT_NE(screen.find("✘ BLOCKED  third: does not work: 8 of 9 capabilities\n"),
            std::string::npos)
      << screen;
  for (const auto* part :
       {"For     your firewall team", "Fix     Allow outgoing UDP", "Affects Rainbow: Audio"}) {
    EXPECT_NE(screen.find(part), std::string::npos) << part << '\n' << screen;
  }
}

// However long the fix is, a part of it stays, and says where the rest is.
TEST(Text, LastScreenHasAPartOfALongFix) {
  auto report = samples::blocked();
  for (int i = 0; i < 300; ++i) report.findings.at(0).fix += " word" + std::to_string(i);
  for (const int width : {40, 80, 120}) {
    const auto lines = lines_of(render_text(report, with(false, false, width)));
    std::string screen;
    for (std::size_t i = lines.size() - 23; i < lines.size(); ++i) screen += lines[i] + '\n';
    for (const auto* part : {"✘ BLOCKED", "1. ", "   Fix     ", "word0", "In full: --ticket."}) {
      EXPECT_NE(screen.find(part), std::string::npos) << part << "\n" << screen;
    }
    EXPECT_EQ(screen.find("word299"), std::string::npos) << screen;
    // There is no room for the others' fixes.
    EXPECT_NE(screen.find("   For     your DNS team; fix above\n"), std::string::npos) << screen;
  }
}

TEST(Text, WhatIsNotDecidedIsNotCalledUnwell) {
  auto report = samples::clean();
  auto& row = report.sets.at(0).requirements.at(0);
  row.status = Status::unknown;
  row.summary = "not known: a.example:443 (TCP): no answer";
  const auto text = render_text(report, with(false, false));
  EXPECT_NE(text.find("Requirements that could not be decided\n? "), std::string::npos) << text;
  EXPECT_EQ(text.find("with problems"), std::string::npos) << text;
}

// A long report's end is what stays on the screen: the answer, causes, who and what.
TEST(Text, LastScreenSaysItAgain) {
  const auto lines = lines_of(render_text(samples::blocked(), with(false, false)));
  ASSERT_GT(lines.size(), 24u);
  std::string screen;
  for (std::size_t i = lines.size() - 23; i < lines.size(); ++i) screen += lines[i] + '\n';
  for (const auto* part : {"✘ BLOCKED", "1. The firewall drops UDP to port 3478 (likely)",
                           "   For     your firewall team", "   Fix     Allow outgoing UDP",
                           "2. A device in the path", "3. The name provisioning"}) {
    EXPECT_NE(screen.find(part), std::string::npos) << part << "\n" << screen;
  }
}

TEST(Text, WhatWasLeftOutIsNotCalledUndecided) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  set.capabilities.push_back(
      {"push", "Push notifications", Verdict::unknown, "left out", {"push"}, {}});
  const auto text = render_text(report, with(false, false));
  EXPECT_TRUE(text.starts_with("✔ READY")) << text;
  EXPECT_NE(text.find("Not tested: Push\n         notifications."), std::string::npos) << text;
  EXPECT_EQ(text.find("could not"), std::string::npos) << text;
  EXPECT_NE(text.find("– Push notifications"), std::string::npos) << text;
}

// Six lines of 80 columns, whatever else was tried.
TEST(Text, ACaptivePortalIsShort) {
  auto report = samples::blocked();
  report.sets.resize(1);
  auto& portal = report.findings.at(0);
  portal.code = FindingCode::network_captive_portal;
  portal.title = "A sign-in page stands in the way";
  portal.owner = Owner::user;
  portal.confidence = Confidence::certain;
  portal.rules.clear();
  portal.fix = "Open a web browser, sign in on the page that appears, and run this again.";
  const auto lines = lines_of(render_text(report, with(false, false)));
  EXPECT_LE(lines.size(), 6u) << render_text(report, with(false, false));
  EXPECT_GT(lines_of(render_text(report, with(true, false))).size(), 24u);
}

TEST(Text, LossIsNeverSilent) {
  auto report = samples::clean();
  auto& probe = report.probes.at(1);
  probe.observation.attempts = 3;
  probe.observation.evidence.push_back(
      {EvidenceKind::retransmitted, "", {{Fact::attempts, std::int64_t{3}}}});
  const std::string said = " packets had to be resent";
  EXPECT_NE(render_text(report, with(false, false)).find(said), std::string::npos);
  EXPECT_NE(render_markdown(report, {}).find(said), std::string::npos);
  EXPECT_NE(render_html(report, {}).find(said), std::string::npos);
  EXPECT_EQ(render_text(samples::clean(), with(false, false)).find("resent"), std::string::npos);
}

// Twenty requests that are sent at once to count the answers are no repetitions.
TEST(Text, CountedRequestsWereNotResent) {
  auto report = samples::clean();
  auto counted = report.probes.at(1);
  counted.probe.check = CheckKind::stun;
  counted.probe.target.transport = Transport::udp;
  counted.observation.outcome = Outcome::answered;
  counted.observation.attempts = 20;
  report.probes.push_back(counted);
  EXPECT_NE(resent_in_words(report), "");
  report.probes.back().probe.with["flows"] = "new";
  EXPECT_EQ(resent_in_words(report), "");
}

// Helpdesk finds the words again that the caller read out.
TEST(Text, WhatUsersSeeStandsBesideTheCause) {
  auto report = samples::degraded();
  const std::string seen = "\"Call failed (408)\"";
  EXPECT_EQ(render_text(report, with(false, false)).find("Users"), std::string::npos);
  ASSERT_EQ(report.findings.at(0).explains.at(0), "rainbow/turn-udp");
  for (auto& row : report.sets.at(0).requirements) {
    row.error_texts = {row.id == "turn-udp" ? "Call failed (408)" : "Something else"};
  }
  for (const auto& text : {render_text(report, with(false, false)), render_ticket(report, {}),
                           render_html(report, {}), seen_by_users(report.findings[0], report)}) {
    EXPECT_NE(text.find("Call failed (408)"), std::string::npos) << text;
  }
  EXPECT_EQ(seen_by_users(report.findings[0], report), seen);
}

TEST(Text, OfACauseThatHurtsNothingItSaysSo) {
  auto report = samples::degraded();
  const auto all = [&] {
    return render_text(report, with(false, false)) + render_markdown(report, {}) +
           render_html(report, {});
  };
  EXPECT_EQ(all().find("no requirement that was tested"), std::string::npos);
  report.findings.at(0).affects.clear();
  EXPECT_NE(all().find("   Affects no capability\n"), std::string::npos);
  report.findings.at(0).explains.clear();
  for (const auto* line : {"   Affects no requirement that was tested\n",
                           "- **Affects:** no requirement that was tested\n",
                           "<dt>Affects</dt><dd>no requirement that was tested</dd>"}) {
    EXPECT_NE(all().find(line), std::string::npos) << line;
  }
}

// A server is shut, and its row is met by another one. What was not tried was not lost.
TEST(Text, OfACauseWhoseRowsAreMetItSaysWhich) {
  auto report = samples::degraded();
  auto& finding = report.findings.at(0);
  finding.affects.clear();
  finding.explains.clear();
  auto& row = report.sets.at(0).requirements.at(0);
  row.status = Status::pass;
  auto& probe = report.probes.emplace_back();
  probe.probe.id = "tls/tls/spare.example.com:443";
  row.probes.push_back(probe.probe.id);
  finding.evidence = {{probe.probe.id, "no answer"}};
  const auto met = "   Affects no requirement yet (met all the same: " + row.title + ")\n";
  for (const auto outcome : {Outcome::silent, Outcome::skipped, Outcome::answered}) {
    report.probes.back().observation.outcome = outcome;
    const auto text = render_text(report, with(false, false));
    EXPECT_EQ(text.find(met) != text.npos, outcome == Outcome::silent) << text;
  }
}

TEST(Text, TheCauseTellsTwoThingsRatherThanOneOfTwoHosts) {
  Finding finding;
  for (const auto* text : {"Asked elsewhere, the name exists: a",
                           "Asked elsewhere, the name exists: b", "the resolver denies it"}) {
    finding.evidence.push_back({"", text});
  }
  EXPECT_EQ(cause(finding, 2),
            "Asked elsewhere, the name exists: a. The resolver denies it. (1 more: --verbose)");
  EXPECT_EQ(cause(finding, 3),
            "Asked elsewhere, the name exists: a. The resolver denies it. "
            "Asked elsewhere, the name exists: b.");
}

TEST(Text, QuietInAPipeCutsNothing) {
  auto options = with(false, true, 40);
  options.on_screen = false;
  const auto lines = lines_of(render_text(samples::degraded(), options));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].ends_with("(expect lower quality): Audio, video and screen sharing."))
      << lines[0];
}

// --- The block for the ticket -------------------------------------------------------------------

TEST(Ticket, GoldenFiles) {
  for (const auto& [name, report] : samples::all()) {
    expect_golden(name + ".ticket.txt", render_ticket(report, {}));
  }
}

std::size_t ticket_lines(const Report& report) {
  return lines_of(render_ticket(report, {})).size();
}

// However many services, causes, rules and hosts there are.
TEST(Ticket, HasAtMost25Lines) {
  for (const auto& [name, report] : samples::all()) EXPECT_LE(ticket_lines(report), 25u) << name;
  auto report = samples::degraded();
  auto& rules = report.findings.at(0).rules;
  auto& peers = rules.at(0).peers;
  while (peers.size() < 300) peers.push_back(peers.front());
  while (rules.size() < 40) rules.push_back(rules.front());
  while (report.sets.size() < 34) report.sets.push_back(report.sets.front());
  report.findings.at(0).affects.clear();
  EXPECT_EQ(ticket_lines(report), 25u);
  EXPECT_NE(render_ticket(report, {}).find(" more rules: see the full list)"), std::string::npos);
  report.sets.at(0).evidence = SourceQuality::second_hand;
  report.sets.at(0).requirements.at(0).error_texts = {"Call failed"};
  report.findings.at(0).explains = {report.sets.at(0).id + '/' +
                                    report.sets.at(0).requirements.at(0).id};
  report.findings.at(0).evidence = {{"", "One."}, {"", "Two."}};
  while (report.findings.size() < 4) report.findings.push_back(report.findings.front());
  EXPECT_LE(ticket_lines(report), 25u);
  report.findings.back().title = Text("The fourth cause");
  EXPECT_NE(render_ticket(report, {}).find("Also:       The fourth cause (likely; "),
            std::string::npos);
  while (report.findings.size() < 9) report.findings.push_back(report.findings.front());
  EXPECT_LE(ticket_lines(report), 25u);
  const auto text = render_ticket(report, {});
  for (const auto* part : {"(4 more causes: see the report)", "(32 more services: see the report)",
                           "callready firewall", "--missing"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
}

// Only the last run's report is found by `--from last`, whatever the format.
TEST(Ticket, OfAnotherReportDoesNotNameTheLastRun) {
  auto report = samples::degraded();
  auto& peers = report.findings.at(0).rules.at(0).peers;
  while (peers.size() < 300) peers.push_back(peers.front());
  RenderOptions another;
  another.is_last = false;
  for (const auto* format : {"text", "html", "ticket", "summary"}) {
    const auto render = find_format(format)->render;
    EXPECT_EQ(render(report, another).find("--from last"), std::string::npos) << format;
  }
  EXPECT_NE(render_ticket(report, another).find("--missing --from REPORT.json"), std::string::npos);
}

TEST(Ticket, IsWhole) {
  const auto report = samples::degraded();
  const auto text = render_ticket(report, {});
  for (const auto* part : {"Measured: ", "Verdict: ", "Cause: ", "(likely; code", "Who: ",
                           "To do: ", "Evidence: ", "Afterwards: ", "callready check rainbow"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
  for (const auto& peer : report.findings.at(0).rules.at(0).peers) {
    EXPECT_NE(text.find(peer.text), std::string::npos) << peer.text;
    EXPECT_NE(render_markdown(report, {}).find("  " + peer.text + '\n'), std::string::npos);
    EXPECT_NE(render_html(report, {}).find(peer.text), std::string::npos);
  }
}

TEST(Ticket, SaysThatItsCommandNeedsTheOptionsOfTheRun) {
  auto report = samples::degraded();
  EXPECT_EQ(render_ticket(report, {}).find("--var"), std::string::npos);
  report.site.own_hosts = {"pbx.corp.example"};
  const auto text = render_ticket(report, {});
  EXPECT_NE(text.find("Add the same options as in this run (--set, --var)."), std::string::npos)
      << text;
  EXPECT_EQ(text.find("pbx.corp.example"), std::string::npos) << text;
}

TEST(Ticket, OfAllCausesIsAlsoAboutWhatIsUndecided) {
  auto report = samples::blocked();
  report.findings.resize(1);
  report.sets.at(1).verdict = Verdict::unknown;
  const auto text = render_ticket(report, {});
  EXPECT_NE(text.find("Cloudoe: NOT DECIDED"), std::string::npos) << text;
  EXPECT_NE(text.find("check rainbow cloudoe\" again"), std::string::npos) << text;
  // One about a single cause is not.
  report.findings.push_back(report.findings.front());
  EXPECT_EQ(ticket_of(report, 0, {}).find("Cloudoe"), std::string::npos);
}

TEST(Ticket, IsAboutTheSetsThatItAsksToOpenSomethingForToo) {
  auto report = samples::blocked();
  report.findings.resize(1);
  EXPECT_NE(render_ticket(report, {}).find("check rainbow\" again"), std::string::npos);
  auto& rules = report.findings.at(0).rules;
  rules.push_back(rules.at(0));
  rules.back().set = report.sets.at(1).id;
  const auto text = render_ticket(report, {});
  EXPECT_NE(text.find("check rainbow cloudoe\" again"), std::string::npos) << text;
  EXPECT_NE(text.find("Cloudoe: DEGRADED"), std::string::npos) << text;
}

TEST(Ticket, SaysThatTheRunWasStopped) {
  for (auto report : {samples::clean(), samples::degraded()}) {
    EXPECT_EQ(render_ticket(report, {}).find("incomplete"), std::string::npos);
    report.complete = false;
    const auto text = render_ticket(report, {});
    EXPECT_NE(text.find(" UTC, incomplete, callready 0.1.0\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("No problem found."), std::string::npos) << text;
  }
}

TEST(Ticket, SaysThatOnlyAPartWasAskedFor) {
  auto report = samples::clean();
  EXPECT_NE(render_ticket(report, {}).find("No problem found."), std::string::npos);
  report.part = {"--only turn-udp"};
  const auto text = render_ticket(report, {});
  for (const auto* part :
       {" UTC, only a part was tried (--only turn-udp), callready 0.1.0\n",
        "Everything tested for Rainbow works", "No problem found in what was tested."}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << '\n' << text;
  }
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Ticket, SaysFewDestinationsOnce) {
  auto report = samples::degraded();
  auto& finding = report.findings.at(0);
  finding.rules.at(0).peers.resize(2);
  finding.fix = "Allow outgoing UDP: " + in_short(finding.rules) + '.';
  const auto text = render_ticket(report, {});
  for (const auto& peer : finding.rules.at(0).peers) {
    EXPECT_EQ(occurrences(text, peer.text), 1u) << text;
  }
  finding.fix = "Allow it.";
  EXPECT_EQ(occurrences(render_ticket(report, {}), finding.rules.at(0).peers.at(0).text), 1u)
      << "in the list";
}

TEST(Ticket, HasWholeSentencesAndNamesPortsAsTheFixDoes) {
  auto report = samples::degraded();
  auto& finding = report.findings.at(0);
  finding.evidence = {{"", "the server said nothing"}};
  finding.rules.at(0).transport = Transport::tls;
  finding.rules.at(0).ports = {{5061, 5061}};
  const auto text = render_ticket(report, {});
  EXPECT_NE(text.find("Evidence:   The server said nothing.\n"), std::string::npos) << text;
  EXPECT_NE(text.find("- TCP 5061 to "), std::string::npos) << text;
}

TEST(Ticket, SaysFromWhichPortsARuleIs) {
  auto report = samples::degraded();
  auto& finding = report.findings.at(0);
  finding.rules.at(0).peers.resize(1);
  finding.rules.at(0).source_ports = {{37'000, 50'000}};
  finding.fix = "Allow outgoing UDP: " + in_short(finding.rules) + '.';
  const auto text = render_ticket(report, {});
  EXPECT_EQ(occurrences(text, " from source ports 37000-50000 to "), 1u) << text;
}

TEST(Ticket, SaysWhatIsOnlyOptional) {
  auto report = samples::degraded();
  auto& rule = report.findings.at(0).rules.at(0);
  rule.peers.resize(1);
  rule.titles = {"Updates"};
  report.findings.at(0).fix = Text("Allow it.");
  rule.severity = Severity::required;
  EXPECT_NE(render_ticket(report, {}).find(" (Updates)"), std::string::npos);
  rule.severity = Severity::optional;
  EXPECT_NE(render_ticket(report, {}).find(" (Updates; optional)"), std::string::npos)
      << render_ticket(report, {});
}

TEST(Ticket, NoTextOfTheNetworkBeginsALine) {
  for (const auto& line : lines_of(render_ticket(samples::hostile(), {}))) {
    EXPECT_EQ(harmless(line), line);
  }
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
                .find("Cause   The NAT is strict. a.example.com is lost. (1 more: --verbose)"),
            std::string::npos);
}

// A saved report may hold as many.
TEST(Text, TellsEvidenceThatHasNoEnd) {
  Finding finding;
  for (int i = 0; i < 100'000; ++i) {
    finding.evidence.push_back({"", "Host " + std::to_string(i) + " is lost."});
    finding.evidence.push_back({"", "Host 0 is lost."});
  }
  const auto all = cause(finding, finding.evidence.size());
  EXPECT_TRUE(all.starts_with("Host 0 is lost. Host 1 is lost. ")) << all.substr(0, 80);
  EXPECT_TRUE(all.ends_with(" Host 99999 is lost."));
}

TEST(Text, TheDetailsSayWhatElseItCouldBe) {
  auto report = samples::degraded();
  report.findings.at(0).runner_up = {"a filter that cuts off TLS", "To find out, run this again."};
  const auto line = "Or      a filter that cuts off TLS. To find out, run this again.";
  EXPECT_NE(render_text(report, with(true, false)).find(line), std::string::npos);
  EXPECT_EQ(render_text(report, with(false, false)).find("   Or "), std::string::npos);
}

TEST(Text, AMergedReportSaysWhatEachPlaceSaw) {
  auto report = samples::degraded();
  report.findings.at(0).seen_from = {"user VLAN"};
  report.vantages = {{{.complete = false, .sets = report.sets}, "user VLAN"},
                     {{.sets = samples::clean().sets}, "voice VLAN"}};
  const auto text = render_text(report, with(false, false));
  EXPECT_NE(text.find("What each place saw\n"
                      "! user VLAN   Rainbow (Ed 36): DEGRADED; incomplete\n"
                      "✔ voice VLAN  Rainbow (Ed 36): READY\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("   From    user VLAN\n"), std::string::npos);
  report.vantages.at(1).sets.clear();
  EXPECT_NE(render_text(report, with(false, false)).find("? voice VLAN  Nothing was checked.\n"),
            std::string::npos);
  report.vantages.at(1).sets = samples::clean().sets;
  report.sets.at(0).verdict = report.sets.at(0).capabilities.at(1).verdict = Verdict::blocked;
  // Several places are not "here".
  EXPECT_TRUE(render_text(report, with(false, false))
                  .starts_with("✘ BLOCKED  Rainbow only partly works. Blocked: Audio, video"))
      << render_text(report, with(false, false));
}

TEST(Text, SaysWhichWayWorksWhereThereIsAProxy) {
  const auto in_short = "Tried both ways: reached 2 of 3 endpoints through the proxy and 2 of 3";
  const auto text = render_text(samples::proxied(), with(false, false));
  EXPECT_NE(text.find(in_short), std::string::npos) << text;
  EXPECT_EQ(text.find("works: only"), std::string::npos);
  const auto verbose = render_text(samples::proxied(), with(true, false, 200));
  for (const auto* part : {in_short,
                           "files.example.net:443/tls  through the proxy: answered; directly: "
                           "answered; works: faster directly (23 ms versus 44 ms)",
                           "works: only through the proxy", "! api.example.net:443/tls",
                           "works: only directly", "directly: not tried; works: not compared"}) {
    EXPECT_NE(verbose.find(part), std::string::npos) << part << '\n' << verbose;
  }
  EXPECT_EQ(render_text(samples::clean(), with(false, false)).find("both ways"), std::string::npos);
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
