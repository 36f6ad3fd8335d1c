#include "probe/net/curl_loop.hpp"

#include "probe/net/watched.hpp"

namespace callready {

// A socket of libcurl, watched but not owned.
struct CurlLoop::Watch {
  Watch(const asio::any_io_executor& executor, curl_socket_t socket)
      : descriptor(executor, socket) {}
  ~Watch() { descriptor.release(); }
  Watched descriptor;
  bool want[2] = {false, false};  // read, write
  bool armed[2] = {false, false};
};

CurlLoop::CurlLoop(const asio::any_io_executor& executor) : executor_(executor), timer_(executor) {}

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
    static_cast<CurlLoop*>(self)->watch(socket, what);
    return 0;
  } catch (const std::exception&) {
    return -1;
  }
}

void CurlLoop::watch(curl_socket_t socket, int what) {
  const auto found = watches_.find(socket);
  if (what == CURL_POLL_REMOVE) {
    if (found == watches_.end()) return;
    const auto watch = found->second;
    watches_.erase(found);
    watch->want[0] = watch->want[1] = false;
    watch->descriptor.release();
    return;
  }
  auto& watch = watches_[socket];
  if (!watch) {
    watch = std::make_shared<Watch>(executor_, socket);
    if (failure_is_an_event) arm_failure(watch);
  }
  watch->want[0] = (what & CURL_POLL_IN) != 0;
  watch->want[1] = (what & CURL_POLL_OUT) != 0;
  if (watch->want[0]) arm(watch, false);
  if (watch->want[1]) arm(watch, true);
}

void CurlLoop::arm(const std::shared_ptr<Watch>& watch, bool write) {
  if (watch->armed[write]) return;
  const auto mode = write ? Watched::wait_write : Watched::wait_read;
  watch->descriptor.async_wait(mode, [weak = weak_from_this(), watch, write](error_code error) {
    watch->armed[write] = false;
    const auto self = weak.lock();
    if (error || !self || !watch->want[write]) return;
    self->act(watch->descriptor.native_handle(), write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
    if (watch->want[write]) self->arm(watch, write);
  });
  watch->armed[write] = true;
}

void CurlLoop::arm_failure(const std::shared_ptr<Watch>& watch) {
  watch->descriptor.async_wait(Watched::wait_error,
                               [weak = weak_from_this(), watch](error_code error) {
                                 const auto self = weak.lock();
                                 if (error || !self || (!watch->want[0] && !watch->want[1])) return;
                                 self->act(watch->descriptor.native_handle(), CURL_CSELECT_ERR);
                               });
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
