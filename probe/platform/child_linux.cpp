#include "probe/platform/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

extern "C" char** environ;

namespace callready::platform {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    if (read_end >= 0) ::close(read_end);
    if (write_end >= 0) ::close(write_end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static int take(int& end) {
    const int mine = end;
    end = -1;
    return mine;
  }
};

void limit(int resource, unsigned long value) {
  const rlimit both{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

}  // namespace

std::string own_program() {
  char path[PATH_MAX];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  return size <= 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

Child start_child(const std::string& program, const std::vector<std::string>& arguments) {
  Child child;
  Pipe in, out;
  if (in.read_end < 0 || out.read_end < 0) return child;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t id = -1;
  const int error = ::posix_spawn(&id, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    errno = error;
    return child;
  }
  child.id = id;
  child.input = Pipe::take(in.write_end);
  child.output = Pipe::take(out.read_end);
  return child;
}

void end_child(const Child& child) {
  if (!child.started()) return;
  // Until it is waited for the number is its own, so that nobody else is hit.
  ::kill(static_cast<pid_t>(child.id), SIGKILL);
  int status = 0;
  while (::waitpid(static_cast<pid_t>(child.id), &status, 0) < 0 && errno == EINTR) {
  }
}

void confine_this_process(unsigned seconds, unsigned long megabytes) {
  ::close_range(3, ~0U, 0);
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(seconds);
  limit(RLIMIT_CPU, seconds);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
#if !defined(__SANITIZE_ADDRESS__)  // which reserves terabytes
  limit(RLIMIT_AS, megabytes << 20U);
#else
  static_cast<void>(megabytes);
#endif
}

}  // namespace callready::platform
