#include "probe/media/reflector.hpp"

#include <gtest/gtest.h>

#include <random>

namespace callready::media::reflector_test {
namespace {

using namespace std::chrono_literals;

const stamp::Bytes secret(32, 0x5A);
const SocketAddress client{IpAddress::v4({192, 0, 2, 7}), 40'000};
const WallTime start{std::chrono::seconds(1'795'000'000)};

stamp::Bytes packet(std::uint32_t sequence, std::uint16_t ssid = 1, std::size_t size = 172) {
  stamp::SenderPacket sent;
  sent.sequence = sequence;
  sent.ssid = ssid;
  sent.tlvs.class_of_service = stamp::ClassOfService{46, 0, 0, false};
  sent.tlvs.direct_measurement = stamp::DirectMeasurement{};
  return stamp::encode(sent, size, secret);
}

class ReflectorTest : public testing::Test {
 protected:
  ReflectorLimits limits;
  std::optional<Reflector> made;
  WallTime now = start;

  Reflector& reflector() {
    if (!made) made.emplace(secret, limits, start);
    return *made;
  }
  std::optional<stamp::ReflectorPacket> ask(const stamp::Bytes& bytes,
                                            const SocketAddress& from = client) {
    const auto reply = reflector().answer({bytes, from, now - 50us, 0xB8, 57}, now);
    if (!reply) return std::nullopt;
    EXPECT_EQ(reply->bytes.size(), bytes.size());
    return stamp::parse_reply(reply->bytes, secret);
  }
};

TEST_F(ReflectorTest, CountsAndSaysWhatItSaw) {
  ASSERT_TRUE(ask(packet(0)));
  const auto reply = ask(packet(5));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->sequence, 1u) << "its own counter";
  EXPECT_EQ(reply->sender_sequence, 5u);
  EXPECT_EQ(reply->sender_ttl, 57);
  EXPECT_EQ(reply->tlvs.class_of_service->arrived, 46);
  EXPECT_EQ(reply->tlvs.direct_measurement->received, 2u);
  EXPECT_NEAR(static_cast<double>(stamp::between(reply->received, reply->sent).count()), 50'000, 2);
}

TEST_F(ReflectorTest, SendsWithTheCodePointThatIsAskedFor) {
  const auto bytes = packet(0);
  EXPECT_EQ(reflector().answer({bytes, client, now, 0, 57}, now)->traffic_class, 0xB8);
  const auto plain = stamp::encode({1, 0, stamp::unsynchronised, 1, {}}, 0, secret);
  EXPECT_EQ(reflector().answer({plain, client, now, 0x29, 57}, now)->traffic_class, 0x28);
}

TEST_F(ReflectorTest, CountsDuplicatesAndAnswersThemOnce) {
  ASSERT_TRUE(ask(packet(0)));
  EXPECT_FALSE(ask(packet(0)));
  const auto reply = ask(packet(1));
  EXPECT_EQ(reply->sequence, 1u);
  EXPECT_EQ(reply->tlvs.direct_measurement->received, 3u);
  EXPECT_EQ(reply->tlvs.direct_measurement->reflected, 2u);
}

// One packet was real, and somebody saw it: changed, cut, or sent again it draws nothing.
TEST_F(ReflectorTest, AMillionPacketsWithoutTheKeyDrawNothing) {
  const auto seen = packet(7);
  ASSERT_TRUE(reflector().answer({seen, client, now, 0, 57}, now));
  std::mt19937 random(1);
  std::size_t bytes = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    auto one = seen;
    if (i % 4 == 1) one.resize(random() % one.size());
    if (i % 4 >= 2) one[random() % one.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    const SocketAddress from{IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(i % 8)}),
                             static_cast<std::uint16_t>(40'000 + i % 2)};
    const auto reply = reflector().answer({one, from, now, 0, 57}, now);
    if (reply) bytes += reply->bytes.size();
    now += 10us;
  }
  EXPECT_EQ(bytes, 0u);
  EXPECT_EQ(reflector().sessions(), 1u);
}

TEST_F(ReflectorTest, TakesPacketsThatWereOvertaken) {
  for (const std::uint32_t sequence : {10u, 12u, 11u, 2000u, 1900u, 0xFFFF'FFFFu}) {
    EXPECT_TRUE(ask(packet(sequence))) << sequence;
    EXPECT_FALSE(ask(packet(sequence))) << sequence;
  }
  EXPECT_FALSE(ask(packet(1901))) << "older than the window";
}

TEST_F(ReflectorTest, AnswersNobodyElseInASession) {
  ASSERT_TRUE(ask(packet(0)));
  EXPECT_FALSE(ask(packet(1), {client.address, 40'001})) << "an overheard SSID";
  now += 31s;
  EXPECT_FALSE(ask(packet(2), {IpAddress::v4({192, 0, 2, 8}), 40'000})) << "nor later";
  EXPECT_EQ(reflector().sessions(), 0u) << "a client that goes away is forgotten";
}

// Which way a stream fell silent, and whether a NAT gave it another port.
TEST_F(ReflectorTest, SaysWhatCameOfASession) {
  for (std::uint32_t i : {0u, 2u, 3u, 3u}) ask(packet(i));
  for (std::uint32_t i : {4u, 5u, 5u}) EXPECT_FALSE(ask(packet(i), {client.address, 40'001}));
  EXPECT_EQ(reflector().count(1).received, 3u) << "each once";
  EXPECT_EQ(reflector().count(1).elsewhere, 2u);
  now += 40s;
  ask(packet(6));
  EXPECT_EQ(reflector().sessions(), 0u);
  EXPECT_EQ(reflector().count(1).received, 3u) << "known for as long as the key";
  EXPECT_EQ(reflector().count(2).received, 0u);
}

// Else it would be told as the line's loss.
TEST_F(ReflectorTest, SaysWhatItsComputerLostWhileASessionLived) {
  ask(packet(0, 1));
  reflector().note_dropped(3);
  ask(packet(0, 2));
  reflector().note_dropped(4);
  EXPECT_EQ(reflector().count(1).dropped, 7u);
  EXPECT_EQ(reflector().count(2).dropped, 4u);
}

TEST_F(ReflectorTest, SaysThatItHadNoRoomAndTakesSessionsBack) {
  limits.sessions_of_address = 1;
  EXPECT_TRUE(ask(packet(0, 1)));
  EXPECT_FALSE(ask(packet(0, 2)));
  EXPECT_EQ(reflector().count(1).refused, 0u);
  EXPECT_EQ(reflector().count(2).refused, 1u);
  reflector().leave(1);
  EXPECT_FALSE(ask(packet(2, 1))) << "it is over";
  EXPECT_TRUE(ask(packet(1, 2))) << "its place is free";
}

TEST_F(ReflectorTest, EndsASessionThatLastsTooLong) {
  std::uint32_t sequence = 0;
  for (; now - start <= 90s; now += 5s) EXPECT_TRUE(ask(packet(sequence++)));
  now += 2s;
  EXPECT_FALSE(ask(packet(sequence)));
}

TEST_F(ReflectorTest, KeepsItsRates) {
  limits.packets_per_second = 100;
  int answered = 0;
  for (std::uint32_t i = 0; i < 300; ++i) answered += ask(packet(i)).has_value() ? 1 : 0;
  EXPECT_EQ(answered, 100);
  now += 500ms;
  for (std::uint32_t i = 300; i < 600; ++i) answered += ask(packet(i)).has_value() ? 1 : 0;
  EXPECT_EQ(answered, 150);
}

TEST_F(ReflectorTest, KeepsTheRateOfAll) {
  limits.all_bytes_per_second = 1720;
  limits.sessions_of_address = 50;
  int answered = 0;
  for (std::uint16_t i = 0; i < 50; ++i) answered += ask(packet(0, i)).has_value() ? 1 : 0;
  EXPECT_EQ(answered, 10);
}

TEST_F(ReflectorTest, KeepsTheNumberOfSessions) {
  limits.sessions_of_address = 2;
  EXPECT_TRUE(ask(packet(0, 1)));
  EXPECT_TRUE(ask(packet(0, 2)));
  EXPECT_FALSE(ask(packet(0, 3))) << "the third of one address";
  for (std::uint8_t i = 0; i < 250; ++i) {
    ask(packet(0, static_cast<std::uint16_t>(100 + i)), {IpAddress::v4({198, 51, 100, i}), 1});
  }
  EXPECT_EQ(reflector().sessions(), 200u);
}

stamp::Bytes dated(WallTime sent, std::uint16_t ssid, std::uint32_t sequence = 0) {
  return stamp::encode({sequence, stamp::to_timestamp(sent), stamp::unsynchronised, ssid, {}}, 172,
                       secret);
}

// 65,536 sessions were all that a key was good for.
TEST_F(ReflectorTest, AKeyIsNeverUsedUp) {
  limits.sessions_of_address = 200;
  for (int i = 0; i < 70'000; ++i) {
    ASSERT_TRUE(ask(dated(now, static_cast<std::uint16_t>(i)))) << i;
    now += 500ms;
  }
}

TEST_F(ReflectorTest, NoPacketBeginsAnotherSessionLater) {
  const auto overheard = dated(now, 7);
  ASSERT_TRUE(ask(overheard));
  for (const auto later : {40s, 200s, 299s, 310s, 601s, 3'600s}) {
    now = start + later;
    EXPECT_FALSE(ask(overheard, {IpAddress::v4({192, 0, 2, 8}), 40'000})) << later.count();
  }
  EXPECT_TRUE(ask(dated(now, 7))) << "its number is free again";
}

// Of 65,536 numbers, two sites now and then take the same one: the later one has to know.
TEST_F(ReflectorTest, SaysThatANumberIsTaken) {
  const SocketAddress other{IpAddress::v4({192, 0, 2, 8}), 40'000};
  for (std::uint32_t i = 0; i < 2'000; ++i) ask(packet(i));
  EXPECT_FALSE(ask(packet(0), other));
  EXPECT_EQ(reflector().count(1).refused, 1u) << "by a session that lives";
  reflector().leave(1);
  EXPECT_FALSE(ask(packet(0), other));
  EXPECT_EQ(reflector().count(1).refused, 2u) << "and by one that is over";
  EXPECT_EQ(reflector().count(1).elsewhere, 0u);
}

TEST_F(ReflectorTest, AClientWhoseClockIsWrongHasEachNumberOnceAndThatEndsAloud) {
  limits.sessions_of_address = 200;
  std::vector<std::string> said;
  limits.full = [&](std::string_view why) { said.emplace_back(why); };
  for (int i = 0; i < 65'536; ++i) {
    ASSERT_TRUE(ask(dated(now + 5h, static_cast<std::uint16_t>(i)))) << i;
    now += 500ms;
  }
  now += 1h;
  EXPECT_FALSE(ask(dated(now + 5h, 9)));
  EXPECT_FALSE(ask(dated(now - 5h, 10)));
  EXPECT_EQ(said.size(), 1u);
  EXPECT_TRUE(ask(dated(now, 9))) << "others are not concerned";
}

TEST_F(ReflectorTest, AfterARestartOverheardPacketsAreOld) {
  const auto overheard = dated(now, 7);
  now += 5s;
  made.emplace(secret, limits, now);
  ASSERT_TRUE(ask(dated(now, 7)));
  now += 31s;
  EXPECT_FALSE(ask(overheard, {IpAddress::v4({192, 0, 2, 8}), 40'000}));
}

// The issue's own figure: a million packets of others draw nothing at all.
TEST_F(ReflectorTest, AMillionForgedReplayedAndCutPacketsDrawNothing) {
  std::mt19937 random(1);
  std::vector<stamp::Bytes> overheard;
  for (std::uint32_t i = 0; i < 100; ++i) {
    overheard.push_back(packet(i));
    ASSERT_TRUE(ask(overheard.back()));
  }
  stamp::Bytes noise(172);
  std::size_t bytes_out = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    now += 20us;
    auto from = client;
    if (i % 2 == 0) from.address = IpAddress::v4({198, 51, 100, static_cast<std::uint8_t>(i)});
    auto bytes = overheard[static_cast<std::size_t>(i) % overheard.size()];
    switch (i % 5) {
      case 0:  // replayed, by its sender's address and by others
        break;
      case 1:  // cut short
        bytes.resize(random() % bytes.size());
        if (bytes.size() == stamp::authenticated_bytes) bytes.pop_back();
        break;
      case 2:  // one bit changed; the HMAC TLV's own flags (byte 152) are not signed
        bytes[random() % 152] ^= static_cast<std::uint8_t>(1u << random() % 8);
        break;
      case 3:  // made with another key
        bytes = stamp::encode({static_cast<std::uint32_t>(i), 1, stamp::unsynchronised, 9, {}}, 0,
                              noise);
        break;
      default:
        for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
        bytes = noise;
    }
    const auto reply = reflector().answer({bytes, from, now, 0, 64}, now);
    if (reply) bytes_out += reply->bytes.size();
  }
  EXPECT_EQ(bytes_out, 0u);
  EXPECT_TRUE(ask(packet(100))) << "and its client goes on";
}

}  // namespace
}  // namespace callready::media::reflector_test
