// Small things about text and lists of it that several rooms need.
#pragma once

#include <algorithm>
#include <cstdint>
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

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <typename List, typename Item>
bool contains(const List& list, const Item& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
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

}  // namespace callready
