#include <set>

#include "probe/net/stun.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready::path_test {
namespace {

using test::Bytes;
using test::fact;
using test::find_evidence;
using test::ScriptedTcp;
using test::ScriptedUdp;

constexpr std::size_t udp_headers = 28;

Bytes reply_to(const Bytes& request, const SocketAddress& client) {
  const auto parsed = *stun::parse(request);
  stun::Builder builder(stun::Class::success, stun::Method::binding, parsed.id);
  builder.add_xor_address(stun::Attribute::xor_mapped_address, client);
  return builder.finish();
}

// The servers are in this process: time moves by hand.
struct PathCheck : testing::Test {
  test::CheckRunner runner{{}, test::Time::by_hand};
  std::vector<std::size_t> sizes;  // of the packets that came
  std::set<std::uint16_t> ports;   // that they came from

  // A path that lets packets of so many bytes through.
  Observation over_udp(std::size_t most) {
    ScriptedUdp server(runner.loop.context,
                       [&](auto& self, const Bytes& request, const auto& from) {
                         sizes.push_back(request.size() + udp_headers);
                         ports.insert(from.port);
                         if (sizes.back() <= most) self.send(reply_to(request, from), from);
                       });
    return runner.run(CheckKind::path, Transport::udp, "localhost", server.address());
  }
};

TEST_F(PathCheck, AFullSizePacketThatIsAnsweredIsAllItSends) {
  const auto seen = over_udp(1'500);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::full_size);
  EXPECT_EQ(sizes.size(), 2U);
  EXPECT_LT(sizes[0], 100U);
  EXPECT_EQ(sizes[1], 1'500U);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::path_mtu, Fact::passes), 1'500);
  EXPECT_TRUE(seen.round_trip);
}

TEST_F(PathCheck, LargePacketsThatVanishAreABlackHole) {
  const auto seen = over_udp(1'400);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::black_hole);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::path_mtu, Fact::passes), 1'400);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::path_mtu, Fact::vanishes), 1'420);
  for (const auto size : sizes) EXPECT_LE(size, 1'500U);
  EXPECT_EQ(ports.size(), 1U) << "what tells flows apart would look like a limit of sizes";
}

// As a firewall of this computer's does that limits how much it lets out.
TEST_F(PathCheck, WhatThisComputerDoesNotSendDoesNotVanish) {
  const auto own = SocketAddress{IpAddress::v4({192, 0, 2, 9}), 4'000};
  test::MemoryServer server(
      runner.loop.executor(), own, [&](const Bytes& request, std::vector<Bytes>& replies) {
        const auto size = request.size() + udp_headers;
        if (size > 1'400 && size <= 1'440) {
          return make_error_code(boost::system::errc::operation_not_permitted);
        }
        if (size <= 1'400) replies.push_back(reply_to(request, own));
        return error_code();
      });
  const auto seen = runner.run(CheckKind::path, Transport::udp, "localhost",
                               {IpAddress::v4({192, 0, 2, 2}), 3'478});
  EXPECT_EQ(seen.detail, DetailCode::black_hole);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::path_mtu, Fact::passes), 1'400);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::path_mtu, Fact::vanishes), 1'460);
}

TEST_F(PathCheck, WhatThisComputerKeepsForItsSizeSaysNothingOfThePort) {
  const auto own = SocketAddress{IpAddress::v4({192, 0, 2, 9}), 4'000};
  std::size_t most = 100;
  test::MemoryServer server(
      runner.loop.executor(), own, [&](const Bytes& request, std::vector<Bytes>& replies) {
        const auto size = request.size() + udp_headers;
        if (size > most) return make_error_code(boost::system::errc::operation_not_permitted);
        replies.push_back(reply_to(request, own));
        return error_code();
      });
  const auto look = [&] {
    return runner.run(CheckKind::path, Transport::udp, "localhost",
                      {IpAddress::v4({192, 0, 2, 2}), 3'478});
  };
  const auto seen = look();
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::local_error);
  most = 0;
  EXPECT_EQ(look().detail, DetailCode::kept_here) << "it keeps all that goes there";
}

TEST_F(PathCheck, AnOldRouterDoesNotSayHowSmall) {
  const auto own = SocketAddress{IpAddress::v4({192, 0, 2, 9}), 4'000};
  test::MemoryServer server(runner.loop.executor(), own,
                            [&](const Bytes& request, std::vector<Bytes>& replies) {
                              replies.push_back(reply_to(request, own));
                              return error_code();
                            });
  const auto seen_behind = [&](int mtu) {
    server.router = [mtu](const Bytes& sent) -> std::optional<IcmpError> {
      if (sent.size() < 1'000) return std::nullopt;
      IcmpError icmp;
      icmp.kind = IcmpKind::fragmentation_needed;
      icmp.sender = IpAddress::v4({192, 0, 2, 1});
      icmp.mtu = mtu;
      return icmp;
    };
    return runner.run(CheckKind::path, Transport::udp, "localhost",
                      {IpAddress::v4({192, 0, 2, 2}), 3'478});
  };
  const auto old = seen_behind(0), wrong = seen_behind(9'000), usual = seen_behind(1'400);
  for (const auto& seen : {old, wrong, usual}) {
    EXPECT_EQ(seen.outcome, Outcome::answered);
    EXPECT_EQ(seen.detail, DetailCode::path_mtu);
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::path_mtu, Fact::by), "192.0.2.1");
  }
  EXPECT_FALSE(fact<std::int64_t>(old, EvidenceKind::path_mtu, Fact::passes));
  EXPECT_FALSE(fact<std::int64_t>(wrong, EvidenceKind::path_mtu, Fact::passes));
  EXPECT_EQ(fact<std::int64_t>(usual, EvidenceKind::path_mtu, Fact::passes), 1'400);
}

TEST_F(PathCheck, AServerThatIgnoresPaddingProvesNothing) {
  const auto seen = over_udp(100);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::padding_ignored);
  EXPECT_FALSE(find_evidence(seen, EvidenceKind::path_mtu));
}

TEST_F(PathCheck, ASilentServerIsSilent) {
  const auto seen = over_udp(0);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  for (const auto size : sizes) EXPECT_LT(size, 100U) << "nothing large to whom does not answer";
}

TEST_F(PathCheck, AClosedPortIsRefused) {
  const auto port = test::free_udp_port(runner.loop.context);
  const auto seen = runner.run(CheckKind::path, Transport::udp, "localhost",
                               {IpAddress::v4({127, 0, 0, 1}), port});
  EXPECT_EQ(seen.outcome, Outcome::refused);
}

TEST_F(PathCheck, AnAnswerToALargeRequestOverTcpIsEnough) {
  Bytes all;
  ScriptedTcp server(runner.loop.context, [&](auto& connection, const Bytes& bytes) {
    all.insert(all.end(), bytes.begin(), bytes.end());
    if (all.size() > 3'000) connection.send(test::bytes_of("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  const auto seen = runner.run(CheckKind::path, Transport::tcp, "localhost", server.address());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::full_size);
  EXPECT_EQ(server.connections(), 1);
  const auto host = "\r\nHost: localhost:" + std::to_string(server.address().port) + "\r\n";
  EXPECT_NE(std::string(all.begin(), all.end()).find(host), std::string::npos);
}

TEST_F(PathCheck, AConnectionThatOnlyWorksWithSmallSegmentsIsABlackHole) {
  int connections = 0;
  ScriptedTcp server(runner.loop.context, [&](auto& connection, const Bytes& bytes) {
    if (bytes.empty()) ++connections;
    if (!bytes.empty() && connections > 1) {
      connection.send(test::bytes_of("HTTP/1.1 200 OK\r\n\r\n"));
    }
  });
  const auto seen = runner.run(CheckKind::path, Transport::tcp, "localhost", server.address());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::black_hole);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::path_mtu));
}

TEST_F(PathCheck, AMuteServerIsNoBlackHole) {
  ScriptedTcp server(runner.loop.context, [](auto&, const Bytes&) {});
  const auto seen = runner.run(CheckKind::path, Transport::tcp, "localhost", server.address());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::http_timed_out);
  EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace callready::path_test
