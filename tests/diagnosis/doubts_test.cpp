// What a packet that left the site does not prove: rows that stay open although nothing failed.
#include "tests/diagnosis/scene.hpp"

namespace callready {
namespace {

using namespace test;

// The result after that many attempts.
ProbeResult asked(ProbeResult result, int attempts) {
  result.observation.attempts = attempts;
  return result;
}

ProbeResult took(ProbeResult result, double milliseconds) {
  result.observation.round_trip = Milliseconds(milliseconds);
  return result;
}

// A hop with the TTL that ended there, and who saw it.
ProbeResult hop_at(ProbeResult result, int ttl, const std::string& router = {}) {
  auto& facts = result.observation.evidence.back().facts;
  facts[Fact::ttl] = std::int64_t{ttl};
  if (!router.empty()) facts[Fact::by] = router;
  result.probe.purpose = Purpose::way_out;
  return result;
}

Status media_of(Scene& run) { return row_of(run.judge(), "media").status; }

TEST(Doubt, ARefusalSoonerThanTheHostsOwnAnswersIsNotItsOwn) {
  const auto made = [](double refused_ms) {
    Scene run;
    run.add("media", {took(range("media.vendor.com", all_ports("arrived")), refused_ms)});
    run.add("web", {took(tls("media.vendor.com"), 90)});
    run.add_controls(anchors());
    return media_of(run);
  };
  EXPECT_EQ(made(1), Status::unknown);
  EXPECT_EQ(made(60), Status::pass);
}

// Errors (ICMP) come back where replies over UDP are dropped, too.
TEST(Doubt, ARefusalFromBeyondTheSiteIsNoReply) {
  const auto made = [](Outcome public_servers) {
    Scene run;
    run.add("media", {range("media.vendor.com", all_ports("left_site", "84.199.10.1"))});
    for (const auto* host : {"turn1.vendor.com", "turn2.vendor.com", "turn3.vendor.com"}) {
      auto relay = turn(host, refused, "connection_refused");
      auto& seen = relay.observation;
      seen.evidence = {{EvidenceKind::icmp_error, "", {{Fact::sender, seen.address->to_string()}}},
                       {EvidenceKind::refuser, "", {{Fact::who, std::string("beyond")}}}};
      run.add(host, {relay, tls(host, refused, "")});
    }
    run.add_controls({tls("www.google.com"), ntp("time.cloudflare.com", public_servers),
                      ntp("pool.ntp.org", public_servers),
                      stun("stun.l.google.com", 19302, public_servers)});
    run.add_controls({hop_at(udp_hop("stun.l.google.com", 19302, "left_site"), 2, "84.199.10.1"),
                      hop_at(udp_hop("pool.ntp.org", 123, "left_site"), 2, "84.199.10.1")});
    return media_of(run);
  };
  EXPECT_EQ(made(silent), Status::unknown);
  EXPECT_EQ(made(answered), Status::pass);
}

// Beside another service, whose ports die in transit, "packets may be lost like others".
TEST(Doubt, IsNoneOfPacketsThatWereSeenAtTheHostsOwnDoor) {
  const auto made = [](Scene& run, bool at_the_door) {
    const auto seen_at = [&](const char* door) { return at_the_door ? door : "62.4.8.2"; };
    run.add("media",
            {range("52.112.0.1", {{3478, "left_site", seen_at("52.112.0.254")}}, {3478, 3481})});
    run.add("others", {range("3.7.35.1", {{8802, "dropped"}, {8806, "dropped"}, {8810, "dropped"}},
                             {8801, 8810})});
    run.add("turn",
            {range("3.7.35.1", {{3478, "left_site", seen_at("3.7.35.254")}}, {3478, 3478})});
    run.add_controls(anchors());
    run.add_controls({hop_at(udp_hop("3.7.35.1", 8802, "dropped"), 4),
                      hop_at(udp_hop("www.google.com", 8802, "left_site"), 3, "62.4.8.2")});
    return media_of(run);
  };
  Scene there, nearer;
  EXPECT_EQ(made(there, true), Status::pass);
  EXPECT_EQ(made(nearer, false), Status::unknown);
  EXPECT_EQ(there.found(), std::vector<std::string>{"firewall.flow_blocked"});
  EXPECT_EQ(there.report.findings.front().confidence, Confidence::likely);
  EXPECT_EQ(there.report.findings.front().owner, Owner::provider);
}

// SIP servers may ignore strangers, over UDP. Where nothing of the operator's answers anything, no
// likely world has one that does, whether a firewall or the operator is to blame.
TEST(Doubt, IsNoneOfSilenceThatIsLostInAllWorlds) {
  const auto made = [](Outcome web, std::vector<ProbeResult> others = {}) {
    Scene run;
    run.add("sip", {asked(sip("sip1.vendor.com", 5060, silent, "timed_out"), 4),
                    asked(sip("sip2.vendor.com", 5060, silent, "timed_out"), 4)});
    run.add("nat",
            {asked(probe(CheckKind::nat, Transport::udp, "sip1.vendor.com", 5060, silent), 4)});
    run.add("tls", {asked(tls("sip1.vendor.com", web, "timed_out", public_ca, 5061), 3),
                    asked(tls("sip2.vendor.com", web, "timed_out", public_ca, 5061), 3)});
    run.add("web", {asked(tls("www.vendor.com", web, "timed_out"), 3),
                    asked(tls("api.vendor.com", web, "timed_out"), 3)});
    run.add_controls(anchors());
    run.add_controls(std::move(others));
    return run.judge();
  };
  EXPECT_EQ(row_of(made(silent), "sip").status, Status::fail);
  EXPECT_EQ(row_of(made(silent), "nat").status, Status::unknown) << "it asks for something else";
  EXPECT_EQ(row_of(made(answered), "sip").status, Status::unknown);
  const auto late = asked(stun("stun.other.net"), 3);
  EXPECT_EQ(row_of(made(silent, {late}), "sip").status, Status::unknown) << "a bad line";
}

TEST(Doubt, PortsThatDieFurtherOutElsewhereMayDieBehindTheRouterThatSawThem) {
  const auto made = [](int died_at) {
    Scene run;
    run.add("media", {range("media.vendor.com", all_ports("left_site", "84.199.10.1"))});
    run.add("others", {range("media.other.net", all_ports("dropped"))});
    run.add_controls(anchors());
    run.add_controls({hop_at(udp_hop("www.google.com", 10'000, "left_site"), 2, "84.199.10.1"),
                      hop_at(udp_hop("media.other.net", 10'000, "dropped"), died_at)});
    return media_of(run);
  };
  EXPECT_EQ(made(5), Status::unknown);
  EXPECT_EQ(made(2), Status::pass) << "at the same router: it is the destination";
}

// A host whose certificate is wrong is not asked again, but the path check may still greet it.
TEST(Doubt, AGreetingThatIsAnsweredTheSecondTimeArrives) {
  const auto made = [](const std::string& first, const ProbeResult& second) {
    Scene run;
    run.add("web", {tls("www.vendor.com", failed, first)});
    run.add_controls(anchors());
    auto again = second;
    again.probe.with["again"] = "true";
    again.probe.purpose = Purpose::repeat;
    run.add_controls({again});
    return row_of(run.judge(), "web");
  };
  const auto large =
      probe(CheckKind::path, Transport::tls, "www.vendor.com", 443, answered, "full_size");
  const auto arrives = made("tls_timed_out", tls("www.vendor.com"));
  EXPECT_EQ(arrives.status, Status::pass);
  EXPECT_EQ(arrives.summary, "reached on the second try");
  EXPECT_EQ(made("tls_timed_out", large).status, Status::unknown) << "nobody saw its certificate";
  EXPECT_EQ(made("untrusted", large).status, Status::fail);
  EXPECT_EQ(made("tls_timed_out", tls("www.vendor.com", failed, "tls_timed_out")).status,
            Status::fail);
}

// TURN is answered on one port of these hosts, and mute on another: a device takes connections.
TEST(Doubt, ConnectionsThatStandWhereOthersAreMute) {
  const auto made = [](int hosts) {
    Scene run;
    std::vector<ProbeResult> relays;
    for (int i = 0; i < hosts; ++i) {
      const auto host = fmt::format("turn{}.vendor.com", i);
      relays.push_back(turn_tls(host));
      relays.push_back(probe(CheckKind::turn, Transport::tcp, host, 80, failed, "stun_timed_out"));
    }
    run.add("relays", relays);
    run.add("push", {tcp("push.other.net", 5223)});
    run.add_controls(anchors());
    return row_of(run.judge(), "push").status;
  };
  EXPECT_EQ(made(3), Status::unknown);
  EXPECT_EQ(made(1), Status::pass) << "one server may have a port out of order";
}

TEST(Doubt, PortsThatCouldNotBeMeasuredBesideBlockedOnes) {
  const auto made = [](const std::string& others) {
    Scene run;
    const std::string device = others == "prohibited" ? "192.168.1.1" : "";
    run.add("media", {range("media.vendor.com",
                            {{10'000, "left_site"}, {12'000, "left_site"}, {18'000, "silent"}})});
    run.add("others",
            {range("media.other.net",
                   {{10'000, "left_site"}, {14'000, others, device}, {16'000, others, device}})});
    run.add_controls(anchors());
    return media_of(run);
  };
  EXPECT_EQ(made("prohibited"), Status::unknown);
  EXPECT_EQ(made("left_site"), Status::pass);
}

// A router says "time exceeded" before it looks at its rules.
TEST(Doubt, ARouterThatStopsOthersProvesNothing) {
  const auto made = [](const std::string& device) {
    Scene run;
    run.add("media", {range("media.vendor.com", all_ports("left_site", "84.199.10.1"))});
    run.add("sip", {rejected_by(sip_tls("sip.other.net"), device)});
    run.add_controls(anchors());
    return media_of(run);
  };
  EXPECT_EQ(made("84.199.10.1"), Status::unknown);
  EXPECT_EQ(made("10.20.0.1"), Status::pass);
}

// The same flow was turned away further out, and so was media: not by a nearer device.
TEST(Doubt, ARouterBeforeADeviceProvesNothing) {
  const auto made = [](const ProbeResult& other) {
    Scene run;
    run.add("media", {range("media.vendor.com", all_ports("left_site", "84.199.10.1"))});
    run.add("sip", {rejected_by(sip("sip.vendor.com"), "62.4.8.2"), other});
    run.add_controls(anchors());
    run.add_controls({hop_at(udp_hop("sip.vendor.com", 5060, "left_site"), 2, "84.199.10.1")});
    return media_of(run);
  };
  EXPECT_EQ(made(range("media.other.net", {{5004, "prohibited", "62.4.8.2"}})), Status::unknown);
  EXPECT_EQ(made(rejected_by(stun("turn.other.net"), "62.4.8.2")), Status::pass)
      << "one that looks for protocols may be nearer";
}

TEST(Doubt, APortWithinTheRangeThatIsShutForAll) {
  const auto made = [](const std::string& elsewhere) {
    Scene run;
    run.add("media", {range("media.vendor.com", {{10'000, "left_site"}, {20'000, "left_site"}})});
    run.add("others", {range("media.other.net", {{10'000, "left_site"}, {15'000, "dropped"}})},
            Severity::optional);
    run.add_controls(anchors());
    run.add_controls({hop_at(udp_hop("media.other.net", 15'000, "dropped"), 3),
                      hop_at(udp_hop("www.cloudflare.com", 15'000, elsewhere), 3)});
    return media_of(run);
  };
  EXPECT_NE(made("dropped"), Status::pass);
  EXPECT_EQ(made("left_site"), Status::pass);
}

// Media to strangers may die where a list lets the vendor's out: that says nothing of the vendor's.
TEST(Doubt, NotOfAPortWithinTheRangeThatIsShutForStrangers) {
  Scene run;
  run.add("media", {range("media.vendor.com", {{10'000, "left_site"}, {20'000, "left_site"}})});
  run.add_controls(anchors());
  run.add_controls({stun("stun.l.google.com", 19'302, silent),
                    hop_at(udp_hop("stun.l.google.com", 19'302, "dropped"), 3),
                    hop_at(udp_hop("www.cloudflare.com", 19'302, "dropped"), 3)});
  EXPECT_EQ(media_of(run), Status::pass);
}

// A port's packet died, and got out the second time: that proves no more than for other ports.
TEST(Doubt, OfWhatGotOutAfterAll) {
  const auto made = [](Outcome others) {
    Scene run;
    run.add("media", {range("media.vendor.com", {{10'000, "left_site"}, {14'000, "dropped"}})});
    run.add_controls({tls("www.google.com"), tls("www.cloudflare.com"),
                      stun("stun.l.google.com", 19302, others)});
    run.add_controls({hop_at(udp_hop("media.vendor.com", 14'000, "left_site"), 3, "62.4.8.1"),
                      udp_hop("stun.l.google.com", 19302, "left_site", "stun")});
    return media_of(run);
  };
  EXPECT_EQ(made(silent), Status::unknown);
  EXPECT_EQ(made(answered), Status::pass);
}

// Media left, and no reply came back over UDP at all: no way back is proved, whatever was lost.
TEST(Doubt, OfMediaWhereNobodyIsHeardOverUdp) {
  const auto made = [](Outcome outcome) {
    Scene run;
    run.add("media", {range("media.vendor.com", all_ports("left_site"))});
    run.add("stun", {stun("turn.vendor.com", 3478, outcome)}, Severity::optional);
    run.add_controls({tls("www.google.com"), tls("www.cloudflare.com")});
    run.add_controls({hop_at(udp_hop("turn.vendor.com", 3478, "left_site", "stun"), 2)});
    return row_of(run.judge(), "media");
  };
  EXPECT_EQ(made(answered).status, Status::pass);
  const auto open = made(silent);
  EXPECT_EQ(open.status, Status::unknown);
  EXPECT_TRUE(holds(open.summary, "nothing came back from turn.vendor.com (UDP 3478)"));
}

// A relay takes in what we send to it over UDP, and what it sends comes back, or does not.
TEST(Doubt, OfMediaWhereARelayIsNotHeard) {
  const auto made = [](bool comes_back) {
    Scene run;
    run.add("media", {range("media.vendor.com", all_ports("left_site"))});
    run.add("turn",
            {with(with(turn_tls("turn.vendor.com"),
                       {EvidenceKind::relay, "", {{Fact::address, "84.199.1.9"}}}),
                  {EvidenceKind::relay_trip,
                   "",
                   {{Fact::relay_port, std::int64_t{50'000}},
                    {Fact::outbound, true},
                    {Fact::inbound, comes_back}}})},
            Severity::optional);
    run.add_controls({tls("www.google.com"), tls("www.cloudflare.com")});
    return row_of(run.judge(), "media");
  };
  const auto open = made(false);
  EXPECT_EQ(open.status, Status::unknown);
  EXPECT_TRUE(
      holds(open.summary, "84.199.1.9 (UDP 50000) received packets, but its reply did not arrive"));
  EXPECT_EQ(made(true).status, Status::pass);
}

// A device that opens TLS on the way makes every connection itself.
TEST(Doubt, OfAConnectionThatADeviceCarries) {
  const auto made = [](bool opened) {
    const auto greeted = [&](std::string host) {
      return opened ? with_root(tls(std::move(host), answered, "trusted", "CN=Web Gateway"), false)
                    : tls(std::move(host));
    };
    Scene run;
    run.add("push", {tcp("push.vendor.com", 443)});
    run.add("web", {greeted("www.vendor.com")}, Severity::optional);
    run.add_controls({greeted("www.google.com"), greeted("www.cloudflare.com"),
                      stun("stun.l.google.com", 19302)});
    return row_of(run.judge(), "push").status;
  };
  EXPECT_EQ(made(false), Status::pass);
  EXPECT_EQ(made(true), Status::unknown);
}

// A host that could not be measured is left out of the row, but not where its packets died later.
TEST(Doubt, AHostToWhichAPacketDiedIsNotJustUnmeasured) {
  const auto made = [](const std::string& later) {
    Scene run;
    run.add("media", {range("media1.vendor.com", all_ports("left_site")),
                      range("media2.vendor.com", all_ports("silent"))});
    run.add_controls(anchors());
    run.add_controls({hop_at(udp_hop("media2.vendor.com", 10'000, later), 3)});
    return media_of(run);
  };
  EXPECT_EQ(made("dropped"), Status::unknown);
  EXPECT_EQ(made("silent"), Status::pass);
}

// A host that is turned away over TCP, too, is shut as a whole: ports that could not be measured
// are. Another host that is turned away on that TCP port changes nothing: over UDP the port gets
// out.
TEST(Doubt, IsNoneWhereTheHostIsShutAsAWhole) {
  const auto made = [](bool to_others) {
    const std::string device = "10.20.0.1";
    Scene run;
    run.add("media",
            {range("20.1.2.3", all_ports("silent")), range("20.7.2.3", all_ports("left_site"))});
    run.add("stun", {range("20.1.2.3", {{3478, "prohibited", device}}, {3478, 3478}),
                     range("20.7.2.3", {{3478, "left_site"}}, {3478, 3478})});
    run.add("tcp", {rejected_by(tcp_hop("20.1.2.3", 3478, "prohibited"), device)});
    if (to_others) run.add("other", {rejected_by(tcp_hop("20.8.2.3", 3478, "prohibited"), device)});
    run.add_controls(anchors());
    return media_of(run);
  };
  EXPECT_EQ(made(false), Status::fail);
  EXPECT_EQ(made(true), Status::fail);
}

// Ports of others that get out lie between those that are blocked: it is that destination, and a
// port of another that could not be measured is as good as its neighbours.
TEST(Doubt, IsNoneWhereOneDestinationIsBlockedAndNoRange) {
  const std::string device = "10.20.0.1";
  Scene run;
  run.add("media",
          {range("20.7.2.3", {{12'000, "left_site"}, {16'000, "left_site"}, {18'000, "silent"}})});
  run.add("shut", {range("20.1.2.3", {{10'000, "prohibited", device},
                                      {14'000, "prohibited", device},
                                      {18'000, "prohibited", device}})});
  run.add_controls(anchors());
  EXPECT_EQ(media_of(run), Status::pass);
}

// The second round found ports of a range blocked that the first could not measure.
TEST(Doubt, IsNoneWhereTheSecondRoundSawAPartOfTheRangeDie) {
  Scene run;
  run.add("media", {range("media.vendor.com",
                          {{10'000, "left_site"}, {14'000, "silent"}, {16'000, "silent"}})});
  run.add_controls(anchors());
  // Enough that is answered at once to know that the line loses next to nothing.
  for (const auto* host : {"a.other.net", "b.other.net", "c.other.net"}) {
    run.add_controls({stun(host), ntp(host), tls(host)});
  }
  run.add_controls({hop_at(udp_hop("media.vendor.com", 14'000, "dropped"), 3),
                    hop_at(udp_hop("media.vendor.com", 16'000, "dropped"), 3)});
  EXPECT_EQ(media_of(run), Status::fail);
  EXPECT_EQ(run.found(), std::vector<std::string>{"firewall.udp_range_blocked"});
}

}  // namespace
}  // namespace callready
