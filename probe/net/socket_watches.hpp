// The sockets of a C library that says which of them it waits for (libcurl, c-ares): watched on the
// event loop, and not owned.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "probe/net/asio.hpp"

namespace callready {

class SocketWatches {
 public:
  enum class Event { readable, writable, failed };
  // What the library is to be told. False: it is gone.
  using Act = std::function<bool(int socket, Event event)>;

  SocketWatches(asio::any_io_executor executor, Act act);

  // From now on waits for these; for neither: the library is about to close the socket. True if it
  // was not watched before. Throws where it cannot be watched.
  bool watch(int socket, bool readable, bool writable);

 private:
  struct Watch;
  static void arm(const std::shared_ptr<Watch>& watch, bool write);
  static void arm_failure(const std::shared_ptr<Watch>& watch);

  asio::any_io_executor executor_;
  std::shared_ptr<const Act> act_;
  std::map<int, std::shared_ptr<Watch>> watches_;
};

}  // namespace callready
