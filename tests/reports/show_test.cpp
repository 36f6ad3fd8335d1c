#include "reports/text/show.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reports/words/terminal.hpp"
#include "tests/reports/golden.hpp"
#include "tests/reports/samples.hpp"
#include "tests/reports/schema.hpp"

namespace callready {
namespace {

using samples::ip;

Requirement turn_over_udp() {
  Requirement turn;
  turn.id = "turn-udp";
  turn.title = "TURN servers over UDP";
  turn.purpose = "Audio and video between people on different networks";
  turn.source = "section 4.1, table; section 5, STUN/TURN";
  turn.note = "Clients use the nearest two.";
  turn.proxy = ProxyUse::allowed;
  turn.allow_by = AllowBy::name;
  turn.reach = {Reach::Kind::nearest, 2};
  turn.scenarios = {"collaboration"};
  turn.vantages = {Vantage::pc, Vantage::room_device};
  turn.clients = {"web", "desktop"};
  turn.source_ports = {{49152, 65535}};
  turn.check = CheckKind::turn;
  turn.transports = {Transport::udp, Transport::tcp};
  turn.ports = {{3478, 3478}, {10000, 20000}};
  turn.with = {{"path", "/"}, {"realm", "example"}};
  turn.hosts = {{"turn-gra1.example.com", "france", Lifecycle::current, ""},
                {"turn-rbx1.example.com", "france", Lifecycle::removed, "gone since Ed 20"}};
  turn.reverse_dns = {{"rtc-gra2.example.com", "", Lifecycle::current, ""}};
  turn.wildcards = {{"*.example.com", {{"www.example.com", "", Lifecycle::current, ""}}},
                    {"*.example.net", {}}};
  turn.addresses = {
      {ip("192.0.2.1"), "", Lifecycle::current, ""},
      {Network{ip("198.51.100.0"), 24}, "france", Lifecycle::deprecated, ""},
      {AddressRange{ip("203.0.113.10"), ip("203.0.113.20")}, "", Lifecycle::current, "as printed"}};
  turn.service_tags = {"AzureCloud.centralus"};
  turn.conditions = {"footnote (2) is missing in the document"};
  turn.thresholds = {150, 30, std::nullopt, 87.5};
  return turn;
}

TargetSet example() {
  TargetSet set;
  set.id = "example";
  set.title = "Example Calls";
  set.vendor = "Example Inc.";
  set.edition = "Ed 36";
  set.sha256 = std::string(64, 'a');
  set.kind = ServiceKind::meetings;
  set.aliases = {"example-calls"};
  set.former_names = {"Sample Phone"};
  set.document = "Example Calls, Network Requirements";
  set.url = "https://example.com/network.pdf";
  set.published = "2025-05-07";
  set.verified = "2026-11-20";
  set.origin = "built in";
  set.scenarios = {{"collaboration", "Meetings and messaging", true},
                   {"hub", "Cloud telephony", false}};
  set.variables = {{"sip_server", "Your own SIP server", std::nullopt, "pbx.example.com"},
                   {"sip_port", "Its port", "5060", "5061"}};
  set.regions = {{"france", "Europe / France"}};
  Requirement web;
  web.id = "web";
  web.title = "Web servers";
  web.check = CheckKind::http;
  web.reach.kind = Reach::Kind::any;
  web.transports = {Transport::tls};
  web.ports = {{443, 443}};
  web.hosts = {{"www.example.com", "", Lifecycle::current, ""}};
  web.source = "section 3";
  Requirement push;
  push.id = "push";
  push.title = "Push notifications";
  push.severity = Severity::optional;
  push.direction = Direction::in;
  push.lifecycle = Lifecycle::optional_feature;
  push.unprobed = "Apple lists networks only";
  push.listening = false;
  push.transports = {Transport::tcp};
  push.ports = {{5223, 5223}};
  push.addresses = {{Network{ip("192.0.2.128"), 25}, "", Lifecycle::current, ""}};
  push.source = "section 6";
  push.variable_transports = {"${push_transport}"};
  push.variable_ports = {"${push_port}"};
  push.variable_addresses = {{"${push_network}", "france", Lifecycle::current, "yours"}};
  set.requirements = {web, turn_over_udp(), push};
  set.capabilities = {
      {"sign-in", "Sign in", {}, {{{{"web"}}, false}}},
      {"media",
       "Audio and video",
       {"collaboration"},
       {{{{"turn-udp"}, {"web", "push"}}, false}, {{{"web"}, {"turn-udp"}}, true}}}};
  MediaQuality quality;
  quality.round_trip_ms = 100;
  quality.burst_loss_percent = 2.5;
  quality.bandwidth_up_kbps = 1000;
  quality.dscp = "EF (46)";
  quality.source = "section 7";
  set.capabilities.at(1).quality = quality;
  set.requirements.at(1).priority = Priority::optimize;
  set.advice = {{"nat-timeout",
                 "Keep NAT bindings of UDP 3478 for at least 10 minutes.",
                 "section 4.6.1",
                 {"hub"},
                 {Vantage::gateway}}};
  return set;
}

RenderOptions with(int width, bool unicode = true) {
  RenderOptions options;
  options.width = width;
  options.unicode = unicode;
  options.verbose = true;
  return options;
}

RenderOptions in_short(int width) {
  auto options = with(width);
  options.verbose = false;
  return options;
}

// As long as a vendor's longest: what is listed once must not be listed twice over a screen.
TargetSet long_example() {
  auto set = example();
  for (int i = 0; i < 200; ++i) {
    const auto region = "region" + std::to_string(i % 10);
    set.requirements[1].hosts.push_back(
        {"turn" + std::to_string(i) + ".example.com", region, Lifecycle::current, ""});
  }
  for (int i = 0; i < 10; ++i) {
    set.regions.push_back({"region" + std::to_string(i), "World / Part " + std::to_string(i)});
  }
  return set;
}

TEST(Show, GoldenFiles) {
  expect_golden("show.txt", show_text(example(), with(80)));
  expect_golden("show.narrow.txt", show_text(example(), with(50)));
  expect_golden("show.json", show_json(example()));
  expect_golden("show.short.txt", show_text(long_example(), in_short(80)));
}

TEST(Show, InShortNamesEveryRowItsSourceAndItsSize) {
  const auto text = show_text(long_example(), in_short(80));
  for (const auto* fact :
       {"turn-udp: TURN servers over UDP", "202 names in 11 regions: ", "and 200 more",
        "turn-rbx1.example.com (removed)", "198.51.100.0/24 (deprecated)",
        "section 4.1, table; section 5, STUN/TURN", "web: Web servers", "push: Push notifications",
        "Keep NAT bindings", "callready show example --verbose"}) {
    EXPECT_NE(text.find(fact), std::string::npos) << fact;
  }
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 70);
}

TEST(Show, PrintsEveryFactAsText) {
  // Twice as wide as needed, so that nothing is wrapped away from its search text.
  const auto text = show_text(example(), with(120));
  for (const auto* fact : {"Example Inc.",
                           "network.pdf",
                           "2025-05-07",
                           "2026-11-20",
                           "hub",
                           "Cloud telephony",
                           "sip_server",
                           "for instance pbx.example.com",
                           "otherwise 5060",
                           "Europe / France",
                           "turn-udp, else web with push (a later one is a fallback)",
                           "one of web, turn-udp",
                           "UDP and TCP 3478, 10000-20000, from source port 49152-65535",
                           "france: turn-gra1.example.com, turn-rbx1.example.com (removed",
                           "gone since Ed 20",
                           "*.example.com (tried: www.example.com)",
                           "*.example.net",
                           "france: 198.51.100.0/24 (deprecated)",
                           "203.0.113.10-203.0.113.20 (as printed)",
                           "AzureCloud.centralus",
                           "rtc-gra2.example.com",
                           "allow by name",
                           "a proxy may carry it",
                           "turn (path=/, realm=example), the nearest 2 must answer",
                           "pc, room-device",
                           "web, desktop",
                           "one-way delay 150 ms, jitter 30 ms, bandwidth 87.5 kbit/s",
                           "footnote (2) is missing",
                           "Clients use the nearest two.",
                           "section 5, STUN/TURN",
                           "none: Apple lists networks only",
                           "from outside to this site",
                           "TCP and ${push_transport} 5223, ${push_port}",
                           "france: ${push_network} (yours)",
                           "(optional; optional-feature)",
                           "Keep NAT bindings",
                           "section 4.6.1",
                           "gateway"}) {
    EXPECT_NE(text.find(fact), std::string::npos) << fact;
  }
  // A requirement of two capabilities is printed once.
  const auto first = text.find("turn-udp: TURN");
  EXPECT_EQ(text.find("turn-udp: TURN", first + 1), std::string::npos);
}

TEST(Show, TellsAllFiguresOfARow) {
  auto set = example();
  auto& figures = set.requirements.at(0).thresholds;
  figures.burst_loss_percent = 7.5;
  figures.reordering_percent = 0.5;
  const auto text = show_text(set, with(200)), json = show_json(set);
  EXPECT_NE(text.find("loss in bursts 7.5 %, reordering 0.5 %"), std::string::npos) << text;
  EXPECT_NE(json.find("\"burst_loss_percent\": 7.5"), std::string::npos) << json;
  EXPECT_NE(json.find("\"reordering_percent\": 0.5"), std::string::npos) << json;
}

TEST(Show, JsonMirrorsTheModel) {
  const auto json = nlohmann::json::parse(show_json(example()));
  EXPECT_EQ(schema_errors(show_json(example()), "callready.set-1.schema.json"), "");
  EXPECT_EQ(json["id"], "example");
  EXPECT_EQ(json["scenarios"][0]["default"], true);
  EXPECT_EQ(json["variables"][1]["default"], "5060");
  EXPECT_FALSE(json["variables"][0].contains("default"));
  EXPECT_EQ(json["capabilities"][1]["needs"][0]["alternatives"].dump(),
            R"([["turn-udp"],["web","push"]])");
  EXPECT_EQ(json["capabilities"][1]["needs"][1]["equal"], true);
  const auto& turn = json["requirements"][1];
  EXPECT_EQ(turn["reach"].dump(), R"({"count":2,"kind":"nearest"})");
  EXPECT_EQ(turn["source_ports"].dump(), R"(["49152-65535"])");
  EXPECT_EQ(turn["ports"].dump(), R"(["3478","10000-20000"])");
  EXPECT_EQ(turn["transports"].dump(), R"(["udp","tcp"])");
  EXPECT_EQ(turn["vantages"].dump(), R"(["pc","room-device"])");
  EXPECT_EQ(turn["with"]["realm"], "example");
  EXPECT_EQ(turn["hosts"][1]["lifecycle"], "removed");
  EXPECT_EQ(turn["addresses"][0]["kind"], "address");
  EXPECT_EQ(turn["addresses"][1]["kind"], "network");
  EXPECT_EQ(turn["addresses"][2]["kind"], "range");
  EXPECT_EQ(turn["addresses"][2]["value"], "203.0.113.10-203.0.113.20");
  EXPECT_EQ(turn["wildcards"][0]["examples"][0]["name"], "www.example.com");
  EXPECT_EQ(turn["thresholds"].size(), 3u);
  EXPECT_EQ(json["requirements"][0]["reach"].dump(), R"({"kind":"any"})");
  EXPECT_EQ(json["requirements"][2]["unprobed"], "Apple lists networks only");
  EXPECT_EQ(json["requirements"][2]["listening"], false);
  EXPECT_EQ(json["requirements"][2]["transports"].dump(), R"(["tcp","${push_transport}"])");
  EXPECT_EQ(json["requirements"][2]["ports"].dump(), R"(["5223","${push_port}"])");
  EXPECT_EQ(json["requirements"][2]["addresses"][1]["kind"], "variable");
  EXPECT_EQ(json["requirements"][2]["addresses"][1]["value"], "${push_network}");
  EXPECT_EQ(json["requirements"][2]["lifecycle"], "optional-feature");
  EXPECT_EQ(json["advice"][0]["vantages"].dump(), R"(["gateway"])");
}

TEST(Show, IsHarmlessAndKeepsToTheWidth) {
  auto set = example();
  const std::string attack = "\x1b[2J\xc2\x9b\r\n";
  set.title += attack;
  set.origin += attack;
  set.requirements[1].hosts[0].name += attack;
  set.requirements[1].note += attack + std::string(200, 'x');
  set.advice[0].text += attack;
  for (const int width : {40, 80}) {
    for (const auto& text :
         {show_text(set, with(width)), show_text(set, with(width, false)),
          show_text(set, in_short(width)),
          list_text(std::vector<ListedSet>{{set, 3}}, "2026-11-21", with(width)), show_json(set)}) {
      std::istringstream stream(text);
      for (std::string line; std::getline(stream, line);) {
        EXPECT_EQ(harmless(line), line);
        EXPECT_FALSE(line.ends_with(' ')) << line;
        if (!text.starts_with('{')) {
          EXPECT_LE(columns(line), width) << line;
        }
      }
    }
  }
}

TEST(List, ManyNamesAreLeftOutOfANarrowScreenAndThatIsSaid) {
  std::vector<ListedSet> sets;
  for (char c = 'a'; c <= 'k'; ++c) {
    sets.push_back({example(), 3});
    sets.back().head.id = std::string(40, c);
  }
  const auto text = list_text(sets, "2026-11-21", with(80));
  EXPECT_EQ(text.find("example-calls"), std::string::npos);
  EXPECT_TRUE(text.ends_with("Other names of each service: callready list WORD, or --json\n"));
  sets.pop_back();
  EXPECT_NE(list_text(sets, "2026-11-21", with(80)).find("j is also example-calls."),
            std::string::npos);
}

// In a pipe the whole, on a narrow screen titles rather than kinds.
TEST(List, TitlesAreNotCutForKinds) {
  auto set = example();
  set.id = "azure-communication-services";
  set.title = "Azure Communication Services";
  const auto text = [&](bool on_screen) {
    auto options = with(80);
    options.on_screen = on_screen;
    return list_text(std::vector<ListedSet>{{set, 3}}, "2026-11-21", options);
  };
  EXPECT_EQ(text(false),
            "SET                           TITLE                         KIND      SOURCE       "
            "PUBLISHED  VERIFIED   ALSO\n"
            "azure-communication-services  Azure Communication Services  meetings  vendor-page  "
            "2025-05    1 day ago  example-calls\n");
  EXPECT_EQ(text(true).find("KIND"), std::string::npos);
  EXPECT_EQ(text(true).find("ALSO"), std::string::npos);
  EXPECT_NE(text(true).find("\n\nazure-communication-services is also example-calls.\n"),
            std::string::npos);
  EXPECT_NE(text(true).find("Azure Communication S"), std::string::npos);
}

TEST(List, IsATable) {
  auto other = example();
  other.id = "x";
  other.title = "X";
  other.edition = "";
  other.kind = ServiceKind::sip_trunk;
  other.evidence = SourceQuality::second_hand;
  other.verified = "2024-01-31";
  other.aliases = {"ex"};
  other.published.clear();
  const std::vector<ListedSet> sets = {{example(), 3}, {other, 3}};
  EXPECT_EQ(
      list_text(sets, "2026-11-21", with(100)),
      "SET      TITLE          KIND       SOURCE       PUBLISHED  VERIFIED     ALSO\n"
      "example  Example Calls  meetings   vendor-page  2025-05    1 day ago    example-calls\n"
      "x        X              sip-trunk  second-hand  undated    2 years ago  ex\n"
      "\n1 document has no date: nobody knows how old it is.\n");
  const auto age = [&](const std::string& day) {
    other.verified = day;
    const auto text = list_text(std::vector<ListedSet>{{other, 3}}, "2026-11-21", with(100));
    const auto start = text.rfind("undated") + 11;
    const auto end = text.find("  ", start);
    return text.substr(start, end - start);
  };
  EXPECT_EQ(age("2026-11-21"), "today");
  EXPECT_EQ(age("2026-11-22"), "today");  // another time zone
  EXPECT_EQ(age("2026-09-23"), "59 days ago");
  EXPECT_EQ(age("2026-09-22"), "2 months ago");
  EXPECT_EQ(age(""), "never");
  // However lately it was read: the document itself may be old.
  other.published = "2016-07";
  other.verified = "2026-11-20";
  const auto aged =
      list_text(std::vector<ListedSet>{{example(), 3}, {other, 3}}, "2026-11-21", with(100));
  EXPECT_NE(
      aged.find("This set rests on a document more than 3 years old: x. Look for a newer edition "
                "before you rely on\n  it.\n"),
      std::string::npos)
      << aged;
  other.published = "2019";
  const auto about = list_text(std::vector<ListedSet>{{other, 3}}, "2026-11-21", with(100));
  EXPECT_NE(about.find(" about 2019 "), std::string::npos) << about;
  EXPECT_NE(about.find("This set rests on a document more than 3 years old: x."), std::string::npos)
      << about;
  EXPECT_EQ(about.find("nobody knows"), std::string::npos) << about;
  const auto json = nlohmann::json::parse(list_json(sets));
  EXPECT_EQ(json.size(), 2u);
  EXPECT_EQ(json[1]["id"], "x");
  EXPECT_EQ(json[1]["kind"], "sip-trunk");
  EXPECT_EQ(json[1]["evidence"], "second-hand");
  EXPECT_EQ(json[1]["aliases"], std::vector<std::string>{"ex"});
  EXPECT_EQ(json[0]["evidence"], "vendor-page");
  EXPECT_EQ(json[0]["requirements"], 3);
  EXPECT_EQ(list_json({}), "[]\n");
}

}  // namespace
}  // namespace callready
