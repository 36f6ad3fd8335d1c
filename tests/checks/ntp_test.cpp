#include "probe/net/ntp.hpp"

#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::fact;
using test::ScriptedUdp;

void put(Bytes& bytes, std::size_t at, std::uint64_t number) {
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[at + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i) & 0xff);
  }
}

// A right reply of a server whose clock differs by `ahead`.
Bytes reply_to(const Bytes& request, milliseconds ahead = milliseconds(0)) {
  Bytes reply(48);
  reply[0] = 4 << 3 | 4;
  reply[1] = 1;
  reply[12] = 'G';
  reply[13] = 'P';
  reply[14] = 'S';
  std::copy_n(request.begin() + 40, 8, reply.begin() + 24);
  const auto now = ntp::to_timestamp(std::chrono::system_clock::now() + ahead);
  put(reply, 32, now);
  put(reply, 40, now);
  return reply;
}

class NtpCheck : public testing::Test {
 protected:
  explicit NtpCheck(test::Time time = test::Time::real) : runner({}, time) {}
  test::CheckRunner runner;

  Observation ask(const std::function<std::optional<Bytes>(const Bytes& request)>& answer) {
    ScriptedUdp server(runner.loop.context,
                       [&](ScriptedUdp& self, const Bytes& request, const SocketAddress& from) {
                         const auto reply = answer(request);
                         if (reply) self.send(*reply, from);
                       });
    return runner.run(CheckKind::ntp, Transport::udp, "ntp.example.com", server.address());
  }
};

// Where somebody waits for silence.
class SlowNtpCheck : public NtpCheck {
 protected:
  SlowNtpCheck() : NtpCheck(test::Time::by_hand) {}
};

TEST_F(NtpCheck, MeasuresTheOffset) {
  for (const auto ahead : {milliseconds(0), milliseconds(90'000), milliseconds(-90'000)}) {
    const auto seen = ask([&](const Bytes& request) { return reply_to(request, ahead); });
    EXPECT_EQ(seen.outcome, Outcome::answered);
    EXPECT_EQ(seen.detail, DetailCode::synchronised);
    EXPECT_EQ(seen.attempts, 1);
    ASSERT_TRUE(seen.round_trip);
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::ntp_reply, Fact::stratum), 1);
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::ntp_reply, Fact::reference), "GPS");
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::clock_offset, Fact::exact), true);
    const auto delay = fact<double>(seen, EvidenceKind::clock_offset, Fact::delay_ms);
    const auto offset = fact<double>(seen, EvidenceKind::clock_offset, Fact::offset_ms);
    ASSERT_TRUE(delay && offset);
    EXPECT_NEAR(*delay, seen.round_trip->count(), 1.0);
    // Both ends have the same clock: the error is at most half the delay.
    EXPECT_NEAR(*offset, static_cast<double>(ahead.count()), *delay / 2 + 1.0);
  }
}

TEST_F(NtpCheck, IsNotExactAfterARetransmission) {
  int asked = 0;
  const auto seen = ask([&](const Bytes& request) {
    return ++asked == 1 ? std::nullopt : std::optional(reply_to(request, milliseconds(5'000)));
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.attempts, 2);
  EXPECT_FALSE(seen.round_trip);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::clock_offset, Fact::exact), false);
  EXPECT_FALSE(fact<double>(seen, EvidenceKind::clock_offset, Fact::delay_ms));
  EXPECT_NEAR(fact<double>(seen, EvidenceKind::clock_offset, Fact::offset_ms).value_or(0), 5'000.0,
              500.0);
}

TEST_F(NtpCheck, IsDeniedByAKiss) {
  const auto seen = ask([](const Bytes& request) {
    auto reply = reply_to(request);
    reply[0] |= 3 << 6;
    reply[1] = 0;
    std::copy_n("RATE", 4, reply.begin() + 12);
    return reply;
  });
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, DetailCode::kiss_rate);
  EXPECT_EQ(test::find_evidence(seen, EvidenceKind::clock_offset), nullptr);
}

TEST_F(NtpCheck, FailsOfAServerWithoutTheTime) {
  const auto seen = ask([](const Bytes& request) {
    auto reply = reply_to(request);
    reply[0] |= 3 << 6;
    return reply;
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::not_synchronised);
}

// So ntpd and chrony answer until they know the time.
TEST_F(NtpCheck, AServerWhoseClockIsNotSetYetDeniesNothing) {
  for (const std::string_view code : {"INIT", "STEP", ""}) {
    const auto seen = ask([&](const Bytes& request) {
      auto reply = reply_to(request);
      reply[0] |= 3 << 6;
      reply[1] = 0;
      std::fill_n(reply.begin() + 12, 4, 0);
      std::copy(code.begin(), code.end(), reply.begin() + 12);
      return reply;
    });
    EXPECT_EQ(seen.outcome, Outcome::failed) << code;
    EXPECT_EQ(seen.detail, DetailCode::not_synchronised) << code;
  }
}

TEST_F(NtpCheck, FailsOfItsOwnQuestionSentBack) {
  const auto seen = ask([](const Bytes& request) {
    auto reply = request;
    std::copy_n(request.begin() + 40, 8, reply.begin() + 24);
    return reply;
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::malformed);
}

TEST_F(SlowNtpCheck, AShortReplyIsMalformed) {
  const auto seen = ask([](const Bytes&) { return Bytes(47); });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::malformed);
}

TEST_F(SlowNtpCheck, RepliesToOthersDoNotCount) {
  const auto seen = ask([](const Bytes& request) {
    auto reply = reply_to(request);
    reply[24] ^= 1;
    return reply;
  });
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::timed_out);
  EXPECT_EQ(seen.attempts, 4);
}

TEST_F(NtpCheck, IsRefusedByAClosedPort) {
  const SocketAddress closed{IpAddress::v4({127, 0, 0, 1}),
                             test::free_udp_port(runner.loop.context)};
  const auto seen = runner.run(CheckKind::ntp, Transport::udp, "ntp.example.com", closed);
  EXPECT_EQ(seen.outcome, Outcome::refused);
}

}  // namespace
}  // namespace callready
