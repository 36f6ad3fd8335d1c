#include "targets/needed_sets.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/targets/rules.hpp"

namespace callready {
namespace {

constexpr auto login = R"(schema: callready.targets/1
id: login
title: Login
evidence: second-hand
evidence_note: A copy.
scenarios:
  - { id: everyday, title: Everyday, default: true }
  - { id: rare, title: Rare }
regions: [{ id: eu, title: Europe }]
variables: [{ name: sign_in, title: Yours, optional: true }]
capabilities:
  - { id: sign-in, title: Sign in, sign_in: true, needs: [web, { first_of: [fast, slow] }] }
  - { id: rarely, title: Rarely, scenarios: [rare], needs: [rare] }
requirements:
  - { id: web, title: Web, check: tls, transport: [tcp], ports: [443], hosts: [a.example.net] }
  - { id: fast, title: F, check: tls, transport: [tcp], ports: [443],
      hosts: [{ name: b.example.net, region: eu }], scenarios: [everyday] }
  - { id: slow, title: S, check: tls, transport: [tcp], ports: [443], hosts: ["${sign_in}"] }
  - { id: rare, title: R, check: tls, transport: [tcp], ports: [443], hosts: [d.example.net],
      scenarios: [rare] }
  - { id: beside, title: B, check: tls, transport: [tcp], ports: [443], hosts: [e.example.net] }
advice: [{ id: hint, text: A hint. }]
)";

std::string service(const std::string& needs_sets, const std::string& own_sign_in = "") {
  return "schema: callready.targets/1\nid: service\ntitle: Service\nneeds_sets: " + needs_sets +
         "\nscenarios: [{ id: here, title: Here, default: true }, { id: admin, title: Admin }]\n"
         "capabilities: [{ id: calls, title: Calls, needs: [web]" +
         own_sign_in +
         " }]\nrequirements:\n  - { id: web, title: W, check: tls, transport: [tcp], ports: [443], "
         "hosts: [www.example.com] }\n";
}

LoadResult complete(const std::string& text, std::map<std::string, std::string> others) {
  auto loaded = load_text(text, "service.yaml", test::rules());
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.to_string();
  if (!loaded.set) return loaded;
  return with_needed_sets(*loaded.set, [&](const std::string& id) {
    LoadResult none;
    none.problems.push_back({{}, 0, 0, "no set has this id"});
    return others.contains(id) ? load_text(others[id], id + ".yaml", test::rules()) : none;
  });
}

std::vector<std::string> ids_of(const TargetSet& set) {
  std::vector<std::string> ids;
  for (const auto& row : set.requirements) ids.push_back(row.id);
  return ids;
}

std::string problems_of(const LoadResult& result) {
  std::string text;
  for (const auto& problem : result.problems) text += problem.to_string() + '\n';
  return text;
}

using Ids = std::vector<std::string>;

TEST(NeededSets, RowsAndCapabilitiesBecomeTheSetsOwn) {
  const auto result = complete(service("[login]"), {{"login", login}});
  ASSERT_TRUE(result.set) << problems_of(result);
  const auto& set = *result.set;
  EXPECT_EQ(ids_of(set), Ids({"web", "login-web", "fast", "slow", "beside"}))
      << "the needed set's rows by default, and an id that is taken with its set's before it";
  EXPECT_EQ(set.requirements[0].of_set, "");
  EXPECT_EQ(set.requirements[1].of_set, "login");
  EXPECT_EQ(set.head_of(set.requirements[1]).evidence, SourceQuality::second_hand);
  EXPECT_EQ(set.head_of(set.requirements[0]).id, "service");
  EXPECT_EQ(set.requirements[2].scenarios, Ids{}) << "its own scenarios are not this set's";
  ASSERT_EQ(set.capabilities.size(), 2U);
  EXPECT_EQ(set.capabilities[0].id, "sign-in") << "signing in comes first";
  EXPECT_EQ(set.capabilities[0].needs[0].alternatives[0], Ids{"login-web"});
  EXPECT_EQ(set.capabilities[0].needs[1].alternatives[1], Ids{"slow"});
  ASSERT_EQ(set.variables.size(), 1U);
  EXPECT_TRUE(set.variables[0].optional);
  EXPECT_EQ(set.regions.size(), 1U);
  EXPECT_EQ(set.advice.size(), 1U);
  ASSERT_EQ(set.leans_on.size(), 1U);
  EXPECT_EQ(set.leans_on[0].title, "Login");
}

TEST(NeededSets, PartOfASetInSomeScenarios) {
  const auto result = complete(
      service("[{ set: login, capabilities: [rarely], scenarios: [admin] }]"), {{"login", login}});
  ASSERT_TRUE(result.set) << problems_of(result);
  EXPECT_EQ(ids_of(*result.set), Ids({"web", "rare"}));
  EXPECT_EQ(result.set->requirements[1].scenarios, Ids{"admin"});
  EXPECT_EQ(result.set->capabilities[1].scenarios, Ids{"admin"});
  EXPECT_TRUE(result.set->advice.empty());
}

TEST(NeededSets, TwoWaysToSignInAreOneCapability) {
  const auto result = complete(service("[login]", ", sign_in: true"), {{"login", login}});
  ASSERT_TRUE(result.set) << problems_of(result);
  ASSERT_EQ(result.set->capabilities.size(), 1U);
  EXPECT_EQ(result.set->capabilities[0].id, "calls");
  EXPECT_EQ(result.set->capabilities[0].needs.size(), 3U);
}

// Of other scenarios: two capabilities, and no id twice.
TEST(NeededSets, ASignInOfSomeScenariosStaysApart) {
  const auto own =
      ", sign_in: true, scenarios: [here] }, { id: sign-in, title: Other, needs: [web]";
  const auto result = complete(service("[login]", own), {{"login", login}});
  ASSERT_TRUE(result.set) << problems_of(result);
  Ids ids;
  for (const auto& capability : result.set->capabilities) ids.push_back(capability.id);
  EXPECT_EQ(ids, Ids({"login-sign-in", "calls", "sign-in"}));
}

TEST(NeededSets, WhatCannotBeNeeded) {
  const auto said = [](const std::string& needs, std::map<std::string, std::string> others) {
    return problems_of(complete(service(needs), std::move(others)));
  };
  EXPECT_EQ(said("[nobody]", {}),
            "service.yaml:4:14: 'needs_sets': 'nobody' cannot be used: no set has this id\n");
  EXPECT_EQ(said("[{ set: login, capabilities: [sign-on] }]", {{"login", login}}),
            "service.yaml:4:14: 'needs_sets': 'login' has no capability 'sign-on'; did you mean "
            "'sign-in'?\n");
  auto other = service("[login]");
  other.replace(other.find("id: service"), 11, "id: other");
  EXPECT_EQ(said("[other]", {{"other", other}, {"login", login}}),
            "service.yaml:4:14: 'needs_sets': 'other' needs other sets itself; name these here\n");
}

TEST(NeededSets, AFileCannotNeedItself) {
  const auto itself = load_text(service("[service]"), "service.yaml", test::rules());
  EXPECT_EQ(problems_of(itself), "service.yaml:4:14: 'needs_sets': 'service' is the set itself\n");
  const auto twice = load_text(service("[login, { set: login }]"), "x.yaml", test::rules());
  EXPECT_EQ(problems_of(twice), "x.yaml:4:21: 'needs_sets': 'login' is listed twice\n");
  const auto scenario = load_text(service("[{ set: login, scenarios: [x] }]"), "x", test::rules());
  EXPECT_FALSE(scenario.set);
}

TEST(NeededSets, NoMoreRowsThanOneFileMayHave) {
  std::string many = login, rows;
  for (int i = 0; i < 995; ++i) {
    rows += "  - { id: r" + std::to_string(i) +
            ", title: R, check: tls, transport: [tcp], ports: [443], hosts: [x.example.net] }\n";
  }
  many.insert(many.rfind("advice:"), rows);
  EXPECT_EQ(problems_of(complete(service("[login]"), {{"login", many}})),
            "service.yaml:4:14: 'needs_sets': 'login' is too much: a set has 1000 rows at most, "
            "with those of the sets that it needs\n");
}

}  // namespace
}  // namespace callready
