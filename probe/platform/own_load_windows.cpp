#include "probe/platform/own_load.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>
#include <wlanapi.h>

#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

double ticks_of(const FILETIME& time) {
  return 4'294'967'296.0 * time.dwHighDateTime + time.dwLowDateTime;
}

// Not every Windows has it: servers lack it until Wi-Fi is installed.
struct WlanLibrary {
  HMODULE module = LoadLibraryW(L"wlanapi.dll");
  ~WlanLibrary() {
    if (module != nullptr) FreeLibrary(module);
  }
  template <typename Function>
  Function* find(const char* name) const {
    return module == nullptr
               ? nullptr
               : reinterpret_cast<Function*>(reinterpret_cast<void*>(GetProcAddress(module, name)));
  }
};

}  // namespace

std::optional<ProcessorTime> processor_time() {
  FILETIME idle{}, kernel{}, user{};  // the kernel's has the idle time in it
  if (GetSystemTimes(&idle, &kernel, &user) == 0) return std::nullopt;
  const double all = ticks_of(kernel) + ticks_of(user);
  return ProcessorTime{all - ticks_of(idle), all};
}

std::optional<WifiLink> wifi_link(const std::string& interface_name, const std::string&) {
  NET_LUID luid{};
  GUID guid{};
  const auto name = to_wide(interface_name);
  if (ConvertInterfaceAliasToLuid(name.c_str(), &luid) != NO_ERROR ||
      ConvertInterfaceLuidToGuid(&luid, &guid) != NO_ERROR) {
    return std::nullopt;
  }
  const WlanLibrary library;
  const auto open = library.find<decltype(WlanOpenHandle)>("WlanOpenHandle");
  const auto query = library.find<decltype(WlanQueryInterface)>("WlanQueryInterface");
  const auto close = library.find<decltype(WlanCloseHandle)>("WlanCloseHandle");
  const auto give_back = library.find<decltype(WlanFreeMemory)>("WlanFreeMemory");
  if (open == nullptr || query == nullptr || close == nullptr || give_back == nullptr) {
    return std::nullopt;
  }
  DWORD version = 0, size = 0;
  HANDLE client = nullptr;
  if (open(2, nullptr, &version, &client) != ERROR_SUCCESS) return std::nullopt;
  std::optional<WifiLink> link;
  void* data = nullptr;
  if (query(client, &guid, wlan_intf_opcode_current_connection, nullptr, &size, &data, nullptr) ==
          ERROR_SUCCESS &&
      size >= sizeof(WLAN_CONNECTION_ATTRIBUTES)) {
    const auto& seen = *static_cast<const WLAN_CONNECTION_ATTRIBUTES*>(data);
    link = WifiLink{std::nullopt,
                    static_cast<double>(seen.wlanAssociationAttributes.wlanSignalQuality)};
  }
  if (data != nullptr) give_back(data);
  close(client, nullptr);
  return link;
}

}  // namespace callready::platform
