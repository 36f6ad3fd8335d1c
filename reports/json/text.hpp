// How every JSON document of this room is printed. Internal to reports/.
#pragma once

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <string_view>
#include "probe/model/text.hpp"

namespace callready {

// One of those below may begin with it.
inline bool may_be_invisible(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7F || byte == 0xC2 || byte >= 0xD8;
}

// JSON is printed by `cat` too, and what is in it comes from the network: the control characters
// that RFC 8259 leaves alone (DEL, C1 with its one-character CSI, and Unicode's direction
// overrides) are written as \u escapes, which mean the same to every parser.
inline std::string with_invisible_escaped(std::string_view json) {
  struct Escape {
    std::string_view bytes, text;
  };
  static constexpr Escape directions[] = {
      {"\xD8\x9C", "\\u061c"},     {"\xE2\x80\x8E", "\\u200e"}, {"\xE2\x80\x8F", "\\u200f"},
      {"\xE2\x80\xA8", "\\u2028"}, {"\xE2\x80\xA9", "\\u2029"}, {"\xE2\x80\xAA", "\\u202a"},
      {"\xE2\x80\xAB", "\\u202b"}, {"\xE2\x80\xAC", "\\u202c"}, {"\xE2\x80\xAD", "\\u202d"},
      {"\xE2\x80\xAE", "\\u202e"}, {"\xE2\x81\xA6", "\\u2066"}, {"\xE2\x81\xA7", "\\u2067"},
      {"\xE2\x81\xA8", "\\u2068"}, {"\xE2\x81\xA9", "\\u2069"}, {"\xEF\xBB\xBF", "\\ufeff"},
  };
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const auto plain = static_cast<std::size_t>(
        std::find_if(json.begin(), json.end(), may_be_invisible) - json.begin());
    out += json.substr(0, plain);
    json.remove_prefix(plain);
    if (json.empty()) break;
    const auto byte = static_cast<unsigned char>(json.front());
    if (byte == 0x7F) {
      out += "\\u007f";
      json.remove_prefix(1);
      continue;
    }
    const auto second = json.size() > 1 ? static_cast<unsigned char>(json[1]) : 0;
    if (byte == 0xC2 && second >= 0x80 && second <= 0x9F) {
      out += "\\u00";
      out += digits[second >> 4];
      out += digits[second & 15];
      json.remove_prefix(2);
      continue;
    }
    const auto* const found =
        std::find_if(std::begin(directions), std::end(directions),
                     [&](const Escape& escape) { return json.starts_with(escape.bytes); });
    if (found != std::end(directions)) {
      out += found->text;
      json.remove_prefix(found->bytes.size());
    } else {
      out += json.front();
      json.remove_prefix(1);
    }
  }
  return out;
}

// Two spaces a level, UTF-8 (what is not becomes U+FFFD), and a newline at the end.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return with_invisible_escaped(
             json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)) +
         "\n";
}

// Members that are empty are not there.
inline void set_if_any(nlohmann::ordered_json& object, const char* name,
                       nlohmann::ordered_json value) {
  if (!value.empty() && value != "") object[name] = std::move(value);
}

template <typename Item>
nlohmann::ordered_json json_list(const std::vector<Item>& items,
                                 nlohmann::ordered_json (*print)(const Item&)) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& item : items) json.push_back(print(item));
  return json;
}

// The templates and arguments of a text, so that it can be said in another language: a list of
// texts as they stand, and of objects {"words", "many", "count", "with"}; null where all of it is
// plain.
nlohmann::ordered_json words_json(const Text& text);
// Adds what is not null to the member "words" of the object.
void add_words(nlohmann::ordered_json& object, const char* name, const Text& text);
void add_words(nlohmann::ordered_json& object, const char* name, const std::vector<Text>& texts);

}  // namespace callready
