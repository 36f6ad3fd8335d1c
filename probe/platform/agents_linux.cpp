#include <filesystem>
#include <fstream>
#include <set>

#include "probe/platform/agents.hpp"

namespace callready::platform {
namespace {

struct AgentProcess {
  std::string_view process, name;
};
// Only what a source documents: docs.rs/crate/vopono_core (src/network/warp.rs) has Cloudflare's.
constexpr AgentProcess agent_processes[] = {{"warp-svc", "Cloudflare WARP"}};
constexpr std::size_t most_processes = 20'000;

}  // namespace

std::vector<AgentInfo> known_agents(const std::string& processes) {
  namespace fs = std::filesystem;
  std::vector<AgentInfo> found;
  std::set<std::string_view> told;
  std::error_code error;
  std::size_t count = 0;
  for (fs::directory_iterator entry(processes.empty() ? "/proc" : processes, error), end;
       !error && entry != end && count < most_processes; entry.increment(error), ++count) {
    const auto number = entry->path().filename().string();
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry->path() / "comm");
    std::string name;
    if (!std::getline(file, name)) continue;
    for (const auto& agent : agent_processes) {
      if (name != agent.process || !told.insert(agent.name).second) continue;
      found.push_back({std::string(agent.name), "process " + name});
    }
  }
  return found;
}

}  // namespace callready::platform
