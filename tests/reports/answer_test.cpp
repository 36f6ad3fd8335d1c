// The answer of a report in sentences, and the marks beside it.
#include "reports/words/answer.hpp"

#include <gtest/gtest.h>

#include "probe/util/text.hpp"
#include "reports/format.hpp"
#include "reports/words/phrases.hpp"
#include "tests/reports/samples.hpp"

namespace callready {
namespace {

Finding finding(std::string title, std::vector<FindingAffects> affects = {}) {
  Finding one;
  one.code = FindingCode::tls_intercepted;
  one.title = std::move(title);
  one.affects = std::move(affects);
  return one;
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Answer, NamesByItsIdWhatHasNoTitle) {
  auto report = samples::blocked();
  report.findings.clear();
  for (auto& set : report.sets) {
    set.title.clear();
    for (auto& capability : set.capabilities) capability.title.clear();
    for (auto& row : set.requirements) row.title.clear();
  }
  const auto open = unexplained(report);
  ASSERT_FALSE(open.empty());
  for (const auto& row : open) {
    auto name = row.id;
    EXPECT_EQ(row.title, name.replace(name.find('/'), 1, ": "));
  }
  const auto markdown = render_markdown(report, {});
  EXPECT_FALSE(holds(markdown, "\n|  |")) << markdown;
  EXPECT_FALSE(holds(markdown, "\n|  (")) << markdown;
}

TEST(Answer, OfASetThatWorksFindingsAreNotForgotten) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  EXPECT_EQ(mark_of(set, report), Mark::good);
  EXPECT_FALSE(holds(verdict_sentences(set, report), "mended"));
  // One that is about no set is about what this run tried.
  for (const auto& affects : {std::vector<FindingAffects>{}, {{set.id, {}}}}) {
    report.findings = {finding("A device opens TLS", affects), finding("The clock is slow")};
    EXPECT_EQ(mark_of(set, report), Mark::warning);
    EXPECT_TRUE(holds(verdict_sentences(set, report),
                      "Needs attention: A device opens TLS (possible, not proven), and 1 more "
                      "cause."))
        << verdict_sentences(set, report);
    EXPECT_EQ(verdict_in_short(set, report), "works from here, but needs attention");
    for (const bool quiet : {true, false}) {
      RenderOptions options;
      options.quiet = quiet;
      options.unicode = true;
      EXPECT_TRUE(render_text(report, options).starts_with("! READY")) << quiet;
    }
    EXPECT_TRUE(holds(render_html(report, {}), "class=\"verdict tone-warning\""));
    EXPECT_TRUE(holds(render_markdown(report, {}), "Needs attention: A device opens TLS"));
  }
  report.findings = {finding("Another's", {{"another", {}}})};
  EXPECT_EQ(mark_of(set, report), Mark::good);
}

TEST(Answer, NoCapabilityIsGreenWhoseFindingIsRed) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  auto& capability = set.capabilities.at(0);
  ASSERT_EQ(capability.verdict, Verdict::ready);
  const auto said = capability.summary;
  EXPECT_EQ(mark_of(set, capability, report), Mark::good);
  EXPECT_EQ(told_of(set, capability, report), said);
  report.findings = {finding("Another's", {{"another", {capability.id}}}),
                     finding("Its own", {{set.id, {capability.id}}})};
  EXPECT_EQ(mark_of(set, capability, report), Mark::warning);
  EXPECT_EQ(told_of(set, capability, report), said + ", but see cause 2");
  report.findings.push_back(finding("Another", {{set.id, {capability.id}}}));
  EXPECT_EQ(told_of(set, capability, report), said + ", but see causes 2 and 3");
  // By a row that works, but not as it should.
  report.findings = {finding("A device rewrites SIP", {{set.id, {}}})};
  EXPECT_EQ(mark_of(set, capability, report), Mark::good);
  const auto id = capability.requirements.at(0);
  report.findings.at(0).explains = {set.id + '/' + id};
  for (auto& row : set.requirements) {
    if (row.id == id) row.status = Status::warn;
  }
  EXPECT_EQ(mark_of(set, capability, report), Mark::warning);
  EXPECT_TRUE(holds(render_html(report, {}), "but see cause 1"));
  // What does not work says so itself.
  capability.verdict = Verdict::blocked;
  EXPECT_EQ(mark_of(set, capability, report), Mark::bad);
  EXPECT_EQ(told_of(set, capability, report), said);
}

TEST(Answer, WhatIsBelowTheVendorsWishSaysWhy) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  set.verdict = Verdict::degraded;
  report.findings = {finding("A device rewrites SIP (SIP ALG)", {{set.id, {}}})};
  EXPECT_TRUE(holds(verdict_sentences(set, report), "with limits. Cause: A device rewrites SIP"))
      << verdict_sentences(set, report);
}

// A row that others stand in for keeps the set from being ready: the capability says so, and the
// cause names the row.
TEST(Answer, WhatStandsInPointsToTheCause) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  auto& capability = set.capabilities.at(0);
  auto& row =
      *std::ranges::find(set.requirements, capability.requirements.at(0), &RequirementResult::id);
  row.status = Status::fail;
  row.severity = Severity::recommended;
  report.findings = {finding("The firewall blocks it", {{set.id, {}}})};
  report.findings.at(0).explains = {set.id + '/' + row.id};
  EXPECT_EQ(affected_by(report.findings.at(0), report), row.title);
  EXPECT_EQ(mark_of(set, capability, report), Mark::good);
  set.verdict = Verdict::degraded;
  EXPECT_EQ(mark_of(set, capability, report), Mark::warning);
  row.severity = Severity::optional;
  EXPECT_EQ(mark_of(set, capability, report), Mark::good);
  EXPECT_EQ(affected_by(report.findings.at(0), report), set.title);
}

// Beside a cause that weakens the set, a capability may not work at all.
TEST(Answer, WhatIsUndecidedGoesBeforeWhatWorksWithLimits) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  set.verdict = Verdict::degraded;
  set.capabilities.at(0).verdict = Verdict::unknown;
  for (auto& row : set.requirements) {
    if (contains(set.capabilities[0].requirements, row.id)) row.status = Status::unknown;
  }
  report.findings = {finding("A device limits new flows", {{set.id, {}}})};
  const auto said = verdict_sentences(set, report);
  EXPECT_TRUE(said.starts_with("Rainbow does not fully work from here. Still unknown: ")) << said;
  EXPECT_TRUE(holds(said, "Cause: A device limits new flows")) << said;
  EXPECT_FALSE(holds(said, "with limits")) << said;
}

// An optional row that fails leaves the set ready.
TEST(Answer, NotEverythingWorksWhereARowFailed) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  EXPECT_EQ(verdict_sentences(set, report), "Everything tested for Rainbow works from here.");
  const auto said = [&](Status status, bool lost) {
    set.requirements.push_back(
        {.id = "row", .severity = Severity::optional, .status = status, .lost = lost});
    auto sentences = verdict_sentences(set, report);
    set.requirements.pop_back();
    return sentences;
  };
  const auto partly = "Rainbow works from here, as far as tested.";
  EXPECT_EQ(said(Status::fail, false), partly);
  EXPECT_EQ(said(Status::unknown, false), partly);
  EXPECT_EQ(said(Status::warn, true), partly);
  EXPECT_EQ(said(Status::warn, false), "Everything tested for Rainbow works from here.");
}

// What could not be decided, or was not tried, is not what works in part.
TEST(Answer, SaysOfNothingThatItWorksUnlessItDoes) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  set.requirements.push_back({.id = "row", .status = Status::skip});
  set.capabilities = {{"a", "Calls", Verdict::ready, "works", {"web"}, {}},
                      {"b", "Files", Verdict::blocked, "does not work", {"turn-udp"}, {}},
                      {"c", "Video", Verdict::ready, "works", {"web"}, {}}};
  set.capabilities.at(1).calls = false;
  const auto said = [&](Verdict all, Verdict first, Verdict last) {
    set.verdict = all;
    set.capabilities.at(0).verdict = first;
    set.capabilities.at(2).verdict = last;
    return verdict_sentences(set, report);
  };
  using enum Verdict;
  EXPECT_EQ(said(degraded, ready, ready), "Calls with Rainbow work from here. Blocked: Files.");
  EXPECT_EQ(verdict_in_short(set, report), "calls work; blocked: Files");
  EXPECT_EQ(said(unknown, ready, unknown),
            "Rainbow only partly works from here. Blocked: Files. Still unknown: Video.");
  EXPECT_EQ(said(unknown, unknown, unknown),
            "No part of Rainbow is known to work from here. Blocked: Files. Still unknown: Calls, "
            "Video.");
  // Calls need it, and it was left out of the run.
  set.capabilities.at(2).requirements = {"row"};
  EXPECT_EQ(said(degraded, ready, unknown),
            "Rainbow only partly works from here. Blocked: Files. Not tested: Video.");
  EXPECT_EQ(verdict_in_short(set, report), "does not work: Files; not tested: Video");
}

TEST(Answer, SaysFirstWhatIsNotDecided) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  set.verdict = Verdict::unknown;
  set.capabilities = {{"a", "Calls", Verdict::degraded, "works over a fallback", {"web"}, {}},
                      {"b", "Video", Verdict::unknown, "could not be decided", {"web"}, {}}};
  EXPECT_EQ(verdict_sentences(set, report),
            "Could not determine whether Rainbow fully works from here. Still unknown: Video. With "
            "limits: Calls.");
  set.capabilities.at(0).fallback = true;
  EXPECT_EQ(verdict_sentences(set, report),
            "Could not determine whether Rainbow fully works from here. Still unknown: Video. Only "
            "over a fallback: Calls.");
  set.verdict = Verdict::degraded;
  EXPECT_EQ(verdict_sentences(set, report),
            "Rainbow works from here, but only over a fallback: Calls. Still unknown: Video.");
  for (auto& result : report.probes) result.probe.check = CheckKind::turn;
  EXPECT_EQ(verdict_sentences(set, report),
            "Rainbow works from here, but only over a fallback (expect lower quality): Calls. "
            "Still unknown: Video.");
}

TEST(Answer, SaysOnceHowToSettleWhatIsOpen) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  EXPECT_EQ(how_to_settle(report), "");
  set.verdict = Verdict::unknown;
  set.capabilities = {{"a", "Calls", Verdict::unknown, "could not be decided", {"open"}, {}},
                      {"b", "Video", Verdict::unknown, "could not be decided", {"open"}, {}}};
  set.requirements = {{.id = "open", .status = Status::unknown}};
  EXPECT_EQ(how_to_settle(report), "") << "the row says what it lacks";
  set.requirements.at(0).total = 2;
  auto& untried = report.probes.emplace_back();
  untried.probe.id = "media/udp/far.example.com:862";
  untried.observation.outcome = Outcome::skipped;
  set.requirements.at(0).probes = {untried.probe.id};
  EXPECT_EQ(how_to_settle(report), "") << "another run would try no more";
  untried.observation.outcome = Outcome::silent;
  const std::string again = "To settle what is still unknown, wait 60 s and run this again;";
  EXPECT_EQ(how_to_settle(report), again + " --thorough (up to 4 minutes) tests more.");
  EXPECT_TRUE(holds(render_text(report, {}), again)) << render_text(report, {});
  EXPECT_TRUE(holds(render_html(report, {}), again));
  report.findings = {finding("Another's"), finding("Its own", {{set.id, {"b"}}})};
  EXPECT_EQ(how_to_settle(report),
            "To settle what is still unknown, follow the fix under cause 2, then run this again.");
  report.findings.push_back(finding("Of the other", {{set.id, {"a"}}}));
  EXPECT_EQ(how_to_settle(report),
            "To settle what is still unknown, follow the fixes under causes 2 and 3, then run this "
            "again.");
  report.findings.clear();
  report.complete = false;
  EXPECT_EQ(how_to_settle(report), "") << "it was stopped, and says so";
}

// A run of `--only` has none of the other rows, not even as not tried.
TEST(Answer, OfAPartSaysNothingOfTheWhole) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  for (auto& row : set.requirements) row.sampled.clear();
  std::erase_if(set.requirements, [](const auto& row) { return row.status == Status::skip; });
  EXPECT_EQ(verdict_sentences(set, report), "Rainbow works from here.");
  EXPECT_EQ(part_asked(report), "");
  report.part = {"--only turn-udp", "--skip web"};
  EXPECT_EQ(verdict_sentences(set, report), "Everything tested for Rainbow works from here.");
  EXPECT_EQ(verdict_in_short(set, report), "works from here, as far as tested");
  EXPECT_EQ(part_asked(report), "--only turn-udp, --skip web");
  report.part.resize(100, "--only row");
  EXPECT_TRUE(part_asked(report).ends_with("--only row, and 92 more")) << part_asked(report);
}

TEST(Answer, InShortItNamesTheOneCapability) {
  auto report = samples::clean();
  auto& set = report.sets.at(0);
  set.capabilities = {{"a", "Calls", Verdict::ready, "works", {}, {}},
                      {"b", "Messages", Verdict::ready, "works", {}, {}}};
  const auto said = [&](Verdict all, Verdict first, Verdict second) {
    set.verdict = all;
    set.capabilities.at(0).verdict = first;
    set.capabilities.at(1).verdict = second;
    return verdict_in_short(set, report);
  };
  using enum Verdict;
  EXPECT_EQ(said(ready, ready, ready), "works from here");
  EXPECT_EQ(said(blocked, blocked, ready), "does not work: Calls");
  EXPECT_EQ(said(blocked, blocked, blocked), "does not work from here");
  EXPECT_EQ(said(degraded, degraded, degraded), "works with limits: 2 of 2 capabilities");
  for (auto& capability : set.capabilities) capability.fallback = true;
  EXPECT_EQ(said(degraded, degraded, degraded), "works only over a fallback: 2 of 2 capabilities");
  EXPECT_EQ(said(degraded, ready, ready), "works from here, with limits");
  set.capabilities.at(1).requirements = {"web"};
  EXPECT_EQ(said(degraded, ready, unknown),
            "does not fully work from here; still unknown: Messages");
  EXPECT_EQ(said(degraded, unknown, unknown),
            "does not fully work from here; still unknown: Messages; not tested: Calls");
  EXPECT_EQ(said(unknown, ready, unknown), "could not be determined: Messages");
  set.requirements.push_back({.id = "row", .status = Status::skip});
  set.capabilities.at(1).requirements = {"row"};
  EXPECT_EQ(said(ready, ready, unknown), "works from here; not tested: Messages");
  report.vantages.resize(1);
  EXPECT_EQ(said(ready, ready, ready), "works");
}

}  // namespace
}  // namespace callready
