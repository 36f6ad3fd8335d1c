#include "probe/net/turn_client.hpp"

#include "checks/relay_server.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/coturn.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/fake_turn.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/said.hpp"

namespace callready {
namespace {

using test::fact;
using test::FakeTurn;
using test::FakeTurnOptions;
using test::find_evidence;

constexpr int allocate = static_cast<int>(stun::Method::allocate);
constexpr int refresh = static_cast<int>(stun::Method::refresh);
constexpr int create_permission = static_cast<int>(stun::Method::create_permission);

struct TurnCheck : testing::Test {
  test::CheckRunner runner;

  explicit TurnCheck(test::Time time = test::Time::by_hand) : runner({}, time) {}

  void use_credentials(const std::string& user = "user", const std::string& password = "password") {
    runner.settings.credentials.turn_user = user;
    runner.settings.credentials.turn_password = password;
  }
  Observation ask(const FakeTurn& server) {
    return runner.run(CheckKind::turn, Transport::udp, "localhost", server.address());
  }
  Observation ask_fake(FakeTurnOptions options) {
    FakeTurn server(runner.loop.context, std::move(options));
    auto seen = ask(server);
    EXPECT_EQ(server.allocations(), 0) << "everything is given back";
    return seen;
  }
};

TEST_F(TurnCheck, NobodyElseGetsTheLogin) {
  FakeTurn server(runner.loop.context, {});
  use_credentials();
  runner.settings.credentials.turn_hosts = {"turn.example.com"};
  const auto seen = ask(server);
  EXPECT_EQ(seen.detail, Detail::status(401));
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::turn_refusal, Fact::with_credentials), false);
}

TEST_F(TurnCheck, TheLoginIsForAHostWhateverItsCase) {
  FakeTurn server(runner.loop.context, {});
  use_credentials();
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "LocalHost", server.address());
  EXPECT_EQ(seen.detail, DetailCode::relayed);
}

TEST_F(TurnCheck, TheChallengeIsAnAnswer) {
  FakeTurn server(runner.loop.context, {});
  const auto seen = ask(server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(401));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::turn_challenge, Fact::realm), "callready.test");
  const auto& challenge = find_evidence(seen, EvidenceKind::turn_challenge)->text;
  EXPECT_EQ(challenge, "the server's realm is \"callready.test\"");
  EXPECT_EQ(challenge.parts().size(), 1u) << "translators get whole sentences";
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::turn_refusal, Fact::with_credentials), false);
  EXPECT_EQ(server.requests(), std::vector<int>{allocate}) << "one Allocate, and no more";
}

TEST_F(TurnCheck, AnOpenRelayIsGivenBack) {
  FakeTurnOptions options;
  options.ask_for_credentials = false;
  FakeTurn server(runner.loop.context, options);
  const auto seen = ask(server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::allocated);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::open_relay));
  EXPECT_EQ(server.requests(), (std::vector<int>{allocate, refresh}));
  EXPECT_EQ(server.allocations(), 0);
}

// coturn keeps a port for a while after its relay was given back: a second one would get a 437.
TEST_F(TurnCheck, AnOpenRelayIsMeasuredAsItIsGranted) {
  use_credentials();
  FakeTurnOptions options;
  options.ask_for_credentials = false;
  FakeTurn server(runner.loop.context, options);
  ask(server);
  EXPECT_EQ(std::ranges::count(server.requests(), int{allocate}), 1);
  EXPECT_EQ(server.allocations(), 0);
}

TEST_F(TurnCheck, RelaysInBothDirections) {
  use_credentials();
  FakeTurn server(runner.loop.context, {});
  const auto seen = ask(server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::relay_trip, Fact::outbound), true);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::relay_trip, Fact::inbound), true);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::relay, Fact::lifetime_s), 600);
  EXPECT_EQ(server.requests(),
            (std::vector<int>{allocate, -allocate, -create_permission, -refresh}));
  EXPECT_EQ(server.allocations(), 0);
}

TEST_F(TurnCheck, NoEvidenceHoldsASecret) {
  use_credentials("alice-the-user", "correct-horse");
  FakeTurnOptions options;
  options.user = "alice-the-user";
  options.password = "correct-horse";
  const auto seen = ask_fake(options);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  for (const auto& evidence : seen.evidence) {
    auto all = evidence.text.string();
    for (const auto& [name, value] : evidence.facts) {
      if (const auto* text = std::get_if<std::string>(&value)) all += *text;
    }
    EXPECT_EQ(all.find("alice"), std::string::npos) << to_string(evidence.kind);
    EXPECT_EQ(all.find("horse"), std::string::npos) << to_string(evidence.kind);
    EXPECT_EQ(all.find("nonce1"), std::string::npos) << to_string(evidence.kind);
  }
}

TEST_F(TurnCheck, WrongCredentialsAreDenied) {
  use_credentials("user", "wrong");
  FakeTurn server(runner.loop.context, {});
  const auto seen = ask(server);
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(401));
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::turn_refusal, Fact::with_credentials), true);
  EXPECT_EQ(server.requests(), (std::vector<int>{allocate, -allocate})) << "no third try";
}

TEST_F(TurnCheck, TellsRefusalsApart) {
  use_credentials();
  const std::pair<int, Outcome> cases[] = {
      {400, Outcome::denied}, {403, Outcome::denied}, {437, Outcome::denied},
      {441, Outcome::denied}, {442, Outcome::denied}, {486, Outcome::denied},
      {500, Outcome::failed}, {508, Outcome::denied},
  };
  for (const auto& [code, outcome] : cases) {
    FakeTurnOptions options;
    options.allocate_error = code;
    const auto seen = ask_fake(options);
    EXPECT_EQ(seen.outcome, outcome) << code;
    EXPECT_EQ(seen.detail, Detail::status(code));
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::turn_refusal, Fact::code), code);
  }
}

TEST_F(TurnCheck, APortThatIsTakenIsTriedAgainFromAnother) {
  use_credentials();
  FakeTurnOptions options;
  options.allocate_error = 437;
  options.refused_allocates = 1;
  const auto seen = ask_fake(options);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::port_taken));
}

TEST_F(TurnCheck, HoldsNoMoreRelaysThanARunMay) {
  use_credentials();
  FakeTurn server(runner.loop.context, {});
  Probe probe;
  probe.check = CheckKind::turn;
  probe.target.host = "127.0.0.1";
  probe.target.ports = {server.address().port, server.address().port};
  probe.target.transport = Transport::udp;
  std::vector<Probe> probes(40, probe);
  const auto seen = runner.run_all(probes, server.address().address);
  for (const auto& one : seen) EXPECT_EQ(one.detail, DetailCode::relayed);
  EXPECT_EQ(server.granted(), 40);
  EXPECT_LE(server.most_at_a_time(), 16);
  EXPECT_EQ(server.allocations(), 0);
}

TEST_F(TurnCheck, TakesANewNonce) {
  use_credentials();
  FakeTurnOptions options;
  options.stale_nonces = 1;
  EXPECT_EQ(ask_fake(options).detail, DetailCode::relayed);
}

TEST_F(TurnCheck, DoesNotFollowStaleNoncesForEver) {
  use_credentials();
  FakeTurnOptions options;
  options.stale_nonces = 1'000;
  FakeTurn server(runner.loop.context, options);
  const auto seen = ask(server);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::stale_nonce);
  EXPECT_EQ(server.requests().size(), 4u);
}

TEST_F(TurnCheck, AnEmptyRealmIsNoCrash) {
  use_credentials();
  for (const std::string realm : {"", "\"\""}) {
    FakeTurnOptions options;
    options.realm = realm;
    EXPECT_EQ(ask_fake(options).detail, DetailCode::relayed) << realm;
  }
}

TEST_F(TurnCheck, NamesServersThatBreakTheRules) {
  use_credentials();
  FakeTurnOptions challenge;
  challenge.leave_out_nonce = true;
  EXPECT_EQ(ask_fake(challenge).detail, DetailCode::bad_challenge);

  FakeTurnOptions integrity;
  integrity.wrong_integrity = true;
  FakeTurn forging(runner.loop.context, integrity);
  const auto seen = ask(forging);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::wrong_integrity);
  EXPECT_EQ(forging.allocations(), 0) << "what it granted is given back";

  FakeTurnOptions relayed;
  relayed.leave_out_relayed = true;
  const auto without = ask_fake(relayed);
  EXPECT_EQ(without.outcome, Outcome::failed);
  EXPECT_EQ(without.detail, DetailCode::no_relayed_address);
  EXPECT_FALSE(find_evidence(without, EvidenceKind::relay));
}

TEST_F(TurnCheck, NothingIsSentToARelayOnThisLink) {
  use_credentials();
  for (const auto& trap : {IpAddress::v4({169, 254, 169, 254}), IpAddress::v4({224, 0, 0, 1}),
                           IpAddress::v4({100, 100, 100, 200})}) {
    FakeTurnOptions options;
    options.named_relay = SocketAddress{trap, 80};
    const auto seen = ask_fake(options);
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail, DetailCode::no_relayed_address);
    EXPECT_FALSE(find_evidence(seen, EvidenceKind::relay_trip));
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::relay, Fact::address), trap.to_string());
  }
}

// RFC 5766 knows no IPv6 relays.
TEST_F(TurnCheck, AServerThatIsOlderThanIpv6RelaysGivesAnother) {
  use_credentials();
  FakeTurnOptions options;
  options.allocate_error = 420;
  options.refused_allocates = 1;
  FakeTurn server(runner.loop.context, options);
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", server.address(),
                               {{"relay", "ipv6"}});
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::relay, Fact::address), "127.0.0.1");
}

TEST_F(TurnCheck, ADeadRelayIsToldByDirection) {
  use_credentials();
  const std::pair<bool, bool> cases[] = {{false, false}, {true, false}, {false, true}};
  for (const auto& [outbound, inbound] : cases) {
    FakeTurnOptions options;
    options.outbound = outbound;
    options.inbound = inbound;
    options.between_relays = false;
    const auto seen = ask_fake(options);
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail, DetailCode::relay_dead);
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::relay_trip, Fact::outbound), outbound);
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::relay_trip, Fact::inbound), inbound);
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::relay_to_relay, Fact::carried), false);
  }
}

TEST_F(TurnCheck, ARelayThatOnlyOurFirewallKeepsFromUsIsAlive) {
  use_credentials();
  FakeTurnOptions options;
  options.outbound = false;
  options.inbound = false;
  const auto seen = ask_fake(options);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::relay_trip, Fact::outbound), false);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::relay_to_relay, Fact::carried), true);
}

// As over a satellite, with some queue.
TEST_F(TurnCheck, TwoRelaysReachEachOtherOnASlowLine) {
  use_credentials();
  std::vector<std::unique_ptr<Clock::Timer>> under_way;
  FakeTurnOptions options;
  options.outbound = options.inbound = false;
  options.later = [&](std::function<void()> deliver) {
    const auto when = runner.loop.soon(milliseconds(1'200));
    under_way.push_back(runner.loop.clock.call_at(when, std::move(deliver)));
  };
  const auto seen = ask_fake(options);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::relay_to_relay, Fact::carried), true);
}

TEST_F(TurnCheck, AStopIsNoRefusalOfRelaysThatTalk) {
  use_credentials();
  FakeTurnOptions options;
  options.outbound = options.inbound = false;
  FakeTurn server(runner.loop.context, options);
  int permissions = 0;
  server.before = [&](const stun::Message& message) {
    if (message.is(stun::Class::request, stun::Method::create_permission)) ++permissions;
    if (permissions == 2) runner.loop.stop.stop();  // the first is our own address'
    return true;
  };
  const auto seen = ask(server);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::relay_to_relay, Fact::not_measured),
            "the run was stopped first");
}

struct HeldRelay : TurnCheck {
  Observation hold(FakeTurnOptions options, bool cut_off = false) {
    use_credentials();
    FakeTurn server(runner.loop.context, std::move(options));
    if (cut_off) server.before = [&](const auto&) { return !server.carries_no_more(); };
    return runner.run(CheckKind::turn, Transport::udp, "localhost", server.address(),
                      {{"hold", "true"}});
  }
  template <typename T>
  static T told(const Observation& seen, Fact name) {
    return *fact<T>(seen, EvidenceKind::relay_life, name);
  }
};

TEST_F(HeldRelay, CarriesForTwentySeconds) {
  runner.run_time = milliseconds(60'000);
  const auto seen = hold({});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_TRUE(told<bool>(seen, Fact::carried));
  EXPECT_GE(told<double>(seen, Fact::alive_ms), 19'000);
  EXPECT_EQ(told<std::int64_t>(seen, Fact::sent), told<std::int64_t>(seen, Fact::received));
  EXPECT_LE(told<std::int64_t>(seen, Fact::sent), 80);
}

TEST_F(HeldRelay, DiesAfterThreePackets) {
  runner.run_time = milliseconds(60'000);
  for (const bool cut_off : {false, true}) {
    FakeTurnOptions options;
    options.carries = 3;
    const auto seen = hold(options, cut_off);
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail, DetailCode::relay_dies);
    EXPECT_EQ(told<std::int64_t>(seen, Fact::received), 3);
    EXPECT_LT(told<double>(seen, Fact::alive_ms), 3'000);
    EXPECT_EQ(told<bool>(seen, Fact::answered), !cut_off) << "on the same flow";
  }
}

TEST_F(HeldRelay, WhoseFirstPacketIsLostIsMeasured) {
  runner.run_time = milliseconds(60'000);
  FakeTurnOptions options;
  options.loses = 1;
  const auto seen = hold(options);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(told<std::int64_t>(seen, Fact::sent), told<std::int64_t>(seen, Fact::received) + 1);
}

// As over a satellite, with some queue.
TEST_F(HeldRelay, OnASlowLineCarriesAsWell) {
  runner.run_time = milliseconds(60'000);
  std::vector<std::unique_ptr<Clock::Timer>> under_way;
  FakeTurnOptions options;
  options.later = [&](std::function<void()> deliver) {
    const auto when = runner.loop.soon(milliseconds(1'200));
    under_way.push_back(runner.loop.clock.call_at(when, std::move(deliver)));
  };
  const auto seen = hold(options);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_GE(told<double>(seen, Fact::alive_ms), 19'000);
  EXPECT_EQ(told<std::int64_t>(seen, Fact::sent), told<std::int64_t>(seen, Fact::received));
}

TEST_F(HeldRelay, ThatAStopBetweenTwoPacketsCutsShortIsNotMeasured) {
  int carried = 0;
  std::unique_ptr<Clock::Timer> between;
  FakeTurnOptions options;
  options.later = [&](const std::function<void()>& deliver) {
    deliver();
    if (++carried < 3) return;
    const auto when = runner.loop.soon(timeouts::relay_beat / 2);
    between = runner.loop.clock.call_at(when, [&] { runner.loop.stop.stop(); });
  };
  const auto seen = hold(options);
  EXPECT_EQ(seen.detail, DetailCode::allocated);
  EXPECT_EQ(told<std::string>(seen, Fact::not_measured), "the run was stopped first");
}

TEST_F(HeldRelay, ThatMayNotTalkToItselfIsNotMeasured) {
  FakeTurnOptions forbids, mute;
  forbids.permission_error = 403;
  mute.between_relays = false;
  for (const auto& options : {forbids, mute}) {
    const auto seen = hold(options);
    EXPECT_EQ(seen.outcome, Outcome::answered);
    EXPECT_EQ(seen.detail, DetailCode::allocated);
    EXPECT_FALSE(told<std::string>(seen, Fact::not_measured).empty());
  }
}

// A server that asks nobody who he is.
struct HeldInMemory : HeldRelay {
  const SocketAddress own{IpAddress::v4({127, 0, 0, 1}), 50'000}, relay{own.address, 50'001};

  stun::Bytes from_relay(const stun::Bytes& data) const {
    stun::Builder builder(stun::Class::indication, stun::Method::data, stun::new_transaction_id());
    builder.add_xor_address(stun::Attribute::xor_peer_address, relay)
        .add_bytes(stun::Attribute::data, data);
    return builder.finish();
  }
  // `carry`: what becomes of data that is sent to the relay.
  Observation hold_by(const test::MemoryServer::Script& carry) {
    use_credentials();
    runner.run_time = milliseconds(60'000);
    test::MemoryServer server(
        runner.loop.executor(), own,
        [&](const stun::Bytes& bytes, std::vector<stun::Bytes>& replies) {
          const auto message = stun::parse(bytes);
          if (message.has_error()) return error_code();
          if (message->is(stun::Class::indication, stun::Method::send)) {
            return carry(stun::Bytes(message->data->begin(), message->data->end()), replies);
          }
          stun::Builder answer(stun::Class::success, static_cast<stun::Method>(message->method),
                               message->id);
          answer.add_xor_address(stun::Attribute::xor_relayed_address, relay)
              .add_xor_address(stun::Attribute::xor_mapped_address, own)
              .add_u32(stun::Attribute::lifetime, 600);
          replies.push_back(answer.finish());
          return error_code();
        });
    return runner.run(CheckKind::turn, Transport::udp, "localhost", {own.address, 3'478},
                      {{"hold", "true"}});
  }
};

TEST_F(HeldInMemory, WhatThisComputerKeepsIsNoDeath) {
  int sent = 0;
  const auto seen = hold_by([&](const stun::Bytes& data, std::vector<stun::Bytes>& replies) {
    if (++sent > 3) return make_error_code(boost::system::errc::operation_not_permitted);
    replies.push_back(from_relay(data));
    return error_code();
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::allocated);
  EXPECT_EQ(told<std::string>(seen, Fact::not_measured), "Operation not permitted");
}

TEST_F(HeldInMemory, StrangersDataIsNeitherOursNorADeath) {
  int strangers = 100;
  const auto crowded = [&](const stun::Bytes& data, std::vector<stun::Bytes>& replies) {
    replies.insert(replies.end(), static_cast<std::size_t>(strangers), from_relay({1, 2, 3}));
    replies.push_back(from_relay(data));
    return error_code();
  };
  auto seen = hold_by(crowded);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(told<std::int64_t>(seen, Fact::sent), told<std::int64_t>(seen, Fact::received));
  strangers = 5'000;
  seen = hold_by(crowded);
  EXPECT_EQ(seen.detail, DetailCode::allocated);
  EXPECT_EQ(told<std::string>(seen, Fact::not_measured), flooded().text);
}

// They are as many as the server likes.
TEST_F(TurnCheck, OnlyTheFirstIndicationsWaitForARequest) {
  const SocketAddress own{IpAddress::v4({127, 0, 0, 1}), 50'000};
  const auto numbered = [](std::uint8_t number) {
    stun::Builder builder(stun::Class::indication, stun::Method::data, stun::new_transaction_id());
    return builder.add_bytes(stun::Attribute::data, stun::Bytes{number}).finish();
  };
  const test::MemoryServer server(
      runner.loop.executor(), own,
      [&](const stun::Bytes& bytes, std::vector<stun::Bytes>& replies) {
        for (std::uint8_t i = 0; i < 100; ++i) replies.push_back(numbered(i));
        stun::Builder answer(stun::Class::success, stun::Method::binding, stun::parse(bytes)->id);
        replies.push_back(answer.finish());
        return error_code();
      });
  auto channel = make_stun_channel(*UdpSocket::open(runner.loop.executor(), own, {}));
  stun::Builder builder(stun::Class::request, stun::Method::binding, stun::new_transaction_id());
  const auto request = builder.finish();
  const auto exchange = runner.loop.run(channel->request(request, runner.loop.scope));
  EXPECT_FALSE(exchange.answer.has_error());
  const auto next = [&] {
    return runner.loop.run(channel->next_indication(runner.loop.scope, runner.loop.soon()));
  };
  for (std::uint8_t i = 0; i < 64; ++i) EXPECT_EQ(next()->data, stun::Bytes{i});
  EXPECT_TRUE(next().has_error());
}

TEST_F(TurnCheck, WhatTheServerForbidsIsNotMeasured) {
  use_credentials();
  FakeTurnOptions options;
  options.permission_error = 403;
  const auto seen = ask_fake(options);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::allocated);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::relay_trip, Fact::not_measured),
            "the server refuses this computer's own address as a peer: 403 as told");
}

TEST_F(TurnCheck, SaysThatAnAllocationMayBeLeft) {
  use_credentials();
  FakeTurnOptions options;
  options.mute_refresh = true;
  FakeTurn server(runner.loop.context, options);
  const auto seen = ask(server);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::allocation_left));
}

// A device that cuts the flow after its first packets, before the allocation or after it.
TEST_F(TurnCheck, TellsAFlowThatIsCutOff) {
  use_credentials();
  for (const bool early : {true, false}) {
    FakeTurn server(runner.loop.context, {});
    bool open = true;
    server.before = [&](const stun::Message& message) {
      open &= message.method == allocate && !(early && message.has_integrity);
      return open;
    };
    const auto seen = ask(server);
    EXPECT_EQ(seen.outcome, Outcome::failed) << early;
    EXPECT_EQ(seen.detail, DetailCode::fell_silent) << early;
    if (early) continue;
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::relay_trip, Fact::not_measured),
              "the server granted a relay, and answered nothing more");
  }
}

TEST_F(TurnCheck, AStopGivesTheAllocationBack) {
  use_credentials();
  FakeTurn server(runner.loop.context, {});
  server.before = [&](const stun::Message& message) {
    if (message.method != create_permission) return true;
    runner.loop.stop.stop();
    return false;
  };
  const auto seen = ask(server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::allocated);
  EXPECT_EQ(server.granted(), 1);
  EXPECT_EQ(server.allocations(), 0);
}

TEST_F(TurnCheck, AStopGivesBackWhatWasPerhapsAllocated) {
  use_credentials();
  FakeTurnOptions options;
  options.lose_allocate_answer = true;
  FakeTurn server(runner.loop.context, options);
  server.before = [&](const stun::Message& message) {
    if (message.method == allocate && message.has_integrity) runner.loop.stop.stop();
    return true;
  };
  const auto seen = ask(server);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
  EXPECT_EQ(server.granted(), 1);
  EXPECT_EQ(server.allocations(), 0);
}

TEST_F(TurnCheck, AfterAStopAMuteServerIsNotWaitedFor) {
  use_credentials();
  FakeTurnOptions options;
  options.mute_refresh = true;
  FakeTurn server(runner.loop.context, options);
  server.before = [&](const stun::Message& message) {
    if (message.method != create_permission) return true;
    runner.loop.stop.stop();
    return false;
  };
  const auto seen = ask(server);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::allocation_left));
  // At 0 and 250 ms; an ordinary request would go out four times.
  EXPECT_EQ(std::count(server.requests().begin(), server.requests().end(), -refresh), 2);
}

TEST_F(TurnCheck, IsSilentWhereNobodyAnswers) {
  test::ScriptedUdp server(runner.loop.context, [](auto&, const auto&, const auto&) {});
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", server.address());
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.attempts, 4);
  EXPECT_FALSE(find_evidence(seen, EvidenceKind::retransmitted)) << "that is said of answers only";
}

TEST_F(TurnCheck, NamesWhatIsNotTurn) {
  test::ScriptedTcp server(runner.loop.context, [](auto& connection, const test::Bytes& bytes) {
    if (!bytes.empty()) connection.send(test::bytes_of("HTTP/1.1 400 Bad Request\r\n\r\n"));
  });
  const auto seen = runner.run(CheckKind::turn, Transport::tcp, "localhost", server.address());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::not_stun);
  EXPECT_EQ(seen.attempts, 1) << "connecting is not a request";
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_stray, Fact::what),
            "HTTP/1.1 400 Bad Request");
}

TEST(RelayServer, ThatIsAnAddressHasNoBrackets) {
  test::Loop loop;
  checks::Settings settings;
  AresOptions options;
  const std::shared_ptr<AresChannel> channel = *AresChannel::create(loop.executor(), options);
  Resolver resolver(loop.executor(), channel);
  const std::unique_ptr<TlsContext> tls = *TlsContext::create({});
  SiteEdge edge(loop.executor());
  checks::Context context{loop.executor(), loop.scope, loop.soon(), resolver, *tls, edge, settings};
  const auto server = loop.run(checks::find_relay_server(context, "[::1]:5349/tls", true));
  ASSERT_TRUE(server.has_value());
  EXPECT_EQ(server->probe.target.host, "::1") << "a name for TLS, and no URL";
  EXPECT_EQ(server->address, IpAddress::parse("::1"));
}

struct TurnCheckWithCoturn : TurnCheck {
  TurnCheckWithCoturn() : TurnCheck(test::Time::real) {}
  void SetUp() override { CALLREADY_NEEDS_COTURN(); }
  static test::CoturnOptions with_user(std::vector<std::string> more = {}) {
    test::CoturnOptions options;
    options.arguments = {"--lt-cred-mech", "--user=user:password"};
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    return options;
  }
  // coturn frees what was given back a second later.
  Detail once_quota_is_free(const test::Coturn& coturn) {
    Detail detail;
    test::eventually(
        [&] {
          detail =
              runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address()).detail;
          return detail != Detail::status(486);
        },
        std::chrono::seconds(8));
    return detail;
  }
};

TEST_F(TurnCheckWithCoturn, IsChallengedWithoutCredentials) {
  test::Coturn coturn(runner.loop.context, with_user());
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    const auto seen = runner.run(CheckKind::turn, transport, "localhost", coturn.address());
    EXPECT_EQ(seen.outcome, Outcome::answered) << to_string(transport);
    EXPECT_EQ(seen.detail, Detail::status(401));
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::turn_challenge, Fact::realm), "callready.test");
    const auto seen_as = fact<std::string>(seen, EvidenceKind::mapped_address, Fact::address);
    EXPECT_EQ(seen_as,
              transport == Transport::tcp ? std::optional<std::string>("127.0.0.1") : std::nullopt);
  }
}

TEST_F(TurnCheckWithCoturn, RelaysOverEveryTransport) {
  auto options = with_user();
  options.tls = true;
  test::Coturn coturn(runner.loop.context, options);
  test::CheckRunner trusting({coturn.ca_file()});
  trusting.settings.credentials.turn_user = "user";
  trusting.settings.credentials.turn_password = "password";
  for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls}) {
    const auto address = transport == Transport::tls ? coturn.tls_address() : coturn.address();
    const auto seen = trusting.run(CheckKind::turn, transport, "localhost", address);
    EXPECT_EQ(seen.outcome, Outcome::answered) << to_string(transport);
    EXPECT_EQ(seen.detail, DetailCode::relayed) << to_string(transport);
    EXPECT_FALSE(find_evidence(seen, EvidenceKind::relay_to_relay));
    EXPECT_FALSE(find_evidence(seen, EvidenceKind::allocation_left));
  }
}

TEST_F(TurnCheckWithCoturn, RelaysByIpv6) {
  use_credentials();
  auto options = with_user();
  options.v6 = true;
  test::Coturn coturn(runner.loop.context, options);
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    const auto seen = runner.run(CheckKind::turn, transport, "localhost", coturn.address());
    EXPECT_EQ(seen.detail, DetailCode::relayed) << to_string(transport);
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::relay, Fact::address), "::1");
  }
}

TEST_F(TurnCheckWithCoturn, RelaysByIpv6ThroughAServerReachedByIpv4) {
  use_credentials();
  test::Coturn coturn(runner.loop.context, with_user({"--relay-ip=::1"}));
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address(),
                               {{"relay", "ipv6"}});
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::relay, Fact::address), "::1");
}

TEST_F(TurnCheckWithCoturn, WithoutRelaysOfAFamilyTakesTheOther) {
  use_credentials();
  test::Coturn coturn(runner.loop.context, with_user());
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address(),
                               {{"relay", "ipv6"}});
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::relay, Fact::address), "127.0.0.1");
}

TEST_F(TurnCheckWithCoturn, OverTlsToAPlainServerFails) {
  use_credentials();
  test::Coturn coturn(runner.loop.context, with_user());
  const auto seen = runner.run(CheckKind::turn, Transport::tls, "localhost", coturn.address());
  EXPECT_EQ(seen.outcome, Outcome::failed);
}

TEST_F(TurnCheckWithCoturn, AStopLeavesNothingAllocated) {
  use_credentials();
  // One allocation a user: whatever were left would be in the way of the second run.
  auto options = with_user({"--user-quota=1", "--verbose"});
  test::Coturn coturn(runner.loop.context, options);
  asio::steady_timer timer(runner.loop.context);
  const std::function<void()> look = [&] {
    // Stopped as soon as coturn has granted it, while data is on its way through.
    if (coturn.log().find("ALLOCATE processed, success") != std::string::npos) {
      return runner.loop.stop.stop();
    }
    timer.expires_after(milliseconds(1));
    timer.async_wait([&](error_code error) {
      if (!error) look();
    });
  };
  look();
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address());
  EXPECT_FALSE(find_evidence(seen, EvidenceKind::allocation_left));
  EXPECT_TRUE(test::eventually([&] { return coturn.log().find("lifetime=0") != std::string::npos; },
                               std::chrono::seconds(5)))
      << coturn.log();
  test::CheckRunner after;
  after.settings = runner.settings;
  Detail detail;
  test::eventually(
      [&] {
        detail = after.run(CheckKind::turn, Transport::udp, "localhost", coturn.address()).detail;
        return detail != Detail::status(486);
      },
      std::chrono::seconds(8));
  EXPECT_EQ(detail, DetailCode::relayed);
}

TEST_F(TurnCheckWithCoturn, TakesTimeLimitedCredentials) {
  test::CoturnOptions options;
  options.arguments = {"--use-auth-secret", "--static-auth-secret=north"};
  test::Coturn coturn(runner.loop.context, options);
  runner.settings.credentials.turn_secret = "north";
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address());
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  runner.settings.credentials.turn_secret = "south";
  const auto wrong = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address());
  EXPECT_EQ(wrong.outcome, Outcome::denied);
  EXPECT_EQ(wrong.detail, Detail::status(401));
}

TEST_F(TurnCheckWithCoturn, WrongPasswordIsDenied) {
  use_credentials("user", "wrong");
  test::Coturn coturn(runner.loop.context, with_user());
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address());
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(401));
}

TEST_F(TurnCheckWithCoturn, GivesBackWithinAQuotaOfOne) {
  use_credentials();
  test::Coturn coturn(runner.loop.context, with_user({"--user-quota=1"}));
  for (int round = 0; round < 2; ++round)
    EXPECT_EQ(once_quota_is_free(coturn), DetailCode::relayed);
}

TEST_F(TurnCheckWithCoturn, AUsedUpQuotaIsDenied) {
  use_credentials();
  test::Coturn coturn(runner.loop.context, with_user({"--user-quota=1"}));
  auto socket = *UdpSocket::open(runner.loop.executor(), coturn.address(), {});
  TurnClient holder(make_stun_channel(std::move(socket)), {"user", "password"}, false);
  const auto held = runner.loop.run(holder.allocate(runner.loop.scope));
  ASSERT_EQ(held.status, TurnStatus::granted);
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address());
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(486));
  EXPECT_TRUE(runner.loop.run(holder.deallocate(runner.loop.scope)));
  EXPECT_EQ(once_quota_is_free(coturn), DetailCode::relayed);
}

TEST_F(TurnCheckWithCoturn, AServerWithoutUdpRelaysIsDenied) {
  use_credentials();
  test::Coturn coturn(runner.loop.context, with_user({"--no-udp-relay"}));
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address());
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(442));
}

TEST_F(TurnCheckWithCoturn, APeerThatTheServerForbidsIsNotMeasured) {
  use_credentials();
  auto options = with_user();
  options.allow_loopback_peers = false;
  test::Coturn coturn(runner.loop.context, options);
  const auto seen = runner.run(CheckKind::turn, Transport::udp, "localhost", coturn.address());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::allocated);
  EXPECT_TRUE(fact<std::string>(seen, EvidenceKind::relay_trip, Fact::not_measured)->find("403") !=
              std::string::npos);
}

TEST_F(TurnCheckWithCoturn, RelaysReachEachOther) {
  test::Coturn coturn(runner.loop.context, with_user());
  std::vector<std::unique_ptr<TurnClient>> clients;
  for (int i = 0; i < 2; ++i) {
    auto socket = *UdpSocket::open(runner.loop.executor(), coturn.address(), {});
    clients.push_back(std::make_unique<TurnClient>(make_stun_channel(std::move(socket)),
                                                   stun::Credential{"user", "password"}, false));
    if (i == 1) clients[1]->begin_with(*clients[0]->challenge());
    const auto reply = runner.loop.run(clients.back()->allocate(runner.loop.scope));
    ASSERT_EQ(reply.status, TurnStatus::granted) << reply.code;
  }
  const auto peer = clients[1]->relayed();
  runner.loop.run(clients[0]->create_permission(peer, runner.loop.scope));
  runner.loop.run(clients[1]->create_permission(clients[0]->relayed(), runner.loop.scope));
  const auto payload = test::bytes_of("hello");
  ASSERT_TRUE(runner.loop.run(clients[0]->send(peer, payload, runner.loop.scope)).has_value());
  const auto heard = runner.loop.run(
      clients[1]->hear(payload, runner.loop.scope, runner.loop.soon(milliseconds(2'000))));
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(*heard, clients[0]->relayed());
  for (const auto& client : clients) {
    EXPECT_TRUE(runner.loop.run(client->deallocate(runner.loop.scope)));
  }
}

}  // namespace
}  // namespace callready
