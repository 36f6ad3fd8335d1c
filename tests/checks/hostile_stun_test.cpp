// STUN and TURN servers that misbehave, one table for every check over STUN and every transport:
// each has a name for what is wrong, none hangs, and nothing spoilt counts as an answer.
#include "probe/net/stun.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/stream_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready::hostile_stun_test {
namespace {

using test::Bytes;
using test::bytes_of;

// What a well-behaved server says to a Binding, and to an Allocate without credentials.
Bytes good_answer(const Bytes& request) {
  const auto parsed = *stun::parse(request);
  const auto method = static_cast<stun::Method>(parsed.method);
  if (method == stun::Method::allocate) {
    stun::Builder builder(stun::Class::error, method, parsed.id);
    builder.add_error(401, "Unauthorized")
        .add_text(stun::Attribute::realm, "callready.test")
        .add_text(stun::Attribute::nonce, "nonce");
    return builder.finish();
  }
  stun::Builder builder(stun::Class::success, method, parsed.id);
  builder.add_xor_address(stun::Attribute::xor_mapped_address,
                          {IpAddress::v4({192, 0, 2, 1}), 4'711});
  return builder.finish();
}

Bytes with_length(Bytes message, std::size_t length) {
  message[2] = static_cast<std::uint8_t>(length >> 8);
  message[3] = static_cast<std::uint8_t>(length);
  return message;
}

using Packets = std::vector<Bytes>;

template <typename... All>
Packets packets(All... all) {
  Packets list;
  (list.push_back(std::move(all)), ...);
  return list;
}

// One way to misbehave.
struct Hostile {
  std::string name;
  // Packets (or pieces of a stream) in place of the good answer.
  std::function<Packets(Bytes good)> spoil;
  std::string over_udp, over_stream;  // the detail that must come; "answered": it does no harm
  bool closes = false;                // the stream ends after it
  bool one_by_one = false;            // a stream: byte by byte
  bool endless = false;               // the last piece again and again
};

const std::vector<Hostile>& table() {
  static const std::vector<Hostile> hostiles = {
      {"slow", [](Bytes good) { return packets(good); }, "answered", "answered", false, true},
      {"two answers", [](Bytes good) { return packets(good, good); }, "answered", "answered"},
      {"nothing", [](const Bytes&) { return Packets(); }, "timed_out", "stun_timed_out"},
      {"nothing, and goes", [](const Bytes&) { return Packets(); }, "timed_out", "closed_by_peer",
       true},
      {"an empty datagram", [](const Bytes&) { return packets(Bytes()); }, "not_stun",
       "stun_timed_out"},
      {"one byte", [](const Bytes& good) { return packets(Bytes(good.begin(), good.begin() + 1)); },
       "truncated", "truncated", true},
      {"a header only, cut short",
       [](const Bytes& good) { return packets(Bytes(good.begin(), good.begin() + 19)); },
       "truncated", "truncated", true},
      {"truncated",
       [](Bytes good) {
         good.resize(good.size() - 1);
         return packets(good);
       },
       "truncated", "truncated", true},
      {"never complete",
       [](Bytes good) {
         good.resize(good.size() - 1);
         return packets(good);
       },
       "truncated", "stun_timed_out"},
      {"bytes behind it",
       [](Bytes good) {
         good.push_back(0);
         return packets(good);
       },
       "trailing_bytes", "answered"},
      {"longer than it may be",
       [](Bytes good) {
         good.resize(60'000);
         return packets(with_length(std::move(good), 60'000 - 20));
       },
       "oversized", "oversized"},
      {"a length that is no multiple of four",
       [](Bytes good) {
         const auto size = good.size();
         good.push_back(0);
         return packets(with_length(std::move(good), size - 20 + 1));
       },
       "not_stun", "not_stun"},
      {"an attribute past the end",
       [](Bytes good) {
         good[22] = 0xff;
         return packets(good);
       },
       "attribute_overrun", "attribute_overrun"},
      {"wrong cookie",
       [](Bytes good) {
         good[4] ^= 1;
         return packets(good);
       },
       "wrong_cookie", "wrong_cookie"},
      {"wrong transaction",
       [](Bytes good) {
         good[19] ^= 1;
         return packets(good);
       },
       "wrong_transaction_id", "wrong_transaction_id"},
      {"our own request",
       [](Bytes good) {
         good[0] = 0;
         good[1] = static_cast<std::uint8_t>(good[1] & 0x0f);
         return packets(good);
       },
       "not_a_response", "not_a_response"},
      {"another method's answer",
       [](Bytes good) {
         good[1] ^= 0x04;
         return packets(good);
       },
       "wrong_transaction_id", "wrong_transaction_id"},
      {"HTTP",
       [](const Bytes&) {
         return packets(bytes_of("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
       },
       "not_stun", "not_stun", true, true},
      {"zeros for ever", [](const Bytes&) { return packets(Bytes(1'400)); }, "wrong_cookie",
       "wrong_cookie", false, false, true},
      {"others' answers for ever",
       [](Bytes good) {
         good[19] ^= 1;
         return packets(good);
       },
       "wrong_transaction_id", "wrong_transaction_id", false, false, true},
      {"a wrong one before the right one",
       [](Bytes good) {
         auto wrong = good;
         wrong[19] ^= 1;
         return packets(wrong, good);
       },
       "answered", "answered"},
  };
  return hostiles;
}

// `kind` without credentials: what is answered is "success" or "401".
struct Case {
  const char* kind;
  const char* answer;
};
constexpr Case cases[] = {{"stun", "success"}, {"turn", "401"}};

void expect(const Observation& seen, const Case& one, const std::string& detail,
            const std::string& what) {
  if (detail == "answered") {
    EXPECT_EQ(seen.outcome, Outcome::answered) << what;
    EXPECT_EQ(seen.detail.text(), one.answer) << what;
    return;
  }
  EXPECT_EQ(seen.detail.text(), detail) << what;
  const auto outcome = seen.detail == DetailCode::timed_out ? Outcome::silent : Outcome::failed;
  EXPECT_EQ(seen.outcome, outcome) << what << ": " << to_string(seen.outcome);
}

TEST(HostileStun, OverUdp) {
  for (const auto& hostile : table()) {
    for (const auto& one : cases) {
      test::CheckRunner runner({}, test::Time::by_hand);
      test::ScriptedUdp server(runner.loop.context,
                               [&](auto& own, const Bytes& request, const SocketAddress& from) {
                                 const auto packets = hostile.spoil(good_answer(request));
                                 for (const auto& packet : packets) own.send(packet, from);
                                 for (int i = 0; hostile.endless && i < 100; ++i)
                                   own.send(packets.back(), from);
                               });
      const auto seen = runner.run(one.kind, Transport::udp, "localhost", server.address());
      expect(seen, one, hostile.over_udp, hostile.name + " to " + one.kind);
    }
  }
}

TEST(HostileStun, DiscardsASuccessWithAnUnknownRequiredAttribute) {
  test::CheckRunner runner({}, test::Time::by_hand);
  test::ScriptedUdp server(
      runner.loop.context, [&](auto& own, const Bytes& request, const SocketAddress& from) {
        auto answer = good_answer(request);
        answer.insert(answer.end(), {0x70, 0x01, 0, 0});
        const auto size = answer.size();
        own.send(with_length(std::move(answer), size - stun::header_size), from);
      });
  const auto seen = runner.run(CheckKind::stun, Transport::udp, "localhost", server.address());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::malformed);
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::stun_stray, Fact::what),
            "a response with the unknown attribute 0x7001");
}

TEST(HostileStun, TellsNoNat) {
  for (const auto& hostile : table()) {
    test::CheckRunner runner({}, test::Time::by_hand);
    test::ScriptedUdp server(runner.loop.context,
                             [&](auto& own, const Bytes& request, const SocketAddress& from) {
                               if (stun::parse(request).has_error()) return;  // a contrast's
                               const auto packets = hostile.spoil(good_answer(request));
                               for (const auto& packet : packets) own.send(packet, from);
                               for (int i = 0; hostile.endless && i < 100; ++i)
                                 own.send(packets.back(), from);
                             });
    const auto seen = runner.run(CheckKind::nat, Transport::udp, "localhost", server.address());
    const bool answered = hostile.over_udp == "answered";
    EXPECT_EQ(seen.outcome == Outcome::answered, answered) << hostile.name;
    EXPECT_EQ(test::find_evidence(seen, EvidenceKind::nat_mapping) != nullptr, answered)
        << hostile.name;
  }
}

TEST(HostileStun, TellsNothingOfThePath) {
  for (const auto& hostile : table()) {
    if (hostile.over_udp == "answered") continue;
    test::CheckRunner runner({}, test::Time::by_hand);
    test::ScriptedUdp server(runner.loop.context,
                             [&](auto& own, const Bytes& request, const SocketAddress& from) {
                               const auto packets = hostile.spoil(good_answer(request));
                               for (const auto& packet : packets) own.send(packet, from);
                             });
    const auto seen = runner.run(CheckKind::path, Transport::udp, "localhost", server.address());
    EXPECT_EQ(seen.outcome, Outcome::silent) << hostile.name << ": " << seen.detail.text();
  }
}

TEST(HostileStun, OverTcp) {
  for (const auto& hostile : table()) {
    for (const auto& one : cases) {
      test::CheckRunner runner({}, test::Time::by_hand);
      test::ScriptedTcp server(runner.loop.context, [&](auto& connection, const Bytes& request) {
        if (request.empty()) return;
        const auto pieces = hostile.spoil(good_answer(request));
        for (const auto& piece : pieces) {
          if (!piece.empty()) connection.send(piece, hostile.one_by_one);
        }
        if (hostile.endless) connection.send_endlessly(pieces.back());
        if (hostile.closes) connection.close();
      });
      const auto seen = runner.run(one.kind, Transport::tcp, "localhost", server.address());
      expect(seen, one, hostile.over_stream, hostile.name + " to " + one.kind);
    }
  }
}

asio::awaitable<void> misbehave(test::TlsServerStream& stream, const Hostile& hostile) {
  Bytes buffer(4'096);
  const auto [error, size] =
      co_await stream.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
  if (error) co_return;
  buffer.resize(size);
  const auto pieces = hostile.spoil(good_answer(buffer));
  for (const auto& piece : pieces) {
    const std::size_t step = hostile.one_by_one ? 1 : std::max<std::size_t>(piece.size(), 1);
    for (std::size_t at = 0; at < piece.size(); at += step) {
      const auto rest = std::min(step, piece.size() - at);
      const auto part = asio::buffer(piece.data() + at, rest);
      const auto [failed, sent] =
          co_await asio::async_write(stream, part, asio::as_tuple(asio::use_awaitable));
      static_cast<void>(sent);
      if (failed) co_return;
    }
  }
  for (int i = 0; hostile.endless && i < 2'000; ++i) {
    const auto whole = asio::buffer(pieces.back());
    const auto [failed, sent] =
        co_await asio::async_write(stream, whole, asio::as_tuple(asio::use_awaitable));
    static_cast<void>(sent);
    if (failed) co_return;
  }
  if (hostile.closes) {
    const auto [failed] = co_await stream.async_shutdown(asio::as_tuple(asio::use_awaitable));
    static_cast<void>(failed);
    co_return;
  }
  // Held open until the client goes.
  const auto [ended, none] =
      co_await stream.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
  static_cast<void>(ended);
  static_cast<void>(none);
}

TEST(HostileStun, OverTls) {
  const auto authority = test::make_authority("Test Root");
  const test::TemporaryFile trusted(authority.pem());
  test::TlsServerOptions options;
  options.chain = {test::make_leaf("turn.example.com", authority)};
  for (const auto& hostile : table()) {
    for (const auto& one : cases) {
      // In real time, since a handshake takes processor time in which nothing else happens: one
      // request is enough where that means waiting.
      if (hostile.over_stream != "answered" && one.kind != cases[0].kind) continue;
      test::CheckRunner runner({trusted.path()});
      test::TlsServer server(runner.loop, options, [&](test::TlsServerStream& stream) {
        return misbehave(stream, hostile);
      });
      const auto seen = runner.run(one.kind, Transport::tls, "turn.example.com", server.address());
      expect(seen, one, hostile.over_stream, hostile.name + " to " + one.kind);
    }
  }
}

TEST(HostileStun, FromAnotherAddressIsNoAnswer) {
  for (const auto& one : cases) {
    test::CheckRunner runner({}, test::Time::by_hand);
    // Of another address, and of another port of the same one.
    for (const auto& elsewhere : {IpAddress::v4({127, 0, 0, 2}), IpAddress::v4({127, 0, 0, 1})}) {
      test::ScriptedUdp other(runner.loop.context, [](auto&, const Bytes&, const SocketAddress&) {},
                              {elsewhere, 0});
      test::ScriptedUdp server(runner.loop.context,
                               [&](auto&, const Bytes& request, const SocketAddress& from) {
                                 other.send(good_answer(request), from);
                               });
      const auto seen = runner.run(one.kind, Transport::udp, "localhost", server.address());
      EXPECT_EQ(seen.outcome, Outcome::silent) << one.kind;
      EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::stun_stray, Fact::reason),
                "wrong_source")
          << one.kind;
    }
  }
}

// The same checks over IPv6, against servers on ::1.
struct MediaOverIpv6 : testing::Test {
  test::CheckRunner runner{{}, test::Time::by_hand};
  const SocketAddress any{*IpAddress::parse("::1"), 0};

  void SetUp() override {
    error_code error;
    asio::ip::udp::socket socket(runner.loop.context, asio::ip::udp::v6());
    socket.bind({asio::ip::address_v6::loopback(), 0}, error);
    if (error) GTEST_SKIP() << "this machine has no ::1";
  }
};

TEST_F(MediaOverIpv6, StunTurnAndNatAreAnswered) {
  test::ScriptedUdp udp(
      runner.loop.context,
      [](auto& own, const Bytes& request, const SocketAddress& from) {
        if (stun::parse(request).has_error()) return;  // what looks for routers
        const auto parsed = *stun::parse(request);
        if (parsed.method != static_cast<int>(stun::Method::binding)) {
          return own.send(good_answer(request), from);
        }
        stun::Builder builder(stun::Class::success, stun::Method::binding, parsed.id);
        builder.add_xor_address(stun::Attribute::xor_mapped_address, from);
        own.send(builder.finish(), from);
      },
      any);
  test::ScriptedTcp tcp(
      runner.loop.context,
      [](auto& connection, const Bytes& request) {
        if (!request.empty()) connection.send(good_answer(request));
      },
      any);
  for (const auto& one : cases) {
    EXPECT_EQ(runner.run(one.kind, Transport::udp, "localhost", udp.address()).detail.text(),
              one.answer);
    EXPECT_EQ(runner.run(one.kind, Transport::tcp, "localhost", tcp.address()).detail.text(),
              one.answer);
  }
  const auto nat = runner.run(CheckKind::nat, Transport::udp, "localhost", udp.address());
  EXPECT_EQ(nat.outcome, Outcome::answered);
  EXPECT_EQ(nat.detail, DetailCode::none);
  EXPECT_EQ(nat.address, any.address);
}

TEST_F(MediaOverIpv6, LargePacketsThatVanishAreABlackHole) {
  constexpr std::size_t headers = 40 + 8, most = 1'400;
  test::ScriptedUdp server(
      runner.loop.context,
      [](auto& own, const Bytes& request, const SocketAddress& from) {
        if (request.size() + headers <= most) own.send(good_answer(request), from);
      },
      any);
  const auto seen = runner.run(CheckKind::path, Transport::udp, "localhost", server.address());
  EXPECT_EQ(seen.detail, DetailCode::black_hole);
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::path_mtu, Fact::passes), 1'400);
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::path_mtu, Fact::vanishes), 1'420);
}

TEST_F(MediaOverIpv6, TcpConnectsAndIsRefused) {
  SocketAddress address;
  {
    test::ScriptedTcp server(
        runner.loop.context, [](auto&, const Bytes&) {}, any);
    address = server.address();
    const auto seen = runner.run(CheckKind::tcp, Transport::tcp, "localhost", address);
    EXPECT_EQ(seen.outcome, Outcome::connected);
    EXPECT_EQ(seen.local->address, any.address);
  }
  runner.loop.context.poll();
  const auto refused = runner.run(CheckKind::tcp, Transport::tcp, "localhost",
                                  {any.address, test::free_tcp_port(runner.loop.context)});
  EXPECT_EQ(refused.outcome, Outcome::refused);
}

TEST_F(MediaOverIpv6, MediaPortsReplyAndAreUnreachable) {
  test::ScriptedUdp echo(
      runner.loop.context,
      [](auto& own, const Bytes& bytes, const SocketAddress& from) { own.send(bytes, from); }, any);
  Probe probe;
  probe.check = CheckKind::udp_range;
  probe.target.host = "::1";
  probe.target.ports = {1, echo.address().port};
  probe.target.sample = {1, echo.address().port};
  probe.target.transport = Transport::udp;
  const auto seen = runner.run(probe, any.address);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::udp_port, Fact::result), "arrived");
}

}  // namespace
}  // namespace callready::hostile_stun_test
