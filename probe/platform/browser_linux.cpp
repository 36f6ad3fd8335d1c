#include "probe/platform/browser.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <string_view>

extern "C" char** environ;

namespace callready::platform {

// xdg-open(1) asks the desktop, or $BROWSER. The file's name is not secret, only its content is.
bool open_in_browser(const std::string& file) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // A browser prints much, and outlives this program.
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string program = "xdg-open", argument = file;
  char* const words[] = {program.data(), argument.data(), nullptr};
  pid_t id = -1;
  const int error = ::posix_spawnp(&id, program.c_str(), &actions, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0;
}

}  // namespace callready::platform
