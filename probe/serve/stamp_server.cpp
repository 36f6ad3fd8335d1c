#include "probe/serve/stamp_server.hpp"

namespace callready::serve {

struct StampServer::Core : std::enable_shared_from_this<Core> {
  Core(const asio::any_io_executor& executor, UdpSocket opened, StampOptions options)
      : clock(executor),
        socket(std::move(opened)),
        reflector(std::move(options.key), options.limits, clock.wall_now()) {}

  void wait() {
    socket.when_readable([self = shared_from_this()] {
      if (self->stopped) return;
      self->socket.take_datagrams(self->clock, 64,
                                  [&](const Datagram& datagram) { self->reflect(datagram); });
      self->wait();
    });
  }

  void reflect(const Datagram& datagram) {
    const auto now = clock.now();
    if (datagram.dropped && *datagram.dropped != dropped) {
      reflector.note_dropped(*datagram.dropped - dropped);
      dropped = *datagram.dropped;
    }
    const auto reply = reflector.answer({datagram.bytes, datagram.from, wall(datagram.arrived),
                                         datagram.traffic_class, datagram.ttl},
                                        wall(now), clock.wall_now());
    if (!reply || datagram.from.port == 0) return;
    if (reply->traffic_class != traffic_class) {
      traffic_class = reply->traffic_class;
      socket.set_traffic_class(traffic_class);
    }
    static_cast<void>(socket.send_to(reply->bytes, datagram.from, datagram.to));
  }

  // By a clock that nobody sets: a session must not see NTP adjust the time.
  WallTime wall(Instant when) const {
    return wall_start + std::chrono::duration_cast<WallTime::duration>(when - start);
  }

  SystemClock clock;
  UdpSocket socket;
  media::Reflector reflector;
  Instant start = clock.now();
  WallTime wall_start = clock.wall_now();
  int traffic_class = 0;
  std::uint32_t dropped = 0;
  bool stopped = false;
};

Result<std::shared_ptr<StampServer>> StampServer::start(const asio::any_io_executor& executor,
                                                        const SocketAddress& bind,
                                                        StampOptions options) {
  UdpSocket::Options wanted;
  wanted.bind = bind;
  wanted.headers = true;
  wanted.room = 1 << 20;  // a hundred calls for half a second
  auto socket = UdpSocket::open(executor, bind, wanted);
  if (socket.has_error()) return socket.error();
  const auto local = socket->local();
  auto core = std::make_shared<Core>(executor, std::move(*socket), std::move(options));
  core->wait();
  return std::shared_ptr<StampServer>(new StampServer(std::move(core), local));
}

StampServer::StampServer(std::shared_ptr<Core> core, const SocketAddress& local)
    : core_(std::move(core)), local_(local) {}

media::Reflector& StampServer::reflector() { return core_->reflector; }

void StampServer::stop() {
  core_->stopped = true;
  core_->socket.cancel();
}

}  // namespace callready::serve
