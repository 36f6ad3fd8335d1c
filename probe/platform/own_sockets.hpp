// What this computer's own sockets and links show about a connection: whether it ends on this
// computer.
#pragma once

#include <optional>
#include <string_view>

#include "probe/model/observation.hpp"

namespace callready::platform {

// A link that only leads back, and to which a user may bind a socket whatever its destination: a
// SYN from there cannot leave. Empty if the system has no such link.
std::string_view inner_link();

// True where a socket of this computer has its other end at `own`, the near end of a connection
// that is meant for another computer: a program of this computer has taken it. Nothing where the
// system does not say.
std::optional<bool> is_taken_here(const SocketAddress& own);

}  // namespace callready::platform
