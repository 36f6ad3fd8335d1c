// Packet sizes, as far as a socket's owner can set them.
#pragma once

namespace callready::platform {

// Datagrams of this socket are never fragmented, whatever the system knows about the path (RFC
// 8899: a probe must not depend on earlier results). False where the system cannot.
bool forbid_fragments(int socket, bool v6);

// Datagrams of this socket may be fragmented, here and on the way. False where the system cannot.
bool allow_fragments(int socket, bool v6);

// Limits segments to so many bytes, both ways: call it before the connection is made (RFC 9293
// section 3.7.1). False where the system cannot.
bool set_segment_size(int socket, int bytes);
bool can_set_segment_size();

}  // namespace callready::platform
