// A library that only calls need, loaded by the first of them: libnice brings GLib, gupnp, libsoup
// and ICU, and libsrtp2 brings NSS, which together would be most of each start.
//
//   struct Libexample : LateLibrary {
//     Libexample() : LateLibrary("libexample.so.1") {}
//     LATE_FUNCTION(example_open);
//   };
#pragma once

#include <dlfcn.h>

namespace callready::webrtc {

// Stays loaded: such libraries leave threads and thread-local storage behind.
class LateLibrary {
 public:
  // By the name that programs which are linked with it ask for.
  explicit LateLibrary(const char* soname) : handle_(dlopen(soname, RTLD_NOW | RTLD_LOCAL)) {}

  // False where the library, or one of the functions, is not there.
  bool complete() const { return complete_; }

 protected:
  // Of the library or of one that it needs.
  template <typename Function>
  Function find(const char* name) {
    void* found = handle_ == nullptr ? nullptr : dlsym(handle_, name);
    complete_ &= found != nullptr;
    return reinterpret_cast<Function>(found);
  }

 private:
  void* handle_;
  bool complete_ = true;
};

// A member that is called as the function is.
#define LATE_FUNCTION(name) decltype(&::name) name = find<decltype(&::name)>(#name)

}  // namespace callready::webrtc
