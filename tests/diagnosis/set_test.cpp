// The verdict of a whole set, what appears in it, and its age.
#include "probe/model/set_age.hpp"
#include "tests/diagnosis/build.hpp"

namespace callready {
namespace {

using test::row;
using test::Saw;
using enum Outcome;

// A set with rows "a", "b", ... and one capability each, named like its row.
struct Fixture {
  TargetSet set;
  std::vector<PlannedRequirement> planned;
  std::vector<ProbeResult> results;
  std::vector<std::string> scenarios;

  void add(const std::string& id, Outcome outcome, std::vector<std::string> in_scenarios = {}) {
    set.id = "set";
    set.requirements.push_back(row(id));
    set.capabilities.push_back({id, id, std::move(in_scenarios), {{{{id}}, false}}});
    results.push_back(test::result_of({id, outcome, outcome == skipped ? "stopped" : ""}));
    planned.push_back({"set", id, {results.back().probe.id}, "", false, {}, ""});
  }
  SetResult judge() const { return judge_set({&set, planned, scenarios}, ResultIndex(results)); }
};

struct VerdictCase {
  const char* name;
  std::vector<Outcome> outcomes;
  Verdict expected;
};

class SetVerdictTest : public testing::TestWithParam<VerdictCase> {};

TEST_P(SetVerdictTest, IsTheWorstOfItsCapabilities) {
  Fixture fixture;
  std::string id = "a";
  for (const auto outcome : GetParam().outcomes) {
    fixture.add(id, outcome);
    ++id[0];
  }
  EXPECT_EQ(fixture.judge().verdict, GetParam().expected);
}

const VerdictCase verdict_cases[] = {
    {"Ready", {answered, answered}, Verdict::ready},
    {"Blocked", {answered, silent}, Verdict::blocked},
    {"Unknown", {answered, skipped}, Verdict::unknown},
    {"BlockedOutweighsUnknown", {skipped, silent}, Verdict::blocked},
    {"Empty", {}, Verdict::unknown},
};

INSTANTIATE_TEST_SUITE_P(Set, SetVerdictTest, testing::ValuesIn(verdict_cases), test::case_name);

// "Degraded" says that calls work, if only in part.
TEST(Set, UnknownOutweighsDegradedWhereCallsDependOnIt) {
  Fixture fixture;
  fixture.add("a", skipped);
  fixture.add("b", silent);
  fixture.set.requirements[1].severity = Severity::recommended;
  EXPECT_EQ(fixture.judge().verdict, Verdict::unknown);
  fixture.set.capabilities[0].calls = false;
  EXPECT_EQ(fixture.judge().verdict, Verdict::degraded);
}

TEST(Set, CapabilitiesOfOtherScenariosDoNotAppear) {
  Fixture fixture;
  fixture.scenarios = {"meetings"};
  fixture.add("a", answered, {"meetings"});
  fixture.add("b", silent, {"telephony"});
  const auto judged = fixture.judge();
  ASSERT_EQ(judged.capabilities.size(), 1u);
  EXPECT_EQ(judged.capabilities[0].id, "a");
  EXPECT_EQ(judged.verdict, Verdict::degraded) << "a required row fails all the same";
  EXPECT_EQ(judged.requirements.size(), 2u);
}

TEST(Set, CapabilitiesWithoutARowInTheRunDoNotAppear) {
  Fixture fixture;
  fixture.add("a", answered);
  fixture.add("b", answered);
  fixture.planned.pop_back();
  EXPECT_EQ(fixture.judge().capabilities.size(), 1u);
}

TEST(Set, CapabilitiesSayWhatOfThemTheUserLeftOut) {
  Fixture fixture;
  fixture.add("a", answered);
  fixture.add("b", answered);
  fixture.set.capabilities = {{"calls", "calls", {}, {{{{"a"}}, false}, {{{"b"}}, false}}}};
  EXPECT_EQ(fixture.judge().capabilities[0].summary, "works");
  fixture.planned.pop_back();
  EXPECT_EQ(fixture.judge().capabilities[0].summary,
            "works; 1 of its requirements was left out of this run");
  // Neither another scenario's nor another vantage's rows were left out by anybody's choice.
  fixture.set.requirements[1].scenarios = {"telephony"};
  EXPECT_EQ(fixture.judge().capabilities[0].summary, "works");
  fixture.set.requirements[1].scenarios.clear();
  fixture.set.requirements[1].vantages = {Vantage::phone};
  EXPECT_EQ(fixture.judge().capabilities[0].summary, "works");
}

TEST(Set, CapabilitiesThatCannotBeMeasuredAppearAndDoNotCount) {
  Fixture fixture;
  fixture.add("a", answered);
  fixture.add("b", answered);
  fixture.planned[1].skipped = "inbound";
  fixture.planned[1].probes.clear();
  const auto judged = fixture.judge();
  ASSERT_EQ(judged.capabilities.size(), 2u);
  EXPECT_EQ(judged.capabilities[1].verdict, Verdict::unknown);
  EXPECT_EQ(judged.verdict, Verdict::ready);
  fixture.planned[0].skipped = "inbound";
  EXPECT_EQ(fixture.judge().verdict, Verdict::unknown);
}

TEST(Set, RowsThatNoCapabilityNeedsDecideAlone) {
  Fixture fixture;
  fixture.add("a", answered);
  fixture.set.capabilities.clear();
  EXPECT_EQ(fixture.judge().verdict, Verdict::ready);
  fixture.results[0].observation.outcome = silent;
  EXPECT_EQ(fixture.judge().verdict, Verdict::blocked);
  fixture.set.requirements[0].severity = Severity::recommended;
  EXPECT_EQ(fixture.judge().verdict, Verdict::degraded);
  fixture.planned[0].skipped = "inbound";
  EXPECT_EQ(fixture.judge().verdict, Verdict::unknown);
}

TEST(Set, RowsOfOtherSetsAreLeftOut) {
  Fixture fixture;
  fixture.add("a", answered);
  fixture.planned.push_back({"other", "a", {}, "", false, {}, ""});
  EXPECT_EQ(fixture.judge().requirements.size(), 1u);
}

constexpr auto no_host_named =
    "Sign-in was not tested: the vendor's document lists no hosts for it. To test your own sign-in "
    "page, add --var sign_in=...";

TEST(Set, SaysThatSigningInWasNotTested) {
  Fixture fixture;
  fixture.add("a", answered);
  EXPECT_TRUE(fixture.judge().notes.empty()) << "nobody says that people sign in to it";
  fixture.set.kind = ServiceKind::meetings;
  EXPECT_EQ(fixture.judge().notes, std::vector<Text>{no_host_named});
  EXPECT_EQ(fixture.judge().verdict, Verdict::ready);
  for (const auto kind : {ServiceKind::sip_trunk, ServiceKind::platform, ServiceKind::pbx}) {
    fixture.set.kind = kind;
    EXPECT_TRUE(fixture.judge().notes.empty());
  }
}

TEST(Set, SigningInIsTestedWhereARowOfItIsMeasured) {
  Fixture fixture;
  fixture.set.kind = ServiceKind::contact_center;
  fixture.add("a", answered);
  fixture.add("login", silent);
  fixture.set.capabilities[1].sign_in = true;
  EXPECT_TRUE(fixture.judge().notes.empty());
  EXPECT_EQ(fixture.judge().verdict, Verdict::blocked);
  fixture.planned[1].skipped = "needs your own value";
  fixture.planned[1].probes.clear();
  EXPECT_EQ(fixture.judge().notes, std::vector<Text>{"Sign-in was not tested in this run."});
  EXPECT_EQ(fixture.judge().verdict, Verdict::ready);
  fixture.set.variables = {{"sign_in", "Yours", {}, "login.example.com", true}};
  fixture.set.requirements[1].hosts = {{"${sign_in}", "", Lifecycle::current, ""}};
  EXPECT_EQ(fixture.judge().notes,
            std::vector<Text>{
                "Sign-in was not tested: specify your own sign-in page with --var sign_in=..."});
}

TEST(Set, TellsWhoseARowIs) {
  Fixture fixture;
  fixture.add("a", answered);
  fixture.add("login", answered);
  fixture.set.requirements[1].of_set = "other";
  fixture.set.leans_on.resize(1);
  fixture.set.leans_on[0].id = "other";
  fixture.set.leans_on[0].evidence = SourceQuality::second_hand;
  fixture.set.requirements[1].transports = {Transport::tcp};
  const auto judged = fixture.judge();
  EXPECT_EQ(judged.requirements[0].of_set, "");
  EXPECT_EQ(judged.requirements[1].of_set, "other");
  ASSERT_EQ(judged.leans_on.size(), 1u);
  ASSERT_EQ(judged.requirements[1].rules.size(), 1u);
  EXPECT_EQ(judged.requirements[1].rules[0].set, "other");
  EXPECT_EQ(judged.requirements[1].rules[0].evidence, SourceQuality::second_hand);
}

TEST(ResultIndex, KnowsDistancesByHostAndOfASetByRegion) {
  const std::vector<ProbeResult> results{
      test::result_of({"a", answered, "", "north", 30}),
      test::result_of({"a", connected, "", "north", 20, 80}),
      test::result_of({"b", answered, "", "north", 10}),
      test::result_of({"c", answered, "", "", 5}),
      test::result_of({"d", answered, "", "south", 1, 443, "http://proxy:3128"}),
      test::result_of({"of-another-set", answered, "", "north", 2}),
  };
  const ResultIndex index(results);
  EXPECT_EQ(index.notes_on("a").distance, Milliseconds(20));
  EXPECT_EQ(index.notes_on("z").distance, std::nullopt);
  EXPECT_EQ(index.notes_on("d").distance, std::nullopt)
      << "a round trip to the proxy is no distance";
  PlannedRequirement row;
  for (std::size_t i = 0; i < 5; ++i) row.probes.push_back(results[i].probe.id);
  EXPECT_EQ(distances_of_regions({row}, index), (RegionDistances{{"north", Milliseconds(10)}}));
}

TEST(Staleness, IsSaidAfterSomeMonths) {
  TargetSet set;
  set.document = "Requirements";
  set.verified = "2026-01-01";
  EXPECT_EQ(staleness(set, "2026-06-30"), "");  // 180 days
  EXPECT_EQ(staleness(set, "2026-07-01"),
            "This list was last checked against the vendor's document 181 days ago (2026-01-01): "
            "look for a newer edition of \"Requirements\"");
  EXPECT_EQ(staleness(set, "2025-01-01"), "") << "a clock that is behind is not the list's fault";
  EXPECT_EQ(staleness(set, "not a date"), "");
  set.verified.clear();
  EXPECT_EQ(staleness(set, "2026-07-01"), "");
}

TEST(Staleness, AnOldDocumentIsOldHoweverLatelyItWasTranscribed) {
  TargetSet set;
  set.document = "Requirements";
  set.verified = "2026-06-30";
  set.published = "2016-07";
  EXPECT_EQ(staleness(set, "2026-07-01"),
            "The document is 10 years old (published 2016-07): look for a newer edition of "
            "\"Requirements\"");
  set.published = "2023-07-02";
  EXPECT_EQ(staleness(set, "2026-07-01"), "") << "1095 days";
  set.published = "2023-07-01";
  set.url = "https://example.com/doc";
  EXPECT_EQ(staleness(set, "2026-07-01"),
            "The document is 3 years old (published 2023-07-01): look for a newer edition of "
            "\"Requirements\" at https://example.com/doc");
  auto undated = set;
  undated.published = "2022";
  undated.url.clear();
  EXPECT_EQ(staleness(undated, "2026-07-01"),
            "The document is 4 years old (published about 2022): look for a newer edition of "
            "\"Requirements\"");
  undated.published = "2023";
  EXPECT_EQ(staleness(undated, "2026-07-01"), "") << "it may be of its last days";
  set.verified = "2025-01-01";
  EXPECT_EQ(staleness(set, "2026-07-01"),
            "This list was last checked against the vendor's document 546 days ago (2025-01-01), "
            "and the document is 3 years old (published 2023-07-01): look for a newer edition of "
            "\"Requirements\" at https://example.com/doc");
}

}  // namespace
}  // namespace callready
