#include "probe/net/ntp.hpp"

#include <gtest/gtest.h>

namespace callready::ntp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

WallTime at(std::int64_t unix_seconds, int ms = 0) {
  return WallTime(seconds(unix_seconds)) + milliseconds(ms);
}

std::array<std::uint8_t, 48> reply() {
  std::array<std::uint8_t, 48> bytes{};
  bytes[0] = 0 << 6 | 4 << 3 | 4;
  bytes[1] = 2;
  bytes[5] = 1;      // root delay: 1/65,536 s * 65,536
  bytes[10] = 0x80;  // root dispersion: half a second
  bytes[12] = 192;
  bytes[24] = 0xaa;  // originate
  bytes[32] = 0xbb;  // receive
  bytes[47] = 0xcc;  // transmit
  return bytes;
}

TEST(NtpTimestamp, CountsFrom1900) {
  EXPECT_EQ(to_timestamp(at(0)), 2'208'988'800ull << 32);
  EXPECT_EQ(to_timestamp(at(0, 500)), (2'208'988'800ull << 32) + 0x8000'0000);
  // 2036-02-07 06:28:16 UTC: the next era begins (RFC 5905 section 6).
  EXPECT_EQ(to_timestamp(at(2'085'978'496)), 0u);
  EXPECT_EQ(to_timestamp(at(2'085'978'495)), 0xffff'ffffull << 32);
}

TEST(NtpRequest, IsAClientsOfVersion4) {
  const auto bytes = encode_request(0x0102'0304'0506'0708);
  EXPECT_EQ(bytes[0], 0x23);
  for (std::size_t i = 1; i < 40; ++i) EXPECT_EQ(bytes[i], 0) << i;
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(bytes[40 + i], i + 1);
}

TEST(NtpPacket, IsRead) {
  const auto packet = parse_packet(reply());
  ASSERT_TRUE(packet.has_value());
  EXPECT_EQ(packet->leap, 0);
  EXPECT_EQ(packet->version, 4);
  EXPECT_EQ(packet->mode, 4);
  EXPECT_EQ(packet->stratum, 2);
  EXPECT_DOUBLE_EQ(packet->root_delay_ms, 1'000.0);
  EXPECT_DOUBLE_EQ(packet->root_dispersion_ms, 500.0);
  EXPECT_EQ(packet->originate, 0xaaull << 56);
  EXPECT_EQ(packet->receive, 0xbbull << 56);
  EXPECT_EQ(packet->transmit, 0xccull);
  EXPECT_TRUE(reply_fault(*packet).empty());
}

TEST(NtpPacket, ThatIsShortIsMalformed) {
  const auto bytes = reply();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(parse_packet(std::span(bytes).first(size)).has_error()) << size;
  }
}

TEST(NtpPacket, TellsItsFaults) {
  auto packet = *parse_packet(reply());
  packet.mode = 3;
  EXPECT_EQ(reply_fault(packet), DetailCode::malformed) << "our own question sent back";
  packet = *parse_packet(reply());
  packet.version = 0;
  EXPECT_EQ(reply_fault(packet), DetailCode::malformed);
  packet = *parse_packet(reply());
  packet.transmit = 0;
  EXPECT_EQ(reply_fault(packet), DetailCode::malformed);
  packet = *parse_packet(reply());
  packet.leap = 3;
  EXPECT_EQ(reply_fault(packet), DetailCode::not_synchronised);
  packet = *parse_packet(reply());
  packet.stratum = 16;
  EXPECT_EQ(reply_fault(packet), DetailCode::not_synchronised);
  packet.stratum = 0;
  EXPECT_EQ(reply_fault(packet), DetailCode::not_synchronised);
}

TEST(NtpPacket, OfStratum0IsAKissOnlyWithACodeThatSaysNo) {
  auto packet = *parse_packet(reply());
  const auto is_kiss_of = [&](std::array<std::uint8_t, 4> code) {
    packet.reference_id = code;
    return is_kiss(packet);
  };
  packet.stratum = 0;
  EXPECT_TRUE(is_kiss_of({'D', 'E', 'N', 'Y'}));
  EXPECT_TRUE(is_kiss_of({'r', 'a', 't', 'e'}));
  EXPECT_TRUE(is_kiss_of({'D', 'R', 'O', 'P'}));
  EXPECT_FALSE(is_kiss_of({'I', 'N', 'I', 'T'})) << "its clock is not set yet";
  EXPECT_FALSE(is_kiss_of({'S', 'T', 'E', 'P'}));
  EXPECT_FALSE(is_kiss_of({})) << "as chrony has it before it knows the time";
  EXPECT_FALSE(is_kiss_of({127, 127, 1, 1}));
  packet.stratum = 2;
  EXPECT_FALSE(is_kiss_of({'D', 'E', 'N', 'Y'}));
}

TEST(NtpPacket, ShowsItsSourceSafely) {
  Packet packet;
  packet.reference_id = {'G', 'P', 'S', 0};
  EXPECT_EQ(reference_text(packet), "GPS");
  packet.reference_id = {0x1b, '[', 0xff, 'J'};
  EXPECT_EQ(reference_text(packet), "?[?J");
}

TEST(NtpSample, IsWhatRfc5905Says) {
  Packet packet;
  packet.receive = to_timestamp(at(1'000, 320));
  packet.transmit = to_timestamp(at(1'000, 330));
  // Sent at 1000.000, arrived at 1000.050: 20 ms there, 20 ms back, the server 300 ms ahead.
  const auto sample = measure(packet, at(1'000), at(1'000, 50));
  EXPECT_NEAR(sample.offset.count(), 300.0, 0.001);
  EXPECT_NEAR(sample.delay.count(), 40.0, 0.001);
  EXPECT_NEAR(measure_back(packet, at(1'000, 50)).count(), 280.0, 0.001);
}

TEST(NtpSample, CrossesTheEra) {
  Packet packet;
  packet.receive = to_timestamp(at(2'085'978'500));
  packet.transmit = packet.receive;
  const auto slow = measure(packet, at(2'085'978'490), at(2'085'978'490));
  EXPECT_NEAR(slow.offset.count(), 10'000.0, 0.001);
  packet.receive = packet.transmit = to_timestamp(at(2'085'978'490));
  const auto fast = measure(packet, at(2'085'978'500), at(2'085'978'500));
  EXPECT_NEAR(fast.offset.count(), -10'000.0, 0.001);
}

TEST(NtpSample, OfAClockThatStartsIn1970) {
  Packet packet;
  packet.receive = packet.transmit = to_timestamp(at(1'800'000'000));
  EXPECT_NEAR(measure(packet, at(0), at(0)).offset.count(), 1.8e12, 1.0);
}

}  // namespace
}  // namespace callready::ntp
