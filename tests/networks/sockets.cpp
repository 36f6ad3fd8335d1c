#include "tests/networks/sockets.hpp"

#include <algorithm>
#include <deque>
#include <list>
#include <utility>

#include "probe/net/stun.hpp"
#include "probe/serve/ntp_server.hpp"
#include "probe/serve/stun_message.hpp"
#include "tests/support/sip_middlebox.hpp"

namespace callready::networks {
namespace {

// What an inspecting device takes it for.
Payload payload_of(std::span<const std::uint8_t> bytes, std::uint16_t port) {
  const auto parsed = stun::parse(bytes);
  if (!parsed.has_error()) {
    const bool allocates = parsed->method == static_cast<std::uint16_t>(stun::Method::allocate);
    return allocates ? Payload::turn : Payload::stun;
  }
  constexpr std::string_view options = "OPTIONS sip";
  if (bytes.size() > options.size() && std::equal(options.begin(), options.end(), bytes.begin())) {
    return Payload::sip;
  }
  if (port == 123) return Payload::ntp;
  const bool rtp = !bytes.empty() && bytes[0] == 0x80;  // RFC 3550 section 5.1: version 2
  return rtp ? Payload::rtp : Payload::other;
}

}  // namespace

class MemorySockets::Carrier final : public DatagramCarrier {
 public:
  Carrier(MemorySockets& sockets, const SocketAddress& remote, const UdpOptions& options)
      : sockets_(sockets), connected_(options.connect), remote_(remote), ttl_(options.ttl) {
    local_ = {sockets.observer_.network().pc, sockets.new_port(remote)};
  }
  ~Carrier() override { sockets_.ports_.erase(local_.port); }
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  error_code send(std::span<const std::uint8_t> bytes, const SocketAddress& to) override {
    const auto& there = connected_ ? remote_ : to;
    Packet packet{Proto::udp, there.address, there.port, local_.port,
                  payload_of(bytes, there.port)};
    packet.bytes = static_cast<int>(bytes.size()) + 28;  // of IPv4 and UDP
    const auto now = sockets_.now_ms();
    const auto heard = sockets_.observer_.hear(packet, now, ttl_ == 0 ? whole_way : ttl_);
    if (heard.kind == Heard::nothing) return {};
    UdpEvent event = heard.icmp();
    if (heard.kind == Heard::answer) {
      auto answered = sockets_.answer(packet, bytes);
      if (answered.empty()) return {};
      event = Datagram{std::move(answered), there, {}, {}, {}, {}, {}};
    }
    due_.push_back(sockets_.clock_.call_at(
        sockets_.at(now + heard.took_ms),
        [this, event = std::move(event)]() mutable { deliver(std::move(event)); }));
    return {};
  }
  void set_ttl(int ttl) override { ttl_ = ttl; }
  bool set_traffic_class(int) override { return false; }
  int path_mtu() const override { return 1500; }
  std::optional<UdpEvent> take(const Clock&, Failure&) override {
    if (inbox_.empty()) return std::nullopt;
    auto event = std::move(inbox_.front());
    inbox_.pop_front();
    return event;
  }
  void when_readable(std::function<void()> callback) override {
    waiting_.push_back(std::move(callback));
    if (!inbox_.empty()) cancel();
  }
  void cancel() override {
    for (auto& callback : std::exchange(waiting_, {})) {
      asio::post(sockets_.executor_, std::move(callback));
    }
  }
  SocketAddress local() const override { return local_; }

 private:
  void deliver(UdpEvent event) {
    if (auto* datagram = std::get_if<Datagram>(&event)) datagram->arrived = sockets_.clock_.now();
    inbox_.push_back(std::move(event));
    cancel();
  }

  MemorySockets& sockets_;
  bool connected_;
  SocketAddress remote_, local_;
  int ttl_;
  std::deque<UdpEvent> inbox_;
  std::list<std::unique_ptr<Clock::Timer>> due_;
  std::vector<std::function<void()>> waiting_;
};

MemorySockets::MemorySockets(const networks::Network& network, const Internet& internet,
                             asio::any_io_executor executor, test::ManualClock& clock)
    : executor_(std::move(executor)),
      clock_(clock),
      start_(clock.now()),
      observer_(network, internet) {}

Result<std::unique_ptr<DatagramCarrier>> MemorySockets::open_udp(const SocketAddress& remote,
                                                                 const UdpOptions& options) {
  if (!has_route(remote)) return classify(asio::error::network_unreachable);
  return std::unique_ptr<DatagramCarrier>(std::make_unique<Carrier>(*this, remote, options));
}

bool MemorySockets::has_route(const SocketAddress& remote) const {
  return remote.address.is_v4() || observer_.network().ipv6 != Ipv6::none;
}

// A new port each time, as systems choose them; but the same ones for the same remote, whatever
// else the run opens, because twins (twin.hpp) are compared.
std::uint16_t MemorySockets::new_port(const SocketAddress& remote) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const auto byte : remote.address.bytes()) hash = (hash ^ byte) * 16777619U;
  hash = (hash ^ remote.port) * 16777619U;
  hash += 601U * opened_[remote]++;
  auto port = static_cast<std::uint16_t>(20'000 + hash % 30'000);
  while (!ports_.insert(port).second) ++port;
  return port;
}

std::vector<std::uint8_t> MemorySockets::answer(const Packet& packet,
                                                std::span<const std::uint8_t> bytes) const {
  const SocketAddress local{observer_.network().pc, packet.from};
  const auto mapped = observer_.mapped(packet.from, {packet.to, packet.port});
  if (packet.payload == Payload::stun || packet.payload == Payload::turn) {
    return serve::answer_stun({"", "example"}, bytes, {mapped, {}, {}}).bytes;
  }
  if (packet.payload == Payload::sip) {
    test::SipMiddlebox box;
    if (mapped != local) box.mapped = mapped;
    box.rewrites_requests = observer_.find(BoxKind::sip_alg) != nullptr && packet.port == 5060;
    box.rewrites_replies = box.rewrites_requests;
    const auto script = test::behind(box)(std::string(bytes.begin(), bytes.end()), local);
    if (script.parts.empty()) return {};
    return {script.parts[0].begin(), script.parts[0].end()};
  }
  if (packet.payload == Payload::ntp && bytes.size() >= 48) {
    return serve::answer_ntp({milliseconds(0), 2}, bytes, clock_.wall_now());
  }
  return {};
}

asio::awaitable<Result<std::unique_ptr<TcpStream>>> MemorySockets::connect_tcp(
    Scope scope, SocketAddress remote, ConnectOptions options) {
  if (!has_route(remote)) co_return classify(asio::error::network_unreachable);
  const auto timeout = Milliseconds(options.timeout).count();
  const auto began = now_ms();
  const bool leads_out = options.interface.empty();  // otherwise it is bound to loopback
  Connection connection;
  connection.at_ms = began + timeout;
  if (leads_out) {
    const int ttl = options.ttl == 0 ? whole_way : options.ttl;
    connection = observer_.connect(remote.address, remote.port, began, ttl, timeout);
  }
  const bool slept = co_await sleep_until(executor_, scope, at(connection.at_ms));
  if (!slept) co_return stopped();
  if (!connection.stands()) co_return connection.failure();
  co_return std::make_unique<TcpStream>(asio::ip::tcp::socket(executor_),
                                        Milliseconds(connection.took_ms));
}

MemorySockets& memory_of(const asio::any_io_executor& executor) {
  return static_cast<MemorySockets&>(*source_in_memory(executor));
}

asio::awaitable<Resolution> MemoryResolver::resolve(std::string name, Family family, Scope scope) {
  const auto literal = IpAddress::parse(name);
  const bool is_v6 = literal && literal->is_v6();
  if (is_v6 != (family == Family::v6)) {
    Resolution none;
    none.addresses = classify_dns(ARES_ENODATA);
    co_return none;
  }
  const auto inserted = entries_.try_emplace(name);
  auto& entry = inserted.first->second;
  if (inserted.second) {
    auto& memory = memory_of(executor_);
    const auto now = memory.now_ms();
    entry.resolution = memory.observer().resolve(name, now);
    entry.known = memory.at(now + entry.resolution.took.count());
  }
  if (entry.known > scope.clock.now()) co_await sleep_until(executor_, scope, entry.known);
  co_return entry.resolution;
}

}  // namespace callready::networks
