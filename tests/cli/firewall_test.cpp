// The rules to ask a firewall team for: golden files in tests/golden/firewall, and the rules of
// grouping one by one.
//
// CALLREADY_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before you commit it.
#include "reports/firewall/firewall.hpp"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "reports/firewall/export.hpp"
#include "tests/plan/plan_text.hpp"
#include "tests/support/source_folder.hpp"

namespace callready {
namespace {

void expect_golden(const std::string& name, const std::string& text) {
  const auto path = test::source_folder() + "/tests/golden/firewall/" + name;
  if (std::getenv("CALLREADY_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  EXPECT_EQ(text, test::read_file(path)) << path;
}

FirewallList rules_for(const TargetSet& set, FirewallOptions options = {}) {
  if (options.scenarios.empty()) options.scenarios = active_scenarios(set, {});
  return firewall_rules(set, options);
}

std::string markdown(const FirewallList& list, bool only_missing = false) {
  FirewallPage page;
  page.only_missing = only_missing;
  return firewall_markdown({list}, page);
}
std::string csv(const FirewallList& list) { return firewall_csv({list}, {}); }

TEST(Firewall, AsAFirewallTeamReadsIt) {
  expect_golden("quicklink.md", markdown(rules_for(test::vendor_set("quicklink"))));
  expect_golden("rainbow.md", markdown(rules_for(test::vendor_set("rainbow"))));
  expect_golden("librestream.csv", csv(rules_for(test::vendor_set("librestream"))));
  expect_golden("rainbow.txt", firewall_text({rules_for(test::vendor_set("rainbow"))}, {}));
  expect_golden("itracks.json", firewall_json({rules_for(test::vendor_set("itracks"))}, {}));
}

// No destination that a vendor's document gives is left out of what the firewall team gets.
TEST(Firewall, HoldsEveryDestinationOfEverySet) {
  for (const auto* id :
       {"cloudoe", "itracks", "librestream", "quicklink", "rainbow", "webex-partner"}) {
    const auto set = test::vendor_set(id);
    FirewallOptions options;
    for (const auto& scenario : set.scenarios) options.scenarios.push_back(scenario.id);
    const auto list = rules_for(set, options);
    std::set<std::string> rows, destinations;
    for (const auto* rules : {&list.rules, &list.unfinished, &list.removed}) {
      for (const auto& rule : *rules) {
        rows.insert(rule.requirements.begin(), rule.requirements.end());
        EXPECT_FALSE(rule.sources.empty()) << id << ' ' << rule.requirements.front();
        for (const auto& peer : rule.peers) destinations.insert(peer.text);
      }
    }
    for (const auto& row : set.requirements) {
      if (row.check == CheckKind::nat || row.check == CheckKind::sip_alg)
        continue;  // our own questions
      EXPECT_TRUE(rows.contains(row.id)) << id << ' ' << row.id;
      if (row.check == CheckKind::dns) continue;  // its hosts are the names to ask for
      for (const auto& host : row.hosts) {
        EXPECT_TRUE(destinations.contains(host.name) || host.name.starts_with('$'))
            << id << ' ' << host.name;
      }
      for (const auto& block : row.addresses) {
        EXPECT_TRUE(destinations.contains(block.to_string())) << id << ' ' << block.to_string();
      }
      for (const auto& wildcard : row.wildcards) {
        EXPECT_TRUE(destinations.contains(wildcard.pattern)) << id << ' ' << wildcard.pattern;
      }
      for (const auto& tag : row.service_tags) EXPECT_TRUE(destinations.contains(tag)) << tag;
    }
  }
}

TargetSet set_of(const std::string& rows) {
  const auto id = rows.substr(rows.find("id: ") + 4, rows.find(',') - rows.find("id: ") - 4);
  return test::load(
      "schema: callready.targets/1\nid: small\ntitle: Small\nvendor: Nobody\nedition: \"1\"\n"
      "document: A table\nverified: 2026-11-20\n"
      "scenarios: [{ id: day, title: Day, default: true }, { id: night, title: Night }]\n"
      "regions: [{ id: north, title: North }, { id: south, title: South }]\n"
      "variables: [{ name: pbx, title: Address of your PBX, example: 10.1.2.3 }]\n"
      "capabilities: [{ id: all, title: All, needs: [" +
          id + "] }]\nrequirements:\n" + rows,
      "small");
}

constexpr auto two_rows =
    "  - { id: web, title: Web, purpose: Pages, source: s1, check: tls, transport: [tls], "
    "ports: [443], hosts: [{ name: a.example.com, region: north }, { name: b.example.com, "
    "region: south }] }\n"
    "  - { id: files, title: Files, purpose: Sharing, source: s2, check: tls, transport: [tls], "
    "ports: [443], hosts: [a.example.com, c.example.com] }\n"
    "  - { id: media, title: Media, source: s3, severity: optional, check: udp-range, transport: "
    "[udp], ports: [10000-20000], hosts: [m.example.com] }\n";

std::vector<std::string> texts(const FirewallRule& rule) {
  std::vector<std::string> all;
  for (const auto& peer : rule.peers) all.push_back(peer.text);
  return all;
}

TEST(Firewall, RowsThatDifferInTheirDestinationsOnlyAreOneRule) {
  const auto list = rules_for(set_of(two_rows));
  ASSERT_EQ(list.rules.size(), 2u);
  EXPECT_EQ(list.rules[0].requirements, (std::vector<std::string>{"web", "files"}));
  EXPECT_EQ(texts(list.rules[0]),
            (std::vector<std::string>{"a.example.com", "b.example.com", "c.example.com"}));
  EXPECT_EQ(list.rules[0].sources, (std::vector<std::string>{"s1", "s2"}));
  EXPECT_EQ(protocol_in_words(list.rules[0]), "TCP (TLS)");
  EXPECT_EQ(protocol_in_words(list.rules[1]), "UDP");
  EXPECT_EQ(list.scenarios, (std::vector<std::string>{"Day", "Night"}))
      << "without rows of its own";
}

TEST(Firewall, RegionsLeaveOthersOut) {
  FirewallOptions options;
  options.regions = {"north"};
  EXPECT_EQ(texts(rules_for(set_of(two_rows), options).rules[0]),
            (std::vector<std::string>{"a.example.com", "c.example.com"}));
}

TEST(Firewall, WhatOnlyTheCustomerKnowsIsCalledTheirs) {
  const auto list = rules_for(
      set_of("  - { id: row, title: T, source: s, check: tcp, transport: [tcp], ports: [8443], "
             "addresses: [\"${pbx}\"] }\n"));
  ASSERT_EQ(list.rules.size(), 1u);
  ASSERT_EQ(list.rules[0].peers.size(), 1u);
  EXPECT_EQ(list.rules[0].peers[0].text, "Address of your PBX (yours: --var pbx=...)");
  EXPECT_EQ(list.rules[0].peers[0].kind, PeerKind::yours);
}

TEST(Firewall, WhatIsRequiredComesFirstAndYourOwnServersStandApart) {
  const auto list = rules_for(set_of(
      "  - { id: row, title: T, source: s, severity: optional, check: tcp, transport: [tcp], "
      "ports: [1], hosts: [a.example.com] }\n"
      "  - { id: own, title: T, source: s, severity: optional, vantage: [phone], check: tcp, "
      "transport: [tcp], ports: [2], addresses: [\"${pbx}\"] }\n"
      "  - { id: less, title: T, source: s, severity: optional, vantage: [phone], check: tcp, "
      "transport: [tcp], ports: [3], hosts: [b.example.com] }\n"
      "  - { id: most, title: T, source: s, vantage: [phone], check: tcp, transport: [tcp], "
      "ports: [4], hosts: [c.example.com] }\n"));
  std::vector<std::string> order;
  for (const auto& rule : list.rules) order.push_back(rule.requirements.at(0));
  EXPECT_EQ(order, (std::vector<std::string>{"most", "less", "row", "own"}));
  const auto text = markdown(list);
  EXPECT_NE(text.find("### From phone to the Internet\n"), std::string::npos) << text;
  EXPECT_NE(text.find("### From phone to your own servers\n"), std::string::npos) << text;
}

// A multicast group, a private network and "apps of other users" are not the Internet.
TEST(Firewall, WhatStaysOnTheSitesNetworkStandsApart) {
  const auto list = rules_for(
      set_of("  - { id: group, title: T, source: s, unprobed: u, transport: [udp], ports: [1], "
             "addresses: [224.0.1.75, 239.1.0.0/16] }\n"
             "  - { id: peers, title: T, source: s, unprobed: u, transport: [udp], ports: [2], "
             "local_peers: [apps of other users] }\n"
             "  - { id: out, title: T, source: s, unprobed: u, transport: [udp], ports: [3], "
             "addresses: [192.0.2.0/24] }\n"));
  EXPECT_TRUE(list.unfinished.empty());
  ASSERT_EQ(list.rules.size(), 3u);
  for (const auto& rule : list.rules) {
    EXPECT_EQ(stays_at_home(rule), rule.requirements.at(0) != "out") << rule.requirements.at(0);
  }
  EXPECT_NE(markdown(list).find("apps of other users"), std::string::npos);
}

TEST(Firewall, AFallbackSaysWhatItStandsInFor) {
  auto set = set_of(two_rows);
  set.capabilities.at(0).needs = {{{{"web"}, {"media"}}, false, 1}, {{{"files"}}, false, 1}};
  const auto media = [&] { return rules_for(set).rules.at(1); };
  ASSERT_EQ(media().requirements, std::vector<std::string>{"media"});
  EXPECT_EQ(media().fallback_for, std::vector<std::string>{"Web"});
  EXPECT_NE(csv(rules_for(set)).find("a fallback for: Web"), std::string::npos);
  set.capabilities.at(0).needs.at(0).equal = true;
  EXPECT_TRUE(media().fallback_for.empty());
  // One need that wants it first is enough.
  set.capabilities.at(0).needs.at(0).equal = false;
  set.capabilities.at(0).needs.push_back({{{"media"}}, false, 1});
  EXPECT_TRUE(media().fallback_for.empty());
}

// A LAN peer, an inbound row without its other end, a network without a port: what the document
// does not say is for the customer to fill in, and no rule from any to any.
TEST(Firewall, WhatTheDocumentLeavesOpenIsNoRuleToAny) {
  const auto list = rules_for(set_of(
      "  - { id: row, title: Lan, source: s, unprobed: because, transport: [udp], "
      "ports: [1-65535] }\n"
      "  - { id: ssh, title: Ssh, source: s, direction: in, unprobed: inbound, transport: [tcp], "
      "ports: [22] }\n"
      "  - { id: link, title: Link, source: s, unprobed: private, addresses: [192.0.2.1] }\n"));
  EXPECT_TRUE(list.rules.empty());
  ASSERT_EQ(list.unfinished.size(), 3u);
  const auto text = markdown(list);
  EXPECT_NE(text.find("- required: Lan (UDP port 1-65535): because (s)"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("the Internet"), std::string::npos) << text;
  EXPECT_EQ(text.find("Nothing is missing"), std::string::npos) << text;
  for (const auto& format : firewall_formats()) {
    if (!format.for_devices) continue;
    auto commands = format.render({list}, {});
    if (format.name == "opnsense") commands.erase(0, commands.find("\"aliases\""));
    std::istringstream lines(commands);
    for (std::string line; std::getline(lines, line);) {
      const bool comment = line.starts_with('#') || line.starts_with('!');
      EXPECT_TRUE(comment || line.find("192.0.2.1") == line.npos) << format.name << ": " << line;
    }
  }
}

TEST(Firewall, InboundRulesKeepSourceAndDestinationApart) {
  const auto list = rules_for(
      set_of("  - { id: row, title: T, source: s, direction: in, unprobed: u, transport: [tcp], "
             "ports: [5061], addresses: [192.0.2.0/24] }\n"));
  ASSERT_EQ(list.rules.size(), 1u);
  EXPECT_NE(markdown(list).find("| TCP | 192.0.2.0/24 | any | this site | 5061 |"),
            std::string::npos);
  EXPECT_NE(csv(list).find(",TCP,192.0.2.0/24,any,this site,5061,network,"), std::string::npos);
  const auto json = nlohmann::json::parse(firewall_json({list}, {}));
  const auto& rule = json["sets"][0]["rules"][0];
  EXPECT_EQ(rule["sources_of_traffic"][0]["text"], "192.0.2.0/24");
  EXPECT_FALSE(rule.contains("destinations"));
  EXPECT_NE(find_firewall_format("nftables")
                ->render({list}, {})
                .find("ip saddr { 192.0.2.0/24 } tcp dport { 5061 }"),
            std::string::npos);
  EXPECT_NE(find_firewall_format("fortigate")
                ->render({list}, {})
                .find("set srcaddr \"cr-small-intcp5061\""),
            std::string::npos);
}

TEST(Firewall, ANoteStandsOnceBelow) {
  const auto list = rules_for(set_of(
      "  - { id: row, title: T, source: s, note: Ask first., check: tcp, transport: [tcp], "
      "ports: [1], hosts: [a.example.com, b.example.com] }\n"
      "  - { id: other, title: U, source: s, note: Ask first., check: tcp, transport: [tcp], "
      "ports: [2], hosts: [a.example.com] }\n"));
  for (const auto& text : {markdown(list), csv(list)}) {
    std::size_t count = 0;
    for (auto at = text.find("Ask first."); at != text.npos; at = text.find("Ask first.", at + 1)) {
      ++count;
    }
    EXPECT_LE(count, list.rules.size()) << text;
  }
  EXPECT_NE(markdown(list).find("- Rules 1, 2: Ask first."), std::string::npos);
}

TEST(Firewall, WhatWasRemovedIsNoRule) {
  const auto list =
      rules_for(set_of("  - { id: row, title: T, source: s, lifecycle: removed, unprobed: gone, "
                       "addresses: [192.0.2.1] }\n"));
  EXPECT_TRUE(list.rules.empty());
  ASSERT_EQ(list.removed.size(), 1u);
  EXPECT_EQ(texts(list.removed[0]), std::vector<std::string>{"192.0.2.1"});
}

// --- What is still missing ----------------------------------------------------------------------

struct Seen {
  SetResult result;
  std::vector<ProbeResult> probes;
  std::vector<Finding> findings;

  void add(const std::string& row, const std::string& host, Transport transport, std::uint16_t port,
           Outcome outcome, Status status = Status::unknown) {
    ProbeResult probe;
    probe.probe.check = CheckKind::tcp;
    probe.probe.target.host = host;
    probe.probe.target.ports = {port, port};
    probe.probe.target.transport = transport;
    probe.probe.id = probe_id(probe.probe);
    probe.observation.outcome = outcome;
    auto known = std::find_if(result.requirements.begin(), result.requirements.end(),
                              [&](const auto& one) { return one.id == row; });
    if (known == result.requirements.end()) {
      RequirementResult fresh;
      fresh.id = row;
      fresh.status = status;
      known = result.requirements.insert(known, fresh);
    }
    known->probes.push_back(probe.probe.id);
    probes.push_back(probe);
  }
  FirewallList missing(const TargetSet& set) const {
    FirewallOptions options;
    options.missing = &result;
    options.probes = probes;
    options.findings = findings;
    return rules_for(set, options);
  }
};

TEST(MissingRules, ARowOfWhichNothingWasReachedIsWhole) {
  Seen seen;
  seen.add("web", "a.example.com", Transport::tls, 443, Outcome::silent, Status::fail);
  const auto list = seen.missing(set_of(two_rows));
  ASSERT_EQ(list.rules.size(), 1u);
  EXPECT_EQ(texts(list.rules[0]), (std::vector<std::string>{"a.example.com", "b.example.com"}));
  EXPECT_EQ(list.rules[0].state, RuleState::closed);
}

TEST(MissingRules, OfAnOpenRowOnlyWhatWasNotReached) {
  Seen seen;
  seen.add("web", "a.example.com", Transport::tls, 443, Outcome::answered);
  seen.add("web", "b.example.com", Transport::tls, 443, Outcome::rejected);
  seen.add("files", "c.example.com", Transport::tls, 443, Outcome::refused);
  const auto list = seen.missing(set_of(two_rows));
  ASSERT_EQ(list.rules.size(), 1u) << "a server that refuses itself is no firewall's fault";
  EXPECT_EQ(texts(list.rules[0]), std::vector<std::string>{"b.example.com"});
  EXPECT_EQ(ports_in_words(list.rules[0]), "443");
}

TEST(MissingRules, WhatTheServerItselfGotWrongIsOpen) {
  Seen seen;
  seen.add("web", "a.example.com", Transport::tls, 443, Outcome::failed, Status::fail);
  seen.probes.back().observation.detail = DetailCode::expired;
  EXPECT_TRUE(seen.missing(set_of(two_rows)).rules.empty());
  seen.probes.back().observation.detail = DetailCode::connection_reset;
  EXPECT_EQ(seen.missing(set_of(two_rows)).rules.size(), 1u);
}

// Whoever inspects TLS lets it out: there is nothing to open.
TEST(MissingRules, WhatIsInspectedIsOpen) {
  Seen seen;
  seen.add("web", "a.example.com", Transport::tls, 443, Outcome::failed, Status::fail);
  auto& observation = seen.probes.back().observation;
  observation.detail = DetailCode::connection_reset;
  observation.evidence = {{EvidenceKind::certificate, "issued by Proxy CA", {}}};
  EXPECT_TRUE(seen.missing(set_of(two_rows)).rules.empty());
  observation.evidence.clear();
  EXPECT_EQ(seen.missing(set_of(two_rows)).rules.size(), 1u);
}

TEST(MissingRules, SilenceOfAMediaRangeIsNotCalledClosed) {
  Seen seen;
  seen.add("media", "m.example.com", Transport::udp, 10000, Outcome::silent);
  const auto list = seen.missing(set_of(two_rows));
  ASSERT_EQ(list.rules.size(), 1u);
  EXPECT_EQ(list.rules[0].state, RuleState::not_proved_open);
  EXPECT_EQ(ports_in_words(list.rules[0]), "10000-20000");
}

// What one transport showed says nothing of the other: neither a refusal, nor the row that fails by
// it.
TEST(MissingRules, EachTransportIsJudgedByItself) {
  const auto set = set_of(
      "  - { id: turn, title: T, source: s, check: turn, transport: [udp, tcp], ports: [3478], "
      "hosts: [a.example.com, b.example.com] }\n");
  Seen seen;
  const auto states = [&] {
    std::map<std::string, RuleState> found;
    for (const auto& rule : seen.missing(set).rules) found[protocol_in_words(rule)] = rule.state;
    return found;
  };
  seen.add("turn", "a.example.com", Transport::udp, 3478, Outcome::silent, Status::fail);
  seen.add("turn", "a.example.com", Transport::tcp, 3478, Outcome::silent);
  using enum RuleState;
  using States = std::map<std::string, RuleState>;
  EXPECT_EQ(states(), (States{{"UDP", closed}, {"TCP", closed}})) << "by whatever the report knows";
  seen.probes[1].observation.outcome = Outcome::rejected;
  EXPECT_EQ(states(), (States{{"UDP", not_proved_open}, {"TCP", closed}}));
  seen.probes[1].observation.outcome = Outcome::refused;
  EXPECT_EQ(states(), (States{{"UDP", not_proved_open}})) << "the server's own";
  seen.probes[1].observation.outcome = Outcome::silent;
  seen.probes[0].observation.detail = DetailCode::dropped;
  EXPECT_EQ(states(), (States{{"UDP", closed}, {"TCP", not_proved_open}}));
  seen.probes[0].observation.detail = {};
  Finding finding;
  finding.code = FindingCode::firewall_udp_blocked;
  for (const auto& rule : rules_for(set).rules) {
    if (rule.transport == Transport::udp) finding.rules.push_back(rule);
  }
  seen.findings = {finding};
  EXPECT_EQ(states(), (States{{"UDP", closed}, {"TCP", not_proved_open}}));
}

TEST(MissingRules, AHostThatIsClosedOverOneTransportIsNotMissingOverTheOther) {
  const auto set = set_of(
      "  - { id: turn, title: T, source: s, check: turn, transport: [udp, tcp], ports: [3478], "
      "hosts: [a.example.com, b.example.com] }\n");
  Seen seen;
  seen.add("turn", "a.example.com", Transport::udp, 3478, Outcome::answered);
  seen.add("turn", "b.example.com", Transport::udp, 3478, Outcome::silent);
  seen.add("turn", "a.example.com", Transport::tcp, 3478, Outcome::rejected);
  seen.add("turn", "b.example.com", Transport::tcp, 3478, Outcome::answered);
  for (const auto& rule : seen.missing(set).rules) {
    EXPECT_EQ(texts(rule),
              std::vector<std::string>{rule.transport == Transport::udp ? "b.example.com"
                                                                        : "a.example.com"});
  }
}

// The finding says what its cause closes: rows that nobody could try, and resets in a server's
// name.
TEST(MissingRules, WhatAFindingAsksForIsMissing) {
  const auto set = set_of(two_rows);
  Seen seen;
  seen.add("web", "a.example.com", Transport::tls, 443, Outcome::refused, Status::fail);
  seen.add("media", "m.example.com", Transport::udp, 10000, Outcome::unresolved);
  EXPECT_TRUE(seen.missing(set).rules.empty());
  Finding finding;
  finding.code = FindingCode::firewall_udp_blocked;
  finding.owner = Owner::network;
  for (const auto& rule : rules_for(set).rules) finding.rules.push_back(rule);
  std::erase_if(finding.rules[0].peers, [](const auto& peer) { return peer.text[0] == 'b'; });
  seen.findings = {finding};
  const auto list = seen.missing(set);
  ASSERT_EQ(list.rules.size(), 2u);
  EXPECT_EQ(texts(list.rules[0]), (std::vector<std::string>{"a.example.com", "c.example.com"}));
  EXPECT_EQ(texts(list.rules[1]), std::vector<std::string>{"m.example.com"});
  EXPECT_EQ(ports_in_words(list.rules[1]), "10000-20000");
  EXPECT_EQ(list.rules[1].state, RuleState::closed);
  // Whoever runs the far end, a filter of names and a proxy have nothing to open here.
  seen.findings[0].owner = Owner::vendor;
  EXPECT_TRUE(seen.missing(set).rules.empty());
  seen.findings[0].owner = Owner::network;
  seen.findings[0].code = FindingCode::tls_intercepted;
  EXPECT_TRUE(seen.missing(set).rules.empty());
}

TEST(MissingRules, NothingIsMissingWhereAllIsOpen) {
  Seen seen;
  seen.add("web", "a.example.com", Transport::tls, 443, Outcome::answered, Status::pass);
  seen.add("files", "c.example.com", Transport::tls, 443, Outcome::unresolved);
  const auto list = seen.missing(set_of(two_rows));
  EXPECT_TRUE(list.rules.empty());
  EXPECT_NE(markdown(list, true).find("Nothing is missing"), std::string::npos);
}

// Of what was not tried, or has no address here, nobody knows that it is open.
TEST(MissingRules, NothingIsCalledOpenThatWasNotReached) {
  Seen seen;
  seen.add("web", "a.example.com", Transport::tls, 443, Outcome::unresolved, Status::fail);
  seen.add("media", "m.example.com", Transport::udp, 10000, Outcome::skipped);
  auto list = seen.missing(set_of(two_rows));
  ASSERT_TRUE(list.rules.empty());
  FirewallPage page;
  page.only_missing = true;
  const auto said = [&] { return markdown(list, true) + firewall_text({list}, page); };
  EXPECT_EQ(said().find("is open"), std::string::npos) << said();
  EXPECT_EQ(said().find("Nothing needs to be opened"), std::string::npos) << said();
  EXPECT_NE(firewall_text({list}, page).find("Nothing is missing, as far as the report shows."),
            std::string::npos);
  // Closed rows that --required-only leaves out are missing, too.
  list.not_required = 1;
  EXPECT_EQ(said().find("Nothing is missing"), std::string::npos) << said();
}

TEST(Firewall, SaysNothingOfAReportThatWasNotAskedFor) {
  const auto text = markdown(FirewallList{});
  EXPECT_NE(text.find("There are no rules."), std::string::npos) << text;
  EXPECT_EQ(text.find("issing"), std::string::npos) << text;
}

TEST(Firewall, MarkdownHoldsNoMarkupOfTheSets) {
  const auto list = rules_for(
      set_of("  - { id: row, title: T, purpose: \"<img src=x> | [a](http://b)\", source: s, "
             "check: tcp, transport: [tcp], ports: [1], hosts: [a.example.com] }\n"));
  const auto text = markdown(list);
  EXPECT_NE(text.find("\\<img src=x\\> \\| \\[a\\](http\\://b)"), std::string::npos) << text;
}

// A saved report may call its set anything; so may the name of a list that is made of it.
TEST(Firewall, MarkdownHoldsNothingOfAHostileSetsId) {
  auto list = rules_for(set_of(
      "  - { id: web, title: Web, source: s1, check: tls, transport: [tls], ports: [443], "
      "hosts: [a.example.com, b.example.com, c.example.com, d.example.com, e.example.com] }\n"));
  list.set = "<b>\x1b[31m";
  const auto text = markdown(list);
  EXPECT_NE(text.find("list \\<b\\>\\\\x1b\\[31m-1: 5 names"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Firewall, JsonIsWhole) {
  const auto json = nlohmann::json::parse(firewall_json({rules_for(set_of(two_rows))}, {}));
  EXPECT_EQ(json["schema"], "callready.firewall/1");
  EXPECT_EQ(json["sets"][0]["rules"].size(), 2u);
  EXPECT_EQ(json["sets"][0]["rules"][0]["destinations"][0]["region"], "north");
  EXPECT_FALSE(json["sets"][0]["rules"][0].contains("state"));
}

// A set that leans on another, as the catalog completes it.
TargetSet leaning(const std::string& id) {
  auto set = set_of(two_rows);
  set.id = set.title = id;
  auto sign_in = set.requirements[0];
  sign_in.id = "sign-in";
  sign_in.of_set = "login";
  sign_in.title = "Login";
  sign_in.hosts = {{"login.example.net", "", Lifecycle::current, ""}};
  set.requirements.push_back(sign_in);
  SetHead head;
  head.id = "login";
  head.title = "Sign-in of Example";
  head.document = "Login's page";
  head.evidence = SourceQuality::second_hand;
  head.evidence_note = "A copy.";
  head.published = "2016-07";
  set.leans_on.push_back(head);
  return set;
}

TEST(Firewall, WhatTwoSetsLeanOnStandsOnce) {
  FirewallOptions options;
  options.today = "2026-11-23";
  std::vector<FirewallList> lists;
  for (const auto* id : {"one", "two"}) add_firewall_lists(lists, leaning(id), options);
  ASSERT_EQ(lists.size(), 3u);
  EXPECT_EQ(lists[0].set, "one");
  EXPECT_EQ(lists[0].rules.size(), 2u) << "its own";
  EXPECT_EQ(lists[1].set, "login");
  EXPECT_EQ(lists[1].needed_by, (std::vector<std::string>{"one", "two"}));
  ASSERT_EQ(lists[1].rules.size(), 1u);
  EXPECT_EQ(texts(lists[1].rules[0]), std::vector<std::string>{"login.example.net"});
  EXPECT_EQ(lists[2].set, "two");
  const auto text = firewall_text(lists, {});
  EXPECT_NE(text.find("Needed by: one, two."), std::string::npos) << text;
  EXPECT_EQ(text.find("login.example.net"), text.rfind("login.example.net"));
}

// Nobody opens a firewall by what somebody wrote down, or by an old page, without knowing it.
TEST(Firewall, SaysWhatIsSecondHandOrOldInEveryForm) {
  FirewallOptions options;
  options.today = "2026-11-23";
  std::vector<FirewallList> lists;
  add_firewall_lists(lists, leaning("one"), options);
  const auto old = "The document is 10 years old (published 2016-07)";
  for (const auto* name : {"text", "markdown", "json"}) {
    auto text = find_firewall_format(name)->render(lists, {});
    std::replace(text.begin(), text.end(), '\n', ' ');
    EXPECT_NE(text.find("a second-hand list: A copy."), std::string::npos) << text;
    EXPECT_NE(text.find(old), std::string::npos) << text;
  }
  const auto table = firewall_csv(lists, {});
  EXPECT_NE(table.find("from a second-hand list"), std::string::npos);
  EXPECT_NE(table.find(old), std::string::npos);
  EXPECT_EQ(table.find(old), table.rfind(old)) << "once";
  for (const auto* name :
       {"list", "fortigate", "paloalto", "cisco-asa", "pfsense", "opnsense", "nftables"}) {
    const auto text = find_firewall_format(name)->render(lists, {});
    EXPECT_NE(text.find("second-hand: Login"), std::string::npos) << name << '\n' << text;
    EXPECT_EQ(text.find("second-hand: Web"), std::string::npos) << "the vendor's own";
  }
  EXPECT_NE(firewall_markdown({lists[0]}, {}).find("Source: A table, undated"), std::string::npos);
  const auto doubts = doubts_of(lists[1]);
  ASSERT_EQ(doubts.size(), 2u);
  EXPECT_EQ(doubts[0], "From a second-hand list: A copy.");
  EXPECT_TRUE(doubts[1].starts_with(old));
}

// A device's comment is short: what is doubtful of it comes first, and is said once where all is.
TEST(Firewall, MarksOfDoubtfulRowsAreNotCutOff) {
  auto set = set_of(two_rows);
  set.requirements.at(0).title = "Web site's pages, " + std::string(80, 'x');
  set.requirements.at(1).evidence = SourceQuality::second_hand;
  EXPECT_EQ(for_devices({rules_for(set)}).at(0).title.substr(0, 42),
            "second-hand: Files, Web site pages, xxxxxx");
  set.requirements.at(0).evidence = SourceQuality::second_hand;
  set.requirements.at(0).title = "Web";
  EXPECT_EQ(for_devices({rules_for(set)}).at(0).title, "second-hand: Web, Files");
}

TEST(Firewall, OnlyWhatIsRequired) {
  FirewallOptions options;
  options.required_only = true;
  const auto list = rules_for(set_of(two_rows), options);
  ASSERT_EQ(list.rules.size(), 1u);
  EXPECT_EQ(list.not_required, 1u);
  for (const auto* name : {"text", "markdown", "nftables", "fortigate"}) {
    const auto text = find_firewall_format(name)->render({list}, {});
    EXPECT_NE(text.find("1 row that the document does not require"), std::string::npos) << text;
    EXPECT_EQ(text.find("10000"), std::string::npos) << text;
  }
}

std::string file_of(const char* format, const FirewallList& list, FirewallPage page = {}) {
  return find_firewall_format(format)->render({list}, page);
}

constexpr auto same_way =
    "  - { id: a, title: Alpha, source: s, check: tcp, transport: [tcp], ports: [443], "
    "source_ports: [49152-65535], hosts: [a.example.com] }\n"
    "  - { id: b, title: Beta, source: s, severity: optional, check: tls, transport: [tls], "
    "ports: [443], hosts: [b.example.com], addresses: [192.0.2.0/24] }\n"
    "  - { id: c, title: Gamma, source: s, check: udp-range, transport: [udp], ports: "
    "[5000-5100], wildcards: [{ pattern: \"*.example.net\", examples: [x.example.net] }] }\n";

FirewallList one_way() {
  auto set = set_of(same_way);
  // A pattern that no device takes.
  set.requirements[1].wildcards.push_back({"b-*.example.com", {}});
  return rules_for(set);
}

// One rule for each way out, called by it: a newer edition's takes the place of the older one's.
TEST(FirewallFiles, RowsOfOneWayAreOneRule) {
  const auto rules = for_devices({one_way()});
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].name, "cr-small-tcp443");
  EXPECT_EQ(rules[0].title, "Alpha, Beta");
  EXPECT_EQ(rules[0].peers.size(), 3u);
  EXPECT_EQ(rules[1].name, "cr-small-udp5000-5100");
}

TEST(FirewallFiles, SetsWhoseNamesBeginAlikeHaveRulesOfTheirOwn) {
  auto one = one_way(), other = one_way();
  one.set = "twilio-sip-trunking";
  other.set = "twilio-voice-sdk";
  const auto first = for_devices({one}), second = for_devices({other});
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NE(first[i].name, second.at(i).name);
  EXPECT_LE(first[1].name.size(), 24u);
  EXPECT_TRUE(first[1].name.starts_with("cr-twil")) << first[1].name;
  EXPECT_TRUE(first[1].name.ends_with("-udp5000-5100")) << first[1].name;
}

TEST(FirewallFiles, HostsWhoseNamesBeginAlikeAreObjectsOfTheirOwn) {
  auto set = set_of(two_rows);
  const auto label = std::string(60, 'a');
  auto& hosts = set.requirements.at(0).hosts;
  hosts.at(0).name = label + ".one.example.com";
  hosts.at(1).name = label + ".two.example.com";
  const auto peers = for_devices({rules_for(set)}).at(0).peers;
  ASSERT_GE(peers.size(), 2u);
  EXPECT_NE(peers[0].object, peers[1].object);
  for (const auto& peer : peers) EXPECT_LE(peer.object.size(), 63u);
}

TEST(FirewallFiles, EachSaysWhatItIs) {
  FirewallPage page;
  page.date = "2026-11-23";
  for (const auto& format : firewall_formats()) {
    if (!format.for_devices || format.no_comments) continue;
    auto text = file_of(std::string(format.name).c_str(), one_way(), page);
    for (const auto* part :
         {"on 2026-11-23", "Small (1)", "Left out, and yours to add:", "b-*.example.com",
          "Beta (optional)", "cr-small-tcp443: 49152-65535"}) {
      EXPECT_NE(text.find(part), std::string::npos) << format.name << ": " << part << '\n' << text;
    }
    const bool loaded = format.name == "nftables" || format.name == "list";
    EXPECT_EQ(text.find("not loaded on a device") == std::string::npos, loaded) << format.name;
  }
}

TEST(FirewallFiles, NoRuleMatchesSourcePorts) {
  for (const auto& format : firewall_formats()) {
    if (!format.for_devices) continue;
    std::istringstream lines(file_of(std::string(format.name).c_str(), one_way()));
    for (std::string line; std::getline(lines, line);) {
      const bool said = line.find("cr-small-tcp443: 49152-65535") != std::string::npos;
      EXPECT_TRUE(said || line.find("49152") == std::string::npos) << format.name << ": " << line;
    }
  }
}

// UDP to patterns alone: PAN-OS cannot say it, and leaves nothing of it behind.
TEST(FirewallFiles, NothingIsLeftOutSilently) {
  const auto pan = file_of("paloalto", one_way());
  EXPECT_NE(pan.find("cr-small-udp5000-5100 (UDP 5000-5100): *.example.net:"), std::string::npos)
      << pan;
  EXPECT_EQ(pan.find("set service cr-small-udp5000"), std::string::npos) << pan;
  EXPECT_EQ(pan.find("set profiles"), std::string::npos) << pan;
  EXPECT_NE(file_of("pfsense", one_way()).find("*.example.net: an alias cannot hold patterns"),
            std::string::npos);
}

TEST(FirewallFiles, NftablesGoesIntoATableOfTheCustomers) {
  FirewallPage page;
  page.nft_table = "ip edge";
  page.nft_chain = "out";
  const auto text = file_of("nftables", one_way(), page);
  EXPECT_NE(text.find("\ntable ip edge {\n"), std::string::npos) << text;
  EXPECT_NE(text.find("nft insert rule ip edge out jump callready"), std::string::npos) << text;
  EXPECT_EQ(text.find("ip6"), std::string::npos) << text;
  EXPECT_NE(text.find("for v in 4; do"), std::string::npos) << text;
  EXPECT_NE(text.find("#= cr_small_tcp443 a.example.com\n"), std::string::npos) << text;
  EXPECT_NE(file_of("nftables", one_way()).find("ip6 daddr @cr_small_tcp443_v6"),
            std::string::npos);
}

// Whoever wrote a set's text, it ends no comment and begins no command.
TEST(FirewallFiles, NothingOfASetsTextIsACommand) {
  auto set = set_of(same_way);
  set.title = "Small\nreboot";
  set.requirements[0].title = "Alpha\" \nreboot";
  set.requirements[0].unprobed = "";
  for (const auto& format : firewall_formats()) {
    if (!format.for_devices) continue;
    std::istringstream lines(file_of(std::string(format.name).c_str(), rules_for(set)));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_FALSE(line.starts_with("reboot")) << format.name << ": " << line;
    }
  }
}

TEST(Firewall, ARowsOwnTextCountsBeforeItsSets) {
  auto set = set_of(two_rows);
  set.requirements[1].evidence = SourceQuality::old_edition;
  const auto list = rules_for(set);
  ASSERT_EQ(list.rules.size(), 3u) << "rows of another quality are no part of one rule";
  EXPECT_EQ(list.rules[1].evidence, SourceQuality::old_edition);
  EXPECT_NE(how_to_allow(list.rules[1]).find("from an old edition"), std::string::npos);
}

}  // namespace
}  // namespace callready
