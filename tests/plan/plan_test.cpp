// Plans: what a run is going to do. The whole of it in golden files (tests/golden/plans), and what
// must hold for every plan as invariants.
//
// CALLREADY_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before you commit it.
#include <fstream>
#include <set>
#include <sstream>

#include "tests/plan/plan_text.hpp"
#include "tests/support/source_folder.hpp"

namespace callready {
namespace {

using test::load;
using test::plan_of;
using test::vendor_set;

struct PlanCase {
  std::string name;  // of the golden file
  std::vector<std::string> sets;
  PlanOptions options;
};

void PrintTo(const PlanCase& plan, std::ostream* out) { *out << plan.name; }

// Each set is read once: reading the largest takes a tenth of a second.
std::vector<TargetSet> sets_of(const PlanCase& plan) {
  static std::map<std::string, TargetSet> known;
  std::vector<TargetSet> sets;
  for (const auto& id : plan.sets) {
    if (!known.contains(id)) known[id] = id == "anchors" ? test::anchors() : vendor_set(id);
    sets.push_back(known[id]);
  }
  return sets;
}

const PlanCase cases[] = {
    {"rainbow", {"rainbow"}, {}},
    {"webex", {"webex"}, {}},
    {"webex-partner", {"webex-partner"}, {}},
    {"cloudoe", {"cloudoe"}, {}},
    {"librestream", {"librestream"}, {}},
    {"quicklink", {"quicklink"}, {}},
    {"itracks", {"itracks"}, {}},
    {"teams", {"teams"}, {}},
    {"teams-direct-routing", {"teams-direct-routing"}, {}},
    {"zoom", {"zoom"}, {}},
    {"google-meet", {"google-meet"}, {}},
    {"ringcentral", {"ringcentral"}, {}},
    {"teams-zoom-google-meet-anchors", {"teams", "zoom", "google-meet", "anchors"}, {}},
    {"rainbow-anchors", {"rainbow", "anchors"}, {}},
    {"rainbow-hub", {"rainbow"}, {.scenarios = {"hub"}}},
    {"rainbow-hub-phone", {"rainbow"}, {.scenarios = {"hub"}, .from = Vantage::phone}},
    {"rainbow-hybrid", {"rainbow"}, {.scenarios = {"hybrid"}}},
    {"rainbow-hybrid-variables",
     {"rainbow"},
     {.scenarios = {"hybrid"},
      .variables = {{"pbx", "10.1.2.10"},
                    {"webrtc_gateway", "gateway.example.com"},
                    {"ntp_server", "not an address"}}}},
    {"rainbow-all", {"rainbow"}, {.all = true}},
    {"rainbow-france", {"rainbow"}, {.regions = {"france"}}},
    {"rainbow-proxy", {"rainbow"}, {.proxy = "http://proxy.example.com:3128"}},
    {"rainbow-only", {"rainbow"}, {.only = {"turn-udp", "rainbow/hub-sip-tls"}}},
    {"rainbow-skip", {"rainbow"}, {.skip = {"turn-everywhere", "rainbow/files-everywhere"}}},
    {"rainbow-android", {"rainbow"}, {.client = "android"}},
    {"rainbow-webex-partner", {"rainbow", "webex-partner"}, {}},
    {"rainbow-cloudoe-anchors", {"rainbow", "cloudoe", "anchors"}, {}},
    {"librestream-own", {"librestream"}, {.scenarios = {"own-sip"}}},
    {"librestream-own-variables",
     {"librestream"},
     {.scenarios = {"own-sip"},
      .variables = {{"sip_server", "sip.example.com"},
                    {"sip_port", "5061"},
                    {"sip_transport", "tls"},
                    {"media_server", "192.0.2.7"},
                    {"media_ports", "16384-16389"},
                    {"test_server", "no such host"}}}},
};

class GoldenPlanTest : public testing::TestWithParam<PlanCase> {};

TEST_P(GoldenPlanTest, IsAsInTheFile) {
  const auto text = test::text_of(plan_of(sets_of(GetParam()), GetParam().options));
  const std::string path =
      test::source_folder() + "/tests/golden/plans/" + GetParam().name + ".txt";
  if (std::getenv("CALLREADY_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  EXPECT_EQ(text, test::read_file(path)) << path;
}

std::string test_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Plans, GoldenPlanTest, testing::ValuesIn(cases),
                         [](const auto& of) { return test_name(of.param.name); });

// The golden cases, and every scenario of every built-in set.
std::vector<PlanCase> cases_of_rules() {
  std::vector<PlanCase> all(std::begin(cases), std::end(cases));
  for (const auto& set : builtin_sets()) {
    for (const auto& scenario : vendor_set(set.id).scenarios) {
      const auto id = std::string(set.id);
      all.push_back({id + "-in-" + scenario.id, {id}, {.scenarios = {scenario.id}}});
    }
  }
  return all;
}

class PlanTest : public testing::TestWithParam<PlanCase> {};

TEST_P(PlanTest, NamesEveryProbeOnce) {
  const auto plan = plan_of(sets_of(GetParam()), GetParam().options);
  std::set<std::string> ids;
  for (const auto& planned : plan.probes) {
    EXPECT_EQ(planned.probe.id, probe_id(planned.probe));
    EXPECT_TRUE(ids.insert(planned.probe.id).second) << planned.probe.id;
  }
  std::set<std::string> wanted;
  for (const auto& row : plan.requirements) {
    for (const auto& id : row.probes) {
      EXPECT_TRUE(ids.contains(id)) << id;
      wanted.insert(id);
    }
  }
  for (const auto& planned : plan.probes) {
    EXPECT_TRUE(wanted.contains(planned.probe.id) || planned.probe.control()) << planned.probe.id;
    for (const auto& first : planned.unless) EXPECT_TRUE(ids.contains(first)) << first;
    for (const auto& first : planned.given) EXPECT_TRUE(ids.contains(first)) << first;
  }
}

TEST_P(PlanTest, GivesARowProbesOrAReason) {
  const auto plan = plan_of(sets_of(GetParam()), GetParam().options);
  for (const auto& row : plan.requirements) {
    EXPECT_NE(row.probes.empty(), row.skipped.empty()) << row.requirement;
    if (!row.skipped.empty()) {
      EXPECT_EQ(row.sampled.text(), "") << row.requirement;
      EXPECT_EQ(row.note, "") << row.requirement;
    }
  }
}

TEST_P(PlanTest, KeepsTheBudgetOfHosts) {
  if (GetParam().options.all) return;  // it asks for every host
  const auto& names = GetParam().sets;
  const auto sets = names.size() - static_cast<std::size_t>(std::ranges::count(names, "anchors"));
  const auto plan = plan_of(sets_of(GetParam()), GetParam().options);
  EXPECT_LE(hosts_met(plan), sets * static_cast<std::size_t>(host_budget));
}

TEST_P(PlanTest, MeetsOfASetWhatARunOfItAloneMeets) {
  const auto hosts_of = [](const Plan& plan, const PlannedRequirement& row) {
    std::set<std::string> hosts;
    for (const auto& planned : plan.probes) {
      const auto& probe = planned.probe;
      const bool its = std::ranges::count(row.probes, probe.id) > 0;
      // Once a run: the NAT's kind and what is done to SIP are the same for each set.
      const bool shared = probe.check == CheckKind::nat || probe.check == CheckKind::sip_alg;
      if (its && !shared) hosts.insert(probe.target.host);
    }
    return hosts;
  };
  const auto together = plan_of(sets_of(GetParam()), GetParam().options);
  for (const auto& name : GetParam().sets) {
    if (name == "anchors") continue;
    PlanCase one = GetParam();
    std::erase_if(one.sets, [&](const auto& id) { return id != name && id != "anchors"; });
    const auto alone = plan_of(sets_of(one), one.options);
    std::map<std::string, std::set<std::string>> expected, met;
    for (const auto& row : alone.requirements) expected[row.requirement] = hosts_of(alone, row);
    for (const auto& row : together.requirements) {
      if (row.set == name) met[row.requirement] = hosts_of(together, row);
    }
    EXPECT_EQ(met, expected) << name;
  }
}

// Otherwise the pacer would hold the run up for a window of ten seconds.
TEST_P(PlanTest, KeepsTheBudgetOfPorts) {
  if (GetParam().options.all) return;
  // Its document lists 20 single ports of one service, off by default: that is what it takes.
  if (GetParam().name == "agora-in-signaling-native") return;
  const auto plan = plan_of(sets_of(GetParam()), GetParam().options);
  std::map<std::string, std::set<std::pair<bool, std::uint16_t>>> ports;
  for (const auto& planned : plan.probes) {
    const auto& target = planned.probe.target;
    if (!target.route.direct() || !planned.unless.empty() || !planned.unless_all.empty()) {
      continue;
    }
    const bool udp = target.transport == Transport::udp;
    if (target.sample.empty()) ports[target.host].insert({udp, target.port()});
    for (const auto port : target.sample) ports[target.host].insert({udp, port});
  }
  for (const auto& [host, own] : ports) EXPECT_LE(own.size(), 12u) << host;
}

TEST_P(PlanTest, NeverSendsToAHostThatIsNotListening) {
  const auto sets = sets_of(GetParam());
  const auto plan = plan_of(sets, GetParam().options);
  for (const auto& set : sets) {
    for (const auto& planned : plan.requirements) {
      const auto* row = set.find_requirement(planned.requirement);
      if (planned.set != set.id || row == nullptr || row->listening) continue;
      for (const auto& id : planned.probes) {
        const bool range = id.starts_with("udp-range/udp/") &&
                           id.find("stop_on_the_way=true") != std::string::npos;
        EXPECT_TRUE(range || id.starts_with("hop/tcp/")) << id;
      }
    }
  }
}

TEST_P(PlanTest, NeverNamesWhatWasRemoved) {
  const auto sets = sets_of(GetParam());
  const auto plan = plan_of(sets, GetParam().options);
  std::map<std::string, const Probe*> by_id;
  for (const auto& planned : plan.probes) by_id[planned.probe.id] = &planned.probe;
  for (const auto& planned : plan.requirements) {
    for (const auto& set : sets) {
      const auto* row = set.find_requirement(planned.requirement);
      if (planned.set != set.id || row == nullptr) continue;
      std::set<std::string> removed;
      for (const auto& host : row->hosts) {
        if (host.lifecycle == Lifecycle::removed) removed.insert(host.name);
      }
      for (const auto& block : row->addresses) {
        if (block.lifecycle == Lifecycle::removed) removed.insert(block.to_string());
      }
      for (const auto& id : planned.probes) {
        EXPECT_FALSE(removed.contains(by_id.at(id)->target.host)) << id;
      }
    }
  }
}

TEST_P(PlanTest, IsTheSameEachTime) {
  const auto sets = sets_of(GetParam());
  EXPECT_EQ(test::text_of(plan_of(sets, GetParam().options)),
            test::text_of(plan_of(sets, GetParam().options)));
}

TEST_P(PlanTest, HasNoDecorationOfVariables) {
  for (const auto& planned : plan_of(sets_of(GetParam()), GetParam().options).probes) {
    EXPECT_EQ(planned.probe.id.find("${"), std::string::npos) << planned.probe.id;
  }
}

INSTANTIATE_TEST_SUITE_P(Plans, PlanTest, testing::ValuesIn(cases_of_rules()),
                         [](const auto& of) { return test_name(of.param.name); });

// --- Small sets, one rule each ------------------------------------------------------------------

// The rows and capabilities of a set with regions "north" and "south" and a scenario "night" that
// is off by default.
TargetSet small_set(const std::string& requirements, const std::string& needs = "[row]") {
  return load(
      "schema: callready.targets/1\n"
      "id: small\n"
      "title: Small\n"
      "vendor: Nobody\n"
      "edition: \"1\"\n"
      "document: None\n"
      "verified: 2026-11-20\n"
      "scenarios: [{ id: day, title: Day, default: true }, { id: night, title: Night }]\n"
      "regions: [{ id: north, title: North }, { id: south, title: South }]\n"
      "capabilities: [{ id: all, title: All, needs: " +
          needs + " }]\nrequirements:\n" + requirements,
      "small");
}

std::string sip_row(const std::string& id, const std::string& transport, int port) {
  return fmt::format(
      "  - {{ id: {}, title: T, source: s, check: sip, transport: [{}], ports: [{}], "
      "hosts: [sip.example.com] }}\n",
      id, transport, port);
}

std::map<std::string, std::vector<std::string>> conditions(const Plan& plan) {
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& planned : plan.probes) {
    if (!planned.unless.empty()) found[planned.probe.id] = planned.unless;
  }
  return found;
}

using Conditions = std::map<std::string, std::vector<std::string>>;

TEST(SipAlternates, WaitForTheFirstChoiceOfTheirTransport) {
  const auto set = small_set(sip_row("udp", "udp", 5060) + sip_row("udp-alt", "udp", 5080) +
                                 sip_row("udp-alt2", "udp", 5090) + sip_row("tcp", "tcp", 5060),
                             "[{ first_of: [udp, udp-alt, udp-alt2, tcp] }]");
  EXPECT_EQ(conditions(plan_of({set})),
            (Conditions{{"sip/udp/sip.example.com:5080", {"sip/udp/sip.example.com:5060"}},
                        {"sip/udp/sip.example.com:5090", {"sip/udp/sip.example.com:5060"}}}));
}

TEST(SipAlternates, TakeTurnsByTransport) {
  const auto set =
      small_set(sip_row("udp", "udp", 5060) + sip_row("tcp", "tcp", 5060) +
                    sip_row("udp-alt", "udp", 5080) + sip_row("udp-alt2", "udp", 5090) +
                    sip_row("tcp-alt", "tcp", 5080) + sip_row("tcp-alt2", "tcp", 5090),
                "[{ first_of: [udp, tcp, udp-alt, udp-alt2, tcp-alt, tcp-alt2] }]");
  std::map<std::string, std::size_t> turns;
  for (const auto& planned : plan_of({set}).probes) {
    if (!planned.unless.empty()) turns[planned.probe.id] = planned.round;
  }
  EXPECT_EQ(turns, (std::map<std::string, std::size_t>{{"sip/udp/sip.example.com:5080", 0},
                                                       {"sip/udp/sip.example.com:5090", 1},
                                                       {"sip/tcp/sip.example.com:5080", 0},
                                                       {"sip/tcp/sip.example.com:5090", 1}}));
}

TEST(SipAlternates, AreMadeAnywayWhereARowWantsThemForThemselves) {
  const auto rows = sip_row("udp", "udp", 5060) + sip_row("udp-alt", "udp", 5080);
  EXPECT_EQ(conditions(plan_of({small_set(rows, "[{ first_of: [udp, udp-alt] }, udp-alt]")})),
            Conditions{});
  // The same endpoint in another row that no need calls an alternative.
  EXPECT_EQ(conditions(plan_of(
                {small_set(rows + sip_row("own", "udp", 5080), "[{ first_of: [udp, udp-alt] }]")})),
            Conditions{});
}

// --- The SIP ALG test ---------------------------------------------------------------------------

std::string alg_row(const std::string& id, const std::string& host) {
  return fmt::format(
      "  - {{ id: {}, title: T, source: s, check: sip-alg, transport: [udp, tcp], ports: [5060], "
      "hosts: [{}] }}\n",
      id, host);
}

std::map<std::string, std::vector<std::string>> needs_of(const Plan& plan) {
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& planned : plan.probes) {
    if (planned.probe.check == CheckKind::sip_alg) found[planned.probe.id] = planned.given;
  }
  return found;
}

TEST(SipAlgTest, WaitsForAServerThatHasAnsweredOverThatTransport) {
  const auto set = small_set(
      alg_row("alg", "sip.example.com") + sip_row("udp", "udp", 5080) + sip_row("tls", "tls", 5061),
      "[udp]");
  EXPECT_EQ(needs_of(plan_of({set})),
            (Conditions{{"sip-alg/udp/sip.example.com:5060", {"sip/udp/sip.example.com:5080"}},
                        {"sip-alg/tcp/sip.example.com:5060", {}}}));
}

TEST(SipAlgTest, AsksForTheRowOfTheSameEndpointTooAndThenWaitsForNobody) {
  const auto set = small_set(
      alg_row("alg", "sip.example.com") + sip_row("udp", "udp", 5060) + sip_row("alt", "udp", 5080),
      "[udp]");
  const auto plan = plan_of({set});
  for (const auto& [id, needs] : needs_of(plan)) EXPECT_TRUE(needs.empty()) << id;
  for (const auto& planned : plan.probes) {
    const bool shared = planned.probe.id == "sip/udp/sip.example.com:5060";
    EXPECT_EQ(planned.answered_by, shared ? "sip-alg/udp/sip.example.com:5060" : "")
        << planned.probe.id;
  }
}

TEST(SipAlgTest, IsMadeOfOneServerARun) {
  const auto set =
      small_set(alg_row("one", "a.example.com, b.example.com") + alg_row("two", "c.example.com"),
                "[one, two]");
  for (const bool all : {false, true}) {
    const auto plan = plan_of({set}, {.all = all});
    ASSERT_EQ(plan.probes.size(), 2u);
    EXPECT_EQ(plan.requirements[0].probes, plan.requirements[1].probes);
  }
}

TEST(SipAlgTest, SendsASessionOnlyToTheUsersOwnServerAndOnTheirWord) {
  const auto set = load(
      "schema: callready.targets/1\nid: small\ntitle: Small\nvendor: Nobody\nedition: \"1\"\n"
      "document: None\nverified: 2026-11-20\n"
      "capabilities: [{ id: all, title: All, needs: [alg] }]\n"
      "variables: [{ name: pbx, title: P, example: a.b }, { name: own, title: O, default: v.w }]\n"
      "requirements:\n" +
          alg_row("alg", "sip.example.com") +
          "  - { id: own-alg, title: T, source: s, check: sip-alg, transport: [udp], "
          "ports: [5060], hosts: [\"${pbx}\"] }\n"
          "  - { id: default, title: T, source: s, check: sip, transport: [udp], ports: [5060], "
          "hosts: [\"${own}\"] }\n"
          "  - { id: own-sip, title: T, source: s, check: sip, transport: [tcp, tls], "
          "ports: [5060], hosts: [\"${pbx}\"] }\n",
      "small");
  const VariableValues given{{"pbx", "pbx.example.com"}};
  for (const auto& [id, needs] : needs_of(plan_of({set}, {.variables = given}))) {
    EXPECT_EQ(id.find("sdp"), std::string::npos) << id;
  }
  EXPECT_EQ(needs_of(plan_of({set}, {.variables = given, .sip_sdp = true})),
            (Conditions{{"sip-alg/tcp/pbx.example.com:5060?sdp=true", {}},
                        {"sip-alg/udp/pbx.example.com:5060?sdp=true", {}},
                        {"sip-alg/tcp/sip.example.com:5060", {}},
                        {"sip-alg/udp/sip.example.com:5060", {}}}));
}

// --- Servers of the customer's own
// -----------------------------------------------------------------

// Of the rows with this text in their id, those that the user is still asked about.
std::vector<std::string> open_questions(const Plan& plan) {
  std::vector<std::string> open;
  for (const auto& row : plan.requirements) {
    if (row.open_question) open.push_back(row.requirement);
  }
  return open;
}

TEST(OwnChoices, WhoNamesOneServerIsNotAskedForTheOther) {
  const auto set = vendor_set("librestream");
  const PlanOptions options{.scenarios = {"own-sip-teamlink"},
                            .only = {"own-sip-private", "own-sip-public", "teamlink-https"}};
  EXPECT_EQ(open_questions(plan_of({set}, options)),
            (std::vector<std::string>{"own-sip-public", "own-sip-private"}));
  for (const auto* name : {"sip_server", "private_sip_server"}) {
    auto given = options;
    given.variables = {{name, "sip.example.com"}};
    EXPECT_EQ(open_questions(plan_of({set}, given)), std::vector<std::string>{}) << name;
  }
}

// --- Names for reverse DNS ----------------------------------------------------------------------

TEST(ReverseNames, AreAskedForOfTheAddressesThatAreTried) {
  const auto plan = plan_of({small_set(
      "  - { id: row, title: T, source: s, check: tcp, transport: [tcp], ports: [443], "
      "addresses: [192.0.2.7], reverse_dns: [a.example.com, b.example.com, c.example.net] }\n")});
  ASSERT_EQ(plan.probes.size(), 2u);
  EXPECT_EQ(plan.probes[0].probe.id, "tcp/tcp/192.0.2.7:443");
  EXPECT_EQ(plan.probes[1].probe.id,
            "dns/udp?expect=*.example.com *.example.net&name=192.0.2.7&type=PTR");
  EXPECT_EQ(plan.requirements[0].probes.size(), 2u);
}

TEST(ReverseNames, LeadToTheirAddressesWhereTheRowHasNone) {
  const auto plan = plan_of(
      {small_set("  - { id: row, title: T, source: s, check: tcp, transport: [tcp], ports: [443], "
                 "reverse_dns: [a.example.com] }\n")});
  ASSERT_EQ(plan.probes.size(), 2u);
  EXPECT_EQ(plan.probes[0].probe.id, "tcp/tcp/a.example.com:443");
  EXPECT_EQ(plan.probes[1].probe.id, "dns/udp?expect=a.example.com&name=a.example.com&type=PTR");
}

TEST(Sampling, NearestRowsGetOneHostOfEachRegion) {
  std::string hosts;
  for (int i = 0; i < 9; ++i) {
    hosts += fmt::format("{{ name: north{}.example.com, region: north }}, ", i);
  }
  hosts += "{ name: south.example.com, region: south }";
  const auto set = small_set(
      "  - { id: row, title: T, source: s, check: stun, transport: [udp], ports: [3478], "
      "reach: { nearest: 1 }, hosts: [" +
      hosts + "] }\n");
  const auto plan = plan_of({set});
  std::set<std::string> regions;
  for (const auto& planned : plan.probes) regions.insert(planned.probe.region);
  EXPECT_EQ(regions, (std::set<std::string>{"north", "south"}));
  EXPECT_EQ(plan.requirements[0].sampled.text(), "4 of 10 hosts");
}

TEST(Sampling, TakesFarRegionsFirst) {
  auto set = small_set(
      "  - { id: row, title: T, source: s, check: stun, transport: [udp], ports: [3478], "
      "hosts: [{ name: a, region: north }, { name: b, region: north }, { name: c, region: south }, "
      "{ name: d, region: south }] }\n");
  set.regions = {{"fr", "Europe / France"}, {"de", "Europe / Germany"}, {"jp", "Asia / Japan"}};
  set.requirements[0].hosts = {
      {"fr1", "fr", {}, ""}, {"fr2", "fr", {}, ""}, {"de1", "de", {}, ""}, {"jp1", "jp", {}, ""}};
  std::vector<std::string> hosts;
  for (const auto& planned : plan_of({set}).probes) hosts.push_back(planned.probe.target.host);
  EXPECT_EQ(hosts, (std::vector<std::string>{"fr1", "jp1", "de1", "fr2"}));
}

// One row each of the kinds that compete for hosts: many rows, and one that looks for the nearest.
TEST(Sampling, NearestRowsComeBeforeSecondHostsOfOthers) {
  std::string rows;
  for (int row = 0; row < 6; ++row) {
    rows += fmt::format(
        "  - {{ id: r{}, title: T, source: s, check: tcp, transport: [tcp], ports: [80], hosts: [",
        row);
    for (int host = 0; host < 4; ++host) rows += fmt::format("r{}h{}.example.com, ", row, host);
    rows += "] }\n";
  }
  rows +=
      "  - { id: row, title: T, source: s, check: stun, transport: [udp], ports: [3478], "
      "reach: { nearest: 2 }, hosts: [";
  for (int host = 0; host < 16; ++host) rows += fmt::format("near{}.example.com, ", host);
  rows += "] }\n";
  auto set = small_set(rows);
  auto& nearest = set.requirements.back();
  for (std::size_t i = 0; i < nearest.hosts.size(); ++i) {
    nearest.hosts[i].region = fmt::format("region{}", i);
  }
  const auto plan = plan_of({set});
  EXPECT_EQ(plan.requirements.back().probes.size(), 16u);
  std::set<std::string> hosts;
  for (const auto& planned : plan.probes) hosts.insert(planned.probe.target.host);
  EXPECT_EQ(hosts.size(), static_cast<std::size_t>(host_budget));
}

TEST(Sampling, OfPortsIsSaid) {
  const auto set = small_set(
      "  - { id: row, title: T, source: s, check: tcp, transport: [tcp], ports: [80, 5000-6000], "
      "hosts: [a.example.com] }\n");
  const auto plan = plan_of({set});
  EXPECT_EQ(plan.requirements[0].sampled.text(), "7 of 1002 ports");
  EXPECT_EQ(plan.probes.size(), 7u);
}

TEST(Sampling, PrefersWhatTheDocumentListsToExamplesAndToThePast) {
  const auto set = small_set(
      "  - id: row\n    title: T\n    source: s\n    check: tcp\n    transport: [tcp]\n"
      "    ports: [80]\n"
      "    hosts: [{ name: old.example.com, lifecycle: deprecated }, a.example.com,"
      " { name: gone.example.com, lifecycle: removed }, b.example.com, c.example.com]\n"
      "    wildcards: [{ pattern: \"*.example.com\", examples: [e.example.com, a.example.com] "
      "}]\n");
  std::vector<std::string> hosts;
  for (const auto& planned : plan_of({set}).probes) hosts.push_back(planned.probe.target.host);
  EXPECT_EQ(hosts, (std::vector<std::string>{"a.example.com", "c.example.com", "b.example.com",
                                             "e.example.com"}));
}

// Rows of each severity, the least first, with 14 hosts each that must answer.
std::string rows_of_all_severities() {
  std::string rows;
  for (const auto* severity : {"optional", "recommended", "required"}) {
    rows += fmt::format(
        "  - {{ id: {0}, title: T, source: s, severity: {0}, check: tcp, transport: [tcp], ports: "
        "[80], reach: {{ nearest: 14 }}, hosts: [",
        severity);
    for (int i = 0; i < 14; ++i) rows += fmt::format("{}{}.example.com, ", severity, i);
    rows += "] }\n";
  }
  return rows;
}

TEST(Sampling, ARequiredRowComesFirstAndALesserOneIsLeftOut) {
  const auto plan = plan_of({small_set(rows_of_all_severities(), "[required]")});
  ASSERT_EQ(plan.requirements.size(), 3u);
  EXPECT_EQ(plan.requirements[2].probes.size(), 14u);
  EXPECT_EQ(plan.requirements[1].probes.size(), 10u);
  EXPECT_EQ(plan.requirements[0].probes.size(), 0u);
  EXPECT_EQ(plan.requirements[0].skipped,
            "left out to keep traffic low; use --all or --only small/optional to test it");
  EXPECT_FALSE(plan.requirements[0].open_question);
}

// It comes before a closer look at the nearest area.
TEST(Sampling, ACapabilityOfLesserRowsAloneIsNotLeftOut) {
  std::string rows;
  const auto add_hosts = [&](const std::string& id, int areas, int hosts) {
    rows += fmt::format(
        "  - {{ id: {}, title: T, source: s, check: stun, transport: [udp], ports: [3478], "
        "reach: {{ nearest: {} }}, hosts: [",
        id, areas);
    for (int i = 0; i < areas * hosts; ++i) rows += fmt::format("{}{}.example.com, ", id, i);
    rows += "] }\n";
  };
  add_hosts("many", 16, 3);
  add_hosts("more", 6, 1);
  rows +=
      "  - { id: alone, title: T, source: s, severity: recommended, check: tcp, transport: [tcp], "
      "ports: [80], hosts: [alone.example.com] }\n";
  const auto probes = [&](const std::string& needs) {
    auto set = small_set(rows, needs);
    for (const std::size_t row : {0u, 1u}) {
      auto& hosts = set.requirements.at(row).hosts;
      const std::size_t areas = row == 0 ? 16 : 6;
      for (std::size_t i = 0; i < hosts.size(); ++i)
        hosts[i].region = fmt::format("r{}", i % areas);
    }
    const auto plan = plan_of({set});
    EXPECT_LE(hosts_met(plan), static_cast<std::size_t>(host_budget)) << needs;
    EXPECT_GE(plan.requirements.at(0).probes.size(), 16u) << needs;
    EXPECT_EQ(plan.requirements.at(1).probes.size(), 6u) << needs;
    return plan.requirements.at(2).probes.size();
  };
  EXPECT_EQ(probes("[many, more]"), 0u);
  EXPECT_EQ(probes("[many, more, alone]"), 1u);
}

TEST(Sampling, ARowThatIsNamedComesFirstToo) {
  const auto plan =
      plan_of({small_set(rows_of_all_severities(), "[required]")}, {.only = {"optional"}});
  ASSERT_EQ(plan.requirements.size(), 1u);
  EXPECT_EQ(plan.requirements[0].probes.size(), 14u);
}

// Four areas; the second look is at the other hosts of one of them.
TEST(Sampling, ANearestRowLooksAtEachAreaAndThenCloserAtTheNearest) {
  std::string rows =
      "  - { id: row, title: T, source: s, check: turn, transport: [udp], ports: [3478], "
      "reach: { nearest: 2 }, hosts: [";
  for (const auto* name : {"fr1", "fr2", "fr3", "de1", "us1", "us2", "jp1", "za1"}) {
    rows += fmt::format("{}, ", name);
  }
  auto set = small_set(rows + "] }\n");
  set.regions = {{"fr", "Europe / France"},
                 {"de", "Europe / Germany"},
                 {"us", "America / US"},
                 {"jp", "Asia / Japan"},
                 {"za", "Africa / South Africa"}};
  for (auto& host : set.requirements[0].hosts) host.region = host.name.substr(0, 2);
  const auto plan = plan_of({set});
  std::map<std::string, std::vector<std::string>> near;
  std::vector<std::string> first;
  for (const auto& planned : plan.probes) {
    const auto& host = planned.probe.target.host;
    if (planned.nearest_of.empty()) {
      first.push_back(host);
    } else {
      near[host] = planned.nearest_of;
    }
  }
  EXPECT_EQ(first, (std::vector<std::string>{"fr1", "za1", "us1", "jp1"}));
  const std::vector<std::string> europe{"fr1", "za1", "us1", "jp1"};
  EXPECT_EQ(near, (std::map<std::string, std::vector<std::string>>{
                      {"de1", europe}, {"fr3", europe}, {"us2", {"us1", "za1", "jp1", "fr1"}}}));
  EXPECT_EQ(hosts_met(plan), 6u) << "four, and two more in one area at most";
  EXPECT_EQ(plan.requirements[0].sampled.text(),
            "4 of 8 hosts in all parts of the world, with more of them in the nearest part");
}

TEST(Sampling, MediaRangesShareWhatTheSitesEdgeCanAnswer) {
  std::string rows;
  for (const auto* severity : {"optional", "required"}) {
    for (int row = 0; row < 3; ++row) {
      rows += fmt::format(
          "  - {{ id: {0}{1}, title: T, source: s, severity: {0}, check: udp-range, transport: "
          "[udp], ports: [10000-20000], addresses: [192.0.{2}.1, 192.0.{2}.2] }}\n",
          severity, row, row + (*severity == 'o' ? 10 : 20));
    }
  }
  const auto plan = plan_of({small_set(rows, "[required0, required1, required2]")});
  EXPECT_EQ(plan.probes.size(), static_cast<std::size_t>(range_budget));
  for (const auto& row : plan.requirements) {
    const bool required = row.requirement.starts_with("required");
    EXPECT_GE(row.probes.size(), required ? 1u : 0u) << row.requirement;
    EXPECT_LE(row.probes.size(), required ? 2u : 1u) << row.requirement;
  }
}

TEST(Sampling, RangesWithinEachOtherShareTheirSample) {
  const auto row = [](const std::string& id, const std::string& ports) {
    return fmt::format(
        "  - {{ id: {}, title: T, source: s, check: udp-range, transport: [udp], ports: [{}], "
        "addresses: [192.0.2.1] }}\n",
        id, ports);
  };
  const auto plan =
      plan_of({small_set(row("row", "1-65535") + row("inner", "10000-20000"), "[row, inner]")});
  ASSERT_EQ(plan.probes.size(), 2u);
  const auto inner = "udp-range/udp/192.0.2.1:10000-20000",
             whole = "udp-range/udp/192.0.2.1:1-65535";
  EXPECT_EQ(plan.requirements[0].probes, (std::vector<std::string>{inner, whole}));
  EXPECT_EQ(plan.requirements[1].probes, std::vector<std::string>{inner});
  EXPECT_EQ(plan.requirements[0].sampled.text(), "12 of 65535 ports");
  std::set<std::uint16_t> ports;
  for (const auto& planned : plan.probes) {
    for (const auto port : planned.probe.target.sample) EXPECT_TRUE(ports.insert(port).second);
  }
  EXPECT_EQ(ports.size(), 12u);
  EXPECT_TRUE(ports.contains(1) && ports.contains(65535) && ports.contains(10000));
}

TEST(Fallbacks, OfNetworksWithoutAListenerAreAskedOnlyWhereTheyAreNeeded) {
  const auto rows =
      "  - { id: row, title: T, source: s, check: udp-range, transport: [udp], ports: [5004, "
      "9000], "
      "listening: false, addresses: [192.0.2.0/24] }\n"
      "  - { id: tcp, title: T, source: s, check: tcp, transport: [tcp], ports: [5004], "
      "listening: false, addresses: [192.0.2.0/24] }\n"
      "  - { id: own, title: T, source: s, check: tcp, transport: [tcp], ports: [81], "
      "listening: false, addresses: [192.0.2.0/24] }\n";
  const auto set = small_set(rows, "[{ first_of: [row, tcp] }, own]");
  std::map<std::string, std::vector<std::string>> found;
  for (const auto& planned : plan_of({set}).probes) {
    EXPECT_EQ(planned.probe.control(), false);
    if (!planned.unless_all.empty()) found[planned.probe.id] = planned.unless_all;
  }
  const auto range = [](int port) {
    return fmt::format("udp-range/udp/192.0.2.1:{}?stop_on_the_way=true", port);
  };
  EXPECT_EQ(found, (std::map<std::string, std::vector<std::string>>{
                       {"hop/tcp/192.0.2.1:5004", {range(5004), range(9000)}}}));
  for (const auto& planned : plan_of({set}, {.all = true}).probes) {
    EXPECT_TRUE(planned.unless_all.empty()) << planned.probe.id;
  }
}

TEST(SipAlg, ItsFirstMessageAnswersForTheSameEndpoint) {
  const auto set = small_set(
      sip_row("row", "udp", 5060) + sip_row("tcp", "tcp", 5060) + sip_row("other", "udp", 5080) +
          "  - { id: alg, title: T, source: s, check: sip-alg, transport: [udp], ports: [5060], "
          "hosts: [sip.example.com] }\n",
      "[row, tcp, other]");
  std::map<std::string, std::string> shared;
  for (const auto& planned : plan_of({set}).probes) {
    if (!planned.answered_by.empty()) shared[planned.probe.id] = planned.answered_by;
  }
  EXPECT_EQ(shared, (std::map<std::string, std::string>{
                        {"sip/udp/sip.example.com:5060", "sip-alg/udp/sip.example.com:5060"}}));
}

TEST(Sampling, NetworksAreRepresentedByAnAddressThatAHostCanHave) {
  const auto set = small_set(
      "  - id: row\n    title: T\n    source: s\n    check: udp-range\n    transport: [udp]\n"
      "    ports: [10000-20000]\n    listening: false\n"
      "    addresses: [192.0.2.0/24, 198.51.100.7/32, { range: 203.0.113.0-203.0.113.255 },"
      " { range: 203.0.113.10-203.0.113.20 }]\n");
  std::set<std::string> hosts;
  for (const auto& planned : plan_of({set}, {.all = true}).probes) {
    hosts.insert(planned.probe.target.host);
  }
  EXPECT_EQ(hosts,
            (std::set<std::string>{"192.0.2.1", "198.51.100.7", "203.0.113.1", "203.0.113.10"}));
}

std::vector<std::string> ids_of(const Plan& plan) {
  std::vector<std::string> ids;
  for (const auto& planned : plan.probes) ids.push_back(planned.probe.id);
  return ids;
}

// A row of media servers with these destinations, on which nothing is known to listen.
std::vector<std::string> probes_of_row(const std::string& check, const std::string& transport,
                                       const std::string& destinations,
                                       const PlanOptions& options = {}) {
  return ids_of(
      plan_of({small_set("  - { id: row, title: T, source: s, check: " + check + ", transport: [" +
                         transport + "], ports: [3478], " + destinations + " }\n")},
              options));
}

TEST(Sampling, HostsBesideNetworksAreAskedInTheirPlace) {
  const std::string networks = "addresses: [192.0.2.0/24, \"2001:db8::/32\"]";
  using Ids = std::vector<std::string>;
  EXPECT_EQ(probes_of_row("stun", "udp", "hosts: [relay.example.com], " + networks),
            Ids{"stun/udp/relay.example.com:3478"});
  EXPECT_EQ(probes_of_row("tls", "tls", "hosts: [www.example.com], " + networks),
            Ids{"tls/tls/www.example.com:3478"});
  EXPECT_EQ(
      probes_of_row(
          "stun", "udp",
          "wildcards: [{ pattern: \"*.example.com\", examples: [a.example.com] }], " + networks),
      Ids{"stun/udp/a.example.com:3478"});
  // A media range is sent to both.
  EXPECT_EQ(probes_of_row("udp-range", "udp", "hosts: [a.example.com], addresses: [192.0.2.0/24]"),
            (Ids{"udp-range/udp/a.example.com:3478?stop_on_the_way=true",
                 "udp-range/udp/192.0.2.1:3478?stop_on_the_way=true"}));
  // What is removed is no host to ask.
  EXPECT_EQ(probes_of_row("tcp", "tcp",
                          "hosts: [{ name: a.example.com, lifecycle: removed }], addresses: "
                          "[192.0.2.0/24]"),
            Ids{"hop/tcp/192.0.2.1:3478"});
}

// Where there is no network, it is the hosts of which no listener is known.
TEST(Sampling, HostsAloneWithoutAListenerAreAskedAboutAtTheEdge) {
  using Ids = std::vector<std::string>;
  EXPECT_EQ(probes_of_row("tcp", "tcp", "listening: false, hosts: [a.example.com]"),
            Ids{"hop/tcp/a.example.com:3478"});
  EXPECT_EQ(probes_of_row("tcp", "tcp",
                          "listening: false, hosts: [a.example.com], addresses: [192.0.2.7]"),
            (Ids{"hop/tcp/a.example.com:3478", "hop/tcp/192.0.2.7:3478"}));
}

// Each may cost a router one of its few answers.
TEST(Sampling, OfManyPortsToTheEdgeAFewAreTried) {
  const auto set = small_set(
      "  - { id: row, title: T, source: s, check: tcp, transport: [tcp], listening: false,\n"
      "      ports: [80, 443, 3433, 4700-5000, 9667], hosts: [a.example.com] }\n");
  using Ids = std::vector<std::string>;
  const auto plan = plan_of({set});
  EXPECT_EQ(ids_of(plan), (Ids{"hop/tcp/a.example.com:80", "hop/tcp/a.example.com:4700",
                               "hop/tcp/a.example.com:4880", "hop/tcp/a.example.com:9667"}));
  EXPECT_EQ(plan.requirements.front().sampled.text(), "4 of 305 ports");
  EXPECT_EQ(plan_of({set}, {.all = true}).probes.size(), 10u);
}

TEST(Sampling, StunToBareNetworksGoesToTheEdge) {
  using Ids = std::vector<std::string>;
  EXPECT_EQ(probes_of_row("stun", "udp", "addresses: [192.0.2.0/24]"),
            Ids{"hop/udp/192.0.2.1:3478?payload=stun"});
  EXPECT_EQ(probes_of_row("stun", "tcp, tls", "addresses: [192.0.2.0/24]"),
            Ids{"hop/tcp/192.0.2.1:3478"});
  EXPECT_EQ(probes_of_row("stun", "udp", "listening: true, addresses: [192.0.2.0/24]"),
            Ids{"stun/udp/192.0.2.1:3478"});
}

TEST(Sampling, OfNetworksOfBothFamiliesThatOfTheRunIsTaken) {
  using Ids = std::vector<std::string>;
  const std::string both = "addresses: [\"2001:db8::/32\", 192.0.2.0/24]";
  EXPECT_EQ(probes_of_row("tcp", "tcp", both), Ids{"hop/tcp/192.0.2.1:3478"});
  EXPECT_EQ(probes_of_row("tcp", "tcp", both, {.v4 = false}), Ids{"hop/tcp/[2001:db8::1]:3478"});
  EXPECT_EQ(probes_of_row("tcp", "tcp", "addresses: [\"2001:db8::/32\"]"),
            Ids{"hop/tcp/[2001:db8::1]:3478"});
  EXPECT_EQ(probes_of_row("tcp", "tcp", "addresses: [\"2001:db8::5-2001:db8::9\"]"),
            Ids{"hop/tcp/[2001:db8::5]:3478"});
}

TEST(Fallbacks, EndWithTheProxyWhereThereIsOne) {
  const auto row = [](const std::string& id, const std::string& rest) {
    return "  - { id: " + id + ", title: T, source: s, hosts: [relay.example.com], " + rest +
           " }\n";
  };
  const auto set =
      small_set(row("udp", "check: stun, transport: [udp], ports: [3478]") +
                    row("tcp", "check: stun, transport: [tcp], ports: [3478]") +
                    row("tls", "check: tls, transport: [tls], ports: [443]") +
                    row("proxy", "check: tls, transport: [tls], ports: [443], proxy: required"),
                "[{ first_of: [udp, tcp, tls, proxy] }]");
  const auto last_row = [&](const PlanOptions& options) {
    return plan_of({set}, options).requirements.at(3).probes;
  };
  const std::string direct = "tls/tls/relay.example.com:443";
  EXPECT_EQ(last_row({}), std::vector<std::string>{direct});
  EXPECT_EQ(last_row({.proxy = "http://proxy.example.com:3128"}),
            std::vector<std::string>{direct + "@http://proxy.example.com:3128"});
}

TEST(Rows, OfSeveralSetsShareWhatTheyHaveInCommon) {
  const auto set = [](const std::string& id) {
    return load(
        "schema: callready.targets/1\nid: " + id +
            "\ntitle: T\nvendor: V\ndocument: D\n"
            "capabilities: [{ id: all, title: All, needs: [web, media] }]\nrequirements:\n"
            "  - { id: web, title: T, source: s, check: tls, transport: [tls], ports: [443], "
            "hosts: [" +
            id +
            ".example.com, login.example.com] }\n"
            "  - { id: nat, title: T, source: s, check: nat, transport: [udp], ports: [3478], "
            "hosts: "
            "[stun.cloudflare.com], with: { other: \"stun.l.google.com:19302\" } }\n"
            "  - { id: media, title: T, source: s, check: udp-range, transport: [udp], ports: "
            "[10000-20000], listening: false, addresses: [192.0.2.0/24] }\n",
        id);
  };
  const auto plan = plan_of({set("teams"), set("zoom"), set("meet"), test::anchors()});
  std::map<CheckKind, int> kinds;
  for (const auto& planned : plan.probes) {
    if (!planned.probe.control()) ++kinds[planned.probe.check];
  }
  EXPECT_EQ(kinds[CheckKind::tls], 4);  // three of their own, one in common
  EXPECT_EQ(kinds[CheckKind::nat], 1);
  EXPECT_EQ(kinds[CheckKind::udp_range], 1);
  EXPECT_LE(hosts_met(plan), 3 * static_cast<std::size_t>(host_budget));
  for (const auto& planned : plan.requirements) {
    EXPECT_FALSE(planned.probes.empty()) << planned.set << '/' << planned.requirement;
  }
}

TEST(Rows, OfOwnNatServersDoNotWaitForThemselves) {
  const auto set = small_set(
      "  - { id: row, title: T, source: s, check: turn, transport: [udp], ports: [3478], "
      "hosts: [a.example.com, b.example.com] }\n"
      "  - { id: nat, title: T, source: s, check: nat, transport: [udp], ports: [3478], "
      "hosts: [a.example.com], with: { other: \"b.example.com:3478\" } }\n");
  const auto plan = plan_of({set});
  ASSERT_EQ(plan.requirements.at(1).probes.size(), 1u);
  for (const auto& planned : plan.probes) EXPECT_TRUE(planned.unless.empty()) << planned.probe.id;
}

TEST(Rows, OfOwnNatServersByIPv6NameThemInBrackets) {
  const auto set = small_set(
      "  - { id: row, title: T, source: s, check: stun, transport: [udp], ports: [3478], "
      "listening: true, addresses: [\"2001:db8::1\", \"2001:db8::2\"] }\n"
      "  - { id: nat, title: T, source: s, check: nat, transport: [udp], ports: [3478], "
      "hosts: [stun.example.com], with: { other: \"stun.example.net:3478\" } }\n");
  std::set<std::string> others;
  for (const auto& planned : plan_of({set}).probes) {
    if (planned.probe.check == CheckKind::nat) others.insert(planned.probe.with.at("other"));
  }
  EXPECT_TRUE(others.contains("[2001:db8::1]:3478") || others.contains("[2001:db8::2]:3478"));
}

TEST(Rows, ThatAreNamedAreTakenWhateverTheScenario) {
  const auto set = small_set(
      "  - { id: row, title: T, source: s, check: tcp, transport: [tcp], ports: [80], "
      "hosts: [a.example.com] }\n"
      "  - { id: late, title: T, source: s, scenarios: [night], check: tcp, transport: [tcp], "
      "ports: [80], hosts: [b.example.com] }\n");
  EXPECT_EQ(plan_of({set}).requirements.size(), 1u);
  const auto named = plan_of({set}, {.only = {"late"}});
  ASSERT_EQ(named.requirements.size(), 1u);
  EXPECT_EQ(named.requirements[0].requirement, "late");
  EXPECT_TRUE(plan_of({set}, {.only = {"late"}, .skip = {"late"}}).requirements.empty());
}

TEST(Rows, ASetOfWhichNothingIsLeftIsSaid) {
  const auto set = small_set(
      "  - { id: row, title: T, source: s, vantage: [pbx], check: tcp, transport: [tcp], "
      "ports: [80], hosts: [a.example.com] }\n");
  EXPECT_TRUE(plan_of({set}).notes.empty());
  EXPECT_EQ(
      plan_of({set}, {.from = Vantage::phone}).notes,
      std::vector<Text>{"small: the options on the command line leave no row of this set to test"});
}

TEST(Rows, OfAnotherVantageSayWhereToRunThem) {
  const auto set = small_set(
      "  - { id: row, title: T, source: s, vantage: [phone], check: tcp, transport: [tcp], "
      "ports: [80], hosts: [a.example.com] }\n");
  EXPECT_EQ(plan_of({set}).requirements[0].note,
            "measured from this computer; to be certain, repeat it on the network of the phone");
  EXPECT_EQ(plan_of({set}, {.from = Vantage::phone}).requirements[0].note, "");
}

TEST(Rows, WithoutAnEndpointGetOneProbe) {
  const auto plan = plan_of({small_set("  - { id: row, title: T, source: s, check: path }\n")});
  ASSERT_EQ(plan.probes.size(), 1u);
  EXPECT_EQ(plan.probes[0].probe.id, "path/udp");
  EXPECT_EQ(plan.requirements[0].skipped, "");
}

TEST(Routes, AProxyIsTriedBesideTheDirectWayWhereTheRowPermits) {
  const auto set = small_set(
      "  - { id: never, title: T, source: s, check: tcp, transport: [tcp], ports: [80], "
      "hosts: [never.example.com] }\n"
      "  - { id: row, title: T, source: s, proxy: allowed, check: tcp, transport: [tcp], "
      "ports: [80], hosts: [may.example.com] }\n"
      "  - { id: must, title: T, source: s, proxy: required, check: tcp, transport: [tcp], "
      "ports: [80], hosts: [must.example.com] }\n"
      "  - { id: udp, title: T, source: s, proxy: allowed, check: stun, transport: [udp], "
      "ports: [80], hosts: [udp.example.com] }\n");
  const auto ids = [&](const std::string& proxy) {
    std::vector<std::string> all;
    for (const auto& planned : plan_of({set}, {.proxy = proxy}).probes) {
      all.push_back(planned.probe.id);
    }
    return all;
  };
  EXPECT_EQ(ids(""), (std::vector<std::string>{
                         "tcp/tcp/never.example.com:80", "tcp/tcp/may.example.com:80",
                         "tcp/tcp/must.example.com:80", "stun/udp/udp.example.com:80"}));
  EXPECT_EQ(ids("http://p:1"),
            (std::vector<std::string>{"tcp/tcp/never.example.com:80", "tcp/tcp/may.example.com:80",
                                      "tcp/tcp/may.example.com:80@http://p:1",
                                      "tcp/tcp/must.example.com:80@http://p:1",
                                      "stun/udp/udp.example.com:80"}));
}

TEST(Controls, AreMadeWhateverIsChosenAndGiveNoRows) {
  const auto vendor = small_set(
      "  - { id: row, title: T, source: s, check: tls, transport: [tls], ports: [443], "
      "hosts: [www.google.com] }\n");
  const auto plan = plan_of({vendor, test::anchors()}, {.from = Vantage::phone, .only = {"row"}});
  std::size_t controls = 0;
  for (const auto& planned : plan.probes) {
    controls += planned.probe.control() ? 1u : 0u;
    if (planned.probe.target.host == "www.google.com" && planned.probe.check == CheckKind::tls) {
      EXPECT_FALSE(planned.probe.control()) << "the vendor's row wants it too";
    }
  }
  EXPECT_GE(controls, 6u);
  EXPECT_EQ(plan.requirements.size(), 1u);
}

// --- Service tags -------------------------------------------------------------------------------

TEST(ServiceTagRows, AreAnOpenQuestionWithoutMicrosoftsList) {
  for (const auto& row : plan_of({vendor_set("itracks")}).requirements) {
    if (row.requirement != "media") continue;
    EXPECT_TRUE(row.probes.empty());
    EXPECT_TRUE(row.open_question);
    EXPECT_NE(row.skipped.find("details.aspx?id=56519"), std::string::npos) << row.skipped;
    EXPECT_NE(row.skipped.find("--service-tags FILE"), std::string::npos) << row.skipped;
  }
}

TEST(ServiceTagRows, AreSampledByPacketsThatEndOnTheWay) {
  const auto file = test::source_folder() + "/tests/targets/service_tags.json";
  auto tags = load_service_tags(file).tags.value();
  tags.file = "tags.json";
  PlanOptions options;
  options.service_tags = &tags;
  const auto plan = plan_of({vendor_set("itracks"), test::anchors()}, options);
  std::set<std::string> regions;
  std::size_t sampled = 0;
  for (const auto& planned : plan.probes) {
    if (planned.probe.check != CheckKind::udp_range) continue;
    EXPECT_EQ(planned.probe.with,
              (std::map<std::string, std::string>{{"stop_on_the_way", "true"}}));
    EXPECT_TRUE(IpAddress::parse(planned.probe.target.host)->is_v4());
    regions.insert(planned.probe.region);
    ++sampled;
  }
  EXPECT_GE(sampled, 4u);
  EXPECT_EQ(regions.size(), 2u) << "two networks far from each other";
  for (const auto& row : plan.requirements) {
    if (row.requirement != "media") continue;
    EXPECT_EQ(row.sampled.text(), "2 of 30 hosts, 6 of 16384 ports");
  }
  options.all = true;
  for (const auto& row : plan_of({vendor_set("itracks")}, options).requirements) {
    if (row.requirement != "media") continue;
    EXPECT_EQ(row.probes.size(), 30u);
  }
  options.all = false;
  options.regions = {"germanywc"};
  for (const auto& planned : plan_of({vendor_set("itracks")}, options).probes) {
    if (planned.probe.check != CheckKind::udp_range) continue;
    EXPECT_EQ(planned.probe.region, "germanywc");
  }
}

TEST(ServiceTagRows, SayWhatTheListDoesNotHave) {
  ServiceTags tags;
  tags.file = "tags.json";
  PlanOptions options;
  options.service_tags = &tags;
  const auto reason = [&] {
    for (const auto& row : plan_of({vendor_set("itracks")}, options).requirements) {
      if (row.requirement == "media") return row.skipped + row.note;
    }
    return Text();
  };
  EXPECT_EQ(reason(), "none of its service tags is in tags.json");
  tags.networks["azurecloud.westus"] = {Network::parse("20.1.0.0/16").value()};
  EXPECT_EQ(reason(),
            "not in tags.json: AzureCloud.centralus, AzureCloud.southcentralus, "
            "AzureCloud.australiaeast, AzureCloud.canadacentral, AzureCloud.ukwest, "
            "AzureCloud.northeurope, AzureCloud.eastasia, AzureCloud.japanwest, "
            "AzureCloud.germanywc");
}

// --- The parts ----------------------------------------------------------------------------------

TEST(SamplePorts, HoldsBothEndsAndIsEvenlySpaced) {
  EXPECT_EQ(sample_ports({10000, 20000}, 5),
            (std::vector<std::uint16_t>{10000, 12500, 15000, 17500, 20000}));
  EXPECT_EQ(sample_ports({443, 443}, 5), std::vector<std::uint16_t>{443});
  EXPECT_EQ(sample_ports({5060, 5061}, 5), (std::vector<std::uint16_t>{5060, 5061}));
  EXPECT_EQ(sample_ports({1, 65535}, 2), (std::vector<std::uint16_t>{1, 65535}));
  EXPECT_EQ(sample_ports({1, 65535}, 0), (std::vector<std::uint16_t>{1, 65535}));
  const auto all = sample_ports({1, 65535}, 70000);
  ASSERT_EQ(all.size(), 65535u);
  EXPECT_EQ(all.front(), 1);
  EXPECT_EQ(all.back(), 65535);
}

TEST(SpreadOrder, EveryPrefixIsSpread) {
  EXPECT_EQ(spread_order(0), std::vector<std::size_t>{});
  EXPECT_EQ(spread_order(1), std::vector<std::size_t>{0});
  EXPECT_EQ(spread_order(8), (std::vector<std::size_t>{0, 4, 2, 6, 1, 5, 3, 7}));
  for (std::size_t n = 1; n < 200; ++n) {
    const auto order = spread_order(n);
    const std::set<std::size_t> visited(order.begin(), order.end());
    ASSERT_EQ(order.size(), n);
    ASSERT_EQ(visited.size(), n);
    ASSERT_EQ(*visited.rbegin(), n - 1);
  }
  // No gap in a prefix is more than twice as wide as an even spread would leave.
  const auto order = spread_order(64);
  for (std::size_t length = 1; length <= 64; ++length) {
    std::set<std::size_t> prefix(order.begin(),
                                 order.begin() + static_cast<std::ptrdiff_t>(length));
    std::size_t last = 0, widest = 64 - *prefix.rbegin();
    for (const auto position : prefix) {
      widest = std::max(widest, position - last);
      last = position;
    }
    ASSERT_LE(widest * length, 2u * 64u) << length;
  }
}

TEST(Scenarios, AreTheDefaultsOrThoseNamed) {
  const auto set = vendor_set("rainbow");
  EXPECT_EQ(active_scenarios(set, {}), std::vector<std::string>{"collaboration"});
  EXPECT_EQ(active_scenarios(set, {.scenarios = {"hub", "elsewhere"}}),
            std::vector<std::string>{"hub"});
}

// A stream takes as long as a short call: only who asks for it waits for it, and for one host.
TEST(Plan, MeasuresStreamsOnlyWhereAsked) {
  const std::vector sets{test::load(R"(
schema: callready.targets/1
id: own
title: Own
capabilities:
  - { id: voice, title: Voice, needs: [stream] }
requirements:
  - { id: stream, title: Stream, check: media, transport: [udp], ports: [862],
      hosts: [a.example.com, b.example.com] }
)",
                                    "own")};
  const auto without = plan_of(sets);
  EXPECT_TRUE(without.probes.empty());
  EXPECT_NE(without.requirements.at(0).skipped.find("--quality"), std::string::npos);
  EXPECT_EQ(plan_of(sets, {.streams = true}).probes.size(), 1u);
  const auto with = plan_of(sets, {.quality = true});
  ASSERT_EQ(with.probes.size(), 1u);
  EXPECT_EQ(with.probes[0].probe.check, CheckKind::media);
}

// With a login for TURN the set's own server is the far end, where it relays over UDP and over a
// connection: the row over UDP is judged by it.
TEST(Plan, MeasuresAStreamBetweenTwoRelaysWithALogin) {
  const std::vector sets{test::load(R"(
schema: callready.targets/1
id: own
title: Own
capabilities:
  - { id: voice, title: Voice, needs: [relays] }
requirements:
  - { id: relays, title: Relays, check: turn, transport: [udp, tcp], ports: [3478],
      hosts: [turn.example.com] }
)",
                                    "own")};
  const auto streams = [&](const PlanOptions& options) {
    std::vector<Probe> found;
    for (const auto& planned : plan_of(sets, options).probes) {
      if (planned.probe.check == CheckKind::media) found.push_back(planned.probe);
    }
    return found;
  };
  EXPECT_TRUE(streams({.turn_login = true}).empty());
  EXPECT_TRUE(streams({.quality = true}).empty());
  const auto with = streams({.quality = true, .turn_login = true});
  ASSERT_EQ(with.size(), 1u);
  EXPECT_EQ(with[0].target.transport, Transport::udp);
  EXPECT_EQ(with[0].with.at("turn"), "turn.example.com:3478/tcp");
  const auto plan = plan_of(sets, {.quality = true, .turn_login = true});
  const auto& row = plan.requirements.at(0).probes;
  EXPECT_NE(std::find(row.begin(), row.end(), with[0].id), row.end());
  // What --quality did not measure is said, and what would.
  EXPECT_TRUE(plan.notes.empty());
  EXPECT_TRUE(plan_of(sets).notes.empty());
  const auto without = plan_of(sets, {.quality = true}).notes;
  ASSERT_EQ(without.size(), 1u);
  EXPECT_NE(without[0].find("A call with Own was not measured"), std::string::npos) << without[0];
  EXPECT_NE(without[0].find("CALLREADY_TURN_USER"), std::string::npos);
}

}  // namespace
}  // namespace callready
