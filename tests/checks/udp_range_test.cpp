#include "probe/media/echo.hpp"
#include "probe/model/describe.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/closed_port.hpp"
#include "tests/support/coturn.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/fake_turn.hpp"
#include "tests/support/memory_server.hpp"

namespace callready::udp_range_test {
namespace {

using asio::ip::udp;

const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

// Sends back what it gets, for as long as it lives.
class Echo {
 public:
  explicit Echo(asio::io_context& loop)
      : socket_(loop, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    receive();
  }
  std::uint16_t port() const { return socket_.local_endpoint().port(); }

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(buffer_), from_,
                               [this](error_code error, std::size_t size) {
                                 if (error) return;
                                 socket_.send_to(asio::buffer(buffer_.data(), size), from_);
                                 receive();
                               });
  }
  udp::socket socket_;
  udp::endpoint from_;
  std::array<std::uint8_t, 2048> buffer_{};
};

Probe range_probe(std::vector<std::uint16_t> sample) {
  std::sort(sample.begin(), sample.end());
  Probe probe;
  probe.check = CheckKind::udp_range;
  probe.target.host = "127.0.0.1";
  probe.target.ports = {sample.front(), sample.back()};
  probe.target.sample = std::move(sample);
  probe.target.transport = Transport::udp;
  return probe;
}

std::string text_of(const Observation& seen, std::uint16_t port) {
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind == EvidenceKind::udp_port && port_fact(evidence, Fact::port) == port)
      return evidence.text.string();
  }
  return "missing";
}

std::string result_of(const Observation& seen, std::uint16_t port) {
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind != EvidenceKind::udp_port) continue;
    if (std::get<std::int64_t>(evidence.facts.at(Fact::port)) != port) continue;
    return std::get<std::string>(evidence.facts.at(Fact::result));
  }
  return "missing";
}

TEST(UdpRangeCheck, TakesAReplyAsTheBestProof) {
  test::CheckRunner runner;
  Echo a(runner.loop.context), b(runner.loop.context);
  const auto seen = runner.run(range_probe({a.port(), b.port()}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(result_of(seen, a.port()), "replied");
  EXPECT_EQ(result_of(seen, b.port()), "replied");
  ASSERT_TRUE(seen.round_trip);
}

TEST(UdpRangeCheck, TakesPortUnreachableOfTheTargetAsArrival) {
  test::CheckRunner runner;
  const auto port = test::closed_udp_port(runner.loop.context);
  const auto seen = runner.run(range_probe({port}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::passed);
  EXPECT_EQ(result_of(seen, port), "arrived");
  EXPECT_EQ(seen.evidence.back().text,
            "1 of 1 sampled ports was proven to get out (ports in all: 1)");
}

TEST(UdpRangeCheck, TellsThePortsOfARangeApart) {
  test::CheckRunner runner;
  Echo open(runner.loop.context);
  const auto closed = test::closed_udp_port(runner.loop.context);
  const auto seen = runner.run(range_probe({open.port(), closed}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(result_of(seen, open.port()), "replied");
  EXPECT_EQ(result_of(seen, closed), "arrived");
}

TEST(UdpRangeCheck, ClaimsNothingOfSilence) {
  test::CheckRunner runner;
  const udp::socket mute(runner.loop.context, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto port = mute.local_endpoint().port();
  const auto seen = runner.run(range_probe({port}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::silent);
  EXPECT_EQ(result_of(seen, port), "silent");
}

TEST(UdpRangeCheck, SendsNothingToAFarEndThatIsNotToBeReached) {
  test::CheckRunner runner;
  Echo open(runner.loop.context);
  auto probe = range_probe({open.port()});
  probe.with["stop_on_the_way"] = "true";
  const auto seen = runner.run(std::move(probe), loopback);
  EXPECT_EQ(seen.outcome, Outcome::silent);
}

TEST(UdpRangeCheck, TriesThePortThatIsClosedToAnotherBesideItsSample) {
  test::CheckRunner runner;
  Echo open(runner.loop.context);
  const auto closed = test::closed_udp_port(runner.loop.context);
  auto probe = range_probe({open.port()});
  probe.with["closed"] = std::to_string(closed);
  const auto seen = runner.run(std::move(probe), loopback);
  EXPECT_EQ(result_of(seen, closed), "arrived");
  EXPECT_EQ(result_of(seen, open.port()), "replied");
}

TEST(UdpRangeCheck, SaysWhatItsSampleCanExclude) {
  test::CheckRunner runner;
  Echo a(runner.loop.context), b(runner.loop.context);
  const auto seen = runner.run(range_probe({a.port(), b.port()}), loopback);
  const auto& sample = seen.evidence.back();
  EXPECT_EQ(sample.kind, EvidenceKind::udp_sample);
  EXPECT_EQ(std::get<std::int64_t>(sample.facts.at(Fact::proved)), 2);
  // 1 - 0.05^(1/2): two good ports would miss a block of up to 78 % once in twenty times.
  EXPECT_NEAR(std::get<double>(sample.facts.at(Fact::excludes_percent)), 77.6, 0.1);
}

// An echo on several addresses' worth of ports: those of `closed` swallow what they get.
class EchoRange {
 public:
  EchoRange(asio::io_context& loop, int count, const std::function<bool(int)>& open) {
    // Consecutive ports, so that the bounds between them can be tried.
    for (std::uint16_t first = 20'000; first < 60'000; first += 97) {
      sockets_.clear();
      for (int i = 0; i < count; ++i) {
        const bool answers = open(i);
        try {
          sockets_.push_back(std::make_unique<test::ScriptedUdp>(
              loop,
              [answers](auto& server, const test::Bytes& bytes, const SocketAddress& from) {
                if (answers) server.send(bytes, from);
              },
              SocketAddress{loopback, static_cast<std::uint16_t>(first + i)}));
        } catch (const boost::system::system_error&) {
          break;
        }
      }
      if (static_cast<int>(sockets_.size()) == count) return;
    }
    throw std::runtime_error("no free range of ports");
  }
  std::uint16_t port(int index) const {
    return sockets_.at(static_cast<std::size_t>(index))->address().port;
  }

 private:
  std::vector<std::unique_ptr<test::ScriptedUdp>> sockets_;
};

TEST(UdpRangeCheck, FindsTheBoundsOfABlockBeforeAnEcho) {
  test::CheckRunner runner({}, test::Time::by_hand);
  const EchoRange echo(runner.loop.context, 64, [](int i) { return i < 20 || i > 41; });
  auto probe = range_probe(
      {echo.port(0), echo.port(12), echo.port(25), echo.port(38), echo.port(51), echo.port(63)});
  probe.with["echo"] = "true";
  const auto seen = runner.run(probe, loopback);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::partly_dropped);
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::udp_port, Fact::responder), "echo");
  // Six more ports: three halves of each bound.
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_block, Fact::open_before),
            echo.port(19));
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_block, Fact::first), echo.port(21));
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_block, Fact::last), echo.port(41));
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_block, Fact::open_after),
            echo.port(42));
  EXPECT_FALSE(test::fact<double>(seen, EvidenceKind::udp_sample, Fact::excludes_percent))
      << "it has met what it could have excluded";

  runner.settings.thorough = true;
  const auto whole = runner.run(probe, loopback);
  EXPECT_EQ(test::fact<std::int64_t>(whole, EvidenceKind::udp_block, Fact::first), echo.port(20));
  EXPECT_EQ(test::fact<std::int64_t>(whole, EvidenceKind::udp_block, Fact::last), echo.port(41));
  EXPECT_EQ(test::fact<std::int64_t>(whole, EvidenceKind::udp_sample, Fact::sampled), 11);
}

TEST(UdpRangeCheck, AMuteEchoProvesNothing) {
  test::CheckRunner runner({}, test::Time::by_hand);
  const EchoRange echo(runner.loop.context, 4, [](int) { return false; });
  auto probe = range_probe({echo.port(0), echo.port(3)});
  probe.with["echo"] = "true";
  const auto seen = runner.run(probe, loopback);
  EXPECT_EQ(seen.detail, DetailCode::silent);
  EXPECT_FALSE(test::find_evidence(seen, EvidenceKind::udp_block));
}

// As where the route goes away in the middle of a sample.
TEST(UdpRangeCheck, WhatThisComputerCannotSendIsNotDropped) {
  test::CheckRunner runner({}, test::Time::by_hand);
  int tried = 0;
  test::MemoryServer echo(runner.loop.executor(), {loopback, 50'000},
                          [&](const test::Bytes& sent, std::vector<test::Bytes>& replies) {
                            if (++tried > 1)
                              return make_error_code(boost::system::errc::network_unreachable);
                            replies.push_back(sent);
                            return error_code();
                          });
  auto probe = range_probe({20'000, 20'001});
  probe.with["echo"] = "true";
  const auto seen = runner.run(probe, loopback);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(result_of(seen, 20'000), "replied");
  EXPECT_EQ(result_of(seen, 20'001), "silent");
  EXPECT_FALSE(test::find_evidence(seen, EvidenceKind::udp_block));
}

TEST(UdpRangeCheck, APortThatNothingWasSentToWasNotTried) {
  test::CheckRunner runner({}, test::Time::by_hand);
  int tried = 0;
  test::MemoryServer mute(runner.loop.executor(), {loopback, 50'000},
                          [&](const test::Bytes&, std::vector<test::Bytes>&) {
                            if (++tried == 1) return error_code();
                            return make_error_code(boost::system::errc::network_unreachable);
                          });
  const auto probe = range_probe({20'000, 20'001});
  const auto seen = runner.run(probe, loopback);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(text_of(seen, 20'000), "UDP 20000: nothing came back");
  EXPECT_EQ(text_of(seen, 20'001), "UDP 20001: not tried");
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::sampled), 1);
  EXPECT_EQ(ports_tried(probe.target, seen).value().sample, std::vector<std::uint16_t>{20'000});
}

// The first port is the one of the climb on which no router answers.
TEST(UdpRangeCheck, WithoutARouterTheOthersWereNotTried) {
  test::CheckRunner runner({}, test::Time::by_hand);
  test::MemoryServer mute(
      runner.loop.executor(), {*IpAddress::parse("192.0.2.9"), 50'000},
      [](const test::Bytes&, std::vector<test::Bytes>&) { return error_code(); });
  auto probe = range_probe({20'000, 20'001, 20'002});
  probe.with["stop_on_the_way"] = "true";
  const auto seen = runner.run(probe, IpAddress::parse("203.0.113.9"));
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(text_of(seen, 20'000), "UDP 20000: nothing came back");
  EXPECT_EQ(text_of(seen, 20'001), "UDP 20001: not tried");
  EXPECT_EQ(text_of(seen, 20'002), "UDP 20002: not tried");
  EXPECT_EQ(seen.evidence.back().text,
            "0 of 1 sampled ports were proven to get out (ports in all: 3)");
  EXPECT_EQ(ports_tried(probe.target, seen).value().sample, std::vector<std::uint16_t>{20'000});
}

TEST(UdpRangeCheck, WhatThisComputerCannotSendAtAllIsNotSilent) {
  test::CheckRunner runner({}, test::Time::by_hand);
  test::MemoryServer nowhere(runner.loop.executor(), {loopback, 50'000},
                             [](const test::Bytes&, std::vector<test::Bytes>&) {
                               return make_error_code(boost::system::errc::network_unreachable);
                             });
  const auto seen = runner.run(range_probe({20'000, 20'001}), loopback);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::no_route);
}

TEST(UdpRangeCheck, ASampleThatIsCutShortBlocksNothing) {
  test::CheckRunner runner({}, test::Time::by_hand);
  test::ScriptedUdp open(runner.loop.context,
                         [&](auto& server, const test::Bytes& bytes, const SocketAddress& from) {
                           server.send(bytes, from);
                           runner.loop.stop.stop();
                         });
  const test::ScriptedUdp mute(runner.loop.context, [](auto&&...) {});
  auto probe = range_probe({open.address().port, mute.address().port});
  probe.with["echo"] = "true";
  const auto seen = runner.run(probe, loopback);
  EXPECT_EQ(result_of(seen, open.address().port), "replied");
  EXPECT_EQ(result_of(seen, mute.address().port), "silent");
}

TEST(UdpRangeCheck, AnEchoIsAskedAgainBeforeItsPortCountsAsBlocked) {
  test::CheckRunner runner({}, test::Time::by_hand);
  std::map<SocketAddress, int> packets;
  test::ScriptedUdp forgetful(runner.loop.context,
                              [&](auto& server, const test::Bytes& bytes, const auto& from) {
                                if (++packets[from] == 3) server.send(bytes, from);
                              });
  auto probe = range_probe({forgetful.address().port});
  probe.with["echo"] = "true";
  const auto seen = runner.run(probe, loopback);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(result_of(seen, forgetful.address().port), "replied");
  EXPECT_FALSE(seen.round_trip) << "which packet was answered is not known";
}

TEST(UdpRangeCheck, HearsItsEchoBehindAFloodOfOtherDatagrams) {
  test::CheckRunner runner;
  runner.settings.credentials.media_key = "key";
  media::EchoKeeper keeper({'k', 'e', 'y'}, {}, std::chrono::system_clock::now());
  test::ScriptedUdp server(
      runner.loop.context, [&](auto& self, const test::Bytes& bytes, const SocketAddress& from) {
        const test::Bytes junk(1);
        for (int i = 0; i < 100; ++i) self.send(junk, from);
        self.send(keeper.answer(bytes, from, self.address().port, std::chrono::steady_clock::now(),
                                std::chrono::system_clock::now()),
                  from);
      });
  const auto port = server.address().port;
  auto probe = range_probe({port});
  probe.with = {{"echo", "true"}, {"authenticated", "true"}};
  EXPECT_EQ(result_of(runner.run(probe, loopback), port), "replied");
}

// Relays as far ends.
struct UdpRangeRelays : testing::Test {
  test::CheckRunner runner{{}, test::Time::by_hand};

  void SetUp() override {
    runner.settings.credentials.turn_user = "user";
    runner.settings.credentials.turn_password = "password";
  }
  Observation look(const std::string& turn) {
    auto probe = range_probe({1'024, 65'535});
    probe.with["turn"] = turn;
    return runner.run(std::move(probe), loopback);
  }
  Observation look(test::FakeTurn& server) {
    auto seen = look(server.address().to_string() + "/udp");
    EXPECT_EQ(server.allocations(), 0) << "everything is given back";
    EXPECT_LE(server.most_at_a_time(), 16);
    return seen;
  }
};

TEST_F(UdpRangeRelays, ProveBothDirections) {
  test::FakeTurn server(runner.loop.context, {});
  const auto seen = look(server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::replied);
  EXPECT_EQ(server.granted(), 16);
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_relays, Fact::measured), 16);
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::udp_port, Fact::responder), "relay");
  EXPECT_EQ(test::fact<bool>(seen, EvidenceKind::udp_port, Fact::outbound), true);
  EXPECT_EQ(test::fact<bool>(seen, EvidenceKind::udp_port, Fact::inbound), true);
  EXPECT_NEAR(*test::fact<double>(seen, EvidenceKind::udp_sample, Fact::excludes_percent), 17.1,
              0.1);
  EXPECT_TRUE(seen.round_trip);
}

// Each goes its own way: one that the server sends elsewhere leads no other astray.
TEST_F(UdpRangeRelays, AreRedirectedEachByItself) {
  test::FakeTurnOptions options;
  test::FakeTurn first(runner.loop.context, options);
  options.address = IpAddress::v4({127, 0, 0, 2});
  test::FakeTurn second(runner.loop.context, options);
  first.redirect_to = second.address();
  const auto seen = look(first);
  EXPECT_EQ(first.granted(), 1);
  EXPECT_EQ(second.granted(), 15);
  EXPECT_EQ(second.allocations(), 0);
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_relays, Fact::measured), 16);
}

TEST_F(UdpRangeRelays, AreTwiceAsManyInAThoroughRun) {
  runner.settings.thorough = true;
  test::FakeTurn server(runner.loop.context, {});
  const auto seen = look(server);
  EXPECT_EQ(server.granted(), 32);
  EXPECT_NEAR(*test::fact<double>(seen, EvidenceKind::udp_sample, Fact::excludes_percent), 8.9,
              0.1);
}

TEST_F(UdpRangeRelays, ThatDoNotHearUsWhereOthersDoAreBlockedOnTheWay) {
  test::FakeTurnOptions options;
  options.deaf_every = 4;
  test::FakeTurn server(runner.loop.context, options);
  const auto seen = look(server);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::partly_dropped);
  int dropped = 0;
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind != EvidenceKind::udp_port || !evidence.facts.contains(Fact::outbound))
      continue;
    const bool heard = std::get<bool>(evidence.facts.at(Fact::outbound));
    EXPECT_EQ(std::get<std::string>(evidence.facts.at(Fact::result)),
              heard ? "replied" : "dropped");
    dropped += heard ? 0 : 1;
  }
  EXPECT_GE(dropped, 4);
  EXPECT_TRUE(test::find_evidence(seen, EvidenceKind::udp_block));
}

TEST_F(UdpRangeRelays, AllOfThemDeafAreTriedAgainstEachOther) {
  test::FakeTurnOptions options;
  options.outbound = options.inbound = false;
  {
    test::FakeTurn server(runner.loop.context, options);
    const auto seen = look(server);
    EXPECT_EQ(seen.detail, DetailCode::dropped) << "relays work, the way to them does not";
  }
  options.between_relays = false;
  test::FakeTurn dead(runner.loop.context, options);
  const auto seen = look(dead);
  EXPECT_EQ(test::fact<bool>(seen, EvidenceKind::udp_relays, Fact::relays_work), false);
  EXPECT_NE(seen.detail, DetailCode::dropped) << "they may be dead";
}

TEST_F(UdpRangeRelays, TellAnInboundDrop) {
  test::FakeTurnOptions options;
  options.inbound = false;
  test::FakeTurn server(runner.loop.context, options);
  const auto seen = look(server);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::inbound_dropped);
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::udp_port, Fact::result), "arrived");
  EXPECT_EQ(test::fact<bool>(seen, EvidenceKind::udp_port, Fact::inbound), false);
}

TEST_F(UdpRangeRelays, ShowNoInboundDropWhereTheyMayNotAnswerAtAll) {
  test::FakeTurnOptions options;
  options.inbound = options.between_relays = false;
  test::FakeTurn server(runner.loop.context, options);
  const auto seen = look(server);
  EXPECT_EQ(seen.outcome, Outcome::passed);
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::udp_port, Fact::result), "arrived");
  EXPECT_EQ(test::fact<bool>(seen, EvidenceKind::udp_port, Fact::outbound), true);
  EXPECT_FALSE(test::fact<bool>(seen, EvidenceKind::udp_port, Fact::inbound));
}

TEST_F(UdpRangeRelays, TakeWhatAQuotaGrants) {
  test::FakeTurnOptions options;
  options.most = 5;
  test::FakeTurn server(runner.loop.context, options);
  const auto seen = look(server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  const auto measured = test::fact<std::int64_t>(seen, EvidenceKind::udp_relays, Fact::measured);
  EXPECT_GE(measured, 5);
  EXPECT_LT(measured, 16);
  EXPECT_NE(
      test::fact<std::string>(seen, EvidenceKind::udp_relays, Fact::not_measured)->find("(486 "),
      std::string::npos);
}

TEST_F(UdpRangeRelays, LeaveThePortsToTheLadderWhereThereAreNone) {
  test::FakeTurnOptions options;
  options.allocate_error = 403;
  test::FakeTurn server(runner.loop.context, options);
  const auto seen = look(server);
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_relays, Fact::measured), 0);
  EXPECT_EQ(result_of(seen, 65'535), "arrived");
  runner.settings.credentials.turn_hosts.emplace_back("nowhere");
  const auto wrong = look("nowhere");
  EXPECT_EQ(test::fact<std::string>(wrong, EvidenceKind::udp_relays, Fact::not_measured),
            "\"nowhere\" is not host:port");
  EXPECT_EQ(result_of(wrong, 65'535), "arrived");
}

TEST_F(UdpRangeRelays, AreNotAskedForWithoutCredentials) {
  runner.settings.credentials = {};
  test::FakeTurn server(runner.loop.context, {});
  const auto seen = look(server);
  EXPECT_TRUE(server.requests().empty());
  EXPECT_FALSE(test::find_evidence(seen, EvidenceKind::udp_relays));
}

TEST_F(UdpRangeRelays, AreGivenBackWhenTheRunIsStopped) {
  test::FakeTurn server(runner.loop.context, {});
  int permissions = 0;
  server.before = [&](const stun::Message& message) {
    if (message.is(stun::Class::request, stun::Method::create_permission)) ++permissions;
    if (permissions == 6) runner.loop.stop.stop();
    return true;
  };
  look(server);
  EXPECT_GE(server.granted(), 6);
}

TEST(UdpRangeWithCoturn, ItsRelaysAreFarEndsOverTcp) {
  CALLREADY_NEEDS_COTURN();
  test::CheckRunner runner;
  runner.settings.credentials.turn_user = "user";
  runner.settings.credentials.turn_password = "password";
  test::CoturnOptions options;
  options.arguments = {"--lt-cred-mech", "--user=user:password"};
  const test::Coturn coturn(runner.loop.context, options);
  auto probe = range_probe({49'152, 65'535});
  probe.with["turn"] = coturn.address().to_string() + "/tcp";
  const auto seen = runner.run(std::move(probe), loopback);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(test::fact<std::int64_t>(seen, EvidenceKind::udp_relays, Fact::measured), 16);
  EXPECT_FALSE(test::find_evidence(seen, EvidenceKind::allocation_left));
}

}  // namespace
}  // namespace callready::udp_range_test
