// A QUIC server of our own that answers what it is told to.
#include "probe/net/quic.hpp"

#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/scripted_server.hpp"

namespace callready {
namespace {

using test::Bytes;
using test::fact;
using test::ScriptedUdp;

// What a client's packet says.
struct Question {
  bool versions = false;  // of a reserved version
  Bytes destination, source;
  Bytes frames;  // of an Initial
};

Question read(const Bytes& datagram) {
  Question question;
  question.versions = (datagram.at(1) & 0x0f) == 0x0a;
  question.destination.assign(datagram.begin() + 6, datagram.begin() + 14);
  question.source.assign(datagram.begin() + 15, datagram.begin() + 23);
  const auto keys = quic::initial_keys(question.destination);
  if (const auto frames = quic::open_initial(keys->client, datagram)) question.frames = *frames;
  return question;
}

Bytes versions(const Question& question) {
  Bytes reply{0x80, 0, 0, 0, 0, 8};
  reply.insert(reply.end(), question.source.begin(), question.source.end());
  reply.push_back(8);
  reply.insert(reply.end(), question.destination.begin(), question.destination.end());
  reply.insert(reply.end(), {0, 0, 0, 1});
  return reply;
}

Bytes sealed(const Question& question, const Bytes& frames) {
  const auto keys = quic::initial_keys(question.destination);
  const Bytes own{1, 2, 3, 4};
  return *quic::seal_initial(keys->server, question.source, own, 0, frames, 1'200);
}

// An acknowledgement, and as much of a ServerHello as nobody reads.
const Bytes hello{2, 0, 0, 0, 0, 6, 0, 0x40, 4, 2, 0, 0, 0};

class QuicCheck : public testing::Test {
 protected:
  explicit QuicCheck(test::Time time = test::Time::real) : runner({}, time) {}
  test::CheckRunner runner;
  std::vector<Question> questions;

  Observation ask(const std::function<std::optional<Bytes>(const Question&)>& answer,
                  const char* host = "www.example.com") {
    ScriptedUdp server(runner.loop.context,
                       [&](ScriptedUdp& self, const Bytes& request, const SocketAddress& from) {
                         EXPECT_EQ(request.size(), 1'200u);
                         questions.push_back(read(request));
                         const auto reply = answer(questions.back());
                         if (reply) self.send(*reply, from);
                       });
    return runner.run(CheckKind::quic, Transport::udp, host, server.address());
  }

  // "version_negotiation replied", "initial silent"
  static std::vector<std::string> results(const Observation& seen) {
    std::vector<std::string> found;
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind != EvidenceKind::quic) continue;
      found.push_back(text_fact(evidence, Fact::payload) + ' ' + text_fact(evidence, Fact::result));
    }
    return found;
  }
};

class SlowQuicCheck : public QuicCheck {
 protected:
  SlowQuicCheck() : QuicCheck(test::Time::by_hand) {}
};

TEST_F(QuicCheck, IsAnsweredTwice) {
  const auto seen = ask([](const Question& question) {
    return question.versions ? versions(question) : sealed(question, hello);
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::quic_spoken);
  EXPECT_EQ(seen.attempts, 1);
  EXPECT_TRUE(seen.round_trip);
  EXPECT_EQ(results(seen),
            (std::vector<std::string>{"version_negotiation replied", "initial replied"}));
  ASSERT_GE(questions.size(), 2u);
  EXPECT_TRUE(questions[0].versions);
  const std::string greeting(questions[1].frames.begin(), questions[1].frames.end());
  EXPECT_NE(greeting.find("www.example.com"), greeting.npos);
}

TEST_F(QuicCheck, NamesNoAddress) {
  ask(
      [](const Question& question) {
        return question.versions ? versions(question) : sealed(question, hello);
      },
      "203.0.113.7");
  ASSERT_GE(questions.size(), 2u);
  const std::string greeting(questions[1].frames.begin(), questions[1].frames.end());
  EXPECT_EQ(greeting.find("203.0.113.7"), greeting.npos);
}

TEST_F(QuicCheck, TakesANoForAnAnswer) {
  const auto seen = ask([](const Question& question) {
    return question.versions ? versions(question) : sealed(question, {0x1c, 0x41, 0x78, 0, 0});
  });
  EXPECT_EQ(seen.detail, DetailCode::quic_spoken);
  EXPECT_EQ(questions.size(), 2u) << "whoever has closed is told nothing more";
}

TEST_F(SlowQuicCheck, SaysWhereOnlyTheGreetingIsSilent) {
  const auto seen = ask([](const Question& question) {
    return question.versions ? std::optional(versions(question)) : std::nullopt;
  });
  EXPECT_EQ(seen.outcome, Outcome::answered) << "something came back";
  EXPECT_EQ(seen.detail, DetailCode::initial_silent);
  EXPECT_EQ(results(seen),
            (std::vector<std::string>{"version_negotiation replied", "initial silent"}));
  EXPECT_GE(questions.size(), 3u) << "sent again";
}

// A gateway that shuts out who met too many hosts does so between two questions, too.
TEST_F(SlowQuicCheck, BlamesNoGreetingWhereNothingIsAnsweredAnyMore) {
  bool first = true;
  const auto seen = ask([&](const Question& question) {
    return question.versions && std::exchange(first, false) ? std::optional(versions(question))
                                                            : std::nullopt;
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail());
  EXPECT_EQ(results(seen), (std::vector<std::string>{"version_negotiation replied",
                                                     "version_negotiation silent"}));
}

TEST_F(SlowQuicCheck, TakesNoEndOfTheRunForSilence) {
  int asked = 0;
  const auto seen = ask([&](const Question& question) -> std::optional<Bytes> {
    if (!question.versions) return std::nullopt;
    if (++asked == 1) return versions(question);
    runner.loop.stop.stop();
    return std::nullopt;
  });
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail());
  EXPECT_EQ(results(seen), std::vector<std::string>{"version_negotiation replied"});
}

TEST_F(SlowQuicCheck, TakesNothingThatAnybodyCouldHaveSent) {
  const auto seen = ask([](const Question& question) {
    if (question.versions) return versions(question);
    auto forged = sealed(question, hello);
    forged.back() ^= 1;
    return forged;
  });
  EXPECT_EQ(seen.detail, DetailCode::initial_silent);
}

TEST_F(SlowQuicCheck, IsSilentWhereNobodySpeaksIt) {
  const auto seen = ask([](const Question&) { return std::nullopt; });
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.attempts, 2);
  EXPECT_EQ(questions.size(), 2u) << "and no greeting";
}

TEST_F(SlowQuicCheck, FailsWhereSomethingElseAnswers) {
  const auto seen = ask([](const Question&) { return Bytes{'H', 'T', 'T', 'P'}; });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::malformed);
}

TEST_F(QuicCheck, IsRefusedByAClosedPort) {
  const SocketAddress closed{IpAddress::v4({127, 0, 0, 1}),
                             test::free_udp_port(runner.loop.context)};
  const auto seen = runner.run(CheckKind::quic, Transport::udp, "www.example.com", closed);
  EXPECT_EQ(seen.outcome, Outcome::refused);
}

}  // namespace
}  // namespace callready
