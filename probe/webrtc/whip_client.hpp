// The client side of WHIP (RFC 9725) over an open connection: making an offer, reading the answer,
// ending the call.
#pragma once

#include <memory>

#include "probe/net/stream.hpp"

namespace callready::webrtc {

struct WhipReply {
  int status = 0;
  std::string location, body;
  bool too_long = false;  // the body, which is empty here
  bool goes_on = false;   // the connection may be used again
};

// Reads one reply, however its bytes are split. A body that is longer than a session description
// may be, such as a web page, is dropped; the status still counts.
class WhipReader {
 public:
  WhipReader();
  ~WhipReader();
  // False if it is not an HTTP/1.1 reply: do not call it again then. Up to 16 interim replies
  // (RFC 9110 section 15.2) are skipped.
  bool take(std::span<const std::uint8_t> bytes);
  // The connection has closed, which ends a body of unknown length (RFC 9112 section 6.3).
  void end();
  // Nothing until it is complete.
  std::optional<WhipReply> reply() const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

struct WhipRequest {
  std::string method = "POST", host, path, token, user_agent;
  std::string body;  // a session description; empty: none
};

asio::awaitable<Result<WhipReply>> whip_request(Stream& stream, WhipRequest request, Scope scope,
                                                Instant deadline);

// "/whip/abc" from a Location on the same host; empty for any other.
std::string whip_resource(const std::string& location, const std::string& host);

}  // namespace callready::webrtc
