#include "tests/support/scripted_server.hpp"

namespace callready::test {

using asio::ip::tcp;
using asio::ip::udp;

ScriptedUdp::ScriptedUdp(asio::io_context& context, Script script, const SocketAddress& bind)
    : socket_(context, to_endpoint<udp>(bind)), buffer_(65'536), script_(std::move(script)) {
  receive();
}

void ScriptedUdp::receive() {
  socket_.async_receive_from(asio::buffer(buffer_), from_,
                             [this](error_code error, std::size_t size) {
                               if (error == asio::error::operation_aborted) return;
                               if (!error) {
                                 Bytes datagram(buffer_.data(), buffer_.data() + size);
                                 received_.push_back(datagram);
                                 script_(*this, datagram, from_endpoint(from_));
                               }
                               receive();
                             });
}

void ScriptedUdp::send(const Bytes& bytes, const SocketAddress& to) {
  error_code ignored;  // the other side may be gone
  socket_.send_to(asio::buffer(bytes), to_endpoint<udp>(to), 0, ignored);
}

SocketAddress ScriptedUdp::address() const { return from_endpoint(socket_.local_endpoint()); }

void ScriptedTcp::Connection::send(const Bytes& bytes, bool one_by_one) {
  if (one_by_one) {
    for (const auto byte : bytes) queue_.push_back({byte});
  } else {
    queue_.push_back(bytes);
  }
  write();
}

void ScriptedTcp::Connection::send_endlessly(const Bytes& bytes) {
  // A few bytes at a time would test how busy this machine is.
  while (endless_.size() < 1'024) endless_.insert(endless_.end(), bytes.begin(), bytes.end());
  write();
}

void ScriptedTcp::Connection::close() {
  closing_ = true;
  write();
}

void ScriptedTcp::Connection::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

SocketAddress ScriptedTcp::Connection::peer() const {
  return from_endpoint(socket_.remote_endpoint());
}

void ScriptedTcp::Connection::write() {
  if (writing_ || !socket_.is_open()) return;
  if (queue_.empty() && !endless_.empty()) queue_.push_back(endless_);
  if (queue_.empty()) {
    error_code ignored;
    if (closing_) socket_.shutdown(tcp::socket::shutdown_send, ignored);
    return;
  }
  writing_ = true;
  asio::async_write(socket_, asio::buffer(queue_.front()), [this](error_code error, std::size_t) {
    if (error) return;
    writing_ = false;
    queue_.pop_front();
    write();
  });
}

ScriptedTcp::ScriptedTcp(asio::io_context& context, Script script, const SocketAddress& bind)
    : acceptor_(context, to_endpoint<tcp>(bind)), script_(std::move(script)) {
  accept();
}

SocketAddress ScriptedTcp::address() const { return from_endpoint(acceptor_.local_endpoint()); }

void ScriptedTcp::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error) return;
    socket.set_option(tcp::no_delay(true));
    connections_.push_back(std::make_shared<Connection>(std::move(socket)));
    const auto connection = connections_.back();
    script_(*connection, {});
    read(connection);
    accept();
  });
}

void ScriptedTcp::read(const std::shared_ptr<Connection>& connection) {
  connection->socket_.async_read_some(asio::buffer(connection->buffer_),
                                      [this, connection](error_code error, std::size_t size) {
                                        if (error) return;
                                        const auto* first = connection->buffer_.data();
                                        script_(*connection, Bytes(first, first + size));
                                        read(connection);
                                      });
}

std::uint16_t free_udp_port(asio::io_context& context) {
  return udp::socket(context, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

std::uint16_t free_tcp_port(asio::io_context& context) {
  return tcp::acceptor(context, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

}  // namespace callready::test
