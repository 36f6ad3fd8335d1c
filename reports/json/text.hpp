// How all JSON documents in reports/ are printed. Internal to reports/.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/text.hpp"
#include "probe/model/words.hpp"
#include "probe/util/utf8.hpp"

namespace callready {

// People also `cat` JSON, and its content comes from the network: the control characters that RFC
// 8259 allows (DEL, C1 with its one-character CSI) and Unicode's invisible characters (direction
// overrides, tags) are written as \u escapes, which mean the same to every parser.
inline std::string with_invisible_escaped(std::string_view json) {
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) < 0x7F; };
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const auto plain =
        static_cast<std::size_t>(std::ranges::find_if_not(json, is_plain) - json.begin());
    out += json.substr(0, plain);
    json.remove_prefix(plain);
    if (json.empty()) break;
    const auto [value, bytes] = decode_utf8(json);
    const auto size = std::max<std::size_t>(bytes, 1);
    const auto number = static_cast<std::uint32_t>(value);
    if (bytes == 0 || !is_control(value)) {
      out += json.substr(0, size);
    } else if (number < 0x10000) {
      out += fmt::format("\\u{:04x}", number);
    } else {  // RFC 8259, section 7: as a surrogate pair
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD7C0 + (number >> 10), 0xDC00 + (number & 0x3FF));
    }
    json.remove_prefix(size);
  }
  return out;
}

// `indent`: spaces per level; -1 puts all on one line. Invalid UTF-8 becomes U+FFFD.
inline std::string printed_json(const nlohmann::ordered_json& json, int indent) {
  return with_invisible_escaped(
      json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

// Without a trailing newline.
inline std::string json_line(const nlohmann::ordered_json& json) { return printed_json(json, -1); }

// Two spaces per level, and a trailing newline.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return printed_json(json, 2) + '\n';
}

// Empty members are left out.
inline void set_if_any(nlohmann::ordered_json& object, const char* name,
                       nlohmann::ordered_json value) {
  if (!value.empty() && value != "") object[name] = std::move(value);
}

// The list of what `print` returns for each item.
template <typename Items, typename Print>
nlohmann::ordered_json json_list(const Items& items, Print print) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& item : items) json.push_back(print(item));
  return json;
}

// Addresses, ranges and the like as texts.
template <typename Items>
nlohmann::ordered_json json_texts(const Items& items) {
  return json_list(items, [](const auto& item) { return item.to_string(); });
}

// The enumerators' words.
template <typename Enum>
nlohmann::ordered_json json_words(const std::vector<Enum>& values) {
  return json_list(values, [](Enum value) { return to_string(value); });
}

// The templates and arguments of a text, so that it can be translated: a list of literal texts and
// of objects {"words", "many", "count", "with"}; null if the whole text is literal.
nlohmann::ordered_json words_json(const Text& text);
// Adds them to the object's member "words", unless they are null.
void add_words(nlohmann::ordered_json& object, const char* name, const Text& text);
void add_words(nlohmann::ordered_json& object, const char* name, const std::vector<Text>& texts);

}  // namespace callready
