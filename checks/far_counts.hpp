// What a `callready serve` says, over TLS, of the packets that came to it (serve/far_counts.hpp):
// which way they got lost is known then. A row of its set names the port and its key
// (parameters `counts` and `public_key_sha256`).
#pragma once

#include <string_view>

#include "checks/check.hpp"

namespace callready::checks {

class FarCounts {
 public:
  FarCounts(Context& context, Job job);

  // False: the row names none.
  bool known() const { return port_ != 0; }

  // The body of its answer to "GET /counts/..."; nothing where there is none, or not from the right
  // server.
  asio::awaitable<std::optional<std::string>> get(std::string path, Instant deadline);
  // The same for "DELETE": what a session had is given back.
  asio::awaitable<void> give_back(std::string path, Instant deadline);

 private:
  asio::awaitable<std::optional<std::string>> ask(std::string method, std::string path,
                                                  Instant deadline);
  asio::awaitable<std::unique_ptr<Stream>> connect();

  Context& context_;
  Probe probe_;
  std::optional<IpAddress> address_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Stream> stream_;  // that stands, and may be used again
};

// Of a session with the reflector.
std::string stream_count_path(std::uint16_t ssid);

// The number in a line "NAME NUMBER"; nothing where there is none.
std::optional<int> told(std::string_view body, std::string_view name);

}  // namespace callready::checks
