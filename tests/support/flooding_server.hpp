// A TLS server that sends endlessly and faster than its client reads, on a thread of its own: on
// the client's loop it could never get ahead.
#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include "probe/net/address.hpp"
#include "tests/support/certificates.hpp"

namespace callready::test {

class FloodingServer {
 public:
  // `flood`: what to do with a connection until that fails, as long as there is to be `more`.
  using More = std::function<bool()>;
  using Flood = std::function<void(asio::ip::tcp::socket& peer, const More& more)>;

  explicit FloodingServer(Flood flood) : flood_(std::move(flood)), thread_([this] { run(); }) {
    std::signal(SIGPIPE, SIG_IGN);  // as the program's main() does: OpenSSL may write too late
  }
  ~FloodingServer() {
    over_ = true;
    thread_.join();
  }
  FloodingServer(const FloodingServer&) = delete;
  FloodingServer& operator=(const FloodingServer&) = delete;

  SocketAddress address() const { return from_endpoint(acceptor_.local_endpoint()); }

  // HelloRequest (RFC 5246 section 7.4.1.1), which a client ignores: one per record.
  static void send_hello_requests(asio::ip::tcp::socket& peer, const More& more) {
    std::string records;
    while (records.size() < 60'000) records.append("\x16\x03\x03\x00\x04\x00\x00\x00\x00", 9);
    error_code error;
    while (!error && more()) asio::write(peer, asio::buffer(records), error);
  }

  // NewSessionTicket (RFC 8446 section 4.6.1) after a proper handshake, without end.
  static Flood sending_tickets(const Certificate& certificate) {
    return [certificate](asio::ip::tcp::socket& peer, const More& more) {
      asio::ssl::context context(asio::ssl::context::tlsv13_server);
      SSL_CTX_use_certificate(context.native_handle(), certificate.x509.get());
      SSL_CTX_use_PrivateKey(context.native_handle(), certificate.key.get());
      const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.native_handle()),
                                                          &SSL_free);
      SSL_set_fd(ssl.get(), static_cast<int>(peer.native_handle()));
      if (SSL_accept(ssl.get()) != 1) return;
      while (more()) {
        if (SSL_new_session_ticket(ssl.get()) != 1 || SSL_do_handshake(ssl.get()) != 1) return;
      }
    };
  }

 private:
  void run() {
    // If the client does not end by itself, the test must fail and not hang.
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const More more = [this, until] { return !over_ && std::chrono::steady_clock::now() < until; };
    error_code error;
    acceptor_.non_blocking(true, error);
    while (more()) {
      asio::ip::tcp::socket peer(context_);
      acceptor_.accept(peer, error);
      if (error) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      } else {
        flood_(peer, more);
      }
    }
  }

  Flood flood_;
  std::atomic<bool> over_ = false;
  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
  std::thread thread_;
};

}  // namespace callready::test
