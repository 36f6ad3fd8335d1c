#include "probe/net/osip.hpp"

#include <cstdlib>
#include <mutex>

#include "probe/platform/last_words.hpp"

namespace callready::sip {
namespace {

void* get(std::size_t size) { return platform::or_end_program(std::malloc(size)); }

void* get_more(void* old, std::size_t size) {
  return platform::or_end_program(std::realloc(old, size));
}

void quiet(const char*, int, osip_trace_level_t, const char*, va_list) {}

}  // namespace

Message new_message() {
  static std::once_flag once;
  std::call_once(once, [] {
    // It writes what it thinks of a message to standard output, which carries the report and
    // nothing else.
    osip_trace_initialize_func(END_TRACE_LEVEL, &quiet);
    osip_set_allocators(&get, &get_more, &std::free);  // or it writes to what it did not get
    parser_init();
  });
  osip_message_t* raw = nullptr;
  osip_message_init(&raw);
  return {raw, &osip_message_free};
}

}  // namespace callready::sip
