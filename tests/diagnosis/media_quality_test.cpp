// Streams against the vendor's figures, and the causes that are named of them.
#include "probe/diagnosis/media_quality.hpp"

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
  EXPECT_TRUE(missed_figures(stream(direction(90, 10), direction(0, 0)), {}).empty())
      << "the vendor gives none";
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
            "2 % lost on the way back (at least 1.2 %), and the vendor wants at most 1 %");
}

TEST(MediaQuality, JudgesDelayAndJitterEachWay) {
  const auto missed =
      missed_figures(stream(direction(0, 0, 180), direction(0, 0, 30, 44)), wanted());
  ASSERT_EQ(missed.size(), 2u);
  EXPECT_EQ(missed[0].figure, QualityFigure::one_way_delay);
  EXPECT_EQ(missed[0].way, MediaWay::up);
  EXPECT_EQ(missed[1].figure, QualityFigure::jitter);
  EXPECT_EQ(missed_in_words(missed[1]),
            "jitter of 44 ms on the way back, and the vendor wants at most 30 ms");
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

// Of both ways the jitters add up at most.
TEST(MediaQuality, ByRelaysTwiceTheJitterIsTooMuchOnOneWay) {
  auto relays = stream(direction(0, 0, 30, 0), direction(0, 0, 30, 0));
  relays.up->jitter_ms.reset();
  relays.down->jitter_ms.reset();
  relays.by_relays = true;
  relays.loop = direction(0, 0, 0, 59);
  EXPECT_TRUE(missed_figures(relays, wanted()).empty());
  relays.loop->jitter_ms = 61;
  const auto missed = missed_figures(relays, wanted());
  ASSERT_EQ(missed.size(), 1u);
  EXPECT_EQ(missed[0].way, MediaWay::both);
  EXPECT_EQ(
      missed_in_words(missed[0]),
      "jitter of 61 ms there and back, more than twice the 30 ms that the vendor wants at most");
  EXPECT_NE(stream_in_words(relays).find("by two relays"), std::string::npos);
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
  EXPECT_FALSE(media_figures(set, test::row("other")).loss_percent);
}

// --- causes ---

Report report_of(const MediaStream& seen) {
  auto row = test::row("stream");
  row.check = CheckKind::media;
  row.thresholds = wanted();
  ProbeResult result = test::result_of({"stamp.example.com", Outcome::answered, "streamed", "", 60,
                                        8620, "", CheckKind::media, Transport::udp});
  result.observation.media = seen;
  return test::diagnosed_alone(row, "voice", result);
}

TEST(MediaFindings, ACleanStreamHasNone) {
  const auto report = report_of(stream(direction(0, 0), direction(0, 0)));
  EXPECT_TRUE(report.findings.empty());
  EXPECT_EQ(report.sets[0].verdict, Verdict::ready);
}

TEST(MediaFindings, LossIsNamedByItsWayAndDegrades) {
  const auto report = report_of(stream(direction(30, 3), direction(0, 0)));
  ASSERT_EQ(report.findings.size(), 1u);
  const auto& finding = report.findings[0];
  EXPECT_EQ(finding.code, "media.loss");
  EXPECT_NE(finding.title.find("on the way out"), std::string::npos) << finding.title;
  ASSERT_EQ(finding.affects.size(), 1u);
  EXPECT_EQ(finding.affects[0].capabilities, std::vector<std::string>{"voice"});
  EXPECT_EQ(finding.explains, std::vector<std::string>{"set/stream"});
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
}

TEST(MediaFindings, TheOwnerFollowsFromTheFirstRouter) {
  auto lossy = stream(direction(60, 6.5), direction(0, 0));
  lossy.first_hop = first_hop(150, 150, {0, 0, 2});
  auto report = report_of(lossy);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].owner, Owner::network);
  EXPECT_NE(report.findings[0].fix.find("It is not the Wi-Fi or the LAN"), std::string::npos);
  lossy.first_hop = first_hop(150, 138, {8, 4.7, 12.6});
  for (const auto& [wireless, words] : {std::pair{std::optional(true), "It is the Wi-Fi"},
                                        {std::optional(false), "It is the LAN"},
                                        {std::optional<bool>(), "It is between this computer"}}) {
    lossy.first_hop->wireless = wireless;
    report = report_of(lossy);
    EXPECT_EQ(report.findings[0].owner, Owner::helpdesk);
    EXPECT_TRUE(report.findings[0].fix.starts_with(words)) << report.findings[0].fix;
    EXPECT_NE(report.findings[0].evidence.back().text.find("192.168.7.1"), std::string::npos);
  }
}

TEST(MediaFindings, LossThatMayBeBadLuckIsOnlyPossible) {
  const auto report = report_of(stream(direction(9, 0.7), direction(0, 0)));
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, "media.loss");
  EXPECT_EQ(report.findings[0].confidence, Confidence::possible);
  EXPECT_EQ(report.sets[0].verdict, Verdict::ready);
}

TEST(MediaFindings, JitterAndDelayHaveTheirOwn) {
  const auto report = report_of(stream(direction(0, 0, 30, 50), direction(0, 0, 200)));
  ASSERT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(report.findings[0].code, "media.jitter");
  EXPECT_EQ(report.findings[1].code, "media.delay");
}

TEST(MediaFindings, ClearedMarksAreSaidByTheirNames) {
  auto marked = stream(direction(0, 0), direction(0, 0));
  marked.up->dscp_arrived = 0;
  marked.down->dscp_arrived = 6;
  const auto report = report_of(marked);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings[0].code, "media.dscp_cleared");
  ASSERT_EQ(report.findings[0].evidence.size(), 2u);
  EXPECT_NE(
      report.findings[0].evidence[0].text.find("out, the mark for voice (EF, 46) is bleached"),
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
  EXPECT_EQ(report.findings[0].code, "media.bandwidth");
  EXPECT_EQ(report.findings[0].owner, Owner::network);
  EXPECT_NE(report.findings[0].fix.find("full on the way back"), std::string::npos);
  EXPECT_EQ(report.findings[0].title, "The line does not carry 12 calls at once: 9 passed");
  EXPECT_EQ(report.sets[0].verdict, Verdict::degraded);
  const auto policed = report_of(with_calls(CallLimit::policing, MediaWay::up));
  EXPECT_NE(policed.findings[0].fix.find("on the way out drops what is above"), std::string::npos);
}

TEST(MediaFindings, EnoughCallsAreNoFinding) {
  auto seen = with_calls(CallLimit::queueing, MediaWay::up);
  seen.calls->passed = 12;
  seen.calls->limit.reset();
  EXPECT_TRUE(report_of(seen).findings.empty());
  EXPECT_EQ(report_of(seen).sets[0].verdict, Verdict::ready);
  EXPECT_EQ(calls_in_words(seen), "12 calls at once passed");
  seen.calls->passed = 9;
  seen.calls->fit = false;
  EXPECT_TRUE(report_of(seen).findings.empty()) << "this computer could not send them";
}

}  // namespace
}  // namespace callready
