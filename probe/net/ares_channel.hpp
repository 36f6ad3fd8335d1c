// c-ares on the event loop: its sockets and its timer. One channel asks one list of servers in one
// way (UDP or TCP).
#pragma once

#include <ares.h>

#include <memory>
#include <string>
#include <vector>

#include "probe/net/guard.hpp"
#include "probe/net/one_shot.hpp"
#include "probe/net/socket_watches.hpp"
#include "probe/net/timeouts.hpp"
#include "probe/platform/link_servers.hpp"

namespace callready {

enum class Family { v4, v6 };

// A DNS reply as it came, or why none came.
struct DnsReply {
  int status = ARES_SUCCESS;          // ARES_*
  int no_socket = 0;                  // an errno where c-ares could open none; then a failure
  std::vector<std::uint8_t> message;  // the whole message; empty where none came
};

// What a name resolved to, and when that was known: when its last reply came, however late it was
// read, or when it was given up.
struct FoundAddresses {
  Result<std::vector<IpAddress>> list = Failure{};
  Instant ended;
  bool from_hosts_file = false;  // this computer's own: no server was asked
};

struct AresOptions {
  std::vector<std::string>
      servers;  // "192.0.2.53", "192.0.2.53:5353", "[::1]:53"; empty: the system's
  bool tcp = false;
  milliseconds try_timeout = timeouts::dns_try;
  int tries = 2;
  bool use_hosts_file = true;
  std::vector<std::string> search_domains;  // empty: the system's
  std::string resolv_conf = "/etc/resolv.conf";
};

class AresChannel : public std::enable_shared_from_this<AresChannel> {
 public:
  // Error: the server list or the system's configuration cannot be used, in words.
  static boost::system::result<std::shared_ptr<AresChannel>, std::string> create(
      const asio::any_io_executor& executor, const AresOptions& options);
  ~AresChannel();
  AresChannel(const AresChannel&) = delete;
  AresChannel& operator=(const AresChannel&) = delete;

  // One question of any type (RFC 1035 section 3.2.2; class IN). Never throws.
  asio::awaitable<Result<DnsReply>> query(std::string name, int type, Scope scope,
                                          Instant deadline);

  // The addresses of one family, hosts file included, as programs get them. A failure is one of
  // no_such_name, no_address, dns_failed, dns_unreachable. A name without a dot is completed by the
  // search domains first, as everybody does; all others never are.
  asio::awaitable<FoundAddresses> addresses(std::string name, Family family, Scope scope,
                                            Instant deadline);

  // Ends all pending questions: at the end of a run, nobody waits for them any more.
  void cancel();

  std::vector<std::string> servers() const;
  // By which a server on a link is reached, by name; empty: by any.
  std::string interface_of(const IpAddress& server) const;
  // The domains by which the system completes short names; empty where it does not.
  const std::vector<std::string>& search_domains() const { return search_domains_; }

 private:
  AresChannel(const asio::any_io_executor& executor);
  static void on_socket(void* self, ares_socket_t socket, int readable, int writable);
  void watch_sockets();
  std::vector<SocketAddress> all_if_some_lack(const std::string& resolv_conf);
  void schedule();
  asio::awaitable<FoundAddresses> addresses_as_given(std::string name, Family family, Scope scope,
                                                     Instant deadline);
  bool is_in_hosts_file(const std::string& name, int family) const;

  asio::any_io_executor executor_;
  asio::steady_timer timer_;
  ares_channel channel_ = nullptr;
  platform::Zones zones_;
  std::vector<std::string> search_domains_;
  bool use_hosts_file_ = true;
  bool asking_ = false;  // a question is being submitted: an answer now comes from no server
  std::optional<SocketWatches> sockets_;
  // While a reply is read: when it arrived, on the system's own clock.
  std::optional<std::chrono::steady_clock::time_point> came_;
};

// From an ARES_ status.
Failure classify_dns(int status);

}  // namespace callready
