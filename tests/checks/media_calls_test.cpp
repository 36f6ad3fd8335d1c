// Many calls at once, and a far end that cannot read all that comes to it.
#include <fmt/format.h>
#include <openssl/x509.h>

#include "probe/media/stamp.hpp"
#include "probe/util/digest.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/stream_server.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::ScriptedUdp;

std::string sha256_of(const test::Certificate& certificate) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  X509_digest(certificate.x509.get(), EVP_sha256(), digest.data(), &size);
  return hex(digest);
}

using Counters = std::map<std::uint16_t, std::uint32_t>;  // by session

// As a reflector that counts what it gets of each session.
media::stamp::ReflectorPacket reply_to(const media::stamp::SenderPacket& packet, Counters& counters,
                                       const Clock& clock) {
  media::stamp::ReflectorPacket reply;
  reply.sequence = counters[packet.ssid]++;
  reply.ssid = packet.ssid;
  reply.sender_sequence = packet.sequence;
  reply.sender_sent = packet.sent;
  reply.sender_error = packet.error;
  reply.received = reply.sent = media::stamp::to_timestamp(clock.wall_now());
  return reply;
}

// Answers each request with the same.
asio::awaitable<void> tell(test::TlsServerStream& stream, std::string body) {
  const auto reply =
      fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
  std::array<char, 4'096> buffer{};
  for (;;) {
    const auto [error, size] =
        co_await stream.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    static_cast<void>(size);
    co_await asio::async_write(stream, asio::buffer(reply), asio::as_tuple(asio::use_awaitable));
  }
}

TEST(MediaCalls, WhatTheFarEndLostItselfSaysNothingOfTheLine) {
  for (const bool lost_there : {true, false}) {
    test::CheckRunner runner({}, test::Time::by_hand);
    runner.settings.credentials.media_key = "a key of some length";
    runner.settings.calls = 1;
    // A reflector that gets all of the first session, the stream's, and half of a call's.
    std::optional<std::uint16_t> first;
    Counters counters;
    ScriptedUdp reflector(runner.loop.context,
                          [&](ScriptedUdp& self, const Bytes& request, const SocketAddress& from) {
                            const auto packet = media::stamp::parse_sender(request, {});
                            if (!packet) return;
                            if (!first) first = packet->ssid;
                            const bool of_a_call = packet->ssid != *first;
                            if (of_a_call && packet->sequence > 3 && packet->sequence % 2 == 0)
                              return;
                            const auto reply = reply_to(*packet, counters, runner.loop.clock);
                            self.send(media::stamp::encode_reply(reply, request, {}), from);
                          });
    test::TlsServerOptions options;
    options.chain = {test::make_authority("Far end")};
    const auto counts =
        fmt::format("received 1\nelsewhere 0\ndropped {}\n", lost_there ? 1'000 : 0);
    test::TlsServer counting(runner.loop, options,
                             [&](auto& stream) { return tell(stream, counts); });
    const auto seen =
        runner.run(CheckKind::media, Transport::udp, "stamp.example.com", reflector.address(),
                   {{"seconds", "1"},
                    {"counts", std::to_string(counting.address().port)},
                    {"sha256", sha256_of(options.chain.front())}});
    ASSERT_TRUE(seen.media && seen.media->calls);
    EXPECT_EQ(seen.media->calls->busy.value_or(false), lost_there);
    EXPECT_EQ(seen.media->calls->steps.size(), lost_there ? 0u : 1u);
    EXPECT_EQ(seen.media->calls->passed, 0);
  }
}

TEST(MediaCalls, WhatThisComputerKeepsBackSaysNothingOfTheLine) {
  test::CheckRunner runner({}, test::Time::by_hand);
  runner.settings.calls = 1;
  std::optional<std::uint16_t> first;
  Counters counters;
  test::MemoryServer reflector(
      runner.loop.executor(), {IpAddress::v4({127, 0, 0, 1}), 50'000},
      [&](const Bytes& request, std::vector<Bytes>& replies) {
        const auto packet = media::stamp::parse_sender(request, {});
        if (!packet) return error_code();
        if (!first) first = packet->ssid;
        const bool of_a_call = packet->ssid != *first;
        if (of_a_call && packet->sequence > 3 && packet->sequence % 2 == 0) {
          return make_error_code(boost::system::errc::operation_not_permitted);
        }
        const auto reply = reply_to(*packet, counters, runner.loop.clock);
        replies.push_back(media::stamp::encode_reply(reply, request, {}));
        return error_code();
      });
  const auto seen = runner.run(CheckKind::media, Transport::udp, "stamp.example.com",
                               {IpAddress::v4({127, 0, 0, 1}), 862}, {{"seconds", "1"}});
  ASSERT_TRUE(seen.media && seen.media->calls);
  EXPECT_EQ(seen.media->calls->passed, 0);
  EXPECT_FALSE(seen.media->calls->fit);
  EXPECT_FALSE(seen.media->calls->limit);
}

// One pause in five seconds, and what is lost then: the same number of calls is tried again.
TEST(MediaCalls, AStepInWhichThisComputerPausedIsRepeated) {
  for (const bool paused : {true, false}) {
    test::CheckRunner runner({}, test::Time::by_hand);
    auto& clock = dynamic_cast<test::ManualClock&>(runner.loop.clock);
    runner.settings.calls = 1;
    std::optional<std::uint16_t> first;
    Counters counters;
    int asked = 0;
    test::MemoryServer reflector(
        runner.loop.executor(), {IpAddress::v4({127, 0, 0, 1}), 50'000},
        [&](const Bytes& request, std::vector<Bytes>& replies) {
          const auto packet = media::stamp::parse_sender(request, {});
          if (!packet) return error_code();
          if (!first) first = packet->ssid;
          if (packet->ssid != *first) ++asked;
          if (asked == 50 && paused) clock.be_late(milliseconds(60));
          const bool lost = asked >= 50 && asked < 60 && packet->ssid != *first;
          if (lost) return error_code();
          const auto reply = reply_to(*packet, counters, runner.loop.clock);
          replies.push_back(media::stamp::encode_reply(reply, request, {}));
          return error_code();
        });
    const auto seen = runner.run(CheckKind::media, Transport::udp, "stamp.example.com",
                                 {IpAddress::v4({127, 0, 0, 1}), 862}, {{"seconds", "1"}});
    ASSERT_TRUE(seen.media && seen.media->calls);
    EXPECT_EQ(seen.media->calls->passed, paused ? 1 : 0);
    EXPECT_TRUE(seen.media->calls->fit);
  }
}

}  // namespace
}  // namespace callready
