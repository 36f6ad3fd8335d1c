// From what probes saw to a row's status.
#include "tests/diagnosis/build.hpp"
#include "tests/support/said.hpp"

namespace callready {
namespace {

using test::all;
using test::any;
using test::at_least;
using test::judge;
using test::nearest;
using test::row;
using test::Saw;
using enum Outcome;

constexpr auto gone = "no_such_name";

Requirement with_reach(Reach reach) {
  auto requirement = row("row");
  requirement.reach = reach;
  return requirement;
}

struct ReachCase {
  const char* name;
  Reach reach;
  std::vector<Saw> saw;
  Status expected;
};

class ReachTest : public testing::TestWithParam<ReachCase> {};

TEST_P(ReachTest, GivesTheStatus) {
  const auto& [name, reach, saw, expected] = GetParam();
  const auto judged = judge(with_reach(reach), saw);
  EXPECT_EQ(judged.status, expected) << judged.summary;
}

const ReachCase reach_cases[] = {
    {"AllReached", all(), {{"a"}, {"b"}}, Status::pass},
    {"AllButOne", all(), {{"a"}, {"b", silent}}, Status::fail},
    {"AllRefused", all(), {{"a", refused}, {"b", refused}}, Status::fail},
    {"AllOneNotMeasured", all(), {{"a"}, {"b", skipped, "stopped"}}, Status::unknown},
    {"AllBadOutweighsUnknown", all(), {{"a", skipped, "stopped"}, {"b", silent}}, Status::fail},
    {"AllNothingMade", all(), {}, Status::unknown},
    {"AllConnected", all(), {{"a", connected}}, Status::pass},
    {"AllPassed", all(), {{"a", passed}}, Status::pass},
    {"AllRejected", all(), {{"a", rejected}}, Status::fail},
    {"AllDenied", all(), {{"a", denied, "403"}}, Status::fail},
    {"AllFailed", all(), {{"a", failed, "expired"}}, Status::fail},
    {"AllNoRoute", all(), {{"a", skipped, "no_route"}}, Status::unknown},

    {"AnyOneReached", any(), {{"a", silent}, {"b"}, {"c", refused}}, Status::pass},
    {"AnyNoneReached", any(), {{"a", silent}, {"b", silent}}, Status::fail},
    {"AnyMayStillBe", any(), {{"a", silent}, {"b", skipped, "stopped"}}, Status::unknown},

    {"AtLeastMet", at_least(2), {{"a"}, {"b"}, {"c", silent}}, Status::pass},
    {"AtLeastMissed", at_least(2), {{"a"}, {"b", silent}, {"c", silent}}, Status::fail},
    {"AtLeastOpen",
     at_least(2),
     {{"a"}, {"b", skipped, "other_family"}, {"c", silent}},
     Status::unknown},
    // The user chose a region with fewer hosts than the document counts.
    {"AtLeastOfFewer", at_least(3), {{"a"}, {"b"}}, Status::pass},
    {"AtLeastOfFewerMissed", at_least(3), {{"a"}, {"b", silent}}, Status::fail},

    // Names that are gone while their siblings answer: the list is old, not the way closed.
    {"GoneBesideSiblings", all(), {{"a"}, {"b", unresolved, gone}}, Status::warn},
    {"GoneAndBlocked", all(), {{"a"}, {"b", unresolved, gone}, {"c", silent}}, Status::fail},
    {"AllGone", all(), {{"a", unresolved, gone}, {"b", unresolved, gone}}, Status::fail},
    {"GoneAlone", all(), {{"a", unresolved, gone}}, Status::fail},
    {"GoneBesideNotMeasured",
     all(),
     {{"a", unresolved, gone}, {"b", skipped, "stopped"}},
     Status::unknown},
    {"AnyGoneBesideSibling", any(), {{"a"}, {"b", unresolved, gone}}, Status::warn},
    {"AtLeastGoneBesideSibling", at_least(2), {{"a"}, {"b", unresolved, gone}}, Status::warn},
    // No resolver answers: that is no news about the name.
    {"NoResolver", all(), {{"a"}, {"b", unresolved, "dns_unreachable"}}, Status::fail},
};

INSTANTIATE_TEST_SUITE_P(Requirement, ReachTest, testing::ValuesIn(reach_cases), test::case_name);

// --- Nearest ------------------------------------------------------------------------------------

struct NearestCase {
  const char* name;
  int count;
  std::vector<Saw> saw;
  std::vector<Saw> elsewhere;  // other rows' probes
  Status expected;
};

class NearestTest : public testing::TestWithParam<NearestCase> {};

TEST_P(NearestTest, ABlockedNearOneDoesNotHide) {
  const auto& [name, count, saw, elsewhere, expected] = GetParam();
  const auto judged = judge(with_reach(nearest(count)), saw, elsewhere);
  EXPECT_EQ(judged.status, expected) << judged.summary;
}

const NearestCase nearest_cases[] = {
    {"FarOnesDoNotCount",
     2,
     {{"far", silent, "", "asia", {}},
      {"near", answered, "", "europe", 10.0},
      {"next", answered, "", "france", 20.0}},
     {{"asia", answered, "", "asia", 200.0, 80}},
     Status::pass},
    {"NearOneIsBlockedOnThisPortOnly",
     1,
     {{"near", silent}, {"far", answered, "", "", 90.0}},
     {{"near", connected, "", "", 9.0, 80}},
     Status::fail},
    {"RegionTellsTheDistance",
     1,
     {{"near", silent, "", "europe"}, {"far", answered, "", "asia", 200.0}},
     {{"other-in-europe", connected, "", "europe", 12.0, 80}},
     Status::fail},
    {"RegionOfASibling",
     1,
     {{"near", silent, "", "europe"},
      {"near2", answered, "", "europe", 12.0},
      {"far", answered, "", "asia", 200.0}},
     {},
     Status::fail},
    {"BlockedAndNobodyKnowsHowFar",
     1,
     {{"mute", silent, "", "europe"}, {"far", answered, "", "asia", 200.0}},
     {},
     Status::warn},
    {"NotMeasuredAndNobodyKnowsHowFar",
     1,
     {{"late", skipped, "stopped", "europe"}, {"far", answered, "", "asia", 200.0}},
     {},
     Status::unknown},
    {"GoneNamesAreNoNeighbours",
     1,
     {{"old", unresolved, gone, "europe"}, {"far", answered, "", "asia", 200.0}},
     {},
     Status::pass},
    {"TooFewMeasured", 2, {{"a", answered, "", "", 10.0}, {"b", silent}}, {}, Status::fail},
    {"NoneReached", 2, {{"a", silent}, {"b", silent}, {"c", silent}}, {}, Status::fail},
    // Through a proxy nobody's distance is known.
    {"ProxyOnly",
     1,
     {{"a", answered, "", "", 40.0, 443, "http://proxy:3128"},
      {"b", answered, "", "", 50.0, 443, "http://proxy:3128"}},
     {},
     Status::pass},
};

INSTANTIATE_TEST_SUITE_P(Requirement, NearestTest, testing::ValuesIn(nearest_cases),
                         test::case_name);

TEST(Nearest, NamesTheChosenAndTheDoubtful) {
  const auto judged = judge(with_reach(nearest(1)),
                            {{"mute", silent, "", "europe"}, {"far", answered, "", "", 90}});
  EXPECT_EQ(judged.summary,
            "nearest: far; reached; mute:443 (TLS) may be nearer: no answer; name your region with "
            "--region to be sure");
}

// --- Silence ------------------------------------------------------------------------------------

struct SilenceCase {
  const char* name;
  test::CheckNamed check;
  Transport transport;
  test::Said detail;
  Status expected;
};

class SilenceTest : public testing::TestWithParam<SilenceCase> {};

TEST_P(SilenceTest, CountsOnlyAgainstThoseWhoAnswerEverybody) {
  const auto& [name, check, transport, detail, expected] = GetParam();
  Saw saw{"host", silent, detail};
  saw.check = check;
  saw.transport = transport;
  EXPECT_EQ(judge(row("row"), {saw}).status, expected);
}

const SilenceCase silence_cases[] = {
    {"MediaRange", "udp-range", Transport::udp, "silent", Status::unknown},
    // The hop before it answered for a control and not for this port: more than silence.
    {"MediaRangeDropped", "udp-range", Transport::udp, "dropped", Status::fail},
    {"MediaRangePartlyDropped", "udp-range", Transport::udp, "partly_dropped", Status::fail},
    {"Hop", "hop", Transport::tcp, "silent", Status::unknown},
    {"HopDropped", "hop", Transport::tcp, "dropped", Status::fail},
    {"SipOverUdp", "sip", Transport::udp, "timed_out", Status::unknown},
    {"SipOverTcp", "sip", Transport::tcp, "timed_out", Status::fail},
    {"SipOverTls", "sip", Transport::tls, "timed_out", Status::fail},
    {"Stun", "stun", Transport::udp, "timed_out", Status::fail},
    {"Turn", "turn", Transport::udp, "timed_out", Status::fail},
    {"Ntp", "ntp", Transport::udp, "timed_out", Status::fail},
    {"Tcp", "tcp", Transport::tcp, "timed_out", Status::fail},
};

INSTANTIATE_TEST_SUITE_P(Requirement, SilenceTest, testing::ValuesIn(silence_cases),
                         test::case_name);

// A media range of these hosts; the edge of the site answered somebody, or nobody.
RequirementResult judge_range(const std::vector<Saw>& saw, bool edge_answers) {
  auto requirement = row("row");
  requirement.check = CheckKind::udp_range;
  PlannedRequirement planned;
  planned.set = "set";
  planned.requirement = "row";
  std::vector<ProbeResult> results;
  for (auto one : saw) {
    one.check = CheckKind::udp_range;
    one.transport = Transport::udp;
    results.push_back(test::result_of(one));
    planned.probes.push_back(results.back().probe.id);
  }
  if (edge_answers) {
    results[0].observation.evidence.push_back(
        {EvidenceKind::udp_port, "it left", {{Fact::result, std::string("left_site")}}});
  }
  return judge_requirement(requirement, planned, ResultIndex(results), {});
}

TEST(EdgeOfTheSite, WhereItRanOutOfAnswersTheOthersWereNotInTheSample) {
  const auto judged = judge_range(
      {{"a", passed, "left_site"}, {"b", silent, "silent"}, {"c", silent, "silent"}}, true);
  EXPECT_EQ(judged.status, Status::pass);
  EXPECT_EQ(judged.summary,
            "packets leave the site; this server does not reply to test packets; 2 more could not "
            "be measured: the router at the site's edge answers only a few probes");
}

// No router was found on the way there: none of them can have run out of answers.
TEST(EdgeOfTheSite, WhereNoRouterSpeaksOnAHostsWaySilenceStaysAnOpenQuestion) {
  const auto judged = [](FactMap facts) {
    auto requirement = row("row");
    requirement.check = CheckKind::hop;
    std::vector<ProbeResult> results;
    PlannedRequirement planned{"set", "row"};
    for (auto saw : {Saw{"a", passed, "left_site"}, Saw{"b", silent, "silent"}}) {
      saw.check = CheckKind::hop;
      auto result = test::result_of(saw);
      auto seen = saw.host == "a" ? FactMap{{Fact::ttl, std::int64_t{4}}} : facts;
      seen[Fact::result] = saw.host == "a" ? std::string("left_site") : std::string("silent");
      result.observation.evidence.push_back({EvidenceKind::hop, "", seen});
      planned.probes.push_back(result.probe.id);
      results.push_back(std::move(result));
    }
    requirement.listening = false;
    return judge_requirement(requirement, planned, ResultIndex(results), {}).status;
  };
  EXPECT_EQ(judged({{Fact::ttl, std::int64_t{4}}}), Status::pass) << "it had no answer left";
  EXPECT_EQ(judged({}), Status::unknown);
}

TEST(EdgeOfTheSite, WhereItAnswersNobodySilenceStaysAnOpenQuestion) {
  EXPECT_EQ(judge_range({{"a", passed, "arrived"}, {"b", silent, "silent"}}, false).status,
            Status::unknown);
}

TEST(EdgeOfTheSite, WhatDiedOnTheWayIsNotForgotten) {
  EXPECT_EQ(
      judge_range({{"a", passed, "left_site"}, {"b", silent, "dropped"}, {"c", silent, "silent"}},
                  true)
          .status,
      Status::fail);
}

// A range of ports to one host, and what was seen of a port within it on the way to another.
RequirementResult judge_beside(Saw own, std::vector<ProbeResult> others, Attribution causes = {}) {
  auto requirement = row("row");
  requirement.check = CheckKind::udp_range;
  own.check = CheckKind::udp_range;
  own.transport = Transport::udp;
  auto result = test::result_of(own);
  result.probe.target.ports = {50'000, 59'999};
  PlannedRequirement planned{"set", "row"};
  planned.probes.push_back(result.probe.id);
  planned.note = "measured from this computer";
  others.push_back(std::move(result));
  ResultIndex index(others);
  index.attribute(std::move(causes));
  return judge_requirement(requirement, planned, index, {});
}

ProbeResult left_with(std::int64_t port, std::string host = "192.0.2.7") {
  Saw saw{std::move(host), passed, "left_site"};
  saw.check = CheckKind::udp_range;
  saw.transport = Transport::udp;
  auto result = test::result_of(saw);
  result.observation.evidence.push_back({EvidenceKind::udp_port,
                                         "",
                                         {{Fact::port, port},
                                          {Fact::by, std::string("203.0.113.1")},
                                          {Fact::result, std::string("left_site")}}});
  return result;
}

TEST(SamePorts, ThatPassToOthersSpeakForAHostThatWasNotAsked) {
  for (const auto& own : {Saw{"a", skipped, "spared"}, Saw{"a", silent, "silent"}}) {
    const auto judged = judge_beside(own, {left_with(51'000)});
    EXPECT_EQ(judged.status, Status::pass);
    EXPECT_EQ(judged.summary,
              "packets leave the site (seen at 203.0.113.1): seen with UDP 51000 to 192.0.2.7; "
              "routers in the path answer few packets, so these hosts were not tested one by one; "
              "measured from this computer");
    EXPECT_EQ(judge_beside(own, {left_with(49'000)}).status, Status::unknown) << "another port";
    EXPECT_EQ(judge_beside(own, {}).status, Status::unknown);
  }
  EXPECT_EQ(judge_beside({"a", silent, "dropped"}, {left_with(51'000)}).status, Status::fail);
}

TEST(SamePorts, AreSaidByThePortThatTheRowHas) {
  auto wide = left_with(1024);
  wide.observation.evidence.push_back(left_with(51'000).observation.evidence.front());
  EXPECT_TRUE(judge_beside({"a", skipped, "spared"}, {wide})
                  .summary.starts_with("packets leave the site (seen at 203.0.113.1): seen with "
                                       "UDP 51000 to 192.0.2.7; "));
}

TEST(SamePorts, SpeakByAnyProbeThatIsNotInDoubt) {
  const Saw own{"a", skipped, "spared"};
  const auto doubted = left_with(51'000), sure = left_with(51'000, "192.0.2.8");
  Attribution causes;
  causes.doubted = {{doubted.probe.id, "it may be lost on the way"}};
  EXPECT_EQ(judge_beside(own, {doubted, sure}, causes).status, Status::pass);
  EXPECT_EQ(judge_beside(own, {sure, doubted}, causes).status, Status::pass);
  EXPECT_EQ(judge_beside(own, {doubted}, causes).status, Status::unknown);
}

TEST(SamePorts, ThatPassToAHostOfTheSitesOwnSpeakForNobodyOutside) {
  const Saw own{"a", skipped, "spared"};
  EXPECT_EQ(judge_beside(own, {left_with(51'000, "10.1.2.3")}).status, Status::unknown);
}

TEST(SamePorts, DoNotSpeakForAHostThatSomethingElseDidNotReach) {
  const auto refused_there = test::result_of({"a", rejected});
  const Saw own{"a", skipped, "spared"};
  EXPECT_EQ(judge_beside(own, {left_with(51'000), refused_there}).status, Status::unknown);
  const auto reached_there = test::result_of({"a", connected});
  EXPECT_EQ(judge_beside(own, {left_with(51'000), reached_there}).status, Status::pass);
}

ProbeResult syn(std::uint16_t port, Outcome outcome, const std::string& detail) {
  Saw saw{"a", outcome, detail};
  saw.check = CheckKind::hop;
  saw.transport = Transport::tcp;
  saw.port = port;
  return test::result_of(saw);
}

// A SYN that left the site, and one that was spared for it.
std::pair<ProbeResult, ProbeResult> left_and_spared() {
  auto left = syn(30'011, passed, "left_site"), spared = syn(3433, skipped, "spared");
  left.observation.evidence.push_back(
      {EvidenceKind::hop,
       "",
       {{Fact::by, std::string("203.0.113.1")}, {Fact::result, std::string("left_site")}}});
  spared.observation.evidence.push_back({EvidenceKind::hop, "", {{Fact::port, 30'011}}});
  return {left, spared};
}

TEST(SameKind, OfPortsOverTcpPassForTheOthersOfTheirHost) {
  const auto [left, spared] = left_and_spared();
  auto requirement = row("row");
  requirement.listening = false;
  const auto judged = [&](const std::vector<ProbeResult>& own,
                          const std::vector<ProbeResult>& all) {
    PlannedRequirement planned{"set", "row"};
    for (const auto& result : own) planned.probes.push_back(result.probe.id);
    return judge_requirement(requirement, planned, ResultIndex(all), {});
  };
  EXPECT_EQ(judged({left, spared}, {left, spared}).status, Status::pass);
  const auto alone = judged({spared}, {left, spared});
  EXPECT_EQ(alone.status, Status::pass);
  EXPECT_EQ(alone.summary,
            "packets leave the site (seen at 203.0.113.1): seen with TCP 30011 to a; routers in "
            "the path answer few packets, so these ports were not tested one by one");
  const auto dropped = syn(9667, silent, "dropped");
  EXPECT_EQ(judged({spared, dropped}, {left, spared, dropped}).status, Status::fail);
  // A cause that closes both: then the spared port is closed, too, and not just spared.
  const std::vector<ProbeResult> both{left, spared};
  ResultIndex closed(both);
  Attribution causes;
  causes.entries.push_back({FindingCode::network_offline,
                            "Nothing comes back",
                            {left.probe.id, spared.probe.id},
                            {},
                            Closes::everything});
  closed.attribute(std::move(causes));
  const PlannedRequirement planned{"set", "row", {spared.probe.id}};
  EXPECT_EQ(judge_requirement(requirement, planned, closed, {}).status, Status::fail);
}

// A cause closes the one that was sent, or it is in doubt what it shows.
TEST(SameKind, IsNoSurerThanTheSynThatWasSent) {
  const auto [left, spared] = left_and_spared();
  const std::vector<ProbeResult> both{left, spared};
  const PlannedRequirement planned{"set", "row", {spared.probe.id}};
  ResultIndex doubted(both), lost(both);
  Attribution doubts, causes;
  doubts.doubted = {{left.probe.id, "it may be lost on the way"}};
  doubted.attribute(std::move(doubts));
  causes.entries.push_back({FindingCode::firewall_flow_blocked, "Closed", {left.probe.id}, {}});
  lost.attribute(std::move(causes));
  const auto open = judge_requirement(row("row"), planned, doubted, {});
  EXPECT_EQ(open.status, Status::unknown);
  EXPECT_EQ(open.summary, "packets were seen on their way, but it may be lost on the way");
  const auto untold = judge_requirement(row("row"), planned, lost, {});
  EXPECT_EQ(untold.status, Status::unknown);
  EXPECT_EQ(untold.summary, "not measured");
}

// The limits on what a run may send left no room for it.
TEST(NoRoom, IsOpenOnlyWhereSomethingElseGotThrough) {
  const auto judged = [](Outcome elsewhere, bool name_found = false) {
    std::vector<ProbeResult> results{test::result_of({"a", skipped, "no_room"})};
    PlannedRequirement planned{"set", "row"};
    planned.probes.push_back(results.front().probe.id);
    Saw other{"a", elsewhere};
    other.port = 5061;
    results.push_back(test::result_of(other));
    if (name_found) {
      Saw name{"a", answered};
      name.check = CheckKind::dns;
      results.push_back(test::result_of(name));
    }
    return judge_requirement(row("row"), planned, ResultIndex(results), {}).status;
  };
  EXPECT_EQ(judged(refused), Status::fail);
  EXPECT_EQ(judged(connected), Status::unknown);
  EXPECT_EQ(judged(refused, true), Status::fail) << "a resolver said where it is, no more";
}

// The run ended first: what is not known of it is not known, unless a cause says that its host
// cannot be reached at all.
TEST(Stopped, FailsWhereACauseShutsTheHost) {
  const auto judged = [](FindingCode code) {
    Saw other{"a", silent};
    other.port = 5061;
    const std::vector<ProbeResult> results{test::result_of({"a", skipped, "stopped"}),
                                           test::result_of(other)};
    PlannedRequirement planned{"set", "row"};
    planned.probes.push_back(results.front().probe.id);
    ResultIndex index(results);
    Attribution causes;
    causes.entries.push_back({code, "Closed", {results.back().probe.id}, {}});
    index.attribute(std::move(causes));
    return judge_requirement(row("row"), planned, index, {}).status;
  };
  EXPECT_EQ(judged(FindingCode::dns_rewritten), Status::fail);
  EXPECT_EQ(judged(FindingCode::firewall_tcp_port_blocked), Status::unknown);
}

TEST(EdgeOfTheSite, NothingReachedIsNothingProved) {
  EXPECT_EQ(judge_range({{"a", silent, "silent"}, {"b", silent, "silent"}}, true).status,
            Status::unknown);
}

TEST(EdgeOfTheSite, AnAnswerFromNearerProvesNothing) {
  Saw hop{"a", connected, "answered_on_the_way"};
  hop.check = CheckKind::hop;
  hop.transport = Transport::tcp;
  EXPECT_EQ(judge(row("row"), {hop}).status, Status::unknown);
}

Saw sip(std::string host, Outcome outcome, Transport transport) {
  Saw saw{std::move(host), outcome};
  saw.check = CheckKind::sip;
  saw.transport = transport;
  saw.port = 5060;
  return saw;
}

TEST(Silence, OfSipOverUdpCountsWhereTheServerAnswersElsewhere) {
  const auto mute = sip("pbx", silent, Transport::udp);
  EXPECT_EQ(judge(row("row"), {mute}, {sip("pbx", answered, Transport::tcp)}).status, Status::fail);
  EXPECT_EQ(judge(row("row"), {mute}, {sip("pbx", refused, Transport::tcp)}).status,
            Status::unknown);
  EXPECT_EQ(judge(row("row"), {mute}, {sip("other", answered, Transport::tcp)}).status,
            Status::unknown);
}

// --- Routes -------------------------------------------------------------------------------------

Saw proxied(std::string host, Outcome outcome, test::Said detail = {}) {
  return {std::move(host), outcome, detail, "", {}, 443, "http://proxy:3128"};
}

TEST(Routes, OneThatWorksIsEnough) {
  EXPECT_EQ(judge(row("row"), {{"a", silent}, proxied("a", answered)}).status, Status::pass);
  EXPECT_EQ(judge(row("row"), {{"a"}, proxied("a", denied, "403")}).status, Status::pass);
  EXPECT_EQ(judge(row("row"), {{"a", silent}, proxied("a", denied, "403")}).status, Status::fail);
  EXPECT_EQ(judge(row("row"), {{"a", silent}, proxied("a", skipped, "stopped")}).status,
            Status::unknown);
}

// One endpoint over both routes, each with its time.
std::vector<ProbeResult> both_routes(const std::string& host, double direct, double tunnel,
                                     test::CheckNamed check = CheckKind::tls) {
  std::vector<ProbeResult> results{
      test::result_of({.host = host, .check = check}),
      test::result_of({.host = host, .proxy = "http://p:1", .check = check})};
  results[0].observation.timing_ms = {
      {Timing::connect, direct}, {Timing::handshake, 10}, {Timing::reply, direct}};
  results[1].observation.timing_ms = {
      {Timing::tunnel, tunnel}, {Timing::handshake, 20}, {Timing::reply, tunnel}};
  return results;
}

std::string summary_of(const std::vector<ProbeResult>& results) {
  PlannedRequirement planned;
  planned.requirement = "row";
  for (const auto& result : results) planned.probes.push_back(result.probe.id);
  auto requirement = row("row");
  requirement.check = results.front().probe.check;
  return judge_requirement(requirement, planned, ResultIndex(results), {}).summary.string();
}

TEST(Routes, AreComparedWhereBothWork) {
  EXPECT_EQ(summary_of(both_routes("a", 5, 30)), "reached; direct 15 ms, through the proxy 50 ms");
  EXPECT_EQ(summary_of(both_routes("a", 5, 30, "http")),
            "reached; direct 5 ms, through the proxy 30 ms");
  auto several = both_routes("a", 5, 30);
  for (const auto& [host, direct] : {std::pair{"b", 90.0}, std::pair{"c", 7.0}}) {
    for (auto& result : both_routes(host, direct, 40)) several.push_back(std::move(result));
  }
  EXPECT_EQ(summary_of(several), "3 of 3 reached; direct 17 ms, through the proxy 60 ms");
  auto one_way = both_routes("a", 5, 30);
  one_way[0].observation.outcome = silent;
  EXPECT_EQ(summary_of(one_way), "reached");
}

TEST(Routes, WhatOnlyTheProxyMayCarryIsNotDecidedByPacketsThatEndOnTheWay) {
  const std::vector<ProbeResult> results{
      test::result_of(
          {.host = "192.0.2.1", .outcome = silent, .detail = "dropped", .check = "hop"}),
      test::result_of({.host = "a", .proxy = "http://p:1", .check = CheckKind::tls})};
  PlannedRequirement planned;
  planned.probes = {results[0].probe.id};
  auto requirement = row("row");
  requirement.check = CheckKind::tcp;
  const auto judged = [&](ProxyUse use, std::ptrdiff_t seen) {
    requirement.proxy = use;
    const std::vector<ProbeResult> some(results.begin(), results.begin() + seen);
    return judge_requirement(requirement, planned, ResultIndex(some), {});
  };
  EXPECT_EQ(judged(ProxyUse::allowed, 2).status, Status::unknown);
  EXPECT_TRUE(judged(ProxyUse::allowed, 2)
                  .summary.ends_with(
                      "; it may work through the proxy, but testing that requires a server name"));
  EXPECT_EQ(judged(ProxyUse::never, 2).status, Status::fail);
  EXPECT_EQ(judged(ProxyUse::allowed, 1).status, Status::fail) << "no proxy was seen to work";
}

TEST(Routes, ANameThatOnlyTheProxyResolvesIsNotGone) {
  const auto judged = judge(row("row"), {{"a", unresolved, gone},
                                         proxied("a", answered),
                                         {"b", unresolved, gone},
                                         proxied("b", denied, "403")});
  EXPECT_EQ(judged.status, Status::fail) << judged.summary;
}

TEST(Routes, SummaryNamesTheProbeThatFailed) {
  const auto judged = judge(row("row"), {{"a", silent}, proxied("a", answered), {"b", refused}});
  EXPECT_EQ(judged.summary, "1 of 2 reached: b:443 (TLS): refused by the server");
  EXPECT_EQ(judged.reached, 1);
  EXPECT_EQ(judged.total, 3);
}

// --- Several ports ------------------------------------------------------------------------------

Saw on_port(std::uint16_t port, Outcome outcome, test::Said detail = {}) {
  return {"a", outcome, detail, "", {}, port};
}

TEST(Ports, AllOfAHostMustBeReachedUnlessAnyWillDo) {
  const std::vector<Saw> one_closed{on_port(5075, answered), on_port(5080, silent)};
  EXPECT_EQ(judge(with_reach(all()), one_closed).status, Status::fail);
  EXPECT_EQ(judge(with_reach(at_least(1)), one_closed).status, Status::fail);
  EXPECT_EQ(judge(with_reach(any()), one_closed).status, Status::pass);
  const std::vector<Saw> one_open{on_port(5075, silent), on_port(5080, skipped, "stopped")};
  EXPECT_EQ(judge(with_reach(all()), one_open).status, Status::fail);
  EXPECT_EQ(judge(with_reach(any()), one_open).status, Status::unknown);
}

// What the summary says is of a port that was tried, not of the first.
TEST(Ports, AHostIsReachedThoughAnotherPortWasNotTried) {
  const auto judged =
      judge(with_reach(any()), {on_port(5075, skipped, "stopped"), on_port(5080, answered)});
  EXPECT_EQ(judged.status, Status::pass);
  EXPECT_EQ(judged.summary, "reached");
}

TEST(Ports, AlternatesThatWereNotNeededDoNotCount) {
  const auto judged = judge(row("row"), {on_port(5080, skipped, "not_needed")});
  EXPECT_EQ(judged.status, Status::skip);
  EXPECT_EQ(judged.total, 0);
  const auto partly =
      judge(row("row"), {on_port(5080, skipped, "not_needed"), on_port(5090, answered)});
  EXPECT_EQ(partly.status, Status::pass);
  EXPECT_EQ(partly.total, 1);
  EXPECT_EQ(partly.summary, "reached");
}

TEST(Ports, NotNeededHostsTakeNoPlaceAmongTheNearest) {
  const auto judged = judge(with_reach(nearest(1)), {{"a", skipped, "not_needed", "", 5.0},
                                                     {"b", silent, "", "here"},
                                                     {"c", answered, "", "here", 10.0}});
  EXPECT_EQ(judged.status, Status::fail) << judged.summary;
}

// --- Life cycle and examples --------------------------------------------------------------------

TEST(Lifecycle, ARowOfThePastOrOfAnOptionalFeatureNeverFails) {
  for (const auto lifecycle : {Lifecycle::deprecated, Lifecycle::optional_feature}) {
    auto requirement = row("row");
    requirement.lifecycle = lifecycle;
    EXPECT_EQ(judge(requirement, {{"a", silent}}).status, Status::warn);
    EXPECT_TRUE(judge(requirement, {{"a", silent}}).lost);
    EXPECT_EQ(judge(requirement, {{"a"}}).status, Status::pass);
    EXPECT_FALSE(judge(requirement, {{"a"}}).lost);
  }
}

TEST(Lifecycle, AHostOfThePastIsNeverTheOnlyReasonToFail) {
  auto requirement = row("row");
  requirement.hosts = {{"old", "", Lifecycle::deprecated, ""}, {"new", "", {}, ""}};
  EXPECT_EQ(judge(requirement, {{"old", silent}, {"new"}}).status, Status::warn);
  EXPECT_EQ(judge(requirement, {{"old"}, {"new", silent}}).status, Status::fail);
  EXPECT_EQ(judge(requirement, {{"old", silent}, {"new", silent}}).status, Status::fail);
  EXPECT_EQ(judge(requirement, {{"old", silent}}).status, Status::warn);
}

TEST(Lifecycle, AnAddressOfThePastIsNeverTheOnlyReasonToFail) {
  auto requirement = row("row");
  requirement.addresses = {
      {*Network::parse("192.0.2.0/24"), "", Lifecycle::deprecated, ""},
      {*IpAddress::parse("198.51.100.1"), "", Lifecycle::current, ""},
      {*AddressRange::parse("203.0.113.1-203.0.113.9"), "", Lifecycle::optional_feature, ""}};
  EXPECT_EQ(judge(requirement, {{"192.0.2.1", silent}, {"198.51.100.1"}}).status, Status::warn);
  EXPECT_EQ(judge(requirement, {{"203.0.113.1", silent}, {"198.51.100.1"}}).status, Status::warn);
  EXPECT_EQ(judge(requirement, {{"192.0.2.1"}, {"198.51.100.1", silent}}).status, Status::fail);
}

TEST(Examples, OneAloneDecidesNothingAndTwoDo) {
  auto requirement = row("row");
  requirement.wildcards = {{"*.example.com", {{"a", "", {}, ""}, {"b", "", {}, ""}}}};
  EXPECT_EQ(judge(requirement, {{"a"}}).status, Status::pass);
  EXPECT_EQ(judge(requirement, {{"a", silent}}).status, Status::unknown);
  EXPECT_EQ(judge(requirement, {{"a", silent}, {"b"}}).status, Status::warn);
  EXPECT_EQ(judge(requirement, {{"a", silent}, {"b", silent}}).status, Status::fail);
  EXPECT_EQ(judge(requirement, {{"a", unresolved, gone}, {"b", unresolved, gone}}).status,
            Status::fail);
}

// Packets that end at the site's edge never meet the example's owner.
TEST(Examples, CountAsHostsWherePacketsOnlyGoToTheEdge) {
  auto requirement = row("row");
  requirement.check = CheckKind::udp_range;
  requirement.listening = false;
  requirement.wildcards = {{"*.example.com", {{"a", "", {}, ""}}}};
  Saw saw{"a", silent, "dropped"};
  saw.check = CheckKind::udp_range;
  saw.transport = Transport::udp;
  EXPECT_EQ(judge(requirement, {saw}).status, Status::fail);
  requirement.listening = true;
  EXPECT_EQ(judge(requirement, {saw}).status, Status::unknown);
  requirement.listening = false;
  saw.outcome = unresolved;
  saw.detail = gone;
  EXPECT_EQ(judge(requirement, {saw}).status, Status::unknown) << "a name that was retired";
}

TEST(Examples, AListedHostThatFailsIsAReasonOfItsOwn) {
  auto requirement = row("row");
  requirement.hosts = {{"listed", "", {}, ""}};
  requirement.wildcards = {{"*.example.com", {{"a", "", {}, ""}}}};
  EXPECT_EQ(judge(requirement, {{"listed", silent}, {"a"}}).status, Status::fail);
  EXPECT_EQ(judge(requirement, {{"listed"}, {"a", silent}}).status, Status::warn);
}

// --- The SIP ALG test, names in reverse DNS -----------------------------------------------------

TEST(SipAlgRow, SaysWhatTheTestSaw) {
  auto requirement = row("alg", Severity::recommended);
  requirement.check = CheckKind::sip_alg;
  struct Diagnosis {
    Outcome outcome;
    test::Said detail;
    Status status;
  };
  for (const auto& [outcome, detail, status] :
       std::vector<Diagnosis>{{Outcome::answered, "no_rewriting_seen", Status::pass},
                              {Outcome::answered, "rewritten", Status::warn},
                              {Outcome::answered, "suspected", Status::warn},
                              {Outcome::answered, "inconclusive", Status::unknown},
                              {Outcome::silent, "timed_out", Status::unknown},
                              {Outcome::refused, "connection_refused", Status::unknown},
                              {Outcome::skipped, "server_silent", Status::unknown}}) {
    const auto judged = judge(requirement, {{.host = "sip.example.com",
                                             .outcome = outcome,
                                             .detail = detail,
                                             .check = CheckKind::sip_alg,
                                             .transport = Transport::udp}});
    EXPECT_EQ(judged.status, status) << detail.text() << ": " << judged.summary;
  }
}

// Where the way to the server is closed, other rows say so: whether SIP is rewritten is not known.
TEST(SipAlgRow, IsNotTestedWhereACauseClosesTheWay) {
  auto requirement = row("alg", Severity::recommended);
  requirement.check = CheckKind::sip_alg;
  Saw udp{"sip.example.com", silent, "timed_out"}, tcp{"sip.example.com"};
  udp.check = tcp.check = CheckKind::sip_alg;
  udp.transport = Transport::udp;
  const std::vector<ProbeResult> results{test::result_of(udp), test::result_of(tcp)};
  const auto &lost = results[0].probe.id, &answered = results[1].probe.id;
  ResultIndex index(results);
  Attribution causes;
  causes.entries.push_back(
      {FindingCode::firewall_udp_port_blocked, "UDP to port 443 is blocked", {lost}, {}});
  index.attribute(std::move(causes));
  const auto alone = judge_requirement(requirement, {"set", "alg", {lost}}, index, {});
  EXPECT_EQ(alone.status, Status::skip);
  EXPECT_EQ(alone.summary,
            "sip.example.com:443 (UDP) cannot be tested until this is fixed: UDP to port 443 is "
            "blocked");
  const auto both = judge_requirement(requirement, {"set", "alg", {lost, answered}}, index, {});
  EXPECT_EQ(both.status, Status::pass);
  EXPECT_EQ(both.summary,
            "tested with 1 server; no rewriting of SIP headers seen; " + alone.summary.string());
  requirement.severity = Severity::required;
  EXPECT_EQ(judge_requirement(requirement, {"set", "alg", {lost}}, index, {}).status,
            Status::unknown);
}

TEST(SipAlgRow, NamesTheRewriting) {
  auto requirement = row("alg");
  requirement.check = CheckKind::sip_alg;
  EXPECT_EQ(judge(requirement,
                  {{.host = "s", .detail = DetailCode::rewritten, .check = CheckKind::sip_alg}})
                .summary,
            "tested with 1 server; a device in the path rewrites SIP");
}

// A probe beside those of the row's own check.
RequirementResult with_companion(const Saw& companion, std::map<std::string, std::string> with) {
  std::vector<ProbeResult> results{test::result_of({"192.0.2.7"}), test::result_of(companion)};
  results[1].probe.with = std::move(with);
  results[1].probe.id = probe_id(results[1].probe);
  PlannedRequirement planned;
  planned.requirement = "row";
  for (const auto& result : results) planned.probes.push_back(result.probe.id);
  return judge_requirement(row("row"), planned, ResultIndex(results), {});
}

TEST(Companions, NeverDecideAndMayWarn) {
  const std::map<std::string, std::string> ptr{{"name", "192.0.2.7"}, {"type", "PTR"}};
  const auto reverse = [&](Outcome outcome, test::Said detail) {
    return with_companion({"", outcome, detail, "", {}, 0, "", "dns", Transport::udp}, ptr);
  };
  EXPECT_EQ(reverse(Outcome::answered, "records").status, Status::pass);
  EXPECT_EQ(reverse(Outcome::silent, "timed_out").status, Status::pass);
  const auto none = reverse(Outcome::unresolved, "no_such_name");
  EXPECT_EQ(none.status, Status::warn);
  EXPECT_EQ(none.summary, "reached; 192.0.2.7 has no name in reverse DNS");
  EXPECT_EQ(none.total, 1);
  EXPECT_EQ(reverse(Outcome::failed, "unexpected_answer").status, Status::warn);
  const auto alg = with_companion(
      {"192.0.2.7", Outcome::answered, "rewritten", "", {}, 5060, "", "sip-alg", Transport::udp},
      {{"sdp", "true"}});
  EXPECT_EQ(alg.status, Status::warn);
  EXPECT_EQ(alg.summary, "reached; a device in the path rewrites SIP");
}

TEST(ReverseNames, AreNeverTheOnlyReasonToFail) {
  auto requirement = row("row");
  requirement.reverse_dns = {{"a", "", {}, ""}};
  EXPECT_EQ(judge(requirement, {{"a", silent}}).status, Status::warn);
}

// --- What the result carries --------------------------------------------------------------------

TEST(Figures, TheDelayIsComparedWithTheVendors) {
  auto requirement = with_reach(all());
  requirement.thresholds.one_way_delay_ms = 150;
  const auto judged = [&](std::vector<Saw> saw, std::vector<Saw> elsewhere = {}) {
    return judge(requirement, saw, elsewhere);
  };
  const Saw near{"a", answered, "", "", 290}, far{"b", answered, "", "", 310};
  EXPECT_EQ(judged({far}).status, Status::warn);
  EXPECT_TRUE(judged({far}).poor);
  EXPECT_EQ(judged({far}).summary,
            "reached; about 155 ms one way (half of the shortest round trip); the vendor allows "
            "at most 150 ms");
  // Media goes to the nearest of them.
  EXPECT_EQ(judged({near, far}).status, Status::pass);
  EXPECT_FALSE(judged({near, far}).poor);
  // Any probe's round trip to the host will do, and one to a host that was not reached will not.
  const Saw media{"b", passed, "", "", std::nullopt, 30000, "", "udp-range", Transport::udp};
  EXPECT_EQ(judged({media}).status, Status::pass);
  EXPECT_EQ(judged({media}, {far}).status, Status::warn);
  const Saw lost{"b", refused, "", "", 310};
  EXPECT_FALSE(judged({lost}).poor);
  requirement.thresholds = {};
  EXPECT_EQ(judged({far}).status, Status::pass);
}

// By ITU-T's figure, which says nothing about how far away the vendor's servers are.
TEST(Figures, WhereTheVendorGivesNoDelayTheLineIsJudged) {
  auto requirement = with_reach(all());
  requirement.check = CheckKind::turn;
  const Saw near{"elsewhere", answered, "", "", 290}, far{"elsewhere", answered, "", "", 310};
  const Saw server{"a", answered, "", "", 400, 3478, "", "turn", Transport::udp};
  const auto judged = judge(requirement, {server}, {far});
  EXPECT_TRUE(judged.poor);
  EXPECT_EQ(judged.status, Status::warn);
  EXPECT_EQ(judged.summary,
            "reached; about 155 ms one way at least (half of the shortest round trip to any server "
            "outside); ITU-T G.114 allows at most 150 ms");
  EXPECT_FALSE(judge(requirement, {server}, {near}).poor);
  requirement.check = CheckKind::tls;
  EXPECT_FALSE(judge(requirement, {server}, {far}).poor) << "it carries no media";
}

// A satellite modem answers TCP in the server's place; UDP goes all the way.
TEST(Figures, MediasDelayIsThatOfUdpWhereItWasTimed) {
  auto requirement = with_reach(all());
  requirement.thresholds.one_way_delay_ms = 150;
  const Saw near{"a", answered, "", "", 8};
  const Saw all_the_way{"a", answered, "", "", 620, 3478, "", "stun", Transport::udp};
  EXPECT_TRUE(judge(requirement, {near, all_the_way}).poor);
  EXPECT_TRUE(judge(requirement, {near}, {all_the_way}).poor);
  EXPECT_FALSE(judge(requirement, {near}).poor);
}

// What is not known is not called lost, and neither is what nothing was sent to.
TEST(Requirement, SaysNoMoreThanWasSeen) {
  const Saw no_route{"a", skipped, "no_route"};
  EXPECT_EQ(judge(with_reach(all()), {no_route}).summary,
            "a:443 (TLS): not tried: this computer has no route to it");
  const Saw instead{"a", Outcome::connected, "answered_on_the_way"};
  EXPECT_EQ(judge(with_reach(all()), {instead}).summary,
            "not known: a:443 (TLS): a device in the path answered in its place");
  EXPECT_EQ(judge(with_reach(all()), {instead}).reached, 0);
  const Saw other{"b", Outcome::connected, "answered_on_the_way"};
  EXPECT_TRUE(judge(with_reach(all()), {instead, other}).summary.starts_with("0 of 2 known: a:443"))
      << judge(with_reach(all()), {instead, other}).summary;
  EXPECT_TRUE(judge(with_reach(all()), {instead, {"b", answered}})
                  .summary.starts_with("1 of 2 reached, 1 not known: a:443"));
  // Of two that did not answer, which is which.
  const auto mixed = judge(with_reach(all()), {{"b", refused}, instead}).summary.string();
  EXPECT_TRUE(mixed.starts_with("0 of 2 reached, 1 not known: b:443 (TLS): ")) << mixed;
  EXPECT_TRUE(
      mixed.ends_with("; a:443 (TLS), not known: a device in the path answered in its place"))
      << mixed;
  // The reason to doubt it is the same device.
  const std::vector<ProbeResult> taken{test::result_of(instead)};
  const PlannedRequirement planned{"set", "row", {taken.front().probe.id}};
  ResultIndex index(taken);
  Attribution doubts;
  doubts.doubted = {{taken.front().probe.id, "a device in the path may take connections itself"}};
  index.attribute(std::move(doubts));
  EXPECT_EQ(judge_requirement(with_reach(all()), planned, index, {}).summary,
            "not known: a:443 (TLS): a device in the path answered in its place");
}

TEST(Requirement, SkippedRowsSayWhy) {
  PlannedRequirement planned;
  planned.requirement = "row";
  planned.skipped = "needs your own value: --var pbx=...";
  const auto judged = judge_requirement(row("row"), planned, ResultIndex({}), {});
  EXPECT_EQ(judged.status, Status::skip);
  EXPECT_EQ(judged.summary, planned.skipped);
}

TEST(Requirement, NotesAndSamplesAreKept) {
  std::vector<ProbeResult> results{test::result_of({"a"})};
  PlannedRequirement planned;
  planned.requirement = "row";
  planned.probes = {results[0].probe.id};
  planned.sampled.hosts = "1 of 158 hosts";
  planned.note = "measured from this computer";
  const auto judged = judge_requirement(row("row"), planned, ResultIndex(results), {});
  EXPECT_EQ(judged.sampled, "1 of 158 hosts");
  EXPECT_EQ(judged.summary, "reached; measured from this computer");
  EXPECT_EQ(judged.probes, planned.probes);
}

// Routers answer few packets: a sample may be planned and not be tried.
TEST(Requirement, CountsThePortsThatWereTried) {
  auto range = test::result_of({"20.1.2.3"});
  range.probe.target.sample = {15'000, 25'000, 65'000};
  for (const std::int64_t port : {15'000, 17'000, 65'000}) {
    range.observation.evidence.push_back({EvidenceKind::udp_port, "", {{Fact::port, port}}});
  }
  const std::vector<ProbeResult> results{range};
  PlannedRequirement planned;
  planned.probes = {range.probe.id};
  planned.sampled = {"2 of 6 hosts", 3, 50'001};
  const auto sampled = [&] {
    return judge_requirement(row("row"), planned, ResultIndex(results), {}).sampled;
  };
  EXPECT_EQ(sampled(), "2 of 6 hosts, 2 of 50001 ports");
  planned.probes = {"another"};
  EXPECT_EQ(sampled(), "2 of 6 hosts, 3 of 50001 ports");
}

// The server chooses its relays' ports: none of them was planned.
TEST(Requirement, CountsTheRelaysThatWereTried) {
  auto range = test::result_of({"20.1.2.3"});
  range.probe.target.sample = {15'000, 25'000, 65'000};
  const auto tell = [&](std::int64_t port, const char* responder) {
    FactMap facts{{Fact::port, port}};
    if (*responder != '\0') facts[Fact::responder] = std::string(responder);
    range.observation.evidence.push_back({EvidenceKind::udp_port, "", std::move(facts)});
  };
  PlannedRequirement planned;
  planned.probes = {range.probe.id};
  planned.sampled = {"", 3, 50'001};
  const auto sampled = [&] {
    const std::vector<ProbeResult> results{range};
    return judge_requirement(row("row"), planned, ResultIndex(results), {}).sampled;
  };
  for (const std::int64_t port : {16'001, 17'002, 18'003, 19'004, 19'004}) tell(port, "relay");
  EXPECT_EQ(sampled(), "4 of 50001 ports");
  tell(15'000, "");
  tell(20'000, "");  // the bound of what is blocked
  EXPECT_EQ(sampled(), "5 of 50001 ports");
}

TEST(Requirement, CountsNoPortThatNothingWasSentTo) {
  auto range = test::result_of({"20.1.2.3"});
  range.probe.target.sample = {15'000, 25'000};
  const auto judged = [&] {
    const std::vector<ProbeResult> results{range};
    PlannedRequirement planned;
    planned.probes = {range.probe.id};
    planned.sampled = {"", 2, 50'001};
    return judge_requirement(row("row"), planned, ResultIndex(results), {}).sampled;
  };
  auto& told = range.observation.evidence;
  told.push_back({EvidenceKind::udp_port, "", {{Fact::port, 15'000}, {Fact::sent, 0}}});
  EXPECT_EQ(judged(), "0 of 50001 ports");
  told.push_back({EvidenceKind::udp_port, "", {{Fact::port, 25'000}}});
  EXPECT_EQ(judged(), "1 of 50001 ports");
}

// Packets to media hosts leave the site; that they arrive was not measured.
TEST(Requirement, ThatLeavesTheSiteIsNotSaidToBeReached) {
  const auto media = [](const char* host, Outcome outcome) {
    return Saw{host, outcome, "", "", std::nullopt, 30000, "", "udp-range", Transport::udp};
  };
  EXPECT_EQ(judge(row("row"), {media("a", passed)}).summary,
            "packets leave the site; this server does not reply to test packets");
  EXPECT_EQ(judge(row("row"), {media("a", passed), media("b", passed)}).summary,
            "packets leave the site to 2 of 2 hosts; these servers do not reply to test packets");
  EXPECT_EQ(judge(row("row"), {media("a", passed), media("b", answered)}).summary,
            "2 of 2 reached (1 only seen to leave the site)");
  EXPECT_EQ(judge(row("row"), {media("a", answered)}).summary, "reached");
}

TEST(Requirement, WithoutAnyProbeIsNotMeasured) {
  const auto judged = judge(row("row"), {});
  EXPECT_EQ(judged.status, Status::unknown);
  EXPECT_EQ(judged.summary, "not measured");
}

TEST(Requirement, LongListsOfFailuresAreCut) {
  std::vector<Saw> saw;
  for (const auto* host : {"a", "b", "c", "d", "e"}) saw.push_back({host, silent});
  EXPECT_EQ(judge(row("row"), saw).summary,
            "0 of 5 reached: a:443 (TLS): no answer; b:443 (TLS): no answer; c:443 (TLS): no "
            "answer; ...");
}

}  // namespace
}  // namespace callready
