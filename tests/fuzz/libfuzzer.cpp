// The entry point that libFuzzer calls; FUZZ_TARGET is the target's name.
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  callready::fuzz::FUZZ_TARGET({data, size});
  return 0;
}
