#include "probe/net/stun.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/bytes.hpp"

namespace callready::stun {
namespace {

using test::bytes_of;
using test::from_hex;

// RFC 5769 section 2. The first three use the short-term key, which is the password.
const std::string short_term_password = "VOkJxbRl1RmTxUk/WvJxBt";
const Bytes sample_request = from_hex(
    "00010058 2112a442 b7e7a701bc34d686fa87dfae"         // Binding request, 88 bytes
    "80220010 5354554e207465737420636c69656e74"          // SOFTWARE
    "00240004 6e0001ff"                                  // PRIORITY
    "80290008 932ff9b151263b36"                          // ICE-CONTROLLED
    "00060009 6576746a3a68367659 202020"                 // USERNAME
    "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"  // MESSAGE-INTEGRITY
    "80280004 e57a3bcf");                                // FINGERPRINT
const Bytes sample_ipv4_response = from_hex(
    "0101003c 2112a442 b7e7a701bc34d686fa87dfae"
    "8022000b 7465737420766563746f72 20"
    "00200008 0001a147e112a643"  // XOR-MAPPED-ADDRESS
    "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004 c07d4c96");
const Bytes sample_ipv6_response = from_hex(
    "01010048 2112a442 b7e7a701bc34d686fa87dfae"
    "8022000b 7465737420766563746f72 20"
    "00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014 a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004 c8fb0b4c");
const Bytes sample_long_term_request = from_hex(
    "00010060 2112a442 78ad3433c6ad72c029da412e"
    "00060012 e3839ee38388e383aae38383e382afe382b9 0000"  // USERNAME
    "0015001c 662f2f3439396b39353464364f4c33346f4c394653547679363473 41"
    "0014000b 6578616d706c652e6f7267 00"  // REALM
    "00080014 f67024656dd64a3e02b8e0712e85c9a28ca89666");

const TransactionId id = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

SocketAddress address(std::string_view text, std::uint16_t port) {
  return {*IpAddress::parse(text), port};
}

TEST(Stun, ReadsTheSampleRequest) {
  const auto message = *parse(sample_request);
  EXPECT_TRUE(message.is(Class::request, Method::binding));
  EXPECT_EQ(message.id, id);
  EXPECT_EQ(message.software, "STUN test client");
  EXPECT_EQ(message.username, "evtj:h6vY");
  EXPECT_TRUE(message.has_integrity);
  EXPECT_TRUE(integrity_matches(sample_request, bytes_of(short_term_password)));
  EXPECT_FALSE(integrity_matches(sample_request, bytes_of("another password")));
}

TEST(Stun, ReadsTheSampleResponses) {
  for (const auto& [bytes, mapped] :
       {std::pair(sample_ipv4_response, "192.0.2.1"),
        std::pair(sample_ipv6_response, "2001:db8:1234:5678:11:2233:4455:6677")}) {
    const auto message = *parse(bytes);
    EXPECT_TRUE(message.answers(Method::binding, id));
    EXPECT_FALSE(message.answers(Method::allocate, id));
    EXPECT_FALSE(message.answers(Method::binding, new_transaction_id()));
    EXPECT_EQ(message.mapped(), address(mapped, 32853));
    EXPECT_EQ(message.software, "test vector");
    EXPECT_TRUE(integrity_matches(bytes, bytes_of(short_term_password)));
  }
}

TEST(Stun, ReadsTheSampleLongTermRequest) {
  const auto message = *parse(sample_long_term_request);
  EXPECT_EQ(message.realm, "example.org");
  EXPECT_EQ(message.nonce, "f//499k954d6OL34oL9FSTvy64sA");
  const auto key = long_term_key(*message.username, *message.realm, "TheMatrIX");
  EXPECT_TRUE(integrity_matches(sample_long_term_request, key));
  auto changed = sample_long_term_request;
  changed[30] ^= 1;
  EXPECT_FALSE(integrity_matches(changed, key));
}

TEST(Stun, BuildsABindingRequestByteForByte) {
  const auto bytes = Builder(Class::request, Method::binding, id).finish();
  EXPECT_EQ(test::to_hex(bytes), "000100002112a442b7e7a701bc34d686fa87dfae");
}

TEST(Stun, BuildsNatBehaviourRequests) {
  Builder builder(Class::request, Method::binding, id);
  add_change_request(builder, true, false);
  add_response_port(builder, 0x1234);
  const auto bytes = builder.finish();
  EXPECT_EQ(test::to_hex(bytes),
            "000100102112a442b7e7a701bc34d686fa87dfae"
            "0003000400000004"
            "0027000412340000");
  const auto message = *parse(bytes);
  EXPECT_EQ(message.change_request, 4u);
  EXPECT_EQ(message.response_port, 0x1234);
}

TEST(Stun, BuildsWhatItReads) {
  const auto v4 = address("192.0.2.7", 50'000), v6 = address("2001:db8::7", 50'001);
  const Bytes payload = {1, 2, 3, 4, 5};
  Builder builder(Class::success, Method::allocate, id);
  builder.add_xor_address(Attribute::xor_relayed_address, v4)
      .add_xor_address(Attribute::xor_mapped_address, v6)
      .add_xor_address(Attribute::xor_peer_address, v4)
      .add_address(Attribute::mapped_address, v4)
      .add_address(Attribute::other_address, v4)
      .add_address(Attribute::response_origin, v6)
      .add_address(Attribute::alternate_server, v6)
      .add_text(Attribute::alternate_domain, "turn2.example.com")
      .add_u32(Attribute::lifetime, 600)
      .add_bytes(Attribute::data, payload)
      .add_text(Attribute::software, "server 1")
      .add_text(Attribute::nonce, "n");
  const auto key = long_term_key("user", "realm", "password");
  const auto bytes = builder.finish(key);
  ASSERT_FALSE(bytes.empty());
  EXPECT_TRUE(integrity_matches(bytes, key));
  const auto message = *parse(bytes);
  EXPECT_TRUE(message.is(Class::success, Method::allocate));
  EXPECT_EQ(message.xor_relayed_address, v4);
  EXPECT_EQ(message.mapped(), v6) << "XOR-MAPPED-ADDRESS goes before MAPPED-ADDRESS";
  EXPECT_EQ(message.xor_peer_address, v4);
  EXPECT_EQ(message.mapped_address, v4);
  EXPECT_EQ(message.other_address, v4);
  EXPECT_EQ(message.response_origin, v6);
  EXPECT_EQ(message.alternate_server, v6);
  EXPECT_EQ(message.alternate_domain, "turn2.example.com");
  EXPECT_EQ(message.lifetime, 600u);
  EXPECT_EQ(message.data, payload);
  EXPECT_EQ(message.software, "server 1");
  EXPECT_EQ(message.nonce, "n");
  EXPECT_FALSE(message.realm);
}

TEST(Stun, ReadsAnErrorWithItsReason) {
  Builder builder(Class::error, Method::allocate, id);
  builder.add_error(438, "Stale Nonce")
      .add_bytes(Attribute::unknown_attributes, from_hex("00190022"));
  const auto message = *parse(builder.finish());
  EXPECT_EQ(message.error_code, 438);
  EXPECT_EQ(message.reason, "Stale Nonce");
  EXPECT_EQ(message.unknown_attributes, (std::vector<std::uint16_t>{0x19, 0x22}));
  EXPECT_TRUE(message.answers(Method::allocate, id));
}

TEST(Stun, LivesWithAnEmptyRealm) {
  for (const std::string realm : {"", "\"\"", "\""}) {
    const auto key = long_term_key("user", realm, "");
    Builder builder(Class::request, Method::allocate, id);
    builder.add_text(Attribute::username, "user")
        .add_text(Attribute::realm, realm)
        .add_text(Attribute::nonce, "");
    const auto bytes = builder.finish(key);
    ASSERT_FALSE(bytes.empty());
    EXPECT_TRUE(integrity_matches(bytes, key));
    EXPECT_EQ(parse(bytes)->realm, realm);
  }
}

TEST(Stun, RefusesToBuildWhatIsTooLarge) {
  Builder builder(Class::indication, Method::send, id);
  builder.add_bytes(Attribute::data, Bytes(max_message));
  EXPECT_TRUE(builder.finish().empty());
}

TEST(Stun, MakesTimeLimitedCredentials) {
  // Against: printf 1700000000:callready | openssl dgst -sha1 -hmac north -binary | base64
  const auto credential =
      time_limited_credential("north", "callready", WallTime(std::chrono::seconds(1'700'000'000)));
  EXPECT_EQ(credential.username, "1700000000:callready");
  EXPECT_EQ(credential.password, "24XpJNMXRnNtHJ2nykTSs3ThNEg=");
}

Fault fault_of(std::span<const std::uint8_t> bytes) {
  const auto parsed = parse(bytes);
  EXPECT_TRUE(parsed.has_error());
  return parsed.has_error() ? parsed.error() : Fault::not_stun;
}

TEST(Stun, SaysWhatIsWrongWithBytes) {
  EXPECT_EQ(fault_of({}), Fault::not_stun);
  EXPECT_EQ(fault_of(bytes_of("HTTP/1.1 400 Bad Request\r\n\r\n")), Fault::not_stun);
  auto cookie = sample_ipv4_response;
  cookie[5] ^= 1;
  EXPECT_EQ(fault_of(cookie), Fault::wrong_cookie);
  auto longer = sample_ipv4_response;
  longer.push_back(0);
  EXPECT_EQ(fault_of(longer), Fault::trailing_bytes);
  auto odd = sample_ipv4_response;
  odd[3] = static_cast<std::uint8_t>(odd[3] - 1);
  EXPECT_EQ(fault_of(odd), Fault::not_stun) << "the length is always a multiple of four";
  auto overrun = sample_ipv4_response;
  overrun[22] = 0x7f;
  EXPECT_EQ(fault_of(overrun), Fault::attribute_overrun);
  Bytes large(65'536 - 4);
  std::copy(sample_ipv4_response.begin(), sample_ipv4_response.end(), large.begin());
  large[2] = 0xff;
  large[3] = 0xe8;
  EXPECT_EQ(fault_of(large), Fault::oversized);
}

TEST(Stun, FindsEveryTruncation) {
  for (std::size_t size = 1; size < sample_ipv6_response.size(); ++size) {
    EXPECT_EQ(fault_of(std::span(sample_ipv6_response).first(size)), Fault::truncated) << size;
  }
}

TEST(Stun, LeavesOutWhatItCannotRead) {
  const auto message =
      *parse(from_hex("01110028 2112a442 b7e7a701bc34d686fa87dfae"
                      "00200004 0001a147"          // half an address
                      "00010008 0003a147e112a643"  // family 3
                      "00090004 00000914"          // class 9
                      "000d0002 0258 0000"         // a short LIFETIME
                      "00000000"));
  EXPECT_FALSE(message.mapped());
  EXPECT_EQ(message.error_code, 0);
  EXPECT_FALSE(message.lifetime);
}

TEST(Stun, TellsWhatItWouldHaveToUnderstand) {
  const auto with = [](const char* type) {
    return parse(
               from_hex("01010004 2112a442 b7e7a701bc34d686fa87dfae" + std::string(type) + "0000"))
        ->not_understood;
  };
  EXPECT_EQ(with("7001"), 0x7001);
  EXPECT_EQ(with("c001"), std::nullopt) << "may be passed over";
  EXPECT_EQ(with("0004"), std::nullopt) << "SOURCE-ADDRESS of RFC 3489";
}

TEST(Stun, SurvivesMutation) {
  std::mt19937 random(8489);
  int read = 0;
  for (const auto& sample :
       {sample_request, sample_ipv4_response, sample_ipv6_response, sample_long_term_request}) {
    for (int round = 0; round < 20'000; ++round) {
      auto bytes = sample;
      for (int changes = 1 + static_cast<int>(random() % 4); changes > 0; --changes) {
        bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
      }
      bytes.resize(bytes.size() - random() % 2 * (random() % bytes.size()));
      read += parse(bytes).has_value() ? 1 : 0;
      static_cast<void>(integrity_matches(bytes, bytes_of("key")));
    }
  }
  EXPECT_GT(read, 10'000) << "mutations that leave the header alone are still messages";
}

TEST(Stun, NamesStrangers) {
  EXPECT_EQ(describe_non_stun(bytes_of("HTTP/1.1 400 Bad Request\r\nServer: x\r\n")),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(describe_non_stun(from_hex("15030100020246")), "a TLS alert: this port wants TLS");
  EXPECT_EQ(describe_non_stun(from_hex("00ff")), "2 bytes that begin with 00 ff");
  EXPECT_EQ(printable("a\x01\xc3\xa9z"), "a???z");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

}  // namespace
}  // namespace callready::stun
