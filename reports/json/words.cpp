// Sentences as templates and arguments, in the reports' JSON (text.hpp, reader.cpp).
#include <algorithm>

#include "reports/json/node.hpp"
#include "reports/json/text.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;

// The limit that keeps a report within what its reader accepts (deepest_report). A deeper text is
// written without its words.
constexpr int deepest_words = 5;

int depth_of(const Text& text) {
  int deepest = 0;
  for (const auto& part : text.parts()) {
    for (const auto& argument : part.arguments) deepest = std::max(deepest, depth_of(argument));
  }
  return text.parts().empty() ? 0 : deepest + 1;
}

Json part_json(const Text::Part& part) {
  if (part.plain) return part.words;
  Json json{{"words", part.words}};
  if (!part.many.empty()) {
    json["many"] = part.many;
    json["count"] = part.count;
  }
  for (const auto& argument : part.arguments) {
    if (argument.parts().empty()) {
      json["with"].push_back(argument.string());
    } else if (argument.parts().size() == 1) {
      json["with"].push_back(part_json(argument.parts().front()));
    } else {
      json["with"].push_back(words_json(argument));
    }
  }
  return json;
}

Text read_argument(const Node& node);

Text::Part read_part(const Node& node) {
  Text::Part part;
  if (node.is_text()) {
    part.words = node.text();
    part.plain = true;
    return part;
  }
  part.words = node.member("words").text();
  if (const auto many = node.optional("many")) {
    part.many = many->text();
    constexpr double most = 9e15;  // whole numbers that a double can hold
    part.count = static_cast<std::uint64_t>(std::clamp(node.member("count").number(), 0.0, most));
  }
  if (const auto with = node.optional("with")) part.arguments = with->list(read_argument);
  return part;
}

Text read_argument(const Node& node) {
  if (node.is_text()) return node.text();
  return node.is_list() ? Text(node.list(read_part)) : Text({read_part(node)});
}

}  // namespace

Json words_json(const Text& text) {
  if (text.parts().empty() || depth_of(text) > deepest_words) return nullptr;
  auto list = Json::array();
  for (const auto& part : text.parts()) list.push_back(part_json(part));
  return list;
}

void add_words(Json& object, const char* name, const Text& text) {
  auto words = words_json(text);
  if (!words.is_null()) object["words"][name] = std::move(words);
}

void add_words(Json& object, const char* name, const std::vector<Text>& texts) {
  auto list = Json::array();
  bool any = false;
  for (const auto& text : texts) {
    auto words = words_json(text);
    any |= !words.is_null();
    list.push_back(words.is_null() ? Json::array() : std::move(words));
  }
  if (any) object["words"][name] = std::move(list);
}

Text read_text(const Node& object, std::string_view name) {
  const Text plain(object.member(name).text());
  const auto all = object.optional("words");
  const auto words = all ? all->optional(name) : std::nullopt;
  if (!words) return plain;
  const Text text(words->list(read_part));
  return text == plain ? text : plain;
}

std::vector<Text> read_texts(const Node& object, std::string_view name) {
  auto texts = object.member(name).list([](const Node& item) { return Text(item.text()); });
  const auto all = object.optional("words");
  const auto words = all ? all->optional(name) : std::nullopt;
  if (!words) return texts;
  const auto read = words->list([](const Node& item) { return Text(item.list(read_part)); });
  for (std::size_t i = 0; i < std::min(texts.size(), read.size()); ++i) {
    if (read[i] == texts[i]) texts[i] = read[i];
  }
  return texts;
}

}  // namespace callready
