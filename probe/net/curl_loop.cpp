#include "probe/net/curl_loop.hpp"

namespace callready {

CurlLoop::CurlLoop(const asio::any_io_executor& executor) : executor_(executor), timer_(executor) {}

// Once it is shared.
void CurlLoop::watch_sockets() {
  sockets_.emplace(executor_, [weak = weak_from_this()](int socket, SocketWatches::Event event) {
    using enum SocketWatches::Event;
    const auto self = weak.lock();
    if (self)
      self->act(static_cast<curl_socket_t>(socket), event == readable   ? CURL_CSELECT_IN
                                                    : event == writable ? CURL_CSELECT_OUT
                                                                        : CURL_CSELECT_ERR);
    return self != nullptr;
  });
}

void CurlLoop::prepare() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw std::runtime_error(curl_easy_strerror(initialised));
  prepared() = true;
}

std::atomic<bool>& CurlLoop::prepared() {
  static std::atomic<bool> done = false;
  return done;
}

std::shared_ptr<CurlLoop> CurlLoop::create(const asio::any_io_executor& executor) {
  prepare();
  std::shared_ptr<CurlLoop> self(new CurlLoop(executor));
  self->watch_sockets();
  self->multi_ = curl_multi_init();
  if (self->multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(self->multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(self->multi_, CURLMOPT_SOCKETDATA, self.get());
  curl_multi_setopt(self->multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(self->multi_, CURLMOPT_TIMERDATA, self.get());
  return self;
}

CurlLoop::~CurlLoop() {
  for (const auto& [easy, result] : transfers_) curl_multi_remove_handle(multi_, easy);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
}

// Nothing may be thrown through libcurl; -1 tells it that the transfer cannot go on.
int CurlLoop::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  try {
    const bool over = what == CURL_POLL_REMOVE;
    static_cast<CurlLoop*>(self)->sockets_->watch(static_cast<int>(socket),
                                                  !over && (what & CURL_POLL_IN) != 0,
                                                  !over && (what & CURL_POLL_OUT) != 0);
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}

int CurlLoop::on_timer(CURLM*, long timeout_ms, void* self) {
  try {
    static_cast<CurlLoop*>(self)->set_timer(timeout_ms);
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}

void CurlLoop::set_timer(long timeout_ms) {
  timer_.cancel();
  if (timeout_ms < 0) return;
  timer_.expires_after(std::chrono::milliseconds(timeout_ms));
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto alive = weak.lock();
    if (!error && alive) alive->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void CurlLoop::act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const auto found = transfers_.find(message->easy_handle);
    if (found != transfers_.end()) found->second.deliver(message->data.result);
  }
}

asio::awaitable<Result<CURLcode>> CurlLoop::perform(CURL* easy, Scope scope, Instant deadline) {
  const auto self = shared_from_this();
  const OneShot<CURLcode> result(executor_);
  transfers_.emplace(easy, result);
  if (curl_multi_add_handle(multi_, easy) != CURLM_OK) result.deliver(CURLE_OUT_OF_MEMORY);
  auto outcome = co_await result.wait(scope, deadline);
  co_return outcome;
}

void CurlLoop::close(CURL* easy) {
  if (transfers_.erase(easy) != 0) curl_multi_remove_handle(multi_, easy);
}

void CurlLoop::finish(CURL* easy, CURLcode code) {
  const auto found = transfers_.find(easy);
  if (found != transfers_.end()) found->second.deliver(code);
}

}  // namespace callready
