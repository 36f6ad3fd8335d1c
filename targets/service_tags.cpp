#include "targets/service_tags.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "targets/yaml_document.hpp"

namespace callready {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_problems = 20;
constexpr int deepest = 16;  // Microsoft's file has five levels

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return result;
}

// 1-based, in bytes; Microsoft's file is ASCII.
std::pair<int, int> line_and_column(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto start = before.rfind('\n');
  const auto column = start == std::string_view::npos ? offset + 1 : offset - start;
  return {static_cast<int>(line), static_cast<int>(column)};
}

// Says how deep brackets are nested, strings left out: the parser keeps a stack of them.
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

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  ServiceTagsResult read() {
    ServiceTags tags;
    tags.file = name_;
    if (text_.starts_with("\xEF\xBB\xBF")) {  // some editors put it there
      text_.remove_prefix(3);
    }
    Json json;
    if (too_deep(text_)) {
      complain(0, "too deeply nested for a list of service tags");
    } else {
      try {
        json = Json::parse(text_);
      } catch (const Json::parse_error& error) {
        complain(error.byte > 0 ? error.byte - 1 : 0,
                 "not JSON; expected Microsoft's ServiceTags_Public_*.json");
      } catch (const Json::out_of_range& error) {
        // The library names the number, in quotes at the end, and not where it stands.
        const std::string_view why = error.what();
        const auto begin = why.find('\'') + 1;
        const auto found = text_.find(why.substr(begin, why.rfind('\'') - begin));
        complain(found == std::string_view::npos ? 0 : found, "a number that is too large");
      }
    }
    if (result_.problems.empty()) read_file(json, tags);
    if (result_.problems.empty()) result_.tags = std::move(tags);
    return std::move(result_);
  }

 private:
  void complain(std::size_t offset, std::string message) {
    if (result_.problems.size() >= most_problems) return;
    const auto [line, column] = line_and_column(text_, offset);
    result_.problems.push_back({name_, line, column, std::move(message)});
  }

  // Where a string next stands in the text, after what was found before. The tree does not know,
  // but it is read in the order of the text.
  void seek(std::string_view value) {
    const auto quoted = '"' + std::string(value) + '"';
    const auto found = text_.find(quoted, position_);
    if (found != std::string_view::npos) position_ = found;
  }

  const Json* member(const Json& object, const char* key, Json::value_t type,
                     const char* expected) {
    const auto found = object.find(key);
    if (found == object.end()) {
      complain(position_, std::string("\"") + key + "\" is missing; expected " + expected);
      return nullptr;
    }
    const bool number = type == Json::value_t::number_integer && found->is_number_integer();
    if (found->type() != type && !number) {
      seek(key);
      complain(position_, std::string("\"") + key + "\": expected " + expected);
      return nullptr;
    }
    return &*found;
  }

  void read_file(const Json& json, ServiceTags& tags) {
    if (!json.is_object()) {
      complain(0, "expected an object with \"cloud\", \"changeNumber\" and \"values\"");
      return;
    }
    if (const auto* cloud = member(json, "cloud", Json::value_t::string, "\"Public\"")) {
      tags.cloud = cloud->get<std::string>();
      if (lower(tags.cloud) != "public") {
        seek("cloud");
        complain(position_, "the cloud is " + in_quotes(tags.cloud) +
                                "; expected 'Public': another cloud has other networks");
      }
    }
    const auto* number =
        member(json, "changeNumber", Json::value_t::number_integer, "a whole number");
    if (number != nullptr) tags.change_number = number->get<long>();
    const auto* values = member(json, "values", Json::value_t::array, "a list of service tags");
    if (values == nullptr) return;
    seek("values");
    if (values->empty()) complain(position_, "\"values\" is empty; expected service tags");
    for (const auto& value : *values) read_tag(value, tags);
  }

  void read_tag(const Json& value, ServiceTags& tags) {
    if (!value.is_object()) {
      complain(position_, "a value is no object; expected a service tag");
      return;
    }
    const auto* name = member(value, "name", Json::value_t::string, "the tag's name");
    if (name == nullptr) return;
    const auto tag = name->get<std::string>();
    seek("name");
    seek(tag);
    const auto start = position_;
    const auto* properties =
        member(value, "properties", Json::value_t::object, "the tag's properties");
    if (properties == nullptr) return;
    const auto* prefixes =
        member(*properties, "addressPrefixes", Json::value_t::array, "a list of networks");
    if (prefixes == nullptr) return;
    std::vector<Network> networks;
    seek("addressPrefixes");
    for (const auto& prefix : *prefixes) {
      if (const auto network = read_prefix(prefix)) networks.push_back(*network);
    }
    if (!tags.networks.try_emplace(lower(tag), std::move(networks)).second) {
      complain(start, "the tag " + in_quotes(tag) + " is there twice");
    }
  }

  std::optional<Network> read_prefix(const Json& prefix) {
    if (!prefix.is_string()) {
      complain(position_, "a prefix is no string; expected a network such as \"20.37.158.0/23\"");
      return std::nullopt;
    }
    const auto text = prefix.get<std::string>();
    seek(text);
    const auto network = Network::parse(text);
    if (!network || text.find('/') == std::string::npos) {
      complain(position_, in_quotes(text) + " is no network; expected one such as 20.37.158.0/23");
      return std::nullopt;
    }
    if (!network->aligned()) {
      complain(position_,
               in_quotes(text) + " has host bits; expected " + network->masked().to_string());
      return std::nullopt;
    }
    return network;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t position_ = 0;
  ServiceTagsResult result_;
};

}  // namespace

const std::vector<Network>* ServiceTags::find(std::string_view tag) const {
  const auto found = networks.find(lower(tag));
  return found == networks.end() ? nullptr : &found->second;
}

ServiceTagsResult read_service_tags(std::string_view text, const std::string& name) {
  return Reader(text, name).read();
}

ServiceTagsResult load_service_tags(const std::string& path) {
  ServiceTagsResult result;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    result.problems.push_back({path, 0, 0, "cannot be read"});
    return result;
  }
  const auto size = file.tellg();
  if (size < 0 || static_cast<std::uintmax_t>(size) > largest_service_tags) {
    result.problems.push_back({path, 0, 0, "is too large for a list of service tags"});
    return result;
  }
  file.seekg(0);
  std::ostringstream text;
  text << file.rdbuf();
  return read_service_tags(text.str(), path);
}

std::vector<std::string> add_service_tags(const TargetSet& set, Requirement& row,
                                          const ServiceTags& tags) {
  std::vector<std::string> missing;
  for (const auto& tag : row.service_tags) {
    const auto* networks = tags.find(tag);
    if (networks == nullptr) {
      missing.push_back(tag);
      continue;
    }
    const auto dot = tag.find('.');
    auto region = dot == std::string::npos ? std::string() : lower(tag.substr(dot + 1));
    const bool known = std::any_of(set.regions.begin(), set.regions.end(),
                                   [&](const Region& one) { return one.id == region; });
    if (!known) region.clear();
    for (const auto& network : *networks) {
      row.addresses.push_back({network, region, Lifecycle::current, tag});
    }
  }
  return missing;
}

}  // namespace callready
