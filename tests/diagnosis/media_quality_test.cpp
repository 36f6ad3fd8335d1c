// Streams against the vendor's figures, and the causes that are named of them.
#include "probe/diagnosis/status/media_quality.hpp"

#include <limits>

#include "probe/diagnosis/findings.hpp"
#include "tests/diagnosis/build.hpp"
#include "tests/diagnosis/diagnosis.hpp"

namespace callready {
namespace {

MediaDirection direction(int lost, double low, double delay = 30, double jitter = 1) {
  MediaDirection one;
  one.sent = 750;
  one.lost = lost;
  one.received = 750 - lost;
  one.loss = {100.0 * lost / 750, low, 100.0 * lost / 750 + 1};
  one.delay_ms = delay;
  one.jitter_ms = jitter;
  one.dscp_sent = one.dscp_arrived = 46;
  return one;
}

MediaStream stream(MediaDirection up, MediaDirection down) {
  MediaStream all;
  all.codec = "g711";
  all.round_trip_ms = 60;
  all.up = std::move(up);
  all.down = std::move(down);
  return all;
}

Thresholds wanted() {
  Thresholds figures;
  figures.one_way_delay_ms = 150;
  figures.jitter_ms = 30;
  figures.loss_percent = 1;
  return figures;
}

TEST(MediaQuality, WithinTheFiguresMissesNone) {
  EXPECT_TRUE(missed_figures(stream(direction(0, 0), direction(0, 0)), wanted()).empty());
}

TEST(MediaQuality, WhereTheVendorGivesNoneTheUsualFiguresHold) {
  const auto missed = missed_figures(stream(direction(90, 10), direction(0, 0, 180)), {});
  ASSERT_EQ(missed.size(), 2u);
  EXPECT_TRUE(missed[0].usual);
  EXPECT_EQ(missed_in_words(missed[0]),
            "12 % lost on the way out (at least 10 %), but good calls have at most 1 %");
  EXPECT_EQ(missed_in_words(missed[1]),
            "about 180 ms on the way back (estimated as half of the round trip), but ITU-T G.114 "
            "allows at most 150 ms");
  EXPECT_FALSE(missed_figures(stream(direction(90, 10), direction(0, 0)), wanted())[0].usual);
}

TEST(MediaQuality, AllOfTheVendorsFiguresAreJudged) {
  Thresholds teams = wanted();
  teams.loss_percent = 5;
  teams.burst_loss_percent = 10;
  teams.reordering_percent = 0.05;
  auto bursty = direction(6, 0.3);
  bursty.worst_burst_percent = 60;
  bursty.bad_stretches = 1;
  bursty.out_of_order = Share{1.7, 1.0, 2.8};
  const auto missed = missed_figures(stream(bursty, direction(0, 0)), teams);
  ASSERT_EQ(missed.size(), 2u);
  EXPECT_EQ(missed[0].figure, QualityFigure::burst_loss);
  EXPECT_EQ(missed[1].figure, QualityFigure::reordering);
  EXPECT_TRUE(is_sure(missed[0]) && is_sure(missed[1]));
  bursty.worst_burst_percent = 20;
  bursty.out_of_order = Share{0.13, 0.007, 0.6};
  const auto luck = missed_figures(stream(bursty, direction(0, 0)), teams);
  ASSERT_EQ(luck.size(), 2u);
  EXPECT_FALSE(is_sure(luck[0]) || is_sure(luck[1])) << "two of ten, once, and one out of order";
}

// READY never stands beside a MOS of 1.1.
TEST(MediaQuality, AScoreBelowAGoodCallsIsMissed) {
  auto poor = stream(direction(0, 0), direction(0, 0));
  poor.up->score = CallScore{20, 1.1, 1.0, 1.3};
  poor.down->score = CallScore{80, 4.0, 3.4, 4.2};
  const auto missed = missed_figures(poor, wanted());
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_EQ(missed[0].figure, QualityFigure::mos);
  EXPECT_EQ(missed[0].way, MediaWay::up);
  EXPECT_TRUE(is_sure(missed[0]));
  EXPECT_EQ(missed_in_words(missed[0]),
            "a MOS of 1.1 on the way out; a good call has 3.6 or more (ITU-T G.107)");
  poor.fit = false;
  EXPECT_TRUE(missed_figures(poor, wanted()).empty());
}

TEST(MediaQuality, ASilenceIsSaid) {
  auto silent = stream(direction(0, 0), direction(0, 0));
  EXPECT_TRUE(outage_in_words(silent).empty());
  silent.outage = MediaOutage{12'000, 3'000, std::nullopt, true, std::nullopt, std::nullopt};
  EXPECT_EQ(outage_in_words(silent), "silent from 12.0 s to the end (3.0 s)");
  silent.outage = MediaOutage{7'000, 3'000, MediaWay::up, false, std::nullopt, std::nullopt};
  EXPECT_EQ(outage_in_words(silent), "3.0 s of silence after 7.0 s, on the way out");
}

TEST(MediaQuality, LossIsSurelyMissedOnlyWhereItsBoundIs) {
  const auto maybe = missed_figures(stream(direction(9, 0.7), direction(0, 0)), wanted());
  ASSERT_EQ(maybe.size(), 1u);
  EXPECT_FALSE(is_sure(maybe[0])) << "1.2 % of 750 may be a bad moment of a line with 0.7 %";
  EXPECT_NE(missed_in_words(maybe[0]).find("--thorough"), std::string::npos);
  const auto missed = missed_figures(stream(direction(0, 0), direction(15, 1.2)), wanted());
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_TRUE(is_sure(missed[0]));
  EXPECT_EQ(missed[0].figure, QualityFigure::loss);
  EXPECT_EQ(missed[0].way, MediaWay::down);
  EXPECT_EQ(missed_in_words(missed[0]),
            "2 % lost on the way back (at least 1.2 %), but the vendor allows at most 1 %");
}

TEST(MediaQuality, JudgesDelayAndJitterEachWay) {
  const auto missed =
      missed_figures(stream(direction(0, 0, 180), direction(0, 0, 30, 44)), wanted());
  ASSERT_EQ(missed.size(), 2u);
  EXPECT_EQ(missed[0].figure, QualityFigure::one_way_delay);
  EXPECT_EQ(missed[0].way, MediaWay::up);
  EXPECT_EQ(missed[1].figure, QualityFigure::jitter);
  EXPECT_EQ(missed_in_words(missed[1]),
            "jitter of 44 ms on the way back, but the vendor allows at most 30 ms");
}

// Its losses are the network's; what it measured of time is its own.
TEST(MediaQuality, ABusyComputerJudgesNoTimes) {
  auto busy = stream(direction(40, 4, 500, 500), direction(0, 0, 500, 500));
  busy.fit = false;
  const auto missed = missed_figures(busy, wanted());
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_EQ(missed[0].figure, QualityFigure::loss);
  EXPECT_NE(stream_in_words(busy).find("too busy"), std::string::npos);
  EXPECT_EQ(stream_in_words(busy).find("MOS"), std::string::npos);
}

TEST(MediaQuality, WithoutDirectionsTwiceTheLossIsOneOfThem) {
  MediaStream blind;
  blind.round_trip_loss = {1.9, 1.4, 2.6};
  EXPECT_TRUE(missed_figures(blind, wanted()).empty());
  blind.round_trip_loss = {2.4, 2.1, 3};
  ASSERT_EQ(missed_figures(blind, wanted()).size(), 1u);
  EXPECT_EQ(missed_figures(blind, wanted())[0].way, MediaWay::both);
}

// The jitters of both ways add up at most.
TEST(MediaQuality, ByRelaysTwiceTheJitterIsTooMuchOnOneWay) {
  auto relays = stream(direction(0, 0, 30, 0), direction(0, 0, 30, 0));
  relays.up->jitter_ms.reset();
  relays.down->jitter_ms.reset();
  relays.by_relays = true;
  relays.loop = direction(0, 0, 0, 59);
  EXPECT_TRUE(missed_figures(relays, wanted()).empty());
  relays.loop->jitter_ms = 62;
  const auto missed = missed_figures(relays, wanted());
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_EQ(missed[0].way, MediaWay::both);
  EXPECT_EQ(
      missed_in_words(missed[0]),
      "round-trip jitter of 62 ms, more than twice the maximum of 30 ms that the vendor allows");
  EXPECT_NE(stream_in_words(relays).find("through two relays"), std::string::npos);
}

FirstHop first_hop(int sent, int answered, Share loss, double jitter = 0.5, bool echo = true) {
  FirstHop hop;
  hop.router = IpAddress::v4({192, 168, 7, 1});
  hop.echo = echo;
  hop.sent = sent;
  hop.answered = answered;
  hop.loss = loss;
  hop.median_ms = 2;
  hop.jitter_ms = jitter;
  return hop;
}

TEST(MediaQuality, TheFirstRouterTellsTheLanFromTheLine) {
  auto lossy = stream(direction(60, 6.5), direction(0, 0));
  const auto place = [&] { return place_of(lossy, missed_figures(lossy, wanted()).front()); };
  EXPECT_EQ(place(), Place::unknown) << "nobody was asked";
  lossy.first_hop = first_hop(150, 150, {0, 0, 2});
  EXPECT_EQ(place(), Place::beyond);
  lossy.first_hop = first_hop(150, 138, {8, 4.7, 12.6});
  EXPECT_EQ(place(), Place::first_hop);
  lossy.first_hop = first_hop(150, 40, {73, 66, 79});
  EXPECT_EQ(place(), Place::unknown) << "a router that does not answer everybody";
  lossy.first_hop = first_hop(15, 13, {13, 2, 36}, 0.5, false);
  EXPECT_EQ(place(), Place::unknown) << "one answer a second tells too little";
  lossy.first_hop = first_hop(8, 8, {0, 0, 31});
  EXPECT_EQ(place(), Place::unknown);
}

// Once, a burst of 60 % was "not on the LAN" because the router answered after 2 ms.
TEST(MediaQuality, NoRoutersDelayTellsWhereABurstWasLost) {
  auto teams = wanted();
  teams.loss_percent = 5;
  teams.burst_loss_percent = 10;
  auto bursty = direction(6, 0.3);
  bursty.worst_burst_percent = 60;
  bursty.bad_stretches = 1;
  auto seen = stream(bursty, direction(0, 0));
  seen.first_hop = first_hop(150, 150, {0, 0, 2});
  const auto missed = missed_figures(seen, teams);
  ASSERT_FALSE(missed.empty());
  EXPECT_EQ(missed.front().figure, QualityFigure::burst_loss);
  EXPECT_EQ(place_of(seen, missed.front()), Place::unknown);
}

TEST(MediaQuality, TheFirstRouterTellsWhereItIsUneven) {
  auto uneven = stream(direction(0, 0, 30, 60), direction(0, 0));
  const auto place = [&] { return place_of(uneven, missed_figures(uneven, wanted()).front()); };
  uneven.first_hop = first_hop(150, 150, {0, 0, 2}, 1);
  EXPECT_EQ(place(), Place::beyond);
  uneven.first_hop = first_hop(150, 150, {0, 0, 2}, 50);
  EXPECT_EQ(place(), Place::first_hop);
  uneven.first_hop = first_hop(150, 150, {0, 0, 2}, 20);
  EXPECT_EQ(place(), Place::unknown);
  uneven.first_hop = first_hop(15, 15, {0, 0, 18}, 50, false);
  EXPECT_EQ(place(), Place::unknown) << "routers are slow to send ICMP errors";
}

TEST(MediaQuality, ARowWithoutFiguresHasThoseOfItsCapability) {
  TargetSet set;
  auto row = test::row("stream");
  row.thresholds.jitter_ms = 20;
  Capability capability;
  capability.needs.push_back({{{"stream"}}});
  capability.quality.emplace();
  capability.quality->jitter_ms = 30;
  capability.quality->loss_percent = 1;
  set.capabilities.push_back(capability);
  const auto figures = media_figures(set, row);
  EXPECT_EQ(figures.jitter_ms, 20);
  EXPECT_EQ(figures.loss_percent, 1);
  EXPECT_EQ(media_figures(set, test::row("other")).loss_percent, 1) << "the line is the same";
}

// A vendor that gives a round trip for one row means all rows: G.114 is for those that give none.
TEST(MediaQuality, ARowWithoutFiguresHasThoseOfAnotherRow) {
  TargetSet set;
  auto row = test::row("turn");
  row.check = CheckKind::turn;
  row.thresholds.round_trip_ms = 400;
  set.requirements.push_back(row);
  EXPECT_EQ(media_figures(set, test::row("stream")).round_trip_ms, 400);
  set.requirements.front().check = CheckKind::tls;
  EXPECT_FALSE(media_figures(set, test::row("stream")).round_trip_ms) << "a web page's";
}

// --- causes ---

Report report_of(const std::vector<MediaStream>& seen) {
  auto row = test::row("stream");
  row.check = CheckKind::media;
  row.thresholds = wanted();
  std::vector<ProbeResult> results;
  for (const auto& stream : seen) {
    auto result = test::result_of({"stamp.example.com", Outcome::answered, "streamed", "", 60, 8620,
                                   "", CheckKind::media, Transport::udp});
    result.probe.id += fmt::format("-{}", results.size());
    result.observation.media = stream;
    results.push_back(std::move(result));
  }
  return test::diagnosed_alone(row, "voice", results);
}
Report report_of(const MediaStream& seen) { return report_of(std::vector{seen}); }

TEST(MediaFindings, ACleanStreamHasNone) {
  const auto report = report_of(stream(direction(0, 0), direction(0, 0)));
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.sets[0].verdict, Verdict::ready);
}

TEST(MediaFindings, LossIsNamedByItsWayAndDegrades) {
  const auto report = report_of(stream(direction(30, 3), direction(0, 0)));
  ASSERT_EQ(report.findings.size(), 1u);
  const auto& finding = report.findings[0];
  EXPECT_EQ(finding.code, FindingCode::media_loss);
  EXPECT_NE(finding.title.find("on the way out"), std::string::npos) << finding.title;
  ASSERT_EQ(finding.affects.size(), 1u);
  EXPECT_EQ(finding.affects[0].capabilities, std::vector<std::string>{"voice"});
  EXPECT_EQ(finding.explains, std::vector<std::string>{"set/stream"});
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
}

// A policer for what is marked: the unmarked call to the same host lost nothing.
TEST(MediaFindings, ACallWithoutMarksThatLosesNothingPointsToThem) {
  auto row = test::row("stream");
  row.check = CheckKind::media;
  const auto made = [&](int lost, bool failed_over = false) {
    auto marked = test::result_of({"stamp.example.com", Outcome::answered, "streamed", "", 60, 8620,
                                   "", CheckKind::media, Transport::udp});
    marked.observation.media = stream(direction(330, 41), direction(0, 0));
    if (failed_over) {
      auto& outage = marked.observation.media->outage.emplace();
      outage.to_the_end = true;
      outage.new_session = true;
    }
    auto call = test::result_of({"stamp.example.com", Outcome::answered, "connected", "", 40, 443,
                                 "", CheckKind::ice, Transport::tls});
    MediaStream unmarked;
    unmarked.loop = direction(lost, 0);
    unmarked.round_trip_loss.high = lost / 7.5 + 0.4;
    call.observation.media = unmarked;
    const auto report = test::diagnosed_alone(row, "voice", std::vector{marked, call});
    EXPECT_EQ(report.findings.size(), failed_over ? 2u : 1u);
    std::string fixes;
    for (const auto& finding : report.findings) fixes += finding.fix.string();
    return fixes;
  };
  EXPECT_NE(made(0).find("no mark for voice (EF), lost 0 of 750: look for a device that limits"),
            std::string::npos)
      << made(0);
  EXPECT_EQ(made(300).find("no mark for voice"), std::string::npos);
  EXPECT_EQ(made(0, true).find("no mark for voice"), std::string::npos)
      << "a new session bore the mark as well, and was answered";
}

TEST(MediaFindings, AStreamThatLostItsRouteIsAnInterruption) {
  auto row = test::row("stream");
  row.check = CheckKind::media;
  auto lost = test::result_of({"stamp.example.com", Outcome::skipped, "route_lost", "", 60, 8620, "",
                               CheckKind::media, Transport::udp});
  lost.observation.attempts = 685;
  const auto report = test::diagnosed_alone(row, "voice", std::vector{lost});
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, FindingCode::network_interrupted);
  EXPECT_EQ(report.findings[0].owner, Owner::lan);
  EXPECT_NE(report.findings[0].evidence[0].text.find("after 685 packets"), std::string::npos);
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
}

TEST(MediaFindings, TheOwnerFollowsFromTheFirstRouter) {
  auto lossy = stream(direction(60, 6.5), direction(0, 0));
  lossy.first_hop = first_hop(150, 150, {0, 0, 2});
  auto report = report_of(lossy);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].owner, Owner::provider);
  EXPECT_NE(report.findings[0].fix.find("The cause is not the Wi-Fi or the LAN"),
            std::string::npos);
  lossy.first_hop = first_hop(150, 138, {8, 4.7, 12.6});
  for (const auto& [wireless, words] :
       {std::pair{std::optional(true), "the problem is the Wi-Fi"},
        {std::optional(false), "the problem is the LAN"},
        {std::optional<bool>(), "the problem is between this computer"}}) {
    lossy.first_hop->wireless = wireless;
    report = report_of(lossy);
    EXPECT_EQ(report.findings[0].owner, Owner::lan);
    EXPECT_NE(report.findings[0].fix.find(words), std::string::npos) << report.findings[0].fix;
    EXPECT_NE(report.findings[0].evidence.back().text.find("192.168.7.1"), std::string::npos);
  }
}

TEST(MediaFindings, TheWifiAndTheLoadAreToldBesideTheFirstRouterAndJudgeNothing) {
  auto weak = stream(direction(60, 6.5), direction(0, 0));
  weak.first_hop = first_hop(150, 150, {0, 0, 2});
  weak.wifi_before = WifiLink{-58, std::nullopt};
  weak.wifi_after = WifiLink{-84, std::nullopt};
  weak.busy_percent = 97;
  const auto report = report_of(weak);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].owner, Owner::provider) << "the first router lost nothing";
  const auto text = report.findings[0].evidence.back().text;
  EXPECT_NE(text.find("-58 dBm before and -84 dBm after"), std::string::npos) << text;
  EXPECT_NE(text.find("busy 97 % of the time"), std::string::npos) << text;
  EXPECT_EQ(report_of(stream(direction(0, 0), direction(0, 0))).findings.size(), 0u);
  auto fine = stream(direction(0, 0), direction(0, 0));
  fine.wifi_before = fine.wifi_after = weak.wifi_after;
  fine.busy_percent = 97;
  EXPECT_EQ(report_of(fine).findings.size(), 0u) << "facts, and no cause";
}

TEST(MediaFindings, LossThatMayBeBadLuckIsOnlyPossible) {
  const auto report = report_of(stream(direction(9, 0.7), direction(0, 0)));
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, FindingCode::media_loss);
  EXPECT_EQ(report.findings[0].confidence, Confidence::possible);
  EXPECT_EQ(report.sets[0].verdict, Verdict::ready);
}

TEST(MediaFindings, JitterAndDelayHaveTheirOwn) {
  const auto report = report_of(stream(direction(0, 0, 30, 50), direction(0, 0, 200)));
  ASSERT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(report.findings[0].code, FindingCode::media_jitter);
  EXPECT_EQ(report.findings[1].code, FindingCode::media_delay);
}

MediaStream silent_to_the_end(std::optional<bool> new_session, std::optional<bool> moved) {
  auto seen = stream(direction(0, 0), direction(0, 0));
  seen.outage = MediaOutage{12'000, 3'500, std::nullopt, true, new_session, moved};
  return seen;
}

// What follows the last reply counts: it was once left out, and such a line was READY.
TEST(MediaFindings, ALineThatFallsSilentIsAnOutage) {
  const auto report = report_of(silent_to_the_end(false, false));
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, FindingCode::media_outage);
  EXPECT_NE(report.findings[0].title.find("from 12.0 s to the end"), std::string::npos);
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
}

TEST(MediaFindings, AFlowThatDiesWhereANewOneLivesIsTheNats) {
  const auto sure = report_of(silent_to_the_end(true, true));
  ASSERT_EQ(sure.findings.size(), 1u);
  EXPECT_EQ(sure.findings[0].code, FindingCode::nat_rebound);
  EXPECT_EQ(sure.findings[0].confidence, Confidence::certain);
  const auto untold = report_of(silent_to_the_end(true, std::nullopt));
  EXPECT_EQ(untold.findings[0].code, FindingCode::nat_rebound);
  EXPECT_EQ(untold.findings[0].confidence, Confidence::possible);
  const auto cut = report_of(silent_to_the_end(true, false));
  EXPECT_EQ(cut.findings[0].code, FindingCode::media_outage)
      << "from the same port: a device ended the flow";
}

TEST(MediaFindings, ASilenceExplainsItsOwnLosses) {
  auto seen = stream(direction(150, 18), direction(0, 0));
  seen.interval_ms = 20;
  seen.outage = MediaOutage{7'000, 3'000, MediaWay::up, false, std::nullopt, std::nullopt};
  const auto report = report_of(seen);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, FindingCode::media_outage);
  seen.up->lost = 200;
  EXPECT_EQ(report_of(seen).findings.size(), 2u) << "it loses packets besides";
  seen.up->lost = 150;
  seen.down = direction(60, 6);
  const auto other = report_of(seen);
  ASSERT_EQ(other.findings.size(), 2u) << "and so does the other way";
  EXPECT_TRUE(test::holds(other.findings[1].title, "lost on the way back"));
}

// A report that somebody else wrote may say anything, without causing undefined behaviour.
TEST(MediaFindings, ASilenceLongerThanAnyStreamIsNoTrouble) {
  for (const double length_ms : {1e300, -1e300}) {
    auto seen = stream(direction(150, 18), direction(0, 0));
    seen.outage = MediaOutage{7'000, length_ms, MediaWay::up, false, std::nullopt, std::nullopt};
    EXPECT_FALSE(report_of(seen).findings.empty());
  }
}

TEST(MediaFindings, OneSilenceInTwoStreamsIsOneCause) {
  const auto both =
      report_of(std::vector{silent_to_the_end(true, std::nullopt), silent_to_the_end(true, true)});
  ASSERT_EQ(both.findings.size(), 1u);
  EXPECT_EQ(both.findings[0].confidence, Confidence::certain);
  EXPECT_EQ(both.findings[0].title, report_of(silent_to_the_end(true, true)).findings[0].title);
  EXPECT_EQ(both.findings[0].evidence.size(), 2u);
}

TEST(MediaFindings, APoorScoreIsNamedWhereNothingElseIs) {
  auto seen = stream(direction(0, 0), direction(0, 0));
  seen.up->score = CallScore{50, 2.6, 2.4, 2.8};
  const auto report = report_of(seen);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, FindingCode::media_mos);
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
  seen.up = direction(60, 6);
  seen.up->score = CallScore{50, 2.6, 2.4, 2.8};
  const auto lossy = report_of(seen);
  ASSERT_EQ(lossy.findings.size(), 1u);
  EXPECT_EQ(lossy.findings[0].code, FindingCode::media_loss);
}

TEST(MediaFindings, ABusyFarEndBlamesNobody) {
  auto seen = stream(direction(0, 0), direction(0, 0));
  CallCapacity calls;
  calls.wanted = 100;
  calls.passed = 50;
  calls.busy = true;
  calls.steps = {{50, 12'500, 0, 0, 0, 0, true}};
  seen.calls = calls;
  const auto report = report_of(seen);
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.sets[0].verdict, Verdict::ready);
  EXPECT_EQ(calls_in_words(seen),
            "at least 50 of 100 simultaneous calls passed; the far end had no room for more");
}

TEST(MediaFindings, MarksThatRelaysBringBackClearedArePossiblyTheRelays) {
  auto relays = stream(direction(0, 0), direction(0, 0));
  relays.by_relays = true;
  relays.loop = direction(0, 0);
  relays.loop->dscp_sent = 46;
  relays.loop->dscp_arrived = 46;
  EXPECT_TRUE(report_of(relays).findings.empty());
  relays.loop->dscp_arrived = 0;
  const auto report = report_of(relays);
  EXPECT_EQ(test::codes(report.findings),
            std::vector<std::string>{"media.dscp_cleared (possible)"});
  EXPECT_EQ(report.sets[0].verdict, Verdict::ready);
}

// Another stream, not through relays, keeps its marks: the line does not clear them.
TEST(MediaFindings, MarksThatAnotherStreamKeepsAreNotTheLines) {
  const auto clean = stream(direction(0, 0), direction(0, 0));
  auto relays = clean;
  relays.by_relays = true;
  relays.loop = direction(0, 0);
  relays.loop->dscp_arrived = 0;
  for (const auto& seen : {std::vector{clean, relays}, std::vector{relays, clean}}) {
    EXPECT_EQ(test::codes(report_of(seen).findings),
              std::vector<std::string>{"media.dscp_cleared (possible)"});
  }
}

TEST(MediaFindings, ClearedMarksAreSaidByTheirNames) {
  auto marked = stream(direction(0, 0), direction(0, 0));
  marked.up->dscp_arrived = 0;
  marked.down->dscp_arrived = 6;
  const auto report = report_of(marked);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, FindingCode::media_dscp_cleared);
  ASSERT_EQ(report.findings[0].evidence.size(), 2u);
  EXPECT_NE(
      report.findings[0].evidence[0].text.find("out, the mark for voice (EF, 46) was cleared"),
      std::string::npos);
  EXPECT_NE(report.findings[0].evidence[1].text.find("ToS precedence"), std::string::npos);
  EXPECT_EQ(report.sets[0].verdict, Verdict::ready);
}

MediaStream with_calls(CallLimit limit, MediaWay way) {
  auto seen = stream(direction(0, 0), direction(0, 0));
  CallCapacity calls;
  calls.wanted = 12;
  calls.passed = limit == CallLimit::loss ? 0 : 9;
  calls.steps = {{9, 2'250, 0, 0, 0, 0, true}, {12, 3'000, 120, 0, 0, 45, false}};
  calls.limit = limit;
  calls.way = way;
  seen.calls = calls;
  return seen;
}

TEST(MediaFindings, FewerCallsThanAreWantedDegradeAndSayWhatGaveWay) {
  const auto report = report_of(with_calls(CallLimit::queueing, MediaWay::down));
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, FindingCode::media_bandwidth);
  EXPECT_EQ(report.findings[0].owner, Owner::provider);
  EXPECT_NE(report.findings[0].fix.find("full on the way back"), std::string::npos);
  EXPECT_EQ(report.findings[0].title,
            "The line cannot carry 12 simultaneous calls: at least 9 passed");
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
  const auto policed = report_of(with_calls(CallLimit::policing, MediaWay::up));
  EXPECT_TRUE(policed.findings[0].fix.starts_with(
      "Traffic above a certain rate is dropped on the way out. If your own router or firewall"))
      << policed.findings[0].fix;
}

// To one far end even a single call loses packets; to the other a device limits the rate.
TEST(MediaFindings, AStreamThatLosesHidesNoOthersLimit) {
  const auto lossy = with_calls(CallLimit::loss, MediaWay::both);
  const auto policed = with_calls(CallLimit::policing, MediaWay::up);
  for (const auto& seen : {std::vector{lossy, policed}, std::vector{policed, lossy}}) {
    EXPECT_EQ(test::codes(report_of(seen).findings),
              (std::vector<std::string>{"media.bandwidth (likely)", "media.loss (possible)"}));
  }
}

TEST(MediaFindings, APolicersShareIsOfItsOwnWay) {
  const auto text = calls_in_words(with_calls(CallLimit::policing, MediaWay::up)).string();
  EXPECT_NE(text.find("(120 of 3000)"), std::string::npos) << text;
}

// A saved report may hold such counts.
TEST(MediaFindings, CountsWhoseSumNoIntHoldsAreAddedUp) {
  constexpr int most = std::numeric_limits<int>::max();
  auto seen = with_calls(CallLimit::loss, MediaWay::both);
  seen.calls->steps.back() = {12, most, most, most, 0, 0, false};
  const auto text = calls_in_words(seen).string();
  EXPECT_NE(text.find("(4294967294 of 4294967294)"), std::string::npos) << text;
  auto uneven = stream(direction(0, 0, 30, 60), direction(0, 0));
  uneven.first_hop = first_hop(most, most, {0, 0, 2}, 50);
  EXPECT_EQ(place_of(uneven, missed_figures(uneven, wanted()).front()), Place::first_hop);
}

TEST(MediaFindings, EnoughCallsAreNoFinding) {
  auto seen = with_calls(CallLimit::queueing, MediaWay::up);
  seen.calls->passed = 12;
  seen.calls->limit.reset();
  EXPECT_TRUE(report_of(seen).findings.empty());
  EXPECT_EQ(report_of(seen).sets[0].verdict, Verdict::ready);
  EXPECT_EQ(calls_in_words(seen), "12 simultaneous calls passed");
  seen.calls->passed = 9;
  seen.calls->fit = false;
  EXPECT_TRUE(report_of(seen).findings.empty()) << "this computer could not send them";
}

}  // namespace
}  // namespace callready
