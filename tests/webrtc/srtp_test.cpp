// SRTP: published packets, and ours held against libsrtp2's.
#include "probe/webrtc/srtp.hpp"

#include <gtest/gtest.h>
#include <srtp2/srtp.h>

#include <random>

#include "probe/util/digest.hpp"

namespace callready::webrtc {
namespace {

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// The same keys both ways: what one such end sends, another one reads.
SrtpKeys same_keys(SrtpProfile profile, const Bytes& key) { return {profile, key, key}; }

constexpr std::string_view rtp_of_libsrtp =
    "800f1234decafbadcafebabeabababababababababababababababab";

void expect_published(SrtpProfile profile, std::string_view key, std::string_view hidden) {
  auto end = Srtp::make(same_keys(profile, from_hex(key)));
  ASSERT_TRUE(end);
  const auto packet = end->protect(from_hex(rtp_of_libsrtp));
  ASSERT_TRUE(packet);
  EXPECT_EQ(hex(*packet), std::string(rtp_of_libsrtp.substr(0, 24)) + std::string(hidden));
  EXPECT_EQ(end->unprotect(*packet), from_hex(rtp_of_libsrtp));
}

// The key and salt of RFC 3711 appendix B.3; the packet is the one by which libsrtp2 tests itself.
TEST(Srtp, IsAsPublishedWithCounterMode) {
  expect_published(SrtpProfile::aes128_cm_sha1_80,
                   "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
                   "4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
}

TEST(Srtp, IsAsPublishedWithGcm) {
  expect_published(SrtpProfile::aead_aes_128_gcm,
                   "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab",
                   "c5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392");
}

// libsrtp2 with the same keys.
class Libsrtp {
 public:
  Libsrtp(SrtpProfile profile, const Bytes& key, bool sends) : key_(key) {
    static const bool ready = srtp_init() == srtp_err_status_ok;
    EXPECT_TRUE(ready);
    srtp_policy_t policy{};
    const auto own = profile == SrtpProfile::aead_aes_128_gcm ? srtp_profile_aead_aes_128_gcm
                                                              : srtp_profile_aes128_cm_sha1_80;
    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, own);
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, own);
    policy.ssrc.type = sends ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = key_.data();
    policy.window_size = 128;
    EXPECT_EQ(srtp_create(&session_, &policy), srtp_err_status_ok);
  }
  ~Libsrtp() { srtp_dealloc(session_); }
  Libsrtp(const Libsrtp&) = delete;
  Libsrtp& operator=(const Libsrtp&) = delete;

  std::optional<Bytes> protect(const Bytes& rtp) { return done(&srtp_protect, rtp); }
  std::optional<Bytes> unprotect(const Bytes& packet) { return done(&srtp_unprotect, packet); }

 private:
  std::optional<Bytes> done(srtp_err_status_t (*function)(srtp_t, void*, int*), Bytes packet) {
    int size = static_cast<int>(packet.size());
    packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN);
    if (function(session_, packet.data(), &size) != srtp_err_status_ok) return std::nullopt;
    packet.resize(static_cast<std::size_t>(size));
    return packet;
  }

  Bytes key_;
  srtp_t session_ = nullptr;
};

class AgainstLibsrtp : public testing::TestWithParam<SrtpProfile> {
 protected:
  unsigned any(unsigned most) { return std::uniform_int_distribution<unsigned>(0, most)(random_); }

  Bytes key() {
    Bytes bytes(GetParam() == SrtpProfile::aead_aes_128_gcm ? 28 : 30);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(any(255));
    return bytes;
  }

  // Of one of two sources, with contributing sources and an extension now and then.
  Bytes rtp(std::uint16_t sequence) {
    Bytes packet(12 + any(200));
    for (auto& byte : packet) byte = static_cast<std::uint8_t>(any(255));
    const unsigned sources = any(3) == 0 ? any(15) : 0;
    const bool extended = any(3) == 0;
    packet[0] = static_cast<std::uint8_t>(0x80 | sources | (extended ? 0x10 : 0));
    packet[2] = static_cast<std::uint8_t>(sequence >> 8);
    packet[3] = static_cast<std::uint8_t>(sequence);
    for (std::size_t i = 8; i < 12; ++i)
      packet[i] = i == 11 ? static_cast<std::uint8_t>(any(1)) : 7;
    if (extended && packet.size() >= 16 + 4 * sources) {
      packet[14 + 4 * sources] = 0;
      packet[15 + 4 * sources] = static_cast<std::uint8_t>(any(4));
    }
    return packet;
  }

  std::mt19937 random_{42};
};

INSTANTIATE_TEST_SUITE_P(Profiles, AgainstLibsrtp,
                         testing::Values(SrtpProfile::aes128_cm_sha1_80,
                                         SrtpProfile::aead_aes_128_gcm),
                         [](const auto& one) {
                           return one.param == SrtpProfile::aead_aes_128_gcm ? "Gcm"
                                                                             : "CounterMode";
                         });

// 200,000 packets: the 16 bits of a sequence number end three times.
TEST_P(AgainstLibsrtp, EachReadsTheOthersPackets) {
  const auto keys = key();
  auto ours = Srtp::make(same_keys(GetParam(), keys));
  ASSERT_TRUE(ours);
  Libsrtp sends(GetParam(), keys, true), reads(GetParam(), keys, false);
  std::uint16_t sequence = 60'000;
  int went = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto packet = rtp(sequence);
    const auto one = ours->protect(packet), other = sends.protect(packet);
    ASSERT_EQ(one, other) << i;
    if (!one) continue;  // the header says more than there is
    ++sequence;
    ++went;
    ASSERT_EQ(reads.unprotect(*one), packet) << i;
    ASSERT_EQ(ours->unprotect(*other), packet) << i;
  }
  EXPECT_GT(went, 150'000);
}

// A network that repeats, reorders, loses and damages: both take the same, and refuse the same.
TEST_P(AgainstLibsrtp, BothRefuseTheSame) {
  const auto keys = key();
  auto ours = Srtp::make(same_keys(GetParam(), keys));
  ASSERT_TRUE(ours);
  Libsrtp sends(GetParam(), keys, true), reads(GetParam(), keys, false);
  std::vector<Bytes> sent;
  std::uint16_t sequence = 65'000;
  int taken = 0, refused = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto one = sends.protect(rtp(sequence++));
    if (one) sent.push_back(std::move(*one));
    if (sent.empty() || any(4) == 0) continue;  // lost, or later
    const auto ago = any(9) == 0 ? any(300) : any(5);
    auto packet = sent[sent.size() - 1 - std::min<std::size_t>(ago, sent.size() - 1)];
    if (any(9) == 0)
      packet[any(static_cast<unsigned>(packet.size()) - 1)] ^=
          static_cast<std::uint8_t>(1U << any(7));
    if (any(99) == 0) packet.resize(any(static_cast<unsigned>(packet.size())));
    const auto mine = ours->unprotect(packet), theirs = reads.unprotect(packet);
    ASSERT_EQ(mine, theirs) << i << ": " << hex(packet);
    ++(mine ? taken : refused);
  }
  EXPECT_GT(taken, 30'000);
  EXPECT_GT(refused, 20'000);
}

TEST(Srtp, HidesNoTwoPacketsByOneKeyStream) {
  auto end = Srtp::make(same_keys(SrtpProfile::aes128_cm_sha1_80, Bytes(30, 1)));
  ASSERT_TRUE(end);
  const auto rtp = from_hex(rtp_of_libsrtp);
  EXPECT_TRUE(end->protect(rtp));
  EXPECT_FALSE(end->protect(rtp));
}

TEST(Srtp, HasABoundOfSources) {
  auto end = Srtp::make(same_keys(SrtpProfile::aead_aes_128_gcm, Bytes(28, 1)));
  ASSERT_TRUE(end);
  auto rtp = from_hex(rtp_of_libsrtp);
  int sources = 0;
  for (; sources < 1'000; ++sources) {
    rtp[11] = static_cast<std::uint8_t>(sources);
    rtp[10] = static_cast<std::uint8_t>(sources >> 8);
    if (!end->protect(rtp)) break;
  }
  EXPECT_EQ(sources, 16);
}

TEST(Srtp, KeysOfAnotherSizeAreRefused) {
  EXPECT_FALSE(Srtp::make(same_keys(SrtpProfile::aead_aes_128_gcm, Bytes(30, 1))));
  EXPECT_FALSE(Srtp::make(same_keys(SrtpProfile::aes128_cm_sha1_80, Bytes(28, 1))));
  EXPECT_FALSE(Srtp::make(same_keys(SrtpProfile::aes128_cm_sha1_80, {})));
}

}  // namespace
}  // namespace callready::webrtc
