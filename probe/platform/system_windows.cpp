#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>

#include <windows.h>

#include <mmsystem.h>

#include <conio.h>
#include <fcntl.h>
#include <io.h>
#include <shellapi.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "probe/platform/system.hpp"
#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

std::optional<IpAddress> address_of(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto& found = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return IpAddress::of_bytes(&found, false);
  }
  if (address->sa_family == AF_INET6) {
    const auto& found = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    return IpAddress::of_bytes(&found, true);
  }
  return std::nullopt;
}

// A file gets UTF-8; a console gets what prepare_program() could set it to.
Terminal terminal(DWORD stream) {
  Terminal result;
  const HANDLE handle = GetStdHandle(stream);
  DWORD mode = 0;
  result.interactive = GetConsoleMode(handle, &mode) != 0;
  result.utf8 = !result.interactive || GetConsoleOutputCP() == CP_UTF8;
  result.obeys = result.interactive && (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
  CONSOLE_SCREEN_BUFFER_INFO info{};
  if (GetConsoleScreenBufferInfo(handle, &info) != 0) {
    const int width = info.srWindow.Right - info.srWindow.Left + 1;
    if (width > 0) result.width = width;
  }
  return result;
}

void write_all(DWORD stream, std::string_view text) noexcept {
  const HANDLE handle = GetStdHandle(stream);
  while (!text.empty()) {
    DWORD size = 0;
    if (WriteFile(handle, text.data(), static_cast<DWORD>(text.size()), &size, nullptr) == 0)
      return;
    text.remove_prefix(size);
  }
}

std::string last_words() { return words_of_system(GetLastError()); }

// CON, NUL and the like are devices in every folder, with any extension.
bool is_device(const std::string& path) {
  const auto name = std::filesystem::path(to_wide(path)).stem().wstring();
  for (const auto* device : {L"CON", L"NUL", L"AUX", L"PRN"}) {
    if (_wcsicmp(name.c_str(), device) == 0) return true;
  }
  return false;
}

bool is_folder(const std::wstring& path) {
  const auto attributes = GetFileAttributesW(path.c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

// The file that becomes `path`; in the same folder, so that the rename is one step.
std::wstring beside(const std::wstring& path) {
  static std::atomic<unsigned> count{0};
  return path + L"." + std::to_wstring(GetCurrentProcessId()) + L"-" + std::to_wstring(++count);
}

// Returns the error in words, or nothing.
std::optional<std::string> write_new(const std::wstring& path, DWORD creation,
                                     std::string_view content) {
  const HANDLE file = CreateFileW(path.c_str(), GENERIC_WRITE, 0, nullptr, creation,
                                  FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) return last_words();
  std::optional<std::string> error;
  while (!content.empty() && !error) {
    DWORD size = 0;
    if (WriteFile(file, content.data(), static_cast<DWORD>(content.size()), &size, nullptr) == 0) {
      error = last_words();
    }
    content.remove_prefix(size);
  }
  if (CloseHandle(file) == 0 && !error) error = last_words();
  return error;
}

std::optional<std::string> write_and_move(const std::string& path, const std::string& content,
                                          DWORD how) {
  const auto place = to_wide(path);
  if (is_folder(place)) return "it is a folder";
  const auto temporary = beside(place);
  auto error = write_new(temporary, CREATE_NEW, content);
  if (!error && MoveFileExW(temporary.c_str(), place.c_str(), how) == 0) {
    const auto why = GetLastError();
    // Somebody was faster, and what is there stays.
    const bool stays = (how & MOVEFILE_REPLACE_EXISTING) == 0 && why == ERROR_ALREADY_EXISTS;
    DeleteFileW(temporary.c_str());
    return stays ? std::nullopt : std::optional(words_of_system(why));
  }
  if (error) DeleteFileW(temporary.c_str());
  return error;
}

std::optional<std::string> make_folders_of(const std::string& path) {
  const auto folder = std::filesystem::path(to_wide(path)).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  return error ? std::optional(words_of_system(static_cast<unsigned long>(error.value())))
               : std::nullopt;
}

std::string below(const char* variable, const char* rest) {
  const auto folder = environment(variable);
  return folder.empty() ? std::string() : folder + rest;
}

std::atomic<bool> was_interrupted = false;

BOOL WINAPI forgive(DWORD) {
  SetConsoleCtrlHandler(&forgive, FALSE);
  return TRUE;
}

// When the console's window is closed or the user logs off, Windows waits for 5 seconds.
BOOL WINAPI end_in_time(DWORD event) {
  if (event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT) return FALSE;
  std::raise(SIGTERM);
  Sleep(10'000);
  return TRUE;
}

// If this is a child that may be asked to end (child_windows.cpp): each request raises SIGTERM.
void listen_to_parent() {
  const auto name = interrupt_event + std::to_wstring(GetCurrentProcessId());
  const HANDLE event = OpenEventW(SYNCHRONIZE, FALSE, name.c_str());
  if (event == nullptr) return;
  HANDLE wait = nullptr;
  RegisterWaitForSingleObject(
      &wait, event, [](void*, BOOLEAN) { std::raise(SIGTERM); }, nullptr, INFINITE,
      WT_EXECUTEONLYONCE);
}

UINT callers_code_page = 0;

}  // namespace

std::vector<Interface> interfaces() {
  std::vector<Interface> list;
  ULONG size = 32 * 1024;
  std::vector<unsigned char> memory;
  ULONG status = ERROR_BUFFER_OVERFLOW;
  constexpr ULONG flags =
      GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
  for (int tries = 0; tries < 3 && status == ERROR_BUFFER_OVERFLOW; ++tries) {
    memory.resize(size);
    status = GetAdaptersAddresses(AF_UNSPEC, flags, nullptr,
                                  reinterpret_cast<IP_ADAPTER_ADDRESSES*>(memory.data()), &size);
  }
  if (status != NO_ERROR) return list;
  for (const auto* entry = reinterpret_cast<const IP_ADAPTER_ADDRESSES*>(memory.data());
       entry != nullptr; entry = entry->Next) {
    if (entry->IfType == IF_TYPE_SOFTWARE_LOOPBACK) continue;
    Interface found;
    found.name = to_utf8(entry->FriendlyName);
    found.up = true;  // disabled ones are not listed
    found.signal = entry->OperStatus == IfOperStatusUp;
    found.wireless = entry->IfType == IF_TYPE_IEEE80211;
    // About WireGuard's and OpenVPN's drivers Windows knows only "virtual", about others that the
    // link has no addresses of its own, which a mobile network's link need not have either.
    constexpr DWORD mobile_gsm = 243, mobile_cdma = 244;
    const bool mobile = entry->IfType == mobile_gsm || entry->IfType == mobile_cdma;
    found.tunnel = entry->IfType == IF_TYPE_TUNNEL || entry->IfType == IF_TYPE_PPP ||
                   entry->IfType == IF_TYPE_PROP_VIRTUAL ||
                   (entry->PhysicalAddressLength == 0 && !mobile);
    for (const auto* address = entry->FirstUnicastAddress; address != nullptr;
         address = address->Next) {
      if (const auto ip = address_of(address->Address.lpSockaddr)) found.addresses.push_back(*ip);
    }
    list.push_back(std::move(found));
  }
  return list;
}

bool is_interface(const std::string& name) {
  NET_LUID luid{};
  return ConvertInterfaceAliasToLuid(to_wide(name).c_str(), &luid) == NO_ERROR;
}

std::optional<bool> is_wireless(const std::string& name) {
  for (const auto& one : interfaces()) {
    if (one.name == name) return one.wireless;
  }
  return std::nullopt;
}

std::string host_name() {
  wchar_t name[256] = {};
  DWORD size = 256;
  if (GetComputerNameExW(ComputerNameDnsFullyQualified, name, &size) == 0) return {};
  return to_utf8({name, size});
}

void write_standard_output(std::string_view text) noexcept { write_all(STD_OUTPUT_HANDLE, text); }
void write_standard_error(std::string_view text) noexcept { write_all(STD_ERROR_HANDLE, text); }

void keep_one_heap() {}

Terminal standard_output() { return terminal(STD_OUTPUT_HANDLE); }
Terminal standard_error() { return terminal(STD_ERROR_HANDLE); }

std::string environment(const char* name) {
  const auto* value = _wgetenv(to_wide(name).c_str());
  return value == nullptr ? std::string() : to_utf8(value);
}

std::string configuration_folder() { return below("APPDATA", "/callready"); }
std::string data_folder() { return below("LOCALAPPDATA", "/callready"); }
std::string state_folder() { return below("LOCALAPPDATA", "/callready/state"); }

bool is_same_file(const std::string& one, const std::string& other) {
  const std::filesystem::path left(to_wide(one)), right(to_wide(other));
  std::error_code ignored;
  if (std::filesystem::equivalent(left, right, ignored)) return true;
  const auto full = [&](const std::filesystem::path& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, ignored), ignored)
        .wstring();
  };
  const auto first = full(left), second = full(right);
  return !first.empty() && _wcsicmp(first.c_str(), second.c_str()) == 0;
}

// They are in the system's own store: system_authorities().
std::string trusted_roots() { return {}; }

bool is_file(const std::string& path) {
  const auto wide = to_wide(path);
  return !is_folder(wide) && _waccess(wide.c_str(), 4) == 0;
}

std::optional<std::string> write_whole_file(const std::string& path, const std::string& content) {
  if (is_device(path)) return write_new(to_wide(path), OPEN_EXISTING, content);
  return write_and_move(path, content, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
}

// Others cannot read what is in a user's profile: the folder's access list is inherited.
std::optional<std::string> write_private_file(const std::string& path, const std::string& content) {
  if (auto error = make_folders_of(path)) return error;
  return write_and_move(path, content, MOVEFILE_WRITE_THROUGH);
}

std::optional<std::string> replace_private_file(const std::string& path,
                                                const std::string& content) {
  if (auto error = make_folders_of(path)) return error;
  return write_and_move(path, content, MOVEFILE_REPLACE_EXISTING);
}

std::optional<std::string> why_not_writable(const std::string& path) {
  if (is_device(path)) return std::nullopt;
  const auto place = to_wide(path);
  if (is_folder(place)) return "it is a folder";
  const auto temporary = beside(place);
  auto error = write_new(temporary, CREATE_NEW, {});
  if (!error) DeleteFileW(temporary.c_str());
  return error;
}

void release_interrupts() {
  SetConsoleCtrlHandler(nullptr, FALSE);
  // Only once: each registration would raise the signal.
  [[maybe_unused]] static const bool listening = (listen_to_parent(), true);
}
// Catches each of them once: then it is the system's again (signal() of the C runtime).
void watch_interrupts() {
  was_interrupted = false;
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int) { was_interrupted = true; });
  }
}
bool interrupted() noexcept { return was_interrupted; }
void forgive_one_interrupt() {
  SetConsoleCtrlHandler(&forgive, TRUE);
  std::signal(SIGTERM, [](int) {});  // only once: then it is the system's again
}

void prepare_program() {
  // Bytes as they are: a report is the same on every system.
  for (const int stream : {0, 1, 2}) _setmode(stream, _O_BINARY);
  // Timers to the millisecond instead of to 16 of them: waiting times are measured here.
  timeBeginPeriod(1);
  SetConsoleCtrlHandler(&end_in_time, TRUE);
  callers_code_page = GetConsoleOutputCP();
  if (callers_code_page == 0) return;  // no console
  SetConsoleOutputCP(CP_UTF8);
  std::atexit([] { SetConsoleOutputCP(callers_code_page); });
  for (const DWORD stream : {STD_OUTPUT_HANDLE, STD_ERROR_HANDLE}) {
    const HANDLE handle = GetStdHandle(stream);
    DWORD mode = 0;
    if (GetConsoleMode(handle, &mode) == 0) continue;
    SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
  }
}

// The C library gives them in the system's code page, which cannot represent most names.
std::vector<std::string> arguments(int, char**) {
  std::vector<std::string> list;
  int count = 0;
  wchar_t** const words = CommandLineToArgvW(GetCommandLineW(), &count);
  for (int i = 0; i < count; ++i) list.push_back(to_utf8(words[i]));
  LocalFree(words);
  return list;
}

bool was_double_clicked() {
  DWORD processes[2];
  return GetConsoleProcessList(processes, 2) == 1;
}

void wait_for_a_key() { _getch(); }

}  // namespace callready::platform
