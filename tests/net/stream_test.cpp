// Connections of bytes: what has come counts, however late it is looked at.
#include "probe/net/stream.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <iterator>
#include <thread>

#include "probe/net/tls.hpp"
#include "probe/platform/icmp.hpp"
#include "tests/support/closed_port.hpp"
#include "tests/support/stream_server.hpp"

namespace callready {
namespace {

using asio::ip::tcp;
using test::Loop;

constexpr std::string_view said = "here";

// Says its word and holds the connection.
template <typename Peer>
asio::awaitable<void> say(Peer& peer) {
  co_await asio::async_write(peer, asio::buffer(said), asio::as_tuple(asio::use_awaitable));
  std::array<char, 1> byte{};
  co_await peer.async_read_some(asio::buffer(byte), asio::as_tuple(asio::use_awaitable));
}

// Reads until all of it came, each time with a deadline that is over; it may take its time to come.
std::string read_too_late(Loop& loop, Stream& stream) {
  std::string text;
  std::array<std::uint8_t, 16> buffer{};
  for (int tries = 0; tries < 1'000 && text.size() < said.size(); ++tries) {
    const auto over = loop.clock.now() - milliseconds(1);
    const auto size = loop.run(stream.read_some(buffer, loop.scope, over));
    if (!size.has_error()) {
      text.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*size));
      continue;
    }
    EXPECT_EQ(size.error().kind, FailureKind::timed_out) << size.error().text;
    loop.run(sleep_until(loop.executor(), loop.scope, loop.soon(milliseconds(10))));
  }
  return text;
}

void expect_silence(Loop& loop, Stream& stream) {
  std::array<std::uint8_t, 16> buffer{};
  const auto size = loop.run(stream.read_some(buffer, loop.scope, loop.soon(milliseconds(20))));
  ASSERT_TRUE(size.has_error());
  EXPECT_EQ(size.error().kind, FailureKind::timed_out);
}

TEST(TcpStream, WhatHasComeCountsAfterTheDeadline) {
  Loop loop;
  test::TcpServer server(loop, [](tcp::socket& peer) { return say(peer); });
  auto stream = loop.run(connect_tcp(loop.executor(), loop.scope, server.address(), {}));
  ASSERT_FALSE(stream.has_error()) << stream.error().text;
  EXPECT_EQ(read_too_late(loop, **stream), said);
  expect_silence(loop, **stream);
}

// Of a UDP socket that sent to a closed port. If it is not connected, it looks like a TCP socket
// whose connection request an ICMP error has just turned away: SO_ERROR is 0, and one is queued.
std::optional<IcmpError> refusal_of_a_packet(bool connected) {
  Loop loop;
  const asio::ip::udp::endpoint closed(asio::ip::address_v4::loopback(),
                                       test::closed_udp_port(loop.context));
  asio::ip::udp::socket socket(loop.executor(), asio::ip::udp::v4());
  const int native = socket.native_handle();
  EXPECT_TRUE(platform::enable_icmp_errors(native, false));
  EXPECT_FALSE(refusal_of_connection(native));
  if (connected) socket.connect(closed);
  socket.send_to(asio::buffer(said), closed);
  return refusal_of_connection(native);
}

TEST(TcpStream, IsNotThereWhereIcmpTurnedItAway) {
  if (!platform::icmp_supported()) GTEST_SKIP();
  const auto refusal = refusal_of_a_packet(false);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, IcmpKind::port_unreachable);
  EXPECT_FALSE(refusal_of_a_packet(true));
}

// A filter of this thread's own stands for a kernel that was started with ipv6.disable=1.
TEST(Listener, AtAllAddressesDoesWithoutIpv6) {
  std::thread([] {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{std::size(rules), rules};
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) GTEST_SKIP() << "no filter";
    Loop loop;
    tcp::acceptor all(loop.executor()), one(loop.executor());
    const auto local = listen_at(all, {*IpAddress::parse("::"), 0});
    ASSERT_FALSE(local.has_error()) << local.error().text;
    EXPECT_EQ(local->address, IpAddress());
    EXPECT_TRUE(listen_at(one, {*IpAddress::parse("::1"), 0}).has_error());
  }).join();
}

// Who comes late to a connection measures himself: the system timed it.
TEST(TcpStream, TimesTheHandshakeAndNotThisProgram) {
  Loop loop;
  const test::TcpServer server(loop, [](tcp::socket& peer) { return say(peer); });
  const milliseconds busy(300);
  asio::post(loop.executor(),
             [&] { asio::post(loop.executor(), [&] { std::this_thread::sleep_for(busy); }); });
  const auto stream = loop.run(connect_tcp(loop.executor(), loop.scope, server.address(), {}));
  ASSERT_FALSE(stream.has_error()) << stream.error().text;
  EXPECT_GT((*stream)->round_trip().count(), 0);
  EXPECT_LT((*stream)->round_trip(), busy);
  EXPECT_LT((*stream)->handshake_took(), busy);
}

// A listener whose queue is full drops the first request, and takes the one that is sent again.
TEST(TcpStream, CountsWhatWasSentAgain) {
  Loop loop;
  tcp::acceptor listener(loop.executor());
  listener.open(tcp::v4());
  listener.bind({asio::ip::address_v4::loopback(), 0});
  listener.listen(0);
  const auto first = loop.run(
      connect_tcp(loop.executor(), loop.scope, from_endpoint(listener.local_endpoint()), {}));
  ASSERT_FALSE(first.has_error()) << first.error().text;
  EXPECT_EQ((*first)->sent_again(), 0);
  // Its request has been sent, and dropped, before anybody is taken from the queue.
  tcp::socket second(loop.executor());
  bool connected = false;
  second.async_connect(listener.local_endpoint(), [&](error_code error) { connected = !error; });
  loop.run(sleep_until(loop.executor(), loop.scope, loop.soon(milliseconds(200))));
  std::vector<tcp::socket> taken;
  for (int i = 0; i < 2; ++i) {
    listener.async_accept([&](error_code error, tcp::socket peer) {
      if (!error) taken.push_back(std::move(peer));
    });
  }
  for (int tries = 0; tries < 600 && !connected; ++tries) {
    loop.run(sleep_until(loop.executor(), loop.scope, loop.soon(milliseconds(50))));
  }
  ASSERT_TRUE(connected);
  const TcpStream late(std::move(second), milliseconds(1'000));
  EXPECT_GE(late.sent_again(), 1);
  EXPECT_EQ(late.handshake_took(), milliseconds(1'000)) << "a SYN that was lost counts";
}

TEST(TlsStream, WhatHasComeCountsAfterTheDeadline) {
  Loop loop;
  const auto authority = test::make_authority("Test");
  test::TlsServer server(loop, {{test::make_leaf("host.example", authority)}},
                         [](test::TlsServerStream& peer) { return say(peer); });
  const auto context = TlsContext::create({});
  ASSERT_FALSE(context.has_error());
  auto tcp = loop.run(connect_tcp(loop.executor(), loop.scope, server.address(), {}));
  ASSERT_FALSE(tcp.has_error()) << tcp.error().text;
  TlsOptions options;
  options.server_name = "host.example";
  auto handshake_done = loop.run(tls_handshake(std::move(*tcp), loop.scope, **context, options));
  ASSERT_FALSE(handshake_done.stream.has_error()) << handshake_done.stream.error().text;
  EXPECT_EQ(read_too_late(loop, **handshake_done.stream), said);
  expect_silence(loop, **handshake_done.stream);
}

}  // namespace
}  // namespace callready
