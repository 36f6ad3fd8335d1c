#include "targets/traffic.hpp"

#include <algorithm>
#include <array>

#include "targets/yaml_reader.hpp"

namespace callready {
namespace {

// A hostile file must not multiply its lists without limit.
constexpr std::size_t most_entries = 16;
constexpr std::array<std::string_view, 10> own_keys{
    "transport", "ports", "check",     "unprobed", "with",
    "severity",  "reach", "listening", "note",     "source_ports"};

// "tcp" of `transport: [tcp]`, "80" of `ports: [80, 8080]`.
std::string first_of(const YamlNode& entry, std::string_view key) {
  const auto* found = entry.find(key);
  if (found == nullptr || !found->value.is_list() || found->value.items.empty()) return {};
  const auto& item = found->value.items.front();
  return item.is_scalar() ? item.text : std::string();
}

void set(YamlNode& row, const YamlNode::Entry& entry) {
  const auto known = std::ranges::find(row.entries, entry.key, &YamlNode::Entry::key);
  if (known == row.entries.end()) {
    row.entries.push_back(entry);
  } else {
    *known = entry;
  }
}

// A port or a variable spelled as part of an id: "${sip_port}" becomes "sip-port".
std::string as_id(const std::string& text) {
  std::string id;
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (good) {
      id += c;
    } else if (!id.empty() && id.back() != '-') {
      id += '-';
    }
  }
  while (!id.empty() && id.back() == '-') id.pop_back();
  return id;
}

YamlNode part_of(const YamlNode& row, const YamlNode& entry, const std::string& suffix,
                 const std::string& in_words) {
  auto part = row;
  const bool own_check = entry.find("check") != nullptr || entry.find("unprobed") != nullptr;
  std::erase_if(part.entries, [&](const YamlNode::Entry& one) {
    const bool of_check = one.key == "check" || one.key == "unprobed" || one.key == "with";
    return one.key == "traffic" || (own_check && of_check);
  });
  for (const auto& one : entry.entries) set(part, one);
  for (auto& one : part.entries) {
    if (!one.value.is_scalar()) continue;
    if (one.key == "id") one.value.text += suffix;
    if (one.key == "title") one.value.text += in_words;
  }
  return part;
}

}  // namespace

std::string id_of_whole(const YamlNode& row) {
  const auto* id = row.find("id");
  return id != nullptr && id->value.is_scalar() ? id->value.text : std::string();
}

std::vector<YamlNode> rows_of(const YamlNode& row, Problems& problems) {
  const auto* traffic = row.is_map() ? row.find("traffic") : nullptr;
  if (traffic == nullptr) return {row};
  for (const auto* key : {"transport", "ports"}) {
    if (const auto* beside = row.find(key)) {
      problems.add(
          beside->position,
          MapReader::name(key) + " beside 'traffic'; expected it in each entry of 'traffic'");
    }
  }
  const auto* entries = read_list(traffic->value, "'traffic'", problems);
  if (entries == nullptr) return {};
  if (entries->size() > most_entries) {
    problems.add(traffic->position, "'traffic': expected at most " + std::to_string(most_entries) +
                                        " entries, found " + std::to_string(entries->size()));
    return {};
  }
  std::vector<YamlNode> rows;
  for (const auto& entry : *entries) {
    MapReader map(entry, "an entry of 'traffic'", problems);
    for (const auto key : own_keys) map.find(key);
    map.require("transport");
    map.finish();
    if (!entry.is_map()) continue;
    const auto transport = first_of(entry, "transport"), port = first_of(entry, "ports");
    if (transport.empty()) continue;
    const auto alike = std::count_if(entries->begin(), entries->end(), [&](const auto& other) {
      return other.is_map() && first_of(other, "transport") == transport;
    });
    auto suffix = '-' + as_id(transport);
    if (alike > 1 && !port.empty()) suffix += '-' + as_id(port);
    std::string capitals;
    for (const char c : transport) capitals += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    const auto* ports = entry.find("ports");
    const bool more = ports != nullptr && ports->value.items.size() > 1;
    const auto in_words =
        ", " + capitals + (port.empty() ? "" : ' ' + port + (more ? " and more" : ""));
    rows.push_back(entries->size() == 1 ? part_of(row, entry, "", "")
                                        : part_of(row, entry, suffix, in_words));
  }
  return rows;
}

}  // namespace callready
