#include "tests/support/sip_server.hpp"

#include "checks/certificate_evidence.hpp"
#include "probe/serve/certificates.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/evidence.hpp"

namespace callready {
namespace {

using test::fact;
using test::find_evidence;
using test::sip_header;
using test::sip_reply;
using test::SipAnswer;
using test::SipScript;
using test::SipServer;

SipAnswer with_status(const std::string& status, const std::string& more = "") {
  return [=](const std::string& request, const SocketAddress& from) {
    return SipScript{{sip_reply(request, from, status, more)}};
  };
}

std::string replaced(std::string whole, const std::string& part, const std::string& by) {
  const auto at = whole.find(part);
  if (at == std::string::npos) throw std::logic_error("no such part: " + part);
  return whole.replace(at, part.size(), by);
}

Observation ask(test::CheckRunner& runner, Transport transport, const SipServer& server,
                std::map<std::string, std::string> with = {}) {
  return runner.run(CheckKind::sip, transport, "localhost", server.address(), std::move(with));
}

class SipOver : public testing::TestWithParam<Transport> {
 protected:
  // UDP and TCP: what a server does has the same name over both.
  test::CheckRunner runner{{}, test::Time::by_hand};
  Observation ask_one(SipAnswer answer) {
    SipServer server(runner.loop.context, GetParam(), std::move(answer));
    auto seen = ask(runner, GetParam(), server);
    requests = server.requests();
    return seen;
  }
  std::vector<std::string> requests;
};

INSTANTIATE_TEST_SUITE_P(Sip, SipOver, testing::Values(Transport::udp, Transport::tcp),
                         [](const auto& which) { return std::string(to_string(which.param)); });

TEST_P(SipOver, IsAnsweredWhateverTheStatus) {
  for (const auto* status :
       {"200", "401", "403", "404", "405", "486", "488", "500", "503", "603"}) {
    const auto seen = ask_one(with_status(std::string(status) + " Words", "Server: pbx/1\r\n"));
    EXPECT_EQ(seen.outcome, Outcome::answered) << status;
    EXPECT_EQ(seen.detail.text(), status);
    EXPECT_EQ(seen.attempts, 1);
    EXPECT_TRUE(seen.round_trip) << status;
    EXPECT_EQ(seen.timing_ms.count(Timing::reply), 1u);
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_reply, Fact::status), std::stoi(status));
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_reply, Fact::reason), "Words");
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_reply, Fact::server), "pbx/1");
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_reply, Fact::final), true);
  }
}

TEST_P(SipOver, SendsOneOptionsFromNobody) {
  runner.settings.user_agent = "callready/1.2 (https://example.com)";
  const auto seen = ask_one(with_status("200 OK"));
  ASSERT_EQ(requests.size(), 1u);
  const auto& request = requests[0];
  const bool udp = GetParam() == Transport::udp;
  EXPECT_EQ(request.find("OPTIONS sip:localhost:"), 0u) << request;
  EXPECT_EQ(request.find(";transport=tcp SIP/2.0\r\n") != std::string::npos, !udp);
  EXPECT_EQ(sip_header(request, "Via").find(udp ? "SIP/2.0/UDP 127.0.0.1:" : "SIP/2.0/TCP 127.0.0"),
            0u);
  EXPECT_NE(sip_header(request, "Via").find(seen.local->to_string() + ";rport;branch=z9hG4bK"),
            std::string::npos);
  EXPECT_EQ(sip_header(request, "From").find("<sip:anonymous@anonymous.invalid>;tag="), 0u);
  EXPECT_EQ(sip_header(request, "To"), "<sip:localhost>");
  EXPECT_EQ(sip_header(request, "Max-Forwards"), "70");
  EXPECT_EQ(sip_header(request, "Accept"), "application/sdp");
  EXPECT_EQ(sip_header(request, "User-Agent"), "callready/1.2 (https://example.com)");
}

TEST_P(SipOver, AsksForNoCertificateWithoutTls) {
  SipServer server(runner.loop.context, GetParam(), with_status("200 OK"));
  const std::map<std::string, std::string> pins{{"sha256", std::string(64, 'a')},
                                                {"public_key_sha256", std::string(64, 'b')}};
  const auto seen = ask(runner, GetParam(), server, pins);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(200));
}

TEST_P(SipOver, TakesNoIdentitiesIntoEvidence) {
  const auto seen = ask_one([](const std::string& request, const SocketAddress& from) {
    auto reply = sip_reply(request, from, "200 OK", "Contact: <sip:alice@192.0.2.1>\r\n");
    return SipScript{{replaced(reply, "To: <sip:localhost>", "To: <sip:alice@localhost>")}};
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  for (const auto& evidence : seen.evidence) {
    EXPECT_EQ(evidence.text.find("alice"), std::string::npos);
    for (const auto& [name, value] : evidence.facts) {
      const auto* text = std::get_if<std::string>(&value);
      EXPECT_TRUE(text == nullptr || text->find("alice") == std::string::npos) << to_string(name);
    }
  }
}

TEST_P(SipOver, NamesTheDomainInTheUri) {
  SipServer server(runner.loop.context, GetParam(), with_status("200 OK"));
  const auto seen = ask(runner, GetParam(), server, {{"domain", "example.com"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  const bool udp = GetParam() == Transport::udp;
  EXPECT_EQ(server.requests().at(0).find(udp ? "OPTIONS sip:example.com SIP/2.0\r\n"
                                             : "OPTIONS sip:example.com;transport=tcp SIP/2.0\r\n"),
            0u);
  EXPECT_EQ(sip_header(server.requests()[0], "To"), "<sip:example.com>");
}

TEST_P(SipOver, SendsNothingForADomainThatIsNoName) {
  SipServer server(runner.loop.context, GetParam(), with_status("200 OK"));
  const auto seen = ask(runner, GetParam(), server, {{"domain", "a b\r\n"}});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(find_evidence(seen, EvidenceKind::error)->text, "not a host name or an address: a b??");
  EXPECT_TRUE(server.requests().empty());
}

TEST_P(SipOver, SeesNoTranslationOnLoopback) {
  const auto seen = ask_one(with_status("200 OK"));
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::rewritten), false);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::translated), false);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_via, Fact::received), "127.0.0.1");
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_via, Fact::rport), seen.local->port);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_via, Fact::sent_by), seen.local->to_string());
}

TEST_P(SipOver, SeesTranslation) {
  const auto seen = ask_one([](const std::string& request, SocketAddress from) {
    from = {*IpAddress::parse("198.51.100.7"), 4242};
    return SipScript{{sip_reply(request, from, "200 OK")}};
  });
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::rewritten), false);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::translated), true);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_via, Fact::received), "198.51.100.7");
  EXPECT_EQ(find_evidence(seen, EvidenceKind::sip_via)->text,
            "the server saw 198.51.100.7:4242 in place of " + seen.local->to_string() +
                ": address translation on the way");
}

TEST_P(SipOver, SeesARewrittenVia) {
  const auto seen = ask_one([](const std::string& request, const SocketAddress& from) {
    return SipScript{{replaced(sip_reply(request, from, "200 OK"), " 127.0.0.1:", " 10.9.8.7:")}};
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::rewritten), true);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_via, Fact::echoed_sent_by)->find("10.9.8.7:"),
            0u);
}

TEST_P(SipOver, WaitsForTheFinalReply) {
  const auto seen = ask_one([](const std::string& request, const SocketAddress& from) {
    return SipScript{
        {sip_reply(request, from, "100 Trying"), sip_reply(request, from, "404 Not Found")}};
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(404));
}

TEST_P(SipOver, TakesTheFirstOfTwoReplies) {
  const auto seen = ask_one([](const std::string& request, const SocketAddress& from) {
    return SipScript{{sip_reply(request, from, "200 OK"), sip_reply(request, from, "500 No")}};
  });
  EXPECT_EQ(seen.detail, Detail::status(200));
}

TEST_P(SipOver, CountsAProvisionalReplyWhereNothingFollows) {
  const auto seen = ask_one(with_status("100 Trying"));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(100));
  EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_reply, Fact::final), false);
}

TEST_P(SipOver, IgnoresRepliesToOthers) {
  const auto seen = ask_one([](const std::string& request, const SocketAddress& from) {
    const auto ours = sip_reply(request, from, "200 OK");
    return SipScript{
        {replaced(ours, "z9hG4bK", "z9hG4bKz"), replaced(ours, "Call-ID: ", "Call-ID: z"),
         replaced(ours, "CSeq: 1", "CSeq: 2"), request, replaced(ours, "200 OK", "404 Not Found")}};
  });
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(404));
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_discarded, Fact::foreign), 4);
}

struct Mangling {
  std::string part, by, detail, why;
};

TEST_P(SipOver, FailsOverRepliesThatAreWrong) {
  const std::vector<Mangling> manglings = {
      {"z9hG4bK", "z9hG4bKz", "mismatched_reply", ""},
      {"Call-ID: ", "Call-ID: z", "mismatched_reply", ""},
      {"SIP/2.0 200", "HTTP/1.1 200", "malformed", "not SIP"},
      {"Length: 0", "Length: -1", "malformed", "a Content-Length that is no number"},
      {"Length: 0", "Length: 999999999999", "malformed", "a Content-Length of more than 65,535"},
      {"CSeq: ", "X-CSeq: ", "malformed", "no cseq header"},
      {"SIP/2.0 200 ", "SIP/2.0 9999 ", "malformed", "a status line that breaks the grammar"},
  };
  for (const auto& mangling : manglings) {
    const auto seen = ask_one([&](const std::string& request, const SocketAddress& from) {
      return SipScript{{replaced(sip_reply(request, from, "200 OK"), mangling.part, mangling.by)}};
    });
    EXPECT_EQ(seen.outcome, Outcome::failed) << mangling.by;
    EXPECT_EQ(seen.detail.text(), mangling.detail) << mangling.by;
    if (!mangling.why.empty()) {
      EXPECT_EQ(find_evidence(seen, EvidenceKind::sip_discarded)->text,
                "what came back was not a SIP reply: " + mangling.why);
    }
  }
}

TEST_P(SipOver, FailsOverTruncatedReplies) {
  const auto seen = ask_one([](const std::string& request, const SocketAddress& from) {
    return SipScript{{sip_reply(request, from, "200 OK").substr(0, 80)}};
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::malformed);
}

TEST(SipOverUdp, IsSilentWhereNothingComesBack) {
  test::CheckRunner runner({}, test::Time::by_hand);
  SipServer server(runner.loop.context, Transport::udp,
                   [](const std::string&, const SocketAddress&) { return SipScript{}; });
  const auto seen = ask(runner, Transport::udp, server);
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::timed_out);
  EXPECT_EQ(seen.attempts, 4);
  ASSERT_EQ(server.requests().size(), 4u);
  EXPECT_EQ(server.requests()[0], server.requests()[3]) << "retransmissions, not new requests";
  EXPECT_EQ(find_evidence(seen, EvidenceKind::sip_discarded), nullptr);
}

TEST(OverUdp, IsAskedWithLessPatienceWhereTheHostWasSilentBefore) {
  for (const auto kind : {CheckKind::sip, CheckKind::stun, CheckKind::turn, CheckKind::ntp}) {
    test::CheckRunner runner({}, test::Time::by_hand);
    runner.doubtful = true;
    const test::ScriptedUdp server(runner.loop.context, [](auto&&...) {});
    const auto start = runner.loop.clock.now();
    const auto seen = runner.run(kind, Transport::udp, "localhost", server.address());
    EXPECT_EQ(runner.loop.clock.now() - start, timeouts::silent_host_reply) << to_string(kind);
    EXPECT_EQ(seen.outcome, Outcome::silent);
    EXPECT_EQ(seen.attempts, 3);
    const auto* wait = find_evidence(seen, EvidenceKind::short_wait);
    ASSERT_NE(wait, nullptr) << to_string(kind);
    EXPECT_EQ(wait->facts.at(Fact::waited_ms), EvidenceValue(std::int64_t{1'250}));
  }
}

TEST(SipOverUdp, HearsOnlyTheServer) {
  test::CheckRunner runner({}, test::Time::by_hand);
  SipServer server(runner.loop.context, Transport::udp,
                   [](const std::string& request, const SocketAddress& from) {
                     SipScript script{{sip_reply(request, from, "200 OK")}};
                     script.from_elsewhere = true;
                     return script;
                   });
  const auto seen = ask(runner, Transport::udp, server);
  EXPECT_EQ(seen.outcome, Outcome::silent);
}

TEST(SipOverUdp, OutlivesGarbageBeforeTheReply) {
  test::CheckRunner runner;
  SipServer server(runner.loop.context, Transport::udp,
                   [](const std::string& request, const SocketAddress& from) {
                     return SipScript{{"", "\r\n", "garbage", std::string(60'000, 'x'),
                                       sip_reply(request, from, "200 OK")}};
                   });
  const auto seen = ask(runner, Transport::udp, server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_discarded, Fact::broken), 2);
}

TEST(SipOverUdp, HasNoRoundTripAfterARetransmission) {
  test::CheckRunner runner({}, test::Time::by_hand);
  int count = 0;
  SipServer server(runner.loop.context, Transport::udp,
                   [&count](const std::string& request, const SocketAddress& from) {
                     if (++count == 1) return SipScript{};
                     return SipScript{{sip_reply(request, from, "200 OK")}};
                   });
  const auto seen = ask(runner, Transport::udp, server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.attempts, 2);
  EXPECT_FALSE(seen.round_trip);
}

TEST(SipOverUdp, EndsUnderAFloodOfRepliesToOthers) {
  test::CheckRunner runner({}, test::Time::by_hand);
  SipServer server(runner.loop.context, Transport::udp,
                   [](const std::string& request, const SocketAddress& from) {
                     const auto other =
                         replaced(sip_reply(request, from, "200 OK"), "z9hG4bK", "z9hG4bKz");
                     return SipScript{std::vector<std::string>(150, other)};
                   });
  const auto seen = ask(runner, Transport::udp, server);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::mismatched_reply);
}

TEST(SipOverUdp, IsRefusedByAClosedPort) {
  test::CheckRunner runner;
  SocketAddress address;
  {
    SipServer gone(runner.loop.context, Transport::udp, with_status("200 OK"));
    address = gone.address();
  }
  const auto seen = runner.run(CheckKind::sip, Transport::udp, "localhost", address);
  EXPECT_EQ(seen.outcome, Outcome::refused);
}

TEST(SipOverUdp, IsSkippedOnceTheRunIsStopped) {
  test::CheckRunner runner;
  runner.loop.stop.stop();
  const auto seen =
      runner.run(CheckKind::sip, Transport::udp, "localhost", {IpAddress::v4({127, 0, 0, 1}), 9});
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
}

TEST(SipOverTcp, ReadsAReplyByteByByteAfterKeepAlives) {
  test::CheckRunner runner;
  SipServer server(runner.loop.context, Transport::tcp,
                   [](const std::string& request, const SocketAddress& from) {
                     SipScript script{{"\r\n\r\n", sip_reply(request, from, "200 OK", "", "body")}};
                     script.byte_by_byte = true;
                     return script;
                   });
  const auto seen = ask(runner, Transport::tcp, server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_reply, Fact::body_bytes), 4);
}

TEST(SipOverTcp, FailsWhereTheServerClosesAtOnce) {
  test::CheckRunner runner;
  SipServer server(runner.loop.context, Transport::tcp,
                   [](const std::string&, const SocketAddress&) {
                     SipScript script;
                     script.close = true;
                     return script;
                   });
  const auto seen = ask(runner, Transport::tcp, server);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::closed_by_peer);
}

TEST(SipOverTcp, FailsWhereTheConnectionStandsAndNothingComes) {
  test::CheckRunner runner({}, test::Time::by_hand);
  SipServer server(runner.loop.context, Transport::tcp,
                   [](const std::string&, const SocketAddress&) { return SipScript{}; });
  const auto seen = ask(runner, Transport::tcp, server);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::sip_timed_out);
  EXPECT_EQ(server.requests().size(), 1u) << "no retransmission over a stream";
}

TEST(SipOverTcp, IsNotKeptBusyByAnEndlessStream) {
  test::CheckRunner runner({}, test::Time::by_hand);
  for (const bool sip : {true, false}) {
    SipServer server(runner.loop.context, Transport::tcp,
                     [sip](const std::string& request, const SocketAddress& from) {
                       SipScript script;
                       const auto other =
                           replaced(sip_reply(request, from, "200 OK"), "z9hG4bK", "z9hG4bKz");
                       for (int i = 0; i < 2'000; ++i)
                         script.parts.push_back(sip ? other : "SIP/2.0 200 OK");
                       return script;
                     });
    const auto seen = ask(runner, Transport::tcp, server);
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail, sip ? DetailCode::mismatched_reply : DetailCode::malformed);
  }
}

TEST(SipOverTcp, IsRefusedByAClosedPort) {
  test::CheckRunner runner;
  SocketAddress address;
  {
    SipServer gone(runner.loop.context, Transport::tcp, with_status("200 OK"));
    address = gone.address();
  }
  const auto seen = runner.run(CheckKind::sip, Transport::tcp, "localhost", address);
  EXPECT_EQ(seen.outcome, Outcome::refused);
}

// A root that the runner trusts, through a file as --ca-file would name it.
class SipOverTls : public testing::Test {
 protected:
  static serve::Certificate make_root() {
    serve::CertificateOptions options;
    options.common_name = "Test root";
    options.authority = true;
    return serve::Certificate::self_signed(options);
  }
  std::shared_ptr<asio::ssl::context> showing(const std::string& name) const {
    serve::CertificateOptions options;
    options.common_name = name;
    options.names = {name};
    return serve::server_context(root.issue(options));
  }
  std::vector<std::string> ca_files() const { return {folder.write("root.pem", root.pem())}; }

  serve::Certificate root = make_root();
  test::TemporaryFolder folder;
};

TEST_F(SipOverTls, IsAnsweredOverATrustedConnection) {
  test::CheckRunner runner(ca_files());
  SipServer server(runner.loop.context, Transport::tls, with_status("404 Not Found"),
                   showing("localhost"));
  const auto seen = ask(runner, Transport::tls, server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(404));
  EXPECT_NE(find_evidence(seen, EvidenceKind::certificate), nullptr);
  EXPECT_NE(find_evidence(seen, EvidenceKind::tls_handshake), nullptr);
  EXPECT_EQ(find_evidence(seen, EvidenceKind::certificate_fault), nullptr);
  EXPECT_EQ(seen.timing_ms.count(Timing::handshake), 1u);
  const auto& request = server.requests().at(0);
  EXPECT_NE(request.find(";transport=tls SIP/2.0"), std::string::npos);
  EXPECT_EQ(sip_header(request, "Via").find("SIP/2.0/TLS "), 0u);
}

TEST_F(SipOverTls, FailsOverABadCertificateWithTheAnswerAsEvidence) {
  {
    test::CheckRunner runner;  // knows no such root
    SipServer server(runner.loop.context, Transport::tls, with_status("200 OK"),
                     showing("localhost"));
    const auto seen = ask(runner, Transport::tls, server);
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail, DetailCode::untrusted);
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_reply, Fact::status), 200);
  }
  test::CheckRunner runner(ca_files());
  SipServer server(runner.loop.context, Transport::tls, with_status("200 OK"),
                   showing("elsewhere.example"));
  const auto seen = ask(runner, Transport::tls, server);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::wrong_name);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_reply, Fact::status), 200);
}

TEST_F(SipOverTls, IsTurnedAwayWithoutAClientCertificate) {
  test::CheckRunner runner(ca_files());
  auto context = showing("localhost");
  context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  SipServer server(runner.loop.context, Transport::tls, with_status("200 OK"), context);
  const auto seen = ask(runner, Transport::tls, server);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::client_certificate_wanted);
  EXPECT_TRUE(server.requests().empty());
}

TEST(ClientCertificate, IsWantedByAServerThatAskedAndHungUp) {
  TlsInfo info;
  info.client_certificate_asked = true;
  for (const auto kind :
       {FailureKind::tls_alert, FailureKind::connection_reset, FailureKind::closed_by_peer})
    EXPECT_TRUE(checks::wants_a_client_certificate({.kind = kind}, info));
  EXPECT_FALSE(checks::wants_a_client_certificate({.kind = FailureKind::timed_out}, info));
  EXPECT_FALSE(checks::wants_a_client_certificate({.kind = FailureKind::connection_reset}, {}));
}

// In TLS 1.2 it is turned away within the handshake: its certificate counts all the same.
TEST_F(SipOverTls, IsTurnedAwayByTheRightServerOnly) {
  for (const bool right : {true, false}) {
    test::CheckRunner runner(ca_files());
    auto context = showing(right ? "localhost" : "elsewhere.example");
    context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    SSL_CTX_set_max_proto_version(context->native_handle(), TLS1_2_VERSION);
    SipServer server(runner.loop.context, Transport::tls, with_status("200 OK"), context);
    const auto seen = ask(runner, Transport::tls, server);
    EXPECT_EQ(seen.outcome, right ? Outcome::answered : Outcome::failed);
    EXPECT_EQ(seen.detail, right ? DetailCode::client_certificate_wanted : DetailCode::wrong_name);
  }
}

TEST_F(SipOverTls, FailsWherePlainSipAnswers) {
  test::CheckRunner runner(ca_files(), test::Time::by_hand);
  SipServer server(runner.loop.context, Transport::tcp, with_status("200 OK"));
  const auto seen = ask(runner, Transport::tls, server);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::tls_timed_out);
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace callready
