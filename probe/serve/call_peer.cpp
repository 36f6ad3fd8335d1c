#include "probe/serve/call_peer.hpp"

#include "probe/net/udp.hpp"

namespace callready::serve {
namespace {

class Peer final : public CallPeer, public std::enable_shared_from_this<Peer> {
 public:
  Peer(const asio::any_io_executor& executor, UdpSocket socket, const CallPeerOptions& options)
      : clock_(executor),
        socket_(std::move(socket)),
        sessions_(options.limits, options.addresses, socket_.local().port),
        token_(options.token),
        other_page_(options.other_page),
        timer_(executor) {}
  ~Peer() override {
    if (web_) web_->stop();
  }

  Result<void> listen(const asio::any_io_executor& executor, const CallPeerOptions& options) {
    WebServer::Options wanted;
    wanted.open = options.open;
    wanted.connection = timeouts::served_connection;
    wanted.most_body = webrtc::most_sdp;
    wanted.tls = [tls = options.tls] { return tls; };
    auto started =
        WebServer::start(executor, options.https, std::move(wanted),
                         [self = weak_from_this()](WebRequest request, WebServer::Answer answer) {
                           const auto peer = self.lock();
                           if (!peer) return answer({});  // its connections are closed
                           answer(answer_whip(peer->sessions_, peer->token_, request,
                                              peer->clock_.now(), peer->other_page_));
                         });
    if (started.has_error()) return started.error();
    web_ = std::move(*started);
    wait();
    tick();
    return {};
  }

  SocketAddress https() const override { return web_->local(); }
  SocketAddress media() const override { return socket_.local(); }
  std::size_t sessions() const override { return sessions_.size(); }

 private:
  CallSessions::Send sender() {
    return [this](std::span<const std::uint8_t> bytes, const SocketAddress& to,
                  const CallSessions::Own& from) {
      if (to.port != 0) static_cast<void>(socket_.send_to(bytes, to, from));
    };
  }

  void wait() {
    socket_.when_readable([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->read();
      self->wait();
    });
  }

  void read() {
    socket_.take_datagrams(clock_, 64, [this](const Datagram& datagram) {
      sessions_.take(datagram.bytes, datagram.from, clock_.now(), sender(), datagram.to);
    });
  }

  void tick() {
    timer_.expires_after(timeouts::served_call_look);
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (error || !self) return;
      self->sessions_.tick(self->clock_.now(), self->sender());
      self->tick();
    });
  }

  SystemClock clock_;
  UdpSocket socket_;
  CallSessions sessions_;
  std::string token_;
  OtherPage other_page_;
  asio::steady_timer timer_;
  std::unique_ptr<WebServer> web_;
};

}  // namespace

Result<std::shared_ptr<CallPeer>> CallPeer::start(const asio::any_io_executor& executor,
                                                  const CallPeerOptions& options) {
  UdpSocket::Options wanted;
  wanted.bind = options.media;
  auto socket = UdpSocket::open(executor, options.media, wanted);
  if (socket.has_error()) return socket.error();
  const auto peer = std::make_shared<Peer>(executor, std::move(*socket), options);
  const auto listening = peer->listen(executor, options);
  if (listening.has_error()) return listening.error();
  return std::shared_ptr<CallPeer>(peer);
}

}  // namespace callready::serve
