#include "probe/net/stun.hpp"

#include "tests/support/bytes.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/coturn.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/said.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::bytes_of;
using test::fact;
using test::find_evidence;
using test::ScriptedTcp;
using test::ScriptedUdp;

Bytes reply_to(const Bytes& request, const SocketAddress& client) {
  const auto parsed = *stun::parse(request);
  stun::Builder builder(stun::Class::success, stun::Method::binding, parsed.id);
  builder.add_xor_address(stun::Attribute::xor_mapped_address, client)
      .add_text(stun::Attribute::software, "scripted\x01");
  return builder.finish();
}

// The scripted servers are in this process: time moves by hand.
struct StunCheck : testing::Test {
  test::CheckRunner runner{{}, test::Time::by_hand};

  Observation over_udp(ScriptedUdp::Script script) {
    ScriptedUdp server(runner.loop.context, std::move(script));
    return runner.run(CheckKind::stun, Transport::udp, "localhost", server.address());
  }
  // The script is called once for each request.
  Observation over_tcp(const ScriptedTcp::Script& answer) {
    ScriptedTcp server(runner.loop.context, [&](auto& connection, const Bytes& bytes) {
      if (!bytes.empty()) answer(connection, bytes);
    });
    return runner.run(CheckKind::stun, Transport::tcp, "localhost", server.address());
  }
};

TEST_F(StunCheck, IsAnsweredOverUdp) {
  const auto seen = over_udp([](auto& server, const Bytes& request, const SocketAddress& from) {
    server.send(reply_to(request, from), from);
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::success);
  EXPECT_EQ(seen.attempts, 1);
  ASSERT_TRUE(seen.round_trip);
  EXPECT_EQ(seen.local->address, *IpAddress::parse("127.0.0.1"));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_reply, Fact::software), "scripted?");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::mapped_address, Fact::address), "127.0.0.1");
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::mapped_address, Fact::port), seen.local->port);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::mapped_address, Fact::translated), false);
  EXPECT_FALSE(find_evidence(seen, EvidenceKind::retransmitted));
}

TEST_F(StunCheck, SaysHowManyTransmissionsItTook) {
  int requests = 0;
  const auto seen = over_udp([&](auto& server, const Bytes& request, const SocketAddress& from) {
    if (++requests == 3) server.send(reply_to(request, from), from);
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.attempts, 3);
  EXPECT_FALSE(seen.round_trip) << "which transmission was answered is not known";
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::retransmitted, Fact::attempts), 3);
}

TEST_F(StunCheck, AnErrorResponseIsAnAnswer) {
  const auto seen = over_udp([](auto& server, const Bytes& request, const SocketAddress& from) {
    stun::Builder builder(stun::Class::error, stun::Method::binding, stun::parse(request)->id);
    builder.add_error(401, "Unauthorized");
    server.send(builder.finish(), from);
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(401));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_reply, Fact::reason), "Unauthorized");
}

TEST_F(StunCheck, TakesTheFirstOfTwoReplies) {
  const auto seen = over_udp([](auto& server, const Bytes& request, const SocketAddress& from) {
    server.send(reply_to(request, {*IpAddress::parse("192.0.2.1"), 1}), from);
    server.send(reply_to(request, {*IpAddress::parse("192.0.2.2"), 2}), from);
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::mapped_address, Fact::address), "192.0.2.1");
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::mapped_address, Fact::translated), true);
}

TEST_F(StunCheck, GivesUpOnASilentServer) {
  const auto seen = over_udp([](auto&, const Bytes&, const SocketAddress&) {});
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::timed_out);
  EXPECT_EQ(seen.attempts, 4);
}

TEST_F(StunCheck, IsRefusedByAClosedPort) {
  const auto port = test::free_udp_port(runner.loop.context);
  const auto seen = runner.run(CheckKind::stun, Transport::udp, "localhost",
                               {IpAddress::v4({127, 0, 0, 1}), port});
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::icmp_error, Fact::sender), "127.0.0.1");
}

TEST_F(StunCheck, DoesNotTakeAReplyFromAnotherAddress) {
  ScriptedUdp other(runner.loop.context, [](auto&, const Bytes&, const SocketAddress&) {});
  const auto seen = over_udp([&](auto&, const Bytes& request, const SocketAddress& from) {
    other.send(reply_to(request, from), from);
  });
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::stun_stray, Fact::from_server), false);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_stray, Fact::reason), "wrong_source");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_stray, Fact::from),
            other.address().to_string());
}

struct Misbehaviour {
  test::Said detail;
  std::function<Bytes(Bytes)> spoil;  // a good reply, spoilt
};

TEST_F(StunCheck, NamesWhatIsWrongWithAReplyOverUdp) {
  const Misbehaviour cases[] = {
      {"wrong_cookie",
       [](Bytes reply) {
         reply[4] ^= 1;
         return reply;
       }},
      {"wrong_transaction_id",
       [](Bytes reply) {
         reply[19] ^= 1;
         return reply;
       }},
      {"truncated",
       [](Bytes reply) {
         reply.resize(reply.size() - 6);
         return reply;
       }},
      {"trailing_bytes",
       [](Bytes reply) {
         reply.push_back(0);
         return reply;
       }},
      {"attribute_overrun",
       [](Bytes reply) {
         reply[22] = 0xff;
         return reply;
       }},
      {"oversized",
       [](Bytes reply) {
         reply.resize(60'000);
         reply[2] = static_cast<std::uint8_t>((60'000 - 20) >> 8);
         reply[3] = static_cast<std::uint8_t>(60'000 - 20);
         return reply;
       }},
      {"not_stun", [](const Bytes&) { return bytes_of("HTTP/1.1 400 Bad Request\r\n\r\n"); }},
      {"not_a_response",
       [](Bytes reply) {
         reply[0] = 0;  // a request
         return reply;
       }},
  };
  for (const auto& one : cases) {
    const auto seen = over_udp([&](auto& server, const Bytes& request, const SocketAddress& from) {
      server.send(one.spoil(reply_to(request, from)), from);
    });
    EXPECT_EQ(seen.outcome, Outcome::failed) << one.detail.text();
    EXPECT_EQ(seen.detail, one.detail);
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_stray, Fact::reason), one.detail.text());
  }
}

TEST_F(StunCheck, WaitsForTheAnswerBehindAStray) {
  const auto seen = over_udp([](auto& server, const Bytes& request, const SocketAddress& from) {
    auto reply = reply_to(request, from);
    auto stray = reply;
    stray[19] ^= 1;
    server.send(stray, from);
    server.send(reply, from);
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_stray, Fact::reason),
            "wrong_transaction_id");
}

TEST_F(StunCheck, IsAnsweredOverTcpByteByByte) {
  const auto seen = over_tcp([](auto& connection, const Bytes& request) {
    connection.send(reply_to(request, connection.peer()), true);
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::success);
  EXPECT_TRUE(seen.round_trip) << "of the TCP handshake";
  EXPECT_TRUE(seen.timing_ms.contains(Timing::reply));
}

TEST_F(StunCheck, NamesAnInspectionDeviceOverTcp) {
  const auto seen = over_tcp([](auto& connection, const Bytes&) {
    connection.send(bytes_of("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), true);
    connection.close();
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::not_stun);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_stray, Fact::what),
            "HTTP/1.1 400 Bad Request");
}

TEST_F(StunCheck, SaysThatAConnectionStaysSilent) {
  const auto seen = over_tcp([](auto&, const Bytes&) {});
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::stun_timed_out);
}

TEST_F(StunCheck, NamesWhatIsWrongWithAStream) {
  const auto truncated = over_tcp([](auto& connection, const Bytes& request) {
    auto reply = reply_to(request, connection.peer());
    reply.resize(reply.size() - 1);
    connection.send(reply);
    connection.close();
  });
  EXPECT_EQ(truncated.outcome, Outcome::failed);
  EXPECT_EQ(truncated.detail, DetailCode::truncated);

  const auto closed = over_tcp([](auto& connection, const Bytes&) { connection.close(); });
  EXPECT_EQ(closed.outcome, Outcome::failed);
  EXPECT_EQ(closed.detail, DetailCode::closed_by_peer);

  const auto reset = over_tcp([](auto& connection, const Bytes&) { connection.reset(); });
  EXPECT_EQ(reset.outcome, Outcome::failed);
  EXPECT_EQ(reset.detail, DetailCode::connection_reset);

  const auto oversized = over_tcp([](auto& connection, const Bytes& request) {
    auto reply = reply_to(request, connection.peer());
    reply[2] = 0xff;
    connection.send(reply);
  });
  EXPECT_EQ(oversized.outcome, Outcome::failed);
  EXPECT_EQ(oversized.detail, DetailCode::oversized);

  const auto endless = over_tcp([](auto& connection, const Bytes& request) {
    auto reply = reply_to(request, connection.peer());
    reply[19] ^= 1;
    connection.send_endlessly(reply);
  });
  EXPECT_EQ(endless.outcome, Outcome::failed);
  EXPECT_EQ(endless.detail, DetailCode::wrong_transaction_id);
}

TEST_F(StunCheck, AskedInTheClearAPortForTlsIsNamed) {
  const auto seen = over_tcp([](auto& connection, const Bytes&) {
    connection.send(test::from_hex("15030300020246"));
    connection.close();
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_stray, Fact::what),
            "a TLS alert: this port wants TLS");
}

TEST_F(StunCheck, AFloodIsNoFaultOfTheServer) {
  const SocketAddress remote{IpAddress::v4({127, 0, 0, 1}), 3'478};
  test::MemoryServer server(runner.loop.executor(), {remote.address, 50'000},
                            [](const Bytes&, std::vector<Bytes>& replies) {
                              replies.assign(5'000, Bytes{'x'});
                              return error_code();
                            });
  const auto seen = runner.run(CheckKind::stun, Transport::udp, "localhost", remote);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::local_error);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::stun_stray));
}

TEST_F(StunCheck, IsSkippedOnceTheRunIsStopped) {
  ScriptedUdp server(runner.loop.context,
                     [&](auto&, const Bytes&, const SocketAddress&) { runner.loop.stop.stop(); });
  const auto seen = runner.run(CheckKind::stun, Transport::udp, "localhost", server.address());
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
  EXPECT_EQ(seen.attempts, 1);
}

TEST(StunCheckWithCoturn, IsAnswered) {
  CALLREADY_NEEDS_COTURN();
  test::CheckRunner runner;
  test::Coturn coturn(runner.loop.context, {});
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    const auto seen = runner.run(CheckKind::stun, transport, "localhost", coturn.address());
    EXPECT_EQ(seen.outcome, Outcome::answered) << to_string(transport);
    EXPECT_EQ(seen.detail, DetailCode::success);
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::mapped_address, Fact::address), "127.0.0.1");
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::mapped_address, Fact::translated), false);
    EXPECT_TRUE(
        fact<std::string>(seen, EvidenceKind::stun_reply, Fact::software)->starts_with("Coturn"));
  }
}

TEST(StunCheckWithCoturn, IsAnsweredOverTlsWhereItsCertificateIsTrusted) {
  CALLREADY_NEEDS_COTURN();
  test::CheckRunner runner;
  test::CoturnOptions options;
  options.tls = true;
  test::Coturn coturn(runner.loop.context, options);
  const auto stranger =
      runner.run(CheckKind::stun, Transport::tls, "localhost", coturn.tls_address());
  EXPECT_EQ(stranger.outcome, Outcome::failed);
  EXPECT_EQ(stranger.detail, DetailCode::untrusted) << "its issuer is unknown here";
  EXPECT_TRUE(find_evidence(stranger, EvidenceKind::stun_reply))
      << "STUN was answered all the same";

  test::CheckRunner trusting({coturn.ca_file()});
  const auto seen =
      trusting.run(CheckKind::stun, Transport::tls, "localhost", coturn.tls_address());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::success);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::certificate));
}

}  // namespace
}  // namespace callready
