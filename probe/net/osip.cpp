#include "probe/net/osip.hpp"

#include <cstdlib>
#include <mutex>

#include "probe/platform/last_words.hpp"

namespace callready::sip {
namespace {

// Without these it writes to memory that it failed to get. Its headers lack this on Windows only.
#ifdef _WIN32
void set_allocators() {}
#else
void* get(std::size_t size) { return platform::or_end_program(std::malloc(size)); }

void* get_more(void* old, std::size_t size) {
  return platform::or_end_program(std::realloc(old, size));
}

void set_allocators() { osip_set_allocators(&get, &get_more, &std::free); }
#endif

void quiet(const char*, int, osip_trace_level_t, const char*, va_list) {}

}  // namespace

Message new_message() {
  static std::once_flag once;
  std::call_once(once, [] {
    // It logs complaints about messages to standard output, which carries the report and nothing
    // else.
    osip_trace_initialize_func(END_TRACE_LEVEL, &quiet);
    set_allocators();
    parser_init();
  });
  osip_message_t* raw = nullptr;
  osip_message_init(&raw);
  return {raw, &osip_message_free};
}

}  // namespace callready::sip
