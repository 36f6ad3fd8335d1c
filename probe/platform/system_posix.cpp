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
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include <atomic>
#include <cerrno>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstddef>
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

std::atomic<bool> was_interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler writes it

// Handles the first interrupt only; the next one is the system's again.
void once_on_interrupt(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

std::optional<IpAddress> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  const auto* bytes = reinterpret_cast<const char*>(address);
  if (address->sa_family == AF_INET) {
    return IpAddress::of_bytes(bytes + offsetof(sockaddr_in, sin_addr), false);
  }
  if (address->sa_family == AF_INET6) {
    return IpAddress::of_bytes(bytes + offsetof(sockaddr_in6, sin6_addr), true);
  }
  return std::nullopt;
}

Terminal terminal(int descriptor) {
  Terminal result;
  result.interactive = isatty(descriptor) == 1;
  // The environment's locale, looked up without switching the program to it.
  const locale_t locale = newlocale(LC_CTYPE_MASK, "", static_cast<locale_t>(nullptr));
  if (locale != static_cast<locale_t>(nullptr)) {
    result.utf8 = std::string(nl_langinfo_l(CODESET, locale)) == "UTF-8";
    freelocale(locale);
  }
  const auto kind = environment("TERM");
  result.obeys = result.interactive && !kind.empty() && kind != "dumb";
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) result.width = size.ws_col;
  return result;
}

std::string words_of(int error) { return std::strerror(error); }

// The first error, or 0.
int write_all(int file, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t size = write(file, text.data(), text.size());
    if (size < 0 && errno != EINTR) return errno;
    if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
  }
  return 0;
}

// The file that becomes `path`; in the same folder, so that the rename is atomic.
std::string beside(const std::string& path) { return path + ".XXXXXX"; }

// Writes all of it and closes the file; the first error, or 0.
int write_and_close(int file, const std::string& content, bool synchronise) {
  int error = write_all(file, content);
  if (error == 0 && synchronise && fsync(file) != 0) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  return error;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string("./") : path.substr(0, slash + 1);
}

// After a rename the folder's entry has to reach the disk too. Some file systems cannot do that,
// but then the file is there all the same.
void synchronise_folder_of(const std::string& path) {
  const int descriptor = open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

// Where anybody may create files (/tmp), what another user has put there is a trap: a link that
// redirects our writing, or a pipe. The system's own protection (proc(5), protected_symlinks) does
// not cover a path that is resolved here and then written next to.
bool is_anothers_where_all_write(const std::string& path, const struct stat& own) {
  struct stat folder {};
  if (stat(folder_of(path).c_str(), &folder) != 0) return false;
  const bool for_all = (folder.st_mode & S_ISVTX) != 0 && (folder.st_mode & S_IWOTH) != 0;
  return for_all && own.st_uid != geteuid() && own.st_uid != 0 && own.st_uid != folder.st_uid;
}

bool is_planted(const std::string& path) {
  struct stat own {};
  if (lstat(path.c_str(), &own) != 0) return false;
  const bool trap = S_ISLNK(own.st_mode) || S_ISFIFO(own.st_mode);
  return trap && is_anothers_where_all_write(path, own);
}

// Where a path leads, and why it must not be followed.
struct Place {
  std::string path;
  std::optional<std::string> refusal;
  struct stat old {};
  bool exists = false;
};

Place follow(std::string path) {
  constexpr int most_links = 40;  // as the kernel: path_resolution(7)
  Place place;
  for (int i = 0; i <= most_links; ++i) {
    for (auto end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
      if (is_planted(path.substr(0, end))) place.refusal = "another user's link leads there";
    }
    if (is_planted(path)) place.refusal = "another user has put a link or a pipe there";
    if (place.refusal) return place;
    char target[PATH_MAX];
    const auto size = readlink(path.c_str(), target, sizeof target);
    if (size <= 0) break;
    const std::string next(target, static_cast<std::size_t>(size));
    path = next.front() == '/' ? next : folder_of(path) + next;
    if (i == most_links) place.refusal = words_of(ELOOP);
  }
  place.path = std::move(path);
  place.exists = stat(place.path.c_str(), &place.old) == 0;
  if (place.exists && S_ISDIR(place.old.st_mode)) place.refusal = words_of(EISDIR);
  const bool foreign = place.exists && S_ISREG(place.old.st_mode) && place.old.st_uid != geteuid();
  // Root's report would then belong to that user.
  if (foreign && (geteuid() != 0 || is_anothers_where_all_write(place.path, place.old))) {
    place.refusal = "it is another user's file";
  }
  return place;
}

// A new file that replaces an old one may be read by the same users; without an old one, by those
// whom the umask allows.
int give_mode(int file, const Place& place) {
  if (!place.exists) {
    const mode_t mask = umask(0);
    umask(mask);
    return fchmod(file, 0666 & ~mask) == 0 ? 0 : errno;
  }
  auto mode = place.old.st_mode & 0777;
  struct stat made {};
  if (fstat(file, &made) != 0) return errno;
  const bool same = made.st_uid == place.old.st_uid && made.st_gid == place.old.st_gid;
  if (!same && fchown(file, place.old.st_uid, place.old.st_gid) != 0) {
    if (made.st_uid != place.old.st_uid) return errno;
    mode &= ~static_cast<mode_t>(0070);  // it is not the group that had these rights
  }
  return fchmod(file, static_cast<mode_t>(mode)) == 0 ? 0 : errno;
}

// XDG Base Directory Specification: relative paths are to be ignored.
std::string users_folder(const char* variable, const std::string& usual) {
  const auto configured = environment(variable);
  if (!configured.empty() && configured.front() == '/') return configured + "/callready";
  const auto home = environment("HOME");
  return home.empty() ? std::string() : home + usual + "/callready";
}

// Makes the folders that lead to the file. Returns the error in words, or nothing.
std::optional<std::string> make_folders_of(const std::string& path) {
  // For this user alone (XDG Base Directory Specification), whatever the umask says.
  for (auto end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const auto folder = path.substr(0, end);
    if (mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) continue;
    const int error = errno;
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) return words_of(error);
  }
  return std::nullopt;
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
      const bool signal = up && (entry->ifa_flags & IFF_RUNNING) != 0;  // RFC 2863
      const bool tunnel = (entry->ifa_flags & IFF_POINTOPOINT) != 0;
      list.push_back({entry->ifa_name, {}, up, signal, is_wireless(entry->ifa_name), tunnel});
      found = &list.back();
    }
    if (const auto address = address_of(entry->ifa_addr)) found->addresses.push_back(*address);
  }
  return list;
}

bool is_interface(const std::string& name) { return if_nametoindex(name.c_str()) != 0; }

std::optional<bool> is_wireless(const std::string& name) {
  const auto folder = "/sys/class/net/" + name;
  if (access(folder.c_str(), F_OK) != 0) return std::nullopt;
  return access((folder + "/wireless").c_str(), F_OK) == 0 ||
         access((folder + "/phy80211").c_str(), F_OK) == 0;
}

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

std::string trusted_roots() {
  for (const auto* file : {"/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch, Alpine
                           "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
                           "/etc/ssl/ca-bundle.pem",              // SUSE
                           "/etc/ssl/cert.pem"}) {                // Alpine, and the BSDs
    if (is_file(file)) return file;
  }
  return {};
}

std::optional<std::string> write_whole_file(const std::string& wanted, const std::string& content) {
  const auto place = follow(wanted);
  if (place.refusal) return place.refusal;
  if (is_special_file(wanted)) {
    // A pipe that nobody reads is reported now, not waited for.
    const int file = open(wanted.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) return errno == ENXIO ? "nobody reads this pipe" : words_of(errno);
    fcntl(file, F_SETFL, fcntl(file, F_GETFL) & ~O_NONBLOCK);
    const int error = write_and_close(file, content, false);
    return error == 0 ? std::nullopt : std::optional(words_of(error));
  }
  auto temporary = beside(place.path);
  const int file = mkstemp(temporary.data());  // O_EXCL, mode 0600
  if (file < 0) return words_of(errno);
  int error = give_mode(file, place);
  const int write_error = write_and_close(file, content, true);
  if (error == 0) error = write_error;
  if (error == 0 && rename(temporary.c_str(), place.path.c_str()) != 0) error = errno;
  if (error == 0) {
    synchronise_folder_of(place.path);
    return std::nullopt;
  }
  unlink(temporary.c_str());
  return words_of(error);
}

void release_interrupts() {
  const auto set = interrupts();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void watch_interrupts() {
  was_interrupted = false;
  once_on_interrupt([](int) { was_interrupted = true; });
}

bool interrupted() noexcept { return was_interrupted; }

void forgive_one_interrupt() {
  once_on_interrupt([](int) {});
}

std::optional<std::string> write_private_file(const std::string& path, const std::string& content) {
  if (auto error = make_folders_of(path)) return error;
  auto temporary = beside(path);
  const int file = mkstemp(temporary.data());  // mode 0600
  if (file < 0) return words_of(errno);
  int error = write_and_close(file, content, true);
  // link(2) fails if somebody was faster; rename(2) would replace that file.
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

void prepare_program() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // "ignore" is inherited, and would hide how children ended
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest free number is this one. Not for writing: writing to it must fail.
    if (open("/dev/null", O_RDONLY) < 0) return;
  }
}

std::vector<std::string> arguments(int argc, char** argv) { return {argv, argv + argc}; }

// A desktop shows nobody what a program without a terminal prints.
bool was_double_clicked() { return false; }
void wait_for_a_key() {}

std::optional<std::string> why_not_writable(const std::string& wanted) {
  const auto place = follow(wanted);
  if (place.refusal) return place.refusal;
  if (is_special_file(wanted)) {
    return access(wanted.c_str(), W_OK) == 0 ? std::nullopt : std::optional(words_of(errno));
  }
  auto temporary = beside(place.path);
  const int file = mkstemp(temporary.data());
  if (file < 0) return words_of(errno);
  close(file);
  unlink(temporary.c_str());
  return std::nullopt;
}

}  // namespace callready::platform
