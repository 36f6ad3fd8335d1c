// SIP over UDP that is too long for one packet: servers on loopback, where nothing is fragmented,
// that hear only what is short enough.
#include <fmt/format.h>

#include "probe/serve/sip_server.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/sip_server.hpp"

namespace callready {
namespace {

using test::sip_reply;
using test::SipAnswer;
using test::SipScript;
using test::SipServer;
using Sizes = std::vector<std::size_t>;

// Hears no request of more bytes than that.
SipAnswer deaf_beyond(std::size_t most) {
  return [=](const std::string& request, const SocketAddress& from) {
    if (request.size() > most) return SipScript{};
    return SipScript{{sip_reply(request, from, "200 OK")}};
  };
}

class SipLong : public testing::Test {
 protected:
  test::CheckRunner runner{{}, test::Time::by_hand};

  // By a server over UDP, and another one over TCP; nobody is on that port where it is null.
  Observation ask(SipAnswer datagrams, const SipServer* stream = nullptr) {
    SipServer server(runner.loop.context, Transport::udp, std::move(datagrams));
    std::map<std::string, std::string> with;
    if (stream != nullptr) with["stream"] = std::to_string(stream->address().port) + "/tcp";
    auto seen = runner.run(CheckKind::sip_long, Transport::udp, "localhost", server.address(),
                           std::move(with));
    sizes.clear();
    for (const auto& request : server.requests()) sizes.push_back(request.size());
    return seen;
  }
  // "2600 udp 3 lost"
  static std::vector<std::string> told(const Observation& seen) {
    std::vector<std::string> all;
    for (const auto& one : seen.evidence) {
      if (one.kind != EvidenceKind::sip_size) continue;
      all.push_back(fmt::format("{:.0f}{} {} {:.0f} {}", *number_fact(one, Fact::bytes),
                                flag_fact(one, Fact::back).value_or(false) ? " back" : "",
                                text_fact(one, Fact::transport), *number_fact(one, Fact::attempts),
                                *flag_fact(one, Fact::answered) ? "answered" : "lost"));
    }
    return all;
  }
  Sizes sizes;  // of what came
};

TEST_F(SipLong, AsksOnceWhereALongOneIsAnswered) {
  const auto seen = ask(deaf_beyond(65'535));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail.text(), "200");
  EXPECT_EQ(sizes, Sizes{2'600});
  EXPECT_TRUE(seen.round_trip);
}

TEST_F(SipLong, AServerWithASmallBufferLosesNothing) {
  const auto seen = ask(deaf_beyond(2'048));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(sizes, (Sizes{2'600, 1'600}));
}

TEST_F(SipLong, IsLostWhereTheShortOneIsAnsweredAndTheLongOneOverTcp) {
  SipServer stream(runner.loop.context, Transport::tcp, deaf_beyond(65'535));
  const auto seen = ask(deaf_beyond(1'472), &stream);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::long_sip_lost);
  EXPECT_EQ(sizes, (Sizes{2'600, 1'600, 2'600, 1'600, 1'200, 2'600, 1'600}));
  EXPECT_EQ(told(seen), (std::vector<std::string>{"2600 udp 3 lost", "1600 udp 3 lost",
                                                  "1200 udp 1 answered", "2600 tcp 1 answered"}));
  ASSERT_EQ(stream.requests().size(), 1u);
  EXPECT_EQ(stream.requests()[0].size(), 2'600u);
}

TEST_F(SipLong, IsLostWhereNobodyIsOnTcpAndThatIsSaid) {
  const auto seen = ask(deaf_beyond(1'472));
  EXPECT_EQ(seen.detail, DetailCode::long_sip_lost);
  EXPECT_EQ(told(seen).back(), "1200 udp 1 answered");
}

TEST_F(SipLong, ComparesNothingWhereTheServerIgnoresLongOnesOverTcpToo) {
  SipServer stream(runner.loop.context, Transport::tcp, deaf_beyond(1'472));
  const auto seen = ask(deaf_beyond(1'472), &stream);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::sizes_not_compared);
}

TEST_F(SipLong, ComparesNothingWhereTheShortOneIsSilentToo) {
  const auto seen = ask(deaf_beyond(0));
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::sizes_not_compared);
  EXPECT_EQ(sizes, (Sizes{2'600, 1'600, 2'600, 1'600, 1'200, 1'200}));
}

TEST_F(SipLong, SendsNothingWhereTheMessageCannotBeWritten) {
  const test::ScriptedUdp server(runner.loop.context, [](auto&&...) {});
  const auto seen = runner.run(CheckKind::sip_long, Transport::udp, "localhost", server.address(),
                               {{"domain", "foo bar"}});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::local_error);
  EXPECT_TRUE(server.received().empty());
}

// A device that lets few new flows through drops the first packets of this one, whatever their
// size.
TEST_F(SipLong, AFlowThatIsLetThroughLateLosesNothing) {
  bool through = false;
  const auto seen = ask([&](const std::string& request, const SocketAddress& from) {
    through |= request.size() < 1'472;
    return through ? SipScript{{sip_reply(request, from, "200 OK")}} : SipScript{};
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(sizes, (Sizes{2'600, 1'600, 2'600, 1'600, 1'200, 2'600}));
}

TEST_F(SipLong, ALateAnswerCounts) {
  std::vector<std::string> came;
  const auto seen = ask([&](const std::string& request, const SocketAddress& from) {
    came.push_back(sip_reply(request, from, "200 OK"));
    if (came.size() < 2) return SipScript{};
    return SipScript{{came[0]}};  // to the first
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_FALSE(seen.round_trip);
}

TEST_F(SipLong, KeepsTheMannersOfSip) {
  int asked = 0;
  runner.sip_manners = [&](SocketAddress, Transport) -> asio::awaitable<bool> {
    ++asked;
    co_return asked < 3;
  };
  const auto seen = ask(deaf_beyond(0));
  EXPECT_EQ(sizes.size(), 3u) << "the first is the runner's to allow, the third is refused";
  EXPECT_EQ(seen.outcome, Outcome::skipped);
}

TEST_F(SipLong, WhatBringsSomethingElseThanAReplyIsNotLost) {
  const auto seen = ask([](const std::string& request, const SocketAddress& from) {
    if (request.size() > 1'472) return SipScript{{"garbage"}};
    return SipScript{{sip_reply(request, from, "200 OK")}};
  });
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::sizes_not_compared);
  ASSERT_FALSE(seen.evidence.empty());
  EXPECT_EQ(seen.evidence.front().text,
            "2600 bytes over UDP, sent 3 times: the answer could not be understood");
  EXPECT_TRUE(test::find_evidence(seen, EvidenceKind::sip_discarded));
}

TEST_F(SipLong, AStopIsNoSilenceOverTcp) {
  SipServer stream(runner.loop.context, Transport::tcp,
                   [&](const std::string&, const SocketAddress&) {
                     runner.loop.stop.stop();
                     return SipScript{};
                   });
  const auto seen = ask(deaf_beyond(1'472), &stream);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
  EXPECT_EQ(told(seen).back(), "1200 udp 1 answered");
}

// Lets so many out, and answers none.
struct Keeping {
  using Bytes = test::MemoryServer::Bytes;
  int let_out;
  error_code operator()(const Bytes&, std::vector<Bytes>&) {
    if (let_out-- > 0) return {};
    return make_error_code(boost::system::errc::operation_not_permitted);
  }
};

TEST_F(SipLong, WhatThisComputerKeepsWasNotSent) {
  const SocketAddress server{*IpAddress::parse("127.0.0.1"), 5060};
  {
    test::MemoryServer all(runner.loop.executor(), server, Keeping{0});
    const auto seen = runner.run(CheckKind::sip_long, Transport::udp, "localhost", server);
    EXPECT_EQ(seen.outcome, Outcome::skipped);
    EXPECT_EQ(seen.detail, DetailCode::local_error);
    EXPECT_EQ(seen.attempts, 0);
    EXPECT_TRUE(told(seen).empty());
  }
  test::MemoryServer later(runner.loop.executor(), server, Keeping{1});
  const auto seen = runner.run(CheckKind::sip_long, Transport::udp, "localhost", server);
  EXPECT_EQ(seen.detail, DetailCode::sizes_not_compared);
  EXPECT_EQ(told(seen), std::vector<std::string>{"2600 udp 1 lost"});
}

TEST_F(SipLong, ComparesNothingInAFlood) {
  const SocketAddress remote{*IpAddress::parse("127.0.0.1"), 5060};
  test::MemoryServer server(runner.loop.executor(), remote,
                            [](const auto&, std::vector<test::MemoryServer::Bytes>& replies) {
                              replies.assign(5'000, {'x'});
                              return error_code();
                            });
  const auto seen = runner.run(CheckKind::sip_long, Transport::udp, "localhost", remote);
  EXPECT_EQ(seen.detail, DetailCode::sizes_not_compared);
  EXPECT_EQ(told(seen).size(), 1u) << "no more is asked";
}

TEST_F(SipLong, AsksServeForAReplyAsLong) {
  serve::SipOptions options;
  options.identity.mirror = true;
  auto server = *serve::SipServer::start(runner.loop.context.get_executor(),
                                         {*IpAddress::parse("127.0.0.1"), 0}, options);
  const auto seen = runner.run(CheckKind::sip_long, Transport::udp, "localhost", server->local(),
                               {{"mirror", "true"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(told(seen),
            (std::vector<std::string>{"2600 udp 1 answered", "2600 back udp 1 answered"}));
  server->stop();
}

TEST_F(SipLong, SaysThatRepliesAsLongAreLost) {
  SipServer server(runner.loop.context, Transport::udp,
                   [](const std::string& request, const SocketAddress& from) {
                     if (!test::sip_header(request, "X-Reply-Bytes").empty()) return SipScript{};
                     return SipScript{{sip_reply(request, from, "200 OK")}};
                   });
  const auto seen = runner.run(CheckKind::sip_long, Transport::udp, "localhost", server.address(),
                               {{"mirror", "true"}});
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::long_sip_lost);
  EXPECT_EQ(told(seen), (std::vector<std::string>{"2600 udp 1 answered", "2600 back udp 3 lost",
                                                  "1200 udp 1 answered"}));
}

}  // namespace
}  // namespace callready
