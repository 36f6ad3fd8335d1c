#include "targets/yaml_document.hpp"

#include <gtest/gtest.h>

#include "targets/loader.hpp"
#include "tests/targets/rules.hpp"

namespace callready {
namespace {

std::string first_problem(std::string_view text, const YamlLimits& limits = {}) {
  Problems problems("x");
  const auto root = parse_yaml(text, problems, limits);
  const auto all = problems.take();
  EXPECT_EQ(root.has_value(), all.empty());
  return all.empty() ? "" : all.front().to_string();
}

TEST(YamlDocument, KnowsLinesAndColumns) {
  Problems problems("x");
  const auto root = parse_yaml("a: 1\n\xc3\xa9: { b: \"\xe2\x82\xac\", c: [ d ] }\n", problems);
  ASSERT_TRUE(root);
  ASSERT_EQ(root->entries.size(), 2u);
  EXPECT_EQ(root->entries[0].value.position.column, 4);
  const auto& map = root->entries[1].value;
  EXPECT_EQ(map.position.line, 2);
  EXPECT_EQ(map.position.column, 4);
  EXPECT_EQ(map.entries[0].position.column, 6);
  const auto& list = map.entries[1].value;
  EXPECT_EQ(list.items[0].position.column, 19);  // two wide characters count as one each
  EXPECT_TRUE(list.items[0].plain);
  EXPECT_FALSE(map.entries[0].value.plain);
}

TEST(YamlDocument, KeepsToItsLimits) {
  EXPECT_EQ(first_problem("[1, 2, 3]", {.values = 4}), "");
  EXPECT_NE(first_problem("[1, 2, 3]", {.values = 3}).find("x:1:8: too much"), std::string::npos);
  EXPECT_EQ(first_problem("[&a [1, 2], *a]", {.values = 7}), "");
  EXPECT_NE(first_problem("[&a [1, 2], *a]", {.values = 6}).find("x:1:13: too much"),
            std::string::npos);
  EXPECT_EQ(first_problem("[&a 12345, *a]", {.expanded_bytes = 10}), "");
  EXPECT_NE(first_problem("[&a 12345, *a]", {.expanded_bytes = 9}).find("too much"),
            std::string::npos);
  EXPECT_EQ(first_problem("[[1]]", {.depth = 2}), "");
  EXPECT_NE(first_problem("[[[1]]]", {.depth = 2}).find("x:1:3: nested more"), std::string::npos);
  EXPECT_EQ(first_problem("[{}]", {.brackets = 2}), "");
  EXPECT_EQ(first_problem("[{}]", {.brackets = 1}),
            "x: holds more than 1 brackets; a target set has some thousand");
  EXPECT_NE(first_problem(std::string(1024 * 1024 + 1, 'a'), {.bytes = 1024 * 1024}).find("larger"),
            std::string::npos);
}

TEST(YamlDocument, EndsEarlyOnHostileText) {
  // Each would take gigabytes or the stack if a limit came too late.
  const std::size_t size = 1024 * 1024;
  const auto repeated = [&](std::string_view part) {
    std::string text;
    while (text.size() + part.size() <= size) text += part;
    return text;
  };
  for (const auto* part :
       {"[", "{", "- ", "- x\n", "a: {b: ", "? ", "&a ", "[*a,", "\"", "|\n", "! "}) {
    EXPECT_NE(first_problem(repeated(part)), "") << part;
  }
}

TEST(YamlDocument, DescribesWhatItFound) {
  EXPECT_EQ(in_quotes("a\nb\x7f"), "'a b '");
  EXPECT_EQ(in_quotes("\xef\xbb\xbf"
                      "1\xe2\x80\xae"
                      "2"),
            "' 1 2'")
      << "no form, and a direction";
  EXPECT_EQ(in_quotes(std::string(61, 'a')), "'" + std::string(60, 'a') + "...'");
  std::string accents;
  for (int i = 0; i < 61; ++i) accents += "\xc3\xa9";
  EXPECT_EQ(in_quotes(accents), "'" + accents.substr(0, 120) + "...'");
}

// Whatever is done to a good set, the loader answers with a set or with problems.
TEST(YamlDocument, SurvivesEveryCutAndChange) {
  const auto text = test::read_file(test::folder("good/everything.yaml"));
  const std::string_view inserted = "[{:-*&!|>'\"%@`#,\t\n\0\x80 }]";
  int good = 0, bad = 0;
  const auto load = [&](const std::string& changed) {
    const auto result = load_text(changed, "x", test::rules());
    EXPECT_EQ(result.set.has_value(), result.problems.empty()) << changed;
    for (const auto& problem : result.problems) EXPECT_FALSE(problem.message.empty()) << changed;
    ++(result.set ? good : bad);
  };
  for (std::size_t at = 0; at < text.size(); at += 7) {
    load(text.substr(0, at));
    auto changed = text;
    changed[at] = inserted[at / 7 % inserted.size()];
    load(changed);
    changed = text;
    changed.erase(at, 1 + at % 7);
    load(changed);
  }
  EXPECT_GT(good, 100);
  EXPECT_GT(bad, 500);
}

}  // namespace
}  // namespace callready
