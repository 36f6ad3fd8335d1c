#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <langinfo.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "probe/platform/system.hpp"

namespace callready::platform {
namespace {

sigset_t interrupts() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM}) sigaddset(&set, signal);
  return set;
}

std::optional<IpAddress> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return IpAddress::v4(bytes);
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IpAddress::v6(bytes);
  }
  return std::nullopt;
}

Terminal terminal(int descriptor) {
  Terminal result;
  result.interactive = isatty(descriptor) == 1;
  // The locale of the environment, looked up without switching the program to it.
  const locale_t locale = newlocale(LC_CTYPE_MASK, "", static_cast<locale_t>(nullptr));
  if (locale != static_cast<locale_t>(nullptr)) {
    result.utf8 = std::string(nl_langinfo_l(CODESET, locale)) == "UTF-8";
    freelocale(locale);
  }
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) result.width = size.ws_col;
  return result;
}

std::string words_of(int error) { return std::strerror(error); }

void write_all(int file, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t size = write(file, text.data(), text.size());
    if (size < 0 && errno != EINTR) return;
    if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
  }
}

// The file that becomes `path`; in the same folder, so that the rename is atomic.
std::string beside(const std::string& path) { return path + ".XXXXXX"; }

// Writes all of it and closes the file; the first error, or 0.
int write_and_close(int file, const std::string& content, bool synchronise) {
  std::size_t written = 0;
  int error = 0;
  while (written < content.size() && error == 0) {
    const ssize_t size = write(file, content.data() + written, content.size() - written);
    if (size < 0 && errno != EINTR) error = errno;
    if (size > 0) written += static_cast<std::size_t>(size);
  }
  if (error == 0 && synchronise && fsync(file) != 0) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  return error;
}

// After a rename the folder's entry has to reach the disk too. Some file systems cannot, and then
// the file is there all the same.
void synchronise_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

// Something that exists and is neither a file nor a folder: a device, a pipe. It must not be
// replaced by a file.
bool is_special_file(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

// Where a symbolic link points to; the path itself where it is none, or points nowhere.
std::string without_links(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? path : std::string(real.get());
}

// XDG Base Directory Specification: relative paths are to be ignored.
std::string users_folder(const char* variable, const std::string& usual) {
  const auto configured = environment(variable);
  if (!configured.empty() && configured.front() == '/') return configured + "/callready";
  const auto home = environment("HOME");
  return home.empty() ? std::string() : home + usual + "/callready";
}

// The folders that lead to the file; the error in words, or nothing.
std::optional<std::string> make_folders_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  std::error_code error;
  std::filesystem::create_directories(path.substr(0, slash), error);
  return error ? std::optional(words_of(error.value())) : std::nullopt;
}

}  // namespace

std::vector<Interface> interfaces() {
  std::vector<Interface> list;
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return list;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(raw, &freeifaddrs);
  for (const ifaddrs* entry = all.get(); entry != nullptr; entry = entry->ifa_next) {
    if ((entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    auto* found = static_cast<Interface*>(nullptr);
    for (auto& known : list) {
      if (known.name == entry->ifa_name) found = &known;
    }
    if (found == nullptr) {
      const bool up = (entry->ifa_flags & IFF_UP) != 0;
      const bool tunnel = (entry->ifa_flags & IFF_POINTOPOINT) != 0;
      list.push_back({entry->ifa_name, {}, up, tunnel});
      found = &list.back();
    }
    if (const auto address = address_of(entry->ifa_addr)) found->addresses.push_back(*address);
  }
  return list;
}

bool is_interface(const std::string& name) { return if_nametoindex(name.c_str()) != 0; }

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return {};
  return name;
}

void write_standard_output(std::string_view text) noexcept { write_all(STDOUT_FILENO, text); }

void write_standard_error(std::string_view text) noexcept { write_all(STDERR_FILENO, text); }

void keep_one_heap() {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, 1);
#endif
}

Terminal standard_output() { return terminal(STDOUT_FILENO); }

Terminal standard_error() { return terminal(STDERR_FILENO); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string configuration_folder() { return users_folder("XDG_CONFIG_HOME", "/.config"); }

std::string state_folder() { return users_folder("XDG_STATE_HOME", "/.local/state"); }

std::string data_folder() { return users_folder("XDG_DATA_HOME", "/.local/share"); }

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code ignored;
  if (std::filesystem::equivalent(one, other, ignored)) return true;
  const auto full = [&](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, ignored), ignored);
  };
  const auto left = full(one), right = full(other);
  return !left.empty() && left == right;
}

bool is_file(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode) &&
         access(path.c_str(), R_OK) == 0;
}

std::optional<std::string> write_whole_file(const std::string& wanted, const std::string& content) {
  if (is_special_file(wanted)) {
    const int file = open(wanted.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return words_of(errno);
    const int error = write_and_close(file, content, false);
    return error == 0 ? std::nullopt : std::optional(words_of(error));
  }
  const auto path = without_links(wanted);
  auto temporary = beside(path);
  const int file = mkstemp(temporary.data());
  if (file < 0) return words_of(errno);
  // mkstemp makes the file private; a report is read by others as the umask says.
  const mode_t mask = umask(0);
  umask(mask);
  int error = fchmod(file, 0666 & ~mask) == 0 ? 0 : errno;
  const int write_error = write_and_close(file, content, true);
  if (error == 0) error = write_error;
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) {
    synchronise_folder_of(path);
    return std::nullopt;
  }
  unlink(temporary.c_str());
  return words_of(error);
}

void hold_interrupts() {
  const auto set = interrupts();
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

void release_interrupts() {
  const auto set = interrupts();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void forgive_one_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

std::optional<std::string> write_private_file(const std::string& path, const std::string& content) {
  if (auto error = make_folders_of(path)) return error;
  auto temporary = beside(path);
  const int file = mkstemp(temporary.data());  // mode 0600
  if (file < 0) return words_of(errno);
  int error = write_and_close(file, content, true);
  // link(2) fails where somebody was faster; rename(2) would take that file's place.
  if (error == 0 && link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) error = errno;
  unlink(temporary.c_str());
  if (error != 0) return words_of(error);
  synchronise_folder_of(path);
  return std::nullopt;
}

std::optional<std::string> replace_private_file(const std::string& path,
                                                const std::string& content) {
  if (auto error = make_folders_of(path)) return error;
  auto temporary = beside(path);
  const int file = mkstemp(temporary.data());  // mode 0600
  if (file < 0) return words_of(errno);
  int error = write_and_close(file, content, false);
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return std::nullopt;
  unlink(temporary.c_str());
  return words_of(error);
}

void keep_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one. Not for writing: to write to it must fail.
    if (open("/dev/null", O_RDONLY) < 0) return;
  }
}

std::optional<std::string> why_not_writable(const std::string& wanted) {
  struct stat status {};
  if (stat(wanted.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return words_of(EISDIR);
  if (is_special_file(wanted)) {
    return access(wanted.c_str(), W_OK) == 0 ? std::nullopt : std::optional(words_of(errno));
  }
  auto temporary = beside(without_links(wanted));
  const int file = mkstemp(temporary.data());
  if (file < 0) return words_of(errno);
  close(file);
  unlink(temporary.c_str());
  return std::nullopt;
}

}  // namespace callready::platform
