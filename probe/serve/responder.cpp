#include "probe/serve/responder.hpp"

#include <fmt/format.h>

#include "probe/net/far_end.hpp"
#include "probe/serve/certificates.hpp"
#include "probe/serve/far_counts.hpp"
#include "probe/util/digest.hpp"
#include "probe/webrtc/token.hpp"

namespace callready::serve {
namespace {

// The same at each start with that key, so that sets given out before stay valid; another one for
// another name, like the tokens (webrtc/token.hpp). Nobody checks its dates: only the pin counts.
Certificate own_certificate(const ResponderOptions& options) {
  constexpr std::size_t seed_bytes = 48;
  CertificateOptions wanted;
  wanted.common_name = options.name;
  wanted.organization = far_end::organization;
  wanted.names = {options.name};
  wanted.not_after = std::chrono::system_clock::now() + std::chrono::hours(24 * 3'650);
  wanted.key_seed = hkdf_sha256(options.key, "callready serve TLS " + options.name, seed_bytes);
  return Certificate::self_signed(wanted);
}

// What strangers may have: never more bytes over UDP than they sent.
Limits for_strangers() {
  Limits limits;
  limits.request_bytes = 4'096;
  limits.requests = 20;
  limits.datagrams_per_second = 5'000;
  limits.datagrams_of_network = 200;
  limits.replies_may_grow = false;
  return limits;
}

// Takes what comes and answers nothing, until the other end closes or its time is up.
asio::awaitable<void> listen_only(std::shared_ptr<Connection> connection) {
  std::array<std::uint8_t, 512> ignored;
  for (std::size_t all = 0; all < connection->limits.request_bytes;) {
    const auto deadline = connection->deadline();
    const auto size = co_await connection->stream->read_some(ignored, connection->scope, deadline);
    if (size.has_error()) co_return;
    all += *size;
  }
}

Failure at(std::string_view transport, std::uint16_t port, Failure failure) {
  failure.text = fmt::format("{} {}: {}", transport, port, failure.text);
  return failure;
}

Result<std::shared_ptr<CallPeer>> take_calls(const asio::any_io_executor& executor,
                                             const ResponderOptions& options, std::uint16_t port,
                                             std::shared_ptr<asio::ssl::context> tls,
                                             std::shared_ptr<OpenConnections> open,
                                             OtherPage other_page) {
  CallPeerOptions wanted;
  wanted.https = {options.bind, port};
  wanted.media = {options.bind, options.call_port};
  wanted.tls = std::move(tls);
  wanted.open = std::move(open);
  wanted.token = webrtc::whip_token(options.key, options.name);
  wanted.other_page = std::move(other_page);
  const auto literal = IpAddress::parse(options.name);
  if (literal) wanted.addresses.push_back(*literal);
  return CallPeer::start(executor, wanted);
}

PortRange only(const SocketAddress& where) { return {where.port, where.port}; }

}  // namespace

// The first of the TLS ports takes calls, too.
Result<void> Responder::start_tls(const asio::any_io_executor& executor,
                                  const ResponderOptions& options,
                                  const std::shared_ptr<asio::ssl::context>& tls) {
  HttpOptions pages;
  pages.pages["/"].body = "callready serve\n";
  pages.tls = tls;
  pages.limits = for_strangers();
  pages.limits.open = open_;
  for (const auto& range : options.tls_ports) {
    SocketAddress last;
    for (unsigned port = range.first; port <= range.last; ++port) {
      const auto number = static_cast<std::uint16_t>(port);
      if (!calls_) {
        OtherPage counts = [stamp = stamp_, keeper = keeper_](std::string_view method,
                                                              std::string_view target) {
          return far_counts(method, target, stamp->reflector(), *keeper,
                            std::chrono::steady_clock::now());
        };
        auto calls = take_calls(executor, options, number, tls, open_, std::move(counts));
        if (calls.has_error()) {
          return at(fmt::format("TCP {} or UDP", number), options.call_port, calls.error());
        }
        calls_ = std::move(*calls);
        ports_.call = calls_->media().port;
        last = calls_->https();
        continue;
      }
      auto started = HttpServer::start(executor, {options.bind, number}, pages);
      if (started.has_error()) return at("TCP", number, started.error());
      last = (*started)->local();
      https_.push_back(std::move(*started));
    }
    ports_.tls.push_back(range.first == 0 ? only(last) : range);
  }
  return {};
}

Result<void> Responder::start_all(const asio::any_io_executor& executor,
                                  const ResponderOptions& options) {
  const auto& bind = options.bind;
  auto limits = for_strangers();
  limits.open = open_ = OpenConnections::make({});
  auto stream_limits = options.limits;
  auto echo_limits = options.echo_limits;
  stream_limits.full = echo_limits.full = options.complain;
  auto reflector =
      StampServer::start(executor, {bind, options.udp_port}, {options.key, stream_limits});
  if (reflector.has_error()) return at("UDP", options.udp_port, reflector.error());
  stamp_ = std::move(*reflector);
  ports_.stream = stamp_->local().port;

  EchoOptions echo;
  echo.limits = limits;
  echo.limits.request_bytes = 512;  // each port has its buffer; the keeper has the rates
  echo.limits.datagrams_of_network = echo.limits.datagrams_per_second;
  keeper_ = echo.keeper = std::make_shared<media::EchoKeeper>(options.key, echo_limits,
                                                              std::chrono::system_clock::now());
  for (const auto& range : options.media_ports) {
    echo.ports = static_cast<int>(range.count());
    auto started = UdpEcho::start(executor, {bind, range.first}, echo);
    if (started.has_error()) return at("UDP", range.first, started.error());
    ports_.media.push_back((*started)->ports());
    echoes_.push_back(std::move(*started));
  }

  const auto certificate = own_certificate(options);
  const auto tls = server_context(certificate);
  if (auto started = start_tls(executor, options, tls); started.has_error()) return started;
  for (const auto& range : options.tcp_ports) {
    for (unsigned port = range.first; port <= range.last; ++port) {
      const auto number = static_cast<std::uint16_t>(port);
      auto started = StreamService::start(executor, {bind, number}, &listen_only, nullptr, limits);
      if (started.has_error()) return at("TCP", number, started.error());
      tcp_.push_back(std::move(*started));
    }
    const bool any = range.first == 0;
    ports_.tcp.push_back(any ? only(tcp_.back()->local()) : range);
  }
  if (options.stun_port) {
    StunOptions stun;
    stun.identity.software.clear();
    stun.other_address = options.other_address;
    stun.limits = limits;
    auto started = StunServer::start(executor, {bind, *options.stun_port}, stun);
    if (started.has_error()) return at("STUN", *options.stun_port, started.error());
    stun_ = std::move(*started);
    ports_.stun = stun_->local().port;
    ports_.discovery = stun_->other().has_value();
  }
  if (options.sip_port) {
    SipOptions sip;
    sip.identity.server.clear();
    sip.identity.mirror = true;
    sip.identity.growth = 0;
    sip.limits = limits;
    if (options.sips_port) {
      sip.tls = tls;
      sip.tls_port = *options.sips_port;
    }
    auto started = SipServer::start(executor, {bind, *options.sip_port}, sip);
    if (started.has_error()) {
      if (!options.sips_port) return at("SIP", *options.sip_port, started.error());
      return at(fmt::format("SIP {} or, over TLS,", *options.sip_port), *options.sips_port,
                started.error());
    }
    sip_ = std::move(*started);
    ports_.sip = sip_->local().port;
    if (options.sips_port) ports_.sips = sip_->tls_local()->port;
  }
  target_set_ =
      responder_set(ports_, {options.name, certificate.public_key_sha256(), options.today});
  return {};
}

void Responder::allow_connections(std::size_t all) {
  constexpr std::size_t most_of_client = 64;
  open_->allow({all, std::min(most_of_client, std::max<std::size_t>(all / 4, 1))});
}

Result<std::unique_ptr<Responder>> Responder::start(const asio::any_io_executor& executor,
                                                    const ResponderOptions& options) {
  auto responder = std::unique_ptr<Responder>(new Responder);
  const auto started = responder->start_all(executor, options);
  if (started.has_error()) return started.error();
  return responder;
}

}  // namespace callready::serve
