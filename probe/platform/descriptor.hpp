// The system's descriptors, for what Asio does not do: sockets that a library uses and that this
// program inspects.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "probe/model/observation.hpp"

namespace callready::platform {

// A socket that children do not inherit; negative if there is none, and errno says why.
int open_socket(int family, int type, int protocol);
bool is_connected(int socket);
// What the system counted and timed on a TCP connection; nothing where it does not say.
struct ConnectionFigures {
  int sent_again = 0;                                   // packets
  std::optional<std::chrono::microseconds> round_trip;  // smoothed; at first that of the handshake
  // The first SYN was not answered, and the system could not send the last one: something within
  // this computer stopped it (Linux: a rule for outgoing packets), which connect() does not say.
  bool kept_here = false;
};
ConnectionFigures connection_figures(int socket);
// The user who owns this end of a connection within this computer; nothing if it is not such an
// end, or the system does not say.
std::optional<std::uint32_t> user_of_connection(const SocketAddress& end,
                                                const SocketAddress& other_end);
// Another descriptor for the same, not inherited; negative if there is none.
int duplicate(int descriptor);
// A pipe: `read_end` becomes readable when `write_end` is closed. False: errno says why.
bool open_pipe(int& read_end, int& write_end);
void close_descriptor(int descriptor);

// How many files and sockets this program may have open, and has. Counted up to `most_counted`: a
// program that may have more never runs out of them.
struct Descriptors {
  int allowed = 0, open = 0;
  int left() const { return allowed - open; }
};
inline constexpr int most_counted = 4'096;
Descriptors descriptors();
// Raises the limit as far as the system allows: systems start with a low one, for the sake of old
// programs. Up to as many as are counted, and never fewer than before.
void allow_more_descriptors();
// Why no further socket can be opened at this moment (an errno: EMFILE, ENFILE, ENOBUFS, ENOMEM); 0
// where one can.
int why_no_socket();

// Closes what it holds.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : descriptor_(other.release()) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    const int mine = descriptor_;
    descriptor_ = other.release();
    if (mine >= 0) close_descriptor(mine);
    return *this;
  }
  ~OwnedDescriptor() {
    if (descriptor_ >= 0) close_descriptor(descriptor_);
  }
  bool open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  int release() {
    const int mine = descriptor_;
    descriptor_ = -1;
    return mine;
  }

 private:
  int descriptor_;
};

}  // namespace callready::platform
