// What `callready validate` warns of.
#include "probe/plan/set_warnings.hpp"

#include <gtest/gtest.h>

#include "targets/loader.hpp"
#include "tests/targets/rules.hpp"

namespace callready {
namespace {

using Texts = std::vector<std::string>;

Texts warnings(const std::string& capabilities, const std::string& requirements) {
  const auto result = load_text(
      "schema: callready.targets/1\nid: small\ntitle: Small\n"
      "variables: [{ name: server, title: Yours }]\ncapabilities:\n" +
          capabilities + "requirements:\n" + requirements,
      "small.yaml", test::rules());
  for (const auto& problem : result.problems) ADD_FAILURE() << problem.to_string();
  Texts texts;
  if (!result.set) return texts;
  for (const auto& warning : warnings_of(*result.set)) texts.push_back(warning.to_string());
  return texts;
}

const std::string web =
    "  - { id: web, title: Web, check: tls, transport: [tls], ports: [443], hosts: [a.b.example] "
    "}\n";

std::string calls(const std::string& needs) {
  return "  - { id: calls, title: Calls, needs: [" + needs + "] }\n";
}

TEST(SetWarnings, NoneWhereEveryRowIsTried) { EXPECT_EQ(warnings(calls("web"), web), Texts{}); }

TEST(SetWarnings, OfNetworksWithoutAKnownListener) {
  const auto found =
      warnings(calls("web"), web +
                                 "  - { id: sip, title: SIP, check: sip, transport: "
                                 "[udp], ports: [5060], addresses: [192.0.2.0/24] }\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0],
            "small.yaml:9:5: warning: 'sip' will not be probed: networks without a known listener "
            "are not probed: the machines there belong to other people; give an example host that "
            "answers (under 'hosts', or as an example of a wildcard), or use check udp-range, tcp "
            "or tls, whose packets end on the way");
}

TEST(SetWarnings, OfNetworksThatAreNoServices) {
  const auto found = warnings(
      calls("web"),
      web +
          "  - { id: all, title: All, unprobed: why, severity: optional, transport: [tcp], "
          "ports: [443], addresses: [0.0.0.0/0, 10.0.0.0/8, 52.112.0.0/14, "
          "239.0.0.0/8] }\n");
  EXPECT_EQ(found, (Texts{"small.yaml:9:5: warning: 'all': 0.0.0.0/0 is wider than any service's "
                          "network: it lets in everybody there",
                          "small.yaml:9:5: warning: 'all': 10.0.0.0/8 is not of the public "
                          "Internet: it is private, link-local, multicast or reserved"}));
}

TEST(SetWarnings, OfWhatTurnsGreenWithoutAProbe) {
  const std::string unprobed =
      "  - { id: media, title: Media, unprobed: why, transport: [udp], ports: [9] }\n";
  const std::string green =
      "small.yaml:6:5: warning: capability 'calls' can turn green without 'media', which is never "
      "probed";
  EXPECT_EQ(warnings(calls("media"), web + unprobed), Texts{green});
  EXPECT_EQ(warnings(calls("web, { first_of: [[web, media]] }"), web + unprobed), Texts{green});
  EXPECT_EQ(
      warnings(calls("{ first_of: [media, web] }"), web + unprobed),
      Texts{"small.yaml:6:5: warning: capability 'calls' takes a fallback for good: the first "
            "choice 'media' is never probed"});
  EXPECT_EQ(warnings(calls("{ any_of: [media, web] }"), web + unprobed), Texts{});
}

TEST(SetWarnings, OfWhatNothingCanTurnRed) {
  auto optional = web;
  optional.insert(optional.find("check"), "severity: optional, ");
  EXPECT_EQ(warnings(calls("web"), optional),
            Texts{"small.yaml:6:5: warning: capability 'calls' stays green whatever becomes of "
                  "'web', as severity optional says"});
}

TEST(SetWarnings, OfARequiredRowWithoutAProbe) {
  const auto row = [](const std::string& more) {
    return "  - { id: media, title: Media, unprobed: why, transport: [udp], ports: [9], "
           "addresses: [192.0.2.1]" +
           more + " }\n";
  };
  EXPECT_EQ(warnings(calls("web"), web + row("")),
            Texts{"small.yaml:9:5: warning: 'media' is required and has no probe: no run will say "
                  "whether it is open"});
  EXPECT_EQ(warnings(calls("web"), web + row(", severity: optional")), Texts{});
  EXPECT_EQ(warnings(calls("web"), web + row(", lifecycle: deprecated")), Texts{});
  EXPECT_EQ(warnings(calls("web"), web + row(", direction: in")), Texts{}) << "nobody can probe it";
  EXPECT_EQ(warnings(calls("web"), web + row(", local_peers: [phones]")), Texts{});
}

// A page's call goes over such a relay in no browser.
TEST(SetWarnings, OfTurnPortsThatBrowsersRefuse) {
  const auto relay = [](const std::string& ports, const std::string& more = "") {
    return "  - { id: relay, title: Relay, check: turn, transport: [tls], ports: [" + ports +
           "], hosts: [turn.b.example]" + more + " }\n";
  };
  EXPECT_EQ(warnings(calls("relay"), relay("53, 80, 443, 1024-1030, 3478")), Texts{});
  const auto refused = [](const std::string& ports) {
    return Texts{"small.yaml:8:5: warning: 'relay': browsers refuse TURN on port " + ports +
                 ": Chromium takes 53, 80, 443, and 1024 and above"};
  };
  EXPECT_EQ(warnings(calls("relay"), relay("443, 444, 1000-2000")), refused("444, 1000-2000"));
  EXPECT_EQ(warnings(calls("relay"), relay("993", ", vantage: [pc, browser]")), refused("993"));
  EXPECT_EQ(warnings(calls("relay"), relay("993", ", vantage: [phone]")), Texts{});
}

// What not everybody has counts as given.
TEST(SetWarnings, NoneOfAnOptionalVariable) {
  const auto loaded = load_text(
      "schema: callready.targets/1\nid: small\ntitle: Small\n"
      "variables: [{ name: server, title: Yours, example: a.b.example, optional: true }]\n"
      "capabilities: [{ id: calls, title: Calls, needs: [own] }]\nrequirements:\n"
      "  - { id: own, title: Own, check: tls, transport: [tls], ports: [443], hosts: "
      "[\"${server}\"] }\n",
      "small.yaml", test::rules());
  ASSERT_TRUE(loaded.set);
  EXPECT_TRUE(warnings_of(*loaded.set).empty());
}

// A cloud's name is no list that users have.
TEST(SetWarnings, OfServiceTagsAlone) {
  const std::string media =
      "  - { id: media, title: Media, check: udp-range, transport: [udp], ports: [9], "
      "service_tags: [AWS]";
  EXPECT_EQ(warnings(calls("media"), media + " }\n"),
            Texts{"small.yaml:8:5: warning: 'media' stays undecided without --service-tags and a "
                  "list that has AWS; give an example host or network beside it"});
  EXPECT_EQ(warnings(calls("media"), media + ", hosts: [a.b.example] }\n"), Texts{});
}

// Who has such a server gives its name.
TEST(SetWarnings, NoneOfWhatWaitsForAValue) {
  EXPECT_EQ(warnings(calls("sip"),
                     "  - { id: sip, title: SIP, check: sip, transport: [udp], ports: [5060], "
                     "hosts: [\"${server}\"] }\n"),
            Texts{});
}

}  // namespace
}  // namespace callready
