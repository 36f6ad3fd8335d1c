// `sip` against a real server.
#include "tests/support/check_runner.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/kamailio.hpp"

namespace callready {
namespace {

using test::fact;

class SipWithKamailio : public testing::TestWithParam<Transport> {
 protected:
  static void SetUpTestSuite() {
    if (!test::Kamailio::available()) return;
    asio::io_context context;
    server = std::make_unique<test::Kamailio>(context);
  }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override {
    if (!test::Kamailio::available()) GTEST_SKIP() << "kamailio is not installed";
    ASSERT_TRUE(server);
  }

  static Observation ask(const std::string& domain) {
    test::CheckRunner runner({server->ca_file()});
    const auto address = server->address(GetParam());
    return runner.run("sip", GetParam(), "localhost", address, {{"domain", domain}});
  }

  static std::unique_ptr<test::Kamailio> server;
};

std::unique_ptr<test::Kamailio> SipWithKamailio::server;

INSTANTIATE_TEST_SUITE_P(Transports, SipWithKamailio,
                         testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& which) { return std::string(to_string(which.param)); });

TEST_P(SipWithKamailio, IsAnsweredWhateverTheStatus) {
  for (const auto* status : {"200", "403", "404", "500", "603"}) {
    const auto seen = ask("s" + std::string(status) + ".test");
    EXPECT_EQ(seen.outcome, Outcome::answered) << status;
    EXPECT_EQ(seen.detail, status);
    EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_reply, Fact::server),
              "kamailio-under-test");
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::rewritten), false);
    EXPECT_EQ(fact<bool>(seen, EvidenceKind::sip_via, Fact::translated), false);
    EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_via, Fact::rport), seen.local->port);
  }
}

TEST_P(SipWithKamailio, WaitsOutSilence) {
  const auto seen = ask("silent.test");
  EXPECT_EQ(seen.outcome, GetParam() == Transport::udp ? Outcome::silent : Outcome::failed);
  EXPECT_EQ(seen.detail,
            GetParam() == Transport::udp ? DetailCode::timed_out : DetailCode::sip_timed_out);
}

TEST(SipWithKamailioTls, IsNotTrustedWithoutItsRoot) {
  if (!test::Kamailio::available()) GTEST_SKIP() << "kamailio is not installed";
  test::CheckRunner runner;
  test::Kamailio server(runner.loop.context);
  const auto seen =
      runner.run(CheckKind::sip, Transport::tls, "localhost", server.address(Transport::tls));
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::untrusted);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_reply, Fact::status), 200);
}

}  // namespace
}  // namespace callready
