#include "probe/util/base64.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/kamailio.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/sip_middlebox.hpp"

namespace callready::sip_alg_test {
namespace {

using test::behind;
using test::Bytes;
using test::fact;
using test::find_evidence;
using test::sip_header;
using test::sip_reply;
using test::SipAnswer;
using test::SipMiddlebox;
using test::SipScript;
using test::SipServer;

const SocketAddress public_address{IpAddress::v4({198, 51, 100, 7}), 40'404};

class SipAlg : public testing::Test {
 protected:
  test::CheckRunner runner{{}, test::Time::by_hand};
  std::vector<std::string> requests;
  std::vector<Instant> times;

  Observation ask(SipAnswer answer, Transport transport = Transport::udp,
                  std::map<std::string, std::string> with = {}) {
    times.clear();
    SipServer server(runner.loop.context, transport, recording(answer));
    auto seen =
        runner.run(CheckKind::sip_alg, transport, "localhost", server.address(), std::move(with));
    requests = server.requests();
    return seen;
  }

  SipAnswer recording(SipAnswer answer) {
    return [this, answer](const std::string& request, const SocketAddress& from) {
      times.push_back(runner.loop.clock.now());
      return answer(request, from);
    };
  }

  // Leaves one request in so many unanswered, by number, from 1.
  static SipAnswer losing(std::set<int> lost, SipAnswer answer) {
    auto count = std::make_shared<int>(0);
    return [=](const std::string& request, const SocketAddress& from) {
      if (lost.contains(++*count)) return SipScript{};
      return answer(request, from);
    };
  }

  static std::vector<std::string> messages(const Observation& seen) {
    std::vector<std::string> names;
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind != EvidenceKind::sip_alg_message) continue;
      names.push_back(std::get<std::string>(evidence.facts.at(Fact::message)) +
                      (std::get<bool>(evidence.facts.at(Fact::answered)) ? "" : " (lost)"));
    }
    return names;
  }
};

using Names = std::vector<std::string>;

// What is said of the message of that name.
const Evidence& message_of(const Observation& seen, const std::string& name) {
  for (const auto& evidence : seen.evidence) {
    const auto found = evidence.facts.find(Fact::message);
    if (found != evidence.facts.end() && found->second == EvidenceValue(name)) return evidence;
  }
  throw std::runtime_error("no message " + name);
}

TEST_F(SipAlg, SeesNothingOnACleanPathBehindANat) {
  const auto seen = ask(behind({.mapped = public_address}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_alg, Fact::translated), true);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::mapped), "198.51.100.7:40404");
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_alg, Fact::sdp_tested), false);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::basis), std::nullopt);
  // The last reply goes to a port that this NAT does not know; nothing follows from its loss.
  EXPECT_EQ(messages(seen), (Names{"unrelated", "own", "mapped", "own_no_rport (lost)"}));
  EXPECT_TRUE(seen.round_trip);
  // As the check `sip` would tell it, for a row that asks the same server.
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_via, Fact::received), "198.51.100.7");
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::translated), true);
}

TEST_F(SipAlg, SendsAtMostFourASecondApartFromNobody) {
  const auto seen = ask(behind({.mapped = public_address}));
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(seen.attempts, 1);  // four messages, each of them once: nothing was lost
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], std::chrono::seconds(1)) << i;
  }
  const auto local = seen.local->to_string();
  const auto port = std::to_string(seen.local->port);
  const auto via = [&](std::size_t i) { return sip_header(requests[i], "Via"); };
  EXPECT_EQ(via(0).find("SIP/2.0/UDP probe.invalid:" + port + ";rport;branch="), 0u) << via(0);
  EXPECT_EQ(via(1).find("SIP/2.0/UDP " + local + ";rport;branch="), 0u) << via(1);
  EXPECT_EQ(via(2).find("SIP/2.0/UDP 198.51.100.7:40404;rport;branch="), 0u) << via(2);
  EXPECT_EQ(via(3).find("SIP/2.0/UDP " + local + ";branch="), 0u) << via(3);
  for (const auto& request : requests) {
    EXPECT_EQ(request.find("OPTIONS "), 0u);
    EXPECT_EQ(sip_header(request, "From").find("<sip:anonymous@anonymous.invalid>;tag="), 0u);
  }
}

// A NAT that keeps the socket's port, as most do: the reply to a Via without rport finds back.
SipAnswer keeping_the_port(SipMiddlebox box) {
  return [box](const std::string& request, const SocketAddress& from) mutable {
    box.mapped = SocketAddress{public_address.address, from.port};
    return behind(box)(request, from);
  };
}

TEST_F(SipAlg, NeedsThreeMessagesWhereTheNatKeepsThePort) {
  const auto seen = ask(keeping_the_port({}));
  EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(messages(seen), (Names{"unrelated", "mapped", "own_no_rport"}));
  EXPECT_EQ(requests.size(), 3u);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::translated), true);
  const auto one_lost = ask(losing({2}, keeping_the_port({})));
  EXPECT_EQ(one_lost.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(messages(one_lost), (Names{"unrelated", "mapped (lost)", "own_no_rport", "mapped"}));
}

TEST_F(SipAlg, IsAsCertainWhereTheNatKeepsThePort) {
  const auto both = ask(keeping_the_port({.rewrites_requests = true, .rewrites_replies = true}));
  EXPECT_EQ(both.detail, DetailCode::rewritten);
  EXPECT_EQ(fact<std::string>(both, EvidenceKind::sip_alg, Fact::basis), "via_changed");
  const auto requests_only = ask(keeping_the_port({.rewrites_requests = true}));
  EXPECT_EQ(requests_only.detail, DetailCode::rewritten);
  // The message that would tell is lost: another one does.
  const auto mapped_lost =
      ask(losing({2}, keeping_the_port({.rewrites_requests = true, .rewrites_replies = true})));
  EXPECT_EQ(messages(mapped_lost), (Names{"unrelated", "mapped (lost)", "own_no_rport", "own"}));
  EXPECT_EQ(mapped_lost.detail, DetailCode::rewritten);
  EXPECT_EQ(fact<std::string>(mapped_lost, EvidenceKind::sip_alg, Fact::confidence), "certain");
}

TEST_F(SipAlg, NeedsTwoMessagesWithoutTranslation) {
  for (const bool rewrites : {false, true}) {
    const auto seen = ask(behind({.rewrites_requests = rewrites, .rewrites_replies = rewrites}));
    EXPECT_EQ(seen.outcome, Outcome::answered);
    EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_alg, Fact::translated), false);
    EXPECT_EQ(messages(seen), (Names{"unrelated", "own"}));
    EXPECT_EQ(requests.size(), 2u);
  }
}

TEST_F(SipAlg, IsCertainOfAGatewayLikeLinux) {
  const auto seen =
      ask(behind({.mapped = public_address, .rewrites_requests = true, .rewrites_replies = true}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::rewritten);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::basis), "via_changed");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::confidence), "certain");
  EXPECT_EQ(messages(seen), (Names{"unrelated", "own", "mapped", "own_no_rport"}));
  // Rewritten out and back: comparing what was sent with what came back misses it.
  const auto& own = message_of(seen, "own");
  EXPECT_EQ(std::get<bool>(own.facts.at(Fact::via_changed)), false);
  EXPECT_EQ(std::get<std::string>(own.facts.at(Fact::received)), "127.0.0.1");
  const auto& mapped = message_of(seen, "mapped");
  EXPECT_EQ(std::get<bool>(mapped.facts.at(Fact::via_changed)), true);
  EXPECT_EQ(std::get<std::string>(mapped.facts.at(Fact::echoed_sent_by)), seen.local->to_string());
}

TEST_F(SipAlg, IsCertainWhereTheMappedMessageIsLost) {
  const auto seen = ask(losing(
      {3, 4},
      behind({.mapped = public_address, .rewrites_requests = true, .rewrites_replies = true})));
  EXPECT_EQ(seen.detail, DetailCode::rewritten);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::basis), "received_differs");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::confidence), "certain");
}

TEST_F(SipAlg, IsCertainOfAGatewayThatRewritesOneWayOnly) {
  const auto seen = ask(behind({.mapped = public_address, .rewrites_requests = true}));
  EXPECT_EQ(seen.detail, DetailCode::rewritten);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::basis), "via_changed");
}

TEST_F(SipAlg, SuspectsAGatewayThatHidesItsTracks) {
  // It writes the Via back and leaves `received` alone: only the message without rport tells.
  const auto seen = ask([](const std::string& request, const SocketAddress& from) {
    const bool own = sip_header(request, "Via").find(from.to_string()) != std::string::npos;
    const bool rport = sip_header(request, "Via").find(";rport") != std::string::npos;
    return SipScript{{sip_reply(request, own && !rport ? from : public_address, "200 OK")}};
  });
  EXPECT_EQ(seen.detail, DetailCode::suspected);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::basis), "received_missing");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::confidence), "likely");
}

// A load balancer in front of the server: it sees this machine's own address, and another port.
TEST_F(SipAlg, TakesAnotherPortAloneForNoGateway) {
  const auto seen = ask(
      [](const std::string& request, const SocketAddress& from) {
        const SocketAddress balanced{from.address, static_cast<std::uint16_t>(from.port ^ 1U)};
        return SipScript{{sip_reply(request, balanced, "200 OK")}};
      },
      Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(messages(seen), (Names{"unrelated", "mapped", "own_no_rport", "own"}));
}

TEST_F(SipAlg, OnlySuspectsTwoForeignAddresses) {
  const auto seen = ask([](const std::string& request, const SocketAddress& from) {
    const bool own = sip_header(request, "Via").find(from.to_string()) != std::string::npos;
    const SocketAddress other{IpAddress::v4({198, 51, 100, 8}), 40'404};
    return SipScript{{sip_reply(request, own ? other : public_address, "200 OK")}};
  });
  EXPECT_EQ(seen.detail, DetailCode::suspected);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::basis), "received_differs");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::confidence), "likely");
}

TEST_F(SipAlg, WorksWithAServerThatKnowsNoRport) {
  SipMiddlebox box{.mapped = public_address, .server_fills_rport = false};
  const auto keeping_the_port = [&box](const std::string& request, const SocketAddress& from) {
    box.mapped->port = from.port;
    return behind(box)(request, from);
  };
  const auto clean = ask(keeping_the_port);
  EXPECT_EQ(clean.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(messages(clean), (Names{"unrelated", "own"}));
  box.rewrites_requests = box.rewrites_replies = true;
  const auto rewritten = ask(keeping_the_port);
  EXPECT_EQ(rewritten.detail, DetailCode::suspected);
  EXPECT_EQ(fact<std::string>(rewritten, EvidenceKind::sip_alg, Fact::basis), "received_missing");
}

TEST_F(SipAlg, SendsAgainWhatIsLostWithinTheFour) {
  const auto seen = ask(losing({1, 3}, behind({.mapped = public_address})));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(requests.size(), 4u);
  EXPECT_EQ(messages(seen), (Names{"unrelated", "own"}));
  EXPECT_EQ(seen.detail, DetailCode::inconclusive);
  EXPECT_FALSE(seen.round_trip);
  const auto one_lost = ask(losing({1}, behind({.mapped = public_address})));
  EXPECT_EQ(requests.size(), 4u);
  EXPECT_EQ(messages(one_lost), (Names{"unrelated", "own", "mapped"}));
  EXPECT_EQ(one_lost.detail, DetailCode::no_rewriting_seen);
}

TEST_F(SipAlg, SendsAgainAfterAFloodOfOtherDatagrams) {
  const auto answer = behind({.mapped = public_address});
  bool flooded = false;
  const auto seen = ask([&](const std::string& request, const SocketAddress& from) {
    if (std::exchange(flooded, true)) return answer(request, from);
    return SipScript{std::vector<std::string>(260, "x")};
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(messages(seen), (Names{"unrelated", "own", "mapped"}));
}

TEST_F(SipAlg, IsInconclusiveWhereTheServerDoesNotSayWhatItSaw) {
  const auto seen = ask([](const std::string& request, const SocketAddress& from) {
    auto reply = sip_reply(request, from, "200 OK");
    reply.erase(reply.find(";received=127.0.0.1"), 19);
    return SipScript{{reply}};
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::inconclusive);
}

TEST_F(SipAlg, IsSilentAfterTwoUnansweredMessages) {
  const auto seen = ask([](const std::string&, const SocketAddress&) { return SipScript{}; });
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::timed_out);
  EXPECT_EQ(requests.size(), 2u);
}

TEST_F(SipAlg, FailsOverGarbage) {
  const auto seen =
      ask([](const std::string&, const SocketAddress&) { return SipScript{{"garbage"}}; });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::malformed);
}

TEST_F(SipAlg, SaysThatALaterAnswerWasGarbage) {
  int asked = 0;
  const auto answer = behind({});
  const auto seen = ask([&](const std::string& request, const SocketAddress& from) {
    return ++asked == 1 ? answer(request, from) : SipScript{{"garbage"}};
  });
  EXPECT_EQ(seen.detail, DetailCode::inconclusive);
  const auto& own = message_of(seen, "own");
  EXPECT_NE(own.text.string().find(", got an answer that is not a SIP reply: "), std::string::npos);
  EXPECT_EQ(flag_fact(own, Fact::answered), false);
}

TEST_F(SipAlg, AFloodIsNeitherSilenceNorGarbage) {
  const SocketAddress own{IpAddress::v4({127, 0, 0, 1}), 50'000};
  int sent = 0;
  test::MemoryServer server(runner.loop.executor(), own,
                            [&](const Bytes&, std::vector<Bytes>& replies) {
                              ++sent;
                              replies.assign(5'000, Bytes{'x'});
                              return error_code();
                            });
  const auto seen =
      runner.run(CheckKind::sip_alg, Transport::udp, "localhost", {own.address, 5'060});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::local_error);
  EXPECT_EQ(sent, 1);
}

TEST_F(SipAlg, IsRefusedByAClosedPort) {
  SocketAddress address;
  {
    SipServer gone(runner.loop.context, Transport::udp, behind({}));
    address = gone.address();
  }
  const auto seen = runner.run(CheckKind::sip_alg, Transport::udp, "localhost", address);
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(seen.attempts, 1);
}

// --- Over TCP -----------------------------------------------------------------------------------

TEST_F(SipAlg, WorksOverOneTcpConnection) {
  const auto clean = ask(behind({.mapped = public_address}), Transport::tcp);
  EXPECT_EQ(clean.outcome, Outcome::answered);
  EXPECT_EQ(clean.detail, DetailCode::no_rewriting_seen);
  // On a connection the reply to the last one comes back too.
  EXPECT_EQ(messages(clean), (Names{"unrelated", "mapped", "own_no_rport"}));
  EXPECT_EQ(requests.size(), 3u);
  EXPECT_EQ(sip_header(requests[2], "Via").find("SIP/2.0/TCP " + clean.local->to_string()), 0u);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_GE(times[i] - times[i - 1], std::chrono::seconds(1)) << i;
  }
  const auto rewritten =
      ask(behind({.mapped = public_address, .rewrites_requests = true, .rewrites_replies = true}),
          Transport::tcp);
  EXPECT_EQ(rewritten.detail, DetailCode::rewritten);
  EXPECT_EQ(fact<std::string>(rewritten, EvidenceKind::sip_alg, Fact::basis), "via_changed");
  EXPECT_EQ(fact<std::string>(rewritten, EvidenceKind::sip_alg, Fact::confidence), "certain");
}

TEST_F(SipAlg, SendsNothingTwiceOverTcp) {
  const auto seen =
      ask([](const std::string&, const SocketAddress&) { return SipScript{}; }, Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::sip_timed_out);
  EXPECT_EQ(requests.size(), 1u);
}

TEST_F(SipAlg, IsInconclusiveWhereTheConnectionIsCutAfterTheFirst) {
  const auto seen = ask(
      [](const std::string& request, const SocketAddress& from) {
        return SipScript{.parts = {sip_reply(request, from, "200 OK")}, .close = true};
      },
      Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::inconclusive);
}

// --- Another port -------------------------------------------------------------------------------

class SipAlgContrast : public SipAlg {
 protected:
  std::vector<std::string> other_requests;

  // `answer` on the port that is tested, `other` on the other one.
  Observation ask_both(SipAnswer answer, SipAnswer other) {
    times.clear();
    SipServer second(runner.loop.context, Transport::udp, recording(other));
    auto seen = ask(answer, Transport::udp, {{"contrast", std::to_string(second.address().port)}});
    other_requests = second.requests();
    return seen;
  }
};

const SipAnswer mute = [](const std::string&, const SocketAddress&) { return SipScript{}; };

TEST_F(SipAlgContrast, IsNotAskedWhereNothingIsOpen) {
  const auto clean =
      ask_both(behind({.mapped = public_address}), behind({.mapped = public_address}));
  EXPECT_EQ(clean.detail, DetailCode::no_rewriting_seen);
  EXPECT_TRUE(other_requests.empty());
  const auto certain = ask_both(behind({.mapped = public_address, .rewrites_requests = true}),
                                behind({.mapped = public_address}));
  EXPECT_EQ(certain.detail, DetailCode::rewritten);
  EXPECT_TRUE(other_requests.empty());
}

TEST_F(SipAlgContrast, UnmasksAGatewayThatWritesOurAddressIntoEveryReply) {
  // On loopback our address is a special one, as in an office.
  const auto seen = ask_both(behind({}), behind({.mapped = public_address}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::suspected);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::basis), "differs_from_other_port");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::confidence), "likely");
  EXPECT_EQ(messages(seen), (Names{"unrelated", "own", "other_port"}));
  EXPECT_EQ(other_requests.size(), 1u);
  EXPECT_GE(times[2] - times[1], std::chrono::seconds(1));
}

TEST_F(SipAlgContrast, AgreesOnAPrivateNetwork) {
  const auto seen = ask_both(behind({}), behind({}));
  EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(other_requests.size(), 1u);
}

TEST_F(SipAlgContrast, IsNotAskedOfASilentServer) {
  const auto seen = ask_both(mute, behind({.mapped = public_address}));
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::timed_out);
  EXPECT_EQ(requests.size(), 2u);
  EXPECT_TRUE(other_requests.empty());
}

TEST_F(SipAlgContrast, NeverSendsMoreThanFiveMessages) {
  const auto seen = ask_both(losing({2, 3}, behind({.mapped = public_address})),
                             behind({.mapped = public_address}));
  EXPECT_EQ(requests.size(), 4u);
  EXPECT_EQ(other_requests.size(), 1u);
  EXPECT_EQ(seen.attempts, 2);  // one of them was sent again
}

// --- The session description ---------------------------------------------------------------------

// A server that sends back what it received, after a gateway has changed it.
SipAnswer mirror(std::function<std::string(std::string)> gateway) {
  return [=](const std::string& request, const SocketAddress& from) {
    const auto came = gateway(request);
    const auto body = base64(came);
    const auto status = request.starts_with("UPDATE") ? "481 No such call" : "200 OK";
    return SipScript{
        {sip_reply(request, from, status, "Content-Type: application/octet-stream\r\n", body)}};
  };
}

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  const auto at = text.find(part);
  if (at != std::string::npos) text.replace(at, part.size(), by);
  return text;
}

TEST_F(SipAlg, SendsASessionOnlyOnTheUsersWord) {
  const auto untouched = mirror([](std::string request) { return request; });
  const auto without = ask(untouched);
  for (const auto& request : requests) EXPECT_EQ(request.find("OPTIONS "), 0u);
  EXPECT_EQ(fact<bool>(without, EvidenceKind::sip_alg, Fact::sdp_tested), false);
  const auto with = ask(untouched, Transport::tcp, {{"sdp", "true"}});
  ASSERT_EQ(requests.back().find("UPDATE sip:localhost:"), 0u) << requests.back();
  EXPECT_EQ(sip_header(requests.back(), "Content-Type"), "application/sdp");
  EXPECT_EQ(sip_header(requests.back(), "CSeq"), "1 UPDATE");
  EXPECT_EQ(sip_header(requests.back(), "From").find("<sip:anonymous@anonymous.invalid>"), 0u);
}

TEST_F(SipAlg, AMirrorThatShowsAllAsItWasSentIsClean) {
  const auto seen =
      ask(mirror([](std::string request) { return request; }), Transport::udp, {{"sdp", "true"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_alg, Fact::sdp_tested), true);
  EXPECT_NE(find_evidence(seen, EvidenceKind::sip_alg)->text.find("(SDP) were rewritten"),
            std::string::npos);
  EXPECT_EQ(messages(seen), (Names{"unrelated", "own", "session"}));
}

TEST_F(SipAlg, AMirrorShowsARewrittenSession) {
  const auto seen = ask(mirror([](std::string request) {
                          return replaced(request, "c=IN IP4 127.0.0.1", "c=IN IP4 198.51.100.7");
                        }),
                        Transport::udp, {{"sdp", "true"}});
  EXPECT_EQ(seen.detail, DetailCode::rewritten);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::basis), "mirror");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_alg, Fact::confidence), "certain");
  EXPECT_EQ(std::get<std::string>(message_of(seen, "session").facts.at(Fact::mirrored_changes)),
            "c=");
}

TEST_F(SipAlg, AServerThatMirrorsNothingLeavesTheSessionUntested) {
  const auto seen = ask(behind({.mapped = public_address}), Transport::udp, {{"sdp", "true"}});
  EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_alg, Fact::sdp_tested), false);
  EXPECT_EQ(requests.size(), 5u);
}

TEST_F(SipAlg, SendsNothingOnceTheRunIsStopped) {
  runner.loop.stop.stop();
  const auto seen = ask(behind({}));
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
  EXPECT_TRUE(requests.empty());
}

// Of what was not sent nobody can say that it was not answered.
TEST_F(SipAlg, ListsOnlyWhatWasSent) {
  const SocketAddress own{IpAddress::v4({127, 0, 0, 1}), 50'000};
  for (const bool stop : {false, true}) {
    int sent = 0;
    test::MemoryServer server(
        runner.loop.executor(), own, [&](const Bytes& request, std::vector<Bytes>& replies) {
          if (++sent > 1) return make_error_code(boost::system::errc::operation_not_permitted);
          const auto reply = sip_reply({request.begin(), request.end()}, own, "200 OK");
          replies.emplace_back(reply.begin(), reply.end());
          if (stop) runner.loop.stop.stop();
          return error_code();
        });
    const auto seen =
        runner.run(CheckKind::sip_alg, Transport::udp, "localhost", {own.address, 5'060});
    EXPECT_EQ(seen.outcome, Outcome::answered);
    EXPECT_EQ(messages(seen), Names{"unrelated"}) << stop;
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_alg, Fact::messages), 1);
    EXPECT_EQ(seen.attempts, 1);
  }
}

TEST(SipAlgWithKamailio, SeesNothing) {
  if (!test::Kamailio::available()) GTEST_SKIP() << "kamailio is not installed";
  test::CheckRunner runner;
  test::Kamailio server(runner.loop.context);
  const auto seen =
      runner.run(CheckKind::sip_alg, Transport::udp, "localhost", server.address(Transport::udp));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::no_rewriting_seen);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_alg, Fact::translated), false);
}

}  // namespace
}  // namespace callready::sip_alg_test
