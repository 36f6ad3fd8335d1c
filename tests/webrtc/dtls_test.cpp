#include "probe/webrtc/dtls.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "probe/webrtc/token.hpp"

namespace callready::webrtc {
namespace {

// Both ends in one process, and what is between them.
struct Pair {
  Identity ours, theirs;
  Dtls client, server;

  explicit Pair(const std::string& expected = {})
      : client(ours, true, expected.empty() ? theirs.fingerprint() : expected),
        server(theirs, false, ours.fingerprint()) {}

  void talk() {
    client.begin();
    for (int round = 0; round < 10; ++round) {
      for (const auto& datagram : client.outgoing()) {
        EXPECT_LE(datagram.size(), 1'200u);
        server.take(datagram);
      }
      for (const auto& datagram : server.outgoing()) client.take(datagram);
    }
  }
};

TEST(Dtls, BothEndsComeToTheSameKeys) {
  Pair pair;
  pair.talk();
  EXPECT_EQ(pair.client.state(), Dtls::State::connected);
  EXPECT_EQ(pair.server.state(), Dtls::State::connected);
  const auto ours = pair.client.keys(), theirs = pair.server.keys();
  ASSERT_TRUE(ours && theirs);
  EXPECT_EQ(ours->profile, SrtpProfile::aead_aes_128_gcm);
  EXPECT_EQ(ours->sending, theirs->receiving);
  EXPECT_EQ(ours->receiving, theirs->sending);
  EXPECT_NE(ours->sending, ours->receiving);
  EXPECT_EQ(pair.client.version(), "DTLSv1.2");
}

TEST(Dtls, AnotherCertificateIsNotTaken) {
  Pair pair(std::string(64, '0'));
  pair.talk();
  EXPECT_EQ(pair.client.state(), Dtls::State::wrong_fingerprint);
  EXPECT_FALSE(pair.client.keys());
}

// Its last flight lost, an end would send it again; one that takes nobody's word says nothing more.
TEST(Dtls, AfterAWrongCertificateNothingIsSaid) {
  const Identity ours, theirs;
  Dtls client(ours, true, theirs.fingerprint()), server(theirs, false, std::string(64, '0'));
  client.begin();
  for (int round = 0; round < 10 && server.state() == Dtls::State::handshake; ++round) {
    for (const auto& datagram : client.outgoing()) server.take(datagram);
    if (server.state() != Dtls::State::handshake) break;
    for (const auto& datagram : server.outgoing()) client.take(datagram);
  }
  ASSERT_EQ(server.state(), Dtls::State::wrong_fingerprint);
  EXPECT_FALSE(server.outgoing().empty()) << "the end of its handshake, which is lost here";
  ASSERT_EQ(client.state(), Dtls::State::handshake);
  std::vector<Bytes> again;
  for (int i = 0; i < 1'000 && again.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    client.tick();
    again = client.outgoing();
  }
  ASSERT_FALSE(again.empty());
  for (const auto& datagram : again) server.take(datagram);
  EXPECT_TRUE(server.outgoing().empty());
  EXPECT_EQ(server.state(), Dtls::State::wrong_fingerprint);
}

TEST(Dtls, WhatIsNoDtlsChangesNothing) {
  Pair pair;
  const std::vector<std::uint8_t> noise(60, 22);
  pair.server.take(noise);
  pair.client.take(noise);
  pair.talk();
  EXPECT_EQ(pair.server.state(), Dtls::State::connected);
}

TEST(Srtp, WhatOneEndProtectsTheOtherReadsOnce) {
  Pair pair;
  pair.talk();
  auto ours = Srtp::make(*pair.client.keys()), theirs = Srtp::make(*pair.server.keys());
  ASSERT_TRUE(ours && theirs);
  Bytes rtp(172, 0xFF);
  rtp[0] = 0x80;
  rtp[1] = 0;
  const auto packet = ours->protect(rtp);
  ASSERT_TRUE(packet);
  EXPECT_NE(*packet, rtp);
  EXPECT_EQ(theirs->unprotect(*packet), rtp);
  EXPECT_FALSE(theirs->unprotect(*packet)) << "a second time";
  auto forged = *packet;
  forged[3] = 9;
  EXPECT_FALSE(theirs->unprotect(forged));
  EXPECT_FALSE(theirs->unprotect(Bytes(5, 0x80)));
}

TEST(Token, IsGoodAtOneHost) {
  const Bytes key(16, 1), other(16, 2);
  EXPECT_EQ(whip_token(key, "a.example"), whip_token(key, "a.example"));
  EXPECT_NE(whip_token(key, "a.example"), whip_token(key, "b.example"));
  EXPECT_NE(whip_token(key, "a.example"), whip_token(other, "a.example"));
  EXPECT_EQ(whip_token(key, "a.example").size(), 64u);
}

}  // namespace
}  // namespace callready::webrtc
