// From rows to a capability's verdict.
#include "tests/diagnosis/build.hpp"

namespace callready::capability_test {
namespace {

using enum Severity;

RequirementResult judged(const std::string& id, Status status, Severity severity = required) {
  RequirementResult result;
  result.id = id;
  result.title = id;
  result.status = status;
  result.severity = severity;
  return result;
}

// A row of an optional feature: it failed, which is no reason for the capability to fail.
RequirementResult spared(const std::string& id) {
  auto result = judged(id, Status::warn);
  result.lost = true;
  return result;
}

using Alternatives = std::vector<std::vector<std::string>>;

Need need_of(Alternatives alternatives, bool equal, std::size_t preferred) {
  Need need;
  need.alternatives = std::move(alternatives);
  need.equal = equal;
  need.preferred = preferred;
  return need;
}
Need all_of(const std::string& id) { return need_of({{id}}, false, 1); }
Need first_of(Alternatives alternatives) { return need_of(std::move(alternatives), false, 1); }
Need any_of(Alternatives alternatives) { return need_of(std::move(alternatives), true, 1); }
// any_of with else
Need any_of(Alternatives alternatives, const Alternatives& otherwise) {
  const auto preferred = alternatives.size();
  alternatives.insert(alternatives.end(), otherwise.begin(), otherwise.end());
  return need_of(std::move(alternatives), false, preferred);
}

struct Diagnosis {
  const char* name;
  std::vector<Need> needs;
  std::vector<RequirementResult> rows;
  Verdict expected;
  const char* summary;
};

class CapabilityTest : public testing::TestWithParam<Diagnosis> {};

TEST_P(CapabilityTest, GivesVerdictAndSummary) {
  const auto& [name, needs, rows, expected, summary] = GetParam();
  Capability capability;
  capability.needs = needs;
  const auto result = judge_capability(capability, rows);
  EXPECT_EQ(result.verdict, expected);
  EXPECT_EQ(result.summary, summary);
  EXPECT_EQ(result.fallback, result.summary.string().starts_with("works only over a fallback"));
}

constexpr auto pass = Status::pass, warn = Status::warn, fail = Status::fail,
               unknown = Status::unknown, skip = Status::skip;
const auto ports = any_of({{"udp"}, {"tcp"}}, {{"alternate"}, {"other"}});
const auto udp_tls_tcp = first_of({{"udp"}, {"tls"}, {"tcp"}});

const Diagnosis cases[] = {
    // Whether all its needs are lost is known by the optional one alone.
    {"OnlyAnOptionalNeedIsOpen",
     {all_of("extra"), all_of("udp")},
     {judged("extra", unknown, optional), judged("udp", fail, recommended)},
     Verdict::unknown,
     "could not be decided: extra"},
    // Equals, and fallbacks behind them.
    {"OneOfTheEqualsHolds",
     {ports},
     {judged("udp", fail), judged("tcp", pass), judged("alternate", pass)},
     Verdict::ready,
     "works"},
    {"OnlyAFallbackOfTheEqualsHolds",
     {ports},
     {judged("udp", fail), judged("tcp", fail), judged("alternate", pass), judged("other", pass)},
     Verdict::degraded,
     "works only over a fallback (alternate), not over udp"},
    {"NeitherEqualsNorFallbacksHold",
     {ports},
     {judged("udp", fail), judged("tcp", fail), judged("alternate", fail)},
     Verdict::blocked,
     "does not work: none of 3 ways (udp, ...)"},
    {"TheFallbackWasNotNeeded",
     {ports},
     {judged("udp", pass), judged("tcp", fail), judged("alternate", skip)},
     Verdict::ready,
     "works"},
    {"OnlyFallbacksCouldBeMeasured",
     {ports},
     {judged("udp", skip), judged("alternate", pass)},
     Verdict::ready,
     "works"},
    // A row that failed, even if that is no reason to fail, is not a way in if there are others.
    {"AnOptionalFeatureThatFailsIsNoFallback",
     {udp_tls_tcp},
     {judged("udp", fail), spared("tls"), judged("tcp", pass)},
     Verdict::degraded,
     "works only over a fallback (tcp), not over udp"},
    {"NorDoesItKeepUpWhatIsLost",
     {udp_tls_tcp},
     {judged("udp", fail), spared("tls"), judged("tcp", fail)},
     Verdict::blocked,
     "does not work: neither udp nor tcp"},
    {"ItsLossAloneIsNoFailure",
     {udp_tls_tcp},
     {spared("udp"), judged("tls", skip), spared("tcp")},
     Verdict::ready,
     "works"},
    // Needs that must all hold.
    {"AllHold",
     {all_of("a"), all_of("b")},
     {judged("a", pass), judged("b", warn)},
     Verdict::ready,
     "works"},
    {"OneFails",
     {all_of("a"), all_of("b")},
     {judged("a", pass), judged("b", fail)},
     Verdict::blocked,
     "does not work: b"},
    {"OneIsUnknown",
     {all_of("a"), all_of("b")},
     {judged("a", pass), judged("b", unknown)},
     Verdict::unknown,
     "could not be decided: b"},
    {"UnknownBesideFailMakesNoDifference",
     {all_of("a"), all_of("b")},
     {judged("a", fail), judged("b", unknown)},
     Verdict::blocked,
     "does not work: a"},
    {"SkippedRowsDoNotCount",
     {all_of("a"), all_of("b")},
     {judged("a", pass), judged("b", skip)},
     Verdict::ready,
     "works"},
    {"AllSkipped",
     {all_of("a")},
     {judged("a", skip)},
     Verdict::unknown,
     "cannot be measured from here"},
    {"RowsOfOtherScenarios",
     {all_of("a"), all_of("elsewhere")},
     {judged("a", pass)},
     Verdict::ready,
     "works"},

    // Severity.
    {"RecommendedFails",
     {all_of("a"), all_of("b")},
     {judged("a", pass), judged("b", fail, recommended)},
     Verdict::degraded,
     "works with limits: b"},
    {"OptionalFails",
     {all_of("a"), all_of("b")},
     {judged("a", pass), judged("b", fail, optional)},
     Verdict::ready,
     "works"},
    {"OptionalIsUnknown",
     {all_of("a"), all_of("b")},
     {judged("a", pass), judged("b", unknown, optional)},
     Verdict::ready,
     "works"},
    {"RecommendedIsUnknown",
     {all_of("a")},
     {judged("a", unknown, recommended)},
     Verdict::unknown,
     "could not be decided: a"},

    // Ordered alternatives.
    {"FirstChoice",
     {udp_tls_tcp},
     {judged("udp", pass), judged("tls", fail), judged("tcp", fail)},
     Verdict::ready,
     "works"},
    {"Fallback",
     {udp_tls_tcp},
     {judged("udp", fail), judged("tls", pass), judged("tcp", pass)},
     Verdict::degraded,
     "works only over a fallback (tls), not over udp"},
    {"LastFallback",
     {udp_tls_tcp},
     {judged("udp", fail), judged("tls", fail), judged("tcp", pass)},
     Verdict::degraded,
     "works only over a fallback (tcp), not over udp"},
    {"NoAlternative",
     {udp_tls_tcp},
     {judged("udp", fail), judged("tls", fail), judged("tcp", fail)},
     Verdict::blocked,
     "does not work: none of 3 ways (udp, ...)"},
    {"UnknownFirstWithFallback",
     {udp_tls_tcp},
     {judged("udp", unknown), judged("tls", pass), judged("tcp", pass)},
     Verdict::unknown,
     "could not be decided: udp; works at least over tls"},
    {"UnknownFallbackBesideFirst",
     {udp_tls_tcp},
     {judged("udp", pass), judged("tls", unknown), judged("tcp", unknown)},
     Verdict::ready,
     "works"},
    {"UnknownLastBehindFallback",
     {udp_tls_tcp},
     {judged("udp", fail), judged("tls", pass), judged("tcp", unknown)},
     Verdict::degraded,
     "works only over a fallback (tls), not over udp"},
    {"UnknownBetweenTheFirstAndWhatWorks",
     {udp_tls_tcp},
     {judged("udp", fail), judged("tls", unknown), judged("tcp", pass)},
     Verdict::degraded,
     "works only over a fallback (tcp), not over udp"},
    {"OnlyTheLastIsOpen",
     {udp_tls_tcp},
     {judged("udp", fail), judged("tls", fail), judged("tcp", unknown)},
     Verdict::unknown,
     "could not be decided: tcp"},
    {"FirstSkipped",
     {udp_tls_tcp},
     {judged("udp", skip), judged("tls", pass)},
     Verdict::ready,
     "works"},
    {"AlternativeOfTwoRows",
     {first_of({{"a", "b"}, {"c"}})},
     {judged("a", pass), judged("b", fail), judged("c", pass)},
     Verdict::degraded,
     "works only over a fallback (c), not over b"},

    // Equal alternatives.
    {"AnySecond",
     {any_of({{"a"}, {"b"}})},
     {judged("a", fail), judged("b", pass)},
     Verdict::ready,
     "works"},
    {"AnyUnknownBesideGood",
     {any_of({{"a"}, {"b"}})},
     {judged("a", unknown), judged("b", pass)},
     Verdict::ready,
     "works"},
    {"AnyNone",
     {any_of({{"a"}, {"b"}})},
     {judged("a", fail), judged("b", fail)},
     Verdict::blocked,
     "does not work: neither a nor b"},
    {"ManyNone",
     {any_of({{"a"}, {"b"}, {"alt"}})},
     {judged("a", fail), judged("b", fail), judged("alt", fail)},
     Verdict::blocked,
     "does not work: none of 3 ways (a, ...)"},
    {"AnyUnknown",
     {any_of({{"a"}, {"b"}})},
     {judged("a", fail), judged("b", unknown)},
     Verdict::unknown,
     "could not be decided: b"},

    // Of alternatives, a lost one carries nothing, however little it weighs.
    {"OptionalAlternateIsNoWayIn",
     {any_of({{"a"}, {"alt"}})},
     {judged("a", fail), judged("alt", fail, optional)},
     Verdict::blocked,
     "does not work: neither a nor alt"},
    {"OptionalAlternateCarries",
     {any_of({{"a"}, {"alt"}})},
     {judged("a", fail), judged("alt", pass, optional)},
     Verdict::ready,
     "works"},
    {"AllRecommended",
     {any_of({{"a"}, {"b"}})},
     {judged("a", fail, recommended), judged("b", fail, recommended)},
     Verdict::blocked,
     "does not work: a"},
    {"OneOfTwoRecommendedNeeds",
     {all_of("a"), all_of("b")},
     {judged("a", fail, recommended), judged("b", pass, recommended)},
     Verdict::degraded,
     "works with limits: a"},
    {"OptionalIsNothingLeft",
     {all_of("a"), all_of("b")},
     {judged("a", fail, recommended), judged("b", fail, optional)},
     Verdict::blocked,
     "does not work: a"},
    {"ButWhatIsOptionalAndWorksIs",
     {all_of("a"), all_of("b")},
     {judged("a", fail, recommended), judged("b", pass, optional)},
     Verdict::degraded,
     "works with limits: a"},
    {"RecommendedMayBeLost",
     {all_of("a"), all_of("b")},
     {judged("a", fail, recommended), judged("b", unknown, recommended)},
     Verdict::unknown,
     "could not be decided: b"},
    {"AllOptional",
     {first_of({{"a"}, {"b"}})},
     {judged("a", fail, optional), judged("b", fail, optional)},
     Verdict::ready,
     "works"},
    {"OptionalRowInAnAlternative",
     {first_of({{"a", "extra"}, {"c"}})},
     {judged("a", pass), judged("extra", fail, optional), judged("c", pass)},
     Verdict::ready,
     "works"},

    // Summaries.
    {"OnlyTheCulpritsAreNamed",
     {first_of({{"a", "b"}})},
     {judged("a", pass), judged("b", fail)},
     Verdict::blocked,
     "does not work: b"},
    {"WhatIsNotKnownIsNotBlamedForTheLoss",
     {first_of({{"a", "b"}})},
     {judged("a", fail), judged("b", unknown)},
     Verdict::blocked,
     "does not work: a"},
    {"NorForTheFallback",
     {first_of({{"a", "b"}, {"c"}})},
     {judged("a", fail), judged("b", unknown), judged("c", pass)},
     Verdict::degraded,
     "works only over a fallback (c), not over a"},
    {"NorForTheLimits",
     {first_of({{"a", "b", "c"}})},
     {judged("a", fail, recommended), judged("b", unknown, recommended), judged("c", pass)},
     Verdict::degraded,
     "works with limits: a"},
    {"BlockedDoesNotBlameTheFallback",
     {udp_tls_tcp, all_of("web")},
     {judged("udp", fail), judged("tls", pass), judged("web", fail)},
     Verdict::blocked,
     "does not work: web"},
    {"SimilarTitles",
     {all_of("SIP over TLS"), all_of("SIP")},
     {judged("SIP", fail), judged("SIP over TLS", fail)},
     Verdict::blocked,
     "does not work: SIP over TLS; SIP"},
};

INSTANTIATE_TEST_SUITE_P(Capability, CapabilityTest, testing::ValuesIn(cases), test::case_name);

// Alternatives that the set prefers equally are not fallbacks of each other.
TEST(Capability, AnEqualThatWorksWithLimitsIsNoFallback) {
  Capability capability;
  capability.needs = {any_of({{"a"}, {"b"}})};
  std::vector rows{judged("a", fail), judged("b", pass)};
  rows[1].impaired = true;
  const auto result = judge_capability(capability, rows);
  EXPECT_EQ(result.verdict, Verdict::degraded);
  EXPECT_FALSE(result.fallback);
}

// A first choice that works in part and is unknown in part is still not a fallback.
TEST(Capability, AFirstWayThatIsPartlyUnknownIsNoFallback) {
  Capability capability;
  capability.needs = {all_of("lost"), need_of({{"x", "y"}}, false, 1)};
  const std::vector rows{judged("lost", fail, recommended), judged("x", pass),
                         judged("y", unknown, recommended)};
  const auto result = judge_capability(capability, rows);
  EXPECT_EQ(result.verdict, Verdict::degraded);
  EXPECT_EQ(result.summary, "works with limits: lost");
  EXPECT_FALSE(result.fallback);
}

TEST(Capability, BelowTheVendorsFiguresItIsDegraded) {
  Capability capability;
  capability.needs = {{{{"near"}, {"other"}}, false, 1}};
  std::vector rows{judged("near", Status::pass), judged("other", Status::pass)};
  auto& first = rows.front();
  EXPECT_EQ(judge_capability(capability, rows).verdict, Verdict::ready);
  first.status = Status::warn;
  EXPECT_EQ(judge_capability(capability, rows).verdict, Verdict::ready);
  first.poor = true;
  const auto limited = judge_capability(capability, rows);
  EXPECT_EQ(limited.verdict, Verdict::degraded);
  EXPECT_EQ(limited.summary, "works with limits: near");
  first.severity = Severity::optional;
  EXPECT_EQ(judge_capability(capability, rows).verdict, Verdict::ready);
}

TEST(Capability, ListsItsRowsOfTheRunOnce) {
  Capability capability;
  capability.needs = {all_of("a"), first_of({{"b"}, {"a", "elsewhere"}})};
  const std::vector rows{judged("a", pass), judged("b", pass)};
  const auto result = judge_capability(capability, rows);
  EXPECT_EQ(result.requirements, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace callready::capability_test
