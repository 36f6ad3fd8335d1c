// Servers on loopback that do exactly what a test says, on the test's own event loop.
#pragma once

#include <deque>
#include <list>
#include <set>

#include "probe/net/address.hpp"

namespace callready::test {

using Bytes = std::vector<std::uint8_t>;

// Calls the script for each datagram; the script answers, or does not.
class ScriptedUdp {
 public:
  using Script =
      std::function<void(ScriptedUdp& server, const Bytes& datagram, const SocketAddress& from)>;
  // On 127.0.0.1 and a port of the kernel's choice, unless told otherwise.
  ScriptedUdp(asio::io_context& context, Script script,
              const SocketAddress& bind = {IpAddress::v4({127, 0, 0, 1}), 0});
  void send(const Bytes& bytes, const SocketAddress& to);
  SocketAddress address() const;
  const std::vector<Bytes>& received() const { return received_; }

 private:
  void receive();
  asio::ip::udp::socket socket_;
  asio::ip::udp::endpoint from_;
  Bytes buffer_;
  Script script_;
  std::vector<Bytes> received_;
};

// Accepts connections and calls the script for whatever arrives on each.
class ScriptedTcp {
 public:
  class Connection {
   public:
    explicit Connection(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}
    // In order; `one_by_one`: one segment per byte.
    void send(const Bytes& bytes, bool one_by_one = false);
    // Sends these bytes again and again until the other side goes away.
    void send_endlessly(const Bytes& bytes);
    void close();  // after what was sent
    void reset();  // at once, with RST
    SocketAddress peer() const;

   private:
    friend class ScriptedTcp;
    void write();
    asio::ip::tcp::socket socket_;
    std::deque<Bytes> queue_;
    Bytes endless_, buffer_ = Bytes(65'536);
    bool writing_ = false, closing_ = false;
  };
  // `bytes`: what the last read brought; empty for a new connection.
  using Script = std::function<void(Connection& connection, const Bytes& bytes)>;

  ScriptedTcp(asio::io_context& context, Script script,
              const SocketAddress& bind = {IpAddress::v4({127, 0, 0, 1}), 0});
  SocketAddress address() const;
  int connections() const { return static_cast<int>(connections_.size()); }

 private:
  void accept();
  void read(const std::shared_ptr<Connection>& connection);
  asio::ip::tcp::acceptor acceptor_;
  Script script_;
  std::list<std::shared_ptr<Connection>> connections_;
};

// A UDP or TCP port of loopback that was free a moment ago.
std::uint16_t free_udp_port(asio::io_context& context);
std::uint16_t free_tcp_port(asio::io_context& context);

}  // namespace callready::test
