// The echo and the clock.
#include "probe/serve/ntp_server.hpp"
#include "probe/serve/udp_echo.hpp"
#include "tests/serve/raw.hpp"

namespace callready::serve {
namespace {

struct UdpEchoTest : testing::Test {
  test::Loop loop;
};

TEST_F(UdpEchoTest, SendsBackWhatCameOnEveryPortOfItsRange) {
  EchoOptions options;
  options.ports = 8;
  const auto echo = *UdpEcho::start(loop.executor(), any_port, options);
  ASSERT_EQ(echo->ports().count(), 8u);
  EXPECT_EQ(echo->ports().first, echo->local().port);
  for (unsigned port = echo->ports().first; port <= echo->ports().last; ++port) {
    RawUdp client(loop, {loopback, static_cast<std::uint16_t>(port)});
    const auto packet = bytes_of("packet to " + std::to_string(port));
    EXPECT_EQ(client.ask(packet), packet);
  }
}

TEST_F(UdpEchoTest, TakesTheRangeItIsGivenOrNone) {
  EchoOptions options;
  options.ports = 2;
  auto echo = *UdpEcho::start(loop.executor(), any_port, options);
  const auto first = echo->local();
  EXPECT_TRUE(UdpEcho::start(loop.executor(), first, options).has_error());
  echo->stop();
  settle(loop);
  echo = *UdpEcho::start(loop.executor(), first, options);
  EXPECT_EQ(echo->local(), first);
  const auto beyond = UdpEcho::start(loop.executor(), {loopback, 65'535}, options);
  ASSERT_TRUE(beyond.has_error());
  EXPECT_EQ(beyond.error().text, "no such port range");
}

TEST_F(UdpEchoTest, KeepsItsRateWhereSomebodyAnswersIt) {
  EchoOptions options;
  options.limits.datagrams_per_second = 20;
  const auto echo = *UdpEcho::start(loop.executor(), any_port, options);
  int seen = 0;
  const auto other = *UdpService::start(loop.executor(), any_port,
                                        [&](std::span<const std::uint8_t> request, SocketAddress&) {
                                          ++seen;
                                          return Bytes(request.begin(), request.end());
                                        });
  other->send(bytes_of("for ever?"), echo->local());
  const auto run_for = [&](milliseconds time, int enough) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (seen < enough && std::chrono::steady_clock::now() < until) {
      loop.context.restart();
      loop.context.run_one_for(milliseconds(5));
    }
  };
  run_for(milliseconds(5'000), 20);
  EXPECT_EQ(seen, 20);  // the bucket
  run_for(milliseconds(100), 1'000);
  EXPECT_LT(seen, 200);
}

Bytes ntp_request(int version, int mode) {
  Bytes packet(48);
  packet[0] = static_cast<std::uint8_t>(version << 3 | mode);
  packet[2] = 6;
  for (std::size_t i = 40; i < 48; ++i) packet[i] = static_cast<std::uint8_t>(i);
  return packet;
}

TEST(NtpServer, AnswersByteForByte) {
  NtpOptions options;
  options.offset = milliseconds(250);
  // 2000-01-01 00:00:00.5 UTC is 3155673600.5 in NTP's seconds.
  const WallTime now{std::chrono::milliseconds(946'684'800'500)};
  const auto reply = answer_ntp(options, ntp_request(4, 3), now);
  const Bytes time{0xbc, 0x17, 0xc2, 0x00, 0xc0, 0, 0, 0};  // .75
  Bytes expected{0x24, 10, 6, 0xec, 0, 0, 0, 0, 0, 0, 2, 0x8f, 127, 0, 0, 1};
  expected.insert(expected.end(), time.begin(), time.end());
  for (std::uint8_t i = 40; i < 48; ++i) expected.push_back(i);
  expected.insert(expected.end(), time.begin(), time.end());
  expected.insert(expected.end(), time.begin(), time.end());
  EXPECT_EQ(reply, expected);
  // After 2036 the seconds begin again at 0 (RFC 4330 section 3).
  const WallTime later{std::chrono::seconds(2'085'978'496)};
  const auto wrapped = answer_ntp({}, ntp_request(4, 3), later);
  EXPECT_EQ(Bytes(wrapped.begin() + 40, wrapped.begin() + 44), Bytes({0, 0, 0, 0}));
}

TEST(NtpServer, AnswersClientsOnlyAndNoMoreThanTheySent) {
  const auto now = std::chrono::system_clock::now();
  for (int mode = 0; mode < 8; ++mode) {
    for (int version = 0; version < 8; ++version) {
      const auto reply = answer_ntp({}, ntp_request(version, mode), now);
      const bool right = mode == 3 && version >= 1 && version <= 4;
      EXPECT_EQ(reply.size(), right ? 48u : 0u) << mode << ' ' << version;
    }
  }
  const auto whole = ntp_request(4, 3);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(answer_ntp({}, std::span(whole).first(size), now).empty());
  }
  Bytes longer = whole;
  longer.resize(1'000);
  EXPECT_EQ(answer_ntp({}, longer, now).size(), 48u);
}

TEST(NtpServer, TellsTheTimeOverUdp) {
  test::Loop loop;
  const auto server = *NtpServer::start(loop.executor(), any_port);
  RawUdp client(loop, server->local());
  client.send("garbage");
  client.send(ntp_request(4, 4));  // a server's reply
  const auto reply = client.ask(ntp_request(3, 3));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->at(0), 0x1c);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
  std::uint32_t told = 0;
  for (std::size_t i = 40; i < 44; ++i) told = told << 8 | reply->at(i);
  const auto since_1970 = static_cast<std::int64_t>(told) - 2'208'988'800;
  EXPECT_LT(std::abs(static_cast<std::int32_t>(since_1970 - seconds)), 60);
}

}  // namespace
}  // namespace callready::serve
