// Child processes on Linux and macOS; how they are confined differs, and is in each system's own
// file.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "probe/platform/child.hpp"
#include "probe/platform/descriptor.hpp"

extern "C" char** environ;

namespace callready::platform {
namespace {

#ifdef __APPLE__
constexpr std::string_view loaders_own = "DYLD_";
constexpr short spawn_flags =
    POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_CLOEXEC_DEFAULT;
#else
constexpr std::string_view loaders_own = "LD_";
constexpr short spawn_flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK;
#endif

struct Pipe {
  OwnedDescriptor read_end, write_end;
  Pipe() {
    int reading = -1, writing = -1;
    if (!open_pipe(reading, writing)) return;
    read_end = OwnedDescriptor(reading);
    write_end = OwnedDescriptor(writing);
  }
};

// What the loader, the C library's resolver and sanitizers read.
bool may_be_handed_on(std::string_view variable) {
  constexpr std::string_view beginnings[] = {
      loaders_own, "LC_",   "LANG=",        "TZ=",         "ASAN_",
      "UBSAN_",    "LSAN_", "LOCALDOMAIN=", "RES_OPTIONS="};
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [&](std::string_view word) { return variable.starts_with(word); });
}

Child start(const std::string& program, const std::vector<std::string>& arguments, bool trusted) {
  Child child;
  Pipe in, out;
  std::optional<Pipe> errors;
  if (trusted) errors.emplace();
  if (!in.read_end.open() || !out.read_end.open() || (errors && !errors->read_end.open())) {
    return child;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end.get(), STDOUT_FILENO);
  if (errors) {
    posix_spawn_file_actions_adddup2(&actions, errors->write_end.get(), STDERR_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<char*> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (trusted || may_be_handed_on(*variable)) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  pid_t id = -1;
  // A session of its own: no terminal to type into, and no shared process group.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Signals that are blocked here reach the child as they would any program.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, spawn_flags);
  const int error =
      ::posix_spawn(&id, program.c_str(), &actions, &attributes, argv.data(), variables.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    errno = error;
    return child;
  }
  child.id = id;
  child.input = in.write_end.release();
  child.output = out.read_end.release();
  if (errors) child.errors = errors->read_end.release();
  return child;
}

}  // namespace

Child start_child(const std::string& program, const std::vector<std::string>& arguments) {
  return start(program, arguments, false);
}

Child start_own_child(const std::string& program, const std::vector<std::string>& arguments) {
  return start(program, arguments, true);
}

std::optional<int> exit_status(const Child& child) {
  int status = 0;
  if (!child.started()) return 0;
  const auto ended = ::waitpid(static_cast<pid_t>(child.id), &status, WNOHANG);
  if (ended == 0) return std::nullopt;
  if (ended < 0) return -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void interrupt_child(const Child& child) {
  if (child.started()) ::kill(static_cast<pid_t>(child.id), SIGTERM);
}

ChildEnd end_child(const Child& child) {
  if (!child.started()) return ChildEnd::itself;
  // Until it is waited for, the process ID stays its own, so that nobody else is hit.
  ::kill(static_cast<pid_t>(child.id), SIGKILL);
  int status = 0;
  while (::waitpid(static_cast<pid_t>(child.id), &status, 0) < 0) {
    if (errno != EINTR) return ChildEnd::itself;
  }
  if (!WIFSIGNALED(status)) return ChildEnd::itself;
  return WTERMSIG(status) == SIGXCPU ? ChildEnd::out_of_time : ChildEnd::killed;
}

}  // namespace callready::platform
