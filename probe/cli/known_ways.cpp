#include "probe/cli/known_ways.hpp"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "probe/platform/input_file.hpp"
#include "probe/platform/system.hpp"
#include "probe/util/text.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {
namespace {

using nlohmann::json;

constexpr std::size_t largest_file = 64 * 1024, most_ways = 8, most_routers = 32;
constexpr int highest_ttl = 64;

std::string ways_file() {
  const auto folder = platform::state_folder();
  return folder.empty() ? folder : folder + "/ways.json";
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<KnownWay> read_way(const json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto listener = IpAddress::parse(text_of(object, "listener"));
  const auto own = IpAddress::parse(text_of(object, "own"));
  const auto seen = parse_rfc3339(text_of(object, "seen"));
  const auto port = object.value("port", json());
  const auto routers = object.value("routers", json());
  if (!listener || !own || !seen || !port.is_number_unsigned() || !routers.is_object()) {
    return std::nullopt;
  }
  const auto number = port.get<std::uint64_t>();
  if (number == 0 || number > 65'535 || routers.size() > most_routers) return std::nullopt;
  KnownWay way{{*listener, static_cast<std::uint16_t>(number)}, *own, {}, *seen};
  for (const auto& [key, value] : routers.items()) {
    const auto ttl = whole_number<int>(key);
    const auto router = IpAddress::parse(value.is_string() ? value.get<std::string>() : "");
    if (!ttl || *ttl <= 0 || *ttl > highest_ttl || !router) return std::nullopt;
    way.routers.emplace(*ttl, *router);
  }
  return way;
}

}  // namespace

std::string write_known_ways(const std::vector<KnownWay>& ways) {
  auto list = json::array();
  for (const auto& way : ways) {
    auto routers = json::object();
    for (const auto& [ttl, router] : way.routers) routers[std::to_string(ttl)] = router.to_string();
    list.push_back({{"listener", way.listener.address.to_string()},
                    {"port", way.listener.port},
                    {"own", way.own.to_string()},
                    {"seen", format_rfc3339(way.seen)},
                    {"routers", std::move(routers)}});
  }
  return json{{"ways", std::move(list)}}.dump(2) + '\n';
}

std::vector<KnownWay> read_known_ways(const std::string& text, WallTime now) {
  std::vector<KnownWay> ways;
  if (text.size() > largest_file) return ways;
  const auto document = json::parse(text, nullptr, false);
  const auto list = document.is_object() ? document.value("ways", json()) : json();
  if (!list.is_array()) return ways;
  for (const auto& one : list) {
    auto way = read_way(one);
    const bool recent = way && way->seen <= now && now - way->seen < ways_are_known;
    if (recent && ways.size() < most_ways) ways.push_back(std::move(*way));
  }
  return ways;
}

std::vector<KnownWay> load_known_ways() {
  const auto file = ways_file();
  if (file.empty() || !platform::is_file(file)) return {};
  const auto input = platform::read_input(file, largest_file);
  if (!input.error.empty()) return {};
  return read_known_ways(input.text, std::chrono::system_clock::now());
}

void keep_known_ways(const std::vector<KnownWay>& ways) {
  const auto file = ways_file();
  if (file.empty()) return;
  if (const auto reason = platform::replace_private_file(file, write_known_ways(ways))) {
    spdlog::debug("what was learnt of the way is not kept: {}: {}", file, *reason);
  }
}

}  // namespace callready
