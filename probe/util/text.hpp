// Small things about text and lists of it that several rooms need.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace callready {

// Without blanks, tabs and line ends on both sides.
inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

// ASCII letters only, whatever the locale.
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower_case(std::string_view text) {
  std::string lowered(text);
  for (auto& c : lowered) c = lower(c);
  return lowered;
}

inline char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

inline std::string upper_case(std::string_view text) {
  std::string raised(text);
  for (auto& c : raised) c = upper(c);
  return raised;
}

inline bool is_same_but_for_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

inline bool starts_but_for_case(std::string_view text, std::string_view start) {
  return is_same_but_for_case(text.substr(0, start.size()), start);
}

// What stands between the separators, which are single characters; empty parts too.
inline std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The number that the whole text is.
template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

template <typename List, typename Item>
bool contains(const List& list, const Item& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// The first item that `wanted` accepts; null if there is none.
template <typename List, typename Wanted>
auto* first_that(List& list, Wanted wanted) {
  const auto found = std::ranges::find_if(list, wanted);
  return found == std::ranges::end(list) ? nullptr : &*found;
}

template <typename Item>
void add_once(std::vector<Item>& list, const std::type_identity_t<Item>& item) {
  if (!contains(list, item)) list.push_back(item);
}

// Those of `more` that `list` does not have yet, each once, in their order.
template <typename Item>
void add_new(std::vector<Item>& list, const std::vector<Item>& more) {
  std::set<Item> known(list.begin(), list.end());
  for (const auto& item : more) {
    if (known.insert(item).second) list.push_back(item);
  }
}

template <typename Item>
void append(std::vector<Item>& list, const std::vector<Item>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

// The least value that was seen for each key.
template <typename Map>
void keep_least(Map& map, const typename Map::key_type& key,
                const typename Map::mapped_type& seen) {
  auto& least = map.try_emplace(key, seen).first->second;
  least = std::min(least, seen);
}

// What a map has for that key.
template <typename Map>
typename Map::mapped_type found_in(const Map& map, const typename Map::key_type& key,
                                   typename Map::mapped_type otherwise = {}) {
  const auto found = map.find(key);
  return found == map.end() ? otherwise : found->second;
}

// Items as lists by key, in the order in which the keys first appear.
template <typename Item, typename KeyOf>
std::vector<std::vector<Item>> grouped(const std::vector<Item>& items, KeyOf key_of) {
  std::vector<std::vector<Item>> groups;
  for (const auto& item : items) {
    const auto key = key_of(item);
    auto its = std::ranges::find_if(
        groups, [&](const auto& group) { return key_of(group.front()) == key; });
    if (its == groups.end()) its = groups.emplace(its);
    its->push_back(item);
  }
  return groups;
}

// "LINE:COLUMN" of a byte; the column counts bytes from 1, as compilers do.
inline std::string place_in_text(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, std::min(byte, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  return std::to_string(line) + ':' + std::to_string(column);
}

}  // namespace callready
