#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "probe/platform/descriptor.hpp"
#include "probe/platform/input_file.hpp"

namespace callready::platform {
namespace {

using Clock = std::chrono::steady_clock;

// False: the time is up.
bool wait_for_more(int file, Clock::time_point until) {
  using std::chrono::milliseconds;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    pollfd one{file, POLLIN, 0};
    const int ready = poll(&one, 1, static_cast<int>(std::max<long>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

Input read_input(const std::string& path, std::size_t most) {
  Input input;
  const OwnedDescriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  struct stat status {};
  if (!file.open() || fstat(file.get(), &status) != 0) {
    input.error = std::strerror(errno);
    return input;
  }
  const bool pipe = S_ISFIFO(status.st_mode);
  if (S_ISDIR(status.st_mode)) input.error = std::strerror(EISDIR);
  if (!pipe && !S_ISREG(status.st_mode) && input.error.empty())
    input.error = "it is not a regular file";
  if (!input.error.empty()) return input;
  input.others_may_read = !pipe && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
  const auto until = Clock::now() + input_time;
  char block[64 * 1024];
  while (input.text.size() <= most) {
    if (pipe && !wait_for_more(file.get(), until)) {
      input.error =
          input.text.empty() ? "nobody writes into this pipe" : "reading this pipe took too long";
      return input;
    }
    const auto wanted = std::min(sizeof block, most + 1 - input.text.size());
    const ssize_t size = read(file.get(), block, wanted);
    if (size == 0) break;
    if (size > 0) input.text.append(block, static_cast<std::size_t>(size));
    if (size < 0 && errno != EINTR && errno != EAGAIN) {
      input.error = std::strerror(errno);
      return input;
    }
  }
  return input;
}

}  // namespace callready::platform
