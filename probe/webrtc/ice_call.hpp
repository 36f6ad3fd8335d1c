// This end of a WebRTC call by libnice: what candidates there are, and then the call itself. Its
// functions block, each for as long as it says: for threads of their own (probe/net/in_thread.hpp),
// one at a time.
#pragma once

#include <chrono>
#include <memory>

#include "probe/webrtc/sdp.hpp"

namespace callready::webrtc {

struct TurnLogin {
  SocketAddress server;
  bool tcp = false;
  std::string user, password;
};

struct CallOptions {
  std::optional<SocketAddress> stun;
  std::vector<TurnLogin> turn;
  std::vector<IpAddress> local;  // gather here only; empty: all addresses except loopback
  std::chrono::milliseconds gather{}, connect{}, handshake{};  // the most each may take
  int packets = 25;                                            // of media, one each 20 ms
  std::chrono::milliseconds media{};                           // what media may take there and back
  // Between two checks of consent (RFC 7675) while media goes; 0: none of our own.
  std::chrono::milliseconds consent{};
  // The number of DTLS greetings after the media, each in two datagrams, and the time between them:
  // for a far end that counts them and does not answer (long_hello.hpp).
  int greetings = 0;
  std::chrono::milliseconds greeting_gap{};
};

struct Gathered {
  std::vector<Candidate> candidates;
  Milliseconds took{0};
  LocalEnd end;  // for print_offer()
};

// The step that did not succeed.
enum class CallStage { connect, handshake, fingerprint, media, done };

struct CallSeen {
  CallStage failed = CallStage::connect;  // `done`: none
  // The selected pair: our end, as the far end sees it if that is not the host's own address, and
  // the far end.
  std::optional<Candidate> local, remote;
  // Time since the far end's description came.
  std::optional<Milliseconds> connected, secured, first_media;
  std::optional<Milliseconds> round_trip;   // of the first packet of media
  int flights_sent = 0, datagrams_got = 0;  // of DTLS
  int datagrams_left = 0;                   // of the flights, those that left this computer
  std::string version;                      // "DTLSv1.2"
  bool gcm = false;
  // Packets of media: how many left, and those of them that came back, in the order of arrival,
  // each once: its number and when it left and came, in milliseconds of one clock.
  struct Heard {
    std::uint32_t number = 0;
    double sent_ms = 0, back_ms = 0;
  };
  int packets_sent = 0, duplicates = 0;
  std::vector<bool> left;  // by number; false: this computer could not send it
  std::vector<Heard> heard;
  std::vector<double> late_ms;  // for each one sent, how late it left, less the timer's resolution
  int packets_back() const { return static_cast<int>(heard.size()); }
  // Checks of consent: the far end answers each. `consent_silent`: how many of the latest, in a
  // row, it did not.
  int consent_sent = 0, consent_back = 0, consent_silent = 0;
  int greetings_sent = 0;  // those of which both datagrams left this computer
};

class IceCall {
 public:
  // False where this computer has no libnice: say so. The first question loads it, which takes tens
  // of milliseconds.
  static bool available();
  static std::shared_ptr<IceCall> make(CallOptions options);
  virtual ~IceCall() = default;

  virtual Gathered gather() = 0;
  // After gather(), once.
  virtual CallSeen call(const Keys& other, const std::vector<Candidate>& candidates) = 0;
  // Gives relays back. After that it may only be destroyed.
  virtual void end() = 0;
  // From any thread: makes a blocked call return soon.
  virtual void stop() = 0;
};

}  // namespace callready::webrtc
