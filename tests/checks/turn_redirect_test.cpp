// TURN servers that send their clients on to another one by an error 300 (RFC 8489 section 10).
#include "checks/relay_server.hpp"
#include "tests/support/check_runner.hpp"
#include "tests/support/connect_proxy.hpp"
#include "tests/support/coturn.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/fake_turn.hpp"
#include "tests/support/memory_server.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready {
namespace {

using stun::Attribute;
using test::Bytes;
using test::fact;
using test::find_evidence;

// What a server says to a request.
using Reply = std::function<Bytes(const stun::Message& request)>;

Reply redirect_to(std::optional<SocketAddress> other, std::string domain = {}) {
  return [=](const stun::Message& request) {
    stun::Builder builder(stun::Class::error, stun::Method::allocate, request.id);
    builder.add_error(300, "Try Alternate");
    if (other) builder.add_address(Attribute::alternate_server, *other);
    if (!domain.empty()) builder.add_text(Attribute::alternate_domain, domain);
    return builder.finish();
  };
}

Bytes challenge(const stun::Message& request) {
  stun::Builder builder(stun::Class::error, static_cast<stun::Method>(request.method), request.id);
  builder.add_error(401, "Unauthorized")
      .add_text(Attribute::realm, "callready.test")
      .add_text(Attribute::nonce, "nonce");
  return builder.finish();
}

struct UdpServer {
  Reply reply;  // none: it is silent
  test::ScriptedUdp socket;

  explicit UdpServer(asio::io_context& context, Reply with = {})
      : reply(std::move(with)),
        socket(context,
               [this](test::ScriptedUdp& own, const Bytes& bytes, const SocketAddress& from) {
                 const auto request = stun::parse(bytes);
                 const auto answer = reply && !request.has_error() ? reply(*request) : Bytes();
                 if (!answer.empty()) own.send(answer, from);
               }) {}
  SocketAddress address() const { return socket.address(); }
  std::size_t asked() const { return socket.received().size(); }
};

asio::awaitable<void> serve(test::TlsServerStream& stream, const Reply& reply) {
  Bytes buffer(4'096);
  for (;;) {
    const auto [error, size] =
        co_await stream.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
    if (error) co_return;
    const auto answer = reply(*stun::parse(std::span(buffer).first(size)));
    if (answer.empty()) continue;
    const auto [failed, sent] = co_await asio::async_write(stream, asio::buffer(answer),
                                                           asio::as_tuple(asio::use_awaitable));
    static_cast<void>(sent);
    if (failed) co_return;
  }
}

SocketAddress at(const std::string& address, std::uint16_t port = 3'478) {
  return {*IpAddress::parse(address), port};
}

struct TurnRedirect : testing::Test {
  test::CheckRunner runner;

  explicit TurnRedirect(test::Time time = test::Time::by_hand) : runner({}, time) {}

  void use_credentials() {
    runner.settings.credentials.turn_user = "user";
    runner.settings.credentials.turn_password = "password";
  }
  Observation ask(const SocketAddress& server, Transport transport = Transport::udp) {
    return runner.run(CheckKind::turn, transport, "localhost", server);
  }
  asio::io_context& context() { return runner.loop.context; }
};

TEST_F(TurnRedirect, LeadsToARelay) {
  use_credentials();
  test::FakeTurnOptions options;
  options.address = IpAddress::v4({127, 0, 0, 2});
  test::FakeTurn other(context(), options);
  UdpServer server(context(), redirect_to(other.address()));
  const auto seen = ask(server.address());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::relayed);
  EXPECT_EQ(seen.address, server.address().address) << "the probe's own";
  EXPECT_FALSE(find_evidence(seen, EvidenceKind::turn_refusal));
  const auto& redirect = seen.evidence.back();
  EXPECT_EQ(redirect.kind, EvidenceKind::alternate_server);
  EXPECT_EQ(redirect.text, "the server redirects to " + other.address().to_string());
  EXPECT_EQ(text_fact(redirect, Fact::address), "127.0.0.2");
  EXPECT_EQ(port_fact(redirect, Fact::port), other.address().port);
  EXPECT_EQ(text_fact(redirect, Fact::outcome), "answered");
  EXPECT_EQ(server.asked(), 1u);
  EXPECT_EQ(other.granted(), 1);
  EXPECT_EQ(other.allocations(), 0) << "everything is given back";
}

TEST_F(TurnRedirect, IsFollowedTwiceAndNoMore) {
  UdpServer fourth(context(), challenge), third(context(), challenge);
  UdpServer second(context(), redirect_to(third.address()));
  UdpServer first(context(), redirect_to(second.address()));
  EXPECT_EQ(ask(first.address()).detail, Detail::status(401));

  third.reply = redirect_to(fourth.address());
  const auto seen = ask(first.address());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(300)) << "not measured";
  EXPECT_EQ(text_fact(seen.evidence.back(), Fact::not_measured),
            "two redirects are followed, and no more");
  EXPECT_EQ(fourth.asked(), 0u);
}

TEST_F(TurnRedirect, FromASecondPortIsFollowedToo) {
  UdpServer other(context(), challenge), server(context());
  server.reply = [&](const stun::Message& request) {
    if (server.asked() > 1) return redirect_to(other.address())(request);
    stun::Builder builder(stun::Class::error, stun::Method::allocate, request.id);
    builder.add_error(437, "Allocation Mismatch");
    return builder.finish();
  };
  const auto seen = ask(server.address());
  EXPECT_EQ(seen.detail, Detail::status(401));
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::alternate_server));
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::port_taken));
}

TEST_F(TurnRedirect, EndsInACircle) {
  UdpServer first(context()), second(context(), redirect_to(first.address()));
  for (const auto& to : {first.address(), second.address()}) {
    first.reply = redirect_to(to);
    const auto before = first.asked();
    const auto seen = ask(first.address());
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail, DetailCode::redirect_loop);
    EXPECT_EQ(seen.evidence.back().text, "the server redirects to " + first.address().to_string() +
                                             ", which was not followed: it redirected before");
    EXPECT_EQ(first.asked(), before + 1);
  }
  EXPECT_EQ(second.asked(), 1u);
}

TEST_F(TurnRedirect, ToNoServerIsSaid) {
  const std::optional<SocketAddress> nowhere[] = {std::nullopt, at("127.0.0.1", 0), at("0.0.0.0"),
                                                  at("224.0.0.1"), at("::1")};
  for (const auto& to : nowhere) {
    UdpServer server(context(), redirect_to(to));
    const auto seen = ask(server.address());
    EXPECT_EQ(seen.outcome, Outcome::failed);
    EXPECT_EQ(seen.detail, DetailCode::bad_redirect);
    EXPECT_EQ(seen.evidence.back().text,
              to && to->address.is_v6() ? "the server redirects to [::1]:3478, which was not "
                                          "followed: its address is of another family"
                                        : "the server redirects, but names no server that can be "
                                          "used");
    EXPECT_EQ(server.asked(), 1u);
  }
}

// This server has answered: whatever keeps the other one from us is no silence of this one.
TEST_F(TurnRedirect, ToASilentServerFails) {
  UdpServer other(context()), server(context(), redirect_to(other.address()));
  const auto seen = ask(server.address());
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::redirect_failed);
  EXPECT_EQ(seen.attempts, 1);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::stun_reply));
  EXPECT_FALSE(find_evidence(seen, EvidenceKind::error));
  EXPECT_EQ(seen.evidence.back().text,
            "the server redirects to " + other.address().to_string() + ": no answer");
  EXPECT_EQ(text_fact(seen.evidence.back(), Fact::outcome), "silent");
}

TEST_F(TurnRedirect, ThatThisComputerKeepsIsNoFailureOfTheServers) {
  int tried = 0;
  test::MemoryServer server(
      runner.loop.executor(), at("127.0.0.1", 50'000),
      [&](const Bytes& sent, std::vector<Bytes>& replies) {
        if (++tried > 1) return make_error_code(boost::system::errc::operation_not_permitted);
        replies.push_back(redirect_to(at("127.0.0.2"))(*stun::parse(sent)));
        return error_code();
      });
  const auto seen = ask(at("127.0.0.1"));
  EXPECT_EQ(seen.outcome, Outcome::rejected);
  EXPECT_EQ(seen.detail, DetailCode::kept_here);
  EXPECT_TRUE(find_evidence(seen, EvidenceKind::error)) << "what the system said";
  EXPECT_EQ(text_fact(seen.evidence.back(), Fact::outcome), "rejected");
}

TEST_F(TurnRedirect, AStopOnTheWayIsNoFailure) {
  UdpServer other(context()), server(context(), redirect_to(other.address()));
  other.reply = [&](const stun::Message&) {
    runner.loop.stop.stop();
    return Bytes();
  };
  const auto seen = ask(server.address());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(300));
  EXPECT_EQ(text_fact(seen.evidence.back(), Fact::outcome), "skipped");
}

TEST_F(TurnRedirect, IsFollowedOverTcp) {
  const auto serving = [](Reply reply) {
    return [reply](test::ScriptedTcp::Connection& connection, const Bytes& bytes) {
      if (!bytes.empty()) connection.send(reply(*stun::parse(bytes)));
    };
  };
  test::ScriptedTcp other(context(), serving(challenge), {IpAddress::v4({127, 0, 0, 2}), 0});
  test::ScriptedTcp server(context(), serving(redirect_to(other.address())));
  const auto seen = ask(server.address(), Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(401));
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(other.connections(), 1);
}

TEST_F(TurnRedirect, ToAClosedPortFails) {
  const auto closed = at("127.0.0.1", test::free_tcp_port(context()));
  test::ScriptedTcp server(context(),
                           [&](test::ScriptedTcp::Connection& connection, const Bytes& bytes) {
                             if (bytes.empty()) return;
                             connection.send(redirect_to(closed)(*stun::parse(bytes)));
                           });
  const auto seen = ask(server.address(), Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::redirect_failed);
  EXPECT_EQ(text_fact(seen.evidence.back(), Fact::outcome), "refused");
}

struct TurnRedirectOverTls : testing::Test {
  test::Certificate authority = test::make_authority("Test Root");
  test::TemporaryFile trusted{authority.pem()};
  test::CheckRunner runner{{trusted.path()}, test::Time::by_hand};
  Reply reply, others_reply = challenge;
  test::TlsServer server = listen("turn.example.com", reply);
  test::TlsServer other = listen("relay7.example.com", others_reply);

  test::TlsServer listen(const std::string& name, const Reply& with) {
    test::TlsServerOptions options;
    options.chain = {test::make_leaf(name, authority)};
    return test::TlsServer(runner.loop, options,
                           [&with](test::TlsServerStream& stream) { return serve(stream, with); });
  }
  Observation ask(const std::string& host, const std::string& domain) {
    reply = redirect_to(other.address(), domain);
    return runner.run(CheckKind::turn, Transport::tls, host, server.address());
  }
};

TEST_F(TurnRedirectOverTls, TheCertificateIsForTheDomainThatTheServerNames) {
  const auto seen = ask("turn.example.com", "relay7.example.com");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(401));
  EXPECT_EQ(text_fact(seen.evidence.back(), Fact::name), "relay7.example.com");
  EXPECT_EQ(other.names_asked, std::vector<std::string>{"relay7.example.com"});
}

TEST_F(TurnRedirectOverTls, OrElseForTheNameThatWasAskedFor) {
  bool asked = false;
  others_reply = [&](const stun::Message& request) {
    asked = true;
    return challenge(request);
  };
  const auto seen = ask("turn.example.com", "");
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::redirect_failed);
  EXPECT_TRUE(seen.evidence.back().text.ends_with(": its certificate is for a different name"));
  EXPECT_EQ(other.names_asked, std::vector<std::string>{"turn.example.com"});
  EXPECT_FALSE(asked) << "it gets no login";
}

// Somebody else may stand on the way by then.
TEST_F(TurnRedirectOverTls, TheCertificateIsCheckedForASecondRelayToo) {
  runner.settings.credentials.turn_user = "user";
  runner.settings.credentials.turn_password = "password";
  runner.settings.credentials.turn_hosts = {"turn.example.com"};
  const auto key = stun::long_term_key("user", "callready.test", "password");
  const auto relay = at("127.0.0.1", test::free_udp_port(runner.loop.context));
  int logins = 0;
  others_reply = [&](const stun::Message& request) {
    if (request.message_class != stun::Class::request) return Bytes();
    if (!request.has_integrity) return challenge(request);
    const auto method = static_cast<stun::Method>(request.method);
    stun::Builder builder(stun::Class::success, method, request.id);
    if (method == stun::Method::allocate) {
      ++logins;
      builder.add_xor_address(Attribute::xor_relayed_address, relay)
          .add_xor_address(Attribute::xor_mapped_address, at("127.0.0.1"))
          .add_u32(Attribute::lifetime, 600);
      other.use(test::make_leaf("else.example.com", authority));
    }
    return builder.finish(key);
  };
  const auto seen = ask("turn.example.com", "relay7.example.com");
  EXPECT_EQ(seen.detail, DetailCode::allocated);
  EXPECT_EQ(other.accepted(), 2);
  EXPECT_EQ(logins, 1);
  EXPECT_EQ(
      fact<std::string>(seen, EvidenceKind::relay_to_relay, Fact::not_measured),
      "no second allocation: " + other.address().to_string() + " was not reached (wrong_name)");
}

TEST_F(TurnRedirectOverTls, ADomainIsCheckedWhereTheServerItselfHasNoName) {
  EXPECT_EQ(ask("127.0.0.1", "relay7.example.com").detail, Detail::status(401));
  EXPECT_EQ(ask("127.0.0.1", "relay8.example.com").detail, DetailCode::redirect_failed);
}

TEST_F(TurnRedirectOverTls, ADomainThatIsNoneIsNotFollowed) {
  for (const std::string domain : {".example.com", "127.0.0.1", "*.example.com", "a b"}) {
    EXPECT_EQ(ask("turn.example.com", domain).detail, DetailCode::bad_redirect) << domain;
  }
  EXPECT_EQ(other.accepted(), 0);
}

TEST_F(TurnRedirectOverTls, AServerThatIsNotTrustedIsNotFollowed) {
  const auto seen = ask("relay7.example.com", "relay7.example.com");
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::wrong_name);
  EXPECT_EQ(other.accepted(), 0);
}

TEST(TurnRedirectThroughAProxy, IsFollowedByAddress) {
  test::CheckRunner runner;
  Reply reply = redirect_to(at("203.0.113.9"));
  test::ScriptedTcp server(
      runner.loop.context, [&](test::ScriptedTcp::Connection& connection, const Bytes& bytes) {
        if (!bytes.empty()) connection.send(std::exchange(reply, challenge)(*stun::parse(bytes)));
      });
  test::ConnectProxy proxy(runner.loop,
                           [](const std::string&) { return test::ConnectProxy::established(); });
  proxy.target = server.address();
  Probe probe;
  probe.check = CheckKind::turn;
  probe.target.host = "turn.example.com";
  probe.target.ports = {443, 443};
  probe.target.transport = Transport::tcp;
  probe.target.route.proxy = proxy.url();
  const auto seen = runner.run(probe, std::nullopt);
  EXPECT_EQ(seen.detail, Detail::status(401));
  ASSERT_EQ(proxy.heads.size(), 2u);
  EXPECT_TRUE(proxy.heads[1].starts_with("CONNECT 203.0.113.9:3478 ")) << proxy.heads[1];
}

// Without sending anything.
TEST(TurnRedirectInside, IsFollowedFromInsideOnly) {
  const auto follows = [](const std::string& from, const std::string& to) {
    checks::RelayServer server;
    server.probe.target.transport = Transport::udp;
    server.probe.target.ports = {3'478, 3'478};
    server.address = *IpAddress::parse(from);
    stun::Message message;
    message.alternate_server = at(to);
    const auto redirect = checks::follow_redirect(server, message);
    EXPECT_TRUE(redirect.fault.empty()) << from << " to " << to;
    EXPECT_EQ(redirect.followed, server.address->to_string() == to);
    EXPECT_EQ(redirect.followed, text_fact(redirect.evidence, Fact::not_measured).empty());
    return redirect.followed;
  };
  EXPECT_TRUE(follows("203.0.113.5", "198.51.100.6"));
  EXPECT_TRUE(follows("10.0.0.5", "192.168.7.8"));
  EXPECT_TRUE(follows("10.0.0.5", "203.0.113.5"));
  EXPECT_TRUE(follows("fd00::5", "fd00::6"));
  for (const auto* trap : {"10.0.0.5", "100.64.0.1", "127.0.0.1", "169.254.169.254"}) {
    EXPECT_FALSE(follows("203.0.113.5", trap)) << trap;
  }
  for (const auto* trap : {"fd00::6", "::1", "fe80::1"}) {
    EXPECT_FALSE(follows("2001:db8::5", trap)) << trap;
  }
}

// A relay that another check asks for, or a second one of this check.
struct OneMoreRelay : testing::Test {
  test::Loop loop;
  checks::Settings settings;
  std::shared_ptr<AresChannel> channel = *AresChannel::create(loop.executor(), {});
  Resolver resolver{loop.executor(), channel};
  std::unique_ptr<TlsContext> tls = *TlsContext::create({});
  SiteEdge edge{loop.executor()};
  checks::Context context{loop.executor(), loop.scope, loop.soon(), resolver, *tls, edge, settings};
  checks::RelayServer server;

  void ask_for_it(const std::string& host, Transport transport, std::uint16_t port) {
    settings.credentials.turn_user = "user";
    settings.credentials.turn_password = "password";
    settings.credentials.turn_hosts = {host};
    server.probe.target.host = host;
    server.probe.target.transport = transport;
    server.probe.target.ports = {port, port};
  }
};

TEST_F(OneMoreRelay, IsHadWhereTheServerRedirectsTo) {
  test::FakeTurn other(loop.context, {});
  UdpServer first(loop.context, redirect_to(other.address()));
  ask_for_it("localhost", Transport::udp, first.address().port);
  server.address = first.address().address;
  for (int count = 1; count <= 2; ++count) {
    const auto relay = loop.run(checks::open_relay(context, server));
    EXPECT_EQ(relay.why, "");
    EXPECT_EQ(other.granted(), count);
    EXPECT_TRUE(loop.run(relay.client->deallocate(loop.scope)));
  }
  EXPECT_EQ(first.asked(), 1u) << "the second is asked for there at once";
  EXPECT_EQ(other.allocations(), 0);
}

TEST_F(OneMoreRelay, IsAskedForByNameThroughAProxy) {
  test::ConnectProxy proxy(loop, [](const std::string&) { return "HTTP/1.1 403 No\r\n\r\n"; });
  ask_for_it("turn.example.com", Transport::tcp, 443);
  server.probe.target.route.proxy = proxy.url();
  EXPECT_NE(loop.run(checks::open_relay(context, server)).why, "");
  ASSERT_EQ(proxy.heads.size(), 1u);
  EXPECT_TRUE(proxy.heads[0].starts_with("CONNECT turn.example.com:443 ")) << proxy.heads[0];
}

struct TurnRedirectByCoturn : TurnRedirect {
  TurnRedirectByCoturn() : TurnRedirect(test::Time::real) {}
  void SetUp() override { CALLREADY_NEEDS_COTURN(); }
};

TEST_F(TurnRedirectByCoturn, LeadsToARelay) {
  use_credentials();
  test::CoturnOptions options;
  options.arguments = {"--lt-cred-mech", "--user=user:password"};
  test::Coturn other(context(), options);
  options.arguments.push_back("--alternate-server=" + other.address().to_string());
  test::Coturn server(context(), options);
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    const auto seen = ask(server.address(), transport);
    EXPECT_EQ(seen.detail, DetailCode::relayed) << to_string(transport);
    EXPECT_EQ(port_fact(seen.evidence.back(), Fact::port), other.address().port);
  }
}

}  // namespace
}  // namespace callready
