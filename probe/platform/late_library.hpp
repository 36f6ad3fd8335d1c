// A library that may not be on this computer, looked for when it is first needed.
//
//   struct Libexample : platform::LateLibrary {
//     Libexample() : LateLibrary("libexample.so.1") {}
//     LATE_FUNCTION(example_open);
//   };
#pragma once

namespace callready::platform {

// Stays loaded: such libraries leave threads and thread-local storage behind.
class LateLibrary {
 public:
  // `soname`: the name that programs linked with it ask for.
  explicit LateLibrary(const char* soname);

  // False if the library, or one of the functions, is missing.
  bool complete() const { return complete_; }

 protected:
  // Finds it in the library, or in one that it needs.
  template <typename Function>
  Function find(const char* name) {
    void* found = address_of(name);
    complete_ &= found != nullptr;
    return reinterpret_cast<Function>(found);
  }

 private:
  void* address_of(const char* name) const;

  void* handle_;
  bool complete_ = true;
};

// A member that is called as the function is.
#define LATE_FUNCTION(name) decltype(&::name) name = find<decltype(&::name)>(#name)

}  // namespace callready::platform
