#include "checks/nat_parts.hpp"
#include "probe/net/stun.hpp"
#include "probe/net/timeouts.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/coturn.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/fake_turn.hpp"
#include "tests/support/few_descriptors.hpp"
#include "tests/support/memory_server.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::fact;
using test::ScriptedUdp;

// A STUN server with four corners, and the NAT before it: what it shows to whom, and whose packets
// it lets in. On 127.0.0.1 and 127.0.0.2, two ports each.
struct NatOptions {
  // Our port as seen by a corner; `corner` is 0 to 3: server, other address, other both, other
  // port.
  std::function<std::uint16_t(std::uint16_t port, int corner)> mapped_port;
  IpAddress mapped_address = IpAddress::v4({127, 0, 0, 9});
  bool advertise = true;       // OTHER-ADDRESS
  bool lets_other_in = true;   // answers of the other address and port, unasked
  bool lets_port_in = true;    // answers of the other port, unasked
  bool mute_other = false;     // the other address never answers
  bool ignore_change = false;  // answers from where it was asked, whatever CHANGE-REQUEST says
  // RESPONSE-PORT is honoured, and a port that was idle for longer than this is not let in any
  // more. Nothing: it is not honoured.
  std::optional<milliseconds> dies_after;
};

class NatSite {
 public:
  NatSite(test::Loop& loop, NatOptions options) : loop_(loop), options_(std::move(options)) {
    auto& context = loop.context;
    // The kernel chooses two ports on one address; each may be taken on the other: choose again.
    for (int tries = 0; !corners_[3]; ++tries) {
      try {
        choose(context);
      } catch (const boost::system::system_error&) {
        if (tries == 10) throw;
      }
    }
  }
  SocketAddress address() const { return corners_[0]->address(); }
  SocketAddress other() const { return corners_[1]->address(); }

 private:
  void choose(asio::io_context& context) {
    const auto a = IpAddress::v4({127, 0, 0, 1}), b = IpAddress::v4({127, 0, 0, 2});
    corners_[0] = listen(context, {a, 0}, 0);
    const auto port = corners_[0]->address().port;
    corners_[2] = listen(context, {b, 0}, 2);
    corners_[1] = listen(context, {b, port}, 1);
    corners_[3] = listen(context, {a, corners_[2]->address().port}, 3);
  }

  std::unique_ptr<ScriptedUdp> listen(asio::io_context& context, const SocketAddress& bind,
                                      int corner) {
    return std::make_unique<ScriptedUdp>(
        context,
        [this, corner](ScriptedUdp&, const Bytes& bytes, const SocketAddress& from) {
          answer(bytes, from, corner);
        },
        bind);
  }

  void answer(const Bytes& bytes, const SocketAddress& from, int corner) {
    const auto request = stun::parse(bytes);
    if (request.has_error()) return;
    if (options_.mute_other && corner != 0) return;
    int sender = corner;
    if (request->change_request && !options_.ignore_change) {
      sender = *request->change_request == 6 ? 2 : 3;
      if (!(sender == 2 ? options_.lets_other_in : options_.lets_port_in)) return;
      if (options_.mute_other) return;
    }
    auto to = from;
    if (request->response_port && options_.dies_after) {
      to.port = *request->response_port;
      const auto idle = loop_.clock.now() - heard_[to.port];
      if (idle > *options_.dies_after) return;
    } else {
      heard_[from.port] = loop_.clock.now();
    }
    stun::Builder builder(stun::Class::success, stun::Method::binding, request->id);
    SocketAddress mapped{options_.mapped_address, from.port};
    if (options_.mapped_port) mapped.port = options_.mapped_port(from.port, corner);
    builder.add_xor_address(stun::Attribute::xor_mapped_address, mapped);
    if (options_.advertise) {
      builder.add_address(stun::Attribute::other_address, corners_[2]->address());
    }
    corners_[static_cast<std::size_t>(sender)]->send(builder.finish(), to);
  }

  test::Loop& loop_;
  NatOptions options_;
  std::map<std::uint16_t, Instant> heard_;  // from each of our ports
  std::array<std::unique_ptr<ScriptedUdp>, 4> corners_;
};

struct NatCheck : testing::Test {
  test::CheckRunner runner{{}, test::Time::by_hand};

  Observation look(NatOptions options, std::map<std::string, std::string> with = {}) {
    NatSite site(runner.loop, std::move(options));
    return runner.run(CheckKind::nat, Transport::udp, "localhost", site.address(), std::move(with));
  }
  static std::string value(const Observation& seen, EvidenceKind kind) {
    return fact<std::string>(seen, kind, Fact::value).value_or("no evidence");
  }
  static std::string reason(const Observation& seen, EvidenceKind kind) {
    return fact<std::string>(seen, kind, Fact::not_measured).value_or("no reason");
  }
};

TEST_F(NatCheck, WithoutTranslation) {
  NatOptions options;
  options.mapped_address = IpAddress::v4({127, 0, 0, 1});
  const auto seen = look(options);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::none);
  EXPECT_EQ(value(seen, EvidenceKind::nat_mapping), "none");
  EXPECT_EQ(value(seen, EvidenceKind::nat_filtering), "endpoint_independent");
  EXPECT_EQ(value(seen, EvidenceKind::port_preservation), "all");
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::port_preservation, Fact::samples), 5);
  EXPECT_EQ(value(seen, EvidenceKind::hairpin), "not_measured");
}

TEST_F(NatCheck, TellsMappingsApart) {
  const auto same = look({});
  EXPECT_EQ(value(same, EvidenceKind::nat_mapping), "endpoint_independent");
  EXPECT_EQ(fact<std::string>(same, EvidenceKind::nat_mapping, Fact::method), "other_address");
  EXPECT_EQ(same.detail, DetailCode::endpoint_independent);

  NatOptions by_address;
  by_address.mapped_port = [](std::uint16_t port, int corner) {
    return static_cast<std::uint16_t>(corner == 1 || corner == 2 ? port ^ 1 : port);
  };
  EXPECT_EQ(look(by_address).detail, DetailCode::address_dependent);

  NatOptions by_port;
  by_port.mapped_port = [](std::uint16_t port, int corner) {
    return static_cast<std::uint16_t>(port ^ corner);
  };
  EXPECT_EQ(look(by_port).detail, DetailCode::address_and_port_dependent);
}

TEST_F(NatCheck, TellsFilteringsApart) {
  NatOptions options;
  EXPECT_EQ(value(look(options), EvidenceKind::nat_filtering), "endpoint_independent");
  options.lets_other_in = false;
  EXPECT_EQ(value(look(options), EvidenceKind::nat_filtering), "address_dependent");
  options.lets_port_in = false;
  EXPECT_EQ(value(look(options), EvidenceKind::nat_filtering), "address_and_port_dependent");
}

TEST_F(NatCheck, SilenceOfADeadOtherAddressProvesNothing) {
  NatOptions options;
  options.mute_other = true;
  const auto seen = look(options);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::not_measured);
  EXPECT_EQ(reason(seen, EvidenceKind::nat_mapping),
            "the server's other address does not answer, and no second server was given");
  EXPECT_EQ(reason(seen, EvidenceKind::nat_filtering),
            "the server's other address does not answer even when asked directly");
}

TEST_F(NatCheck, AServerThatIgnoresChangeRequestTellsNoFiltering) {
  NatOptions options;
  options.ignore_change = true;
  EXPECT_EQ(reason(look(options), EvidenceKind::nat_filtering),
            "the server does not honour CHANGE-REQUEST");
}

TEST_F(NatCheck, ComparesTwoPlainServers) {
  NatOptions plain;
  plain.advertise = false;
  NatSite second(runner.loop, plain);
  const auto address = second.other().to_string();
  const auto same = look(plain, {{"other", address}});
  EXPECT_EQ(same.detail, DetailCode::endpoint_independent);
  EXPECT_EQ(fact<std::string>(same, EvidenceKind::nat_mapping, Fact::method), "two_servers");
  EXPECT_EQ(reason(same, EvidenceKind::nat_filtering), "the server has no OTHER-ADDRESS");

  NatOptions changing = plain;
  changing.mapped_port = [](std::uint16_t port, int) {
    return static_cast<std::uint16_t>(port ^ 1);
  };
  const auto different = look(changing, {{"other", address}});
  EXPECT_EQ(different.detail, DetailCode::destination_dependent);
  EXPECT_EQ(value(different, EvidenceKind::port_preservation), "none");
}

TEST_F(NatCheck, SaysWhyASecondServerIsOfNoUse) {
  NatOptions plain;
  plain.advertise = false;
  EXPECT_EQ(reason(look(plain), EvidenceKind::nat_mapping),
            "the server has no OTHER-ADDRESS, and no second server was given");
  EXPECT_EQ(reason(look(plain, {{"other", "nowhere"}}), EvidenceKind::nat_mapping),
            "the server has no OTHER-ADDRESS, and the second server: \"nowhere\" is not host:port");
  EXPECT_EQ(reason(look(plain, {{"other", "127.0.0.1:9"}}), EvidenceKind::nat_mapping),
            "the server has no OTHER-ADDRESS, and the second server has the first one's address");
  const auto closed = std::to_string(test::free_udp_port(runner.loop.context));
  EXPECT_EQ(reason(look(plain, {{"other", "127.0.0.2:" + closed}}), EvidenceKind::nat_mapping),
            "the server has no OTHER-ADDRESS, and the second server does not answer");
}

TEST_F(NatCheck, DoesNotBlameServersForWhatThisComputerKeeps) {
  const SocketAddress own{IpAddress::v4({127, 0, 0, 1}), 50'000};
  int sent = 0;
  test::MemoryServer server(
      runner.loop.executor(), own, [&](const Bytes& bytes, std::vector<Bytes>& replies) {
        if (++sent > 1) return make_error_code(boost::system::errc::operation_not_permitted);
        stun::Builder answer(stun::Class::success, stun::Method::binding, stun::parse(bytes)->id);
        answer.add_xor_address(stun::Attribute::xor_mapped_address,
                               {IpAddress::v4({198, 51, 100, 7}), 40'404});
        replies.push_back(answer.finish());
        return error_code();
      });
  const auto seen = runner.run(CheckKind::nat, Transport::udp, "localhost", {own.address, 3'478},
                               {{"other", "127.0.0.2:3478"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(reason(seen, EvidenceKind::nat_mapping),
            "the server has no OTHER-ADDRESS, and Operation not permitted");
  EXPECT_EQ(reason(seen, EvidenceKind::hairpin), "Operation not permitted");
}

// Behind each answer of the server, and before what our sockets send each other.
TEST_F(NatCheck, StrangersPacketsAreNoSilence) {
  runner.settings.thorough = true;
  runner.run_time = timeouts::thorough;
  const SocketAddress own{IpAddress::v4({127, 0, 0, 1}), 50'000};
  std::size_t strangers = 1'000;
  test::MemoryServer server(
      runner.loop.executor(), own, [&](const Bytes& bytes, std::vector<Bytes>& replies) {
        const auto request = stun::parse(bytes);
        if (request.has_error()) {
          replies.push_back(bytes);
          return error_code();
        }
        stun::Builder answer(stun::Class::success, stun::Method::binding, request->id);
        answer.add_xor_address(stun::Attribute::xor_mapped_address,
                               {IpAddress::v4({127, 0, 0, 9}), 40'404});
        replies.push_back(answer.finish());
        replies.insert(replies.end(), strangers, Bytes{1, 2, 3});
        return error_code();
      });
  const auto look_at = [&] {
    return runner.run(CheckKind::nat, Transport::udp, "localhost", {own.address, 3'478});
  };
  EXPECT_EQ(value(look_at(), EvidenceKind::hairpin), "yes");
  strangers = 5'000;
  const auto flood = look_at();
  EXPECT_EQ(reason(flood, EvidenceKind::hairpin), flooded().text);
  EXPECT_EQ(reason(flood, EvidenceKind::nat_lifetime), flooded().text);
}

// The answer from the other port may be lost among them.
TEST_F(NatCheck, AFloodIsNoAnswerFromTheWrongPort) {
  const IpAddress address = IpAddress::v4({127, 0, 0, 1});
  test::MemoryServer server(
      runner.loop.executor(), {address, 50'000},
      [&](const Bytes& bytes, std::vector<Bytes>& replies) {
        const auto request = stun::parse(bytes);
        if (request.has_error()) return error_code();
        constexpr std::uint32_t only_the_port = 2;
        if (request->change_request == only_the_port) replies.assign(5'000, Bytes{1, 2, 3});
        if (request->change_request) return error_code();
        stun::Builder answer(stun::Class::success, stun::Method::binding, request->id);
        answer.add_xor_address(stun::Attribute::xor_mapped_address, {address, 40'404})
            .add_address(stun::Attribute::other_address, {IpAddress::v4({127, 0, 0, 2}), 3'479});
        replies.push_back(answer.finish());
        return error_code();
      });
  const auto seen = runner.run(CheckKind::nat, Transport::udp, "localhost", {address, 3'478});
  EXPECT_EQ(value(seen, EvidenceKind::nat_mapping), "endpoint_independent");
  EXPECT_EQ(reason(seen, EvidenceKind::nat_filtering), flooded().text);
}

TEST_F(NatCheck, MeasuresTheHairpin) {
  // Our sockets listen on all of loopback: where the "NAT" keeps ports, the kernel is the hairpin.
  EXPECT_EQ(value(look({}), EvidenceKind::hairpin), "yes");
  NatOptions swapped;
  swapped.mapped_port = [](std::uint16_t port, int) {
    return static_cast<std::uint16_t>(port ^ 0x4000);
  };
  EXPECT_EQ(value(look(swapped), EvidenceKind::hairpin), "no");
}

TEST_F(NatCheck, SaysWhatItHasNotMeasured) {
  const auto seen = look({});
  EXPECT_EQ(reason(seen, EvidenceKind::nat_lifetime), "this takes minutes: use --thorough");
  EXPECT_EQ(reason(seen, EvidenceKind::nat_translations),
            "the server that reports this computer's address is not on the public Internet");
}

TEST_F(NatCheck, MeasuresHowLongAnIdleBindingLives) {
  runner.settings.thorough = true;
  runner.run_time = timeouts::thorough;
  NatOptions options;
  options.dies_after = milliseconds(50'000);
  const auto mortal = look(options);
  EXPECT_EQ(value(mortal, EvidenceKind::nat_lifetime), "45-60");
  EXPECT_EQ(fact<std::string>(mortal, EvidenceKind::nat_lifetime, Fact::method), "response_port");
  options.dies_after = milliseconds(1'000'000);
  EXPECT_EQ(value(look(options), EvidenceKind::nat_lifetime), ">180");
  options.dies_after = milliseconds(5'000);
  EXPECT_EQ(value(look(options), EvidenceKind::nat_lifetime), "<10");
}

TEST_F(NatCheck, AServerThatIgnoresResponsePortTellsNoLifetime) {
  runner.settings.thorough = true;
  runner.run_time = timeouts::thorough;
  EXPECT_EQ(reason(look({}), EvidenceKind::nat_lifetime),
            "no host outside can be told to send packets here");
}

// The bindings may live: nobody could be asked to send to them.
TEST_F(NatCheck, WhatThisComputerCannotAskForIsNoDeadBinding) {
  if (test::sanitizer_needs_descriptors) GTEST_SKIP() << "UBSan needs descriptors";
  runner.settings.thorough = true;
  runner.run_time = timeouts::thorough;
  std::optional<test::NoDescriptorsLeft> none;
  const auto timer = runner.loop.clock.call_at(runner.loop.soon(timeouts::binding_idle.front()),
                                               [&] { none.emplace(); });
  NatOptions options;
  options.dies_after = milliseconds(1'000'000);
  const auto seen = look(options);
  none.reset();
  EXPECT_EQ(value(seen, EvidenceKind::nat_lifetime), "not_measured");
  EXPECT_EQ(reason(seen, EvidenceKind::nat_lifetime), "Too many open files");
}

// A plain STUN server, and relays on another address: what they see of us, and whom the NAT lets
// in.
struct NatByRelays : NatCheck {
  NatOptions plain;
  test::FakeTurnOptions options;
  std::set<int> sent_to;  // relays that our socket has sent to

  NatByRelays() {
    plain.advertise = false;
    runner.settings.credentials.turn_user = "user";
    runner.settings.credentials.turn_password = "password";
    options.relay_address = IpAddress::v4({127, 0, 0, 3});
    use_nat([](int) { return 0; }, [](int) { return true; });
  }
  // `shift`: what the NAT adds to our port towards that relay. `lets_in`: whose packets come in.
  void use_nat(std::function<int(int)> shift, std::function<bool(int)> lets_in) {
    options.outside = [this, shift](const SocketAddress& socket, int relay) {
      sent_to.insert(relay);
      return SocketAddress{plain.mapped_address,
                           static_cast<std::uint16_t>(socket.port + shift(relay))};
    };
    // Bindings are as the first relay's: the second asks for an address that it was told.
    options.inside = [shift, lets_in](const SocketAddress& outside,
                                      int relay) -> std::optional<SocketAddress> {
      if (!lets_in(relay)) return std::nullopt;
      return SocketAddress{IpAddress::v4({127, 0, 0, 1}),
                           static_cast<std::uint16_t>(outside.port - shift(1))};
    };
  }
  Observation look_by_relays() {
    sent_to.clear();
    test::FakeTurn relays(runner.loop.context, options);
    const auto seen = look(plain, {{"turn", relays.address().to_string() + "/udp"}});
    EXPECT_EQ(relays.allocations(), 0);
    return seen;
  }
};

TEST_F(NatByRelays, TellTheMapping) {
  const auto same = look_by_relays();
  EXPECT_EQ(value(same, EvidenceKind::nat_mapping), "endpoint_independent");
  EXPECT_EQ(same.detail, DetailCode::endpoint_independent);
  EXPECT_EQ(fact<std::string>(same, EvidenceKind::nat_mapping, Fact::method), "relays");
  use_nat([](int) { return 1; }, [](int) { return true; });
  EXPECT_EQ(value(look_by_relays(), EvidenceKind::nat_mapping), "address_dependent");
  use_nat([](int relay) { return relay; }, [](int) { return true; });
  EXPECT_EQ(value(look_by_relays(), EvidenceKind::nat_mapping), "address_and_port_dependent");
}

TEST_F(NatByRelays, TellTheFiltering) {
  EXPECT_EQ(value(look_by_relays(), EvidenceKind::nat_filtering), "endpoint_independent");
  const auto none = [](int) { return 0; };
  use_nat(none, [this](int) { return !sent_to.empty(); });
  EXPECT_EQ(value(look_by_relays(), EvidenceKind::nat_filtering), "address_dependent");
  use_nat(none, [this](int relay) { return sent_to.contains(relay); });
  EXPECT_EQ(value(look_by_relays(), EvidenceKind::nat_filtering), "address_and_port_dependent");
  use_nat(none, [](int) { return false; });
  EXPECT_EQ(reason(look_by_relays(), EvidenceKind::nat_filtering),
            "the server has no OTHER-ADDRESS, and packets from the relays do not "
            "arrive, even when asked for");
}

TEST_F(NatByRelays, OnTheStunServersOwnAddressTellLess) {
  options.relay_address = IpAddress::v4({127, 0, 0, 1});
  const auto seen = look_by_relays();
  EXPECT_EQ(value(seen, EvidenceKind::nat_mapping), "not_measured");
  EXPECT_EQ(value(seen, EvidenceKind::nat_filtering), "not_measured");
  use_nat([](int) { return 0; }, [this](int relay) { return sent_to.contains(relay); });
  EXPECT_EQ(value(look_by_relays(), EvidenceKind::nat_filtering), "address_and_port_dependent");
}

TEST_F(NatByRelays, AreNotAskedWhereTheStunServerTellsAll) {
  plain.advertise = true;
  test::FakeTurn relays(runner.loop.context, options);
  const auto seen = look(plain, {{"turn", relays.address().to_string() + "/udp"}});
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::nat_mapping, Fact::method), "other_address");
  EXPECT_EQ(relays.granted(), 0);
}

TEST_F(NatByRelays, TellTheLifetimeWhereTheStunServerCannot) {
  runner.settings.thorough = true;
  runner.run_time = timeouts::thorough;
  std::map<std::uint16_t, Instant> heard;
  options.outside = [&](const SocketAddress& socket, int) {
    heard[socket.port] = runner.loop.clock.now();
    return SocketAddress{plain.mapped_address, socket.port};
  };
  options.inside = [&](const SocketAddress& outside, int) -> std::optional<SocketAddress> {
    const auto idle = runner.loop.clock.now() - heard[outside.port];
    if (idle > milliseconds(25'000)) return std::nullopt;
    return SocketAddress{IpAddress::v4({127, 0, 0, 1}), outside.port};
  };
  const auto seen = look_by_relays();
  EXPECT_EQ(value(seen, EvidenceKind::nat_lifetime), "20-30");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::nat_lifetime, Fact::method), "relays");
}

TEST_F(NatCheck, IsSilentWhereNobodyAnswers) {
  ScriptedUdp server(runner.loop.context, [](auto&, const auto&, const auto&) {});
  const auto seen = runner.run(CheckKind::nat, Transport::udp, "localhost", server.address());
  EXPECT_EQ(seen.outcome, Outcome::silent);
}

TEST(NatCheckWithCoturn, SeesNoTranslationOnLoopback) {
  CALLREADY_NEEDS_COTURN();
  test::CheckRunner runner;
  test::CoturnOptions options;
  // A second address and port make it an RFC 5780 server.
  const auto port = test::free_udp_port(runner.loop.context);
  options.arguments = {"--listening-ip=127.0.0.2", "--alt-listening-port=" + std::to_string(port)};
  test::Coturn coturn(runner.loop.context, options);
  const auto seen = runner.run(CheckKind::nat, Transport::udp, "localhost", coturn.address());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::none);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::stun_reply, Fact::other_address),
            "127.0.0.2:" + std::to_string(port));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::nat_filtering, Fact::value),
            "endpoint_independent");
}

TEST(NatParts, SendsNothingToWhatAServerMustNotName) {
  const auto at = [](const char* text) { return SocketAddress{*IpAddress::parse(text), 3478}; };
  const auto server = at("203.0.113.5");
  for (const auto* trap : {"127.0.0.1", "::1", "169.254.169.254", "fe80::1", "100.100.100.200",
                           "fd00:ec2::254", "224.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(may_be_sent_to(at(trap), server)) << trap;
  }
  EXPECT_FALSE(may_be_sent_to({server.address, 0}, server));
  EXPECT_TRUE(may_be_sent_to(at("203.0.113.6"), server));
  EXPECT_TRUE(may_be_sent_to(at("10.0.0.5"), server)) << "a site's own";
  EXPECT_TRUE(may_be_sent_to(at("127.0.0.2"), at("127.0.0.1"))) << "a server on this machine";
}

}  // namespace
}  // namespace callready
