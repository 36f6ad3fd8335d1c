// Descriptors, where systems differ. `Watched`: one that a library owns, or that Asio does not
// know; it is waited for, and not closed unless it is kept to the end. `Pipe`: one of a child's
// standard streams (probe/platform/child.hpp), read, written and closed here.
#pragma once

#include "probe/net/asio.hpp"

namespace callready {

#ifdef _WIN32
// Windows waits for sockets only, and to select() they are all the same: Asio does not read by
// itself from a socket of this type.
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
class Pipe : public asio::ip::tcp::socket {
 public:
  Pipe(const asio::any_io_executor& executor, int socket)
      : asio::ip::tcp::socket(executor, asio::ip::tcp::v4(),
                              static_cast<native_handle_type>(static_cast<unsigned>(socket))) {}
};
// On Windows a connection that fails does not become writable: that is an event of its own.
inline constexpr bool failure_is_an_event = true;
// For listening sockets. On Windows "reuse" lets a program of another user take the port as well.
using OwnPort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_EXCLUSIVEADDRUSE>;
#else
using Watched = asio::posix::stream_descriptor;
using Pipe = asio::posix::stream_descriptor;
inline constexpr bool failure_is_an_event = false;
using OwnPort = asio::socket_base::reuse_address;  // at once, even after another listener
#endif

}  // namespace callready
