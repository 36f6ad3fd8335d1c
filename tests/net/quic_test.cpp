// Byte vectors of RFC 9001 Appendix A, and what does not count as an answer.
#include "probe/net/quic.hpp"

#include <gtest/gtest.h>

#include "tests/support/bytes.hpp"

namespace callready::quic {
namespace {

using test::from_hex;
using test::to_hex;

const Bytes rfc_id = from_hex("8394c8f03e515708");

// The server's Initial of section A.3, which answers the client's of A.2.
const Bytes rfc_reply = from_hex(
    "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780b"
    "b38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19"
    "fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee");

TEST(QuicKeys, AreThoseOfTheRfc) {
  const auto keys = initial_keys(rfc_id);
  ASSERT_TRUE(keys);
  EXPECT_EQ(to_hex(keys->client.key), "1f369613dd76d5467730efcbe3b1a22d");
  EXPECT_EQ(to_hex(keys->client.iv), "fa044b2f42a3fd3b46fb255c");
  EXPECT_EQ(to_hex(keys->client.header), "9f50449e04a0e810283a1e9933adedd2");
  EXPECT_EQ(to_hex(keys->server.key), "cf3a5331653c364c88f0f379b6067e37");
  EXPECT_EQ(to_hex(keys->server.iv), "0ac1493ca1905853b0bba03e");
  EXPECT_EQ(to_hex(keys->server.header), "c206b8d9b9f0f37644430b490eeaa314");
}

TEST(QuicInitial, IsSealedAsInTheRfc) {
  const auto frames = from_hex(
      "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413"
      "011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d001700180010"
      "0007000504616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171"
      "fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d000201"
      "01001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f"
      "088394c8f03e51570806048000ffff");
  const auto keys = initial_keys(rfc_id);
  const auto packet = seal_initial(keys->client, rfc_id, {}, 2, frames, 1'200);
  ASSERT_TRUE(packet);
  ASSERT_EQ(packet->size(), 1'200u);
  const auto text = to_hex(*packet);
  EXPECT_TRUE(text.starts_with(
      "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b"
      "d8bab936b47d92ec356c0bab7df5976d27cd449f63300099f3991c260ec4c60d17b31f842915"
      "7bb35a1282a643a8d2262cad67500cadb8e7378c8eb7539ec4d4905fed1bee1fc8aafba17c75"
      "0e2c7ace01e6005f80fcb7df621230c83711b39343fa028cea7f7fb5ff89"));
  EXPECT_TRUE(text.ends_with("e221af44860018ab0856972e194cd934")) << "the tag is over all of it";
}

TEST(QuicInitial, OfTheRfcsServerOpens) {
  const auto keys = initial_keys(rfc_id);
  const auto frames = open_initial(keys->server, rfc_reply);
  ASSERT_TRUE(frames);
  EXPECT_EQ(to_hex(std::span(*frames).first(12)), "02000000000600405a020000");
  auto other = rfc_reply;
  other.back() ^= 1;
  EXPECT_FALSE(open_initial(keys->server, other));
}

// --- What came back ---

// Of a server that has seen our first packet.
Bytes server_initial(const Attempt& attempt, std::span<const std::uint8_t> frames) {
  const auto keys = initial_keys(attempt.destination);
  return *seal_initial(keys->server, attempt.source, from_hex("0102030405"), 0, frames, 200);
}

Bytes versions(const Attempt& attempt, std::string_view list = "00000001 6b3343cf") {
  auto packet = from_hex("80 00000000 08");
  packet.insert(packet.end(), attempt.source.begin(), attempt.source.end());
  packet.push_back(8);
  packet.insert(packet.end(), attempt.destination.begin(), attempt.destination.end());
  const auto more = from_hex(list);
  packet.insert(packet.end(), more.begin(), more.end());
  return packet;
}

bool is_no_answer(const Bytes& datagram, const Attempt& attempt) {
  const auto reply = parse_reply(datagram, attempt);
  return reply.has_error() && reply.error().kind == FailureKind::malformed;
}

TEST(QuicQuestion, IsOfAReservedVersionAndPadded) {
  const auto attempt = new_attempt();
  const auto packet = version_question(attempt);
  EXPECT_EQ(packet.size(), 1'200u);
  EXPECT_EQ(packet[0] & 0xc0, 0xc0);
  for (std::size_t i = 1; i <= 4; ++i) EXPECT_EQ(packet[i] & 0x0f, 0x0a);
  EXPECT_EQ(to_hex(std::span(packet).subspan(6, 8)), to_hex(attempt.destination));
}

TEST(QuicHello, NamesTheServerAndHttp3) {
  const auto attempt = new_attempt();
  const auto packet = client_initial(attempt, "www.example.com");
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->size(), 1'200u);
  const auto frames = open_initial(initial_keys(attempt.destination)->client, *packet);
  ASSERT_TRUE(frames);
  const std::string text(frames->begin(), frames->end());
  EXPECT_EQ((*frames)[0], 6) << "CRYPTO";
  EXPECT_NE(text.find("www.example.com"), text.npos);
  EXPECT_NE(text.find("\x02h3"), text.npos);
  EXPECT_EQ(client_initial(attempt, std::string(256, 'a')), std::nullopt);
}

TEST(QuicReply, IsAVersionNegotiation) {
  const auto attempt = new_attempt();
  const auto reply = parse_reply(versions(attempt), attempt);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->packet, Packet::versions);
  EXPECT_EQ(reply->versions, (std::vector<std::uint32_t>{1, 0x6b3343cf}));
}

TEST(QuicReply, IsAnInitialThatOpens) {
  const auto attempt = new_attempt();
  // ACK of 0, then CRYPTO.
  const auto reply =
      parse_reply(server_initial(attempt, from_hex("0200000000 06000400000000")), attempt);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->packet, Packet::initial);
  EXPECT_EQ(to_hex(reply->server), "0102030405");
  EXPECT_EQ(reply->closed, std::nullopt);
}

TEST(QuicReply, SaysThatTheServerCloses) {
  const auto attempt = new_attempt();
  const auto reply =
      parse_reply(server_initial(attempt, from_hex("0200000000 1c 4178 00 00")), attempt);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->closed, 0x178u) << "no application protocol";
}

TEST(QuicReply, IsAHandshakeOrARetryByItsConnectionId) {
  const auto attempt = new_attempt();
  for (const auto& [first, packet] :
       {std::pair("e0", Packet::handshake), std::pair("f0", Packet::retry)}) {
    auto bytes = from_hex(std::string(first) + "00000001 08");
    bytes.insert(bytes.end(), attempt.source.begin(), attempt.source.end());
    bytes.push_back(0);
    const auto reply = parse_reply(bytes, attempt);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->packet, packet);
  }
}

TEST(QuicReply, IsNoneOfWhatIsNotOurs) {
  const auto attempt = new_attempt();
  const auto other = new_attempt();
  const auto initial = server_initial(attempt, from_hex("0200000000"));
  EXPECT_TRUE(is_no_answer({}, attempt));
  EXPECT_TRUE(is_no_answer(from_hex("485454502f312e31"), attempt)) << "HTTP/1.1";
  EXPECT_TRUE(is_no_answer(versions(other), attempt));
  EXPECT_TRUE(is_no_answer(versions(attempt, ""), attempt)) << "no version in it";
  EXPECT_TRUE(is_no_answer(version_question(attempt), attempt)) << "our own, sent back";
  EXPECT_TRUE(is_no_answer(*client_initial(attempt, "a.example"), attempt));
  EXPECT_TRUE(is_no_answer(rfc_reply, attempt));
  for (std::size_t size = 0; size < initial.size(); ++size) {
    EXPECT_TRUE(is_no_answer({initial.begin(), initial.begin() + static_cast<std::ptrdiff_t>(size)},
                             attempt))
        << size;
  }
  auto forged = initial;
  forged.back() ^= 1;
  EXPECT_TRUE(is_no_answer(forged, attempt)) << "whoever has not seen our packet cannot seal it";
}

TEST(QuicReply, HoldsNoMoreThanSomeVersions) {
  const auto attempt = new_attempt();
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "00000001";
  const auto reply = parse_reply(versions(attempt, many), attempt);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->versions.size(), 16u);
}

}  // namespace
}  // namespace callready::quic
