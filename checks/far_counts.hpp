// Asks a `callready serve`, over TLS, which packets reached it (serve/far_counts.hpp): that shows
// in which direction packets were lost. A row of its set names the port and its key
// (parameters `counts` and `public_key_sha256`).
#pragma once

#include <map>
#include <string_view>

#include "checks/check.hpp"

namespace callready::checks {

// The packets of a session with the reflector: received, not counting duplicates; from elsewhere
// than the first; refused for lack of room; and those of anybody that it lost itself meanwhile.
struct StreamCount {
  int received = 0, elsewhere = 0, refused = 0, dropped = 0;
};

// The packets of one source to its media ports: how many came to each, and how many it did not
// answer because of its limits.
struct PortCounts {
  std::map<std::uint16_t, int> came;
  int refused = 0;
};

// Each question takes no longer than timeouts::stream_reply once connected, and returns nothing if
// there is no answer, or none from the right server.
class FarCounts {
 public:
  FarCounts(Context& context, Job job);

  // False: there is no far end to ask, or it was not reached.
  bool known() const { return port_ != 0; }

  asio::awaitable<std::optional<StreamCount>> stream(std::uint16_t ssid);
  // Frees the session's place for others.
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
  std::unique_ptr<Stream> stream_;  // open, for the next question
};

// The number in a line "NAME NUMBER"; nothing where there is none.
std::optional<int> told(std::string_view body, std::string_view name);

}  // namespace callready::checks
