// A DNS server on one loopback port, over UDP and TCP, that answers as the test says.
#pragma once

#include <functional>
#include <optional>

#include "probe/net/dns_records.hpp"
#include "tests/support/dns_message.hpp"
#include "tests/support/loop.hpp"

namespace callready::test {

class DnsServer {
 public:
  struct Asked {
    dns::Message message;
    bool tcp = false;
    DnsMessage reply() const {  // an empty NOERROR reply to it
      DnsMessage reply;
      reply.id = message.id;
      reply.question = message.question;
      reply.type = message.question_type;
      return reply;
    }
  };
  // The reply's bytes; nothing: silence over UDP, a closed connection over TCP.
  using Handler = std::function<std::optional<Bytes>(const Asked&)>;

  DnsServer(Loop& loop, Handler handler)
      : handler_(std::move(handler)), udp_(loop.context), tcp_(loop.context) {
    const auto loopback = asio::ip::address_v4::loopback();
    for (int tries = 0; tries < 20 && !tcp_.is_open(); ++tries) {
      udp_ = asio::ip::udp::socket(loop.context, {loopback, 0});
      const auto port = udp_.local_endpoint().port();
      error_code error;
      asio::ip::tcp::acceptor acceptor(loop.context);
      acceptor.open(asio::ip::tcp::v4());
      acceptor.bind({loopback, port}, error);
      if (error) continue;
      acceptor.listen();
      tcp_ = std::move(acceptor);
    }
    asio::co_spawn(loop.context, serve_udp(), asio::detached);
    asio::co_spawn(loop.context, serve_tcp(loop), asio::detached);
  }

  SocketAddress address() const { return from_endpoint(udp_.local_endpoint()); }
  std::string text() const { return address().to_string(); }
  int asked_udp = 0, asked_tcp = 0;
  // The length that a reply over TCP claims to have; negative: its real length.
  int claimed_length = -1;
  void close_tcp() { tcp_.close(); }
  void close_udp() { udp_.close(); }

 private:
  asio::awaitable<void> serve_udp() {
    std::array<std::uint8_t, 4'096> buffer{};
    for (;;) {
      asio::ip::udp::endpoint from;
      const auto [error, size] = co_await udp_.async_receive_from(
          asio::buffer(buffer), from, asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      ++asked_udp;
      const auto reply = answer(std::span(buffer).first(size), false);
      if (reply) udp_.send_to(asio::buffer(*reply), from);
    }
  }

  asio::awaitable<void> serve_tcp(Loop& loop) {
    for (;;) {
      asio::ip::tcp::socket peer(loop.context);
      const auto [error] = co_await tcp_.async_accept(peer, asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      std::array<std::uint8_t, 2> prefix{};
      const auto [no_prefix, got] = co_await asio::async_read(peer, asio::buffer(prefix),
                                                              asio::as_tuple(asio::use_awaitable));
      if (no_prefix || got != 2) continue;
      Bytes question(static_cast<std::size_t>(prefix[0] << 8 | prefix[1]));
      const auto [no_question, size] = co_await asio::async_read(
          peer, asio::buffer(question), asio::as_tuple(asio::use_awaitable));
      if (no_question || size != question.size()) continue;
      ++asked_tcp;
      const auto reply = answer(question, true);
      if (!reply) continue;
      Bytes bytes;
      put16(bytes, claimed_length < 0 ? static_cast<int>(reply->size()) : claimed_length);
      put_all(bytes, *reply);
      const auto [not_written, written] = co_await asio::async_write(
          peer, asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
      static_cast<void>(not_written);
      static_cast<void>(written);
    }
  }

  std::optional<Bytes> answer(std::span<const std::uint8_t> bytes, bool tcp) {
    auto message = dns::parse_message(bytes);
    if (message.has_error()) {
      ADD_FAILURE() << "the question is malformed: " << message.error().text;
      return std::nullopt;
    }
    return handler_(Asked{std::move(*message), tcp});
  }

  Handler handler_;
  asio::ip::udp::socket udp_;
  asio::ip::tcp::acceptor tcp_;
};

}  // namespace callready::test
