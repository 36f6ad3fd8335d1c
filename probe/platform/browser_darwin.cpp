// macOS: open(1) asks Launch Services. Built, never run.
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "probe/platform/browser.hpp"

extern "C" char** environ;

namespace callready::platform {

// The file's name is not secret, only its content is.
bool open_in_browser(const std::string& file) {
  std::string program = "/usr/bin/open", argument = file;
  char* const words[] = {program.data(), argument.data(), nullptr};
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t id = -1;
  const int error = ::posix_spawn(&id, program.c_str(), nullptr, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  return error == 0;
}

}  // namespace callready::platform
