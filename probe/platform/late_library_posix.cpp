#include <dlfcn.h>

#include "probe/platform/late_library.hpp"

namespace callready::platform {

LateLibrary::LateLibrary(const char* soname) : handle_(dlopen(soname, RTLD_NOW | RTLD_LOCAL)) {}

void* LateLibrary::address_of(const char* name) const {
  return handle_ == nullptr ? nullptr : dlsym(handle_, name);
}

}  // namespace callready::platform
