// Observations -> flow events.
#include "probe/diagnosis/reach/read.hpp"

#include <cmath>

#include "tests/diagnosis/site_report.hpp"
#include "tests/worlds/words.hpp"

namespace callready::reach {
namespace {

using namespace test;

// "UDP 3478 stun turn.vendor.com reply x1", one for each event; signs after them.
std::vector<std::string> read(std::vector<ProbeResult> results, double loss_of_time_ms = 0) {
  for (auto& result : results) {
    result.observation.timing_ms.erase(Timing::dns);
    if (loss_of_time_ms > 0) result.observation.round_trip = Milliseconds(loss_of_time_ms);
  }
  const auto events = read_events(report({row("row", std::move(results))}));
  std::vector<std::string> found;
  for (const auto& event : events.flows) {
    found.push_back(fmt::format("{} {} {} {} {} x{}{}", event.flow.udp ? "UDP" : "TCP",
                                event.flow.port, to_string(event.flow.cargo), event.flow.host,
                                to_string(event.seen), event.sent,
                                event.ends_early ? " early" : ""));
  }
  for (const auto& sign : events.signs) {
    found.push_back(fmt::format("{} {}", to_string(sign.sign), sign.host));
  }
  return found;
}

using Words = std::vector<std::string>;

TEST(ReachRead, UdpTheWholeWay) {
  EXPECT_EQ(read({test::stun("a.vendor.com")}), Words{"UDP 3478 stun a.vendor.com reply x1"});
  auto quiet = test::stun("a.vendor.com", 3478, silent);
  quiet.observation.attempts = 4;
  EXPECT_EQ(read({quiet}), Words{"UDP 3478 stun a.vendor.com nothing x4"});
  EXPECT_EQ(read({test::stun("a.vendor.com", 3478, refused)}),
            Words{"UDP 3478 stun a.vendor.com closed x1"});
  EXPECT_EQ(read({rejected_by(test::stun("a.vendor.com"), "84.199.10.1")}),
            Words{"UDP 3478 stun a.vendor.com prohibited x1"});
}

TEST(ReachRead, ACountIsReadOnce) {
  auto many = test::stun("a.vendor.com");
  many.probe.with["flows"] = "new";
  for (int i = 0; i < 50; ++i) {
    many = with(many, {EvidenceKind::udp_sample,
                       "",
                       {{Fact::sent, std::int64_t{20}},
                        {Fact::answered, std::int64_t{9}},
                        {Fact::again, std::int64_t{100}}}});
  }
  EXPECT_EQ(read({many}).size(), 101u);
}

TEST(ReachRead, AnAddressOfTheOtherFamilyIsNoSecondOne) {
  auto made = report(
      {row("turn",
           {with(with(test::turn("turn.vendor.com", answered, "relayed"),
                      {EvidenceKind::relay, "", {{Fact::address, std::string("198.51.100.10")}}}),
                 {EvidenceKind::relay_trip,
                  "",
                  {{Fact::outbound, false}, {Fact::relay_port, std::int64_t{49162}}}})})});
  made.site.public_addresses = {*IpAddress::parse("84.199.10.1"), *IpAddress::parse("2a02::1")};
  EXPECT_EQ(read_events(made).flows.back().seen, Seen::nothing);
}

TEST(ReachRead, PortUnreachableFromSomebodyElseIsNotTheTargets) {
  auto result = test::stun("a.vendor.com", 3478, refused);
  result.observation.evidence.push_back(
      {EvidenceKind::icmp_error, "", {{Fact::sender, std::string("84.199.10.1")}}});
  EXPECT_EQ(read({result}), Words{"UDP 3478 stun a.vendor.com refused_by x1"});
}

TEST(ReachRead, TcpTheWholeWay) {
  EXPECT_EQ(read({test::tcp("a.vendor.com", 5060)}), Words{"TCP 5060 none a.vendor.com open x1"});
  EXPECT_EQ(read({test::tcp("a.vendor.com", 5060, silent)}),
            Words{"TCP 5060 none a.vendor.com nothing x3"});
  EXPECT_EQ(read({test::tcp("a.vendor.com", 5060, refused)}),
            Words{"TCP 5060 none a.vendor.com refused x1"});
  EXPECT_EQ(read({test::tls("a.vendor.com", silent, "tls_timed_out")}),
            Words{"TCP 443 tls a.vendor.com mute x1"});
  EXPECT_EQ(read({test::tls("a.vendor.com", failed, "connection_reset")}),
            Words{"TCP 443 tls a.vendor.com cut x1"});
  EXPECT_EQ(read({test::tls("a.vendor.com", failed, "closed_by_peer")}),
            Words{"TCP 443 tls a.vendor.com cut x1"});
}

TEST(ReachRead, WhatDiesInsideOfTlsIsAnEventOfItsOwn) {
  EXPECT_EQ(read({sip_tls("a.vendor.com", silent, "sip_timed_out")}),
            (Words{"TCP 5061 tls a.vendor.com talk x1", "TCP 5061 inside a.vendor.com mute x1"}));
  EXPECT_EQ(read({sip_tls("a.vendor.com")}),
            (Words{"TCP 5061 inside a.vendor.com talk x1", "TCP 5061 tls a.vendor.com talk x1"}));
}

TEST(ReachRead, ARequestThatDiesOverPlainTcpIsTheConnectionsOwn) {
  EXPECT_EQ(
      read({probe(CheckKind::turn, Transport::tcp, "a.vendor.com", 80, failed, "stun_timed_out")}),
      Words{"TCP 80 turn a.vendor.com mute x1"});
}

// Port unreachable where nobody is known to listen proves that the packet arrived, unless it came
// too soon for that host.
TEST(ReachRead, RefusalsOfAMediaRange) {
  const auto answer = [](double milliseconds) {
    auto web = test::tls("a.vendor.com");
    web.observation.round_trip = Milliseconds(milliseconds);
    auto media = range("a.vendor.com", {{10000, "arrived"}});
    media.observation.round_trip = Milliseconds(5);
    return read({media, web}).front();
  };
  EXPECT_EQ(answer(20), "UDP 10000 rtp a.vendor.com arrived x2");
  EXPECT_EQ(answer(90), "UDP 10000 rtp a.vendor.com closed x2");
}

// Who refuses a packet that was to end on the way, and is not named, does so in the target's name.
TEST(ReachRead, RefusalsInTheTargetsNameAreForged) {
  EXPECT_EQ(read({range("a.vendor.com", {{10000, "prohibited"}})}),
            Words{"UDP 10000 rtp a.vendor.com forged x2 early"});
  auto unresolved = range("a.vendor.com", {{10000, "prohibited"}});
  unresolved.observation.address.reset();  // a saved report may have lost it
  EXPECT_EQ(read({unresolved}), Words{"UDP 10000 rtp a.vendor.com forged x2 early"});
  const auto by = [](ProbeResult result, std::string device) {
    result = at(std::move(result), "20.1.2.3");
    result.observation.evidence.back().facts[Fact::by] = std::move(device);
    return read({result});
  };
  const auto hop = udp_hop("a.vendor.com", 10000, "prohibited");
  EXPECT_EQ(by(hop, "20.1.2.3"), Words{"UDP 10000 rtp a.vendor.com forged x1 early"});
  EXPECT_EQ(by(hop, "10.20.0.1"), Words{"UDP 10000 rtp a.vendor.com prohibited x1 early"});
  EXPECT_EQ(by(range("a.vendor.com", {{10000, "prohibited"}}), "20.1.2.3"),
            Words{"UDP 10000 rtp a.vendor.com closed x2"})
      << "its own firewall may say so";
}

// The refusal bears the target's name, but the question who refused showed that it was another.
TEST(ReachRead, RefusalsThatWereFoundToBeTheWaysAreForged) {
  auto result = with(at(test::stun("a.vendor.com", 3478, rejected), "20.1.2.3"),
                     {EvidenceKind::refuser, "", {{Fact::who, std::string("on_the_way")}}});
  result.observation.detail = DetailCode::refused_on_the_way;
  EXPECT_EQ(read({result}), Words{"UDP 3478 stun a.vendor.com forged x1"});
  result = with(result, {EvidenceKind::icmp_error, "", {{Fact::sender, std::string("20.1.2.3")}}});
  EXPECT_EQ(read({result}), Words{"UDP 3478 stun a.vendor.com forged x1"});
}

// The system itself, not a device, says "host unreachable" if its gateway does not answer.
TEST(ReachRead, WhatThisComputerSaysOfItsNeighborIsNobodysRefusal) {
  const std::string ours = "10.20.0.23";
  const auto unreachable = [&](ProbeResult result) {
    return read({with(std::move(result), {EvidenceKind::icmp_error, "", {{Fact::sender, ours}}})});
  };
  EXPECT_EQ(unreachable(turn("a.vendor.com", rejected, "unreachable")),
            Words{"UDP 3478 turn a.vendor.com nothing x2"});
  EXPECT_EQ(unreachable(test::tls("a.vendor.com", rejected, "unreachable")),
            Words{"TCP 443 tls a.vendor.com nothing x3"});
  EXPECT_EQ(read({range("a.vendor.com", {{10000, "prohibited", ours}})}), Words{});
  // Nor the server's, where both are of one public network.
  const std::string own = "2001:db8::23";
  const auto beside = at(turn("a.vendor.com", rejected, "unreachable"), "2001:db8::9");
  auto made =
      report({row("row", {with(beside, {EvidenceKind::icmp_error, "", {{Fact::sender, own}}})})});
  made.site.interfaces.front().addresses = {*IpAddress::parse(own)};
  EXPECT_EQ(read_events(made).flows.at(0).seen, Seen::nothing);
}

TEST(ReachRead, PacketsThatEndOnTheWay) {
  EXPECT_EQ(read({udp_hop("a.vendor.com", 5060, "left_site", "sip")}),
            Words{"UDP 5060 sip a.vendor.com expired x1 early"});
  EXPECT_EQ(read({udp_hop("a.vendor.com", 5060, "dropped")}),
            Words{"UDP 5060 rtp a.vendor.com dropped x2 early"});
  EXPECT_EQ(read({tcp_hop("a.vendor.com", 5061, "refused_on_the_way")}),
            Words{"TCP 5061 none a.vendor.com refused_way x1 early"});
  EXPECT_EQ(read({udp_hop("a.vendor.com", 5060, "silent")}), Words{})
      << "the control was silent, too";
  EXPECT_EQ(
      read({range("a.vendor.com", {{10000, "left_site"}, {12000, "dropped"}, {14000, "silent"}})}),
      (Words{"UDP 10000 rtp a.vendor.com expired x2 early",
             "UDP 12000 rtp a.vendor.com dropped x2 early"}));
}

// What a router refused was sent the whole way; for what ended there, both distances are known.
TEST(ReachRead, HowFarOutTheRoutersOfARangeAre) {
  const auto event = [](const char* result) {
    auto media = range("a.vendor.com", {{10000, result, "62.4.8.2"}});
    media.observation.evidence.back().facts[Fact::ttl] = std::int64_t{3};
    return read_events(report({row("media", {media})})).flows.front();
  };
  EXPECT_EQ(event("left_site").router_ttl, 3);
  EXPECT_EQ(event("left_site").ttl, 3);
  EXPECT_EQ(event("prohibited").router_ttl, 3);
  EXPECT_EQ(event("prohibited").ttl, 0);
}

TEST(ReachRead, ARefusalFromBeyondTheSiteIsNotTheWays) {
  const auto beyond = [](ProbeResult result) {
    result.observation.evidence.push_back(
        {EvidenceKind::refuser, "who refused", {{Fact::who, std::string("beyond")}}});
    return read({result});
  };
  EXPECT_EQ(beyond(turn("a.vendor.com", refused)), Words{"UDP 3478 turn a.vendor.com arrived x1"});
  EXPECT_EQ(beyond(test::tls("a.vendor.com", refused, "")),
            Words{"TCP 443 tls a.vendor.com refused_far x1"});
  const auto by = [](std::string device) {
    return read({rejected_by(at(turn("a.vendor.com"), "20.1.2.3"), std::move(device))});
  };
  EXPECT_EQ(by("20.1.2.1"), Words{"UDP 3478 turn a.vendor.com closed x1"});
  EXPECT_EQ(by("10.20.0.1"), Words{"UDP 3478 turn a.vendor.com prohibited x1"});
}

TEST(ReachRead, NamesAreAskedOfAResolver) {
  EXPECT_EQ(read({question("a.vendor.com", "NOERROR", "9.9.9.9")}),
            (Words{"UDP 53 dns 9.9.9.9 reply x1", "public_knows a.vendor.com"}));
  auto gone = question("a.vendor.com", "NXDOMAIN", "9.9.9.9");
  gone.observation.detail = DetailCode::no_such_name;
  EXPECT_EQ(read({gone}), (Words{"UDP 53 dns 9.9.9.9 reply x1", "public_denies a.vendor.com"}));
}

// A question that a device turned away was not refused by the server, and this computer's own
// firewall, or a server that keeps silent over TCP alone, says nothing of the way.
TEST(ReachRead, QuestionsThatWereTurnedAwayAreNotRefusedByTheServer) {
  auto asked = question("a.vendor.com", "NOERROR", "9.9.9.9");
  asked.observation.evidence.clear();
  EXPECT_EQ(read({rejected_by(asked, "10.20.0.1")}), Words{"UDP 53 dns 9.9.9.9 prohibited x1"});
  auto kept = asked;
  kept.observation.outcome = rejected;
  kept.observation.detail = DetailCode::kept_here;
  EXPECT_EQ(read({kept}), Words{});
  kept.probe.with["nobody"] = "true";
  EXPECT_EQ(read({kept}), Words{}) << "whether anybody answers in its place is not known";
  EXPECT_EQ(read({proxied(test::tls("a.vendor.com"), rejected, "kept_here")}), Words{});
  asked.observation.outcome = silent;
  asked.probe.target.transport = Transport::tcp;
  EXPECT_EQ(read({asked}), Words{});
}

TEST(ReachRead, WhereNobodyListensSilenceSaysNothing) {
  const auto answered = asked_of_nobody("a.vendor.com", "www.google.com");
  const auto address = answered.observation.address->to_string();
  EXPECT_EQ(read({answered}), Words{"dns_redirected " + address});
  auto quiet = answered;
  quiet.observation.outcome = silent;
  quiet.observation.evidence.clear();
  EXPECT_EQ(read({quiet}), Words{"dns_direct www.google.com"});
}

TEST(ReachRead, ANameThatIsNotFoundIsASign) {
  auto lost = test::tls("a.vendor.com", unresolved, "no_such_name");
  lost.observation.address.reset();
  EXPECT_EQ(read({lost}), Words{"name_gone a.vendor.com"});
}

TEST(ReachRead, WhatTheProxySaysIsNoMatterOfTheWay) {
  EXPECT_EQ(read({proxied(test::tls("a.vendor.com"))}), Words{"proxy_works a.vendor.com"});
  auto login = proxied(test::tls("a.vendor.com"), denied, "407");
  login.observation.evidence.push_back(
      {EvidenceKind::proxy_reply, "", {{Fact::status, std::int64_t{407}}}});
  EXPECT_EQ(read({login}), Words{"proxy_login a.vendor.com"});
}

TEST(ReachRead, ARequestThatIsRepeatedBeforeItsAnswerCanBeThereIsNoLoss) {
  auto late = test::stun("a.vendor.com");
  late.observation.attempts = 3;
  EXPECT_EQ(read({late}, 40), Words{"UDP 3478 stun a.vendor.com reply x3"});
  EXPECT_EQ(read({late}, 900), Words{"UDP 3478 stun a.vendor.com reply x1"});
}

TEST(ReachRead, ARelayOfOursHearsThereAndBackApart) {
  auto relayed = test::turn("turn.vendor.com", answered, "relayed");
  relayed.observation.evidence.push_back(
      {EvidenceKind::relay, "", {{Fact::address, std::string("198.51.100.10")}}});
  relayed.observation.evidence.push_back(
      {EvidenceKind::relay_trip,
       "",
       {{Fact::outbound, true}, {Fact::inbound, false}, {Fact::relay_port, std::int64_t{49162}}}});
  EXPECT_EQ(read({relayed}), (Words{"UDP 3478 turn turn.vendor.com reply x1",
                                    "UDP 49162 rtp 198.51.100.10 one_way x1"}));
}

// A saved report may hold any.
TEST(ReachRead, NumbersOutOfBoundsAreNotTold) {
  for (const double number : {1e300, -1e300, -1.0, 65536.0, std::nan("")}) {
    auto counted = test::stun("a.vendor.com");
    counted.probe.with["flows"] = "new";
    for (const auto& [sent, answered] : {std::pair(number, number), {number, 1}, {1, number}}) {
      EXPECT_EQ(read({with(counted, {EvidenceKind::udp_sample,
                                     "",
                                     {{Fact::sent, sent}, {Fact::answered, answered}}})}),
                Words{})
          << number;
    }
    EXPECT_EQ(read({with(test::tls("a.vendor.com"),
                         {EvidenceKind::retransmitted, "", {{Fact::attempts, number}}})}),
              Words{"TCP 443 tls a.vendor.com talk x1"})
        << number;
    auto media = range("a.vendor.com", {{10000, "dropped"}});
    media.observation.evidence.front().facts[Fact::port] = number;
    EXPECT_EQ(read({media}), Words{}) << number;
    const auto relay =
        with(test::turn("a.vendor.com", answered, "relayed"),
             {EvidenceKind::relay, "", {{Fact::address, std::string("198.51.100.10")}}});
    EXPECT_EQ(read({with(relay, {EvidenceKind::relay_trip,
                                 "",
                                 {{Fact::outbound, true}, {Fact::relay_port, number}}})}),
              Words{"UDP 3478 turn a.vendor.com reply x1"})
        << number;
  }
}

TEST(ReachRead, AResolverIsKnownByItsAddressAlone) {
  Site site;
  EXPECT_EQ(resolvers_of(site), Words{"resolver"});
  site.resolvers = {"192.0.2.53:5353", "192.0.2.54", "2001:db8::53", "[2001:db8::54]:53"};
  EXPECT_EQ(resolvers_of(site),
            (Words{"192.0.2.53", "192.0.2.54", "2001:db8::53", "2001:db8::54"}));
  EXPECT_EQ(lookup_of(site, "a.vendor.com").host, "192.0.2.53");
}

TEST(ReachRead, WhatWasSkippedIsNoEvent) {
  EXPECT_EQ(read({test::tls("a.vendor.com", skipped, "not_needed")}), Words{});
}

// A PBX beside this computer says nothing of the way out, nor of how long answers from there take.
TEST(ReachRead, WhatStaysOnTheSitesOwnNetworksIsNoEvent) {
  auto pbx = at(test::sip("pbx.corp.example.com"), "10.1.2.3");
  EXPECT_EQ(read({pbx, at(range("pbx.corp.example.com", all_ports("arrived")), "10.1.2.3"),
                  at(tcp_hop("pbx.corp.example.com", 5061, "dropped"), "10.1.2.3")}),
            (Words{"dns_special pbx.corp.example.com"}));
  auto relay = test::turn("turn.vendor.com"), web = test::tls("www.vendor.com");
  pbx.observation.round_trip = Milliseconds(0.4);
  relay.observation.round_trip = Milliseconds(42);
  web.observation.timing_ms[Timing::connect] = 0.1;
  const auto events = read_events(report({row("row", {pbx, relay, web})}));
  ASSERT_EQ(events.flows.size(), 2u);
  EXPECT_EQ(events.flows.back().too_near, std::optional(true));
}

// A computer under load reads some answers over UDP late, while its kernel times connections exactly.
TEST(ReachRead, ThreeNearAnswersOverUdpShowThatHostsAreNear) {
  const auto too_near = [](std::vector<double> trips) {
    auto web = test::tls("www.vendor.com");
    web.observation.timing_ms[Timing::connect] = 0.1;
    std::vector<ProbeResult> results;
    for (const auto trip : trips) {
      results.push_back(test::turn(fmt::format("turn{}.vendor.com", results.size())));
      results.back().observation.round_trip = Milliseconds(trip);
    }
    results.push_back(web);
    return read_events(report({row("row", results)})).flows.back().too_near;
  };
  using Times = std::vector<double>;
  EXPECT_EQ(too_near(Times(20, 40.0)), std::optional(true));
  EXPECT_EQ(too_near({.3, .3, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40}), std::optional(true));
  EXPECT_EQ(too_near({.3, .4, .4, 40, 40, 40, 40, 40, 40, 40, 40, 40}), std::nullopt);
}

TEST(ReachRead, RowsStandForTheirPorts) {
  const auto media = range("a.vendor.com", {{10000, "silent"}, {20000, "silent"}});
  EXPECT_EQ(flows_of(media.probe, media.observation).size(), 2U);
  const auto secure = sip_tls("a.vendor.com");
  EXPECT_EQ(flows_of(secure.probe, secure.observation).size(), 2U) << "and what is inside of it";
}

}  // namespace
}  // namespace callready::reach
