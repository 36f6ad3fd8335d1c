#include <filesystem>

#include "checks/proxy_route.hpp"
#include "probe/net/timeouts.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/connect_proxy.hpp"
#include "tests/support/coturn.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/said.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready::proxy_test {
namespace {

using test::ConnectProxy;
using test::fact;

constexpr const char* password = "correct horse";
const std::string basic = "\r\nProxy-Authorization: Basic YWxpY2U6Y29ycmVjdCBob3JzZQ==\r\n";

std::string wanting(const std::string& schemes) {
  std::string headers;
  for (const char scheme : schemes) {
    if (scheme == 'b') headers += "Proxy-Authenticate: Basic realm=\"corp\"\r\n";
    if (scheme == 'n') headers += "Proxy-Authenticate: NTLM\r\n";
    if (scheme == 'x') headers += "Proxy-Authenticate: Hoba\r\n";
    if (scheme == 'k') headers += "Proxy-Authenticate: Negotiate\r\n";
  }
  return ConnectProxy::status("407 Proxy Authentication Required", headers);
}

class ProxyCheck : public testing::Test {
 protected:
  test::CheckRunner runner;

  Probe probe(test::CheckNamed check, const std::string& proxy_url,
              Transport transport = Transport::tcp) {
    Probe made;
    made.check = check;
    made.target.host = "sip.example.com";
    made.target.ports = {5061, 5061};
    made.target.transport = transport;
    made.target.route.proxy = proxy_url;
    return made;
  }
  Observation run(const std::string& proxy_url) {
    return runner.run(probe("proxy", proxy_url), std::nullopt);
  }
  Observation answered_by(const std::string& reply) {
    ConnectProxy proxy(runner.loop, [&](const std::string&) { return reply; });
    return run(proxy.url());
  }
  void log_in(const std::string& url) {
    runner.settings.credentials.proxies[url] = {"alice", password};
  }
  // How often the password came in clear.
  static int logins(const ConnectProxy& proxy) {
    int count = 0;
    for (const auto& head : proxy.heads) count += head.find(basic) != head.npos ? 1 : 0;
    return count;
  }
  // Nothing that was said may hold the password or the user's name, in clear or in base64.
  void expect_no_secrets(const Observation& seen) {
    for (const auto& evidence : seen.evidence) {
      std::string all = evidence.text.string();
      for (const auto& [name, value] : evidence.facts) {
        if (const auto* text = std::get_if<std::string>(&value))
          all += std::string(to_string(name)) + *text;
      }
      for (const auto* secret : {"alice", password, "YWxpY2U6"}) {
        EXPECT_EQ(all.find(secret), std::string::npos) << all;
      }
    }
  }
};

TEST_F(ProxyCheck, IsAnsweredByATunnel) {
  ConnectProxy proxy(runner.loop, [](const std::string&) { return ConnectProxy::established(); });
  const auto seen = run(proxy.url());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(200));
  EXPECT_EQ(seen.address, IpAddress::v4({127, 0, 0, 1}));
  EXPECT_TRUE(seen.local);
  EXPECT_FALSE(seen.round_trip) << "that to the far end is not known";
  EXPECT_TRUE(seen.timing_ms.contains(Timing::tunnel));
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::proxy_reply, Fact::status), 200);
  ASSERT_EQ(proxy.heads.size(), 1u);
  EXPECT_TRUE(proxy.heads[0].starts_with("CONNECT sip.example.com:5061 HTTP/1.1\r\n"));
}

TEST_F(ProxyCheck, IsDeniedByPolicy) {
  const auto seen = answered_by(ConnectProxy::status(
      "403 Forbidden", "Server: squid/5.7\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n"));
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(403));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::proxy_reply, Fact::server), "squid/5.7");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::proxy_reply, Fact::error), "ERR_ACCESS_DENIED 0");
  EXPECT_EQ(answered_by(ConnectProxy::status("405 Method Not Allowed", "Via: 1.1 p\r\n")).outcome,
            Outcome::denied);
}

TEST_F(ProxyCheck, AWebServerIsNoProxy) {
  for (const auto* status :
       {"400 Bad Request", "404 Not Found", "405 Method Not Allowed", "501 Not Implemented"}) {
    const auto web = answered_by(ConnectProxy::status(status, "Server: nginx\r\n"));
    EXPECT_EQ(web.outcome, Outcome::failed) << status;
    EXPECT_EQ(web.detail, DetailCode::not_a_proxy) << status;
    const auto proxy = answered_by(ConnectProxy::status(status, "Proxy-Agent: p\r\n"));
    EXPECT_NE(proxy.detail, DetailCode::not_a_proxy) << status;
  }
}

TEST_F(ProxyCheck, FailsWhereTheProxyDoesNotReachTheTarget) {
  const auto seen = answered_by(ConnectProxy::status("503 Service Unavailable"));
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, Detail::status(503));
}

TEST_F(ProxyCheck, NamesTheSchemesOfALogin) {
  const auto seen = answered_by(wanting("nbx"));
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(407));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::proxy_reply, Fact::schemes), "NTLM, Basic, Hoba");
}

TEST_F(ProxyCheck, NamesTheSchemesOfOneHeader) {
  const auto seen = answered_by(ConnectProxy::status(
      "407 Proxy Authentication Required",
      "Proxy-Authenticate: Negotiate, Basic realm=\"Lyon, users\", charset=\"UTF-8\"\r\n"));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::proxy_reply, Fact::schemes), "Negotiate, Basic");
}

TEST_F(ProxyCheck, LogsInByBasic) {
  ConnectProxy proxy(runner.loop, [](const std::string& head) {
    return head.find(basic) == head.npos ? wanting("b") : ConnectProxy::established();
  });
  log_in(proxy.url());
  const auto seen = run(proxy.url());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  ASSERT_EQ(proxy.heads.size(), 2u);
  EXPECT_EQ(proxy.heads[0].find("Authorization"), std::string::npos) << "none comes first";
  expect_no_secrets(seen);
}

TEST_F(ProxyCheck, TriesEachSchemeOnce) {
  ConnectProxy proxy(runner.loop, [](const std::string&) { return wanting("bn"); });
  log_in(proxy.url());
  const auto seen = run(proxy.url());
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(407));
  ASSERT_GE(proxy.heads.size(), 3u);
  EXPECT_EQ(proxy.heads[0].find("Authorization"), std::string::npos);
  EXPECT_NE(proxy.heads[1].find("Proxy-Authorization: NTLM "), std::string::npos);
  EXPECT_NE(proxy.heads.back().find(basic), std::string::npos);
  EXPECT_EQ(logins(proxy), 1) << "NTLM's first message holds no password";
  expect_no_secrets(seen);
}

TEST_F(ProxyCheck, KeepsThePasswordWhereNoSchemeIsKnown) {
  ConnectProxy proxy(runner.loop, [](const std::string&) { return wanting("x"); });
  log_in(proxy.url());
  EXPECT_EQ(run(proxy.url()).detail, Detail::status(407));
  EXPECT_EQ(proxy.heads.size(), 1u);
}

TEST_F(ProxyCheck, TheLoginOfOneProxyGoesToNoOther) {
  for (const auto* schemes : {"b", "bn", "k"}) {
    ConnectProxy proxy(runner.loop, [&](const std::string&) { return wanting(schemes); });
    log_in("http://127.0.0.2:3128");
    log_in("https" + proxy.url().substr(4));
    const auto seen = run(proxy.url());
    EXPECT_EQ(seen.detail, Detail::status(407));
    EXPECT_EQ(proxy.heads.size(), 1u) << "nothing is tried";
    ASSERT_FALSE(seen.evidence.empty());
    EXPECT_NE(seen.evidence.front().text.find("CALLREADY_PROXY_HOST"), std::string::npos);
  }
}

TEST_F(ProxyCheck, WithoutATicketNegotiateChangesNothing) {
  ConnectProxy proxy(runner.loop, [](const std::string&) { return wanting("k"); });
  const auto seen = run(proxy.url());
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(407));
}

TEST_F(ProxyCheck, AWrongPasswordIsTriedOnceARun) {
  ConnectProxy proxy(runner.loop, [](const std::string&) { return wanting("b"); });
  log_in(proxy.url());
  const auto seen = runner.run_all(
      {probe("proxy", proxy.url()), probe("tcp", proxy.url()), probe("proxy", proxy.url())});
  for (const auto& one : seen) EXPECT_EQ(one.detail, Detail::status(407));
  EXPECT_EQ(logins(proxy), 1);
}

TEST_F(ProxyCheck, ALoginThatWorksServesAll) {
  ConnectProxy proxy(runner.loop, [](const std::string& head) {
    if (head.find(basic) != head.npos) return ConnectProxy::established();
    return wanting("bn");
  });
  log_in(proxy.url());
  auto seen = runner.run_all({probe("proxy", proxy.url()), probe("tcp", proxy.url())});
  EXPECT_EQ(seen[0].outcome, Outcome::answered);
  EXPECT_EQ(seen[1].outcome, Outcome::connected);
}

// What is asked without a login while another one's is being settled is asked again with it.
TEST_F(ProxyCheck, ALoginThatWorksServesWhoAskedBeforeIt) {
  ConnectProxy proxy(runner.loop, [](const std::string& head) {
    return head.find(basic) == head.npos ? wanting("b") : ConnectProxy::established();
  });
  proxy.late = "CONNECT sip.example.com:5062 ";
  log_in(proxy.url());
  auto second = probe("proxy", proxy.url());
  second.target.ports = {5062, 5062};
  const auto seen = runner.run_all({probe("proxy", proxy.url()), second});
  EXPECT_EQ(seen[0].outcome, Outcome::answered);
  EXPECT_EQ(seen[1].outcome, Outcome::answered) << seen[1].detail.text();
}

// A login that gets no answer is not a login that was refused.
TEST_F(ProxyCheck, ALoginWithoutAnswerIsNotRefused) {
  ConnectProxy proxy(runner.loop, [](const std::string& head) {
    return head.find(basic) == head.npos ? wanting("b") : std::string();
  });
  log_in(proxy.url());
  auto second = probe("proxy", proxy.url());
  second.target.ports = {5062, 5062};
  for (const auto& one : runner.run_all({probe("proxy", proxy.url()), second})) {
    EXPECT_EQ(one.outcome, Outcome::failed);
    EXPECT_EQ(one.detail, DetailCode::proxy_timed_out);
  }
  EXPECT_EQ(logins(proxy), 1);
}

TEST_F(ProxyCheck, TellsWhatIsNoProxy) {
  auto seen = answered_by("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::not_a_proxy);
  test::ScriptedTcp closing(runner.loop.context,
                            [](test::ScriptedTcp::Connection& peer, const test::Bytes& bytes) {
                              if (!bytes.empty()) peer.close();
                            });
  seen = run("http://" + closing.address().to_string());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::closed_by_peer);
  test::ScriptedTcp plain(runner.loop.context,
                          [](test::ScriptedTcp::Connection& peer, const test::Bytes& bytes) {
                            if (!bytes.empty()) peer.send({'H', 'T', 'T', 'P', '/', '1', '.', '1'});
                          });
  seen = run("https://" + plain.address().to_string());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::proxy_without_tls);
}

TEST_F(ProxyCheck, TellsAProxyThatIsNotThere) {
  const auto port = test::free_tcp_port(runner.loop.context);
  auto seen = run("http://127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(seen.detail, DetailCode::proxy_unreachable);
  test::DnsServer dns(runner.loop, [](const test::DnsServer::Asked& asked) {
    auto reply = asked.reply();
    reply.flags |= dns::rcode_name_error;
    return reply.bytes();
  });
  runner.use_dns_servers({dns.text()});
  seen = run("http://proxy.example.com:3128");
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.detail, DetailCode::proxy_unresolved);
}

TEST_F(ProxyCheck, LeavesTheProxyOutOfWhatThisComputerKeeps) {
  auto& loop = runner.loop;
  const std::shared_ptr<AresChannel> channel = *AresChannel::create(loop.executor(), {});
  Resolver resolver(loop.executor(), channel);
  SiteEdge edge(loop.executor());
  const checks::Context context{loop.executor(), loop.scope, loop.soon(),    resolver,
                                runner.tls(),    edge,       runner.settings};
  HttpReply reply;
  reply.failure = kept_here();
  Observation seen;
  EXPECT_FALSE(checks::proxy_let_pass(seen, context, {}, reply));
  EXPECT_EQ(seen.outcome, Outcome::rejected);
  EXPECT_EQ(seen.detail, DetailCode::kept_here);
}

TEST_F(ProxyCheck, IsSkippedWithoutAProxy) {
  EXPECT_EQ(run("").detail, DetailCode::no_proxy);
  const auto seen = run("socks5://127.0.0.1:1080");
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::bad_proxy);
}

TEST(SlowProxyCheck, TimesOutWhereTheProxyIsSilent) {
  test::CheckRunner runner({}, test::Time::by_hand);
  ConnectProxy proxy(runner.loop, [](const std::string&) { return std::string(); });
  Probe probe;
  probe.check = CheckKind::proxy;
  probe.target.host = "sip.example.com";
  probe.target.ports = {5061, 5061};
  probe.target.route.proxy = proxy.url();
  const auto seen = runner.run(probe, std::nullopt);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::proxy_timed_out);
}

// What is asked first and the login share one time.
TEST(SlowProxyCheck, ALoginTakesNoMoreThanItsTime) {
  test::CheckRunner runner({}, test::Time::by_hand);
  auto& loop = runner.loop;
  const test::TcpServer::Serve serve =
      [&loop](asio::ip::tcp::socket& peer) -> asio::awaitable<void> {
    std::string head;
    co_await asio::async_read_until(peer, asio::dynamic_buffer(head), "\r\n\r\n",
                                    asio::as_tuple(asio::use_awaitable));
    if (head.find(basic) == head.npos) {
      co_await sleep_until(loop.executor(), loop.scope, loop.soon(milliseconds(4'500)));
      const auto reply = wanting("b");
      co_await asio::async_write(peer, asio::buffer(reply), asio::as_tuple(asio::use_awaitable));
    }
    std::array<char, 1> rest{};
    co_await peer.async_read_some(asio::buffer(rest), asio::as_tuple(asio::use_awaitable));
  };
  test::TcpServer proxy(loop, serve);
  Probe probe;
  probe.check = CheckKind::proxy;
  probe.target.host = "sip.example.com";
  probe.target.ports = {5061, 5061};
  probe.target.route.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  runner.settings.credentials.proxies[probe.target.route.proxy] = {"alice", password};
  const auto start = loop.clock.now();
  const auto seen = runner.run(probe, std::nullopt);
  EXPECT_EQ(seen.detail, DetailCode::proxy_timed_out);
  EXPECT_LE(loop.clock.now() - start, timeouts::proxy_total);
}

// The other checks go the same way.

TEST_F(ProxyCheck, CarriesTcpAndTls) {
  const auto authority = test::make_authority("Test Root");
  const test::TemporaryFile root(authority.pem());
  test::CheckRunner trusting({root.path()});
  test::TlsServerOptions options;
  options.chain = {test::make_leaf("sip.example.com", authority)};
  test::TlsServer server(trusting.loop, options);
  ConnectProxy proxy(trusting.loop, [](const std::string&) { return ConnectProxy::established(); });
  proxy.target = server.address();
  auto seen = trusting.run(probe("tcp", proxy.url()), std::nullopt);
  EXPECT_EQ(seen.outcome, Outcome::connected);
  EXPECT_FALSE(seen.round_trip);
  seen = trusting.run(probe("tls", proxy.url(), Transport::tls), std::nullopt);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::trusted);
  EXPECT_EQ(server.names_asked.back(), "sip.example.com");
  EXPECT_TRUE(seen.timing_ms.contains(Timing::tunnel));
  EXPECT_TRUE(seen.timing_ms.contains(Timing::handshake));
}

// A proxy that closes after its 407 is connected to once more: it is still the proxy, and not yet
// the server.
TEST_F(ProxyCheck, LogsInToAnHttpsProxyThatCloses) {
  const auto authority = test::make_authority("Test Root");
  const test::TemporaryFile root(authority.pem());
  test::CheckRunner trusting({root.path()});
  test::CertificateOptions named;
  named.addresses = {"127.0.0.1"};
  test::TlsServerOptions options;
  options.chain = {test::make_certificate(named, &authority)};
  const test::TlsServer::Serve serve = [](test::TlsServerStream& peer) -> asio::awaitable<void> {
    std::string head;
    co_await asio::async_read_until(peer, asio::dynamic_buffer(head), "\r\n\r\n",
                                    asio::as_tuple(asio::use_awaitable));
    const bool logged_in = head.find("Proxy-Authorization: Digest ") != head.npos;
    const auto reply =
        logged_in ? ConnectProxy::established()
                  : ConnectProxy::status("407 Proxy Authentication Required",
                                         "Proxy-Authenticate: Digest realm=\"x\", nonce=\"abc\"\r\n"
                                         "Connection: close\r\n");
    co_await asio::async_write(peer, asio::buffer(reply), asio::as_tuple(asio::use_awaitable));
  };
  test::TlsServer proxy(trusting.loop, options, serve);
  const auto url = "https://" + proxy.address().to_string();
  trusting.settings.credentials.proxies[url] = {"alice", password};
  const auto seen = trusting.run(probe("proxy", url), std::nullopt);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(200));
}

TEST_F(ProxyCheck, DeniesTcpAndTls) {
  ConnectProxy proxy(runner.loop,
                     [](const std::string&) { return ConnectProxy::status("403 Forbidden"); });
  for (const auto* check : {"tcp", "tls"}) {
    const auto seen = runner.run(probe(check, proxy.url(), Transport::tls), std::nullopt);
    EXPECT_EQ(seen.outcome, Outcome::denied) << check;
    EXPECT_EQ(seen.detail, Detail::status(403)) << check;
  }
}

TEST_F(ProxyCheck, CarriesStun) {
  CALLREADY_NEEDS_COTURN();
  test::Coturn coturn(runner.loop.context, {});
  ConnectProxy proxy(runner.loop, [](const std::string&) { return ConnectProxy::established(); });
  proxy.target = coturn.address();
  auto seen = runner.run(probe("stun", proxy.url()), std::nullopt);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_TRUE(test::find_evidence(seen, EvidenceKind::stun_reply));
  EXPECT_TRUE(proxy.heads.back().starts_with("CONNECT sip.example.com:5061 "));
  seen = runner.run(probe("stun", proxy.url()), IpAddress::v4({192, 0, 2, 7}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_TRUE(proxy.heads.back().starts_with("CONNECT 192.0.2.7:5061 ")) << "as the check says";
}

// A real squid, which wants a login by NTLM or Basic.
class Squid {
 public:
  explicit Squid(asio::io_context& context) : port_(test::free_tcp_port(context)) {
    // Started by root, squid becomes another user, who must be able to read these.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::others_exec |
                                                     std::filesystem::perms::others_read |
                                                     std::filesystem::perms::owner_all);
    const auto users = folder_.write("users", "alice:$apr1$testsalt$64zWRFusfinByr13VYKTd.\n");
    const auto file = folder_.write(
        "squid.conf", "http_port 127.0.0.1:" + std::to_string(port_) +
                          "\npid_filename none\ncache deny all\ncache_mem 8 MB\n"
                          "memory_cache_shared off\naccess_log none\ncache_log /dev/null\n"
                          "cache_store_log none\ncoredump_dir " +
                          folder_.path() +
                          "\nlogfile_rotate 0\nshutdown_lifetime 0 seconds\npinger_enable off\n"
                          "dns_nameservers 127.0.0.1\n"
                          "auth_param ntlm program /usr/lib/squid/ntlm_fake_auth\n"
                          "auth_param ntlm children 1 startup=1\n"
                          "auth_param basic program /usr/lib/squid/basic_ncsa_auth " +
                          users +
                          "\nauth_param basic children 1 startup=1\n"
                          "auth_param basic realm callready test\n"
                          "acl users proxy_auth REQUIRED\nacl forbidden port 25\n"
                          "http_access deny forbidden\nhttp_access deny !users\n"
                          "http_access allow all\n");
    const std::vector<std::string> command = {test::installed("squid"), "-N", "-f", file};
    process_ = std::make_unique<test::ChildProcess>(command, folder_.path() + "/log");
    const auto listens = [&] {
      asio::ip::tcp::socket socket(context);
      error_code error;
      socket.connect({asio::ip::address_v4::loopback(), port_}, error);
      return !error || !process_->running();
    };
    test::eventually(listens, std::chrono::seconds(10));
  }
  bool running() { return process_->running(); }
  std::string log() const { return process_->log(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  test::TemporaryFolder folder_;
  std::uint16_t port_;
  std::unique_ptr<test::ChildProcess> process_;
};

TEST_F(ProxyCheck, GoesThroughSquid) {
  if (test::installed("squid").empty() ||
      !std::filesystem::exists("/usr/lib/squid/ntlm_fake_auth")) {
    GTEST_SKIP() << "squid is not installed (Debian: apt install squid); this test holds the check "
                    "against a real proxy";
  }
  Squid squid(runner.loop.context);
  if (!squid.running()) GTEST_SKIP() << "squid does not start here: " << squid.log();
  asio::ip::tcp::acceptor far_end(runner.loop.context, {asio::ip::address_v4::loopback(), 0});
  const auto through_squid = [&](std::uint16_t port) {
    auto one = probe("proxy", squid.url());
    one.target.host = "127.0.0.1";
    one.target.ports = {port, port};
    return runner.run(one, std::nullopt);
  };
  const auto port = far_end.local_endpoint().port();
  auto seen = through_squid(port);
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(407));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::proxy_reply, Fact::schemes), "NTLM, Basic");
  log_in(squid.url());
  seen = through_squid(port);
  EXPECT_EQ(seen.outcome, Outcome::answered) << "by NTLM, three messages on one connection";
  expect_no_secrets(seen);
  seen = through_squid(25);
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, Detail::status(403));
  seen = through_squid(test::free_tcp_port(runner.loop.context));
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, Detail::status(503));
}

}  // namespace
}  // namespace callready::proxy_test
