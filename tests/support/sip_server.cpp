#include "tests/support/sip_server.hpp"

#include <fmt/format.h>

namespace callready::test {
namespace {

using asio::ip::tcp;
using asio::ip::udp;

const auto with_tuple = asio::as_tuple(asio::use_awaitable);

template <typename Socket>
asio::awaitable<void> serve_stream(Socket& socket, const SipAnswer& answer, SocketAddress from,
                                   std::vector<std::string>& requests) {
  std::string received;
  for (;;) {
    const auto [read_error, size] = co_await asio::async_read_until(
        socket, asio::dynamic_buffer(received, 65'536), "\r\n\r\n", with_tuple);
    if (read_error) co_return;
    const auto length = sip_header(received.substr(0, size), "Content-Length");
    const auto body = length.empty() ? 0 : std::stoul(length);
    if (received.size() < size + body) {
      const auto missing = asio::transfer_exactly(size + body - received.size());
      const auto [body_error, more] =
          co_await asio::async_read(socket, asio::dynamic_buffer(received), missing, with_tuple);
      if (body_error || more == 0) co_return;
    }
    requests.push_back(received.substr(0, size + body));
    received.erase(0, size + body);
    const auto script = answer(requests.back(), from);
    for (const auto& part : script.parts) {
      const std::size_t step = script.byte_by_byte ? 1 : part.size();
      for (std::size_t at = 0; at < part.size(); at += step) {
        const auto buffer = asio::buffer(part.data() + at, std::min(step, part.size() - at));
        const auto [write_error, written] = co_await asio::async_write(socket, buffer, with_tuple);
        static_cast<void>(written);
        if (write_error) co_return;
      }
    }
    if (script.close) co_return;
  }
}

}  // namespace

struct SipServer::State {
  State(asio::io_context& loop, SipAnswer script, std::shared_ptr<asio::ssl::context> context)
      : answer(std::move(script)),
        tls(std::move(context)),
        datagrams(loop),
        elsewhere(loop),
        acceptor(loop) {}

  SipAnswer answer;
  std::shared_ptr<asio::ssl::context> tls;
  udp::socket datagrams, elsewhere;
  tcp::acceptor acceptor;
  std::vector<std::string> requests;
  bool over = false;

  static asio::awaitable<void> serve_udp(std::shared_ptr<State> state) {
    std::string buffer(65'536, '\0');
    for (;;) {
      udp::endpoint from;
      const auto [error, size] =
          co_await state->datagrams.async_receive_from(asio::buffer(buffer), from, with_tuple);
      if (state->over || error == asio::error::operation_aborted) co_return;
      if (error) continue;
      state->requests.push_back(buffer.substr(0, size));
      const auto script = state->answer(state->requests.back(), from_endpoint(from));
      auto& socket = script.from_elsewhere ? state->elsewhere : state->datagrams;
      for (const auto& part : script.parts) {
        error_code ignored;
        socket.send_to(asio::buffer(part), from, 0, ignored);
      }
    }
  }

  static asio::awaitable<void> serve_connection(std::shared_ptr<State> state, tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto from = from_endpoint(socket.remote_endpoint(ignored));
    if (!state->tls) {
      co_await serve_stream(socket, state->answer, from, state->requests);
      co_return;
    }
    asio::ssl::stream<tcp::socket> stream(std::move(socket), *state->tls);
    const auto [error] =
        co_await stream.async_handshake(asio::ssl::stream_base::server, with_tuple);
    if (error) co_return;
    co_await serve_stream(stream, state->answer, from, state->requests);
  }

  static asio::awaitable<void> serve_tcp(std::shared_ptr<State> state) {
    for (;;) {
      auto [error, socket] = co_await state->acceptor.async_accept(with_tuple);
      if (error) co_return;
      auto executor = state->acceptor.get_executor();
      asio::co_spawn(executor, serve_connection(state, std::move(socket)), asio::detached);
    }
  }
};

SipServer::SipServer(asio::io_context& loop, Transport transport, SipAnswer answer,
                     std::shared_ptr<asio::ssl::context> tls)
    : state_(std::make_shared<State>(loop, std::move(answer), std::move(tls))) {
  const auto loopback = asio::ip::address_v4::loopback();
  if (transport == Transport::udp) {
    for (auto* socket : {&state_->datagrams, &state_->elsewhere}) {
      socket->open(udp::v4());
      socket->bind({loopback, 0});
    }
    asio::co_spawn(loop, State::serve_udp(state_), asio::detached);
  } else {
    state_->acceptor.open(tcp::v4());
    state_->acceptor.bind({loopback, 0});
    state_->acceptor.listen();
    asio::co_spawn(loop, State::serve_tcp(state_), asio::detached);
  }
}

SipServer::~SipServer() {
  state_->over = true;
  error_code ignored;
  state_->datagrams.close(ignored);
  state_->acceptor.close(ignored);
}

SocketAddress SipServer::address() const {
  if (state_->acceptor.is_open()) return from_endpoint(state_->acceptor.local_endpoint());
  return from_endpoint(state_->datagrams.local_endpoint());
}

const std::vector<std::string>& SipServer::requests() const { return state_->requests; }

std::string sip_header(const std::string& message, const std::string& name) {
  const auto at = message.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + 4 + name.size();
  return message.substr(begin, message.find("\r\n", begin) - begin);
}

std::string sip_reply(const std::string& request, const SocketAddress& from,
                      const std::string& status, const std::string& more, const std::string& body) {
  auto via = sip_header(request, "Via");
  const auto sent_by = via.substr(via.find(' ') + 1, via.find(';') - via.find(' ') - 1);
  const auto rport = via.find(";rport");
  const auto address = from.address.to_string();
  if (rport != std::string::npos) via.insert(rport + 6, fmt::format("={}", from.port));
  if (rport != std::string::npos || sent_by.substr(0, sent_by.rfind(':')) != address) {
    via += ";received=" + address;
  }
  return fmt::format(
      "SIP/2.0 {}\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag=abc\r\nCall-ID: {}\r\nCSeq: {}\r\n{}"
      "Content-Length: {}\r\n\r\n{}",
      status, via, sip_header(request, "From"), sip_header(request, "To"),
      sip_header(request, "Call-ID"), sip_header(request, "CSeq"), more, body.size(), body);
}

}  // namespace callready::test
