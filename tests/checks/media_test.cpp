#include "probe/serve/stamp_server.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready::media_test {
namespace {

using test::Bytes;
using test::ScriptedUdp;

const std::string secret = "a key of twenty-four...!";

class MediaCheck : public testing::Test {
 protected:
  test::CheckRunner runner;

  MediaCheck() { runner.settings.credentials.media_key = secret; }

  Observation measure(const SocketAddress& server, std::map<std::string, std::string> with = {}) {
    with.emplace("seconds", "1");
    return runner.run(CheckKind::media, Transport::udp, "stamp.example.com", server, with);
  }
  std::shared_ptr<serve::StampServer> reflector() {
    serve::StampOptions options;
    options.key.assign(secret.begin(), secret.end());
    return *serve::StampServer::start(runner.loop.executor(), {IpAddress::v4({127, 0, 0, 1}), 0},
                                      options);
  }
};

// The reply of a reflector in open mode, with that number of its own.
Bytes reflected(const Bytes& request, const media::stamp::SenderPacket& packet,
                std::uint32_t number) {
  media::stamp::ReflectorPacket reply;
  reply.sequence = number;
  reply.ssid = packet.ssid;
  reply.sender_sequence = packet.sequence;
  reply.sender_sent = packet.sent;
  reply.sender_error = packet.error;
  reply.received = reply.sent = media::stamp::to_timestamp(std::chrono::system_clock::now());
  return media::stamp::encode_reply(reply, request, {});
}

// A reflector in open mode that does to packets what a test says. Counts from 0 where `counts`.
struct Reflects {
  bool counts = true;
  std::function<bool(std::uint32_t sequence)> takes = [](std::uint32_t) { return true; };
  std::function<bool(std::uint32_t counter)> gives = [](std::uint32_t) { return true; };
  std::uint32_t counter = 0;

  void operator()(ScriptedUdp& self, const Bytes& request, const SocketAddress& from) {
    const auto packet = media::stamp::parse_sender(request, {});
    if (!packet || !takes(packet->sequence)) return;
    const auto number = counts ? counter : packet->sequence;
    ++counter;
    if (gives(number)) self.send(reflected(request, *packet, number), from);
  }
};

TEST_F(MediaCheck, MeasuresAStreamThroughAnAuthenticatedReflector) {
  const auto server = reflector();
  const auto seen = measure(server->local(), {{"authenticated", "true"}});
  ASSERT_EQ(seen.outcome, Outcome::answered);
  ASSERT_TRUE(seen.media && seen.media->up && seen.media->down);
  const auto& stream = *seen.media;
  EXPECT_EQ(stream.codec, "g711");
  EXPECT_EQ(stream.packet_bytes, 172);
  for (const auto* direction : {&*stream.up, &*stream.down}) {
    EXPECT_EQ(direction->sent, 50);
    EXPECT_EQ(direction->lost, 0);
    EXPECT_EQ(direction->duplicates, 0);
    EXPECT_EQ(direction->reordered, 0);
    EXPECT_EQ(direction->dscp_sent, 46);
    EXPECT_EQ(direction->dscp_arrived, 46);
    ASSERT_TRUE(direction->delay_ms && direction->score);
    EXPECT_EQ(direction->seconds.size(), 1u);
  }
  EXPECT_EQ(seen.detail, stream.fit ? DetailCode::streamed : DetailCode::unfit);
}

TEST_F(MediaCheck, GetsNothingWithoutTheKey) {
  const auto server = reflector();
  EXPECT_EQ(measure(server->local()).outcome, Outcome::silent);
  runner.settings.credentials.media_key = "another key, as long as it is";
  EXPECT_EQ(measure(server->local(), {{"authenticated", "true"}}).outcome, Outcome::silent);
  runner.settings.credentials.media_key.clear();
  const auto seen = measure(server->local(), {{"authenticated", "true"}});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::no_key);
}

// A queue that has no room for voice drops what is marked; all else passes.
TEST_F(MediaCheck, TriesWithoutTheMarkWhereNobodyAnswers) {
  const auto measured = [&](bool drops_all) {
    ScriptedUdp server(runner.loop.context,
                       [&](ScriptedUdp& self, const Bytes& request, const SocketAddress& from) {
                         const auto packet = media::stamp::parse_sender(request, {});
                         ASSERT_TRUE(packet && packet->tlvs.class_of_service);
                         if (drops_all || packet->tlvs.class_of_service->wanted == 46) return;
                         self.send(reflected(request, *packet, 0), from);
                       });
    return measure(server.address());
  };
  EXPECT_EQ(measured(false).outcome, Outcome::failed);
  EXPECT_EQ(measured(false).detail, DetailCode::marked_silent);
  EXPECT_EQ(measured(true).outcome, Outcome::silent);
}

TEST_F(MediaCheck, SaysWhichWayPacketsAreLost) {
  Reflects reflects;
  reflects.takes = [](std::uint32_t sequence) { return sequence % 10 != 5; };
  reflects.gives = [](std::uint32_t counter) { return counter % 20 != 7; };
  ScriptedUdp server(runner.loop.context, reflects);
  const auto seen = measure(server.address());
  ASSERT_TRUE(seen.media && seen.media->up && seen.media->down);
  EXPECT_EQ(seen.media->up->lost, 5);
  EXPECT_EQ(seen.media->up->sent, 50);
  EXPECT_EQ(seen.media->down->sent, 45) << "the far end sends back what it gets";
  EXPECT_GE(seen.media->down->lost, 2);
  EXPECT_LE(seen.media->down->lost, 3);
  EXPECT_EQ(seen.media->up->longest_burst, 1);
}

TEST_F(MediaCheck, WhatThisComputerDoesNotSendIsNoLoss) {
  // After the one that begins it, a stream of a second has 50 packets, and 25 to see its end by.
  struct Case {
    int let_out, not_let_out;
    int measured, not_counted;
  };
  for (const auto& one : {Case{10, 5, 50, 5}, Case{31, 1'000, 30, 45}}) {
    int tried = 0;
    std::uint32_t counter = 0;
    test::MemoryServer reflector(
        runner.loop.executor(), {IpAddress::v4({127, 0, 0, 1}), 50'000},
        [&](const Bytes& sent, std::vector<Bytes>& replies) {
          ++tried;
          if (tried > one.let_out && tried <= one.let_out + one.not_let_out) {
            return make_error_code(boost::system::errc::operation_not_permitted);
          }
          const auto packet = media::stamp::parse_sender(sent, {});
          if (packet) replies.push_back(reflected(sent, *packet, counter++));
          return error_code();
        });
    const auto seen = measure({IpAddress::v4({127, 0, 0, 1}), 862});
    EXPECT_EQ(seen.outcome, Outcome::answered);
    ASSERT_TRUE(seen.media && seen.media->up && seen.media->down);
    for (const auto* direction : {&*seen.media->up, &*seen.media->down}) {
      EXPECT_EQ(direction->sent, one.measured);
      EXPECT_EQ(direction->lost, 0);
    }
    EXPECT_FALSE(seen.media->outage);
    EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::error, Fact::count), one.not_counted);
  }
}

// As where the Wi-Fi is gone: what was sent before would look like a flawless call.
TEST_F(MediaCheck, AStreamThatLosesItsRouteIsNotMeasured) {
  int tried = 0;
  std::uint32_t counter = 0;
  test::MemoryServer server(
      runner.loop.executor(), {IpAddress::v4({127, 0, 0, 1}), 50'000},
      [&](const Bytes& sent, std::vector<Bytes>& replies) {
        if (++tried > 31) return make_error_code(boost::system::errc::network_unreachable);
        const auto packet = media::stamp::parse_sender(sent, {});
        if (packet) replies.push_back(reflected(sent, *packet, counter++));
        return error_code();
      });
  const auto seen = measure({IpAddress::v4({127, 0, 0, 1}), 862});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::route_lost);
  EXPECT_FALSE(seen.media.has_value());
}

TEST_F(MediaCheck, AFloodIsNotMeasured) {
  std::size_t strangers = 10;
  std::uint32_t counter = 0;
  test::MemoryServer server(
      runner.loop.executor(), {IpAddress::v4({127, 0, 0, 1}), 50'000},
      [&](const Bytes& sent, std::vector<Bytes>& replies) {
        replies.assign(strangers, Bytes{1, 2, 3});
        const auto packet = media::stamp::parse_sender(sent, {});
        if (packet) replies.push_back(reflected(sent, *packet, counter++));
        return error_code();
      });
  const SocketAddress address{IpAddress::v4({127, 0, 0, 1}), 862};
  EXPECT_EQ(measure(address).outcome, Outcome::answered);
  strangers = 5'000;
  const auto flood = measure(address);
  EXPECT_EQ(flood.outcome, Outcome::skipped);
  EXPECT_EQ(test::find_evidence(flood, EvidenceKind::error)->text, flooded().text);
  EXPECT_FALSE(flood.media);
}

TEST_F(MediaCheck, AReflectorThatDoesNotCountTellsNoDirection) {
  Reflects reflects;
  reflects.counts = false;
  reflects.takes = [](std::uint32_t sequence) { return sequence % 10 != 5; };
  ScriptedUdp server(runner.loop.context, reflects);
  const auto seen = measure(server.address());
  ASSERT_TRUE(seen.media);
  EXPECT_FALSE(seen.media->up || seen.media->down);
  EXPECT_NEAR(seen.media->round_trip_loss.percent, 10, 1e-9);
  EXPECT_TRUE(seen.media->round_trip_ms);
}

TEST_F(MediaCheck, IsSilentWhereNobodyAnswersOrSomebodyElseDoes) {
  ScriptedUdp silent(runner.loop.context, [](auto&&...) {});
  EXPECT_EQ(measure(silent.address()).outcome, Outcome::silent);
  ScriptedUdp echo(runner.loop.context,
                   [](ScriptedUdp& self, const Bytes& request, const SocketAddress& from) {
                     self.send(Bytes(request.begin(), request.begin() + 20), from);
                   });
  EXPECT_EQ(measure(echo.address()).outcome, Outcome::silent);
}

TEST_F(MediaCheck, IsRefusedWhereNobodyListens) {
  SocketAddress gone;
  {
    ScriptedUdp server(runner.loop.context, [](auto&&...) {});
    gone = server.address();
  }
  EXPECT_EQ(measure(gone).outcome, Outcome::refused);
}

TEST_F(MediaCheck, TakesNoParametersThatAreNone) {
  const SocketAddress nobody{IpAddress::v4({127, 0, 0, 1}), 9};
  for (const auto& [name, value] : std::map<std::string, std::string>{
           {"codec", "g729"}, {"seconds", "0"}, {"jitter_buffer_ms", "4o"}}) {
    EXPECT_EQ(measure(nobody, {{name, value}}).detail, DetailCode::bad_parameter) << name;
  }
}

TEST_F(MediaCheck, OpusHasSmallerPackets) {
  const auto server = reflector();
  const auto seen = measure(server->local(), {{"authenticated", "true"}, {"codec", "opus"}});
  ASSERT_TRUE(seen.media && seen.media->up);
  EXPECT_EQ(seen.media->packet_bytes, 112);
  EXPECT_EQ(seen.media->up->lost, 0);
  EXPECT_FALSE(seen.media->up->duplicates) << "no room for the counts";
}

}  // namespace
}  // namespace callready::media_test
