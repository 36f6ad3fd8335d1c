// What --redact hides, what it leaves, and that no format shows any of the former.
#include "reports/privacy/redact.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "probe/model/told_apart.hpp"
#include "reports/format.hpp"
#include "reports/json/reader.hpp"
#include "reports/privacy/redact_text.hpp"
#include "tests/reports/redaction.hpp"
#include "tests/reports/samples.hpp"
#include "tests/reports/schema.hpp"

namespace callready {
namespace {

using samples::ip;

Redactor redactor(const std::string& key = "k") {
  Redactor made(digest_with(key), vendors(), {"jdupont"});
  Site site;
  site.name = "Lyon HQ";
  site.host = "pc-4711.corp.dupont.fr";
  site.interfaces = {{"wlan-guest", {ip("10.20.0.15"), ip("2a01:e0a:1:2::15")}, true}};
  site.resolvers = {"10.20.0.53:5353", "[fd00::53]:53"};
  site.proxy = "http://squid.corp.dupont.fr:3128";
  site.public_addresses = {ip("198.18.7.7")};
  site.own_hosts = {"acme.openrainbow.com", "10.9.8.7"};
  made.learn(site);
  return made;
}

class WhatStays : public testing::TestWithParam<const char*> {};
TEST_P(WhatStays, IsTheVendorsAndPlainText) { EXPECT_EQ(redactor().text(GetParam()), GetParam()); }
INSTANTIATE_TEST_SUITE_P(
    Texts, WhatStays,
    testing::Values(
        "", "no answer from web.openrainbow.com:443 (TLS)", "https://web.openrainbow.com/x",
        "203.0.113.7:443", "203.0.113.0/24", "[203.0.113.9]", "*.rainbow-cdn.net",
        "a.b.rainbow-cdn.net.", "other.openrainbow.com answers", "127.0.0.1:53 and ::1",
        "0.0.0.0/0", "TLSv1.3, nginx/1.22.1, kamailio (5.6.3 (x86_64/linux))",
        "Coturn-4.6.1 'Gorst'", "at 12:34:56, 2026-11-20T12:34:56.789Z", "firewall.udp_blocked",
        "ServiceTags_Public.json", "e.g. this; i.e. that... and so on.", "1.5 % of 3.14",
        "From: <sip:anonymous@anonymous.invalid>", "pc-47112 and xpc-4711",
        "http/tls/web.openrainbow.com:443", "bucket.s3.amazonaws.com", "7.113.0.203.in-addr.arpa"));

class WhatGoes : public testing::TestWithParam<std::pair<const char*, const char*>> {};
TEST_P(WhatGoes, IsNotThereAnyMore) {
  const auto [text, secret] = GetParam();
  const auto shown = lower_case(redactor().text(text));
  EXPECT_EQ(shown.find(lower_case(secret)), std::string::npos) << shown;
  EXPECT_EQ(redactor().text(shown).find(lower_case(secret)), std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(
    Texts, WhatGoes,
    testing::Values(
        std::pair("10.20.0.15:443", "10.20.0"), std::pair("(10.20.0.15)", "10.20"),
        std::pair("blocked by 10.20.0.1.", "10.20"), std::pair("10.20.0.0/16", "10.20"),
        std::pair("10.20.0.15/24", "10.20"), std::pair("10.20.0.1-10.20.0.99", "10.20"),
        std::pair("62.4.8.1 says: prohibited", "62.4.8"), std::pair("198.18.7.7", "198.18"),
        std::pair("2a01:e0a:1:2::15", "2a01"), std::pair("[2a01:e0a:1:2::15]:443", "2a01"),
        std::pair("2a01:e0a:1:2::/64", "2a01"), std::pair("2a01:e0a:1::1-2a01:e0a:1::9", "2a01"),
        std::pair("2a01:e0a:1::1-2a01:e0a:1::9", "e0a"), std::pair("fe80::1%wlan-guest", "fe80"),
        std::pair("fe80::1%wlan-guest", "wlan-guest"), std::pair("::ffff:10.20.0.15", "10.20"),
        std::pair("via wlan-guest", "wlan-guest"), std::pair("00:1b:44:11:3a:b7", "1b:44"),
        std::pair("00-1B-44-11-3A-B7", "1b-44"), std::pair("001b.4411.3ab7", "001b"),
        std::pair("measured at Lyon HQ.", "lyon"), std::pair("LYON HQ", "lyon"),
        std::pair("pc-4711", "4711"), std::pair("PC-4711.corp.dupont.fr", "4711"),
        std::pair("from pc-4711.corp.dupont.fr:", "dupont"),
        std::pair("dc1.corp.dupont.fr", "dupont"),
        std::pair("1.1 squid.corp.dupont.fr:3128 (squid/5.7)", "dupont"),
        std::pair("http/tls/web.openrainbow.com:443@http://squid.corp.dupont.fr:3128", "dupont"),
        std::pair("acme.openrainbow.com", "acme"), std::pair("10.9.8.7", "10.9"),
        std::pair("jane@dupont.fr as anonymous@anonymous.invalid", "jane"),
        std::pair("jdupont", "dupont"), std::pair("CORP\\jdupont", "dupont"),
        // Homes of others than who runs it.
        std::pair("/home/mmartin/proxy.pac", "martin"), std::pair("/Users/mmartin", "martin"),
        std::pair("C:\\Users\\mmartin\\proxy.pac", "martin"),
        std::pair("sip:jdupont@dupont.fr", "dupont"),
        std::pair("sip:33612345678@pbx", "33612345678"), std::pair("john.doe@example.com", "doe"),
        std::pair("15.0.20.10.in-addr.arpa", "15.0.20.10"),
        std::pair("ip-10-20-0-15.eu-west-1.compute.amazonaws.com", "10-20"),
        std::pair("captive.hotel-lyon.example", "lyon")));

// Whatever stands around them, and in whatever order.
TEST(Redact, FindsSecretsInAnyNeighbourhood) {
  const std::vector<std::string> hidden = {
      "10.20.0.15", "10.20.0.0/16",  "2a01:e0a:1:2::15", "[2a01:e0a:1:2::15]:443",
      "pc-4711",    "wlan-guest",    "Lyon HQ",          "dc1.corp.dupont.fr",
      "jdupont",    "10.20.0.15:53", "00:1b:44:11:3a:b7"};
  const std::vector<std::string> between = {" ",  ", ", ";",  "(",  ") ",       "<",  ">",
                                            "\"", "'",  "=",  "|",  "\n",       "\t", "&",
                                            "?",  "->", ". ", ": ", "\xc2\xa0 "};
  const auto subject = redactor();
  std::uint32_t state = 1;
  const auto next = [&](std::size_t size) {
    state = state * 1664525U + 1013904223U;  // the same on every machine
    return static_cast<std::size_t>(state >> 8) % size;
  };
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (int j = 0; j < 8; ++j) text += hidden[next(hidden.size())] + between[next(between.size())];
    const auto shown = subject.text(text);
    for (const auto* part : {"10.20.", "2a01", "4711", "wlan", "Lyon", "dupont", "1b:44"}) {
      ASSERT_EQ(shown.find(part), std::string::npos) << text << "\n" << shown;
    }
  }
}

// Any bytes at all: it ends, and invents nothing where there is nothing to hide.
TEST(Redact, TakesAnyBytes) {
  const auto subject = redactor();
  std::uint32_t state = 7;
  const std::string_view alphabet = "a0.:-%@\\/[]\x80\xff_ ";
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (int j = 0; j < 24; ++j) {
      state = state * 1664525U + 1013904223U;
      text += alphabet[(state >> 8) % alphabet.size()];
    }
    EXPECT_LE(subject.text(text).size(), text.size() * 20);
  }
  EXPECT_EQ(subject.text("\xff\xfe ::: ... --- @@ \\\\ %%"), "\xff\xfe ::: ... --- @@ \\\\ %%");
}

TEST(Redact, IsTheSameForOneKeyAndAnotherForAnother) {
  const auto* text = "10.20.0.15 pc-4711 dc1.corp.dupont.fr 2a01:e0a:1:2::15 00:1b:44:11:3a:b7";
  EXPECT_EQ(redactor("a").text(text), redactor("a").text(text));
  EXPECT_NE(redactor("a").text(text), redactor("b").text(text));
  EXPECT_EQ(redactor("a").key_name(), redactor("a").key_name());
  EXPECT_NE(redactor("a").key_name(), redactor("b").key_name());
  // A computer is the same one by its short name and by its long one.
  const auto shown = redactor().text("pc-4711 PC-4711.corp.dupont.fr");
  const auto space = shown.find(' ');
  EXPECT_EQ(shown.substr(space + 1, space), shown.substr(0, space)) << shown;
}

TEST(Pseudonyms, KeepWhatSharesAPrefix) {
  const Pseudonyms names(digest_with("k"));
  for (const auto& [network, first_byte] :
       std::map<std::string, std::string>{{"10.", "240."},
                                          {"172.16.", "241."},
                                          {"192.168.", "242."},
                                          {"100.64.", "243."},
                                          {"169.254.", "244."}}) {
    const auto in = [&](const std::string& rest) {
      auto text = network + rest;
      if (std::count(text.begin(), text.end(), '.') == 2) text += ".1";
      return names.address(ip(text));
    };
    const auto a = in("7.1"), b = in("7.2"), far = in("200.9");
    EXPECT_TRUE(a.to_string().starts_with(first_byte)) << a.to_string();
    EXPECT_NE(a, b);
    if (network == "10.") continue;
    EXPECT_TRUE((Network{a, 24}.masked().contains(b)));
    EXPECT_FALSE((Network{a, 24}.masked().contains(far)));
  }
  const auto net = names.network(Network{ip("10.20.0.0"), 16});
  EXPECT_TRUE(net.aligned());
  EXPECT_TRUE(net.contains(names.address(ip("10.20.255.3"))));
  EXPECT_FALSE(net.contains(names.address(ip("10.21.0.3"))));
  const auto v6 = names.network(Network{ip("2a01:e0a:1:2::"), 64});
  EXPECT_TRUE(v6.contains(names.address(ip("2a01:e0a:1:2::15"))));
  EXPECT_FALSE(v6.contains(names.address(ip("2a01:e0a:1:3::15"))));
}

TEST(Pseudonyms, AreDifferentForDifferentPrivateAddresses) {
  const Pseudonyms names(digest_with("k"));
  std::set<IpAddress> seen;
  for (int i = 0; i < 512; ++i) {
    seen.insert(names.address(IpAddress::v4(
        {10, 20, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i % 256)})));
  }
  EXPECT_EQ(seen.size(), 512u);
}

// Everything that a site could be known by, in one sentence.
const std::vector<std::string> secrets = {
    "Lyon-HQ",     "pc-4711", "dupont",  "10.20.0", "2a01:e0a", "172.20.", "00:1b:44",
    "wlan-guest7", "jdoe",    "62.4.8.", "4711",    "10.20.",   "hunter2"};
const std::string sentence =
    " at Lyon-HQ from pc-4711.corp.dupont.fr (10.20.0.15, 2a01:e0a:1:2::15/64, 172.20.0.0/16, "
    "00:1b:44:11:3a:b7) by jdoe@dupont.fr, through wlan-guest7, past 62.4.8.1 and "
    "http://wpad.dupont.fr:3128/ and PC-4711; CN=x.dupont.fr";

// A report with that sentence in every text that the network, the site or the user can choose.
Report told_everywhere() {
  auto report = samples::blocked();
  report.site.name = "Lyon-HQ";
  report.site.host = "pc-4711";
  report.site.interfaces.at(0).name = "wlan-guest7";
  report.site.interfaces.at(0).addresses = {ip("10.20.0.15"), ip("2a01:e0a:1:2::15")};
  report.site.ways = {{"wlan-guest7", ip("10.20.0.1"), false, true, {"pbx.dupont.fr"}}};
  report.site.resolvers = {"10.20.0.53", "dns.dupont.fr:53"};
  report.site.proxy = "http://squid.dupont.fr:3128";
  report.site.public_addresses = {ip("62.4.8.9")};
  report.site.nat_mapping = report.site.nat_filtering = sentence;
  report.site.own_hosts = {"pbx.dupont.fr"};
  report.notes.push_back(sentence);
  auto own = report.sets.at(1);
  own.id = "dupont.fr";
  own.title = own.edition = own.document = sentence;
  own.advice = {{sentence, sentence, sentence}};
  own.requirements.at(0).title = own.requirements.at(0).source = sentence;
  report.sets.push_back(own);
  for (auto& set : report.sets) {
    set.notes = {sentence};
    for (auto& capability : set.capabilities) capability.summary += sentence;
    for (auto& row : set.requirements) {
      row.summary += sentence;
      row.sampled += sentence;
      row.probes.push_back("tcp/tcp/pbx.dupont.fr:5060");
    }
  }
  for (auto& finding : report.findings) {
    finding.title += sentence;
    finding.fix += sentence;
    finding.evidence.push_back({"tcp/tcp/pbx.dupont.fr:5060", sentence});
    finding.explains.push_back("dupont.fr/row");
    finding.affects.push_back({"dupont.fr", {"calls"}});
  }
  for (auto& [probe, seen] : report.probes) {
    seen.local = SocketAddress{ip("10.20.0.15"), 1};
    probe.with["path"] = sentence;
    seen.evidence.push_back(
        {EvidenceKind::http_reply, sentence, {{Fact::server, sentence}, {Fact::by, sentence}}});
  }
  ProbeResult pbx = report.probes.at(0);
  pbx.probe.target.host = "pbx.dupont.fr";
  pbx.probe.target.route.proxy = "http://squid.dupont.fr:3128";
  pbx.probe.id = "tcp/tcp/pbx.dupont.fr:5060";
  pbx.observation.address = ip("10.20.0.99");
  report.probes.push_back(pbx);
  VantageReport part;
  part.name = "voice";
  part.site = report.site;
  part.sets = report.sets;
  part.findings = report.findings;
  part.notes = report.notes;
  report.vantages = {part};
  return report;
}

TEST(Redact, LeavesNothingOfTheSiteInAnyFormat) {
  const auto plain = told_everywhere();
  const auto hidden = redactor().report(plain);
  for (const auto& format : formats()) {
    RenderOptions options;
    options.verbose = true;
    options.width = 120;
    const auto before = lower_case(format.render(plain, options));
    const auto text = lower_case(format.render(hidden, options));
    for (const auto& secret : secrets) {
      EXPECT_EQ(text.find(lower_case(secret)), std::string::npos)
          << format.name << ": " << secret << "\n"
          << text.substr(text.find(lower_case(secret)) - 80, 200);
    }
    // The vendor's own stay, in every format that named them.
    for (const auto* vendors : {"turn-gra1.openrainbow.com", "203.0.113.7"}) {
      EXPECT_EQ(text.find(vendors) == std::string::npos, before.find(vendors) == std::string::npos)
          << format.name << ": " << vendors;
    }
  }
}

TEST(Redact, KeepsAReportThatCanBeRead) {
  const auto hidden = redactor().report(told_everywhere());
  const auto json = render_json(hidden, {});
  EXPECT_EQ(schema_errors(json, "callready.report-1.schema.json"), "");
  const auto read = read_report(json, "x");
  ASSERT_TRUE(read.report) << read.error;
  EXPECT_EQ(read.report->redacted, redactor().key_name());
  EXPECT_EQ(render_json(*read.report, {}), json);
  // What names a probe still finds it.
  std::set<std::string> ids;
  for (const auto& result : hidden.probes) ids.insert(result.probe.id);
  std::size_t found = 0;
  for (const auto& set : hidden.sets) {
    for (const auto& row : set.requirements) {
      for (const auto& id : row.probes) found += ids.contains(id);
    }
  }
  std::size_t before = 0;
  const auto plain = told_everywhere();
  ids.clear();
  for (const auto& result : plain.probes) ids.insert(result.probe.id);
  for (const auto& set : plain.sets) {
    for (const auto& row : set.requirements) {
      for (const auto& id : row.probes) before += ids.contains(id);
    }
  }
  EXPECT_EQ(found, before);
  EXPECT_EQ(exit_status(hidden), exit_status(plain));
}

TEST(Redact, HidesPagesOfPoliciesAndAddressesInNames) {
  auto report = samples::clean();
  const std::string pages = R"([{"handling":"default","url":"intranet/calls"},"meet.dupont.fr"])";
  report.site.browser_policies = {{"Google Chrome", "WebRtcIPHandlingUrl", pages, "/etc/x.json"}};
  report.notes = {phrase("{} is {} in {}.", "WebRtcIPHandlingUrl", pages, "/etc/x.json"),
                  "answered by ip-10-20-30-40 here"};
  report.site.browser_policies.push_back(
      {"Firefox", "media.peerconnection.ice.obfuscate_host_addresses.blocklist", "wiki,intranet",
       "/etc/y.json"});
  report.site.browser_policies.push_back(
      {"Microsoft Edge", "WebRtcIPHandling", "disable_non_proxied_udp", "/etc/z.json"});
  report.probes.at(0).observation.evidence = {
      {EvidenceKind::http_reply, "a reply", {{Fact::server, std::string("ip-10-20-30-40")}}}};
  const auto text = render_json(redactor().report(report), {});
  for (const auto* secret : {"intranet", "dupont", "10-20-30"}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << secret << '\n' << text;
  }
  EXPECT_NE(text.find("\"disable_non_proxied_udp\""), std::string::npos) << "RFC 8828's own word";
}

// "beyond" and "unreachable" are words of many sentences.
TEST(Redact, KeepsOurOwnWords) {
  auto report = samples::clean();
  const auto why = phrase("no router beyond the site's edge answers");
  auto& evidence = report.probes.at(0).observation.evidence;
  evidence = {{EvidenceKind::refuser,
               phrase("it is not known which device refused: {}", why),
               {{Fact::who, std::string("not_measured")}, {Fact::not_measured, why.string()}}},
              {EvidenceKind::refuser, "refused there", {{Fact::who, std::string("beyond")}}},
              {EvidenceKind::hop, "no way", {{Fact::reason, std::string("unreachable")}}}};
  report.notes = {"what is beyond the router is unreachable"};
  const auto hidden = redactor().report(report);
  EXPECT_EQ(hidden.notes, report.notes);
  const auto& kept = hidden.probes.at(0).observation.evidence;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    EXPECT_EQ(kept.at(i).text, evidence.at(i).text);
    EXPECT_EQ(kept.at(i).text.parts().size(), evidence.at(i).text.parts().size());
    EXPECT_EQ(kept.at(i).facts, evidence.at(i).facts);
  }
}

// Windows calls interfaces "Wi-Fi" and "Ethernet".
TEST(Redact, KeepsCommonWordsThatAreNames) {
  auto report = samples::clean();
  report.site.name = "Office";
  report.site.links = {{.name = "Wi-Fi"}, {.name = "Ethernet"}};
  report.notes = {"Join the Wi-Fi of the office, or plug in Ethernet"};
  EXPECT_EQ(redactor().report(report).notes, report.notes);
}

TEST(Redact, KeepsVersions) {
  auto report = samples::clean();
  report.probes.at(0).observation.evidence = {
      {EvidenceKind::stun_reply, "a reply", {{Fact::software, std::string("Coturn-4.5.1.1")}}}};
  const auto text = render_json(redactor().report(report), {});
  EXPECT_NE(text.find("oturn-4.5.1.1"), std::string::npos) << text;
}

// RFC 3261 wants an address there; what a server writes is its own affair.
TEST(Redact, HidesNamesInViaReceived) {
  auto report = samples::clean();
  report.probes.at(0).observation.evidence = {
      {EvidenceKind::sip_via, "a reply", {{Fact::received, std::string("pbx-rennes")}}}};
  const auto text = render_json(redactor().report(report), {});
  EXPECT_EQ(text.find("rennes"), std::string::npos) << text;
}

TEST(Redact, HidesTheWordsOfTheUsersOwnSets) {
  auto report = samples::clean();
  auto own = report.sets.at(0);
  own.id = "ours";
  FirewallRule rule;
  rule.set = own.id;
  rule.requirements = {"row"};
  rule.your_transport = "transport of Jane";
  rule.your_ports = {"port of Jane"};
  rule.remarks = {"ask Jane Doe"};
  rule.peers = {{"the PBX of Jane", PeerKind::yours, "", "", Lifecycle::current},
                {"Jane.Tag", PeerKind::service_tag, "", "", Lifecycle::current}};
  own.requirements.at(0).rules = {rule};
  report.sets.push_back(own);
  report.notes = {"Not tried: ask Jane Doe."};
  const auto text = lower_case(render_json(redactor().report(report), {}));
  EXPECT_EQ(text.find("jane"), std::string::npos) << text;
}

TEST(Redact, HidesRowsThatTheOptionsOfOnePlaceName) {
  auto report = samples::clean();
  auto& own = report.sets.emplace_back();
  own.id = own.title = "dupont-pbx";
  report.vantages.push_back({report, "voice"});
  report.vantages.front().part = {"--skip basement"};
  report.part = {"voice: --skip basement"};
  const auto hidden = redactor().report(report);
  EXPECT_NE(hidden.part.at(0).find(": --skip "), std::string::npos) << hidden.part.at(0);
  EXPECT_EQ(render_json(hidden, {}).find("basement"), std::string::npos);
}

TEST(Redact, HidesRowsOfTheUsersOwnSetsThatOptionsName) {
  auto report = samples::clean();
  ASSERT_EQ(report.sets.size(), 1u);
  ASSERT_EQ(report.sets.at(0).id, "rainbow");
  report.part = {"--only turn-udp", "--skip rainbow/elsewhere"};
  EXPECT_EQ(redactor().report(report).part, report.part) << "the vendor's";
  auto& own = report.sets.emplace_back();
  own.id = own.title = "dupont-pbx";
  report.part.insert(report.part.end(), {"--skip dupont-pbx/hotline", "--skip basement",
                                         "--client softphone-dupont", "--region annecy"});
  report.notes = {"Only a part was tried, as requested: --skip dupont-pbx/hotline."};
  const auto hidden = redactor().report(report);
  EXPECT_EQ(hidden.part.at(1), "--skip rainbow/elsewhere");
  for (const auto* format : {"json", "text", "ticket", "nagios", "junit"}) {
    auto options = RenderOptions();
    options.verbose = true;
    const auto text = find_format(format)->render(hidden, options);
    for (const auto* secret : {"dupont", "hotline", "basement", "annecy"}) {
      EXPECT_EQ(text.find(secret), std::string::npos) << format << ": " << secret;
    }
  }
}

TEST(Redact, ChangesNothingTwice) {
  auto first = redactor("a");
  const auto hidden = first.report(samples::blocked());
  auto second = redactor("b");
  EXPECT_EQ(render_json(second.report(hidden), {}), render_json(hidden, {}));
}

TEST(Redact, HidesAnInspectionDevicesNames) {
  auto report = samples::clean();
  auto& seen = report.probes.at(0).observation;
  seen.evidence = {{EvidenceKind::certificate,
                    "CN=web.openrainbow.com, issued by CN=Dupont SA Inspection CA,O=Dupont SA,C=FR",
                    {{Fact::issuer, std::string("CN=Dupont SA Inspection CA,O=Dupont SA,C=FR")},
                     {Fact::subject, std::string("CN=web.openrainbow.com")},
                     {Fact::sha256, std::string("53d2aaad8a44")}}},
                   {EvidenceKind::chain_root, "not public", {{Fact::expected, false}}}};
  report.notes = {"One issuer, CN=Dupont SA Inspection CA,O=Dupont SA,C=FR, signs for all."};
  const auto text = render_json(redactor().report(report), {});
  EXPECT_EQ(text.find("Dupont"), std::string::npos) << text;
  EXPECT_EQ(text.find("53d2aaad"), std::string::npos);
  EXPECT_NE(text.find("CN=web.openrainbow.com"), std::string::npos);
  // One of --ca-file may be the site's own; a public authority's names are everybody's.
  seen.evidence.at(1).facts[Fact::expected] = true;
  EXPECT_EQ(render_json(redactor().report(report), {}).find("Dupont"), std::string::npos);
  seen.evidence.at(1).facts[Fact::basis] = std::string(public_root_basis);
  report.notes.clear();
  EXPECT_NE(render_json(redactor().report(report), {}).find("O=Dupont SA"), std::string::npos);
}

TEST(Redact, KnowsTheVendorsAddressesByItsNames) {
  auto report = samples::clean();
  report.probes.at(0).observation.address = ip("8.8.4.4");  // tried as web.openrainbow.com
  report.notes = {"8.8.4.4 answered, 8.8.8.8 did not."};
  const auto hidden = redactor().report(report);
  EXPECT_EQ(hidden.probes.at(0).observation.address, ip("8.8.4.4"));
  EXPECT_TRUE(hidden.notes.at(0).starts_with("8.8.4.4 answered, 2")) << hidden.notes.at(0);
  EXPECT_EQ(hidden.notes.at(0).find("8.8.8.8"), std::string::npos);
}

TEST(RegisteredDomain, IsWhatSomebodyBought) {
  EXPECT_EQ(registered_domain("a.b.example.com"), "example.com");
  EXPECT_EQ(registered_domain("example.com"), "example.com");
  EXPECT_EQ(registered_domain("www.example.co.uk"), "example.co.uk");
  EXPECT_EQ(registered_domain("x.compute.amazonaws.com"), "x.compute.amazonaws.com");
  EXPECT_EQ(registered_domain("host"), "");
  EXPECT_EQ(registered_domain(".com"), "");
}

}  // namespace
}  // namespace callready
