// UDP requests: when they are sent, what ends them, what is ignored.
#include "probe/net/udp.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "probe/net/timeouts.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/memory_server.hpp"

namespace callready::udp_test {
namespace {

using asio::ip::udp;
using test::Loop;
using test::Time;

using Bytes = std::vector<std::uint8_t>;
using Replies = std::vector<Bytes>;

// Answers each request with what the test gives; nothing: silence.
class Server {
 public:
  using Handler = std::function<Replies(int request)>;

  Server(Loop& loop, Handler handler)
      : loop_(loop),
        handler_(std::move(handler)),
        socket_(loop.context, {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(loop.context, serve(), asio::detached);
  }

  SocketAddress address() const { return from_endpoint(socket_.local_endpoint()); }
  std::vector<Instant> asked;

 private:
  asio::awaitable<void> serve() {
    std::array<std::uint8_t, 100> buffer{};
    for (;;) {
      udp::endpoint from;
      const auto [error, size] = co_await socket_.async_receive_from(
          asio::buffer(buffer), from, asio::as_tuple(asio::use_awaitable));
      if (error) co_return;
      static_cast<void>(size);
      asked.push_back(loop_.clock.now());
      for (const auto& reply : handler_(static_cast<int>(asked.size()))) {
        socket_.send_to(asio::buffer(reply), from);
      }
    }
  }

  Loop& loop_;
  Handler handler_;
  udp::socket socket_;
};

const Bytes question{'?'}, answer{'!'}, stray{'x'};

bool is_answer(const Datagram& datagram) { return datagram.bytes == answer; }

UdpOutcome ask(Loop& loop, const SocketAddress& to, const UdpMatch& match = is_answer) {
  auto socket = UdpSocket::open(loop.executor(), to, {});
  if (socket.has_error()) {
    ADD_FAILURE() << socket.error().text;
    return UdpFailure{};
  }
  return loop.run(udp_request(*socket, loop.scope, question, match));
}

TEST(UdpRequest, IsAnsweredAtOnce) {
  Loop loop;
  Server server(loop, [](int) { return Replies{answer}; });
  const auto outcome = ask(loop, server.address());
  ASSERT_FALSE(outcome.has_error()) << outcome.error().failure.text;
  EXPECT_EQ(outcome->attempts, 1);
  EXPECT_EQ(outcome->datagram.bytes, answer);
  EXPECT_EQ(outcome->datagram.from, server.address());
  ASSERT_TRUE(outcome->round_trip);
  EXPECT_GE(outcome->round_trip->count(), 0);
}

TEST(UdpRequest, IsRepeatedAtItsTimesAndThenSilent) {
  Loop loop(Time::by_hand);
  Server server(loop, [](int) { return Replies{}; });
  const auto start = loop.clock.now();
  const auto outcome = ask(loop, server.address());
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().failure.kind, FailureKind::timed_out);
  EXPECT_EQ(outcome.error().attempts, 4);
  EXPECT_EQ(loop.clock.now() - start, timeouts::udp_reply);
  ASSERT_EQ(server.asked.size(), timeouts::udp_sends.size());
  for (std::size_t i = 0; i < server.asked.size(); ++i) {
    EXPECT_EQ(server.asked[i] - start, timeouts::udp_sends[i]);
  }
}

TEST(UdpRequest, HasNoRoundTripAfterARetransmission) {
  Loop loop(Time::by_hand);
  Server server(loop, [](int request) { return request == 2 ? Replies{answer} : Replies{}; });
  const auto outcome = ask(loop, server.address());
  ASSERT_FALSE(outcome.has_error());
  EXPECT_EQ(outcome->attempts, 2);
  EXPECT_FALSE(outcome->round_trip) << "which of the two was answered is not known";
  EXPECT_EQ(outcome->since_first, Milliseconds(timeouts::udp_sends[1]));
}

// The answer lies in the socket while this computer is busy. Linux begins to stamp packets a moment
// after somebody has asked for it, so that the first ones may come without.
TEST(UdpRequest, ARoundTripIsTheNetworksAndNotTheComputersDelay) {
  static constexpr milliseconds busy{400};
  constexpr int most_tries = 8;
  bool seen = false;
  for (int i = 0; i < most_tries && !seen; ++i) {
    Loop loop;
    Server server(loop, [&](int) {
      asio::post(loop.context, [] { std::this_thread::sleep_for(busy); });
      return Replies{answer};
    });
    const auto start = loop.clock.now();
    const auto outcome = ask(loop, server.address());
    const auto all = elapsed(start, loop.clock.now());
    ASSERT_FALSE(outcome.has_error()) << outcome.error().failure.text;
    EXPECT_GE(all, busy) << "else this shows nothing";
    seen = outcome->since_first <= all - busy / 2;
  }
  EXPECT_TRUE(seen);
}

// By then the deadline is over; it was answered all the same.
TEST(UdpSocket, WhatHasComeCountsAfterTheDeadline) {
  Loop loop;
  udp::socket peer(loop.context, {asio::ip::address_v4::loopback(), 0});
  auto socket = UdpSocket::open(loop.executor(), from_endpoint(peer.local_endpoint()), {});
  ASSERT_FALSE(socket.has_error());
  peer.send_to(asio::buffer(answer), to_endpoint<udp>(socket->local()));
  const auto over = loop.clock.now() - milliseconds(1);
  const auto event = loop.run(socket->receive(loop.scope, over));
  ASSERT_FALSE(event.has_error()) << event.error().text;
  EXPECT_TRUE(is_answer(std::get<Datagram>(*event)));
  EXPECT_EQ(loop.run(socket->receive(loop.scope, over)).error().kind, FailureKind::timed_out);
}

TEST(UdpRequest, IgnoresWhatDoesNotMatch) {
  Loop loop;
  Server server(loop, [](int) { return Replies{stray, stray, Bytes{}, answer}; });
  EXPECT_FALSE(ask(loop, server.address()).has_error());
}

TEST(UdpRequest, GivesUpInAFloodThatSaysNothing) {
  Loop loop(Time::by_hand);
  const SocketAddress remote{IpAddress::v4({192, 0, 2, 1}), 3'478};
  std::size_t strangers = 1'000;
  test::MemoryServer server(loop.executor(), {}, [&](const Bytes&, Replies& replies) {
    replies.assign(strangers, stray);
    replies.push_back(answer);
    return error_code();
  });
  EXPECT_FALSE(ask(loop, remote).has_error());
  strangers = 5'000;
  const auto outcome = ask(loop, remote);
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().failure.text, flooded().text);
  EXPECT_EQ(outcome_of(outcome.error().failure), Outcome::skipped);
  EXPECT_EQ(outcome.error().ignored, most_foreign);
}

TEST(UdpRequest, HearsThatNobodyListens) {
  Loop loop;
  // Held on another address, so that nobody who listens on all of them gets the port meanwhile.
  const udp::socket held(loop.context, {asio::ip::make_address_v4("127.0.0.2"), 0});
  const SocketAddress closed{IpAddress::v4({127, 0, 0, 3}), held.local_endpoint().port()};
  const auto outcome = ask(loop, closed);
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().failure.kind, FailureKind::connection_refused);
  if (platform::icmp_supported()) {
    ASSERT_TRUE(outcome.error().failure.icmp);
    EXPECT_EQ(outcome.error().failure.icmp->kind, IcmpKind::port_unreachable);
    EXPECT_EQ(outcome.error().failure.icmp->sender, closed.address);
    EXPECT_EQ(outcome.error().failure.icmp->payload, question);
  }
}

TEST(UdpRequest, HearsThatNobodyListensOverIpv6) {
  Loop loop;
  error_code error;
  udp::socket probe(loop.context);
  probe.open(udp::v6(), error);
  probe.bind({asio::ip::address_v6::loopback(), 0}, error);
  if (error) GTEST_SKIP() << "no IPv6 on loopback here";
  const auto closed = from_endpoint(probe.local_endpoint());
  probe.close();
  const auto outcome = ask(loop, closed);
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().failure.kind, FailureKind::connection_refused);
  if (platform::icmp_supported()) {
    ASSERT_TRUE(outcome.error().failure.icmp);
    EXPECT_EQ(outcome.error().failure.icmp->sender, closed.address);
  }
}

TEST(UdpRequest, EndsWithTheRun) {
  Loop loop(Time::by_hand);
  Server server(loop, [](int) { return Replies{}; });
  const auto timer =
      loop.clock.call_at(loop.clock.now() + milliseconds(100), [&] { loop.stop.stop(); });
  const auto start = loop.clock.now();
  auto outcome = ask(loop, server.address());
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().failure.kind, FailureKind::stopped);
  EXPECT_EQ(loop.clock.now() - start, milliseconds(100));
  outcome = ask(loop, server.address());
  EXPECT_EQ(outcome.error().attempts, 0) << "nothing is sent after the end";
}

TEST(UdpSocket, ThatIsNotConnectedHearsAnybody) {
  Loop loop;
  Server first(loop, [](int) { return Replies{answer}; });
  Server second(loop, [](int) { return Replies{answer}; });
  UdpSocket::Options options;
  options.connect = false;
  auto socket = UdpSocket::open(loop.executor(), first.address(), options);
  ASSERT_FALSE(socket.has_error());
  EXPECT_NE(socket->local().port, 0);
  ASSERT_FALSE(socket->send_to(question, second.address()).has_error());
  const auto event = loop.run(socket->receive(loop.scope, loop.soon()));
  ASSERT_FALSE(event.has_error());
  EXPECT_EQ(std::get<Datagram>(*event).from, second.address());
}

TEST(UdpSocket, OfAllAddressesSaysWhichWasAskedAndAnswersFromThere) {
  Loop loop;
  for (const auto& [bound, asked] :
       {std::pair{"0.0.0.0", "127.0.0.9"}, std::pair{"::", "127.0.0.9"}, std::pair{"::", "::1"}}) {
    SCOPED_TRACE(std::string(bound) + " asked at " + asked);
    UdpSocket::Options options;
    options.bind = {*IpAddress::parse(bound), 0};
    auto server = UdpSocket::open(loop.executor(), *options.bind, options);
    if (server.has_error() && options.bind->address.is_v6()) GTEST_SKIP() << "no IPv6 here";
    const SocketAddress there{*IpAddress::parse(asked), server->local().port};
    auto client = UdpSocket::open(loop.executor(), there, {});  // hears nobody else
    if (client.has_error()) GTEST_SKIP() << "no IPv6 here";
    ASSERT_FALSE(client->send(question).has_error());
    const auto heard = *loop.run(server->receive(loop.scope, loop.soon()));
    const auto& request = std::get<Datagram>(heard);
    EXPECT_EQ(request.to, there.address);
    ASSERT_FALSE(server->send_to(answer, request.from, request.to).has_error());
    const auto reply = *loop.run(client->receive(loop.scope, loop.soon(milliseconds(500))));
    EXPECT_EQ(std::get<Datagram>(reply).bytes, answer);
  }
}

TEST(OwnAddress, IsTheOneThatPacketsToTheOtherEndCarry) {
  Loop loop;
  const auto loopback = IpAddress::v4({127, 0, 0, 1});
  EXPECT_EQ(own_address_towards(loop.executor(), loopback), loopback);
}

TEST(UdpSocket, OfAnInterfaceThatIsNotThereIsAnError) {
  Loop loop;
  UdpSocket::Options options;
  options.interface = "nosuch0";
  EXPECT_TRUE(
      UdpSocket::open(loop.executor(), {*IpAddress::parse("127.0.0.1"), 9}, options).has_error());
}

}  // namespace
}  // namespace callready::udp_test
