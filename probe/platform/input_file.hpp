// A file that the user names, read as carefully as a stranger's: something that is not a file, has
// no end or never begins must not block the program.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace callready::platform {

// Whoever writes into a pipe that we read has started and finished by then.
inline constexpr std::chrono::milliseconds input_time{10'000};

struct Input {
  std::string text;              // at most one byte more than was asked for, which means too many
  std::string error;             // in words; empty: none
  bool others_may_read = false;  // a file, and other users of this computer may read it
};

// Reads a file, or a pipe (`<(...)`), of which `most` bytes are wanted.
Input read_input(const std::string& path, std::size_t most);

}  // namespace callready::platform
