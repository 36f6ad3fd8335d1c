// A descriptor that a library owns, or none that Asio knows: waited for, and not closed unless it
// is kept to the end.
#pragma once

#include "probe/net/asio.hpp"

namespace callready {

#ifdef _WIN32
// Windows waits for sockets only, and to select() they are all the same: this one's type is the
// one that Asio does not read from by itself.
class Watched : public asio::ip::udp::socket {
 public:
  Watched(const asio::any_io_executor& executor, int socket) : asio::ip::udp::socket(executor) {
    assign(asio::ip::udp::v4(), static_cast<native_handle_type>(static_cast<unsigned>(socket)));
  }
  void release() noexcept {
    error_code ignored;
    asio::ip::udp::socket::release(ignored);
  }
};
// There a connection that fails does not become writable: that is an event of its own.
inline constexpr bool failure_is_an_event = true;
#else
using Watched = asio::posix::stream_descriptor;
inline constexpr bool failure_is_an_event = false;
#endif

}  // namespace callready
