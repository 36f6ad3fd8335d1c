// Servers over TCP and TLS on a loopback port of the kernel's choice; what they do with each
// connection is the test's.
#pragma once

#include <functional>

#include "tests/support/certificates.hpp"
#include "tests/support/loop.hpp"

namespace callready::test {

using TlsServerStream = asio::ssl::stream<asio::ip::tcp::socket>;

class TcpServer {
 public:
  using Serve = std::function<asio::awaitable<void>(asio::ip::tcp::socket&)>;

  TcpServer(Loop& loop, Serve serve)
      : serve_(std::move(serve)), acceptor_(loop.context, {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(loop.context, run(loop.context), asio::detached);
  }

  SocketAddress address() const { return from_endpoint(acceptor_.local_endpoint()); }
  std::uint16_t port() const { return address().port; }
  int accepted = 0;

 private:
  asio::awaitable<void> run(asio::io_context& context) {
    for (;;) {
      asio::ip::tcp::socket peer(context);
      const auto [error] =
          co_await acceptor_.async_accept(peer, asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      ++accepted;
      asio::co_spawn(context, one(std::move(peer)), asio::detached);
    }
  }
  asio::awaitable<void> one(asio::ip::tcp::socket peer) { co_await serve_(peer); }

  Serve serve_;
  asio::ip::tcp::acceptor acceptor_;
};

struct TlsServerOptions {
  std::vector<Certificate> chain;   // what is sent, the server's own first
  bool client_certificate = false;  // required
  int version = 0;                  // the only one, in OpenSSL's numbers; 0: its default
};

class TlsServer {
 public:
  using Serve = std::function<asio::awaitable<void>(TlsServerStream&)>;

  // Without `serve` the connection is held open until the client closes it.
  TlsServer(Loop& loop, const TlsServerOptions& options, Serve serve = {})
      : context_(asio::ssl::context::tls_server),
        serve_(std::move(serve)),
        tcp_(loop, [this](asio::ip::tcp::socket& peer) { return one(peer); }) {
    auto* native = context_.native_handle();
    use(options.chain.front());
    for (std::size_t i = 1; i < options.chain.size(); ++i) {
      SSL_CTX_add1_chain_cert(native, options.chain[i].x509.get());
    }
    SSL_CTX_set_mode(native, SSL_MODE_NO_AUTO_CHAIN);
    if (options.client_certificate) {
      SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    if (options.version != 0) {
      SSL_CTX_set_security_level(native, 0);  // TLS 1.0 needs SHA-1
      SSL_CTX_set_min_proto_version(native, options.version);
      SSL_CTX_set_max_proto_version(native, options.version);
    }
    SSL_CTX_set_tlsext_servername_arg(native, this);
    SSL_CTX_set_tlsext_servername_callback(native, &TlsServer::on_name);
  }

  // As its own, from the next connection on.
  void use(const Certificate& certificate) {
    SSL_CTX_use_certificate(context_.native_handle(), certificate.x509.get());
    SSL_CTX_use_PrivateKey(context_.native_handle(), certificate.key.get());
  }
  SocketAddress address() const { return tcp_.address(); }
  int accepted() const { return tcp_.accepted; }
  std::vector<std::string> names_asked;  // SNI; "" if there was none

 private:
  static int on_name(SSL* ssl, int*, void* argument) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    static_cast<TlsServer*>(argument)->names_asked.emplace_back(name == nullptr ? "" : name);
    return SSL_TLSEXT_ERR_OK;
  }

  asio::awaitable<void> one(asio::ip::tcp::socket& peer) {
    // A small reply must not wait for the client's delayed ACK: the manual clock would move on.
    peer.set_option(asio::ip::tcp::no_delay(true));
    TlsServerStream stream(std::move(peer), context_);
    const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                         asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    if (serve_) {
      co_await serve_(stream);
    } else {
      std::array<char, 1> byte{};
      co_await stream.async_read_some(asio::buffer(byte), asio::as_tuple(asio::use_awaitable));
    }
  }

  asio::ssl::context context_;
  Serve serve_;
  TcpServer tcp_;
};

}  // namespace callready::test
