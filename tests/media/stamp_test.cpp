#include "probe/media/stamp.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace callready::media::stamp {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

const Bytes secret(32, 0x5A);

Bytes hmac_of(const Bytes& bytes) {
  Bytes digest(32);
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes.data(), bytes.size(),
       digest.data(), &size);
  digest.resize(16);
  return digest;
}

Bytes part(const Bytes& bytes, std::size_t from, std::size_t size) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

SenderPacket sample() {
  SenderPacket packet;
  packet.sequence = 0x01020304;
  packet.sent = 0x1112131415161718;
  packet.ssid = 0x2122;
  return packet;
}

SenderPacket with_tlvs() {
  auto packet = sample();
  packet.tlvs.class_of_service = ClassOfService{46, 0, 0, false};
  packet.tlvs.direct_measurement = DirectMeasurement{7, 0, 0};
  return packet;
}

ReflectorPacket reply_to(const SenderPacket& request) {
  ReflectorPacket reply;
  reply.sequence = 9;
  reply.sent = 0x3132333435363738;
  reply.received = 0x4142434445464748;
  reply.ssid = request.ssid;
  reply.sender_sequence = request.sequence;
  reply.sender_sent = request.sent;
  reply.sender_error = request.error;
  reply.sender_ttl = 61;
  return reply;
}

// RFC 8762 figure 2 with RFC 8972's SSID, byte by byte.
TEST(Stamp, OpenSenderPacketIsAsTheRfcDrawsIt) {
  Bytes expected = {1,    2,    3,    4,                             // sequence
                    0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,  // time
                    0x08, 0x01, 0x21, 0x22};                         // error, SSID
  expected.resize(44);
  EXPECT_EQ(encode(sample(), 0, {}), expected);
}

TEST(Stamp, AuthenticatedSenderPacketIsAsTheRfcDrawsIt) {
  const auto bytes = encode(sample(), 0, secret);
  ASSERT_EQ(bytes.size(), 112u);
  EXPECT_EQ(part(bytes, 0, 4), (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(part(bytes, 4, 12), Bytes(12));
  EXPECT_EQ(part(bytes, 16, 12),
            (Bytes{0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 8, 1, 0x21, 0x22}));
  EXPECT_EQ(part(bytes, 28, 68), Bytes(68));
  EXPECT_EQ(part(bytes, 96, 16), hmac_of(part(bytes, 0, 96)));
}

TEST(Stamp, RepliesAreAsTheRfcDrawsThem) {
  const auto request = encode(sample(), 0, {});
  const auto open = encode_reply(reply_to(sample()), request, {});
  ASSERT_EQ(open.size(), 44u);
  EXPECT_EQ(part(open, 16, 8), (Bytes{0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48}));
  EXPECT_EQ(part(open, 24, 4), (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(part(open, 36, 5), (Bytes{8, 1, 0, 0, 61}));
  const auto closed = encode_reply(reply_to(sample()), encode(sample(), 0, secret), secret);
  ASSERT_EQ(closed.size(), 112u);
  EXPECT_EQ(part(closed, 32, 8), (Bytes{0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48}));
  EXPECT_EQ(part(closed, 48, 4), (Bytes{1, 2, 3, 4}));
  EXPECT_EQ(part(closed, 72, 2), (Bytes{8, 1}));
  EXPECT_EQ(closed[80], 61);
  EXPECT_EQ(part(closed, 96, 16), hmac_of(part(closed, 0, 96)));
}

TEST(Stamp, ReadsBackWhatItWrote) {
  for (const bool closed : {false, true}) {
    const Key key = closed ? Key(secret) : Key();
    const auto request = encode(with_tlvs(), 172, key);
    ASSERT_EQ(request.size(), 172u);
    const auto read = parse_sender(request, key);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->sequence, sample().sequence);
    EXPECT_EQ(read->sent, sample().sent);
    EXPECT_EQ(read->ssid, sample().ssid);
    EXPECT_EQ(read->tlvs.class_of_service->wanted, 46);
    EXPECT_EQ(read->tlvs.direct_measurement->sent, 7u);

    auto reply = reply_to(*read);
    reply.tlvs = read->tlvs;
    reply.tlvs.class_of_service->arrived = 8;
    reply.tlvs.direct_measurement->received = 5;
    reply.tlvs.direct_measurement->reflected = 4;
    const auto answer = encode_reply(reply, request, key);
    ASSERT_EQ(answer.size(), request.size()) << "a reflector must not amplify";
    const auto back = parse_reply(answer, key);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->sequence, 9u);
    EXPECT_EQ(back->sender_sequence, sample().sequence);
    EXPECT_EQ(back->sender_ttl, 61);
    EXPECT_EQ(back->tlvs.class_of_service->wanted, 46);
    EXPECT_EQ(back->tlvs.class_of_service->arrived, 8);
    EXPECT_FALSE(back->tlvs.class_of_service->refused);
    EXPECT_EQ(back->tlvs.direct_measurement->received, 5u);
    EXPECT_EQ(back->tlvs.direct_measurement->reflected, 4u);
  }
}

TEST(Stamp, FillsUpToTheSizeOfACallsPackets) {
  EXPECT_EQ(size_of({}, false), 44u);
  EXPECT_EQ(size_of({}, true), 112u);
  EXPECT_EQ(size_of(with_tlvs().tlvs, true), 112u + 8 + 16 + 20);
  for (const auto size : {48u, 100u, 172u, 1472u}) {
    EXPECT_EQ(encode(sample(), size, {}).size(), size);
  }
  for (const auto size : {136u, 172u, 1472u}) {
    const auto packet = encode(sample(), size, secret);
    EXPECT_EQ(packet.size(), size);
    EXPECT_TRUE(parse_sender(packet, secret)) << size;
  }
  EXPECT_EQ(encode(sample(), 120, secret).size(), 112u) << "no room for a padding and its HMAC";
  EXPECT_EQ(encode(sample(), 1473, {}).size(), 44u);
}

// Every byte counts: the HMACs cover all of an authenticated packet.
TEST(Stamp, TakesNoAuthenticatedPacketThatWasTouched) {
  const auto good = encode(with_tlvs(), 172, secret);
  ASSERT_TRUE(parse_sender(good, secret));
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] ^= 0x10;
    // The HMAC TLV's own flags are not signed.
    EXPECT_EQ(parse_sender(bad, secret).has_value(), at == 152) << at;
    // Without its TLVs it is a packet of its own.
    EXPECT_EQ(parse_sender(View(good).first(at), secret).has_value(), at == 112) << at;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_FALSE(parse_sender(longer, secret));
  EXPECT_FALSE(parse_sender(good, Bytes(32, 1)));
  EXPECT_FALSE(parse_sender(encode(with_tlvs(), 172, {}), secret));
}

TEST(Stamp, TakesNoOpenPacketThatIsNone) {
  const auto good = encode(sample(), 0, {});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_sender(View(good).first(size), {})) << size;
  }
  EXPECT_FALSE(parse_sender(Bytes(1473, 1), {}));
  auto zero = good;
  zero[13] = 0;  // the multiplier of the error estimate
  EXPECT_FALSE(parse_sender(zero, {}));
}

// nokia/twampy answers 38 bytes without a TTL, and pads with anything.
TEST(Stamp, TakesATwampLightReply) {
  const auto reply = encode_reply(reply_to(sample()), encode(sample(), 0, {}), {});
  const auto read = parse_reply(View(reply).first(38), {});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sender_ttl, 0);
  EXPECT_FALSE(parse_reply(View(reply).first(37), {}));
  auto padded = encode(sample(), 0, {});
  padded.resize(100, 0xFF);
  const auto sender = parse_sender(padded, {});
  ASSERT_TRUE(sender);
  EXPECT_FALSE(sender->tlvs.class_of_service);
  EXPECT_EQ(encode_reply(reply_to(*sender), padded, {}).size(), 100u);
}

// RFC 8972 section 4: an unknown TLV is sent back with U, one of a wrong length with M.
TEST(Stamp, MarksTlvsThatItDoesNotKnow) {
  auto request = encode(sample(), 0, {});
  const Bytes tlvs = {0x80, 200, 0, 2, 1, 2, 0x80, 4, 0, 3, 1, 2, 3};
  request.insert(request.end(), tlvs.begin(), tlvs.end());
  const auto reply = encode_reply(reply_to(sample()), request, {});
  EXPECT_EQ(part(reply, 44, 6), (Bytes{0x80, 200, 0, 2, 1, 2}));
  EXPECT_EQ(part(reply, 50, 7), (Bytes{0x40, 4, 0, 3, 1, 2, 3}));
  EXPECT_FALSE(parse_reply(reply, {})->tlvs.class_of_service);
}

TEST(Stamp, ReplyWhoseClassOfServiceWasNotUnderstoodSaysNothing) {
  auto reply = encode(with_tlvs(), 172, {});  // as a reflector sends it back that knows no TLVs
  ASSERT_TRUE(parse_reply(reply, {}));
  EXPECT_FALSE(parse_reply(reply, {})->tlvs.class_of_service);
}

TEST(Stamp, KeepsTimeAsNtpDoes) {
  const system_clock::time_point epoch{};
  EXPECT_EQ(to_timestamp(epoch), 2'208'988'800ull << 32);
  EXPECT_EQ(to_timestamp(epoch + 500ms), (2'208'988'800ull << 32) + (1ull << 31));
  EXPECT_EQ(to_timestamp(epoch - 500ms), (2'208'988'800ull << 32) - (1ull << 31));
  const auto time = epoch + 1'795'000'000s;
  EXPECT_EQ(between(to_timestamp(time), to_timestamp(time + 250ms)), 250ms);
  EXPECT_EQ(between(to_timestamp(time + 250ms), to_timestamp(time)), -250ms);
  // Across the era of 2036.
  const auto era = epoch + std::chrono::seconds((1ll << 32) - 2'208'988'800);
  EXPECT_EQ(between(to_timestamp(era - 1s), to_timestamp(era + 1s)), 2s);
}

}  // namespace
}  // namespace callready::media::stamp
