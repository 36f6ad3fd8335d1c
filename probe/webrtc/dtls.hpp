// DTLS-SRTP's handshake (RFC 6347, RFC 5763, RFC 5764) by OpenSSL: datagrams in, datagrams out, and
// a clock. The certificates prove only what the session descriptions say about them.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/webrtc/srtp.hpp"

namespace callready::webrtc {

// A certificate of this run with its key. A value: copies share both.
class Identity {
 public:
  // Throws std::runtime_error where OpenSSL fails: a bug, or no memory.
  Identity();
  const std::string& fingerprint() const { return fingerprint_; }  // as Keys has it
  SSL_CTX* context() const { return context_.get(); }

 private:
  std::shared_ptr<SSL_CTX> context_;
  std::string fingerprint_;
};

class Dtls {
 public:
  enum class State { handshake, connected, wrong_fingerprint, failed };

  // `peer`: the fingerprint in the other end's description.
  Dtls(const Identity& identity, bool client, std::string peer);
  Dtls(const Dtls&) = delete;
  Dtls& operator=(const Dtls&) = delete;

  // As the client: sends the first flight.
  void begin() { step(); }
  // `from`: the other end's address, in any form; a server sends its certificate only once a cookie
  // has come back from there (RFC 6347 section 4.2.1).
  void take(std::span<const std::uint8_t> datagram, std::string_view from = {});
  // What has to be sent now, each one datagram.
  std::vector<Bytes> outgoing() { return std::move(out_); }
  // Sends again what was not answered, when it is time: call it every few milliseconds.
  void tick();

  State state() const { return state_; }
  int flights() const { return flights_; }         // sent, with repetitions
  bool has_cookie() const { return has_cookie_; }  // of a server: the client has sent it back
  std::string version() const { return SSL_get_version(ssl_.get()); }
  // Where connected: the profile and the keys of both directions; nothing if the other end supports
  // none of our profiles.
  std::optional<SrtpKeys> keys() const;

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  friend struct DatagramBio;
  friend struct Cookie;
  void step();
  bool peer_is_right() const;

  Identity identity_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string peer_;
  bool client_;
  State state_ = State::handshake;
  int flights_ = 0;
  std::string from_;  // of the datagram that is being processed
  std::array<std::uint8_t, 32> secret_{};
  bool has_cookie_ = false;
  std::deque<Bytes> in_;
  std::vector<Bytes> out_;
};

}  // namespace callready::webrtc
