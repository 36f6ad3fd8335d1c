// libcurl's multi interface on the event loop: its sockets and its timer, as libcurl-tutorial(3)
// and curl_multi_socket_action(3) ask.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <map>
#include <memory>

#include "probe/net/guard.hpp"
#include "probe/net/one_shot.hpp"
#include "probe/net/socket_watches.hpp"

namespace callready {

class CurlLoop : public std::enable_shared_from_this<CurlLoop> {
 public:
  // Initialises libcurl, on any thread; the first time takes some ten milliseconds.
  static void prepare();
  static bool is_prepared() { return prepared(); }
  static std::shared_ptr<CurlLoop> create(const asio::any_io_executor& executor);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // Performs the transfer that `easy` describes. Returns its result, or timed_out or stopped where
  // the scope ended it. In either case `close(easy)` must follow, once what is wanted has been
  // read.
  asio::awaitable<Result<CURLcode>> perform(CURL* easy, Scope scope, Instant deadline);
  void close(CURL* easy);

  // Makes perform() return with that result although libcurl goes on; its callbacks may call this.
  void finish(CURL* easy, CURLcode code);

 private:
  explicit CurlLoop(const asio::any_io_executor& executor);
  static std::atomic<bool>& prepared();
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void*);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);
  void watch_sockets();
  void set_timer(long timeout_ms);
  void act(curl_socket_t socket, int events);

  asio::any_io_executor executor_;
  asio::steady_timer timer_;
  CURLM* multi_ = nullptr;
  std::optional<SocketWatches> sockets_;
  std::map<CURL*, OneShot<CURLcode>> transfers_;
};

}  // namespace callready
