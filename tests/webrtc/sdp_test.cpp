#include "probe/webrtc/sdp.hpp"

#include <gtest/gtest.h>

namespace callready::webrtc {
namespace {

const std::string fingerprint(64, 'a');

LocalEnd end_of(const std::string& setup) {
  LocalEnd local;
  local.keys = {"abcd", "abcdefghijklmnopqrstuv", fingerprint, setup};
  local.candidates = {{CandidateType::host, {*IpAddress::parse("192.0.2.1"), 5000}, 100, "1"},
                      {CandidateType::relayed, {*IpAddress::parse("2001:db8::1"), 6000}, 50, "2"}};
  local.session = 7;
  return local;
}

// As Chromium makes it, shortened.
const std::string from_a_browser =
    "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    "a=extmap-allow-mixed\r\na=msid-semantic: WMS x\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 8 110\r\nc=IN IP4 0.0.0.0\r\n"
    "a=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=candidate:1 1 udp 2113937151 5f6c.local 40000 typ host generation 0\r\n"
    "a=candidate:2 1 udp 1677729535 203.0.113.9 40001 typ srflx raddr 0.0.0.0 rport 0\r\n"
    "a=candidate:3 1 tcp 1518280447 203.0.113.9 9 typ host tcptype active\r\n"
    "a=ice-ufrag:xY/+\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=ice-options:trickle\r\n"
    "a=fingerprint:sha-256 "
    "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:"
    "AA\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:63 red/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:110 telephone-event/48000\r\na=ssrc:1 cname:x\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=rtcp-mux\r\n"
    "a=rtpmap:96 VP8/90000\r\n";

TEST(Sdp, AnOfferIsReadBack) {
  const auto offer = parse_sdp(print_offer(end_of("actpass")));
  ASSERT_TRUE(offer && offer->media.size() == 1);
  const auto& media = offer->media[0];
  EXPECT_EQ(acceptable_audio(*offer), 0u);
  EXPECT_EQ(media.keys.ufrag, "abcd");
  EXPECT_EQ(media.keys.fingerprint, fingerprint);
  EXPECT_EQ(media.keys.setup, "actpass");
  ASSERT_EQ(media.candidates.size(), 2u);
  EXPECT_EQ(media.candidates[1].type, CandidateType::relayed);
  EXPECT_EQ(media.candidates[1].address.to_string(), "[2001:db8::1]:6000");
}

TEST(Sdp, ABrowsersOfferIsAnswered) {
  const auto offer = parse_sdp(from_a_browser);
  ASSERT_TRUE(offer && offer->media.size() == 2);
  EXPECT_EQ(offer->media[0].candidates.size(), 1u) << "of UDP, and not behind a name";
  ASSERT_EQ(acceptable_audio(*offer), 0u);
  auto local = end_of("passive");
  local.ice_lite = true;
  const auto text = print_answer(*offer, 0, local);
  const auto answer = parse_sdp(text);
  ASSERT_TRUE(answer && answer->media.size() == 2);
  EXPECT_NE(text.find("a=ice-lite\r\n"), text.npos);
  EXPECT_EQ(answer->media[0].formats, (std::vector<std::string>{"111", "0", "8"}));
  EXPECT_NE(text.find("a=group:BUNDLE 0\r\n"), text.npos);
  EXPECT_NE(text.find("a=fmtp:111 minptime=10;useinbandfec=1\r\n"), text.npos);
  EXPECT_EQ(answer->media[1].port, 0) << "refused";
  EXPECT_EQ(answer->media[1].mid, "1");
}

TEST(Sdp, WhatCannotBeSecuredIsNotTaken) {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"a=rtcp-mux\r\n", ""},
      {"a=setup:actpass", "a=setup:passive"},
      {"sha-256", "sha-1"},
      {"a=ice-ufrag:xY/+\r\n", ""},
      {"a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=ice-pwd:short"},
      {"UDP/TLS/RTP/SAVPF 111", "RTP/AVP 111"},
      {"m=audio", "m=text"},
      {"111 63 0 8 110", "63 110"}};
  for (const auto& [from, to] : changes) {
    auto text = from_a_browser;
    text.replace(text.find(from), from.size(), to);
    const auto offer = parse_sdp(text);
    ASSERT_TRUE(offer) << from;
    EXPECT_FALSE(acceptable_audio(*offer)) << from;
  }
}

TEST(Sdp, ADigestsNameIsInAnyCase) {
  auto text = from_a_browser;
  text.replace(text.find("sha-256"), 7, "Sha-256");
  const auto offer = parse_sdp(text);
  ASSERT_TRUE(offer);
  EXPECT_TRUE(acceptable_audio(*offer)) << "RFC 8122 section 5";
}

TEST(Sdp, WhatIsNoneIsNothing) {
  EXPECT_FALSE(parse_sdp(""));
  EXPECT_FALSE(parse_sdp("GET / HTTP/1.1\r\n"));
  EXPECT_FALSE(parse_sdp("v=0\r\nhello\r\n"));
  EXPECT_FALSE(parse_sdp("v=0\r\nm=audio nine UDP 0\r\n"));
  EXPECT_FALSE(parse_sdp("v=0\r\ns=\x01\r\n"));
  EXPECT_FALSE(parse_sdp("v=0\r\n" + std::string(most_sdp, 'a')));
  std::string many = "v=0\r\n";
  for (std::size_t i = 0; i <= most_media; ++i) many += "m=audio 9 UDP 0\r\n";
  EXPECT_FALSE(parse_sdp(many));
}

TEST(Sdp, RandomWordsAreOfIcesLetters) {
  const auto one = random_word(24), other = random_word(24);
  EXPECT_EQ(one.size(), 24u);
  EXPECT_NE(one, other);
}

}  // namespace
}  // namespace callready::webrtc
