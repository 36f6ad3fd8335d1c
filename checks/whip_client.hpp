// The client's side of WHIP (RFC 9725) over a connection that stands: an offer is made, answered,
// and the call is ended.
#pragma once

#include <memory>

#include "probe/net/stream.hpp"

namespace callready::checks {

struct WhipReply {
  int status = 0;
  std::string location, body;
  bool goes_on = false;  // the connection may be used again
};

// Reads one reply, however its bytes come. Of a body that is longer than a session description may
// be, such as a web server's page, nothing is kept; its status still counts.
class WhipReader {
 public:
  WhipReader();
  ~WhipReader();
  // False for what is no reply of HTTP/1.1; no more then. Interim replies (RFC 9110 section 15.2)
  // are passed over, up to 16 of them.
  bool take(std::span<const std::uint8_t> bytes);
  // The connection has ended: so does a body whose length was not said (RFC 9112 section 6.3).
  void end();
  // Once it is whole.
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

// "/whip/abc" of a Location on the same host; empty for any other.
std::string whip_resource(const std::string& location, const std::string& host);

}  // namespace callready::checks
