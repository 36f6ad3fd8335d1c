// Environment variables, on every system.
#pragma once

#include <cstdlib>

namespace callready::test {

// "" removes it.
inline void set_variable(const char* name, const char* value) {
#ifdef _WIN32
  _putenv_s(name, value);
#else
  if (*value == '\0') {
    unsetenv(name);
  } else {
    setenv(name, value, 1);
  }
#endif
}

}  // namespace callready::test
