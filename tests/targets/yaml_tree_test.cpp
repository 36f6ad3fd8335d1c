#include "targets/yaml_tree.hpp"

#include <gtest/gtest.h>

#include "targets/builtin.hpp"

namespace callready {
namespace {

void expect_same(const YamlNode& one, const YamlNode& other) {
  ASSERT_EQ(one.kind, other.kind);
  EXPECT_EQ(one.position.line, other.position.line);
  EXPECT_EQ(one.position.column, other.position.column);
  EXPECT_EQ(one.text, other.text);
  EXPECT_EQ(one.plain, other.plain);
  ASSERT_EQ(one.items.size(), other.items.size());
  for (std::size_t i = 0; i < one.items.size(); ++i) expect_same(one.items[i], other.items[i]);
  ASSERT_EQ(one.entries.size(), other.entries.size());
  for (std::size_t i = 0; i < one.entries.size(); ++i) {
    EXPECT_EQ(one.entries[i].key, other.entries[i].key);
    EXPECT_EQ(one.entries[i].position.line, other.entries[i].position.line);
    EXPECT_EQ(one.entries[i].position.column, other.entries[i].position.column);
    expect_same(one.entries[i].value, other.entries[i].value);
  }
}

YamlNode parsed(std::string_view text) {
  Problems problems("x");
  auto root = parse_yaml(text, problems);
  EXPECT_TRUE(root) << problems.take().front().to_string();
  return root.value_or(YamlNode{});
}

TEST(YamlTree, IsTheSameAgain) {
  const auto root = parsed("a: 1\nb: [\"2\", {c: , d: []}, {}]\n\xc3\xa9: |\n  two\n  lines\n");
  const auto again = read_tree(write_tree(root));
  ASSERT_TRUE(again);
  expect_same(*again, root);
}

TEST(YamlTree, IsWholeOrNothing) {
  const auto bytes = write_tree(parsed("a: 1\nb: [2, {c: three}]\n"));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_tree(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(read_tree(bytes + "n"));
  EXPECT_FALSE(read_tree("x"));
  EXPECT_FALSE(read_tree("l\x01\x01\xff\xff\xff\xff\xff\xff")) << "more items than bytes";
  std::string deep;
  for (int i = 0; i < 1'000; ++i) deep += "l\x01\x01\x01";
  EXPECT_FALSE(read_tree(deep));
}

TEST(YamlTree, OfTheBuiltInSetsIsWhatTheirTextsSay) {
  for (const auto& set : builtin_sets()) {
    const auto tree = read_tree(builtin_tree(set.yaml_text));
    ASSERT_TRUE(tree) << set.id;
    expect_same(*tree, parsed(set.yaml_text));
  }
  const auto anchors = read_tree(builtin_tree(builtin_anchors()));
  ASSERT_TRUE(anchors);
  expect_same(*anchors, parsed(builtin_anchors()));
  EXPECT_TRUE(builtin_tree("schema: callready.targets/1").empty());
}

}  // namespace
}  // namespace callready
