// What a `callready serve` says, over TLS, of the packets that came to it (serve/far_counts.hpp):
// which way they were lost is known then. A row of its set names the port and its key
// (parameters `counts` and `public_key_sha256`).
#pragma once

#include <map>
#include <string_view>

#include "checks/check.hpp"

namespace callready::checks {

// Of a session with the reflector: packets, each once; those that came from elsewhere than its
// first; those for which it had no room; and those of anybody that it lost itself meanwhile.
struct StreamCount {
  int received = 0, elsewhere = 0, refused = 0, dropped = 0;
};

// Of a source of packets to its media ports: packets by port, and how many it did not answer for
// its limits.
struct PortCounts {
  std::map<std::uint16_t, int> came;
  int refused = 0;
};

// Each question takes no longer than timeouts::stream_reply once the connection stands, and is told
// nothing where there is no answer, or none from the right server.
class FarCounts {
 public:
  FarCounts(Context& context, Job job);

  // False: the row names none.
  bool known() const { return port_ != 0; }

  asio::awaitable<std::optional<StreamCount>> stream(std::uint16_t ssid);
  // What the session had is free for others.
  asio::awaitable<void> give_back(std::uint16_t ssid);
  asio::awaitable<std::optional<PortCounts>> ports(std::uint32_t source);

 private:
  // The body of its answer.
  asio::awaitable<std::optional<std::string>> ask(const char* method, std::string path);
  asio::awaitable<std::unique_ptr<Stream>> connect();

  Context& context_;
  Probe probe_;
  std::optional<IpAddress> address_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Stream> stream_;  // that stands, and may be used again
};

// The number in a line "NAME NUMBER"; nothing where there is none.
std::optional<int> told(std::string_view body, std::string_view name);

}  // namespace callready::checks
