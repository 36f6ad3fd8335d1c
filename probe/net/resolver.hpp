// Names to addresses for the whole run: every name is asked once, whoever asks for it, and all get
// the same answer.
#pragma once

#include "probe/net/ares_channel.hpp"
#include "probe/net/dns_records.hpp"

namespace callready {

struct Resolution {
  Result<std::vector<IpAddress>> addresses = Failure{};
  Milliseconds took{0};
  bool from_hosts_file = false;  // of this computer: no server was asked
};

class Resolver {
 public:
  // `only`: the family that the run keeps to; nothing: either.
  Resolver(asio::any_io_executor executor, std::shared_ptr<AresChannel> channel,
           std::optional<Family> only = {})
      : executor_(std::move(executor)), channel_(std::move(channel)), only_(only) {}
  virtual ~Resolver() = default;

  // The addresses of `name` (an address as text is its own answer), within timeouts::dns_total. If
  // a server refuses DNS over TCP, or does not know (SERVFAIL, REFUSED) and there are others, they
  // are asked in turn. If the run is stopped, the answer is `stopped`, and is not kept.
  virtual asio::awaitable<Resolution> resolve(std::string name, Family family, Scope scope);

  // Its IPv4 addresses, or where it has none, or no way leads there, its IPv6 ones.
  asio::awaitable<Resolution> resolve_either(std::string name, Scope scope);
  // The same for a host that is to be tested: in a run that keeps to one family, that one's.
  asio::awaitable<Resolution> resolve_target(std::string name, Scope scope);

  // The answer to a question of that type (class IN), within timeouts::dns_total; nothing where the
  // name, or the type, does not exist. If a server does not know, the others are asked, too.
  asio::awaitable<Result<std::optional<dns::Message>>> ask(std::string name, std::uint16_t type,
                                                           Scope scope);

  // Where nobody answered for it, it is asked anew the next time.
  void forget_unanswered(const std::string& name, Family family);

  AresChannel& channel() { return *channel_; }

 private:
  struct Entry;
  // c-ares takes the first server's SERVFAIL or REFUSED for final; programs then ask the next one.
  bool next_may_know(const Failure& why) const;
  // The first final answer of up to three servers, each asked from a socket of its own: once one
  // refuses DNS over TCP, c-ares gives up all that it has asked there, even what the server would
  // have answered over UDP. Without an answer, the reason, which is `why` if nobody said more.
  asio::awaitable<Result<dns::Message>> ask_in_turn(std::string name, std::uint16_t type,
                                                    Scope scope, Instant deadline, Failure why);

  asio::any_io_executor executor_;
  std::shared_ptr<AresChannel> channel_;
  std::optional<Family> only_;
  std::map<std::pair<std::string, Family>, std::shared_ptr<Entry>> entries_;
};

}  // namespace callready
