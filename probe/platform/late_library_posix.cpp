#include <dlfcn.h>

#include <string_view>

#include "probe/platform/last_words.hpp"
#include "probe/platform/late_library.hpp"

namespace callready::platform {
namespace {

// The loader's words for it (glibc's elf/dl-load.c and dl-map-segments.h): a library that exists
// but could not be loaded for lack of memory is not a missing one.
bool is_want_of_memory(const char* error) {
  const std::string_view text = error == nullptr ? "" : error;
  return text.find("Cannot allocate memory") != text.npos ||
         text.find("failed to map segment from shared object") != text.npos;
}

}  // namespace

LateLibrary::LateLibrary(const char* soname) : handle_(dlopen(soname, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr && is_want_of_memory(dlerror())) end_program("out of memory");
}

void* LateLibrary::address_of(const char* name) const {
  return handle_ == nullptr ? nullptr : dlsym(handle_, name);
}

}  // namespace callready::platform
