#include <windows.h>

#include "probe/platform/file_lock.hpp"
#include "probe/platform/wide.hpp"

namespace callready::platform {

FileLock::FileLock(const std::string& path) : path_(path) {
  const HANDLE file = ::CreateFileW(to_wide(path).c_str(), GENERIC_WRITE, 0, nullptr, OPEN_ALWAYS,
                                    FILE_ATTRIBUTE_NORMAL | FILE_FLAG_DELETE_ON_CLOSE, nullptr);
  if (file != INVALID_HANDLE_VALUE)
    handle_ = static_cast<long long>(reinterpret_cast<intptr_t>(file));
}

FileLock::~FileLock() {
  if (held()) ::CloseHandle(reinterpret_cast<HANDLE>(static_cast<intptr_t>(handle_)));
}

}  // namespace callready::platform
