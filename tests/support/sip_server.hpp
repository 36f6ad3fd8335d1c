// A SIP server in the test's own process that answers as the test says, over UDP, TCP or TLS; it
// shares the event loop with what is tested.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "probe/model/words.hpp"
#include "probe/net/address.hpp"

namespace callready::test {

// What a server does about one request. Over UDP each part is a datagram, over a stream a write.
struct SipScript {
  std::vector<std::string> parts;
  bool byte_by_byte = false;
  bool close = false;           // the connection, after the parts
  bool from_elsewhere = false;  // the datagrams come from another port
};

// `request` is one datagram, or what a stream brought up to an empty line.
using SipAnswer = std::function<SipScript(const std::string& request, const SocketAddress& from)>;

class SipServer {
 public:
  // On 127.0.0.1, at a port of the kernel's choice. TLS needs `tls`.
  SipServer(asio::io_context& loop, Transport transport, SipAnswer answer,
            std::shared_ptr<asio::ssl::context> tls = nullptr);
  ~SipServer();
  SipServer(const SipServer&) = delete;
  SipServer& operator=(const SipServer&) = delete;

  SocketAddress address() const;
  const std::vector<std::string>& requests() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// The whole value of a header of a message; empty if there is none.
std::string sip_header(const std::string& message, const std::string& name);

// A reply as RFC 3261 section 8.2.6 requires, with `received` and `rport` where RFC 3261 section
// 18.2.1 and RFC 3581 section 4 require them. `more` is whole header lines.
std::string sip_reply(const std::string& request, const SocketAddress& from,
                      const std::string& status, const std::string& more = "",
                      const std::string& body = "");

}  // namespace callready::test
