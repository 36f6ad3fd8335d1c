// A whole site on loopback: DNS, web, STUN, TURN's challenge, SIP, NTP, a media range, a reflector
// of streams, a WebRTC peer and a proxy, with a target set that asks for all of it. `callready
// demo` checks it with the real checks.
#pragma once

#include "probe/net/asio.hpp"
#include "probe/net/failure.hpp"

namespace callready::serve {

struct DemoOptions {
  std::vector<std::string> kinds;  // the checks that there are; the set has rows for these only
  IpAddress address = IpAddress::v4({127, 0, 0, 1});
};

// Serves until stop() or its own end, on ports of the kernel's choice.
class DemoSite {
 public:
  // Failure: a port cannot be bound, or the authority's file cannot be written.
  static Result<std::shared_ptr<DemoSite>> start(const asio::any_io_executor& executor,
                                                 const DemoOptions& options);
  ~DemoSite();
  DemoSite(const DemoSite&) = delete;
  DemoSite& operator=(const DemoSite&) = delete;

  // The set "demo" as YAML (targets/README.md), with the ports that were chosen.
  const std::string& target_set() const { return target_set_; }
  SocketAddress dns() const;                             // knows the set's names, and no others
  const std::string& ca_pem() const { return ca_pem_; }  // the root of the site's certificates
  const std::string& ca_file() const {
    return ca_file_;
  }                           // the same; ours alone, removed at the end
  std::string proxy() const;  // "http://127.0.0.1:40000"
  // The reflector's (CALLREADY_MEDIA_KEY).
  const std::string& media_key() const { return media_key_; }
  void stop();

 private:
  struct Servers;
  explicit DemoSite(std::unique_ptr<Servers> servers);
  std::unique_ptr<Servers> servers_;
  std::string target_set_, ca_pem_, ca_file_, media_key_;
};

}  // namespace callready::serve
