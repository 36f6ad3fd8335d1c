// Typed reading of a YAML tree. Whatever does not fit is reported with its own line and column and
// left out, so that one pass over a file finds all of its problems.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/words.hpp"
#include "targets/suggest.hpp"
#include "targets/yaml_document.hpp"

namespace callready {

// One value each; `what` is how messages name it ("'ports'"). Nothing if it does not fit.
std::optional<std::string> read_text(const YamlNode& node, std::string_view what, Problems&);
std::optional<std::string> read_line(const YamlNode& node, std::string_view what, Problems&);
std::optional<std::string> read_id(const YamlNode& node, std::string_view what, Problems&);
std::optional<bool> read_flag(const YamlNode& node, std::string_view what, Problems&);
std::optional<int> read_count(const YamlNode& node, std::string_view what, Problems&);
std::optional<double> read_number(const YamlNode& node, std::string_view what, double most,
                                  Problems&);
// The items of a list that holds at least one, otherwise nullptr.
const std::vector<YamlNode>* read_list(const YamlNode& node, std::string_view what, Problems&);

template <typename Enum>
std::optional<Enum> read_word(const YamlNode& node, std::string_view what, Problems& problems) {
  const auto text = read_line(node, what, problems);
  if (!text) return std::nullopt;
  if (const auto value = parse<Enum>(*text)) return value;
  problems.add(node.position, std::string(what) + ": unknown word " + in_quotes(*text) +
                                  did_you_mean(*text, spellings<Enum>()));
  return std::nullopt;
}

// A map with known keys. Every key that is asked for counts as known; `finish` reports the others,
// so all keys must be asked for before calling it.
class MapReader {
 public:
  // `what`: "a requirement", "the set". Reports a `node` that is not a map; then it has no keys.
  MapReader(const YamlNode& node, std::string what, Problems& problems);

  // The value of `key`, or nullptr if it is absent or empty ("hosts:" and nothing after it).
  const YamlNode* find(std::string_view key);
  const YamlNode* require(std::string_view key);  // reports its absence
  bool has(std::string_view key) const;           // present, whatever its value

  // These leave `into` unchanged if the key is absent or its value does not fit.
  void text(std::string_view key, std::string& into);  // may have several lines
  void line(std::string_view key, std::string& into);  // one line
  void require_line(std::string_view key, std::string& into);
  void require_id(std::string_view key, std::string& into);
  void flag(std::string_view key, bool& into);
  void number(std::string_view key, std::optional<double>& into, double most);
  void lines(std::string_view key, std::vector<std::string>& into);  // a list of them
  // Calls `use(item, text)` for each of them.
  template <typename Use>
  void each_line(std::string_view key, Use use);
  template <typename Enum>
  void word(std::string_view key, Enum& into) {
    if (const auto* node = find(key))
      into = read_word<Enum>(*node, name(key), problems_).value_or(into);
  }
  template <typename Enum>
  void word(std::string_view key, std::optional<Enum>& into) {
    if (const auto* node = find(key)) into = read_word<Enum>(*node, name(key), problems_);
  }
  template <typename Enum>
  void words(std::string_view key, std::vector<Enum>& into);

  // Reports the keys that were not asked for.
  void finish();

  const YamlNode& node() const { return node_; }
  Position position() const { return node_.position; }
  const std::string& what() const { return what_; }
  Problems& problems() { return problems_; }
  static std::string name(std::string_view key) { return "'" + std::string(key) + "'"; }

 private:
  const YamlNode::Entry* entry(std::string_view key);

  const YamlNode& node_;
  std::string what_;
  Problems& problems_;
  std::vector<std::string> known_;
  std::set<std::string, std::less<>> reported_empty_;
};

template <typename Use>
void MapReader::each_line(std::string_view key, Use use) {
  const auto* list = find(key);
  const auto* items = list ? read_list(*list, name(key), problems_) : nullptr;
  if (items == nullptr) return;
  for (const auto& item : *items) {
    if (const auto text = read_line(item, name(key), problems_)) use(item, *text);
  }
}

template <typename Enum>
void MapReader::words(std::string_view key, std::vector<Enum>& into) {
  const auto* list = find(key);
  const auto* items = list ? read_list(*list, name(key), problems_) : nullptr;
  if (items == nullptr) return;
  for (const auto& item : *items) {
    if (const auto value = read_word<Enum>(item, name(key), problems_)) into.push_back(*value);
  }
}

}  // namespace callready
