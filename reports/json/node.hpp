// A JSON document from elsewhere, read value by value: a missing value or one of the wrong type is
// an error that names its place (RFC 6901), and members that nobody asked for are listed. Internal
// to reports/.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "probe/model/report.hpp"

namespace callready {

using ReadJson = nlohmann::json;

inline constexpr int any_count = std::numeric_limits<int>::max();

struct Unreadable {  // thrown by nodes, for their reader
  std::string why;
};

// Which members of the document's objects were asked for; the others are unknown to this edition.
class Asked {
 public:
  void add(const ReadJson& object, std::string_view key) { keys_[&object].insert(key); }
  void remove(const ReadJson& object, std::string_view key) { keys_[&object].erase(key); }

  // "probes/*/colour": the path of each unknown member, once, with * for any index of a list.
  std::set<std::string> unknown(const ReadJson& root) const;

 private:
  void collect(const ReadJson& value, const std::string& way, std::set<std::string>& found) const;

  std::unordered_map<const ReadJson*, std::set<std::string_view>> keys_;
};

// A value of the document, and its path, which is spelled out only when something is wrong.
class Node {
 public:
  Node(const ReadJson& root, Asked& asked) : json_(root), asked_(asked) {}

  std::string pointer() const;  // RFC 6901
  [[noreturn]] void fail(std::string_view why) const;
  [[noreturn]] void fail_expecting(std::string_view what) const;

  void check_object() const;
  std::optional<Node> optional(std::string_view key) const;
  Node member(std::string_view key) const;

  // Calls `read(Node)` for every element of a list.
  template <typename Read>
  auto list(Read read) const {
    if (!json_.is_array()) fail_expecting("a list");
    std::vector<decltype(read(*this))> values;
    values.reserve(json_.size());
    for (std::size_t i = 0; i < json_.size(); ++i) values.push_back(read(Node(json_[i], this, i)));
    return values;
  }

  // Calls `read(key, Node)` for every member.
  template <typename Read>
  void members(Read read) const {
    check_object();
    for (const auto& [key, value] : json_.items()) {
      asked_.add(json_, key);
      read(key, Node(value, this, key));
    }
  }

  // For a member that was read but not understood: lists it as unknown.
  void leave_out(std::string_view key) const { asked_.remove(json_, key); }

  const std::string& text() const;
  bool boolean() const;
  double number() const;
  int integer(int least, int most) const;
  EvidenceValue fact() const;
  IpAddress address() const;
  bool is_text() const { return json_.is_string(); }
  bool is_list() const { return json_.is_array(); }
  bool composite() const { return json_.is_structured() || json_.is_null(); }

  template <typename Enum>
  Enum word() const {
    const auto value = json_.is_string() ? parse<Enum>(text()) : std::nullopt;
    if (!value) {
      fail_expecting(fmt::format("one of {}", fmt::join(spellings<Enum>(), ", ")));
    }
    return *value;
  }

  template <typename Parse>
  auto parsed(Parse read, std::string_view what) const {
    const auto value = json_.is_string() ? read(text()) : decltype(read(text())){};
    if (!value) fail_expecting(what);
    return *value;
  }

 private:
  Node(const ReadJson& json, const Node* parent, std::string_view key)
      : json_(json), asked_(parent->asked_), parent_(parent), key_(key) {}
  Node(const ReadJson& json, const Node* parent, std::size_t index)
      : json_(json), asked_(parent->asked_), parent_(parent), index_(index) {}

  const ReadJson& json_;
  Asked& asked_;
  const Node* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
};

// A text, with its words from the object's member "words" (text.hpp); without them if they do not
// produce this text.
Text read_text(const Node& object, std::string_view name);
std::vector<Text> read_texts(const Node& object, std::string_view name);

}  // namespace callready
