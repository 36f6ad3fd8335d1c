// A TURN server over UDP on loopback, in the test's process, that breaks the rules it is told to:
// what a real one cannot be made to do.
#pragma once

#include "probe/net/stun.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready::test {

struct FakeTurnOptions {
  std::string user = "user", password = "password", realm = "callready.test";
  bool ask_for_credentials = true;
  bool leave_out_nonce = false;
  int stale_nonces = 0;          // this many authenticated requests get a 438 first
  int allocate_error = 0;        // to an authenticated Allocate: 486 and the like
  int refused_allocates = -1;    // how many of them; -1: all
  int permission_error = 0;      // to an authenticated CreatePermission
  bool wrong_integrity = false;  // of success responses
  bool leave_out_relayed = false;
  std::optional<SocketAddress> named_relay;  // instead of the real one
  bool lose_allocate_answer = false;         // granted, and the client never hears of it
  bool mute_refresh = false;
  bool outbound = true;  // what peers other than relays send is passed to the client
  bool inbound = true;   // what the client sends goes to peers
  bool between_relays = true;
  IpAddress address = IpAddress::v4({127, 0, 0, 1}), relay_address = IpAddress::v4({127, 0, 0, 1});
  // A NAT in front of our sockets: the address under which that relay (1, 2, ...) sees one of them,
  // and the socket behind an address that it sends to (nothing: the NAT drops its packet).
  std::function<SocketAddress(const SocketAddress& socket, int relay)> outside;
  std::function<std::optional<SocketAddress>(const SocketAddress& outside, int relay)> inside;
  // Decides when what a relay received goes on to its client; unset: at once.
  std::function<void(std::function<void()> deliver)> later;
  int carries = -1;    // how many of the clients' packets; -1: all
  int loses = 0;       // how many of their first ones
  int deaf_every = 0;  // every n-th relay does not hear peers, as behind a blocked port
  int most = 0;        // allocations at a time; beyond: 486. 0: any number
};

class FakeTurn {
 public:
  FakeTurn(asio::io_context& context, FakeTurnOptions options);
  SocketAddress address() const { return control_.address(); }
  int allocations() const { return static_cast<int>(relays_.size()); }
  int granted() const { return granted_; }
  int most_at_a_time() const { return most_at_a_time_; }
  bool carries_no_more() const { return options_.carries == 0; }
  // Methods of the requests in the order they came; authenticated ones are negative.
  const std::vector<int>& requests() const { return requests_; }
  // Called for each request before it is answered; false: it is not answered.
  std::function<bool(const stun::Message&)> before;
  // Where clients are sent once there was one relay here.
  std::optional<SocketAddress> redirect_to;

 private:
  void on_request(const Bytes& bytes, const SocketAddress& from);
  void on_send(const stun::Message& message, const SocketAddress& from);
  void on_peer(const SocketAddress& client, const Bytes& data, const SocketAddress& peer);
  void refuse(const stun::Message& request, const SocketAddress& to, int code, bool challenge);
  void grant(const stun::Message& request, const SocketAddress& to);
  bool is_relay(const SocketAddress& address) const;

  asio::io_context& context_;
  FakeTurnOptions options_;
  ScriptedUdp control_;
  std::map<SocketAddress, std::unique_ptr<ScriptedUdp>> relays_;  // by client
  std::vector<std::unique_ptr<ScriptedUdp>> retired_;  // may still be in their own callback
  std::vector<int> requests_;
  std::set<SocketAddress> deaf_;          // by client
  std::map<SocketAddress, int> numbers_;  // by client
  int granted_ = 0, most_at_a_time_ = 0, nonce_ = 1;
};

}  // namespace callready::test
