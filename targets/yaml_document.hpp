// YAML text as a tree in which every node has its line and column. Hides yaml-cpp, bounds the cost
// of a hostile file, and refuses what YAML allows but people trip over: duplicate keys, tags, a
// second document.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "targets/problem.hpp"

namespace callready {

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  struct Entry;

  Kind kind = Kind::null;
  Position position;
  std::string text;             // of a scalar
  bool plain = false;           // a scalar without quotes: `5060` is a number, "5060" is not
  std::vector<YamlNode> items;  // of a list
  std::vector<Entry> entries;   // of a map, in the order of the file, keys unique

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }
  const Entry* find(std::string_view key) const;  // of a map; nullptr if it has no such key
};

struct YamlNode::Entry {
  std::string key;
  Position position;  // of the key
  YamlNode value;
};

// Bounds the cost of a file. The largest vendor set has some 3,000 values; an alias counts as
// everything that it stands for.
struct YamlLimits {
  std::size_t bytes = 4 * 1024 * 1024;
  std::size_t values = 200'000;
  std::size_t expanded_bytes = 16 * 1024 * 1024;
  std::size_t depth = 32;
  // yaml-cpp scans ahead over brackets: millions of them cost a gigabyte before its first callback.
  std::size_t brackets = 20'000;
};

// The one document in `text` (UTF-8, with or without a byte order mark). Nothing if the text is not
// YAML or exceeds a limit: then `problems` says why. Duplicate keys are reported, and the first one
// is kept. `expected`: what an empty text is told to be.
std::optional<YamlNode> parse_yaml(
    std::string_view text, Problems& problems, const YamlLimits& limits = {},
    std::string_view expected = "a target set, beginning with 'schema: callready.targets/1'");

// "'text'" (shortened), "a list", "a block of keys", "nothing": what was found, for messages.
std::string describe(const YamlNode& node);
std::string in_quotes(std::string_view text);

// As a YAML scalar on one line.
std::string yaml_quoted(std::string_view text);

}  // namespace callready
