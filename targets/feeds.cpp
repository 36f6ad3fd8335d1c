#include "targets/feeds.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "probe/model/public_network.hpp"
#include "probe/util/path.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"
#include "targets/json_file.hpp"
#include "targets/service_tags.hpp"
#include "targets/syntax.hpp"
#include "targets/yaml_document.hpp"

namespace callready {
namespace {

using Json = JsonFile::Json;
using Type = Json::value_t;

constexpr std::pair<FeedKind, std::string_view> kinds[] = {
    {FeedKind::m365, "m365"},     {FeedKind::zoom, "zoom"},   {FeedKind::aws, "aws"},
    {FeedKind::google, "google"}, {FeedKind::azure, "azure"},
};

// A member that may be absent, but must have that type if it is present.
const Json* optional_member(JsonFile& file, const Json& object, const char* key, Type type,
                            const char* expected) {
  return object.contains(key) ? file.member(object, key, type, expected) : nullptr;
}

std::string text_of(JsonFile& file, const Json& object, const char* key) {
  const auto* text = optional_member(file, object, key, Type::string, "text");
  return text != nullptr ? on_one_line(text->get<std::string>()) : std::string();
}

// "443" or "80,443"
std::vector<PortRange> read_ports(JsonFile& file, const Json& object, const char* key) {
  std::vector<PortRange> ports;
  const auto text = text_of(file, object, key);
  for (std::string_view rest = text; !rest.empty();) {
    const auto word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (const auto range = PortRange::parse(word)) {
      ports.push_back(*range);
    } else {
      file.seek(key);
      file.complain(std::string("\"") + key + "\": " + in_quotes(word) + " is no port");
    }
  }
  return ports;
}

void read_names(JsonFile& file, const Json& object, FeedEntry& entry) {
  const auto* urls = optional_member(file, object, "urls", Type::array, "a list of names");
  if (urls == nullptr) return;
  for (const auto& url : *urls) {
    const auto name = url.is_string() ? url.get<std::string>() : std::string();
    const bool wildcard = name.find('*') != std::string::npos;
    const auto problem = wildcard ? wildcard_problem(name) : host_name_problem(name);
    if (problem) {
      file.seek(name);
      file.complain(in_quotes(name) + " is no name of a host: " + *problem);
    } else {
      (wildcard ? entry.wildcards : entry.names).push_back(name);
    }
  }
}

void read_networks(JsonFile& file, const Json& list, FeedEntry& entry) {
  for (const auto& prefix : list) {
    if (const auto network = file.network(prefix)) entry.networks.push_back(*network);
  }
}

// An array of { id, serviceArea, urls, ips, tcpPorts, udpPorts, category, required, notes }.
void read_m365(JsonFile& file, const Json& json, Feed& feed) {
  if (!json.is_array()) {
    file.complain(0, "expected a list of endpoint sets");
    return;
  }
  std::set<std::string> known;
  for (const auto& item : json) {
    if (!item.is_object()) {
      file.complain("an entry is no object; expected an endpoint set");
      return;
    }
    const auto* id = file.member(item, "id", Type::number_unsigned, "a whole number");
    const auto* area = file.member(item, "serviceArea", Type::string, "the service's name");
    if (id == nullptr || area == nullptr) return;
    FeedEntry entry;
    entry.key = std::to_string(id->get<std::uint64_t>());
    file.seek("id");
    if (!known.insert(entry.key).second) {
      file.complain("two entries have the id " + entry.key);
      return;
    }
    file.seek("serviceArea");
    entry.note = on_one_line(area->get<std::string>());
    const auto notes = text_of(file, item, "notes");
    if (!notes.empty()) entry.note += ": " + notes;
    read_names(file, item, entry);
    const auto* ips = optional_member(file, item, "ips", Type::array, "a list of networks");
    if (ips != nullptr) read_networks(file, *ips, entry);
    entry.tcp = read_ports(file, item, "tcpPorts");
    entry.udp = read_ports(file, item, "udpPorts");
    entry.priority = parse<Priority>(lower_case(text_of(file, item, "category")));
    const auto* required = optional_member(file, item, "required", Type::boolean, "true or false");
    entry.required = required == nullptr || required->get<bool>();
    feed.entries.push_back(std::move(entry));
  }
}

// { "createDate", "prefixes": [{ip_prefix, region, service}], "ipv6_prefixes": [...] }
void read_aws(JsonFile& file, const Json& json, Feed& feed) {
  if (!json.is_object()) {
    file.complain(0, "expected an object with \"prefixes\"");
    return;
  }
  feed.edition = text_of(file, json, "createDate");
  for (const auto& [list, member] :
       {std::pair{"prefixes", "ip_prefix"}, std::pair{"ipv6_prefixes", "ipv6_prefix"}}) {
    const auto* prefixes = file.member(json, list, Type::array, "a list of prefixes");
    if (prefixes == nullptr) continue;
    for (const auto& item : *prefixes) {
      const auto* prefix =
          item.is_object() ? file.member(item, member, Type::string, "a network") : nullptr;
      if (prefix == nullptr) continue;
      const auto network = file.network(*prefix);
      if (!network) continue;
      FeedEntry entry;
      entry.key = text_of(file, item, "service") + '/' + text_of(file, item, "region");
      entry.networks = {*network};
      feed.entries.push_back(std::move(entry));
    }
  }
}

// { "creationTime", "prefixes": [{ipv4Prefix | ipv6Prefix, service, scope}] }
void read_google(JsonFile& file, const Json& json, Feed& feed) {
  if (!json.is_object()) {
    file.complain(0, "expected an object with \"prefixes\"");
    return;
  }
  feed.edition = text_of(file, json, "creationTime");
  const auto* prefixes = file.member(json, "prefixes", Type::array, "a list of prefixes");
  if (prefixes == nullptr) return;
  for (const auto& item : *prefixes) {
    const bool v6 = item.is_object() && item.contains("ipv6Prefix");
    const auto* prefix = item.is_object() ? file.member(item, v6 ? "ipv6Prefix" : "ipv4Prefix",
                                                        Type::string, "a network")
                                          : nullptr;
    const auto network = prefix != nullptr ? file.network(*prefix) : std::nullopt;
    if (!network) continue;
    FeedEntry entry;
    entry.key = text_of(file, item, "scope");
    entry.networks = {*network};
    feed.entries.push_back(std::move(entry));
  }
}

// One network per line; blank lines and "#" comments are skipped.
void read_lines(std::string_view text, Feed& feed, std::vector<Problem>& problems) {
  constexpr std::size_t most_problems = 20;
  FeedEntry entry;
  entry.key = utf8_of(path_of(feed.source).stem());
  int number = 0;
  while (!text.empty() && problems.size() < most_problems) {
    ++number;
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (line.empty() || line.front() == '#') continue;
    const auto network = Network::parse(line);
    const bool good = network && network->aligned() && line.find('/') != std::string_view::npos;
    const auto problem = good ? why_no_services_network(*network)
                              : "is no network; expected one such as 3.7.35.0/25";
    if (problem) {
      problems.push_back(
          {feed.source, number, 1, on_one_line(in_quotes(line) + ' ' + std::string(*problem))});
    } else {
      entry.networks.push_back(*network);
    }
  }
  if (entry.networks.empty() && problems.empty()) {
    problems.push_back({feed.source, 0, 0, "holds no network"});
  }
  feed.entries.push_back(std::move(entry));
}

FeedResult read_tags(std::string_view text, Feed feed) {
  FeedResult result;
  auto read = read_service_tags(text, feed.source);
  result.problems = std::move(read.problems);
  if (!read.tags) return result;
  feed.edition = std::to_string(read.tags->change_number);
  for (auto& [tag, networks] : read.tags->networks) {
    FeedEntry entry;
    entry.key = tag;
    entry.networks = std::move(networks);
    feed.entries.push_back(std::move(entry));
  }
  result.feed = std::move(feed);
  return result;
}

}  // namespace

std::optional<FeedKind> parse_feed_kind(std::string_view word) {
  for (const auto& [kind, text] : kinds) {
    if (text == word) return kind;
  }
  return std::nullopt;
}

std::string_view feed_word(FeedKind kind) {
  for (const auto& [known, text] : kinds) {
    if (known == kind) return text;
  }
  return "?";
}

std::optional<FeedEntry> Feed::find(std::string_view key) const {
  std::optional<FeedEntry> all;
  FeedEntry listed;  // with duplicates
  for (const auto& entry : entries) {
    const bool below =
        entry.key.size() > key.size() && entry.key.starts_with(key) && entry.key[key.size()] == '/';
    if (!key.empty() && entry.key != key && !below) continue;
    if (!all) {
      all = FeedEntry{};
      all->key = key;
      all->note = entry.note;
      all->priority = entry.priority;
      all->required = entry.required;
    }
    append(listed.names, entry.names);
    append(listed.wildcards, entry.wildcards);
    append(listed.tcp, entry.tcp);
    append(listed.udp, entry.udp);
    append(listed.networks, entry.networks);
  }
  if (!all) return all;
  add_new(all->names, listed.names);
  add_new(all->wildcards, listed.wildcards);
  add_new(all->tcp, listed.tcp);
  add_new(all->udp, listed.udp);
  add_new(all->networks, listed.networks);
  return all;
}

bool Feed::has_ipv6() const {
  return std::any_of(entries.begin(), entries.end(), [](const FeedEntry& entry) {
    return std::any_of(entry.networks.begin(), entry.networks.end(),
                       [](const Network& network) { return network.address.is_v6(); });
  });
}

FeedResult read_feed(FeedKind kind, std::string_view text, const std::string& source) {
  Feed feed;
  feed.kind = kind;
  feed.source = source;
  if (kind == FeedKind::azure) return read_tags(text, std::move(feed));
  FeedResult result;
  if (kind == FeedKind::zoom) {
    read_lines(text, feed, result.problems);
  } else {
    const char* what = kind == FeedKind::m365  ? "the endpoints of Microsoft 365"
                       : kind == FeedKind::aws ? "Amazon's ip-ranges.json"
                                               : "Google's goog.json or cloud.json";
    JsonFile file(text, source, what);
    if (const auto json = file.parse()) {
      if (kind == FeedKind::m365) read_m365(file, *json, feed);
      if (kind == FeedKind::aws) read_aws(file, *json, feed);
      if (kind == FeedKind::google) read_google(file, *json, feed);
      if (feed.entries.empty() && file.good()) file.complain(0, "holds no entry");
    }
    result.problems = file.take_problems();
  }
  if (result.problems.empty()) result.feed = std::move(feed);
  return result;
}

}  // namespace callready
