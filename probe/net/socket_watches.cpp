#include "probe/net/socket_watches.hpp"

#include "probe/net/watched.hpp"

namespace callready {

struct SocketWatches::Watch {
  Watch(const asio::any_io_executor& executor, int socket, std::shared_ptr<const Act> whom)
      : descriptor(executor, socket), act(std::move(whom)) {}
  ~Watch() { descriptor.release(); }
  int socket() { return static_cast<int>(descriptor.native_handle()); }

  Watched descriptor;
  std::shared_ptr<const Act> act;
  bool want[2] = {false, false};  // read, write
  bool armed[2] = {false, false};
};

SocketWatches::SocketWatches(asio::any_io_executor executor, Act act)
    : executor_(std::move(executor)), act_(std::make_shared<const Act>(std::move(act))) {}

bool SocketWatches::watch(int socket, bool readable, bool writable) {
  const auto found = watches_.find(socket);
  if (!readable && !writable) {
    if (found == watches_.end()) return false;
    const auto watch = found->second;
    watches_.erase(found);
    watch->want[0] = watch->want[1] = false;
    watch->descriptor.release();
    return false;
  }
  const bool is_new = found == watches_.end();
  const auto watch = is_new ? std::make_shared<Watch>(executor_, socket, act_) : found->second;
  if (is_new) {
    watches_[socket] = watch;
    if (failure_is_an_event) arm_failure(watch);
  }
  watch->want[0] = readable;
  watch->want[1] = writable;
  if (readable) arm(watch, false);
  if (writable) arm(watch, true);
  return is_new;
}

void SocketWatches::arm(const std::shared_ptr<Watch>& watch, bool write) {
  if (watch->armed[write]) return;
  const auto mode = write ? Watched::wait_write : Watched::wait_read;
  watch->descriptor.async_wait(mode, [watch, write](error_code error) {
    watch->armed[write] = false;
    if (error || !watch->want[write]) return;
    const bool alive = (*watch->act)(watch->socket(), write ? Event::writable : Event::readable);
    if (alive && watch->want[write]) arm(watch, write);
  });
  watch->armed[write] = true;
}

void SocketWatches::arm_failure(const std::shared_ptr<Watch>& watch) {
  watch->descriptor.async_wait(Watched::wait_error, [watch](error_code error) {
    if (error || (!watch->want[0] && !watch->want[1])) return;
    (*watch->act)(watch->socket(), Event::failed);
  });
}

}  // namespace callready
