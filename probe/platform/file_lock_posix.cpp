#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/platform/file_lock.hpp"

namespace callready::platform {

FileLock::FileLock(const std::string& path) : path_(path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  // If its last owner removed it after it was opened here, it locks nobody out.
  struct stat opened {
  }, there{};
  const bool mine = ::flock(file, LOCK_EX | LOCK_NB) == 0 && ::fstat(file, &opened) == 0 &&
                    ::stat(path.c_str(), &there) == 0 && opened.st_ino == there.st_ino;
  if (mine) {
    handle_ = file;
  } else {
    ::close(file);
  }
}

FileLock::~FileLock() {
  if (!held()) return;
  ::unlink(path_.c_str());
  ::close(static_cast<int>(handle_));
}

}  // namespace callready::platform
