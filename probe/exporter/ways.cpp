#include "probe/exporter/ways.hpp"

#include <fmt/format.h>

#include <charconv>

#include "probe/model/media.hpp"
#include "probe/platform/system.hpp"

namespace callready::exporter {
namespace {

constexpr milliseconds longest_interval = std::chrono::hours(24 * 365);
// Of runs that take minutes or fill the line for seconds: people are on it.
constexpr milliseconds interval_of_load = std::chrono::hours(1);

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  long count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end + 1 != text.data() + text.size() || count < 0) {
    return std::nullopt;
  }
  constexpr std::pair<char, long> units[] = {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}};
  for (const auto& [unit, seconds] : units) {
    if (*end != unit || count > longest_interval.count() / 1000 / seconds) continue;
    return milliseconds(count * seconds * 1000);
  }
  return std::nullopt;
}

std::optional<milliseconds> WayReader::read_duration(const YamlNode& node, const std::string& what,
                                                     milliseconds least) {
  const auto text = read_line(node, what, problems_);
  if (!text) return std::nullopt;
  const auto time = parse_duration(*text);
  if (time && *time >= least) return time;
  problems_.add(node.position,
                fmt::format("{}: expected a time such as 90s, 15m, 2h{}, found {}", what,
                            time ? fmt::format(", at least {} s", least.count() / 1000) : "",
                            in_quotes(*text)));
  return std::nullopt;
}

void WayReader::add_file(MapReader& map, const char* key, const char* option, Way& way) {
  const auto* node = map.find(key);
  const auto text =
      node != nullptr ? read_line(*node, MapReader::name(key), problems_) : std::nullopt;
  if (text) add_readable(*node, key, option, *text, way.options);
}

void WayReader::add_readable(const YamlNode& node, const char* key, const char* option,
                             const std::string& file, std::vector<std::string>& options) {
  if (!platform::is_file(file)) {
    problems_.add(node.position, fmt::format("'{}': the file {} cannot be read", key, file));
  } else {
    options.push_back(fmt::format("--{}={}", option, file));
  }
}

void WayReader::add_choices(MapReader& map, const char* key, const char* option, Choice choice,
                            Way& way) {
  map.each_line(key, [&](const YamlNode& item, const std::string& text) {
    way.options.push_back(fmt::format("--{}={}", option, text));
    way.wanted.push_back({choice, text, item.position});
  });
}

void WayReader::add_variables(MapReader& map, Way& way) {
  const auto* node = map.find("variables");
  if (node == nullptr) return;
  if (!node->is_map()) {
    problems_.add(node->position,
                  "'variables': expected a block of keys, found " + describe(*node));
    return;
  }
  for (const auto& [key, position, value] : node->entries) {
    if (const auto text = read_line(value, "'" + key + "'", problems_)) {
      way.options.push_back(fmt::format("--var={}={}", key, *text));
      way.wanted.push_back({Choice::variable, key, position});
    }
  }
}

void WayReader::add_line(MapReader& map, const char* key, const char* option, Way& way) {
  std::string text;
  map.line(key, text);
  if (!text.empty()) way.options.push_back(fmt::format("--{}={}", option, text));
}

// A login in a URL would appear in the list of processes.
void WayReader::add_url(MapReader& map, const char* key, const char* option, Way& way) {
  const auto* node = map.find(key);
  if (node != nullptr && node->is_scalar() && node->text.find('@') != std::string::npos) {
    problems_.add(node->position,
                  fmt::format("'{}': no user and password here; expected them in the file of "
                              "'credentials'",
                              key));
    return;
  }
  add_line(map, key, option, way);
}

void WayReader::add_quality(MapReader& map, Way& way) {
  const auto add = [&](const char* key, std::string option, milliseconds least) {
    way.options.push_back(std::move(option));
    way.slow_key = key;
    way.least_interval = least;
    way.slow_position = map.find(key)->position;
  };
  bool quality = false, thorough = false;
  map.flag("quality", quality);
  if (quality) add("quality", "--quality", shortest_timeout);
  map.flag("thorough", thorough);
  if (thorough) add("thorough", "--thorough", interval_of_load);
  const auto* node = map.find("calls");
  const auto calls = node != nullptr ? read_count(*node, "'calls'", problems_) : std::nullopt;
  if (!calls) return;
  add("calls", fmt::format("--calls={}", *calls), interval_of_load);
  if (*calls > most_calls) {
    problems_.add(node->position, fmt::format("'calls': expected at most {}", most_calls));
  }
}

void WayReader::read_common(MapReader& map, Way& way) {
  add_choices(map, "scenarios", "scenario", Choice::scenario, way);
  add_choices(map, "regions", "region", Choice::region, way);
  add_choices(map, "only", "only", Choice::requirement, way);
  add_choices(map, "skip", "skip", Choice::requirement, way);
  add_variables(map, way);
  add_file(map, "credentials", "credentials", way);
  add_file(map, "service_tags", "service-tags", way);
  map.flag("sip_alg_test", way.sip_alg);
}

Way WayReader::read_module(MapReader& map) {
  Way way;
  read_common(map, way);
  std::optional<Vantage> from;
  map.word("from", from);
  if (from) way.options.push_back(fmt::format("--from={}", to_string(*from)));
  if (const auto* node = map.find("client")) {
    if (const auto text = read_line(*node, "'client'", problems_)) {
      way.options.push_back("--client=" + *text);
      way.wanted.push_back({Choice::client, *text, node->position});
    }
  }
  add_quality(map, way);
  add_url(map, "proxy", "proxy", way);
  add_url(map, "pac", "pac", way);
  add_line(map, "interface", "interface", way);
  map.each_line("dns", [&](const YamlNode&, const std::string& text) {
    way.options.push_back("--dns=" + text);
  });
  map.each_line("ca_files", [&](const YamlNode& node, const std::string& text) {
    add_readable(node, "ca_files", "ca-file", text, way.options);
  });
  add_file(map, "anchors", "anchors", way);
  bool no_anchors = false, redact = false;
  map.flag("no_anchors", no_anchors);
  if (no_anchors) way.options.emplace_back("--no-anchors");
  map.flag("redact", redact);
  if (redact) way.options.emplace_back("--redact");
  add_file(map, "redact_key", "redact-key", way);
  if (const auto* node = map.find("timeout")) {
    way.timeout = read_duration(*node, "'timeout'", shortest_timeout);
  }
  return way;
}

}  // namespace callready::exporter
