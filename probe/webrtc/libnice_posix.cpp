#include "probe/webrtc/libnice_posix.hpp"

#include <csignal>
#include <cstring>
#include <string_view>

#include "probe/platform/last_words.hpp"

namespace callready::webrtc {
namespace {

thread_local bool inside = false;

// Without memory, GLib ends the program with a trap while it is loaded, and libnice with
// assertions.
void end_if_libnice_does(int signal) {
  if (inside) platform::end_program("libnice gave up, as it does where memory is short");
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

// GLib ends a program that can start no thread, or has no memory, with a core dump: ours ends with
// a line that says why. Whatever else it logs is dropped.
GLogWriterOutput end_with_a_line(GLogLevelFlags level, const GLogField* fields, gsize count,
                                 gpointer) {
  if ((level & G_LOG_LEVEL_ERROR) == 0) return G_LOG_WRITER_HANDLED;
  for (gsize i = 0; i < count; ++i) {
    if (std::string_view(fields[i].key) != "MESSAGE") continue;
    const auto* text = static_cast<const char*>(fields[i].value);
    const auto size =
        fields[i].length < 0 ? std::strlen(text) : static_cast<std::size_t>(fields[i].length);
    platform::end_program("libnice: ", {text, size});
  }
  platform::end_program("libnice gave up");
}

Libnice load() {
  const InLibnice guard;
  for (const int end : {SIGTRAP, SIGABRT}) ::signal(end, &end_if_libnice_does);
  Libnice loaded;
  if (loaded.complete()) loaded.g_log_set_writer_func(&end_with_a_line, nullptr, nullptr);
  return loaded;
}

}  // namespace

InLibnice::InLibnice() : before_(inside) { inside = true; }
InLibnice::~InLibnice() { inside = before_; }

const Libnice& nice() {
  static const Libnice loaded = load();
  return loaded;
}

}  // namespace callready::webrtc
