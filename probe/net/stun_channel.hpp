// A way to a STUN or TURN server: requests with their answers, and indications, over a UDP socket
// or a stream. What comes and is not an answer is recorded, because it shows what is there instead.
#pragma once

#include <deque>

#include "probe/net/stream.hpp"
#include "probe/net/stun_framer.hpp"
#include "probe/net/udp.hpp"

namespace callready {

struct StunAnswer {
  stun::Message message;
  stun::Bytes bytes;  // as they came, for integrity_matches()
  // From the request to its answer; over UDP only where it was sent once (see UdpReply).
  std::optional<Milliseconds> round_trip;
  Milliseconds took{0};  // since the first transmission
};

struct StunExchange {
  // timed_out and stopped; refused and rejected (UDP); closed, reset (streams); malformed and
  // oversized where the stream carries something else: then the last of unexpected() says what.
  Result<StunAnswer> answer = Failure{};
  int attempts = 0;
};

// Something that came and was not the answer.
struct UnexpectedReply {
  SocketAddress from;
  bool from_server = true;  // false: from another address or port than the one that was asked
  DetailCode reason = DetailCode::unspecified;
  std::string text;  // for a person: "HTTP/1.1 400 Bad Request"
};

// What came through a bound channel (RFC 8656 section 12).
struct ChannelData {
  std::uint16_t channel = 0;
  stun::Bytes bytes;
  Instant arrived;                   // over UDP as the system noted it; over a stream when read
  std::optional<int> traffic_class;  // over UDP
};

class StunChannel {
 public:
  virtual ~StunChannel() = default;

  // Sends a request, over UDP again at timeouts::udp_sends, and waits for its success or error
  // response. Of the indications that come meanwhile, the first 64 are kept for next_indication().
  // `request` must be a request that stun::Builder made, and stay valid until the end.
  virtual asio::awaitable<StunExchange> request(std::span<const std::uint8_t> request,
                                                Scope scope) = 0;
  // Sends an indication: nothing answers it.
  virtual asio::awaitable<Result<void>> send(std::span<const std::uint8_t> bytes, Scope scope) = 0;
  // The next indication of the server; timed_out, stopped, flooded, or a broken channel.
  virtual asio::awaitable<Result<stun::Message>> next_indication(Scope scope, Instant deadline) = 0;
  // Call it before the first channel is bound: what comes through one is kept for next_data().
  virtual void expect_channel_data() = 0;
  // The next data of any channel; timed_out, stopped, flooded, or broken. Other coroutines
  // may send() meanwhile: over UDP any number, over a stream one.
  virtual asio::awaitable<Result<ChannelData>> next_data(Scope scope, Instant deadline) = 0;
  // DSCP and ECN of what goes out over UDP from now on.
  virtual void set_traffic_class(int traffic_class) = 0;
  virtual SocketAddress local() const = 0;
  virtual SocketAddress remote() const = 0;  // the server; through a proxy, the proxy
  virtual bool reliable() const = 0;  // a stream: the server drops what it holds when it closes

  // The first few; more would only fill the report.
  const std::vector<UnexpectedReply>& unexpected() const { return unexpected_; }

 protected:
  // Keeps the message or notes why not. True where `bytes` is the answer to the request.
  bool take(std::span<const std::uint8_t> bytes, const SocketAddress& from, bool from_server,
            const stun::Message* request, stun::Message& answer);
  void note(UnexpectedReply reply);

  void keep(ChannelData data);

  std::deque<stun::Message> indications_;
  std::deque<ChannelData> data_;

 private:
  std::vector<UnexpectedReply> unexpected_;
};

// Over a socket that is not connected, so that an answer from elsewhere is seen (and not taken).
// `patience`: until the server has answered once.
std::unique_ptr<StunChannel> make_stun_channel(UdpSocket socket, UdpPatience patience = {});
std::unique_ptr<StunChannel> make_stun_channel(std::unique_ptr<Stream> stream);

}  // namespace callready
