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

// A reflector that counts what it gets of each session. The first one is the stream; what comes in
// others is of calls.
class Reflector {
 public:
  // What becomes of a packet. All of the stream's are answered.
  enum class Fate { answered, lost, kept_back };
  using OfCall = std::function<Fate(const media::stamp::SenderPacket&)>;

  Reflector(const Clock& clock, OfCall of_call) : clock_(clock), of_call_(std::move(of_call)) {}

  Fate answer(const Bytes& request, Bytes& reply) {
    const auto packet = media::stamp::parse_sender(request, {});
    if (!packet) return Fate::lost;
    if (!stream_) stream_ = packet->ssid;
    const auto fate = packet->ssid == *stream_ ? Fate::answered : of_call_(*packet);
    if (fate == Fate::answered) reply = media::stamp::encode_reply(reply_to(*packet), request, {});
    return fate;
  }

  // In memory: what is kept back never leaves this computer.
  auto in_memory() {
    return [this](const Bytes& request, std::vector<Bytes>& replies) {
      Bytes reply;
      const auto fate = answer(request, reply);
      if (fate == Fate::answered) replies.push_back(std::move(reply));
      return fate == Fate::kept_back ? make_error_code(boost::system::errc::operation_not_permitted)
                                     : error_code();
    };
  }

 private:
  media::stamp::ReflectorPacket reply_to(const media::stamp::SenderPacket& packet) {
    media::stamp::ReflectorPacket reply;
    reply.sequence = counters_[packet.ssid]++;
    reply.ssid = packet.ssid;
    reply.sender_sequence = packet.sequence;
    reply.sender_sent = packet.sent;
    reply.sender_error = packet.error;
    reply.received = reply.sent = media::stamp::to_timestamp(clock_.wall_now());
    return reply;
  }

  const Clock& clock_;
  OfCall of_call_;
  std::optional<std::uint16_t> stream_;
  std::map<std::uint16_t, std::uint32_t> counters_;  // by session
};
using Fate = Reflector::Fate;

// Every second packet of a call, from the fifth on, has this fate.
Reflector::OfCall every_second(Fate fate) {
  return [fate](const media::stamp::SenderPacket& packet) {
    return packet.sequence > 3 && packet.sequence % 2 == 0 ? fate : Fate::answered;
  };
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
    Reflector far_end(runner.loop.clock, every_second(Fate::lost));
    ScriptedUdp reflector(runner.loop.context,
                          [&](ScriptedUdp& self, const Bytes& request, const SocketAddress& from) {
                            Bytes reply;
                            if (far_end.answer(request, reply) == Fate::answered)
                              self.send(reply, from);
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
  Reflector far_end(runner.loop.clock, every_second(Fate::kept_back));
  test::MemoryServer reflector(runner.loop.executor(), {IpAddress::v4({127, 0, 0, 1}), 50'000},
                               far_end.in_memory());
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
    int asked = 0;
    Reflector far_end(clock, [&](const auto&) {
      if (++asked == 50 && paused) clock.be_late(milliseconds(60));
      return asked >= 50 && asked < 60 ? Fate::lost : Fate::answered;
    });
    test::MemoryServer reflector(runner.loop.executor(), {IpAddress::v4({127, 0, 0, 1}), 50'000},
                                 far_end.in_memory());
    const auto seen = runner.run(CheckKind::media, Transport::udp, "stamp.example.com",
                                 {IpAddress::v4({127, 0, 0, 1}), 862}, {{"seconds", "1"}});
    ASSERT_TRUE(seen.media && seen.media->calls);
    EXPECT_EQ(seen.media->calls->passed, paused ? 1 : 0);
    EXPECT_TRUE(seen.media->calls->fit);
  }
}

}  // namespace
}  // namespace callready
