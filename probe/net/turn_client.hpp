// A TURN allocation (RFC 8656) over a StunChannel: asks for it with or without credentials, sends
// and receives through it, and gives it back.
#pragma once

#include "probe/net/stun_channel.hpp"

namespace callready {

enum class TurnStatus {
  granted,          // a success response, its integrity verified where credentials were used
  challenged,       // 401 to a request without credentials, and we have none
  refused,          // an error response: `code`
  stale_nonce,      // 438 again and again
  bad_challenge,    // 401 or 438 without what an answer to it needs: REALM, NONCE
  wrong_integrity,  // a success without MESSAGE-INTEGRITY, or a wrong one, to real credentials
  no_relay,         // a success without a readable XOR-RELAYED-ADDRESS that may be sent to
  no_answer,        // see `failure`, and the channel's unexpected()
};

struct TurnReply {
  TurnStatus status = TurnStatus::no_answer;
  int code = 0;                      // of an error response
  std::optional<StunAnswer> answer;  // the last one
  Failure failure;                   // where no_answer
  int attempts = 0;                  // transmissions of the last request
};

class TurnClient {
 public:
  // What a server wants a long-term credential for; another client may begin with it.
  struct Challenge {
    std::string realm, nonce;
  };

  // An empty `credential.username`: none. `v6`: ask for an IPv6 relay (RFC 8656 section 7.1).
  TurnClient(std::unique_ptr<StunChannel> channel, stun::Credential credential, bool v6);

  // Asks without credentials first, as the protocol prescribes, unless begin_with() was called.
  asio::awaitable<TurnReply> allocate(Scope scope);
  // The first half of it, the question without credentials: `challenged` if they are required, and
  // allocate() then goes on with that challenge; anything else is the answer that allocate() would
  // give.
  asio::awaitable<TurnReply> ask_for_challenge(Scope scope);
  asio::awaitable<TurnReply> create_permission(SocketAddress peer, Scope scope);
  // A Send indication: the relay sends `data` to the peer, or says nothing.
  asio::awaitable<Result<void>> send(SocketAddress peer, std::span<const std::uint8_t> data,
                                     Scope scope);
  // Waits for a Data indication that carries exactly `data`; its peer as the relay sees it.
  asio::awaitable<Result<SocketAddress>> hear(std::span<const std::uint8_t> data, Scope scope,
                                              Instant deadline);
  // ChannelBind (RFC 8656 section 12.1), which also permits the peer: from then on what goes
  // through `channel` (0x4000 to 0x4FFF) has a header of 4 bytes instead of 36.
  asio::awaitable<TurnReply> bind_channel(std::uint16_t channel, SocketAddress peer, Scope scope);
  asio::awaitable<Result<void>> send_data(std::uint16_t channel, std::span<const std::uint8_t> data,
                                          Scope scope);
  // The next data of any bound channel. One coroutine may send meanwhile, and no other may wait.
  asio::awaitable<Result<ChannelData>> next_data(Scope scope, Instant deadline);
  void set_traffic_class(int traffic_class) { channel_->set_traffic_class(traffic_class); }
  // Refresh with a lifetime of zero, where there is, or may be, an allocation: call it always, with
  // a CleanupScope's scope. False where the server did not confirm.
  asio::awaitable<bool> deallocate(Scope scope);

  void begin_with(Challenge challenge);
  const std::optional<Challenge>& challenge() const { return challenge_; }
  const SocketAddress& relayed() const { return relayed_; }  // after `granted`
  const std::optional<SocketAddress>& mapped() const { return mapped_; }
  std::uint32_t lifetime() const { return lifetime_; }  // seconds
  bool authenticated() const { return !key_.empty(); }
  const StunChannel& channel() const { return *channel_; }
  StunChannel& channel() { return *channel_; }

 private:
  using Fill = std::function<void(stun::Builder&)>;
  // One request with its challenges, at most `rounds` times; `fill` adds the method's attributes.
  asio::awaitable<TurnReply> ask(stun::Method method, const Fill& fill, Scope scope, int rounds);
  asio::awaitable<TurnReply> ask_to_allocate(Scope scope, int rounds);
  bool has_credential() const { return !credential_.username.empty(); }

  std::unique_ptr<StunChannel> channel_;
  stun::Credential credential_;
  bool v6_;
  std::optional<Challenge> challenge_;
  bool challenge_is_own_ = false;  // the server sent it on this channel
  stun::Bytes key_;
  SocketAddress relayed_;
  std::optional<SocketAddress> mapped_;
  std::uint32_t lifetime_ = 0;
  bool allocated_ = false;  // or perhaps allocated: the answer never came
};

}  // namespace callready
