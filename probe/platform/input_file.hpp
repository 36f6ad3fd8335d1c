// A file that the user names, read as carefully as one of a stranger: what is no file, has no end
// or never begins holds nobody up.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace callready::platform {

// Whoever writes into a pipe that we read has begun by then, and is done.
inline constexpr std::chrono::milliseconds input_time{10'000};

struct Input {
  std::string text;              // at most one byte more than was asked for: there are too many
  std::string error;             // in words; empty: none
  bool others_may_read = false;  // a file, and other users of this computer may read it
};

// A file, or a pipe (`<(...)`), of which `most` bytes are wanted.
Input read_input(const std::string& path, std::size_t most);

}  // namespace callready::platform
