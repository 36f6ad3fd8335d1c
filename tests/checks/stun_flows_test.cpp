#include <functional>
#include <map>
#include <set>

#include "probe/net/stun.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::fact;
using test::ScriptedUdp;

// The scripted servers are in this process: time moves by hand.
struct StunFlows : testing::Test {
  test::CheckRunner runner{{}, test::Time::by_hand};
  std::set<std::uint16_t> ports;  // that were heard from
  int heard = 0;

  // `answers` says whether the request is answered that comes from that port.
  Observation count(const std::string& flows, std::function<bool(std::uint16_t)> answers) {
    ScriptedUdp server(
        runner.loop.context, [&](auto& self, const Bytes& request, const SocketAddress& from) {
          ++heard;
          ports.insert(from.port);
          if (!answers(from.port)) return;
          const auto parsed = *stun::parse(request);
          stun::Builder reply(stun::Class::success, stun::Method::binding, parsed.id);
          reply.add_xor_address(stun::Attribute::xor_mapped_address, from);
          self.send(reply.finish(), from);
        });
    return runner.run(CheckKind::stun, Transport::udp, "localhost", server.address(),
                      {{"flows", flows}});
  }
};

TEST_F(StunFlows, AreOneOrMany) {
  const auto everybody = [](std::uint16_t) { return true; };
  auto seen = count("one", everybody);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(heard, 20);
  EXPECT_EQ(ports.size(), 1u);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::sent), 20);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::answered), 20);
  ports.clear();
  seen = count("new", everybody);
  EXPECT_EQ(heard, 40);
  EXPECT_EQ(ports.size(), 20u);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::answered), 20);
}

TEST_F(StunFlows, CountWhatIsLost) {
  const auto seen = count("new", [&](std::uint16_t) { return heard % 4 != 0; });
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::sent), 20);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::answered), 15);
}

// A port that is not answered the first time is not answered later on a dead path; what a limit
// held back is.
TEST_F(StunFlows, AskTheFirstOfTheLostAgain) {
  const auto again = [&](int sent, const std::function<bool(std::uint16_t)>& answers) {
    heard = 0;
    ports.clear();
    const auto seen = count("new", answers);
    EXPECT_EQ(heard, sent);
    EXPECT_EQ(ports.size(), 20u);
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::sent), 20);
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::answered), 10);
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::again), 4);
    return fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::again_answered);
  };
  std::map<std::uint16_t, bool> dead;
  const auto alive = [&](std::uint16_t port) {
    return !dead.try_emplace(port, dead.size() % 2 == 0).first->second;
  };
  EXPECT_EQ(again(28, alive), 0);
  EXPECT_EQ(again(24, [&](std::uint16_t) { return heard <= 10 || heard > 20; }), 4);
  EXPECT_EQ(again(26, [&](std::uint16_t) { return heard <= 10 || heard > 22; }), 4);
}

// What comes so late that it was given up is no answer to what is sent again.
TEST_F(StunFlows, TakeALateAnswerForNone) {
  std::vector<std::pair<Bytes, SocketAddress>> late;
  ScriptedUdp server(
      runner.loop.context, [&](auto& self, const Bytes& request, const SocketAddress& from) {
        const auto answer = [&](const Bytes& to, const SocketAddress& whom) {
          stun::Builder reply(stun::Class::success, stun::Method::binding, stun::parse(to)->id);
          reply.add_xor_address(stun::Attribute::xor_mapped_address, whom);
          self.send(reply.finish(), whom);
        };
        ++heard;
        if (heard <= 10) answer(request, from);
        if (heard > 10 && heard <= 20) late.emplace_back(request, from);
        if (heard != 21) return;  // when the first is sent again
        for (const auto& [original, whom] : late) answer(original, whom);
      });
  const auto seen = runner.run(CheckKind::stun, Transport::udp, "localhost", server.address(),
                               {{"flows", "new"}});
  EXPECT_EQ(heard, 28);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::again), 4);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::again_answered), 0);
}

TEST_F(StunFlows, OfOnePortCountFromTheFirstAnswer) {
  const auto seen = count("one", [&](std::uint16_t) { return heard > 3; });
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::sent), 17);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::answered), 17);
}

TEST_F(StunFlows, AreSilentWhereNothingAnswers) {
  const auto seen = count("one", [](std::uint16_t) { return false; });
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::timed_out);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::sent), 0);
}

TEST_F(StunFlows, AreNotSilentWhereTheRunEndsFirst) {
  const auto seen = count("new", [&](std::uint16_t) {
    if (heard == 7) runner.loop.stop.stop();
    return false;
  });
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
  EXPECT_FALSE(test::find_evidence(seen, EvidenceKind::udp_sample));
}

TEST_F(StunFlows, CountNoLossWhereTheRunEndsFirst) {
  const auto seen = count("new", [&](std::uint16_t) {
    if (heard == 7) runner.loop.stop.stop();
    return heard <= 3;
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_FALSE(test::find_evidence(seen, EvidenceKind::udp_sample));
}

// As where this computer's own firewall limits what it lets out.
TEST_F(StunFlows, CountOnlyWhatThisComputerLetsOut) {
  const SocketAddress server{IpAddress::v4({127, 0, 0, 1}), 3'478};
  int tried = 0, most = 15;
  test::MemoryServer limited(
      runner.loop.executor(), {server.address, 50'000},
      [&](const Bytes& sent, std::vector<Bytes>& replies) {
        if (++tried > most) return make_error_code(boost::system::errc::operation_not_permitted);
        stun::Builder reply(stun::Class::success, stun::Method::binding, stun::parse(sent)->id);
        replies.push_back(reply.finish());
        return error_code();
      });
  auto seen = runner.run(CheckKind::stun, Transport::udp, "localhost", server, {{"flows", "new"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::sent), 15);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::answered), 15);
  most = 0;
  seen = runner.run(CheckKind::stun, Transport::udp, "localhost", server, {{"flows", "new"}});
  EXPECT_EQ(seen.outcome, Outcome::rejected);
  EXPECT_EQ(seen.detail, DetailCode::kept_here);
}

TEST_F(StunFlows, StrangersPacketsAreNoLoss) {
  const SocketAddress remote{IpAddress::v4({127, 0, 0, 1}), 3'478};
  std::size_t strangers = 1'000;
  test::MemoryServer server(runner.loop.executor(), {remote.address, 50'000},
                            [&](const Bytes& sent, std::vector<Bytes>& replies) {
                              stun::Builder reply(stun::Class::success, stun::Method::binding,
                                                  stun::parse(sent)->id);
                              replies.assign(strangers, Bytes{1, 2, 3});
                              replies.push_back(reply.finish());
                              return error_code();
                            });
  auto seen = runner.run(CheckKind::stun, Transport::udp, "localhost", remote, {{"flows", "new"}});
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::udp_sample, Fact::answered), 20);
  strangers = 5'000;
  seen = runner.run(CheckKind::stun, Transport::udp, "localhost", remote, {{"flows", "new"}});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_FALSE(test::find_evidence(seen, EvidenceKind::udp_sample));
}

}  // namespace
}  // namespace callready
