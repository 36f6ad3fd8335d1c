// A client that sends any bytes it likes to a server on the same loop: plain sockets, no protocol.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/net/address.hpp"
#include "probe/serve/udp_service.hpp"
#include "tests/support/loop.hpp"

namespace callready::serve {

inline const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});
inline const SocketAddress any_port{loopback, 0};

inline const std::string ncsi = "Microsoft NCSI";

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }
inline std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

class RawClient {
 public:
  RawClient(test::Loop& loop, int type, const SocketAddress& to,
            const std::optional<SocketAddress>& from)
      : loop_(loop) {
    socket_ = ::socket(to.address.is_v6() ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
    if (from) {
      const auto own = to_endpoint<asio::ip::tcp>(*from);
      if (::bind(socket_, own.data(), static_cast<socklen_t>(own.size())) != 0) {
        throw std::runtime_error("bind");
      }
    }
    const auto endpoint = to_endpoint<asio::ip::tcp>(to);
    if (::connect(socket_, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
      throw std::runtime_error("connect");
    }
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;

  SocketAddress local() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    return {loopback, ntohs(address.sin_port)};
  }

  void send(std::span<const std::uint8_t> bytes) {
    ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void send(std::string_view text) { send(bytes_of(text)); }
  void finish() { ::shutdown(socket_, SHUT_WR); }

  // What comes next; empty: the peer closed; nothing: nothing came while we waited.
  std::optional<Bytes> receive(milliseconds patience = milliseconds(5'000)) {
    Bytes buffer(70'000);
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const auto size = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (size > 0) {
        buffer.resize(static_cast<std::size_t>(size));
        return buffer;
      }
      if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return Bytes();
      if (std::chrono::steady_clock::now() >= until) return std::nullopt;
      loop_.context.restart();
      loop_.context.run_one_for(milliseconds(1));
    }
  }

  // Everything until the peer closes; nothing where it does not.
  std::optional<Bytes> receive_all(milliseconds patience = milliseconds(5'000)) {
    Bytes all;
    for (;;) {
      const auto more = receive(patience);
      if (!more) return std::nullopt;
      if (more->empty()) return all;
      all.insert(all.end(), more->begin(), more->end());
    }
  }

  std::optional<Bytes> ask(std::span<const std::uint8_t> request) {
    send(request);
    return receive();
  }

 private:
  test::Loop& loop_;
  int socket_ = -1;
};

struct RawUdp : RawClient {
  RawUdp(test::Loop& loop, const SocketAddress& to,
         const std::optional<SocketAddress>& from = std::nullopt)
      : RawClient(loop, SOCK_DGRAM, to, from) {}
};
struct RawTcp : RawClient {
  RawTcp(test::Loop& loop, const SocketAddress& to,
         const std::optional<SocketAddress>& from = std::nullopt)
      : RawClient(loop, SOCK_STREAM, to, from) {}
};

// Lets the loop do what is due now.
inline void settle(test::Loop& loop) {
  loop.context.restart();
  for (int i = 0; i < 50; ++i) loop.context.poll();
}

// A TLS client that trusts `ca_pem` and nothing else.
struct TlsClient {
  TlsInfo info;
  std::unique_ptr<Stream> stream;
  std::optional<Failure> failure;
};

inline asio::awaitable<TlsClient> dial_tls(test::Loop& loop, TlsContext& context, SocketAddress to,
                                           std::string name) {
  TlsClient client;
  ConnectOptions connect_options;
  auto transport = co_await connect_tcp(loop.executor(), loop.scope, to, connect_options);
  if (transport.has_error()) {
    client.failure = transport.error();
    co_return client;
  }
  TlsOptions options;
  options.server_name = name;
  auto connected = std::move(*transport);
  auto attempt = co_await tls_handshake(std::move(connected), loop.scope, context, options);
  client.info = std::move(attempt.info);
  if (attempt.stream.has_error()) {
    client.failure = attempt.stream.error();
  } else {
    client.stream = std::move(*attempt.stream);
  }
  co_return client;
}

// Sends `request` and reads once.
inline asio::awaitable<Result<Bytes>> ask_stream(test::Loop& loop, Stream& stream, Bytes request) {
  const auto deadline = loop.soon();
  const auto sent = co_await stream.write(request, loop.scope, deadline);
  if (sent.has_error()) co_return sent.error();
  Bytes reply(16'384);
  const auto size = co_await stream.read_some(reply, loop.scope, deadline);
  if (size.has_error()) co_return size.error();
  reply.resize(*size);
  co_return reply;
}

}  // namespace callready::serve
