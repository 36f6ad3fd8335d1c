#include "targets/loader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "probe/util/digest.hpp"
#include "tests/support/source_folder.hpp"
#include "tests/targets/rules.hpp"

namespace callready {
namespace {

using test::folder;
using test::printed;
using test::read_file;
using test::rules;

std::vector<std::string> yaml_files(const std::string& where) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(where)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Every bad/X.yaml gives exactly the text of bad/X.expected.
TEST(Loader, SaysExactlyWhatIsWrongAndWhere) {
  const auto paths = yaml_files(folder("bad"));
  EXPECT_GE(paths.size(), 60u);
  for (const auto& path : paths) {
    const std::filesystem::path file(path);
    const auto result = load_text(read_file(path), file.filename().string(), rules());
    auto expected_path = file;
    const auto expected = read_file(expected_path.replace_extension(".expected").string());
    EXPECT_FALSE(result.set) << path;
    EXPECT_FALSE(expected.empty()) << "no .expected beside " << path;
    EXPECT_EQ(printed(result.problems), expected) << path;
  }
}

TEST(Loader, TakesGoodSets) {
  const auto paths = yaml_files(folder("good"));
  EXPECT_GE(paths.size(), 4u);
  for (const auto& path : paths) {
    const auto result = load_file(path, rules());
    EXPECT_EQ(printed(result.problems), "") << path;
    ASSERT_TRUE(result.set) << path;
    EXPECT_EQ(result.set->origin, path);
    EXPECT_EQ(result.set->id, std::filesystem::path(path).stem().string());
    EXPECT_EQ(result.id, result.set->id);
  }
}

// "TCP 80, 8080, 443; UDP 443" of one document's row.
TEST(Loader, TakesARowOfSeveralProtocolsApart) {
  const auto result = load_file(folder("good/traffic.yaml"), rules());
  ASSERT_TRUE(result.set);
  std::vector<std::string> ids, titles;
  for (const auto& row : result.set->requirements) {
    ids.push_back(row.id);
    titles.push_back(row.title);
    if (!row.id.starts_with("web")) continue;
    EXPECT_EQ(row.hosts.size(), 1u);  // what they share
    EXPECT_EQ(row.addresses.size(), 1u);
    EXPECT_EQ(row.error_texts.size(), 2u);
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"web-tcp-80", "web-tcp-8443", "web-tls", "web-udp",
                                           "sip", "paging", "neighbours"}));
  EXPECT_EQ(titles[0], "The web site, TCP 80 and more");
  EXPECT_EQ(titles[3], "The web site, UDP 443");
  EXPECT_EQ(titles[4], "Your SIP server");
  const auto& rows = result.set->requirements;
  EXPECT_EQ(rows[0].check, CheckKind::tcp);
  EXPECT_EQ(rows[2].check, CheckKind::tls);
  EXPECT_FALSE(rows[3].check);
  EXPECT_EQ(rows[3].severity, Severity::optional);
  EXPECT_EQ(rows[0].severity, Severity::required);
  // The row's own id means all of it.
  const auto& needs = result.set->capabilities[0].needs;
  using Alternatives = std::vector<std::vector<std::string>>;
  EXPECT_EQ(needs[0].alternatives,
            (Alternatives{{"web-tcp-80", "web-tcp-8443", "web-tls", "web-udp"}}));
  EXPECT_EQ(needs[1].alternatives, (Alternatives{{"sip"}, {"web-tcp-80"}}));
  const auto& quality = *result.set->capabilities[0].quality;
  ASSERT_EQ(quality.bandwidths.size(), 2u);
  EXPECT_EQ(quality.bandwidths[0].up_kbps, 1500);
  EXPECT_FALSE(quality.bandwidths[1].down_kbps);
}

// A file of a few kilobytes must not become gigabytes.
TEST(Loader, TakesNoTrafficWithoutEnd) {
  std::string entries;
  for (int port = 1; port <= 17; ++port) {
    entries += "      - { transport: [tcp], ports: [" + std::to_string(port) + "] }\n";
  }
  const auto result = load_text(
      "schema: callready.targets/1\nid: many\ntitle: Many\ncontrol: true\nrequirements:\n"
      "  - id: web\n    title: Web\n    check: tcp\n    hosts: [a.example.com]\n    traffic:\n" +
          entries,
      "many", rules());
  EXPECT_FALSE(result.set);
  EXPECT_NE(printed(result.problems).find("at most 16 entries, found 17"), std::string::npos);
}

// The example in the README is the format's definition: it must load.
TEST(Loader, TakesTheExamplesOfTheReadme) {
  const auto readme = read_file(test::source_folder() + "/targets/README.md");
  int examples = 0;
  for (std::size_t at = 0; (at = readme.find("```yaml\nschema:", at)) != std::string::npos;) {
    at += 8;
    const auto end = readme.find("```", at);
    const auto result = load_text(readme.substr(at, end - at), "README", rules());
    EXPECT_EQ(printed(result.problems), "");
    EXPECT_TRUE(result.set);
    ++examples;
    at = end;
  }
  EXPECT_EQ(examples, 2);
}

TEST(Loader, SaysWhyAFileCannotBeRead) {
  const auto missing = load_file("/nonexistent/set.yaml", rules());
  EXPECT_EQ(printed(missing.problems),
            "/nonexistent/set.yaml: cannot be read: No such file or directory\n");
  EXPECT_FALSE(missing.set);
  const auto directory = load_file(folder("bad"), rules());
  EXPECT_EQ(printed(directory.problems),
            folder("bad") + ": is a folder; expected a target set, a YAML file\n");
}

TEST(Loader, SaysWhyReadingBreaksOff) {
  // Opens for anyone, and its first page cannot be read.
  const std::string path = "/proc/self/mem";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs Linux's " << path;
  EXPECT_EQ(printed(load_file(path, rules()).problems),
            path + ": cannot be read: Input/output error\n");
}

TEST(Loader, RefusesAFileWithoutEnd) {
  const std::string path = "/dev/zero";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "needs Linux's " << path;
  EXPECT_EQ(printed(load_file(path, rules()).problems),
            path + ": cannot be read: it is not a regular file\n");
}

// Rows, capabilities and what they name are held against each other.
TEST(Loader, RefusesMoreOfAKindThanAnySetHas) {
  for (const std::string key :
       {"scenarios", "regions", "variables", "capabilities", "advice", "requirements"}) {
    std::string text = "schema: callready.targets/1\n" + key + ":\n";
    for (int i = 0; i < 1'001; ++i) text += "  - { id: a" + std::to_string(i) + " }\n";
    const auto problems = printed(load_text(text, "x.yaml", rules()).problems);
    EXPECT_NE(problems.find("x.yaml:3:3: '" + key + "': has 1001 entries; a set has 1000 at most"),
              std::string::npos)
        << problems.substr(0, 500);
  }
}

TEST(Loader, TakesAByteOrderMarkAndWindowsLineEnds) {
  auto text = read_file(folder("good/minimal.yaml"));
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.insert(at, "\r");
  }
  const auto result = load_text("\xef\xbb\xbf" + text, "windows", rules());
  EXPECT_EQ(printed(result.problems), "");
  ASSERT_TRUE(result.set);
  EXPECT_EQ(result.set->id, "minimal");
}

TEST(Loader, KnowsTheIdOfASetThatHasProblems) {
  const auto result = load_text("schema: callready.targets/1\nid: half\ntitle: [", "x", rules());
  EXPECT_EQ(result.id, "");  // not YAML: nothing can be known
  const auto typed = load_text("schema: callready.targets/1\nid: half\ntitel: x\n", "x", rules());
  EXPECT_EQ(typed.id, "half");
  EXPECT_FALSE(typed.set);
}

// Each line of the format arrives in the model.
TEST(Loader, ReadsEveryKey) {
  const auto result = load_file(folder("good/everything.yaml"), rules());
  ASSERT_TRUE(result.set) << printed(result.problems);
  const auto& set = *result.set;
  EXPECT_EQ(set.title, "Everything");
  EXPECT_EQ(set.vendor, "Example Inc.");
  EXPECT_EQ(set.edition, "36");
  EXPECT_EQ(set.document, "Network Requirements");
  EXPECT_EQ(set.url, "https://example.com/network.pdf");
  EXPECT_EQ(set.published, "2025-05");
  EXPECT_EQ(set.verified, "2026-11-20");
  EXPECT_FALSE(set.control);
  ASSERT_EQ(set.scenarios.size(), 2u);
  EXPECT_EQ(set.scenarios[0].id, "collaboration");
  EXPECT_TRUE(set.scenarios[0].by_default);
  EXPECT_FALSE(set.scenarios[1].by_default);
  ASSERT_EQ(set.regions.size(), 1u);
  EXPECT_EQ(set.regions[0].title, "Europe / France");
  ASSERT_EQ(set.variables.size(), 5u);
  EXPECT_EQ(set.variables[0].name, "sip_server");
  EXPECT_EQ(set.variables[0].example, "pbx.example.com");
  EXPECT_FALSE(set.variables[0].fallback);
  EXPECT_EQ(set.variables[1].fallback, "5060");

  ASSERT_EQ(set.capabilities.size(), 1u);
  const auto& calls = set.capabilities[0];
  EXPECT_EQ(calls.scenarios, std::vector<std::string>{"collaboration"});
  ASSERT_EQ(calls.needs.size(), 4u);
  using Alternatives = std::vector<std::vector<std::string>>;
  EXPECT_EQ(calls.needs[0].alternatives, (Alternatives{{"turn"}}));
  EXPECT_FALSE(calls.needs[0].equal);
  EXPECT_EQ(calls.needs[1].alternatives, (Alternatives{{"turn"}, {"sip", "networks"}}));
  EXPECT_FALSE(calls.needs[1].equal);
  EXPECT_EQ(calls.needs[2].alternatives, (Alternatives{{"sip"}, {"networks"}}));
  EXPECT_TRUE(calls.needs[2].equal);
  EXPECT_EQ(calls.needs[3].alternatives, (Alternatives{{"sip"}, {"turn"}, {"networks"}}));
  EXPECT_FALSE(calls.needs[3].is_fallback(1));
  EXPECT_TRUE(calls.needs[3].is_fallback(2));

  ASSERT_EQ(set.advice.size(), 1u);
  EXPECT_EQ(set.advice[0].text, "Keep NAT bindings\nfor 10 minutes.");
  EXPECT_EQ(set.advice[0].source, "section 4.6.1");
  EXPECT_EQ(set.advice[0].scenarios, std::vector<std::string>{"hub"});
  EXPECT_EQ(set.advice[0].vantages, std::vector<Vantage>{Vantage::gateway});
}

TEST(Loader, ReadsEveryKeyOfARequirement) {
  const auto result = load_file(folder("good/everything.yaml"), rules());
  ASSERT_TRUE(result.set) << printed(result.problems);
  const auto* turn = result.set->find_requirement("turn");
  ASSERT_NE(turn, nullptr);
  EXPECT_EQ(turn->title, "TURN servers");
  EXPECT_EQ(turn->purpose, "Media");
  EXPECT_EQ(turn->source, "section 4.1");
  EXPECT_EQ(turn->note, "Nearest two.");
  EXPECT_EQ(turn->scenarios, std::vector<std::string>{"collaboration"});
  EXPECT_EQ(turn->severity, Severity::recommended);
  EXPECT_EQ(turn->vantages, (std::vector<Vantage>{Vantage::pc, Vantage::room_device}));
  EXPECT_EQ(turn->clients, (std::vector<std::string>{"web", "desktop"}));
  EXPECT_EQ(turn->direction, Direction::in);
  EXPECT_EQ(turn->lifecycle, Lifecycle::optional_feature);
  EXPECT_EQ(turn->source_ports, (std::vector<PortRange>{{1024, 1024}, {49152, 65535}}));
  EXPECT_EQ(turn->proxy, ProxyUse::allowed);
  EXPECT_EQ(turn->allow_by, AllowBy::network);
  EXPECT_EQ(turn->check, CheckKind::turn);
  EXPECT_EQ(turn->unprobed, "");
  EXPECT_EQ(turn->transports, (std::vector<Transport>{Transport::udp, Transport::tls}));
  EXPECT_EQ(turn->ports, (std::vector<PortRange>{{3478, 3478}, {10000, 20000}}));
  EXPECT_EQ(turn->reach.to_string(), "nearest 2");
  EXPECT_EQ(turn->with, (std::map<std::string, std::string>{{"realm", "${sip_server}"}}));
  ASSERT_EQ(turn->hosts.size(), 2u);
  EXPECT_EQ(turn->hosts[0].name, "turn-gra1.example.com");
  EXPECT_EQ(turn->hosts[1].region, "france");
  EXPECT_EQ(turn->hosts[1].lifecycle, Lifecycle::removed);
  EXPECT_EQ(turn->hosts[1].note, "gone since Ed 20");
  ASSERT_EQ(turn->reverse_dns.size(), 1u);
  EXPECT_EQ(turn->reverse_dns[0].name, "rtc-gra2.example.com");
  ASSERT_EQ(turn->wildcards.size(), 2u);
  EXPECT_EQ(turn->wildcards[0].pattern, "*.example.com");
  ASSERT_EQ(turn->wildcards[0].examples.size(), 1u);
  EXPECT_EQ(turn->wildcards[0].examples[0].name, "www.example.com");
  EXPECT_EQ(turn->wildcards[1].pattern, "turn-*.example.com");
  ASSERT_EQ(turn->addresses.size(), 5u);
  EXPECT_EQ(turn->addresses[0].to_string(), "192.0.2.1");
  EXPECT_EQ(turn->addresses[1].to_string(), "198.51.100.0/24");
  EXPECT_EQ(turn->addresses[1].region, "france");
  EXPECT_EQ(turn->addresses[2].to_string(), "203.0.113.10-203.0.113.20");
  EXPECT_EQ(turn->addresses[2].note, "larger beside it");
  EXPECT_EQ(turn->addresses[3].to_string(), "192.0.3.0/23");
  EXPECT_EQ(turn->addresses[4].to_string(), "2001:db8::/32");
  EXPECT_EQ(turn->addresses[4].lifecycle, Lifecycle::deprecated);
  EXPECT_EQ(turn->service_tags, std::vector<std::string>{"AzureCloud.centralus"});
  EXPECT_FALSE(turn->listening);
  EXPECT_EQ(turn->conditions, std::vector<std::string>{"footnote (2) is missing"});
  EXPECT_EQ(turn->thresholds.one_way_delay_ms, 150);
  EXPECT_EQ(turn->thresholds.jitter_ms, 30);
  EXPECT_EQ(turn->thresholds.loss_percent, 1);
  EXPECT_EQ(turn->thresholds.bandwidth_kbps, 87.5);
  EXPECT_EQ(turn->priority, Priority::optimize);
  EXPECT_EQ(turn->position.line, 60);
  EXPECT_EQ(turn->position.column, 5);
}

TEST(Loader, ReadsWhatASetSaysOfItself) {
  const auto result = load_file(folder("good/everything.yaml"), rules());
  ASSERT_TRUE(result.set) << printed(result.problems);
  const auto& set = *result.set;
  EXPECT_EQ(set.kind, ServiceKind::contact_center);
  EXPECT_EQ(set.evidence, SourceQuality::second_hand);
  EXPECT_EQ(set.evidence_note, "Written down by a reseller.\nThe page itself is gone.");
  EXPECT_EQ(set.aliases, (std::vector<std::string>{"all-of-it", "everything-2"}));
  EXPECT_EQ(set.former_names, std::vector<std::string>{"Nearly Everything"});
  EXPECT_EQ(set.sha256.size(), 64u);
  ASSERT_TRUE(set.capabilities.at(0).quality);
  const auto& quality = *set.capabilities[0].quality;
  EXPECT_EQ(quality.round_trip_ms, 300);
  EXPECT_EQ(quality.one_way_delay_ms, 150);
  EXPECT_EQ(quality.jitter_ms, 30);
  EXPECT_EQ(quality.loss_percent, 1);
  EXPECT_EQ(quality.burst_loss_percent, 10);
  EXPECT_EQ(quality.reordering_percent, 0.05);
  EXPECT_EQ(quality.bandwidth_kbps, 100);
  EXPECT_EQ(quality.bandwidth_up_kbps, 50);
  EXPECT_EQ(quality.bandwidth_down_kbps, 60);
  EXPECT_EQ(quality.dscp, "EF (46)");
  EXPECT_EQ(quality.source, "section 7");
  const auto plain = load_file(folder("good/minimal.yaml"), rules());
  ASSERT_TRUE(plain.set);
  EXPECT_FALSE(plain.set->kind);
  EXPECT_EQ(plain.set->evidence, SourceQuality::vendor_page);
}

TEST(Loader, NamesTheBytesOfASet) {
  const auto text = read_file(folder("good/minimal.yaml"));
  EXPECT_EQ(load_text(text, "a", rules()).set.value().sha256, sha256_hex(text));
  EXPECT_EQ(sha256_hex("abc"),  // FIPS 180-4
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Loader, ReadsACertificatesDigestInEitherCase) {
  auto with_digests = rules();
  for (auto& check : with_digests.checks) {
    if (check.kind == CheckKind::tls) check.parameters = {"sha256", "public_key_sha256"};
  }
  const auto load = [&](const std::string& with) {
    return load_text(
        "schema: callready.targets/1\nid: a\ntitle: A\n"
        "capabilities: [{ id: c, title: C, needs: [r] }]\nrequirements:\n"
        "  - { id: r, title: R, check: tls, transport: [tls], ports: [443], "
        "hosts: [a.example.com],\n      with: { " +
            with + " } }\n",
        "a", with_digests);
  };
  const auto good =
      load("sha256: " + std::string(64, 'A') + ", public_key_sha256: " + std::string(64, 'b'));
  ASSERT_TRUE(good.set) << (good.problems.empty() ? "" : good.problems[0].to_string());
  EXPECT_EQ(good.set->requirements.at(0).with,
            (std::map<std::string, std::string>{{"sha256", std::string(64, 'a')},
                                                {"public_key_sha256", std::string(64, 'b')}}));
  const auto bad = load("sha256: abc");
  ASSERT_EQ(bad.problems.size(), 1u);
  EXPECT_EQ(bad.problems[0].message,
            "'sha256': 'abc' is no SHA-256; expected 64 hexadecimal digits");
}

TEST(Loader, NetworksAreNotScannedUnlessTheFileSaysThatSomethingListens) {
  const auto listening = [](const std::string& rest) {
    const auto result = load_text(
        "schema: callready.targets/1\nid: a\ntitle: A\n"
        "capabilities: [{ id: c, title: C, needs: [r] }]\nrequirements:\n"
        "  - { id: r, title: R, check: tcp, transport: [tcp], ports: [80], " +
            rest + " }\n",
        "a.yaml", rules());
    EXPECT_TRUE(result.set) << rest;
    return result.set && result.set->requirements.at(0).listening;
  };
  EXPECT_TRUE(listening("hosts: [a.example.com], addresses: [192.0.2.1]"));
  for (const auto* networks :
       {"addresses: [192.0.2.1, 198.51.100.0/24]", "addresses: [192.0.2.1-192.0.2.9]",
        "service_tags: [AzureCloud.westus]"}) {
    EXPECT_FALSE(listening(networks)) << networks;
    EXPECT_TRUE(listening(std::string(networks) + ", listening: true")) << networks;
  }
}

TEST(Loader, ReadsAFeedHoweverLongItIs) {
  const auto with_feed = [](const std::string& feed) {
    return load_text(
        "schema: callready.targets/1\nid: a\ntitle: A\n"
        "capabilities: [{ id: c, title: C, needs: [r] }]\nrequirements:\n"
        "  - { id: r, title: R, unprobed: u, hosts: [a.example.com], feed: " +
            feed + " }\n",
        "a.yaml", rules());
  };
  const std::string longest(100'000, 'x');
  EXPECT_TRUE(with_feed("m365/" + longest).set);
  EXPECT_FALSE(with_feed(longest).set);
}

TEST(Loader, KeepsWhatIsVariableAsText) {
  const auto result = load_file(folder("good/everything.yaml"), rules());
  ASSERT_TRUE(result.set) << printed(result.problems);
  const auto* sip = result.set->find_requirement("sip");
  ASSERT_NE(sip, nullptr);
  EXPECT_EQ(sip->variable_transports, std::vector<std::string>{"${sip_transport}"});
  EXPECT_TRUE(sip->transports.empty());
  EXPECT_EQ(sip->variable_ports,
            (std::vector<std::string>{"${sip_port}", "${rtp_first}-${rtp_last}"}));
  EXPECT_EQ(sip->ports, (std::vector<PortRange>{{5061, 5061}}));
  ASSERT_EQ(sip->hosts.size(), 2u);
  EXPECT_EQ(sip->hosts[0].name, "${sip_server}");
  EXPECT_EQ(sip->hosts[1].name, "_sip._udp.${sip_server}");
  ASSERT_EQ(sip->variable_addresses.size(), 1u);
  EXPECT_EQ(sip->variable_addresses[0].text, "${sip_server}");
  EXPECT_EQ(sip->variable_addresses[0].region, "france");
  EXPECT_TRUE(sip->addresses.empty());
  const auto* networks = result.set->find_requirement("networks");
  ASSERT_NE(networks, nullptr);
  EXPECT_EQ(networks->unprobed, "The vendor lists networks only.");
  EXPECT_FALSE(networks->check);
}

}  // namespace
}  // namespace callready
