#include "probe/serve/stun_server.hpp"

namespace callready::serve {

// The UDP sockets. The index of one is 2 * (other address) + (other port), so that an exclusive or
// with a CHANGE-REQUEST gives the one to reply from.
struct StunServer::Corners {
  std::array<std::shared_ptr<UdpService>, 4> sockets;
  bool complete() const { return sockets[3] != nullptr; }
};

namespace {

// Without another address.
Respond stun_answers(const StunIdentity& identity) {
  return [identity](std::span<const std::uint8_t> request, SocketAddress& peer) {
    StunArrival arrival;
    arrival.client = peer;
    return answer_stun(identity, request, arrival).bytes;
  };
}

}  // namespace

Result<std::shared_ptr<StunServer>> StunServer::start(const asio::any_io_executor& executor,
                                                      const SocketAddress& bind,
                                                      StunOptions options) {
  const auto& limits = options.limits;
  const auto answer_from = [&options](const std::shared_ptr<Corners>& corners, std::size_t index) {
    // Weakly, because the corners own the sockets that own this function.
    return [weak = std::weak_ptr<Corners>(corners), index, identity = options.identity,
            may_grow = options.limits.replies_may_grow](std::span<const std::uint8_t> request,
                                                        SocketAddress& peer) {
      const auto all = weak.lock();
      if (!all) return Bytes();
      StunArrival arrival;
      arrival.client = peer;
      arrival.local = all->sockets[index]->local();
      if (all->complete()) arrival.other = all->sockets[index ^ 3]->local();
      auto reply = answer_stun(identity, request, arrival);
      peer = reply.to;
      const std::size_t from =
          index ^ ((reply.change_address ? 2u : 0u) | (reply.change_port ? 1u : 0u));
      if (from == index) return std::move(reply.bytes);
      if (!may_grow && reply.bytes.size() > request.size()) return Bytes();
      all->sockets[from]->send(reply.bytes, reply.to);
      return Bytes();
    };
  };
  auto refusing = options.identity;
  refusing.busy = true;
  const auto busy = stun_answers(refusing);
  Failure failure;
  for (int attempt = 0; attempt < 16; ++attempt) {
    auto server = std::shared_ptr<StunServer>(new StunServer);
    server->corners_ = std::make_shared<Corners>();
    auto& sockets = server->corners_->sockets;
    // The second port is the kernel's choice at the first address and has to be free at the second.
    const auto place = [&](std::size_t index, const SocketAddress& where) {
      auto started =
          UdpService::start(executor, where, answer_from(server->corners_, index), limits, busy);
      if (started.has_error()) {
        failure = started.error();
        return false;
      }
      sockets[index] = std::move(*started);
      return true;
    };
    if (!place(0, bind)) return failure;
    const auto first = sockets[0]->local();
    bool placed = true;
    if (options.other_address) {
      const auto& second = *options.other_address;
      placed = place(1, {bind.address, 0}) && place(2, {second, first.port}) &&
               place(3, {second, sockets[1]->local().port});
    }
    const auto stream = messages(&stun_frame, stun_answers(options.identity));
    if (placed) {
      auto tcp = StreamService::start(executor, first, stream, nullptr, limits);
      if (tcp.has_error()) {
        failure = tcp.error();
      } else {
        server->tcp_ = std::move(*tcp);
      }
    }
    if (!server->tcp_) {
      if (bind.port != 0) break;
      continue;
    }
    if (options.tls) {
      auto tls = StreamService::start(executor, {bind.address, 0}, stream, options.tls, limits);
      if (tls.has_error()) return tls.error();
      server->tls_ = std::move(*tls);
    }
    return server;
  }
  return failure;
}

SocketAddress StunServer::local() const { return tcp_->local(); }

std::optional<SocketAddress> StunServer::tls_local() const {
  if (!tls_) return std::nullopt;
  return tls_->local();
}

std::optional<SocketAddress> StunServer::other() const {
  if (!corners_->complete()) return std::nullopt;
  return corners_->sockets[3]->local();
}

void StunServer::stop() {
  for (const auto& socket : corners_->sockets) {
    if (socket) socket->stop();
  }
  if (tcp_) tcp_->stop();
  if (tls_) tls_->stop();
}

}  // namespace callready::serve
