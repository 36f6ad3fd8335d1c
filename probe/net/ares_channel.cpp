#include "probe/net/ares_channel.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "probe/net/address.hpp"
#include "probe/platform/arrival.hpp"
#include "probe/platform/descriptor.hpp"
#include "probe/platform/input_file.hpp"
#include "probe/util/text.hpp"

namespace callready {

namespace {

constexpr std::uint16_t dns_port = 53;
constexpr int class_in = 1;  // RFC 1035 section 3.2.4

struct AddressReply {
  int status = ARES_SUCCESS;
  int no_socket = 0;  // as in DnsReply
  std::vector<IpAddress> addresses;
  std::optional<std::chrono::steady_clock::time_point> came;
  bool at_once = false;  // before anything could be sent
};

// c-ares reports a socket that it could not open as a server that refuses. It does so at once,
// while what was missing is still missing.
int why_no_socket(int status) {
  return status == ARES_ECONNREFUSED || status == ARES_ETIMEOUT ? platform::why_no_socket() : 0;
}

std::vector<IpAddress> addresses_of(const ares_addrinfo* info) {
  std::vector<IpAddress> list;
  for (auto* node = info == nullptr ? nullptr : info->nodes; node != nullptr;
       node = node->ai_next) {
    if (node->ai_family == AF_INET) {
      const auto& found = reinterpret_cast<sockaddr_in*>(node->ai_addr)->sin_addr;
      list.push_back(IpAddress::of_bytes(&found, false));
    } else if (node->ai_family == AF_INET6) {
      const auto& found = reinterpret_cast<sockaddr_in6*>(node->ai_addr)->sin6_addr;
      list.push_back(IpAddress::of_bytes(&found, true));
    }
  }
  return list;
}

Failure no_socket(int error) {
  return classify(error_code(error, boost::system::system_category()));
}

std::vector<std::string> system_search_domains() {
  std::vector<std::string> list;
  ares_channel channel = nullptr;
  if (ares_init(&channel) != ARES_SUCCESS) return list;
  ares_options options{};
  int mask = 0;
  if (ares_save_options(channel, &options, &mask) == ARES_SUCCESS) {
    for (int i = 0; i < options.ndomains; ++i) list.emplace_back(options.domains[i]);
    ares_destroy_options(&options);
  }
  ares_destroy(channel);
  return list;
}

FailureKind kind_of_dns(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
      return FailureKind::no_such_name;
    case ARES_ENODATA:
      return FailureKind::no_address;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
      return FailureKind::dns_unreachable;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return FailureKind::stopped;
    case ARES_ENOMEM:
      return FailureKind::out_of_resources;
    default:
      return FailureKind::dns_failed;
  }
}

int initialise_once() {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  return status;
}

}  // namespace

AresChannel::AresChannel(const asio::any_io_executor& executor)
    : executor_(executor), timer_(executor) {}

boost::system::result<std::shared_ptr<AresChannel>, std::string> AresChannel::create(
    const asio::any_io_executor& executor, const AresOptions& options) {
  if (const int status = initialise_once(); status != ARES_SUCCESS) return ares_strerror(status);
  std::shared_ptr<AresChannel> self(new AresChannel(executor));
  self->watch_sockets();
  ares_options settings{};
  settings.sock_state_cb = &AresChannel::on_socket;
  settings.sock_state_cb_data = self.get();
  settings.timeout = static_cast<int>(options.try_timeout.count());
  settings.tries = options.tries;
  // ares_getaddrinfo() of c-ares 1.18 searches in spite of the flag, unless there are no domains.
  settings.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOCHECKRESP;
  if (options.tcp) settings.flags |= ARES_FLAG_USEVC;
  char lookups_both[] = "fb", lookups_dns[] = "b";
  settings.lookups = options.use_hosts_file ? lookups_both : lookups_dns;
  auto resolv_conf = options.resolv_conf;
  settings.resolvconf_path = resolv_conf.data();
  const int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS |
                   ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_RESOLVCONF;
  self->use_hosts_file_ = options.use_hosts_file;
  self->search_domains_ =
      options.search_domains.empty() ? system_search_domains() : options.search_domains;
  int status = ares_init_options(&self->channel_, &settings, mask);
  if (status != ARES_SUCCESS) return ares_strerror(status);
  std::vector<SocketAddress> servers;
  for (const auto& server : options.servers) {
    // c-ares accepts "192.0.2.1:99999" and then asks somewhere else.
    const auto address = parse_socket_address(server, dns_port);
    if (!address) {
      return "'" + server + "': expected an address such as 192.0.2.53, 192.0.2.53:5353 or " +
             "[2001:db8::53]:5353";
    }
    servers.push_back(*address);
  }
  if (servers.empty()) servers = self->all_if_some_lack(options.resolv_conf);
  if (!servers.empty()) {
    std::string list;
    for (const auto& server : servers) list += (list.empty() ? "" : ",") + server.to_string();
    status = ares_set_servers_ports_csv(self->channel_, list.c_str());
    if (status != ARES_SUCCESS) return list + ": " + ares_strerror(status);
  }
  return self;
}

AresChannel::~AresChannel() {
  if (channel_ != nullptr) ares_destroy(channel_);  // ends pending queries through their callbacks
}

// All servers of the file, if c-ares left some of them out; otherwise none.
std::vector<SocketAddress> AresChannel::all_if_some_lack(const std::string& resolv_conf) {
  constexpr std::size_t most_bytes = 65'536;
  auto [all, zones] =
      platform::parse_name_servers(platform::read_input(resolv_conf, most_bytes).text);
  zones_ = std::move(zones);
  const auto known = servers();
  const bool lacks = std::any_of(zones_.begin(), zones_.end(), [&](const auto& zone) {
    return !contains(known, zone.first.to_string());
  });
  std::vector<SocketAddress> servers;
  if (!lacks) return servers;
  for (const auto& address : all) servers.push_back({address, dns_port});
  platform::connect_by_zone(channel_, zones_);
  return servers;
}

std::string AresChannel::interface_of(const IpAddress& server) const {
  const auto zone = zones_.find(server);
  return zone != zones_.end() ? platform::interface_name(zone->second) : std::string();
}

void AresChannel::cancel() {
  ares_cancel(channel_);
  timer_.cancel();
}

// Nothing may be thrown through c-ares. A socket that cannot be watched gets no answer, and its
// question times out.
void AresChannel::on_socket(void* self, ares_socket_t socket, int readable, int writable) {
  try {
    auto& sockets = *static_cast<AresChannel*>(self)->sockets_;
    const bool is_new = sockets.watch(static_cast<int>(socket), readable != 0, writable != 0);
    if (is_new) platform::note_arrivals(socket);  // where that fails, the time of reading must do
  } catch (const std::exception& error) {
    spdlog::warn("DNS: {}", error.what());
  }
}

// Once it is shared.
void AresChannel::watch_sockets() {
  sockets_.emplace(executor_, [weak = weak_from_this()](int number, SocketWatches::Event event) {
    using enum SocketWatches::Event;
    const auto self = weak.lock();
    if (!self) return false;
    const auto socket = static_cast<ares_socket_t>(number);
    const auto waited = event == readable ? platform::next_arrival(socket).waited : std::nullopt;
    if (waited) self->came_ = std::chrono::steady_clock::now() - *waited;
    ares_process_fd(self->channel_, event == writable ? ARES_SOCKET_BAD : socket,
                    event == readable ? ARES_SOCKET_BAD : socket);
    self->came_.reset();
    self->schedule();
    return true;
  });
}

void AresChannel::schedule() {
  timeval buffer{};
  const timeval* next = ares_timeout(channel_, nullptr, &buffer);
  if (next == nullptr) {
    timer_.cancel();
    return;
  }
  // One millisecond more: c-ares rounds down, which would make this a busy loop.
  timer_.expires_after(std::chrono::seconds(next->tv_sec) +
                       std::chrono::microseconds(next->tv_usec) + std::chrono::milliseconds(1));
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || !self) return;
    ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    self->schedule();
  });
}

asio::awaitable<Result<DnsReply>> AresChannel::query(std::string name, int type, Scope scope,
                                                     Instant deadline) {
  const OneShot<DnsReply> reply(executor_);
  auto* ticket = new OneShot<DnsReply>(reply);  // owned by the callback, which frees it
  ares_query(
      channel_, name.c_str(), class_in, type,
      [](void* argument, int status, int, unsigned char* message, int size) {
        const std::unique_ptr<OneShot<DnsReply>> owned(static_cast<OneShot<DnsReply>*>(argument));
        DnsReply result;
        result.status = status;
        result.no_socket = why_no_socket(status);
        try {
          if (message != nullptr) result.message.assign(message, message + size);
        } catch (const std::bad_alloc&) {
          result.status = ARES_ENOMEM;
        }
        owned->deliver(std::move(result));
      },
      ticket);
  schedule();
  auto result = co_await reply.wait(scope, deadline);
  if (!result.has_error() && result->no_socket != 0) co_return no_socket(result->no_socket);
  co_return result;
}

asio::awaitable<FoundAddresses> AresChannel::addresses(std::string name, Family family, Scope scope,
                                                       Instant deadline) {
  const bool is_short = name.find('.') == name.npos && name != "localhost";
  const int known_as = family == Family::v6 ? AF_INET6 : AF_INET;
  if (is_short && !(use_hosts_file_ && is_in_hosts_file(name, known_as))) {
    for (const auto& domain : search_domains_) {
      auto whole = name + '.' + domain;
      auto found = co_await addresses_as_given(std::move(whole), family, scope, deadline);
      const bool missing =
          found.list.has_error() && (found.list.error().kind == FailureKind::no_such_name ||
                                     found.list.error().kind == FailureKind::no_address);
      if (!missing) co_return found;
    }
  }
  auto found = co_await addresses_as_given(std::move(name), family, scope, deadline);
  co_return found;
}

asio::awaitable<FoundAddresses> AresChannel::addresses_as_given(std::string name, Family family,
                                                                Scope scope, Instant deadline) {
  // Owned and freed by the callback, which is called before the channel is gone.
  struct Ticket {
    OneShot<AddressReply> reply;
    const AresChannel& channel;
  };
  const OneShot<AddressReply> reply(executor_);
  const auto begin = scope.clock.now();
  auto* ticket = new Ticket{reply, *this};
  ares_addrinfo_hints hints{};
  hints.ai_family = family == Family::v6 ? AF_INET6 : AF_INET;
  hints.ai_flags = ARES_AI_NOSORT;
  asking_ = true;
  ares_getaddrinfo(
      channel_, name.c_str(), nullptr, &hints,
      [](void* argument, int status, int, ares_addrinfo* info) {
        const std::unique_ptr<Ticket> owned(static_cast<Ticket*>(argument));
        const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> freed(
            info, &ares_freeaddrinfo);
        AddressReply result;
        result.status = status;
        result.no_socket = why_no_socket(status);
        result.came = owned->channel.came_;
        result.at_once = owned->channel.asking_;
        try {
          result.addresses = addresses_of(info);
          if (status == ARES_SUCCESS && result.addresses.empty()) result.status = ARES_ENODATA;
        } catch (const std::bad_alloc&) {
          result.status = ARES_ENOMEM;
        }
        owned->reply.deliver(std::move(result));
      },
      ticket);
  asking_ = false;
  schedule();
  auto result = co_await reply.wait(scope, deadline);
  FoundAddresses found;
  found.ended = scope.clock.now();
  if (result.has_error()) {
    found.list = result.error();
    co_return found;
  }
  if (result->came) {
    found.ended = scope.clock.ago(std::chrono::steady_clock::now() - *result->came);
  } else {
    // Its arrival time is unknown: this computer's own delays must not count as the resolver's.
    const auto late =
        std::chrono::duration_cast<Instant::duration>(scope.clock.loop_stall_since(begin));
    found.ended = std::max(begin, found.ended - late);
  }
  if (result->no_socket != 0) {
    found.list = no_socket(result->no_socket);
  } else if (result->status != ARES_SUCCESS) {
    found.list = classify_dns(result->status);
  } else {
    // An answer that needed no server may also be one that c-ares remembered.
    found.from_hosts_file = result->at_once && is_in_hosts_file(name, hints.ai_family);
    found.list = std::move(result->addresses);
  }
  co_return found;
}

bool AresChannel::is_in_hosts_file(const std::string& name, int family) const {
  hostent* entry = nullptr;
  if (ares_gethostbyname_file(channel_, name.c_str(), family, &entry) != ARES_SUCCESS) return false;
  ares_free_hostent(entry);
  return true;
}

std::vector<std::string> AresChannel::servers() const {
  std::vector<std::string> list;
  ares_addr_port_node* nodes = nullptr;
  if (ares_get_servers_ports(channel_, &nodes) != ARES_SUCCESS) return list;
  for (auto* node = nodes; node != nullptr; node = node->next) {
    const auto address = IpAddress::of_bytes(&node->addr, node->family != AF_INET);
    const int port = node->udp_port;
    if (port == 0 || port == 53) {
      list.push_back(address.to_string());
    } else {
      list.push_back(SocketAddress{address, static_cast<std::uint16_t>(port)}.to_string());
    }
  }
  ares_free_data(nodes);
  return list;
}

Failure classify_dns(int status) { return {kind_of_dns(status), ares_strerror(status), status}; }

}  // namespace callready
