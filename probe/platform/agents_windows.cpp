#include "probe/platform/agents.hpp"

#include <windows.h>

#include <tlhelp32.h>

#include <set>
#include <string_view>

#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

struct AgentProcess {
  std::wstring_view process;
  std::string_view name;
};
// Only what a source documents: help.zscaler.com/client-connector/
// zscaler-client-connector-processes-allowlist.
constexpr AgentProcess agent_processes[] = {{L"ZSATunnel.exe", "Zscaler Client Connector"},
                                            {L"ZSAService.exe", "Zscaler Client Connector"}};

}  // namespace

std::vector<AgentInfo> known_agents(const std::string&) {
  std::vector<AgentInfo> found;
  std::set<std::string_view> told;
  const HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  if (all == INVALID_HANDLE_VALUE) return found;
  PROCESSENTRY32W entry{};
  entry.dwSize = sizeof entry;
  for (BOOL more = Process32FirstW(all, &entry); more != 0; more = Process32NextW(all, &entry)) {
    const std::wstring_view name(entry.szExeFile);
    for (const auto& agent : agent_processes) {
      if (name != agent.process || !told.insert(agent.name).second) continue;
      found.push_back({std::string(agent.name), "process " + to_utf8(name)});
    }
  }
  CloseHandle(all);
  return found;
}

}  // namespace callready::platform
