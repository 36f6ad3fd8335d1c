#include <fstream>
#include <sstream>

#include "probe/platform/own_load.hpp"

namespace callready::platform {
namespace {

constexpr std::size_t most_wifi_lines = 64;

}  // namespace

// proc(5): user, nice, system, idle, iowait, irq, softirq, steal.
std::optional<ProcessorTime> processor_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  if (!(file >> word) || word != "cpu") return std::nullopt;
  ProcessorTime time;
  for (int column = 0; column < 8; ++column) {
    double ticks = 0;
    if (!(file >> ticks)) return std::nullopt;
    time.all += ticks;
    const bool idle = column == 3 || column == 4;
    if (!idle) time.busy += ticks;
  }
  return time;
}

// "wlan0: 0000   54.  -56.  -256 ...": status, quality, level and noise, after two header lines.
std::optional<WifiLink> wifi_link(const std::string& interface_name, const std::string& table) {
  std::ifstream file(table.empty() ? "/proc/net/wireless" : table);
  std::string line;
  for (std::size_t i = 0; i < most_wifi_lines && std::getline(file, line); ++i) {
    std::istringstream columns(line);
    std::string name, status;
    double quality = 0, level = 0;
    char dot = 0;
    if (!(columns >> name >> status >> quality) || name != interface_name + ':') continue;
    if (columns.peek() == '.') columns >> dot;
    // A value that is not negative is not in dBm: old drivers use a unit of their own.
    if (!(columns >> level) || level >= 0) return std::nullopt;
    return WifiLink{level, std::nullopt};
  }
  return std::nullopt;
}

}  // namespace callready::platform
