// What findings ask to let through: the vendor's rules, never what was only sampled of them.
#include "probe/diagnosis/rules_to_allow.hpp"

#include "tests/diagnosis/diagnosis.hpp"

namespace callready::test {
namespace {

FirewallRule rule(std::string row, Transport transport, std::vector<PortRange> ports,
                  std::vector<RulePeer> peers) {
  FirewallRule made;
  made.set = "vendor";
  made.requirements = {row};
  made.titles = {std::move(row)};
  made.sources = {"page 1"};
  made.transport = transport;
  made.ports = std::move(ports);
  made.peers = std::move(peers);
  return made;
}

RulePeer peer(std::string text, PeerKind kind = PeerKind::name) {
  return {std::move(text), kind, "", "", Lifecycle::current};
}

Report with_rules(Report report, std::vector<FirewallRule> rules) {
  for (auto& made : rules) {
    for (auto& row : report.sets.front().requirements) {
      if (row.id == made.requirements.front()) row.rules.push_back(made);
    }
  }
  return report;
}

std::vector<std::string> texts(const std::vector<FirewallRule>& rules) {
  std::vector<std::string> all;
  for (const auto& one : rules) {
    auto text = protocol_in_words(one) + ' ' + ports_in_words(one);
    for (const auto& far : one.peers) text += ' ' + far.text;
    all.push_back(std::move(text));
  }
  return all;
}

using Texts = std::vector<std::string>;

std::vector<RulePeer> turn_servers() {
  return {peer("turn1.vendor.com"), peer("turn2.vendor.com"), peer("turn3.vendor.com"),
          peer("turn4.vendor.com"), peer("turn5.vendor.com")};
}

Report no_udp_to_3478() {
  auto lost = turn("turn1.vendor.com", rejected, "prohibited");
  return with_rules(report({row("turn", {rejected_by(lost, "10.20.0.1"),
                                         rejected_by(turn("turn2.vendor.com"), "10.20.0.1")}),
                            row("web", {tls("www.vendor.com")}), controls(anchors())}),
                    {rule("turn", Transport::udp, {{3478, 3478}}, turn_servers()),
                     rule("turn", Transport::tls, {{443, 443}}, turn_servers())});
}

TEST(RulesToAllow, TheWholeRuleNotWhatWasSampledOfIt) {
  const auto found = diagnose(no_udp_to_3478());
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(texts(found.front().rules),
            Texts{"UDP 3478 turn1.vendor.com turn2.vendor.com turn3.vendor.com turn4.vendor.com "
                  "turn5.vendor.com"});
  EXPECT_TRUE(holds(found.front().fix, "UDP 3478 to 5 names (turn)")) << found.front().fix;
  EXPECT_FALSE(holds(found.front().fix, "turn1.vendor.com")) << found.front().fix;
}

TEST(RulesToAllow, OfARangeInANetworkTheNetworkAndTheRange) {
  auto lost = range("192.0.2.77", all_ports("prohibited", "10.20.0.1"));
  const auto closed = with_rules(
      report({row("media", {lost}), row("web", {tls("www.vendor.com")}), controls(anchors())}),
      {rule(
          "media", Transport::udp, {{10000, 20000}},
          {peer("192.0.2.0/24", PeerKind::network), peer("198.51.100.0/24", PeerKind::network)})});
  const auto found = diagnose(closed);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(texts(found.front().rules), Texts{"UDP 10000-20000 192.0.2.0/24 198.51.100.0/24"});
  EXPECT_FALSE(holds(found.front().fix, "192.0.2.77")) << found.front().fix;
}

TEST(RulesToAllow, OfAnOpenRowTheEntriesThatAreClosed) {
  auto part = report({row("row", {tcp("www.vendor.com", 443), tcp("192.0.2.77", 5061, silent),
                                  tcp("a.files.vendor.com", 5061, silent)})});
  part = with_rules(part, {rule("row", Transport::tcp, {{443, 443}, {5060, 5069}},
                                {peer("www.vendor.com"), peer("192.0.2.0/24", PeerKind::network),
                                 peer("*.files.vendor.com", PeerKind::wildcard)})});
  Probes lost = {&part.probes[1], &part.probes[2]};
  EXPECT_EQ(texts(rules_to_allow(findings::Facts(part), lost)),
            Texts{"TCP 5060-5069 192.0.2.0/24 *.files.vendor.com"});
}

// The row's other hosts may be open: none was tried.
TEST(RulesToAllow, OfAFlowToOneHostItsOwnEntry) {
  auto one = report({row("row", {tcp("a.files.vendor.com", 5061, silent)})});
  one =
      with_rules(one, {rule("row", Transport::tcp, {{443, 443}, {5061, 5061}},
                            {peer("www.vendor.com"), peer("*.files.vendor.com", PeerKind::wildcard),
                             peer("*.mail.vendor.com", PeerKind::wildcard)})});
  const findings::Facts facts(one);
  const Probes lost = {&one.probes[0]};
  EXPECT_EQ(texts(rules_to_allow(facts, lost, FindingCode::firewall_flow_blocked)),
            Texts{"TCP 5061 *.files.vendor.com"});
  EXPECT_EQ(texts(rules_to_allow(facts, lost, FindingCode::firewall_tcp_port_blocked)),
            Texts{"TCP 443, 5061 www.vendor.com *.files.vendor.com *.mail.vendor.com"});
}

TEST(RulesToAllow, RowsThatDifferInTheirPeersOnlyAreOneRule) {
  auto two = report(
      {row("a", {tcp("a.vendor.com", 443, silent)}), row("b", {tcp("b.vendor.com", 443, silent)})});
  two = with_rules(two, {rule("a", Transport::tcp, {{443, 443}}, {peer("a.vendor.com")}),
                         rule("b", Transport::tcp, {{443, 443}}, {peer("b.vendor.com")})});
  const auto rules = rules_to_allow(findings::Facts(two), {&two.probes[0], &two.probes[1]});
  EXPECT_EQ(texts(rules), Texts{"TCP 443 a.vendor.com b.vendor.com"});
  EXPECT_EQ(rules.front().requirements, (Texts{"a", "b"}));
}

// The servers that tell about the NAT are ours: no port is to be opened for them.
TEST(RulesToAllow, NothingIsOpenedForQuestionsOfOurOwn) {
  auto nat =
      probe(CheckKind::nat, Transport::udp, "stun.cloudflare.com", 3478, silent, "timed_out");
  const auto quiet =
      with_rules(report({row("nat", {nat}), row("sip", {sip("sip.vendor.com")}),
                         controls({tls("www.google.com"), tls("www.cloudflare.com"),
                                   stun("stun.l.google.com", 19302), ntp("pool.ntp.org")})}),
                 {rule("sip", Transport::udp, {{5060, 5060}}, {peer("sip.vendor.com")})});
  for (const auto& finding : diagnose(quiet)) {
    EXPECT_FALSE(holds(finding.fix, "cloudflare")) << finding.fix;
    EXPECT_NE(family_of(finding.code), "firewall");
  }
}

TEST(RulesToAllow, PortsThatLeadToTheSamePeersShareASentence) {
  EXPECT_EQ(in_short({rule("a", Transport::udp, {{3478, 3478}}, {peer("t.vendor.com")}),
                      rule("b", Transport::tls, {{443, 443}}, {peer("t.vendor.com")}),
                      rule("c", Transport::tcp, {{80, 80}}, {peer("u.vendor.com")})}),
            "UDP 3478 and TCP 443 to t.vendor.com; TCP 80 to u.vendor.com");
}

TEST(RulesToAllow, APortWithinARangeToTheSamePeersIsNotAskedForTwice) {
  EXPECT_EQ(in_short({rule("a", Transport::udp, {{1025, 65535}}, {peer("t.vendor.com")}),
                      rule("b", Transport::udp, {{1, 65535}}, {peer("t.vendor.com")}),
                      rule("c", Transport::tcp, {{443, 443}}, {peer("u.vendor.com")}),
                      rule("d", Transport::tls, {{80, 80}, {443, 443}}, {peer("u.vendor.com")})}),
            "UDP 1-65535 to t.vendor.com; TCP 80, 443 to u.vendor.com");
}

// A title of one row alone would name the wrong ones.
TEST(RulesToAllow, FewPeersAreNamedAndManyByAllTheirRows) {
  auto sip = rule("sip of a", Transport::udp, {{5060, 5060}},
                  {peer("a.com"), peer("b.com"), peer("c.com"), peer("d.com")});
  sip.titles.push_back("sip of b");
  EXPECT_EQ(in_short({sip}), "UDP 5060 to a.com, b.com, c.com and d.com");
  EXPECT_FALSE(is_cut_short({sip}));
  sip.peers.push_back(peer("e.com"));
  EXPECT_EQ(in_short({sip}), "UDP 5060 to 5 names (sip of a and 1 more)");
  EXPECT_TRUE(is_cut_short({sip}));
}

TEST(RulesToAllow, ManyAreToldBySet) {
  std::vector<FirewallRule> rules;
  for (std::uint16_t i = 0; i < 7; ++i) {
    const auto port = static_cast<std::uint16_t>(5060 + i / 2);
    rules.push_back(rule("row" + std::to_string(i), i % 2 == 0 ? Transport::udp : Transport::tls,
                         {{port, port}}, {peer("host" + std::to_string(i) + ".vendor.com")}));
  }
  const auto set = rules.front().set;
  EXPECT_EQ(in_short(rules),
            "for " + set +
                ": UDP 5060, 5061, 5062, 5063 and TCP 5060, 5061, 5062 (7 rules from "
                "the vendors' documentation)");
  EXPECT_TRUE(is_cut_short(rules));
  rules.pop_back();
  EXPECT_FALSE(is_cut_short(rules)) << in_short(rules);
}

// What is inspected is reached, and is to be exempt all the same: all that the document names.
TEST(RulesToAllow, OfAnInspectionTheWholeRule) {
  const auto opened = [](const char* host) {
    return with_root(tls(host, answered, "trusted", "CN=Site CA"), false);
  };
  const auto seen = with_rules(
      report({row("web", {opened("www.vendor.com"), opened("api.vendor.com")}),
              controls({opened("www.google.com"), opened("www.cloudflare.com")})}),
      {rule("web", Transport::tls, {{443, 443}},
            {peer("www.vendor.com"), peer("api.vendor.com"), peer("files.vendor.com")})});
  const auto found = diagnose(seen);
  ASSERT_FALSE(found.empty());
  ASSERT_EQ(found.front().code, FindingCode::tls_intercepted);
  EXPECT_EQ(texts(found.front().rules),
            Texts{"TCP (TLS) 443 www.vendor.com api.vendor.com files.vendor.com"});
  EXPECT_TRUE(
      holds(found.front().fix, "TCP 443 to www.vendor.com, api.vendor.com and files.vendor.com"))
      << found.front().fix;
}

// "TURN: 2 names" and "all TURN servers: these 2 names and a network" is one line for a firewall.
TEST(RulesToAllow, WhatALargerRuleHoldsIsNotAskedForTwice) {
  auto lost = report({row("near", {tcp("a.vendor.com", 443, silent)}),
                      row("all", {tcp("b.vendor.com", 443, silent)})});
  auto all = rule("all", Transport::tcp, {{443, 443}},
                  {peer("a.vendor.com"), peer("b.vendor.com"), peer("c.vendor.com")});
  all.severity = Severity::recommended;  // so add_rule keeps them apart
  lost = with_rules(lost, {rule("near", Transport::tls, {{443, 443}},
                                {peer("a.vendor.com"), peer("b.vendor.com")}),
                           all});
  const auto rules = rules_to_allow(findings::Facts(lost), {&lost.probes[0], &lost.probes[1]});
  ASSERT_EQ(texts(rules), Texts{"TCP 443 a.vendor.com b.vendor.com c.vendor.com"});
  EXPECT_EQ(rules[0].requirements, (Texts{"near", "all"}));
  EXPECT_EQ(rules[0].severity, Severity::required);
  // Another port is another rule.
  all.ports = {{80, 80}};
  lost =
      with_rules(lost, {rule("near", Transport::tls, {{443, 443}}, {peer("a.vendor.com")}), all});
  EXPECT_EQ(rules_to_allow(findings::Facts(lost), {&lost.probes[0], &lost.probes[1]}).size(), 2u);
}

TEST(RulesToAllow, AMissingFarEndIsNoRule) {
  auto lost = report({row("row", {tcp("www.vendor.com", 443, silent)})});
  lost = with_rules(lost, {rule("row", Transport::tcp, {{443, 443}}, {})});
  EXPECT_TRUE(rules_to_allow(findings::Facts(lost), {&lost.probes[0]}).empty());
}

TEST(RulesToAllow, OnlyCausesThatEndBySomethingBeingLetThrough) {
  for (const auto code : {FindingCode::firewall_udp_blocked, FindingCode::proxy_connect_denied,
                          FindingCode::tls_intercepted}) {
    EXPECT_TRUE(has(code, FindingTrait::asks_to_let_through)) << to_string(code);
  }
  for (const auto code : {FindingCode::dns_filtered, FindingCode::nat_symmetric,
                          FindingCode::proxy_unreachable, FindingCode::vendor_down,
                          FindingCode::firewall_idle_timeout, FindingCode::firewall_rate_limited}) {
    EXPECT_FALSE(has(code, FindingTrait::asks_to_let_through)) << to_string(code);
  }
}

// Two rows, one of them with names that do not resolve, and the same port.
Report with_a_name_that_is_lost(Transport transport, std::uint16_t port) {
  auto seen = report({row("first", {tcp("a.vendor.com", port, silent)}),
                      row("second", {tcp("b.vendor.com", port, Outcome::unresolved)}),
                      row("third", {tcp("c.vendor.com", port, silent), tcp("c.vendor.com", 443)})});
  for (auto& result : seen.probes) {
    if (result.probe.target.port() == port) result.probe.target.transport = transport;
  }
  return with_rules(seen, {rule("first", transport, {{port, port}}, {peer("a.vendor.com")}),
                           rule("second", transport, {{port, port}}, {peer("b.vendor.com")}),
                           rule("second", transport, {{7000, 7000}}, {peer("b.vendor.com")}),
                           rule("third", Transport::tcp, {{443, 443}, {5222, 5223}, {port, port}},
                                {peer("c.vendor.com"), peer("d.vendor.com")})});
}

// Whoever opens one of them need not be asked again for the other, once its name resolves.
TEST(RulesToAllow, WhatACauseClosesIsAskedForThoughItsNamesDoNotResolve) {
  const auto udp = with_a_name_that_is_lost(Transport::udp, 3478);
  const Probes lost = {&udp.probes[0]};
  EXPECT_EQ(texts(rules_to_allow(findings::Facts(udp), lost)), Texts{"UDP 3478 a.vendor.com"});
  EXPECT_EQ(
      texts(rules_to_allow(findings::Facts(udp), lost, FindingCode::firewall_udp_port_blocked)),
      Texts{"UDP 3478 a.vendor.com b.vendor.com"});
  EXPECT_EQ(texts(rules_to_allow(findings::Facts(udp), lost, FindingCode::firewall_udp_blocked,
                                 Closes::udp)),
            (Texts{"UDP 3478 a.vendor.com b.vendor.com", "UDP 7000 b.vendor.com"}));
  // One destination says nothing of the others.
  EXPECT_EQ(
      texts(rules_to_allow(findings::Facts(udp), lost, FindingCode::firewall_destination_blocked)),
      Texts{"UDP 3478 a.vendor.com"});
}

TEST(RulesToAllow, WhatACauseOfALaterEditionClosesIsNobodysElse) {
  auto site = no_udp_to_3478();
  site.probes.clear();
  auto& row = site.sets.front().requirements.front();
  const auto asked = [&](FindingCode code) {
    return rules_to_allow(findings::Facts(site), {}, code).size();
  };
  row.closed_by = FindingCode::firewall_udp_blocked;
  EXPECT_EQ(asked(FindingCode::firewall_udp_blocked), 2u);
  EXPECT_EQ(asked(FindingCode::other), 0u);
  row.closed_by = FindingCode::other;
  EXPECT_EQ(asked(FindingCode::other), 0u);
}

// Of a row that is open in part: every port that the cause closes, to all that the document names.
TEST(RulesToAllow, OfAnOpenRowAllThatTheCauseCloses) {
  const auto tcp_too = with_a_name_that_is_lost(Transport::tcp, 5061);
  const Probes lost = {&tcp_too.probes[2]};
  EXPECT_EQ(texts(rules_to_allow(findings::Facts(tcp_too), lost)), Texts{"TCP 5061 c.vendor.com"});
  EXPECT_EQ(
      texts(rules_to_allow(findings::Facts(tcp_too), lost, FindingCode::firewall_tcp_port_blocked)),
      Texts{"TCP 5061 b.vendor.com c.vendor.com d.vendor.com"});
  const auto web_only = texts(rules_to_allow(findings::Facts(tcp_too), lost,
                                             FindingCode::firewall_web_only, Closes::all_but_web));
  EXPECT_EQ(web_only, (Texts{"TCP 5061 b.vendor.com", "TCP 7000 b.vendor.com",
                             "TCP 5222-5223, 5061 c.vendor.com d.vendor.com"}));
}

// Another host's sample may lack the ports that are closed, and a wide row has others that are
// open.
TEST(RulesToAllow, OfAPartOfARangeAllWhoHaveIt) {
  auto closed = range("192.0.2.77", {{10000, "left_site"}, {18000, "dropped"}, {20000, "dropped"}});
  closed.observation.evidence.push_back(
      {EvidenceKind::udp_block,
       "",
       {{Fact::first, std::int64_t{18000}}, {Fact::last, std::int64_t{20000}}}});
  const auto of_two_hosts = [&](std::uint16_t open_port) {
    return with_rules(
        report({row("media", {closed, range("198.51.100.7", {{open_port, "left_site"}})}),
                row("low", {range("192.0.2.77", {{10000, "left_site"}}, {10000, 11000}),
                            turn("lost.vendor.com", unresolved)})}),
        {rule(
             "media", Transport::udp, {{10000, 20000}},
             {peer("192.0.2.0/24", PeerKind::network), peer("198.51.100.0/24", PeerKind::network)}),
         rule("low", Transport::udp, {{10000, 11000}}, {peer("192.0.2.0/24", PeerKind::network)})});
  };
  const auto asked = [](const Report& site) {
    const Probes lost = {&site.probes[0]};
    return texts(
        rules_to_allow(findings::Facts(site), lost, FindingCode::firewall_udp_range_blocked));
  };
  EXPECT_EQ(asked(of_two_hosts(12000)), Texts{"UDP 10000-20000 192.0.2.0/24 198.51.100.0/24"});
  EXPECT_EQ(asked(of_two_hosts(19000)), Texts{"UDP 10000-20000 192.0.2.0/24"});
}

// Without rules in the report, what was tried is named.
TEST(RulesToAllow, AnOlderReportNamesWhatWasTried) {
  auto old = no_udp_to_3478();
  for (auto& row : old.sets.front().requirements) row.rules.clear();
  const auto found = diagnose(old);
  ASSERT_FALSE(found.empty());
  EXPECT_TRUE(holds(found.front().fix, "UDP 3478 to turn1.vendor.com and turn2.vendor.com"))
      << found.front().fix;
  EXPECT_TRUE(found.front().rules.empty());
}

}  // namespace
}  // namespace callready::test
