#include "checks/certificate_evidence.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/stream_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready {
namespace {

using asio::ip::tcp;
using test::Certificate;
using test::CertificateOptions;
using test::TlsServer;
using test::TlsServerOptions;
using Parameters = std::map<std::string, std::string>;
using std::chrono::hours;

// One authority that the program trusts, and one that it does not.
class TlsCheck : public testing::Test {
 protected:
  static Certificate& authority() {
    static Certificate made = test::make_authority("Test Root");
    return made;
  }
  static Certificate& stranger() {
    static Certificate made = test::make_authority("Inspection Device Root");
    return made;
  }

  test::TemporaryFile trusted{authority().pem()};
  test::CheckRunner runner{{trusted.path()}};

  Observation check(const SocketAddress& address, const std::string& host = "sip.example.com",
                    Parameters with = {}) {
    return runner.run(CheckKind::tls, Transport::tls, host, address, std::move(with));
  }
  Observation check(const TlsServerOptions& options, Parameters with = {}) {
    TlsServer server(runner.loop, options);
    return check(server.address(), "sip.example.com", std::move(with));
  }
  Observation check(test::TcpServer::Serve serve) {
    test::TcpServer server(runner.loop, std::move(serve));
    return check(server.address());
  }
  static TlsServerOptions with_chain(std::vector<Certificate> chain) {
    TlsServerOptions options;
    options.chain = std::move(chain);
    return options;
  }
  static Certificate dated(hours from, hours to, const Certificate& issuer) {
    CertificateOptions options;
    options.dns_names = {"sip.example.com"};
    options.valid_from = from;
    options.valid_to = to;
    return test::make_certificate(options, &issuer);
  }
};

const Evidence* find(const Observation& seen, EvidenceKind kind) {
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind == kind) return &evidence;
  }
  return nullptr;
}

asio::awaitable<void> read_then_write(tcp::socket& peer, std::string reply) {
  std::array<char, 4'096> buffer{};
  co_await peer.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
  co_await asio::async_write(peer, asio::buffer(reply), asio::as_tuple(asio::use_awaitable));
  // Closed only once the other side has: an early close with unread bytes would be a reset.
  co_await peer.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
}

// As servers' own may be, and those of public authorities for addresses.
TEST(TlsEvidence, SaysThatACertificateNamesNobody) {
  TlsInfo info;
  info.chain.emplace_back();
  Observation seen;
  checks::add_tls_evidence(seen, info);
  ASSERT_TRUE(find(seen, EvidenceKind::certificate));
  EXPECT_EQ(find(seen, EvidenceKind::certificate)->text,
            "a certificate without a subject, issued by an issuer without a name, valid until "
            "1970-01-01T00:00:00Z");
}

TEST_F(TlsCheck, TrustsAGoodChain) {
  TlsServer server(runner.loop, with_chain({test::make_leaf("sip.example.com", authority())}));
  const auto seen = check(server.address());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::trusted);
  EXPECT_EQ(server.names_asked, std::vector<std::string>{"sip.example.com"});
  EXPECT_EQ(server.accepted(), 1);
  ASSERT_TRUE(seen.round_trip);
  EXPECT_TRUE(seen.timing_ms.contains(Timing::connect));
  EXPECT_TRUE(seen.timing_ms.contains(Timing::handshake));
  const auto* handshake = find(seen, EvidenceKind::tls_handshake);
  ASSERT_NE(handshake, nullptr);
  EXPECT_EQ(handshake->facts.at(Fact::version), EvidenceValue("TLSv1.3"));
  const auto* certificate = find(seen, EvidenceKind::certificate);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(certificate->facts.at(Fact::subject), EvidenceValue("CN=sip.example.com"));
  EXPECT_EQ(certificate->facts.at(Fact::issuer), EvidenceValue("CN=Test Root"));
  EXPECT_EQ(certificate->facts.at(Fact::names), EvidenceValue("sip.example.com"));
  EXPECT_EQ(certificate->facts.at(Fact::self_signed), EvidenceValue(false));
  EXPECT_EQ(certificate->facts.at(Fact::timestamps), EvidenceValue(false));
  EXPECT_EQ(find(seen, EvidenceKind::certificate_fault), nullptr);
}

TEST_F(TlsCheck, TrustsThroughAnIntermediate) {
  const auto between = test::make_intermediate("Test Issuing", authority());
  const auto seen = check(with_chain({test::make_leaf("sip.example.com", between), between}));
  EXPECT_EQ(seen.detail, DetailCode::trusted);
  EXPECT_EQ(
      std::count_if(seen.evidence.begin(), seen.evidence.end(),
                    [](const Evidence& one) { return one.kind == EvidenceKind::certificate; }),
      2);
}

// What a public root is can only be known where the system has a list of them.
TEST_F(TlsCheck, HoldsTheRootAgainstThosePeopleExpect) {
  const auto own =
      check(with_chain({test::make_leaf("sip.example.com", authority()), authority()}));
  const auto* root = find(own, EvidenceKind::chain_root);
  if (root == nullptr) GTEST_SKIP() << "this system has no bundle of public roots";
  EXPECT_EQ(root->facts.at(Fact::expected), EvidenceValue(true)) << "given for this run";
  EXPECT_FALSE(root->facts.contains(Fact::basis))
      << "redaction takes those that have it for public";
  EXPECT_EQ(root->text, "the chain ends in a root given for this run");
  const auto other =
      check(with_chain({test::make_leaf("sip.example.com", stranger()), stranger()}));
  ASSERT_NE(find(other, EvidenceKind::chain_root), nullptr);
  EXPECT_EQ(find(other, EvidenceKind::chain_root)->facts.at(Fact::expected), EvidenceValue(false));
  const auto between = test::make_intermediate("Test Issuing", authority());
  const auto cut = check(with_chain({test::make_leaf("sip.example.com", between)}));
  EXPECT_EQ(find(cut, EvidenceKind::chain_root), nullptr)
      << "a chain that is not whole says nothing";
}

// Inspection devices' roots are given with --ca-file, too; this one this user trusts anyway.
TEST_F(TlsCheck, AGivenRootThatIsTrustedAnywayIsTheUsersOwn) {
  const auto trusted_anyway = [&](test::CheckRunner& one) {
    TlsServer server(one.loop,
                     with_chain({test::make_leaf("sip.example.com", authority()), authority()}));
    const auto seen =
        one.run(CheckKind::tls, Transport::tls, "sip.example.com", server.address(), {});
    const auto* root = find(seen, EvidenceKind::chain_root);
    if (root == nullptr) return std::optional<bool>();
    EXPECT_EQ(root->facts.at(Fact::expected), EvidenceValue(true));
    EXPECT_EQ(root->facts.at(Fact::given), EvidenceValue(true));
    return std::optional(root->facts.contains(Fact::trusted_anyway));
  };
  const auto by_this_run = trusted_anyway(runner);
  if (!by_this_run) GTEST_SKIP() << "this system has no bundle of public roots";
  EXPECT_EQ(by_this_run, false);
  setenv("SSL_CERT_FILE", trusted.path().c_str(), 1);
  test::CheckRunner own{{trusted.path()}};
  EXPECT_EQ(trusted_anyway(own), true);
  unsetenv("SSL_CERT_FILE");
}

TEST_F(TlsCheck, DoesNotBlameTheRootForDates) {
  const auto seen = check(with_chain({dated(hours(-48), hours(-1), authority()), authority()}));
  EXPECT_EQ(seen.detail, DetailCode::expired);
  const auto* root = find(seen, EvidenceKind::chain_root);
  if (root == nullptr) GTEST_SKIP() << "this system has no bundle of public roots";
  EXPECT_EQ(root->facts.at(Fact::expected), EvidenceValue(true));
}

TEST_F(TlsCheck, GreetsByAnotherNameWhereAsked) {
  TlsServer server(runner.loop, with_chain({test::make_leaf("sip.example.com", authority())}));
  const auto seen = check(server.address(), "sip.example.com", {{"server_name", "example.org"}});
  EXPECT_EQ(server.names_asked, std::vector<std::string>{"example.org"});
  EXPECT_EQ(seen.detail, DetailCode::wrong_name);
}

TEST_F(TlsCheck, FindsAMissingIntermediate) {
  const auto between = test::make_intermediate("Test Issuing", authority());
  CertificateOptions options;
  options.dns_names = {"sip.example.com"};
  options.issuer_url = "http://ca.example/issuing.der";
  const auto seen = check(with_chain({test::make_certificate(options, &between)}));
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::incomplete_chain);
  ASSERT_NE(find(seen, EvidenceKind::certificate_fault), nullptr);
}

TEST_F(TlsCheck, FindsWrongDates) {
  auto seen = check(with_chain({dated(hours(-48), hours(-1), authority())}));
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::expired);
  seen = check(with_chain({dated(hours(1), hours(48), authority())}));
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::not_yet_valid);
}

// RFC 5280, section 4.1.2.5: one without an end is valid until 9999, far beyond 64 bits of
// nanoseconds.
TEST_F(TlsCheck, ReportsDatesThatNoClockWillShow) {
  using namespace std::chrono;
  const auto today = floor<days>(system_clock::now());
  const auto seen = check(with_chain(
      {dated(hours(-1), sys_days(year(9000) / 6 / 15) - today, authority()), authority()}));
  EXPECT_EQ(seen.detail, DetailCode::trusted);
  const auto* certificate = find(seen, EvidenceKind::certificate);
  ASSERT_NE(certificate, nullptr);
  const auto until = std::get<std::string>(certificate->facts.at(Fact::not_after));
  EXPECT_TRUE(until.starts_with("9000-06-15")) << until;
}

TEST_F(TlsCheck, FindsAnotherName) {
  const auto seen = check(with_chain({test::make_leaf("portal.example.net", authority())}));
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::wrong_name);
}

TEST_F(TlsCheck, DoesNotTrustStrangers) {
  CertificateOptions alone;
  alone.dns_names = {"sip.example.com"};
  auto seen = check(with_chain({test::make_certificate(alone, nullptr)}));
  EXPECT_EQ(seen.detail, DetailCode::untrusted) << "self-signed";
  EXPECT_EQ(find(seen, EvidenceKind::certificate)->facts.at(Fact::self_signed),
            EvidenceValue(true));
  seen = check(with_chain({test::make_leaf("sip.example.com", stranger()), stranger()}));
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::untrusted) << "with its root";
  seen = check(with_chain({test::make_leaf("sip.example.com", stranger())}));
  EXPECT_EQ(seen.detail, DetailCode::untrusted) << "without its root: no intermediate is missing";
  seen = check(with_chain({dated(hours(-48), hours(-1), stranger())}));
  EXPECT_EQ(seen.detail, DetailCode::untrusted) << "who issued it comes before its dates";
}

TEST_F(TlsCheck, KnowsAPrivatePki) {
  const Parameters with = {{"issuer", "Inspection Device"}};
  const auto leaf = test::make_leaf("sip.example.com", stranger());
  auto seen = check(with_chain({leaf}), with);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::private_pki);
  EXPECT_EQ(check(with_chain({dated(hours(-48), hours(-1), stranger())}), with).detail,
            DetailCode::expired);
  EXPECT_EQ(check(with_chain({test::make_leaf("x.example", stranger())}), with).detail,
            DetailCode::wrong_name);
  seen = check(with_chain({test::make_leaf("sip.example.com", authority())}), with);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::unexpected_issuer) << "trusted here, but not the vendor's";
  EXPECT_EQ(check(with_chain({leaf}), {{"issuer", "Vendor"}}).detail, DetailCode::untrusted);
  EXPECT_EQ(check(with_chain({test::make_leaf("sip.example.com", authority())}),
                  {{"issuer", "Test Root"}})
                .detail,
            DetailCode::trusted);
}

TEST_F(TlsCheck, AClientCertificateThatIsWantedIsAnAnswer) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto options = with_chain({test::make_leaf("sip.example.com", authority())});
    options.client_certificate = true;
    options.version = version;
    auto seen = check(options);
    EXPECT_EQ(seen.outcome, Outcome::answered) << version;
    EXPECT_EQ(seen.detail, DetailCode::client_certificate_wanted) << version;
    EXPECT_NE(find(seen, EvidenceKind::client_certificate_asked), nullptr) << version;
    options.chain = {test::make_leaf("sip.example.com", stranger())};
    seen = check(options);
    EXPECT_EQ(seen.outcome, Outcome::failed) << version;
    EXPECT_EQ(seen.detail, DetailCode::untrusted)
        << version << ": somebody else's server may ask too";
  }
}

TEST_F(TlsCheck, FindsAServerOfOldVersionsOnly) {
  auto options = with_chain({test::make_leaf("sip.example.com", authority())});
  options.version = TLS1_VERSION;
  const auto seen = check(options);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::tls_version);
}

TEST_F(TlsCheck, ABareAddressHasNoName) {
  TlsServer server(runner.loop, with_chain({test::make_leaf("sip.example.com", authority())}));
  const auto seen = check(server.address(), "127.0.0.1");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::trusted);
  EXPECT_EQ(server.names_asked, std::vector<std::string>{""});
}

TEST_F(TlsCheck, PlainHttpIsNotTls) {
  const auto seen = check([](tcp::socket& peer) {
    return read_then_write(peer, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::not_tls);
  ASSERT_NE(find(seen, EvidenceKind::not_tls), nullptr);
  EXPECT_EQ(find(seen, EvidenceKind::not_tls)->facts.at(Fact::first_bytes), EvidenceValue("HTTP/"));
}

TEST_F(TlsCheck, GarbageIsNotTls) {
  const auto seen = check([](tcp::socket& peer) {
    return read_then_write(peer, std::string("\x00\x01\xff\x1b[31m, and more of it", 24));
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::not_tls);
  EXPECT_EQ(find(seen, EvidenceKind::not_tls)->facts.at(Fact::first_bytes), EvidenceValue("????["));
}

TEST_F(TlsCheck, BrokenTlsIsAProtocolError) {
  // A handshake record that holds no ServerHello.
  const auto seen = check([](tcp::socket& peer) {
    return read_then_write(peer, std::string("\x16\x03\x03\x00\x04\x63\x00\x00\x00", 9));
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::tls_protocol);
}

TEST_F(TlsCheck, TellsAnAlert) {
  // handshake_failure (40), fatal.
  const auto seen = check([](tcp::socket& peer) {
    return read_then_write(peer, std::string("\x15\x03\x03\x00\x02\x02\x28", 7));
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::tls_alert);
  EXPECT_EQ(find(seen, EvidenceKind::error)->facts.at(Fact::code), EvidenceValue(std::int64_t{40}));
}

TEST_F(TlsCheck, TellsAClosedConnection) {
  auto seen = check([](tcp::socket& peer) -> asio::awaitable<void> {
    std::array<char, 4'096> buffer{};
    co_await peer.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::closed_by_peer);
  seen = check([](tcp::socket& peer) -> asio::awaitable<void> {
    std::array<char, 4'096> buffer{};
    co_await peer.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    peer.set_option(asio::socket_base::linger(true, 0));
    peer.close();
  });
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::connection_reset);
}

TEST(SlowTlsCheck, SilenceAfterTcpIsAFailure) {
  test::CheckRunner runner({}, test::Time::by_hand);
  test::TcpServer server(runner.loop, [](tcp::socket& peer) { return read_then_write(peer, {}); });
  const auto seen = runner.run(CheckKind::tls, Transport::tls, "sip.example.com", server.address());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::tls_timed_out);
  EXPECT_DOUBLE_EQ(seen.timing_ms.at(Timing::handshake), 3'000.0);
}

}  // namespace
}  // namespace callready
