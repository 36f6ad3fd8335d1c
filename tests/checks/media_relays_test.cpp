// The check `media` with two relays of a real coturn as its far end.
#include <gtest/gtest.h>

#include "tests/support/check_runner.hpp"
#include "tests/support/coturn.hpp"

namespace callready {
namespace {

class MediaByRelays : public testing::Test {
 protected:
  test::CheckRunner runner;

  MediaByRelays() {
    runner.settings.credentials.turn_user = "somebody";
    runner.settings.credentials.turn_password = "something";
  }
  std::unique_ptr<test::Coturn> coturn(std::vector<std::string> more = {}) {
    test::CoturnOptions options;
    options.arguments = {"--lt-cred-mech", "--user=somebody:something"};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    return std::make_unique<test::Coturn>(runner.loop.context, options);
  }
  Observation measure(const test::Coturn& server, std::string over = "tcp") {
    const auto address = server.address().to_string();
    return runner.run(CheckKind::media, Transport::udp, "127.0.0.1", server.address(),
                      {{"seconds", "1"}, {"turn", address + "/" + over}});
  }
  static std::string why(const Observation& seen) {
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind == EvidenceKind::relay_to_relay) return evidence.text.string();
    }
    return {};
  }
};

TEST_F(MediaByRelays, MeasuresEachWayAndThereAndBack) {
  CALLREADY_NEEDS_COTURN();
  const auto server = coturn();
  const auto seen = measure(*server);
  ASSERT_EQ(seen.outcome, Outcome::answered) << seen.detail.text() << why(seen);
  ASSERT_TRUE(seen.media && seen.media->up && seen.media->down && seen.media->loop) << why(seen);
  const auto& stream = *seen.media;
  EXPECT_TRUE(stream.by_relays.value_or(false));
  EXPECT_EQ(stream.packet_bytes, 172);
  for (const auto* way : {&*stream.up, &*stream.down, &*stream.loop}) {
    EXPECT_EQ(way->sent, 50);
    EXPECT_EQ(way->lost, 0);
    EXPECT_EQ(way->duplicates, 0);
  }
  EXPECT_FALSE(stream.up->jitter_ms || stream.down->variation_ms)
      << "of TCP as much as of the line";
  EXPECT_TRUE(stream.up->histogram.empty());
  EXPECT_TRUE(stream.loop->jitter_ms);
  EXPECT_TRUE(stream.round_trip_ms && stream.up->delay_ms && stream.up->score);
  EXPECT_DOUBLE_EQ(*stream.up->delay_ms, *stream.round_trip_ms / 2);
  EXPECT_EQ(stream.loop->dscp_sent, 46);
  EXPECT_FALSE(stream.first_hop) << "no router is on the way to this computer itself";
}

TEST_F(MediaByRelays, SaysWhyThereAreNone) {
  CALLREADY_NEEDS_COTURN();
  const auto strict = coturn({"--denied-peer-ip=127.0.0.1"});
  auto seen = measure(*strict);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::no_relays);
  EXPECT_NE(why(seen).find("403"), std::string::npos) << why(seen);
  const auto narrow = coturn({"--user-quota=1"});
  seen = measure(*narrow);
  EXPECT_EQ(seen.detail, DetailCode::no_relays);
  EXPECT_NE(why(seen).find("486"), std::string::npos) << why(seen);
}

TEST_F(MediaByRelays, NeedsALoginAndAConnection) {
  const std::map<std::string, std::string> with{{"turn", "127.0.0.1:9/tcp"}};
  const SocketAddress nobody{IpAddress::v4({127, 0, 0, 1}), 9};
  runner.settings.credentials.turn_hosts.clear();
  auto seen = runner.run(CheckKind::media, Transport::udp, "127.0.0.1", nobody, with);
  EXPECT_EQ(seen.detail, DetailCode::no_turn_login);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  runner.settings.credentials.turn_hosts = {"127.0.0.1"};
  seen = runner.run(CheckKind::media, Transport::udp, "127.0.0.1", nobody, with);
  EXPECT_EQ(seen.detail, DetailCode::no_relays) << "nobody listens there";
  seen = runner.run(CheckKind::media, Transport::udp, "127.0.0.1", nobody,
                    {{"turn", "127.0.0.1:9/udp"}});
  EXPECT_EQ(seen.detail, DetailCode::bad_parameter);
}

}  // namespace
}  // namespace callready
