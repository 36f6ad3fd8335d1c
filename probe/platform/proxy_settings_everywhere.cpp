#include <algorithm>

#include "probe/platform/proxy_settings.hpp"
#include "probe/util/text.hpp"

namespace callready::platform {
namespace {

// "10.*", "192.168.*.*" as "10.0.0.0/8", "192.168.0.0/16"; all else as it is.
std::string network_or_same(std::string entry) {
  auto front = entry;
  while (front.ends_with(".*")) front.resize(front.size() - 2);
  const auto octets = 1 + std::count(front.begin(), front.end(), '.');
  const bool digits = front.find_first_not_of("0123456789.") == front.npos;
  if (front.empty() || front == entry || !digits || octets > 3) return entry;
  for (auto more = octets; more < 4; ++more) front += ".0";
  return front + '/' + std::to_string(8 * octets);
}

}  // namespace

std::string as_no_proxy(std::string_view bypass) {
  std::string list;
  for (const auto part : split(bypass, "; ")) {
    auto entry = network_or_same(std::string(part));
    if (entry.starts_with("*.")) entry.erase(0, 1);
    if (entry.empty() || entry.find('*') != entry.npos) continue;
    list += (list.empty() ? "" : ",") + entry;
  }
  return list;
}

}  // namespace callready::platform
