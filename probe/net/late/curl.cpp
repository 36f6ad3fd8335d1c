// libcurl's functions under their own names, which load the library when the first of them is
// called: with the thirty others that it brings along, loading would take a third of the time from
// the program's start to its first packet, and many runs make no request. Programs that contain
// libcurl are linked without this file.
#include <curl/curl.h>

#include <cstdarg>
#include <stdexcept>

#include "probe/platform/late_library.hpp"

// The functions themselves, and not the macros that check what they are given.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

namespace {

struct Libcurl : callready::platform::LateLibrary {
  Libcurl() : LateLibrary("libcurl.so.4") {
    if (!complete()) throw std::runtime_error("libcurl.so.4 cannot be loaded");
  }

  LATE_FUNCTION(curl_easy_cleanup);
  LATE_FUNCTION(curl_easy_getinfo);
  LATE_FUNCTION(curl_easy_header);
  LATE_FUNCTION(curl_easy_init);
  LATE_FUNCTION(curl_easy_perform);
  LATE_FUNCTION(curl_easy_recv);
  LATE_FUNCTION(curl_easy_send);
  LATE_FUNCTION(curl_easy_setopt);
  LATE_FUNCTION(curl_easy_strerror);
  LATE_FUNCTION(curl_getdate);
  LATE_FUNCTION(curl_global_init);
  LATE_FUNCTION(curl_multi_add_handle);
  LATE_FUNCTION(curl_multi_cleanup);
  LATE_FUNCTION(curl_multi_info_read);
  LATE_FUNCTION(curl_multi_init);
  LATE_FUNCTION(curl_multi_remove_handle);
  LATE_FUNCTION(curl_multi_setopt);
  LATE_FUNCTION(curl_multi_socket_action);
  LATE_FUNCTION(curl_slist_append);
  LATE_FUNCTION(curl_slist_free_all);
};

const Libcurl& real() {
  static const Libcurl loaded;
  return loaded;
}

// Options have their types in their numbers (curl/curl.h, CURLOPTTYPE_LONG and those after it).
template <typename Set>
auto with_value(int option, va_list values, const Set& set) {
  if (option < CURLOPTTYPE_OBJECTPOINT) return set(va_arg(values, long));
  if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB) {
    return set(va_arg(values, curl_off_t));
  }
  return set(va_arg(values, void*));
}

}  // namespace

// The signatures are libcurl's own: an enumeration, which is as wide as an int, before the dots.
#pragma GCC diagnostic ignored "-Wvarargs"

extern "C" {

void curl_easy_cleanup(CURL* easy) { real().curl_easy_cleanup(easy); }
CURLcode curl_easy_getinfo(CURL* easy, CURLINFO info, ...) {
  va_list values;
  va_start(values, info);
  const auto code = real().curl_easy_getinfo(easy, info, va_arg(values, void*));
  va_end(values);
  return code;
}
CURLHcode curl_easy_header(CURL* easy, const char* name, size_t index, unsigned origin, int request,
                           curl_header** header) {
  return real().curl_easy_header(easy, name, index, origin, request, header);
}
CURL* curl_easy_init() { return real().curl_easy_init(); }
CURLcode curl_easy_perform(CURL* easy) { return real().curl_easy_perform(easy); }
CURLcode curl_easy_recv(CURL* easy, void* buffer, size_t size, size_t* received) {
  return real().curl_easy_recv(easy, buffer, size, received);
}
CURLcode curl_easy_send(CURL* easy, const void* bytes, size_t size, size_t* sent) {
  return real().curl_easy_send(easy, bytes, size, sent);
}
CURLcode curl_easy_setopt(CURL* easy, CURLoption option, ...) {
  va_list values;
  va_start(values, option);
  const auto code = with_value(
      option, values, [&](auto value) { return real().curl_easy_setopt(easy, option, value); });
  va_end(values);
  return code;
}
const char* curl_easy_strerror(CURLcode code) { return real().curl_easy_strerror(code); }
time_t curl_getdate(const char* text, const time_t* unused) {
  return real().curl_getdate(text, unused);
}
CURLcode curl_global_init(long flags) { return real().curl_global_init(flags); }
CURLMcode curl_multi_add_handle(CURLM* multi, CURL* easy) {
  return real().curl_multi_add_handle(multi, easy);
}
CURLMcode curl_multi_cleanup(CURLM* multi) { return real().curl_multi_cleanup(multi); }
CURLMsg* curl_multi_info_read(CURLM* multi, int* left) {
  return real().curl_multi_info_read(multi, left);
}
CURLM* curl_multi_init() { return real().curl_multi_init(); }
CURLMcode curl_multi_remove_handle(CURLM* multi, CURL* easy) {
  return real().curl_multi_remove_handle(multi, easy);
}
CURLMcode curl_multi_setopt(CURLM* multi, CURLMoption option, ...) {
  va_list values;
  va_start(values, option);
  const auto code = with_value(
      option, values, [&](auto value) { return real().curl_multi_setopt(multi, option, value); });
  va_end(values);
  return code;
}
CURLMcode curl_multi_socket_action(CURLM* multi, curl_socket_t socket, int events, int* running) {
  return real().curl_multi_socket_action(multi, socket, events, running);
}
curl_slist* curl_slist_append(curl_slist* list, const char* text) {
  return real().curl_slist_append(list, text);
}
void curl_slist_free_all(curl_slist* list) {
  if (list != nullptr) real().curl_slist_free_all(list);
}
}
