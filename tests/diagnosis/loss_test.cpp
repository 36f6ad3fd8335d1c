// Requests that are answered only when they are sent again, and some never: the line, or a limit on
// new flows?
#include <fmt/format.h>

#include <algorithm>

#include "probe/diagnosis/compare/merge.hpp"
#include "probe/diagnosis/reach/reading.hpp"
#include "probe/diagnosis/ways/claims.hpp"
#include "probe/net/timeouts.hpp"
#include "tests/diagnosis/scene.hpp"

namespace callready {
namespace {

using namespace test;
using Codes = std::vector<std::string>;

ProbeResult counted(const std::string& flows, int of, int count) {
  auto result = with(stun("stun.cloudflare.com"),
                     {EvidenceKind::udp_sample,
                      "so many were answered",
                      {{Fact::sent, std::int64_t{of}}, {Fact::answered, std::int64_t{count}}}});
  result.probe.with["flows"] = flows;
  result.probe.purpose = Purpose::repeat;
  result.observation.outcome = count > 0 ? answered : silent;
  result.observation.attempts = of;
  return result;
}

ProbeResult fast(ProbeResult result) {
  result.observation.round_trip = Milliseconds(20);
  return result;
}

// One answer came late, and one not at all.
Report losing(std::vector<ProbeResult> more) {
  auto late = stun("stun.l.google.com", 19302);
  late.observation.attempts = 3;
  return report({row("turn", {fast(turn("turn1.vendor.com")), turn("turn2.vendor.com", silent)}),
                 controls({tls("www.google.com"), tls("www.cloudflare.com"),
                           fast(stun("stun.cloudflare.com")), late}),
                 follow_up(std::move(more))});
}

TEST(Loss, IsOneOfTwoWhereNobodyCounted) {
  EXPECT_EQ(codes(losing({})), Codes{"network.loss (possible)"});
}

// A saved report may hold any number, and we count up to each.
TEST(Loss, CountsNoMoreThanARunSends) {
  const auto made = losing({counted("one", 5'000'000, 1), counted("new", 5'000'000, 3)});
  EXPECT_EQ(findings::Facts(made).on_new_flows.sent, 0);
}

TEST(Loss, CallsNoServersOfTheVendorPublic) {
  EXPECT_FALSE(has_evidence(only(losing({})), "public server"));
}

TEST(Loss, IsTheLinesWhereAFlowThatStandsLosesAsMuch) {
  EXPECT_EQ(codes(losing({counted("one", 20, 17), counted("new", 20, 16)})),
            Codes{"network.loss (likely)"});
  // One of twenty may be a router that was busy once.
  const auto once = losing({counted("one", 20, 19), counted("new", 20, 19)});
  EXPECT_EQ(codes(once), Codes{"network.loss (possible)"});
  EXPECT_TRUE(holds(only(once).title, "or a device limits")) << only(once).title;
  const auto all_new = losing({counted("one", 20, 19), counted("new", 20, 20)});
  EXPECT_EQ(only(all_new).title, "Packets are lost in transit");
}

// Each request of a row was answered in the end. What was counted would hurt a call all the same.
TEST(Loss, ThatWasCountedMattersWhereEverythingWasAnswered) {
  auto late = stun("stun.l.google.com", 19302);
  late.observation.attempts = 3;
  const auto made = [&](int on_one, int on_new) {
    return codes(report({row("turn", {fast(turn("turn1.vendor.com"))}),
                         controls({tls("www.google.com"), fast(stun("stun.cloudflare.com")), late}),
                         follow_up({counted("one", 20, on_one), counted("new", 20, on_new)})}));
  };
  EXPECT_EQ(made(20, 20), Codes{});
  EXPECT_EQ(made(19, 18), Codes{}) << "perhaps no more than a call stands";
  EXPECT_EQ(made(17, 13), Codes{"network.loss (likely)"});
  EXPECT_EQ(made(20, 4), Codes{"firewall.new_flows_limited (likely)"});
}

// One of two adapters loses packets: the site is no better than that for having the other.
TEST(Loss, OfOnePlaceStaysInAMergedReport) {
  auto bad = losing({counted("one", 20, 17), counted("new", 20, 13)});
  const auto good = report({row("turn", {fast(turn("turn1.vendor.com")), turn("turn2.vendor.com")}),
                            controls({tls("www.google.com"), fast(stun("stun.cloudflare.com"))})});
  std::erase_if(bad.probes, [](const ProbeResult& result) {
    return result.observation.outcome == silent;  // no row is hurt
  });
  for (auto& set : bad.sets) set = good.sets.front();
  ASSERT_EQ(codes(bad), Codes{"network.loss (likely)"});
  const auto merged = merge({{"eth0", good}, {"wl0", bad}}, "");
  ASSERT_TRUE(merged.errors.empty()) << merged.errors.front();
  EXPECT_EQ(merged.report.sets.front().verdict, Verdict::degraded);
}

// A narrow line, where our own first packets wait in its queue: all that was counted came back, and
// only a media port, which owes nobody an answer, is silent.
TEST(Loss, IsNoneWhereEveryCountedRequestIsAnswered) {
  auto late = stun("stun.l.google.com", 19302);
  late.observation.attempts = 3;
  const auto made = [&](std::vector<ProbeResult> more) {
    return report({row("turn", {fast(turn("turn1.vendor.com"))}),
                   row("media", {range("20.1.2.3", {{50'000, "silent"}})}),
                   controls({fast(stun("stun.cloudflare.com")), late}), follow_up(more)});
  };
  EXPECT_EQ(codes(made({counted("one", 20, 20), counted("new", 20, 20)})), Codes{});
  EXPECT_EQ(codes(made({counted("one", 20, 19), counted("new", 20, 19)})),
            Codes{"network.loss (possible)"});
}

TEST(Loss, IsALimitWhereNewFlowsFareWorseThanChance) {
  const auto made = losing({counted("one", 20, 20), counted("new", 20, 5)});
  EXPECT_EQ(codes(made), Codes{"firewall.new_flows_limited (likely)"});
  // Nine fewer of twenty: 0.06 % (Fisher). Eight fewer: 0.16 %.
  EXPECT_EQ(codes(losing({counted("one", 20, 20), counted("new", 20, 11)})),
            Codes{"firewall.new_flows_limited (likely)"});
  EXPECT_EQ(codes(losing({counted("one", 20, 20), counted("new", 20, 12)})),
            Codes{"network.loss (possible)"});
}

// A device that forwards nothing of a flow before it knows the flow.
TEST(Loss, OfEachFlowsFirstPacketIsARule) {
  const auto made = [](int attempts) {
    std::vector<ProbeResult> late{turn("turn1.vendor.com"), turn("turn2.vendor.com")};
    std::vector<ProbeResult> others{stun("stun.l.google.com", 19302), ntp("pool.ntp.org")};
    for (auto& one : late) one.observation.attempts = 2;
    others[0].observation.attempts = 2;
    others[1].observation.attempts = attempts;
    return report({row("turn", late), controls(others),
                   follow_up({counted("one", 19, 19), counted("new", 20, 0)})});
  };
  EXPECT_EQ(codes(made(2)), Codes{"network.loss (likely)"});
  EXPECT_EQ(only(made(2)).title, "The first packet of each new UDP flow is lost");
  for (const auto& finding : diagnose(made(1))) EXPECT_FALSE(holds(finding.title, "first packet"));
}

// What has nothing to do with new flows: a limit on STUN. One server's own is none.
TEST(Loss, OfMostRequestsToTwoOwnersIsALimitOnStun) {
  const auto made = [&](int elsewhere) {
    auto other = counted("one", 20, elsewhere);
    other.probe.target.host = "stun.l.google.com";
    auto late = fast(stun("stun.l.google.com", 19302));
    late.observation.attempts = 2;
    return report({row("turn", {fast(turn("turn1.vendor.com"))}),
                   controls({tls("www.google.com"), tls("www.cloudflare.com"),
                             fast(stun("stun.cloudflare.com")), late}),
                   follow_up({counted("one", 20, 4), counted("new", 20, 0), std::move(other)})});
  };
  EXPECT_EQ(codes(made(20)), Codes{});
  const auto found = only(made(5));
  EXPECT_EQ(found.code, FindingCode::firewall_new_flows_limited);
  EXPECT_TRUE(holds(found.title, "STUN")) << found.title;
  EXPECT_TRUE(has_evidence(found, "Of 20 requests to stun.l.google.com, 5 were answered."));
}

// A limit lets most of it through when it is sent again later, or, if it limits open flows, next to
// nothing at all; what else is lost again has another cause.
TEST(Loss, IsNoLimitWhereWhatIsSentAgainIsLostAgain) {
  EXPECT_EQ(reach::resent_every, timeouts::flow_again);
  for (const auto& [first, answers] : {std::pair{9, 0}, {9, 2}, {9, 4}, {1, 0}}) {
    auto news = counted("new", 20, first);
    auto& facts = news.observation.evidence.front().facts;
    facts[Fact::again] = std::int64_t{4};
    facts[Fact::again_answered] = std::int64_t{answers};
    facts[Fact::again_after_ms] = std::int64_t{1900};
    const auto made = losing({counted("one", 20, 20), std::move(news)});
    const auto found = codes(made);
    EXPECT_EQ(std::ranges::count(found, "firewall.new_flows_limited (likely)"),
              answers >= 2 || first == 1);
    const auto says = fmt::format("from the same ports; answered: {}.", answers);
    EXPECT_TRUE(has_evidence(diagnose(made).front(), says));
  }
}

// Of two lines one is dead: no row of ours was hurt, by luck.
TEST(Loss, OfWholeFlowsIsADeadPathEvenWhereNoRowIsHurt) {
  const auto made = [](int on_one, int answers) {
    auto news = counted("new", 20, 8);
    auto& facts = news.observation.evidence.front().facts;
    facts[Fact::again] = std::int64_t{4};
    facts[Fact::again_answered] = std::int64_t{answers};
    facts[Fact::again_after_ms] = std::int64_t{1900};
    auto lost = stun("stun.l.google.com", 19302, silent);
    lost.observation.attempts = 4;
    auto one = counted("one", on_one, on_one);
    one.observation.attempts = 20;
    return codes(report({row("turn", {fast(turn("turn1.vendor.com"))}),
                         controls({tls("www.google.com"), fast(stun("stun.cloudflare.com")), lost}),
                         follow_up({one, news, stun("stun.l.google.com", 3478)})}));
  };
  EXPECT_EQ(made(20, 0), Codes{"network.dead_path (likely)"});
  EXPECT_EQ(made(0, 0), Codes{"network.dead_path (likely)"});
  EXPECT_EQ(made(20, 4), Codes{"firewall.new_flows_limited (likely)"});
}

// What a device refuses of one host is lost to the other, too, limit or no limit; a silence that
// nobody speaks of may be the limit's.
TEST(Loss, BesideALimitARefusedRangeIsClosedForSilentHostsToo) {
  const auto made = [](const std::string& first) {
    Scene run;
    run.add("turn", {fast(turn("turn1.vendor.com"))});
    run.add("media", {range("media1.vendor.com", all_ports(first, "10.20.0.1"))});
    run.add("others", {range("media2.vendor.com", all_ports("dropped"))});
    run.add_controls(anchors());
    run.add_controls({counted("one", 20, 20), counted("new", 20, 5)});
    const auto status = row_of(run.judge(), "others").status;
    EXPECT_EQ(run.found().front(), "firewall.new_flows_limited");
    return status;
  };
  EXPECT_EQ(made("prohibited"), Status::fail);
  EXPECT_EQ(made("dropped"), Status::unknown);
}

// A limit that was counted over UDP does not choose one port of TCP.
TEST(Loss, BesideALimitATcpPortThatIsLostEverywhereIsClosed) {
  const auto found = [](bool another_port_too) {
    Scene run;
    run.add("turn", {fast(turn("turn1.vendor.com"))});
    run.add("sip", {tcp("192.0.2.7", 5060, silent), tcp("198.51.100.7", 5060, silent),
                    tcp("203.0.113.7", 5060, silent)});
    run.add("web", {tls("www.vendor.com"), tcp("192.0.2.7", 8443, answered),
                    tcp("198.51.100.7", 8444, another_port_too ? silent : answered)});
    run.add_controls(anchors());
    run.add_controls({counted("one", 20, 20), counted("new", 20, 5)});
    run.judge();
    std::string sure;
    for (const auto& finding : run.report.findings) {
      if (finding.code == FindingCode::firewall_tcp_port_blocked && holds(finding.title, "5060"))
        sure = to_string(finding.confidence);
    }
    return sure;
  };
  EXPECT_EQ(found(false), "likely");
  EXPECT_EQ(found(true), "");
}

// STUN that is lost on another port may be so by a filter, which would stop it on this one, too.
TEST(Loss, BesideAFilterARefusedPortIsClosed) {
  Scene run;
  const auto refused = [](const std::string& host) {
    return rejected_by(turn(host, rejected, "prohibited"), "10.20.0.1");
  };
  run.add("turn", {refused("turn1.vendor.com"), refused("turn2.vendor.com"),
                   turn("turn3.vendor.com", silent)});
  run.add("web", {tls("www.vendor.com")});
  run.add_controls(
      {tls("www.google.com"), fast(ntp("time.cloudflare.com")),
       rejected_by(stun("stun.cloudflare.com", 3478, rejected), "10.20.0.1"),
       rejected_by(udp_hop("time.cloudflare.com", 3478, "prohibited", "rtp"), "10.20.0.1"),
       udp_hop("time.cloudflare.com", 123, "left_site", "rtp"),
       stun("stun.l.google.com", 19302, silent)});
  run.judge();
  const auto found = run.found();
  EXPECT_EQ(found.front(), "firewall.udp_port_blocked")
      << fmt::format("{}", fmt::join(found, ", "));
}

// One port got out, and nothing shows that the others do: behind a limit that is no pass, since it
// hides what else is dropped there.
TEST(Loss, BesideALimitSilentPortsOfARangeAreNotKnownToWork) {
  const auto made = [](int new_flows, const std::string& last) {
    Scene run;
    run.add("turn", {fast(turn("turn1.vendor.com")), turn("turn2.vendor.com", silent)});
    run.add(
        "media",
        {range("20.1.2.3", {{10'000, "left_site", "84.199.10.1"}, {20'000, last, "84.199.10.1"}})});
    run.add_controls(anchors());
    run.add_controls({counted("one", 20, 20), counted("new", 20, new_flows)});
    return row_of(run.judge(), "media").status;
  };
  EXPECT_EQ(made(5, "silent"), Status::unknown);
  EXPECT_EQ(made(5, "left_site"), Status::pass);
  EXPECT_EQ(made(20, "silent"), Status::pass);
}

// Every request came through in the end, so the limit is known by what it hides.
TEST(Loss, ByALimitIsNamedWhereItOnlyHidesMedia) {
  Scene run;
  run.add("turn", {fast(turn("turn1.vendor.com")), turn("turn2.vendor.com", silent)});
  run.add("media", {range("20.1.2.3", {{10'000, "left_site", "84.199.10.1"},
                                       {20'000, "silent", "84.199.10.1"}})});
  run.add_controls(anchors());
  run.add_controls({counted("one", 20, 20), counted("new", 20, 5), turn("turn2.vendor.com")});
  run.report.probes.back().probe.purpose = Purpose::repeat;
  run.report.probes.back().probe.id += "?again";
  EXPECT_EQ(row_of(run.judge(), "media").status, Status::unknown);
  ASSERT_EQ(run.found(), std::vector<std::string>{"firewall.new_flows_limited"});
  EXPECT_EQ(run.report.findings.front().explains, std::vector<std::string>{"vendor/media"});
}

// One packet may be lost by chance on a line that loses some; all that one rule drops are not.
TEST(Loss, OnABadLineWhatOneRuleClosesOfARangeIsOneFinding) {
  const reach::Box rule, other;
  findings::Claim three, one;
  three.code = one.code = FindingCode::firewall_udp_range_blocked;
  three.box = one.box = &rule;
  three.sure = one.sure = 0.999;
  three.confidence = Confidence::likely;
  one.confidence = Confidence::possible;
  EXPECT_TRUE(three.goes_with(one));
  one.sure = 0.9;
  EXPECT_FALSE(three.goes_with(one)) << "it makes the others no weaker";
  one.sure = 0.999;
  one.box = &other;
  EXPECT_FALSE(three.goes_with(one));
}

// A request and its control died, three packets each: that is chance on a line that loses a third
// of them, and not on one that loses one of forty.
TEST(Loss, ExplainsNoSilenceThatIsTooLongForIt) {
  const auto made = [](int answered_on_one, int answered_on_new) {
    auto died = udp_hop("turn2.vendor.com", 3478, "dropped", "turn");
    died.observation.attempts = 3;
    auto seen =
        losing({died, counted("one", 20, answered_on_one), counted("new", 20, answered_on_new)});
    for (auto& result : seen.probes) {
      if (result.probe.target.host == "turn2.vendor.com") result.observation.attempts = 3;
    }
    return codes(seen);
  };
  EXPECT_EQ(made(20, 19), Codes{"firewall.flow_blocked (likely)"});
  // The loss itself is counted, and is more than any call stands.
  EXPECT_EQ(made(13, 13), (Codes{"firewall.flow_blocked (possible)", "network.loss (likely)"}));
}

// A line that loses most of one flow loses most of all others, too.
TEST(Loss, IsNotTheLinesWhereTheComputerIsShutOutWhileItCounts) {
  EXPECT_EQ(codes(losing({counted("one", 20, 1), counted("new", 20, 1)})),
            Codes{"network.loss (possible)"});
}

TEST(Loss, IsNotKnownWhereTheCountFailed) {
  EXPECT_EQ(codes(losing({counted("one", 0, 0), counted("new", 20, 0)})),
            Codes{"network.loss (possible)"});
}

// A packet that dies and one that does not are a contrast only if none die for being too many.
TEST(Loss, ByALimitOfNewFlowsMakesNoFilter) {
  auto late = stun("stun.l.google.com", 19302);
  late.observation.attempts = 3;
  auto lost = turn("turn2.vendor.com", silent);
  lost.probe.target.ports = {53, 53};
  const auto made = report({row("turn", {fast(turn("turn1.vendor.com", silent)), lost}),
                            controls({tls("www.google.com"), tls("www.cloudflare.com"),
                                      fast(stun("stun.cloudflare.com")), late}),
                            follow_up({counted("one", 20, 20), counted("new", 20, 5),
                                       udp_hop("turn2.vendor.com", 53, "dropped", "turn"),
                                       udp_hop("turn2.vendor.com", 53, "left_site", "rtp")})});
  EXPECT_EQ(codes(made), Codes{"firewall.new_flows_limited (likely)"});
}

// Each size of datagram is a new flow, too.
TEST(Loss, ByALimitOfNewFlowsIsNoBlackHole) {
  const auto hole =
      probe(CheckKind::path, Transport::udp, "stun.cloudflare.com", 3478, failed, "black_hole");
  EXPECT_EQ(codes(losing({counted("one", 20, 20), counted("new", 20, 5), hole})),
            Codes{"firewall.new_flows_limited (likely)"});
  EXPECT_EQ(codes(losing({counted("one", 20, 17), counted("new", 20, 16), hole})).back(),
            "network.mtu (possible)");
}

TEST(Loss, IsNoBlackHoleWhereLargePacketsPassElsewhere) {
  const auto hole =
      probe(CheckKind::path, Transport::udp, "stun.cloudflare.com", 3478, failed, "black_hole");
  const auto whole =
      probe(CheckKind::path, Transport::udp, "stun.l.google.com", 19302, answered, "full_size");
  EXPECT_EQ(codes(losing({counted("one", 20, 17), counted("new", 20, 16), hole, whole})),
            Codes{"network.loss (likely)"});
}

TEST(Loss, IsNoBlackHoleWhereSmallOnesGetLostToo) {
  const auto hole =
      probe(CheckKind::path, Transport::udp, "stun.cloudflare.com", 3478, failed, "black_hole");
  EXPECT_EQ(
      codes(losing({hole, tls("www.other.net"), tls("www.third.org"), tls("www.vendor.com")})),
      Codes{"network.loss (possible)"});
}

// TCP sends again what is lost: a few lost packets leave no connection without an answer.
TEST(Loss, OfAFewPacketsLeavesNoConnectionSilent) {
  auto mute = tls("www.vendor.com", failed, "tls_timed_out");
  mute.observation.timing_ms[Timing::connect] = 20;
  const auto made = [&](int of_one) {
    auto late = stun("stun.l.google.com", 19302);
    late.observation.attempts = 3;
    return report({row("web", {mute}),
                   controls({tls("www.google.com"), fast(stun("stun.cloudflare.com")), late}),
                   follow_up({counted("one", 20, of_one), counted("new", 20, 20)})});
  };
  EXPECT_FALSE(contains(codes(made(19)), "network.loss (possible)"));
  EXPECT_EQ(codes(made(15)), Codes{"network.loss (likely)"});
}

TEST(Loss, DecidesNoRow) {
  const auto made = losing({counted("one", 20, 20), counted("new", 20, 5)});
  const auto found = diagnose(made).front();
  EXPECT_EQ(found.explains, std::vector<std::string>{"vendor/turn"});
  EXPECT_TRUE(has_evidence(found, "from one port, 20 were answered"));
}

}  // namespace
}  // namespace callready
