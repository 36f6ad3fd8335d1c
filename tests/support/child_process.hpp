// A real server as a child process of the test: its output goes to a file, it is ended by its pid,
// and the kernel kills it if the test itself dies.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace callready::test {

// A folder of its own under the system's temporary one, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  // Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

class ChildProcess {
 public:
  // The program is looked up in PATH. Standard output and error go to `log_file`. Throws if the
  // process cannot be created; a program that does not exist exits with 127.
  ChildProcess(const std::vector<std::string>& command, const std::string& log_file);
  // SIGTERM, and SIGKILL a second later.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  // What the process has written so far.
  std::string log() const;

 private:
  pid_t pid_ = -1;
  std::string log_file_;
};

// Asks again every 10 ms until the answer is true or the time is up.
bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds within);

// The full path of a program in PATH or in the sbin folders; empty if it is not installed.
std::string installed(const std::string& program);

}  // namespace callready::test
