#include "targets/json_file.hpp"

#include <algorithm>

#include "probe/model/public_network.hpp"
#include "probe/platform/input_file.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

constexpr std::size_t most_problems = 20;
// Strings that the file writes with escapes: each costs a search of all that is left of it.
constexpr int most_misses = 20;
constexpr int deepest = 16;  // the vendors' files have five levels at most

// 1-based, in bytes; the vendors' files are ASCII.
std::pair<int, int> line_and_column(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto start = before.rfind('\n');
  const auto column = start == std::string_view::npos ? offset + 1 : offset - start;
  return {static_cast<int>(line), static_cast<int>(column)};
}

// Checks how deep brackets are nested, outside strings: the parser keeps a stack of them.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside) {
      if (c == '\\') ++i;
      if (c == '"') inside = false;
    } else if (c == '"') {
      inside = true;
    } else if (c == '{' || c == '[') {
      if (++depth > deepest) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

JsonFile::JsonFile(std::string_view text, std::string name, std::string what)
    : text_(text), name_(std::move(name)), what_(std::move(what)) {
  if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);  // some editors add it
}

std::optional<JsonFile::Json> JsonFile::parse() {
  if (too_deep(text_)) {
    complain(0, "too deeply nested for " + what_);
    return std::nullopt;
  }
  try {
    return Json::parse(text_);
  } catch (const Json::parse_error& error) {
    complain(error.byte > 0 ? error.byte - 1 : 0, "not JSON; expected " + what_);
  } catch (const Json::out_of_range& error) {
    // The library quotes the number at the end of its message, but does not give its position.
    const std::string_view why = error.what();
    const auto begin = why.find('\'') + 1;
    const auto found = text_.find(why.substr(begin, why.rfind('\'') - begin));
    complain(found == std::string_view::npos ? 0 : found, "a number that is too large");
  }
  return std::nullopt;
}

void JsonFile::seek(std::string_view value) {
  if (misses_ == most_misses) return;
  const auto quoted = '"' + std::string(value) + '"';
  const auto found = text_.find(quoted, position_);
  if (found == std::string_view::npos) {
    ++misses_;
  } else {
    position_ = found;
  }
}

void JsonFile::complain(std::size_t offset, std::string message) {
  if (problems_.size() >= most_problems) return;
  const auto [line, column] = line_and_column(text_, offset);
  problems_.push_back({name_, line, column, std::move(message)});
}

const JsonFile::Json* JsonFile::member(const Json& object, const char* key, Json::value_t type,
                                       const char* expected) {
  const auto found = object.find(key);
  if (found == object.end()) {
    complain(std::string("\"") + key + "\" is missing; expected " + expected);
    return nullptr;
  }
  const bool number = type == Json::value_t::number_integer && found->is_number_integer();
  if (found->type() != type && !number) {
    seek(key);
    complain(std::string("\"") + key + "\": expected " + expected);
    return nullptr;
  }
  return &*found;
}

std::optional<Network> JsonFile::network(const Json& prefix) {
  if (!prefix.is_string()) {
    complain("a prefix is no string; expected a network such as \"20.37.158.0/23\"");
    return std::nullopt;
  }
  const auto text = prefix.get<std::string>();
  seek(text);
  const auto network = Network::parse(text);
  if (!network || text.find('/') == std::string::npos) {
    complain(in_quotes(text) + " is no network; expected one such as 20.37.158.0/23");
    return std::nullopt;
  }
  if (!network->aligned()) {
    complain(in_quotes(text) + " has host bits; expected " + network->masked().to_string());
    return std::nullopt;
  }
  if (const auto problem = why_no_services_network(*network)) {
    complain(in_quotes(text) + ' ' + std::string(*problem));
    return std::nullopt;
  }
  return network;
}

std::optional<std::string> read_list_file(const std::string& path, std::size_t most,
                                          const std::string& what, std::vector<Problem>& problems) {
  auto input = platform::read_input(path, most);
  if (!input.error.empty()) {
    problems.push_back({path, 0, 0, "cannot be read: " + input.error});
    return std::nullopt;
  }
  if (input.text.size() > most) {
    problems.push_back({path, 0, 0, "is too large for " + what});
    return std::nullopt;
  }
  return std::move(input.text);
}

}  // namespace callready
