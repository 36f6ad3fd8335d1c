// `sip` with `srv: true`: RFC 3263.
#include <fmt/format.h>

#include "tests/support/check_runner.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/sip_server.hpp"

namespace callready {
namespace {

using test::DnsServer;
using test::fact;
using test::find_evidence;
using test::sip_header;
using test::sip_reply;
using test::SipScript;
using test::SipServer;

struct Srv {
  int priority = 0, port = 0;
  std::string target;
};

class SipSrv : public testing::Test {
 protected:
  test::CheckRunner runner;
  std::vector<std::string> naptr_services;       // of example.com, each with its SRV name
  std::map<std::string, std::vector<Srv>> srv;   // by name
  std::map<std::string, std::string> addresses;  // by name
  std::map<std::string, int> rcodes;             // by name, of SRV questions
  std::vector<std::string> asked;
  DnsServer dns{runner.loop, [this](const DnsServer::Asked& question) { return answer(question); }};

  std::optional<test::Bytes> answer(const DnsServer::Asked& question) {
    auto reply = question.reply();
    const auto& name = reply.question;
    asked.push_back(dns::type_name(static_cast<std::uint16_t>(reply.type)) + " " + name);
    if (reply.type == dns::type_naptr && name == "example.com") {
      int order = 0;
      for (const auto& service : naptr_services) {
        const auto blank = service.find(' ');
        reply.answer(35, test::naptr_data(++order, 1, "s", service.substr(0, blank), "",
                                          service.substr(blank + 1)));
      }
    }
    if (reply.type == dns::type_srv && srv.contains(name)) {
      for (const auto& record : srv[name]) {
        reply.answer(33, test::srv_data(record.priority, 1, record.port, record.target));
      }
    }
    if (reply.type == dns::type_srv && rcodes.contains(name)) reply.flags |= rcodes[name];
    if (reply.type == dns::type_a && addresses.contains(name)) {
      reply.answer(1, test::wire_address(addresses[name]));
    }
    return reply.bytes();
  }

  Observation ask(Transport transport, std::map<std::string, std::string> more = {},
                  const std::string& host = "example.com", std::uint16_t port = 5060) {
    runner.use_dns_servers({dns.text()});
    Probe probe;
    probe.check = CheckKind::sip;
    probe.target.host = host;
    probe.target.ports = {port, port};
    probe.target.transport = transport;
    probe.with = std::move(more);
    probe.with["srv"] = "true";
    return runner.run(probe, std::nullopt);
  }

  static test::SipAnswer with_status(const std::string& status) {
    return [=](const std::string& request, const SocketAddress& from) {
      return SipScript{{sip_reply(request, from, status)}};
    };
  }
};

TEST_F(SipSrv, FollowsNaptrThenSrvThenAddress) {
  SipServer server(runner.loop.context, Transport::tcp, with_status("404 Not Found"));
  naptr_services = {"SIP+D2U _other._udp.example.com", "SIP+D2T _odd._tcp.example.com"};
  srv["_odd._tcp.example.com"] = {{2, 9, "far.example.com"},
                                  {1, server.address().port, "sip1.example.com"}};
  addresses["sip1.example.com"] = "127.0.0.1";
  const auto seen = ask(Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, Detail::status(404));
  EXPECT_EQ(seen.address, IpAddress::v4({127, 0, 0, 1}));
  EXPECT_EQ(seen.timing_ms.count(Timing::dns), 1u);
  EXPECT_EQ(find_evidence(seen, EvidenceKind::sip_naptr)->text,
            "NAPTR example.com: 1 1 SIP+D2U _other._udp.example.com, "
            "2 1 SIP+D2T _odd._tcp.example.com");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_srv, Fact::name), "_odd._tcp.example.com");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_target, Fact::host), "sip1.example.com");
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_target, Fact::port), server.address().port);
  // RFC 3263 section 4: the domain stays in the Request-URI, without the server's port.
  EXPECT_EQ(server.requests().at(0).find("OPTIONS sip:example.com;transport=tcp SIP/2.0\r\n"), 0u);
}

TEST_F(SipSrv, TakesTheUsualNameWithoutNaptr) {
  SipServer server(runner.loop.context, Transport::udp, with_status("200 OK"));
  srv["_sip._udp.example.com"] = {{1, server.address().port, "sip1.example.com"}};
  addresses["sip1.example.com"] = "127.0.0.1";
  const auto seen = ask(Transport::udp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(find_evidence(seen, EvidenceKind::sip_naptr)->text, "no NAPTR records for example.com");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_srv, Fact::name), "_sip._udp.example.com");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(SipSrv, TakesTheDomainsOwnAddressWithoutSrv) {
  SipServer server(runner.loop.context, Transport::udp, with_status("200 OK"));
  addresses["example.com"] = "127.0.0.1";
  const auto seen = ask(Transport::udp, {}, "example.com", server.address().port);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(find_evidence(seen, EvidenceKind::sip_srv)->text,
            "no SRV records for _sip._udp.example.com");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_target, Fact::host), "example.com");
}

TEST_F(SipSrv, AsksNothingForAnAddress) {
  SipServer server(runner.loop.context, Transport::udp, with_status("200 OK"));
  const auto seen = ask(Transport::udp, {}, "127.0.0.1", server.address().port);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_TRUE(asked.empty());
}

TEST_F(SipSrv, AsksTheSecondServerWhereTheFirstRefuses) {
  std::uint16_t closed = 0;
  {
    SipServer gone(runner.loop.context, Transport::tcp, with_status("200 OK"));
    closed = gone.address().port;
  }
  SipServer server(runner.loop.context, Transport::tcp, with_status("200 OK"));
  srv["_sip._tcp.example.com"] = {{1, closed, "sip1.example.com"},
                                  {2, server.address().port, "sip2.example.com"}};
  addresses["sip1.example.com"] = addresses["sip2.example.com"] = "127.0.0.1";
  const auto seen = ask(Transport::tcp, {{"domain", "other.example"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  std::vector<std::string> tried;
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind == EvidenceKind::sip_target) tried.push_back(evidence.text.string());
  }
  EXPECT_EQ(tried, (std::vector<std::string>{
                       fmt::format("sip1.example.com:{} was asked: connection_refused", closed),
                       fmt::format("sip2.example.com:{} was asked: 200", server.address().port)}));
  EXPECT_EQ(sip_header(server.requests().at(0), "To"), "<sip:other.example>");
}

TEST_F(SipSrv, AsksNoThirdServer) {
  std::uint16_t closed = 0;
  {
    SipServer gone(runner.loop.context, Transport::tcp, with_status("200 OK"));
    closed = gone.address().port;
  }
  SipServer server(runner.loop.context, Transport::tcp, with_status("200 OK"));
  srv["_sip._tcp.example.com"] = {{1, closed, "sip1.example.com"},
                                  {2, closed, "sip1.example.com"},
                                  {3, server.address().port, "sip1.example.com"}};
  addresses["sip1.example.com"] = "127.0.0.1";
  const auto seen = ask(Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(SipSrv, IsUnresolvedWhereTheDomainHasNoSuchService) {
  srv["_sips._tcp.example.com"] = {{0, 0, ""}};
  const auto seen = ask(Transport::tls);
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.detail, DetailCode::no_service);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::sip_srv, Fact::records), "0 1 0 .");
}

TEST_F(SipSrv, IsUnresolvedWhereTheOnlyPortIsZero) {
  addresses["sip1.example.com"] = "127.0.0.1";
  srv["_sip._tcp.example.com"] = {{1, 0, "sip1.example.com"}};
  const auto seen = ask(Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.detail, DetailCode::no_service);
}

TEST_F(SipSrv, AsksNobodyAtPortZero) {
  SipServer server(runner.loop.context, Transport::tcp, with_status("200 OK"));
  addresses["sip1.example.com"] = "127.0.0.1";
  srv["_sip._tcp.example.com"] = {{1, 0, "sip1.example.com"},
                                  {2, server.address().port, "sip1.example.com"}};
  const auto seen = ask(Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::sip_target, Fact::port), server.address().port);
}

TEST_F(SipSrv, IsUnresolvedWhereTheServersNameHasNoAddress) {
  srv["_sip._udp.example.com"] = {{1, 5060, "sip1.example.com"}};
  const auto seen = ask(Transport::udp);
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.detail, DetailCode::no_address);
}

TEST_F(SipSrv, IsUnresolvedWhereTheResolverFails) {
  rcodes["_sip._udp.example.com"] = 2;  // SERVFAIL
  const auto seen = ask(Transport::udp);
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.detail, DetailCode::dns_failed);
}

TEST(DnsRegistry, NeedsAnAddressOnlyOfAServer) {
  const auto* check = checks::find(CheckKind::dns);
  Probe probe;
  EXPECT_FALSE(checks::needs_address(*check, probe));
  probe.with["server"] = "true";
  EXPECT_TRUE(checks::needs_address(*check, probe));
}

TEST(SipRegistry, LetsTheCheckFindTheAddressOnlyWithSrv) {
  const auto* check = checks::find(CheckKind::sip);
  Probe probe;
  EXPECT_TRUE(checks::needs_address(*check, probe));
  probe.with["srv"] = "false";
  EXPECT_TRUE(checks::needs_address(*check, probe));
  probe.with["srv"] = "true";
  EXPECT_FALSE(checks::needs_address(*check, probe));
  EXPECT_TRUE(checks::needs_address(*checks::find(CheckKind::tcp), probe));
}

}  // namespace
}  // namespace callready
