#include "targets/yaml_reader.hpp"

#include <algorithm>
#include <cmath>

#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

void expected(const YamlNode& node, std::string_view what, std::string_view wanted,
              Problems& problems) {
  std::string found = describe(node);
  if (node.is_scalar() && !node.plain) found += " in quotes";
  problems.add(node.position,
               std::string(what) + ": expected " + std::string(wanted) + ", found " + found);
}

std::string format(double value) {
  char digits[32];
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed);
  static_cast<void>(error);  // the limits that it prints have at most 10 digits
  return {digits, end};
}

}  // namespace

std::optional<std::string> read_text(const YamlNode& node, std::string_view what,
                                     Problems& problems) {
  if (!node.is_scalar()) {
    expected(node, what, "text", problems);
    return std::nullopt;
  }
  if (node.plain && (node.text == "true" || node.text == "false")) {
    problems.add(node.position, std::string(what) + ": expected text, found " + node.text +
                                    "; put it in quotes if it is meant as a word");
    return std::nullopt;
  }
  if (node.text.find_first_not_of(" \t\n") == std::string::npos) {
    problems.add(node.position, std::string(what) + ": expected text, found an empty one");
    return std::nullopt;
  }
  if (has_control_characters(node.text)) {
    problems.add(node.position, std::string(what) + ": " + in_quotes(node.text) +
                                    " holds control characters; expected printable text");
    return std::nullopt;
  }
  auto text = node.text;
  text.erase(text.find_last_not_of('\n') + 1);  // a block scalar ("|") ends with one
  return text;
}

std::optional<std::string> read_line(const YamlNode& node, std::string_view what,
                                     Problems& problems) {
  auto text = read_text(node, what, problems);
  if (text && text->find_first_of("\n\t") != std::string::npos) {
    problems.add(node.position, std::string(what) + ": expected one line of text, found several");
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> read_id(const YamlNode& node, std::string_view what,
                                   Problems& problems) {
  auto text = read_line(node, what, problems);
  if (!text || is_id(*text)) return text;
  problems.add(node.position, std::string(what) + ": " + in_quotes(*text) +
                                  " is not an id; expected lower case letters, digits and single "
                                  "\"-\" between them, at most 64");
  return std::nullopt;
}

std::optional<bool> read_flag(const YamlNode& node, std::string_view what, Problems& problems) {
  if (node.is_scalar() && node.plain && node.text == "true") return true;
  if (node.is_scalar() && node.plain && node.text == "false") return false;
  expected(node, what, "true or false", problems);
  return std::nullopt;
}

std::optional<int> read_count(const YamlNode& node, std::string_view what, Problems& problems) {
  constexpr int most = 10'000;
  const auto value = node.is_scalar() && node.plain ? whole_number<int>(node.text) : std::nullopt;
  if (value && *value >= 1 && *value <= most) return value;
  expected(node, what, "a whole number from 1 to " + std::to_string(most), problems);
  return std::nullopt;
}

std::optional<double> read_number(const YamlNode& node, std::string_view what, double most,
                                  Problems& problems) {
  const auto value =
      node.is_scalar() && node.plain ? whole_number<double>(node.text) : std::nullopt;
  if (value && std::isfinite(*value) && *value >= 0 && *value <= most) return value;
  expected(node, what, "a number from 0 to " + format(most), problems);
  return std::nullopt;
}

const std::vector<YamlNode>* read_list(const YamlNode& node, std::string_view what,
                                       Problems& problems) {
  if (node.is_list() && !node.items.empty()) return &node.items;
  if (node.is_list()) {
    problems.add(node.position, std::string(what) +
                                    ": the list is empty; expected at least one "
                                    "entry, or no such key");
  } else if (node.is_scalar() && node.text.find_first_of(",[]{}") == std::string::npos) {
    const bool needs_quotes = node.text.find_first_of("*&%@`'\"") != std::string::npos;
    const auto item = needs_quotes ? '"' + node.text + '"' : node.text;
    expected(node, what, "a list; write [" + item + "]", problems);
  } else {
    expected(node, what, "a list", problems);
  }
  return nullptr;
}

MapReader::MapReader(const YamlNode& node, std::string what, Problems& problems)
    : node_(node), what_(std::move(what)), problems_(problems) {
  if (!node.is_map()) {
    problems.add(node.position,
                 what_ + ": expected a block of keys (key: value), found " + describe(node));
  }
}

const YamlNode::Entry* MapReader::entry(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  return node_.find(key);
}

const YamlNode* MapReader::find(std::string_view key) {
  const auto* found = entry(key);
  if (found == nullptr) return nullptr;
  if (found->value.kind != YamlNode::Kind::null) return &found->value;
  if (reported_empty_.emplace(key).second) {
    problems_.add(found->position, name(key) + " has no value; give it one or remove the line");
  }
  return nullptr;
}

const YamlNode* MapReader::require(std::string_view key) {
  if (node_.is_map() && entry(key) == nullptr) {
    problems_.add(node_.position, what_ + " lacks " + name(key));
  }
  return find(key);
}

bool MapReader::has(std::string_view key) const { return node_.find(key) != nullptr; }

void MapReader::text(std::string_view key, std::string& into) {
  if (const auto* node = find(key)) into = read_text(*node, name(key), problems_).value_or(into);
}

void MapReader::line(std::string_view key, std::string& into) {
  if (const auto* node = find(key)) into = read_line(*node, name(key), problems_).value_or(into);
}

void MapReader::require_line(std::string_view key, std::string& into) {
  if (const auto* node = require(key)) into = read_line(*node, name(key), problems_).value_or(into);
}

void MapReader::require_id(std::string_view key, std::string& into) {
  if (const auto* node = require(key)) into = read_id(*node, name(key), problems_).value_or(into);
}

void MapReader::flag(std::string_view key, bool& into) {
  if (const auto* node = find(key)) into = read_flag(*node, name(key), problems_).value_or(into);
}

void MapReader::number(std::string_view key, std::optional<double>& into, double most) {
  if (const auto* node = find(key)) into = read_number(*node, name(key), most, problems_);
}

void MapReader::lines(std::string_view key, std::vector<std::string>& into) {
  each_line(key, [&](const YamlNode&, const std::string& text) { into.push_back(text); });
}

void MapReader::finish() {
  for (const auto& entry : node_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    if (problems_.full()) {
      problems_.add(entry.position, {});
      continue;
    }
    problems_.add(entry.position, "unknown key " + in_quotes(entry.key) + " in " + what_ +
                                      did_you_mean(entry.key, known_, 50));
  }
}

}  // namespace callready
