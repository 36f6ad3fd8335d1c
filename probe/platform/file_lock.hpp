// A lock file that shows that its owner is alive: the system frees it with the process, however
// that ends.
#pragma once

#include <string>

namespace callready::platform {

class FileLock {
 public:
  // Creates the file if it does not exist, for this user alone. Not held: somebody else has it, or
  // it cannot be created.
  explicit FileLock(const std::string& path);
  ~FileLock();  // removes the file, if it is held
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  bool held() const { return handle_ != -1; }

 private:
  std::string path_;
  long long handle_ = -1;
};

}  // namespace callready::platform
