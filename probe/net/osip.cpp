#include "probe/net/osip.hpp"

#include <mutex>

namespace callready::sip {
namespace {

void quiet(const char*, int, osip_trace_level_t, const char*, va_list) {}

}  // namespace

Message new_message() {
  static std::once_flag once;
  std::call_once(once, [] {
    // It writes what it thinks of a message to standard output, which carries the report and
    // nothing else.
    osip_trace_initialize_func(END_TRACE_LEVEL, &quiet);
    parser_init();
  });
  osip_message_t* raw = nullptr;
  osip_message_init(&raw);
  return {raw, &osip_message_free};
}

}  // namespace callready::sip
