// Where the site ends: the first router on the way out that is not the site's own. A packet that
// dies there with "time exceeded" has left the site, whatever its far end says.
#pragma once

#include <optional>

#include "probe/net/one_shot.hpp"

namespace callready {

struct Hop {
  int ttl = 0;        // packets with this TTL end there
  IpAddress address;  // as it signs its ICMP errors
};

// True for the address of a router that can only stand beyond the site's edge: not RFC 1918, RFC
// 4193 or link-local. Carrier NAT's 100.64/10 (RFC 6598) is the provider's.
bool beyond_the_edge(const IpAddress& router);

// Looked for once a run and family, with TCP and UDP packets whose TTL is too small to arrive.
class SiteEdge {
 public:
  explicit SiteEdge(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // The nearest hop beyond the edge on the way to `target`, or nothing where no router there
  // answers. `interface` as in ConnectOptions.
  asio::awaitable<std::optional<Hop>> find(IpAddress target, std::string interface, Scope scope);

 private:
  struct Search {
    bool done = false;
    std::optional<Hop> hop;
    std::vector<OneShot<bool>> waiting;
  };
  asio::any_io_executor executor_;
  std::map<bool, std::shared_ptr<Search>> searches_;  // by is_v6
};

}  // namespace callready
