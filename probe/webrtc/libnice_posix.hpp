// libnice's ICE agent (RFC 8445), and the parts of GLib that are used with it.
#pragma once

#include <agent.h>

#include "probe/platform/late_library.hpp"

namespace callready::webrtc {

struct Libnice : platform::LateLibrary {
  Libnice() : LateLibrary("libnice.so.10") {}

  LATE_FUNCTION(nice_address_get_port);
  LATE_FUNCTION(nice_address_init);
  LATE_FUNCTION(nice_address_set_from_string);
  LATE_FUNCTION(nice_address_set_port);
  LATE_FUNCTION(nice_address_to_string);
  LATE_FUNCTION(nice_agent_add_local_address);
  LATE_FUNCTION(nice_agent_add_stream);
  LATE_FUNCTION(nice_agent_attach_recv);
  LATE_FUNCTION(nice_agent_close_async);
  LATE_FUNCTION(nice_agent_gather_candidates);
  LATE_FUNCTION(nice_agent_get_local_candidates);
  LATE_FUNCTION(nice_agent_get_local_credentials);
  LATE_FUNCTION(nice_agent_get_selected_pair);
  LATE_FUNCTION(nice_agent_new);
  LATE_FUNCTION(nice_agent_send);
  LATE_FUNCTION(nice_agent_set_relay_info);
  LATE_FUNCTION(nice_agent_set_remote_candidates);
  LATE_FUNCTION(nice_agent_set_remote_credentials);
  LATE_FUNCTION(nice_candidate_free);
  LATE_FUNCTION(nice_candidate_new);
  LATE_FUNCTION(g_free);
  LATE_FUNCTION(g_log_set_writer_func);
  LATE_FUNCTION(g_main_context_iteration);
  LATE_FUNCTION(g_main_context_new);
  LATE_FUNCTION(g_main_context_pop_thread_default);
  LATE_FUNCTION(g_main_context_push_thread_default);
  LATE_FUNCTION(g_main_context_unref);
  LATE_FUNCTION(g_object_set);
  LATE_FUNCTION(g_object_unref);
  LATE_FUNCTION(g_signal_connect_data);
  LATE_FUNCTION(g_signal_handlers_disconnect_matched);
  LATE_FUNCTION(g_slist_free_full);
  LATE_FUNCTION(g_slist_prepend);
  LATE_FUNCTION(g_source_attach);
  LATE_FUNCTION(g_source_destroy);
  LATE_FUNCTION(g_source_set_callback);
  LATE_FUNCTION(g_source_unref);
  LATE_FUNCTION(g_timeout_source_new);
};

// Shared by all calls, complete or not. The first call loads it, which takes tens of milliseconds.
const Libnice& nice();

// While this thread is in libnice, whatever aborts it ends the program with a line that says why.
class InLibnice {
 public:
  InLibnice();
  ~InLibnice();
  InLibnice(const InLibnice&) = delete;
  InLibnice& operator=(const InLibnice&) = delete;

 private:
  bool before_;
};

}  // namespace callready::webrtc
