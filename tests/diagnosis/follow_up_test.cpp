// What a second round asks, from what the first saw.
#include "probe/diagnosis/questions/follow_up.hpp"

#include "tests/diagnosis/site_report.hpp"

namespace callready::follow_up_test {
namespace {

using namespace test;
using Ids = std::vector<std::string>;

std::vector<ProbeResult> anchors() {
  auto quad9 = question("www.google.com", "NOERROR", "9.9.9.9");
  return {at(tls("www.cloudflare.com"), "20.1.1.1"), tls("www.google.com"),
          stun("stun.l.google.com", 19302), quad9};
}

Ids ids(const Report& report) {
  Ids list;
  for (const auto& probe : follow_ups(report)) {
    EXPECT_TRUE(probe.control()) << probe.id;
    EXPECT_EQ(probe.id, probe_id(probe));
    list.push_back(probe.id);
  }
  return list;
}

bool asks(const Ids& list, const std::string& id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

// Marks hops that the first look asked as its questions, as the program does.
Report second_look(Report report) {
  for (auto& result : report.probes) {
    if (result.probe.check == CheckKind::hop) result.probe.purpose = Purpose::way_out;
  }
  return report;
}

TEST(FollowUps, ACleanSiteNeedsNone) {
  EXPECT_EQ(ids(report({row("turn", {turn("turn.vendor.com")}), row("web", {tls("a.vendor.com")}),
                        controls(anchors())})),
            Ids{});
  EXPECT_EQ(ids(Report{}), Ids{});
}

// With as many attempts as a request gets before it is given up.
ProbeResult unanswered(ProbeResult result) {
  result.observation.attempts = 4;
  return result;
}

TEST(FollowUps, AskForASilentPortByItsProtocolAndElsewhere) {
  const auto list = ids(report(
      {row("turn", {unanswered(turn("turn.vendor.com", silent, ""))}), controls(anchors())}));
  EXPECT_TRUE(asks(list, "hop/udp/turn.vendor.com:3478?control=20.1.1.1:443&payload=turn"));
  EXPECT_TRUE(asks(list, "hop/udp/www.cloudflare.com:3478?control=20.1.1.1:443&payload=rtp"))
      << "the same port elsewhere";
  EXPECT_TRUE(asks(list, "tcp/tcp/turn.vendor.com:3478")) << "is the host alive?";
}

// A device that seems to filter STUN must be seen to let another packet pass.
TEST(FollowUps, AskForTheContrastWhereStunMayBeFiltered) {
  const auto list = ids(report(
      {row("turn", {unanswered(turn("turn.vendor.com", silent, "")), turn_tls("turn.vendor.com")}),
       controls({tls("www.google.com"), at(tls("www.cloudflare.com"), "20.1.1.1"),
                 unanswered(stun("stun.l.google.com", 19302, silent)),
                 unanswered(stun("stun.other.net", 53, silent)), ntp("pool.ntp.org")})}));
  EXPECT_TRUE(asks(list, "hop/udp/turn.vendor.com:3478?control=20.1.1.1:443&payload=turn"));
  EXPECT_TRUE(asks(list, "hop/udp/turn.vendor.com:3478?control=20.1.1.1:443&payload=rtp"));
}

// A public server's port within the service's range was turned away: is the service's, too?
TEST(FollowUps, AskTheServicesHostAboutAPortThatIsClosedToAStranger) {
  const auto made = [](std::uint16_t closed, const std::string& result) {
    auto stranger = rejected_by(stun("stun.l.google.com", closed), "10.0.0.1");
    auto range = test::range("20.1.2.3", {{15'000, result}, {65'000, result}}, {15'000, 65'000});
    return report(
        {row("media", {std::move(range)}), controls({tls("www.google.com"), std::move(stranger)})});
  };
  const std::string id = "udp-range/udp/20.1.2.3:15000-65000?closed=19302";
  EXPECT_TRUE(asks(ids(made(19'302, "left_site")), id));
  EXPECT_FALSE(asks(ids(made(3478, "left_site")), "udp-range/udp/20.1.2.3:15000-65000?closed=3478"))
      << "no port of the range";
  EXPECT_FALSE(asks(ids(made(19'302, "dropped")), id)) << "the range is known to be cut";
  auto again = made(19'302, "left_site");
  for (const auto& probe : follow_ups(again)) {
    if (probe.check == CheckKind::udp_range) again.probes.push_back({probe, {}});
  }
  EXPECT_EQ(again.probes.back().probe.id, id);
  EXPECT_EQ(again.probes.back().probe.target.sample, (std::vector<std::uint16_t>{15'000, 65'000}));
  for (const auto& probe : follow_ups(again)) EXPECT_NE(probe.check, CheckKind::udp_range);
}

TEST(FollowUps, CountAnswersWhereSomeWereLateAndSomeNeverCame) {
  auto late = stun("stun.vendor.com");
  late.observation.attempts = 3;
  auto near = stun("stun.l.google.com", 19302);
  near.observation.round_trip = Milliseconds(20);
  const auto made = [&](Outcome outcome) {
    return ids(report({row("turn", {late, turn("turn.vendor.com", outcome, "")}),
                       controls({tls("www.google.com"), near})}));
  };
  for (const auto* flows : {"one", "new"}) {
    const auto id = fmt::format("stun/udp/stun.l.google.com:19302?flows={}", flows);
    EXPECT_TRUE(asks(made(silent), id)) << id;
    EXPECT_FALSE(asks(made(answered), id)) << "nothing is missing";
  }
}

// Behind a limit on new flows, a STUN server that was silent may still answer.
TEST(FollowUps, CountAnswersOfASilentPublicServerWhereNoOtherIsKnown) {
  auto late = question("www.google.com", "NOERROR", "9.9.9.9");
  late.observation.attempts = 4;
  auto soon = tls("www.google.com");
  soon.observation.round_trip = Milliseconds(20);
  const auto list =
      ids(report({row("turn", {turn("turn.vendor.com", silent)}),
                  controls({soon, late, stun("stun.cloudflare.com", 3478, silent)})}));
  EXPECT_TRUE(asks(list, "stun/udp/stun.cloudflare.com:3478?flows=one"));
  EXPECT_TRUE(asks(list, "stun/udp/stun.cloudflare.com:3478?flows=new"));
}

// Four packets from one port got no answer, and one from another port did.
TEST(FollowUps, CountAnswersWhereTheSamePassesByTurns) {
  const auto made = [](Outcome first) {
    auto other = stun("stun.cloudflare.com");
    other.probe.with["again"] = "true";
    return ids(report({row("web", {tls("www.vendor.com")}),
                       controls({tls("www.google.com"), stun("stun.cloudflare.com", 3478, first),
                                 other, ntp("pool.ntp.org")})}));
  };
  EXPECT_TRUE(asks(made(silent), "stun/udp/stun.cloudflare.com:3478?flows=new"));
  EXPECT_FALSE(asks(made(answered), "stun/udp/stun.cloudflare.com:3478?flows=new"));
}

// Their questions came first: is UDP shut, or are new flows limited?
TEST(FollowUps, CountAnswersWhereNobodyButNameServersAnswersOverUdp) {
  const auto made = [](Outcome ntp_outcome) {
    return ids(report(
        {row("turn", {turn("turn.vendor.com", silent)}),
         controls({tls("www.google.com"), question("www.google.com", "NOERROR", "9.9.9.9"),
                   stun("stun.cloudflare.com", 3478, silent), ntp("pool.ntp.org", ntp_outcome)})}));
  };
  EXPECT_TRUE(asks(made(silent), "stun/udp/stun.cloudflare.com:3478?flows=new"));
  EXPECT_FALSE(asks(made(answered), "stun/udp/stun.cloudflare.com:3478?flows=new"));
}

// Whose limit is it that leaves most of what was counted unanswered?
TEST(FollowUps, CountAnswersOfAnotherOwnersServer) {
  const auto made = [](int on_one_flow) {
    std::vector<ProbeResult> counts;
    for (const auto* flows : {"one", "new"}) {
      auto count =
          with(stun("stun.cloudflare.com"),
               {EvidenceKind::udp_sample,
                "so many were answered",
                {{Fact::sent, std::int64_t{20}},
                 {Fact::answered, std::int64_t{flows == std::string("one") ? on_one_flow : 0}}}});
      count.probe.purpose = Purpose::repeat;
      count.probe.with["flows"] = flows;
      counts.push_back(std::move(count));
    }
    return ids(report({row("web", {tls("www.vendor.com")}),
                       controls({tls("www.google.com"), stun("stun.cloudflare.com"),
                                 stun("stun.l.google.com", 19302)}),
                       follow_up(std::move(counts))}));
  };
  EXPECT_TRUE(asks(made(4), "stun/udp/stun.l.google.com:19302?flows=one"));
  EXPECT_FALSE(asks(made(20), "stun/udp/stun.l.google.com:19302?flows=one"));
}

TEST(FollowUps, AskForOtherPortsOfFewHostsHoweverOftenTheyLook) {
  std::vector<ProbeResult> silent_hosts;
  for (int i = 0; i < 9; ++i) {
    silent_hosts.push_back(tls(fmt::format("host{}.vendor.com", i), silent, ""));
  }
  const auto neighbours = [](const Ids& list) {
    return std::count_if(list.begin(), list.end(),
                         [](const std::string& id) { return id.starts_with("tcp/"); });
  };
  EXPECT_EQ(neighbours(ids(report({row("web", silent_hosts)}))), 3);
  std::vector<ProbeResult> asked = {tcp("host0.vendor.com", 80, silent),
                                    tcp("host1.vendor.com", 80, silent),
                                    tcp("host2.vendor.com", 80, silent)};
  EXPECT_EQ(neighbours(ids(report({row("web", silent_hosts), follow_up(asked)}))), 0);
  asked.pop_back();
  EXPECT_EQ(neighbours(ids(report({row("web", silent_hosts), follow_up(asked)}))), 1);
}

TEST(FollowUps, AskForALostAndForARefusedTcpPort) {
  const auto list_of = [](const ProbeResult& seen) {
    return ids(report({row("sip", {seen}), controls(anchors())}));
  };
  const auto lost = list_of(sip_tls("sip.vendor.com", silent, ""));
  EXPECT_TRUE(asks(lost, "hop/tcp/sip.vendor.com:5061?control=20.1.1.1:443"));
  EXPECT_TRUE(asks(lost, "hop/tcp/www.cloudflare.com:5061?control=20.1.1.1:443"));
  const auto reset = list_of(sip_tls("sip.vendor.com", refused, "connection_refused"));
  EXPECT_TRUE(asks(reset, "hop/tcp/sip.vendor.com:5061?control=20.1.1.1:443"));
}

// Within the site there is no router to go to: its own hosts are not asked about.
TEST(FollowUps, AskNothingOfHostsWithinTheSite) {
  const auto hops_to = [](const std::string& address) {
    const auto list = ids(report(
        {row("sip", {at(sip_tls("sip.vendor.com", silent, ""), address)}), controls(anchors())}));
    return std::count_if(list.begin(), list.end(),
                         [](const auto& id) { return id.starts_with("hop/tcp/sip.vendor.com"); });
  };
  EXPECT_EQ(hops_to("20.2.2.2"), 1);
  EXPECT_EQ(hops_to("10.20.0.9"), 0);
}

// Of many hosts that refuse on one port, two show where that comes from, and more show no more.
TEST(FollowUps, AskTwoOfThoseWhoRefuse) {
  std::vector<ProbeResult> refusing;
  for (int i = 0; i < 4; ++i) {
    refusing.push_back(
        at(sip_tls(fmt::format("sip{}.vendor.com", i), refused, "connection_refused"), "20.2.2.2"));
  }
  const auto hops = [&](const std::vector<ProbeResult>& asked) {
    const auto list =
        ids(second_look(report({row("sip", refusing), controls(anchors()), follow_up(asked)})));
    return std::count_if(list.begin(), list.end(),
                         [](const auto& id) { return id.starts_with("hop/tcp/sip"); });
  };
  auto asked = std::vector{tcp_hop("sip0.vendor.com", 5061, "left_site")};
  EXPECT_EQ(hops({}), 2);
  EXPECT_EQ(hops(asked), 1);
  asked.push_back(tcp_hop("sip1.vendor.com", 5061, "left_site"));
  EXPECT_EQ(hops(asked), 0);
}

TEST(FollowUps, AskForFewMediaHostsThatNothingIsKnownOf) {
  std::vector<ProbeResult> ranges;
  for (int i = 0; i < 9; ++i) {
    ranges.push_back(
        range(fmt::format("media{}.vendor.com", i), all_ports(i < 3 ? "left_site" : "silent")));
  }
  bool suffers = true;  // a server that answers everybody is silent
  const auto hops = [&](const std::vector<ProbeResult>& asked, bool hurried) {
    const auto turn_row = row("turn", {turn("turn.vendor.com", suffers ? silent : answered)});
    const auto site = second_look(
        report({row("media", ranges), turn_row, controls(anchors()), follow_up(asked)}));
    const auto list = follow_ups(site, hurried);
    return std::count_if(list.begin(), list.end(),
                         [](const Probe& probe) { return probe.id.starts_with("hop/udp/media"); });
  };
  EXPECT_EQ(hops({}, false), 3);
  EXPECT_EQ(hops({}, true), 0) << "of three it is known";
  std::vector<ProbeResult> asked;
  for (int i = 3; i < 6; ++i) {
    asked.push_back(udp_hop(fmt::format("media{}.vendor.com", i), 10000, "left_site"));
  }
  EXPECT_EQ(hops(asked, false), 0) << "a later look asks about no others";
  suffers = false;
  EXPECT_EQ(hops({}, false), 0) << "the same ports passed to others, and nothing is wrong";
}

// Its SIP server answers on another port; others' media was seen to leave at both ends of the
// range.
TEST(FollowUps, AskForTheMiddleOfASilentRange) {
  const auto made = [](const std::string& host, const std::string& ends) {
    return range(host, {{10000, ends}, {14000, "silent"}, {16000, "silent"}, {20000, ends}});
  };
  auto quiet = made("media1.vendor.com", "silent");
  quiet.observation.outcome = silent;
  const auto list = ids(
      second_look(report({row("media", {made("media0.vendor.com", "left_site"), quiet}),
                          row("sip", {sip("media1.vendor.com")}),
                          row("turn", {turn("turn.vendor.com", silent)}), controls(anchors())})));
  EXPECT_TRUE(std::ranges::any_of(list, [](const auto& id) {
    return id.starts_with("hop/udp/media1.vendor.com:14000") ||
           id.starts_with("hop/udp/media1.vendor.com:16000");
  }));
}

// STUN that a device turns away: is it the port, or what it carries?
TEST(FollowUps, AskWhatElseIsTurnedAway) {
  const auto list = ids(report(
      {row("turn", {rejected_by(turn("turn.vendor.com"), "10.20.0.1")}), controls(anchors())}));
  EXPECT_TRUE(asks(list, "hop/udp/turn.vendor.com:3478?control=20.1.1.1:443&payload=rtp"));
}

// Two ports are lost, and nothing was sent to those between: a range, or two rules?
TEST(FollowUps, AskBetweenTwoClosedPorts) {
  const auto device = [](ProbeResult result) {
    return rejected_by(std::move(result), "10.20.0.1");
  };
  const auto list = ids(report(
      {row("turn", {device(turn("turn.vendor.com")), turn_tls("turn.vendor.com")}),
       row("media", {range("20.1.2.3", all_ports("left_site"))}),
       controls({tls("www.google.com"), tls("www.cloudflare.com"), ntp("pool.ntp.org"),
                 device(stun("stun.cloudflare.com", 443)), stun("stun.l.google.com", 19302)})}));
  EXPECT_TRUE(
      std::ranges::any_of(list, [](const auto& id) { return id.find(":1960?") != id.npos; }));
}

// Public servers that are silent may be stopped further out than all ways have in common.
TEST(FollowUps, ClimbToAServerThatIsOnNoList) {
  const auto list = ids(report(
      {row("media", {range("20.1.2.3", all_ports("left_site"))}),
       row("turn", {unanswered(turn("turn.vendor.com", silent, "")), turn_tls("turn.vendor.com")}),
       controls({at(tls("www.cloudflare.com"), "20.1.1.1"),
                 unanswered(stun("stun.l.google.com", 19302, silent)),
                 ntp("pool.ntp.org", silent)})}));
  EXPECT_TRUE(asks(list, "hop/udp/stun.l.google.com:19302?payload=stun"));
}

TEST(FollowUps, DoNotAskElsewhereWhereThePortWorks) {
  const auto list =
      ids(report({row("web", {tls("a.vendor.com", silent, "")}), controls(anchors())}));
  EXPECT_TRUE(asks(list, "hop/tcp/a.vendor.com:443?control=20.1.1.1:443"));
  EXPECT_FALSE(asks(list, "hop/tcp/www.cloudflare.com:443?control=20.1.1.1:443"));
}

TEST(FollowUps, AskForNothingOfTheControlsOnly) {
  EXPECT_EQ(ids(report({row("web", {tls("a.vendor.com")}),
                        controls({tls("www.google.com"), stun("stun.l.google.com", 1, silent)})})),
            Ids{});
}

TEST(FollowUps, AskForThePageBehindAPortThatAloneIsOpen) {
  const auto asked = [](ProbeResult other) {
    return asks(ids(report({row("web", {tcp("a.vendor.com", 80), std::move(other)})})),
                "http/tcp/a.vendor.com:80");
  };
  EXPECT_TRUE(asked(tls("b.vendor.com", silent, "")));
  EXPECT_FALSE(asked(tls("b.vendor.com"))) << "nobody keeps it in";
  EXPECT_FALSE(asked(tcp("b.vendor.com", 80))) << "nothing fails";
  EXPECT_FALSE(asked(turn("b.vendor.com"))) << "UDP gets out";
}

TEST(FollowUps, AskForTwoSuchPagesOfServersWithNames) {
  const auto asked = [](std::vector<ProbeResult> others) {
    others.push_back(tls("b.vendor.com", silent, ""));
    for (const auto* host : {"w1.vendor.com", "w2.vendor.com", "w3.vendor.com"}) {
      others.push_back(tcp(host, 80));
    }
    const auto list = ids(report({row("web", std::move(others))}));
    return std::ranges::count_if(list, [](const auto& id) { return id.starts_with("http/tcp/"); });
  };
  auto page = probe(CheckKind::http, Transport::tcp, "a.vendor.com", 80, answered, "302");
  EXPECT_EQ(asked({}), 2);
  EXPECT_EQ(asked({page}), 1) << "a row has asked for one";
  EXPECT_EQ(asked({tcp("20.1.2.3", 80)}), 2);
  page.probe.with["body"] = "Success";
  EXPECT_EQ(asked({page}), 0) << "a known page tells more";
}

TEST(FollowUps, AskForMissingNamesHereAndElsewhere) {
  auto missing = tls("portal.vendor.com", unresolved, "no_such_name");
  EXPECT_EQ(
      ids(report({row("web", {missing}), controls(anchors())})),
      (Ids{"dns/udp/portal.vendor.com:53", "dns/udp/9.9.9.9:53?name=portal.vendor.com&server=true",
           "dns/udp/www.google.com:53?name=portal.vendor.com&nobody=true&server=true"}));
}

TEST(FollowUps, AskNoStrangerWhereTheControlsNameNone) {
  auto missing = tls("portal.vendor.com", unresolved, "no_such_name");
  EXPECT_EQ(ids(report({row("web", {missing}), controls({tls("www.google.com")})})),
            Ids{"dns/udp/portal.vendor.com:53"});
}

// An earlier look asked it only to see whether somebody answers DNS in everybody's name. It is
// named by its address, as resolvers are, but is not one.
TEST(FollowUps, AskForNamesAtResolversOnly) {
  const auto missing = tls("portal.vendor.com", unresolved, "no_such_name");
  const auto list = ids(report({row("web", {missing, tcp("20.1.2.3", 443)}),
                                controls({question("www.google.com", "NOERROR", "9.9.9.9")}),
                                follow_up({asked_of_nobody("portal.vendor.com", "20.1.2.3")})}));
  EXPECT_TRUE(asks(list, "dns/udp/9.9.9.9:53?name=portal.vendor.com&server=true"));
  EXPECT_FALSE(asks(list, "dns/udp/20.1.2.3:53?name=portal.vendor.com&server=true"));
}

TEST(FollowUps, AskForTheLineWhereNoNameResolves) {
  const auto lost = [](ProbeResult result) {
    result.observation.outcome = unresolved;
    result.observation.detail = DetailCode::dns_unreachable;
    result.observation.address.reset();
    return result;
  };
  const auto list = ids(report({row("web", {lost(tls("portal.vendor.com"))}),
                                controls({lost(tls("www.google.com")),
                                          question("www.google.com", "SERVFAIL", "9.9.9.9")})}));
  EXPECT_TRUE(asks(list, "tcp/tcp/9.9.9.9:443"));
}

// The DNS servers answer at last: hosts that nothing was sent to for want of an address are tried.
TEST(FollowUps, AskNamesAgainThatNobodyAnsweredForAtFirst) {
  const auto portal = tls("portal.vendor.com", unresolved, "dns_unreachable");
  const auto made = [&](const char* rcode) {
    return ids(report({row("web", {portal, tls("a.vendor.com", unresolved, "no_such_name")}),
                       controls(anchors()), follow_up({question("portal.vendor.com", rcode)})}));
  };
  EXPECT_TRUE(asks(made("NOERROR"), "tls/tls/portal.vendor.com:443?again=true"));
  EXPECT_FALSE(asks(made("NOERROR"), "tls/tls/a.vendor.com:443?again=true"));
  EXPECT_FALSE(asks(made("SERVFAIL"), "tls/tls/portal.vendor.com:443?again=true"));
}

TEST(FollowUps, AskForAPrivateAddressOfAPublicName) {
  auto led_astray = at(tls("portal.vendor.com", silent, ""), "10.66.66.66");
  const auto list = ids(report({row("web", {led_astray}), controls(anchors())}));
  EXPECT_TRUE(asks(list, "dns/udp/9.9.9.9:53?name=portal.vendor.com&server=true"));
}

TEST(FollowUps, GreetAServerThatHangsUpByAnotherName) {
  auto cut = tls("portal.vendor.com", failed, "connection_reset");
  const auto list = ids(report({row("web", {cut}), controls(anchors())}));
  EXPECT_TRUE(asks(list, "tls/tls/portal.vendor.com:443?server_name=example.com"));
}

TEST(FollowUps, AskOnceMoreWhatWasTurnedAwayAndAThirdTimeWhereThatHelpedOthers) {
  const auto again = [](ProbeResult result) {
    result.probe.with["again"] = "true";
    result.probe.id = probe_id(result.probe);
    return result;
  };
  const auto cut = tls("portal.vendor.com", failed, "connection_reset");
  const auto other = tls("files.other.net", failed, "connection_reset");
  const auto after = [&](Outcome second) {
    return ids(
        report({row("web", {cut, other}),
                follow_up({again(cut), again(tls("files.other.net", second, "connection_reset"))}),
                controls(anchors())}));
  };
  EXPECT_TRUE(asks(ids(report({row("web", {cut}), controls(anchors())})),
                   "tls/tls/portal.vendor.com:443?again=true"));
  EXPECT_TRUE(asks(after(answered), "tls/tls/portal.vendor.com:443?again=2"));
  EXPECT_FALSE(asks(after(failed), "tls/tls/portal.vendor.com:443?again=2"));
}

TEST(FollowUps, AskAtTheSameAndAtAnotherAddressWhereOthersAreReached) {
  const auto lost = at(tls("portal.vendor.com", silent, "timed_out"), "20.1.1.1");
  const auto list = ids(report({row("web", {lost}), controls(anchors())}));
  EXPECT_TRUE(asks(list, "tls/tls/portal.vendor.com:443?again=true"));
  EXPECT_TRUE(asks(list, "tls/tls/portal.vendor.com:443?address=next"));
  EXPECT_FALSE(
      asks(ids(report({row("web", {lost})})), "tls/tls/portal.vendor.com:443?address=next"))
      << "nothing on that port is reached";
}

TEST(FollowUps, AskTheServerItselfWhetherItIsOutOfOrder) {
  auto error = probe(CheckKind::http, Transport::tcp, "portal.vendor.com", 80, answered, "503");
  error = with(error, {EvidenceKind::http_reply, "", {{Fact::status, std::int64_t{503}}}});
  const auto list = ids(report({row("web", {error}), controls(anchors())}));
  EXPECT_TRUE(asks(list, "http/tls/portal.vendor.com:443"));
}

// Others answer on that port, so no box is worth a thought for one silence: but do its packets
// leave?
TEST(FollowUps, AskForTheWayOfALoneSilence) {
  const auto by_tcp = probe(CheckKind::stun, Transport::tcp, "stun.vendor.com", 3478, answered);
  const auto list = ids(
      report({row("stun", {unanswered(stun("stun.vendor.com", 3478, silent)), by_tcp}),
              row("relays", {turn("turn.vendor.com"), stun("stun2.vendor.com")}),
              controls(anchors()), controls({stun("stun.cloudflare.com"), ntp("pool.ntp.org")})}));
  EXPECT_TRUE(asks(list, "hop/udp/stun.vendor.com:3478?control=20.1.1.1:443&payload=stun"));
  EXPECT_TRUE(asks(list, "hop/udp/stun.vendor.com:3478?control=20.1.1.1:443&payload=rtp"));
}

// The packets of a range end at the first router outside; a device farther out may drop them, as it
// may drop the connection that gets no answer.
TEST(FollowUps, AskWhetherADatagramGetsPastWhoDropsConnections) {
  const auto list = [](bool heard) {
    return ids(
        report({row("web", {tls("a.vendor.com", silent, "timed_out"), tls("b.vendor.com"),
                            tls("c.vendor.net")}),
                row("media", {range("media.vendor.com", {{15'000, "left_site", "62.4.8.2"}})}),
                controls({at(tls("www.cloudflare.com"), "20.1.1.1"),
                          stun("stun.l.google.com", 19302, heard ? answered : skipped)})}));
  };
  const std::string farther = "hop/udp/media.vendor.com:15000?control=20.1.1.1:443&payload=rtp";
  EXPECT_TRUE(asks(list(false), farther)) << fmt::format("{}", fmt::join(list(false), "\n"));
  EXPECT_FALSE(asks(list(true), farther));
}

// What died once is asked for once more all the same.
TEST(FollowUps, AskOnceMoreBesideALoneSilence) {
  const auto by_tcp = probe(CheckKind::stun, Transport::tcp, "stun.vendor.com", 3478, answered);
  const auto seen = range("media.vendor.com",
                          {{10'000, "left_site"}, {15'000, "dropped"}, {20'000, "left_site"}});
  const auto list = ids(report(
      {row("stun", {unanswered(stun("stun.vendor.com", 3478, silent)), by_tcp}),
       row("media", {seen}), row("relays", {turn("turn.vendor.com"), stun("stun2.vendor.com")}),
       controls(anchors()), controls({stun("stun.cloudflare.com"), ntp("pool.ntp.org")})}));
  EXPECT_TRUE(asks(list, "hop/udp/stun.vendor.com:3478?control=20.1.1.1:443&payload=stun"));
  EXPECT_TRUE(asks(list, "hop/udp/media.vendor.com:15000?payload=rtp"));
}

// A device that opens TLS takes the connection, too, whether it gets through to the server or not.
// Hosts that were greeted anyway do not count.
TEST(FollowUps, GreetBehindTheInterceptionWhomOnlyAConnectionWasAskedOf) {
  const std::string gateway = "CN=Web Gateway";
  const auto opened = [&](const char* host) {
    return with_root(tls(host, failed, "untrusted", gateway), false);
  };
  const auto made = [&](bool intercepted) {
    return ids(report(
        {row("push", {tcp("a.vendor.com", 443), tcp("b.vendor.com", 443), tcp("c.vendor.com", 443),
                      tcp("push.vendor.com", 443), tcp("push.vendor.com", 5223)}),
         row("web", {intercepted ? opened("a.vendor.com") : tls("a.vendor.com"),
                     intercepted ? opened("b.vendor.com") : tls("b.vendor.com")}),
         controls({intercepted ? opened("www.google.com") : tls("www.google.com"),
                   stun("stun.l.google.com", 19302)})}));
  };
  EXPECT_TRUE(asks(made(true), "tls/tls/push.vendor.com:443"));
  EXPECT_FALSE(asks(made(true), "tls/tls/push.vendor.com:5223")) << "nobody opens TLS there";
  EXPECT_FALSE(asks(made(false), "tls/tls/push.vendor.com:443"));
}

// The vendor's private authority, which the row names, is not a device on the way.
TEST(FollowUps, DoNotTakeThePrivateCertificateThatARowNamesForInterception) {
  const auto own = with_root(tls("hub.vendor.com", answered, "private_pki", "CN=Hub CA"), false);
  EXPECT_FALSE(asks(ids(report({row("hub", {own}), row("push", {tcp("push.vendor.com", 443)}),
                                controls(anchors())})),
                    "tls/tls/push.vendor.com:443"));
  const auto list =
      ids(report({row("hub", {proxied(own, answered, "private_pki")}), controls(anchors())}));
  EXPECT_TRUE(std::ranges::none_of(list, [](const auto& id) {
    return id.starts_with("tls/tls/www.google.com:443@");
  })) << fmt::format("{}", fmt::join(list, "\n"));
}

// An address of a range has no name to greet by; the few greetings are for hosts that have.
TEST(FollowUps, GreetNamesBehindTheInterceptionFirst) {
  const auto opened =
      with_root(tls("www.google.com", failed, "untrusted", "CN=Web Gateway"), false);
  const auto list =
      ids(report({row("pool", {tcp("20.3.0.1", 443), tcp("20.3.0.2", 443), tcp("20.3.0.3", 443)}),
                  row("push", {tcp("push.vendor.com", 443)}),
                  controls({opened, stun("stun.l.google.com", 19302)})}));
  EXPECT_TRUE(asks(list, "tls/tls/push.vendor.com:443"));
  EXPECT_FALSE(asks(list, "tls/tls/20.3.0.3:443"));
}

TEST(FollowUps, AskBeyondTheSetWhereOnlyTheWebWorks) {
  const auto list = ids(report({row("turn", {turn("turn.vendor.com", silent, "")}),
                                controls({tls("www.google.com"), tls("www.cloudflare.com")})}));
  int tcp = 0, udp = 0;
  for (const auto& id : list) {
    tcp += id.starts_with("hop/tcp/") ? 1 : 0;
    udp += id.starts_with("hop/udp/") ? 1 : 0;
  }
  EXPECT_GE(tcp, 3) << "three ports that have nothing to do with the set";
  EXPECT_GE(udp, 4) << "three ports, one of them by two protocols";
}

TEST(FollowUps, AskForOneNameOfEachOwner) {
  std::vector<ProbeResult> names{tls("alive.example.com", answered)};
  for (int i = 0; i < 12; ++i) {
    names.push_back(tls(fmt::format("a.vendor{}.com", i), unresolved, "no_such_name"));
    names.push_back(tls(fmt::format("b.vendor{}.com", i), unresolved, "no_such_name"));
  }
  const auto list = ids(report({row("all", names), controls(anchors())}));
  for (int i = 0; i < 12; ++i) {
    const auto asked = std::count_if(list.begin(), list.end(), [&](const std::string& id) {
      return id.find(fmt::format(".vendor{}.com", i)) != id.npos;
    });
    EXPECT_GT(asked, 0) << i;
  }
}

// The filter's administrator is asked once, for all of an owner's names.
TEST(FollowUps, AskForTheOtherNamesThatTheDocumentHasOfThatOwner) {
  auto first = report(
      {row("web", {tls("portal.vendor.com", unresolved, "no_such_name"), tls("www.other.com")}),
       controls(anchors())});
  FirewallRule rule;
  for (const auto* name :
       {"portal.vendor.com", "files.vendor.com", "www.other.com", "cdn.other.com"}) {
    rule.peers.push_back({name, PeerKind::name, "", "", Lifecycle::current});
  }
  rule.peers.push_back({"old.vendor.com", PeerKind::name, "", "", Lifecycle::removed});
  first.sets.front().requirements.front().rules = {rule};
  const auto list = ids(first);
  EXPECT_TRUE(asks(list, "dns/udp/files.vendor.com:53"));
  EXPECT_TRUE(asks(list, "dns/udp/9.9.9.9:53?name=files.vendor.com&server=true"));
  EXPECT_FALSE(asks(list, "dns/udp/old.vendor.com:53"));
  EXPECT_FALSE(asks(list, "dns/udp/cdn.other.com:53")) << "its owner's names resolve";
}

// If two hosts are silent, what answered at first is asked again; if that is silent, once more and
// with others: one of several paths may be dead, and both hosts may have met it by chance.
TEST(FollowUps, AskTwiceMoreWhatFellSilent) {
  const auto made = [](std::optional<Outcome> second) {
    auto list = anchors();
    list.push_back(tls("www.example.org"));
    for (const auto* host : {"www.cloudflare.com", "www.example.org"}) {
      if (!second) continue;
      auto again = tcp(host, 443, *second);
      again.probe.with["again"] = "true";
      again.observation.sent_at = noon() + std::chrono::seconds(9);
      list.push_back(std::move(again));
    }
    return ids(report({row("web", {tls("a.vendor.com", silent, "timed_out"),
                                   tls("b.other.com", silent, "timed_out")}),
                       controls(std::move(list))}));
  };
  const auto asked = [](const Ids& list, const std::string& time) {
    return std::ranges::count_if(list, [&](const std::string& id) {
      return id.starts_with("tcp/") && id.ends_with("again=" + time);
    });
  };
  EXPECT_EQ(asked(made(std::nullopt), "true"), 2);
  EXPECT_EQ(asked(made(std::nullopt), "2"), 0);
  EXPECT_EQ(asked(made(silent), "2"), 3) << "the two, and the one that is left";
  EXPECT_EQ(asked(made(connected), "2"), 0);
}

// All rows had their answers by then: the checks of IPv6, which come last, show it alone.
TEST(FollowUps, AskAgainWhereAConnectionBesideFails) {
  const auto asked = [](const std::string& four) {
    auto beside =
        probe(CheckKind::ipv6, Transport::tcp, "www.google.com", 443, silent, "timed_out");
    beside.observation.evidence.push_back(
        {EvidenceKind::family,
         "IPv4",
         {{Fact::version, std::string("IPv4")}, {Fact::result, four}}});
    auto list = anchors();
    list.push_back(beside);
    return ids(report({row("web", {tls("a.vendor.com")}), controls(std::move(list))}));
  };
  const std::string again = "tcp/tcp/a.vendor.com:443?again=true";
  EXPECT_TRUE(asks(asked("timed_out"), again));
  EXPECT_FALSE(asks(asked("no_address"), again));
}

// Also where only the SIP ALG test asks that server, which sends nothing elsewhere by itself.
TEST(FollowUps, AskForAPortThatNoSipAlgKnows) {
  for (const auto check : {CheckKind::sip, CheckKind::sip_alg}) {
    const auto test = probe(check, Transport::udp, "sip.vendor.com", 5060, silent, "timed_out");
    const auto list = ids(report({row("sip", {test}), controls(anchors())}));
    EXPECT_TRUE(asks(list, "sip/udp/sip.vendor.com:5080")) << static_cast<int>(check);
  }
}

// One packet that dies where all else is well: chance, or a port that nobody else was asked on.
TEST(FollowUps, AskOnceMoreWhatDiedAlone) {
  auto site = controls(anchors());
  const auto list = ids(report({row("media", {tcp_hop("media.vendor.com", 5004, "dropped")}),
                                row("web", {tls("www.vendor.com")}), site}));
  EXPECT_TRUE(asks(list, "hop/tcp/media.vendor.com:5004?again=true"))
      << fmt::format("{}", fmt::join(list, "\n"));
}

// Another row fails for its own reason, which does not explain the packet.
TEST(FollowUps, AskOnceMoreWhatDiedBesideAnotherTrouble) {
  const PortRange whole{15'000, 65'000};
  const auto list = ids(report(
      {row("media", {range("a.vendor.com", {{65'000, "left_site", "62.4.8.2"}}, whole),
                     range("b.vendor.com", {{15'000, "left_site", "62.4.8.2"}, {65'000, "dropped"}},
                           whole)}),
       row("sip", {sip_tls("sip.vendor.com", refused), sip_tls("sip2.vendor.com", refused)}),
       controls(anchors()), controls({stun("stun.l.google.com", 19302), ntp("pool.ntp.org")})}));
  EXPECT_TRUE(asks(list, "hop/udp/b.vendor.com:65000?payload=rtp"))
      << fmt::format("{}", fmt::join(list, "\n"));
}

// STUN got no answer there, and it is a packet of media that died.
TEST(FollowUps, AskOnceMoreWithWhatDied) {
  auto died = udp_hop("media.vendor.com", 5004, "dropped");
  died.probe.with["control"] = "20.1.1.1:443";
  const auto list = ids(report({row("stun", {unanswered(stun("media.vendor.com", 5004, silent))}),
                                follow_up({died}), controls({stun("stun.l.google.com", 19302)})}));
  EXPECT_TRUE(asks(list, "hop/udp/media.vendor.com:5004?payload=rtp"))
      << fmt::format("{}", fmt::join(list, "\n"));
}

// The check `hop` knows media, STUN, TURN and SIP: other packets are sent again as media.
TEST(FollowUps, AskOnceMoreAsMediaForWhatTheCheckDoesNotKnow) {
  const auto died =
      probe(CheckKind::ntp, Transport::udp, "time.vendor.com", 123, rejected, "prohibited");
  const auto list =
      ids(report({row("time", {died}), controls({stun("stun.l.google.com", 19302)})}));
  EXPECT_TRUE(asks(list, "hop/udp/time.vendor.com:123?payload=rtp"))
      << fmt::format("{}", fmt::join(list, "\n"));
}

// Of two addresses of one name the first is down.
TEST(FollowUps, TakeTheAddressThatAnsweredForTheControl) {
  const auto list =
      ids(report({row("turn", {turn("turn.vendor.com", silent, "")}),
                  controls({at(tls("www.cloudflare.com", silent, "timed_out"), "20.1.1.1"),
                            at(tcp("www.cloudflare.com", 443), "20.1.1.2")})}));
  EXPECT_TRUE(asks(list, "hop/udp/turn.vendor.com:443?control=20.1.1.2:443&payload=rtp"))
      << fmt::format("{}", fmt::join(list, "\n"));
}

// A rule about a port was met by one host, over TCP and UDP: is it met by another host, too?
TEST(FollowUps, AskForThePortOfOneHostAtAnother) {
  auto refused_syn = tcp_hop("media.vendor.com", 5004, "prohibited");
  refused_syn.observation.evidence.back().facts[Fact::by] = std::string("192.168.1.1");
  const auto list =
      ids(report({row("media", {refused_syn, range("media.vendor.com", {{5004, "dropped"}})}),
                  row("web", {tls("www.vendor.com")}),
                  controls({at(tls("www.google.com"), "20.1.1.1"), stun("stun.l.google.com", 19302),
                            ntp("pool.ntp.org")})}));
  for (const auto* id : {"hop/tcp/www.google.com:5004?control=20.1.1.1:443",
                         "hop/udp/www.google.com:5004?control=20.1.1.1:443&payload=rtp"}) {
    EXPECT_TRUE(asks(list, id)) << fmt::format("{}", fmt::join(list, "\n"));
  }
}

// One port of a wide range is dead: that port, or the range from there up?
TEST(FollowUps, AskForTheEndsOfARange) {
  const auto media =
      range("media.vendor.com", {{40000, "left_site"}, {50000, "dropped"}}, {40000, 65000});
  const auto list =
      ids(report({row("media", {media}), row("web", {tls("www.vendor.com", silent, "", "", 5061)}),
                  controls({at(tls("www.google.com"), "20.1.1.1"), stun("stun.l.google.com", 19302),
                            ntp("pool.ntp.org")}),
                  follow_up({udp_hop("media.vendor.com", 50000, "dropped"),
                             tcp_hop("www.vendor.com", 5061, "dropped")})}));
  EXPECT_TRUE(asks(list, "hop/udp/media.vendor.com:65000?control=20.1.1.1:443&payload=rtp"))
      << fmt::format("{}", fmt::join(list, "\n"));
}

// Where UDP leaves and no reply comes back, each further port would say the same.
TEST(FollowUps, AskNothingOfSinglePortsWhereNoReplyComesBack) {
  const auto list = ids(report(
      {row("turn", {unanswered(turn("turn.vendor.com", silent))}),
       row("sip", {unanswered(sip("sip.vendor.com", 5075, silent, "timed_out")),
                   sip_tls("sip.vendor.com")}),
       controls({tls("www.google.com"), at(tls("www.cloudflare.com"), "20.1.1.1"),
                 stun("stun.l.google.com", 19302, silent), stun("stun.other.net", 3478, silent),
                 ntp("time.cloudflare.com", silent), ntp("pool.ntp.org", silent)}),
       follow_up({udp_hop("turn.vendor.com", 3478, "left_site", "turn")})}));
  EXPECT_FALSE(asks(list, "hop/udp/sip.vendor.com:5075?control=20.1.1.1:443&payload=sip"));
  EXPECT_TRUE(asks(list, "hop/udp/time.cloudflare.com:123?control=20.1.1.1:443&payload=rtp"))
      << "the lowest port";
}

// The room for questions about ways may be full when a greeting is given up.
TEST(FollowUps, AskOnceMoreWhateverElseWasAsked) {
  std::vector<ProbeResult> ways;
  for (std::uint16_t port = 0; port < most_follow_ups; ++port) {
    ways.push_back(tcp_hop("www.google.com", static_cast<std::uint16_t>(5000 + port), "silent"));
  }
  const auto list = ids(report({row("web", {tls("www.vendor.com", failed, "tls_timed_out")}),
                                controls(anchors()), follow_up(ways)}));
  EXPECT_TRUE(asks(list, "path/tls/www.vendor.com:443?again=true"));
}

TEST(FollowUps, StayFew) {
  std::vector<ProbeResult> lost;
  for (int i = 0; i < 50; ++i) {
    const auto host = fmt::format("host.vendor{}.com", i);
    lost.push_back(tcp(host, static_cast<std::uint16_t>(5000 + i), silent));
    lost.push_back(stun(host, static_cast<std::uint16_t>(5000 + i), silent));
    lost.push_back(tls("missing" + host, unresolved, "no_such_name"));
  }
  const auto list = ids(report({row("all", lost), controls(anchors())}));
  EXPECT_LE(list.size(), most_follow_ups + most_name_questions + most_repeat_questions);
  EXPECT_GT(list.size(), 10U);
}

// A device turns one port of one network away: is it the port, wherever it leads to?
TEST(FollowUps, AskElsewhereWhereADeviceTurnsAPortAway) {
  const auto turned_away = rejected_by(sip_tls("sbc.vendor.com"), "10.20.0.1");
  const auto list =
      ids(report({row("sip", {turned_away, sip_tcp("sbc.vendor.com")}), controls(anchors())}));
  EXPECT_TRUE(asks(list, "hop/tcp/www.google.com:5061?control=20.1.1.1:443") ||
              asks(list, "hop/tcp/www.cloudflare.com:5061?control=20.1.1.1:443"))
      << fmt::format("{}", fmt::join(list, "\n"));
}

}  // namespace
}  // namespace callready::follow_up_test
