#include <windows.h>

#include <algorithm>

#include "probe/platform/input_file.hpp"
#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

// Closes what it holds.
struct File {
  HANDLE handle;
  ~File() {
    if (handle != INVALID_HANDLE_VALUE) CloseHandle(handle);
  }
};

}  // namespace

// `others_may_read` stays false: Windows has access lists instead of bits for "others", and a
// user's folders are closed to others by default.
Input read_input(const std::string& path, std::size_t most) {
  Input input;
  const auto wide = to_wide(path);
  const auto attributes = GetFileAttributesW(wide.c_str());
  if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    input.error = "it is a folder";
    return input;
  }
  const File file{CreateFileW(wide.c_str(), GENERIC_READ,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr)};
  if (file.handle == INVALID_HANDLE_VALUE) {
    input.error = words_of_system(GetLastError());
    return input;
  }
  if (GetFileType(file.handle) != FILE_TYPE_DISK) {
    input.error = "it is not a regular file";
    return input;
  }
  char block[64 * 1024];
  while (input.text.size() <= most) {
    const auto wanted = std::min(sizeof block, most + 1 - input.text.size());
    DWORD size = 0;
    if (ReadFile(file.handle, block, static_cast<DWORD>(wanted), &size, nullptr) == 0) {
      input.error = words_of_system(GetLastError());
      return input;
    }
    if (size == 0) break;
    input.text.append(block, size);
  }
  return input;
}

}  // namespace callready::platform
