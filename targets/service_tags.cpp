#include "targets/service_tags.hpp"

#include <algorithm>

#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"
#include "targets/json_file.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

using Json = JsonFile::Json;
using Type = Json::value_t;

void read_tag(JsonFile& file, const Json& value, ServiceTags& tags) {
  if (!value.is_object()) {
    file.complain("a value is no object; expected a service tag");
    return;
  }
  const auto* name = file.member(value, "name", Type::string, "the tag's name");
  if (name == nullptr) return;
  const auto tag = name->get<std::string>();
  file.seek("name");
  file.seek(tag);
  const auto start = file.position();
  const auto* properties = file.member(value, "properties", Type::object, "the tag's properties");
  if (properties == nullptr) return;
  const auto* prefixes =
      file.member(*properties, "addressPrefixes", Type::array, "a list of networks");
  if (prefixes == nullptr) return;
  std::vector<Network> networks;
  file.seek("addressPrefixes");
  for (const auto& prefix : *prefixes) {
    if (const auto network = file.network(prefix)) networks.push_back(*network);
  }
  if (!tags.networks.try_emplace(lower_case(on_one_line(tag)), std::move(networks)).second) {
    file.complain(start, "the tag " + in_quotes(tag) + " is there twice");
  }
}

void read_tags(JsonFile& file, const Json& json, ServiceTags& tags) {
  if (!json.is_object()) {
    file.complain(0, "expected an object with \"cloud\", \"changeNumber\" and \"values\"");
    return;
  }
  if (const auto* cloud = file.member(json, "cloud", Type::string, "\"Public\"")) {
    tags.cloud = cloud->get<std::string>();
    if (lower_case(tags.cloud) != "public") {
      file.seek("cloud");
      file.complain("the cloud is " + in_quotes(tags.cloud) +
                    "; expected 'Public': another cloud has other networks");
    }
  }
  const auto* number = file.member(json, "changeNumber", Type::number_integer, "a whole number");
  if (number != nullptr) tags.change_number = number->get<long>();
  const auto* values = file.member(json, "values", Type::array, "a list of service tags");
  if (values == nullptr) return;
  file.seek("values");
  if (values->empty()) file.complain("\"values\" is empty; expected service tags");
  for (const auto& value : *values) read_tag(file, value, tags);
}

}  // namespace

const std::vector<Network>* ServiceTags::find(std::string_view tag) const {
  const auto found = networks.find(lower_case(tag));
  return found == networks.end() ? nullptr : &found->second;
}

ServiceTagsResult read_service_tags(std::string_view text, const std::string& name) {
  ServiceTagsResult result;
  ServiceTags tags;
  tags.file = name;
  JsonFile file(text, name, "Microsoft's ServiceTags_Public_*.json");
  if (const auto json = file.parse()) read_tags(file, *json, tags);
  if (file.good()) result.tags = std::move(tags);
  result.problems = file.take_problems();
  return result;
}

ServiceTagsResult load_service_tags(const std::string& path) {
  ServiceTagsResult result;
  const auto text =
      read_list_file(path, largest_service_tags, "a list of service tags", result.problems);
  return text ? read_service_tags(*text, path) : result;
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
    auto region = dot == std::string::npos ? std::string() : lower_case(tag.substr(dot + 1));
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
