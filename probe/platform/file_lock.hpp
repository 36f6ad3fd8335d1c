// A file that says that its owner is alive: the system frees it with the process, however that
// ends.
#pragma once

#include <string>

namespace callready::platform {

class FileLock {
 public:
  // The file is made where it is not there, for this user alone. Not held: somebody else has it, or
  // it cannot be made.
  explicit FileLock(const std::string& path);
  ~FileLock();  // removes the file, where it is held
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  bool held() const { return handle_ != -1; }

 private:
  std::string path_;
  long long handle_ = -1;
};

}  // namespace callready::platform
