#include "probe/serve/sip_server.hpp"

#include "probe/serve/pair.hpp"

namespace callready::serve {
namespace {

Respond sip_answers(const SipIdentity& identity, bool bounded) {
  return [identity, bounded](std::span<const std::uint8_t> request, SocketAddress& peer) {
    return answer_sip(identity, request, peer, bounded);
  };
}

}  // namespace

Result<std::shared_ptr<SipServer>> SipServer::start(const asio::any_io_executor& executor,
                                                    const SocketAddress& bind, SipOptions options) {
  auto refusing = options.identity;
  refusing.busy = true;
  const auto serve = messages(&sip_frame, sip_answers(options.identity, false));
  auto pair = start_pair(executor, bind, sip_answers(options.identity, true), serve, options.limits,
                         sip_answers(refusing, true));
  if (pair.has_error()) return pair.error();
  auto server = std::shared_ptr<SipServer>(new SipServer);
  server->udp_ = std::move(pair->udp);
  server->tcp_ = std::move(pair->tcp);
  if (options.tls) {
    auto tls = StreamService::start(executor, {bind.address, options.tls_port}, serve, options.tls,
                                    options.limits);
    if (tls.has_error()) return tls.error();
    server->tls_ = std::move(*tls);
  }
  return server;
}

std::optional<SocketAddress> SipServer::tls_local() const {
  if (!tls_) return std::nullopt;
  return tls_->local();
}

void SipServer::stop() {
  udp_->stop();
  tcp_->stop();
  if (tls_) tls_->stop();
}

}  // namespace callready::serve
