#include "tests/support/check_runner.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/evidence.hpp"
#include "tests/support/memory_server.hpp"

namespace callready {
namespace {

using asio::ip::tcp;
using test::Bytes;
using test::DnsServer;

constexpr int type_a = 1, type_aaaa = 28;

Bytes address_bytes(const std::string& text) {
  const auto address = *IpAddress::parse(text);
  return {address.bytes().begin(), address.bytes().begin() + address.bits() / 8};
}

// Names as the test gives them: "a.example" -> addresses of both families.
class Ipv6Check : public testing::Test {
 protected:
  test::CheckRunner runner;
  std::map<std::string, std::vector<std::string>> names;
  int rcode = 3;  // of a name that is not there: NXDOMAIN
  DnsServer dns{runner.loop, [this](const DnsServer::Asked& asked) {
                  auto reply = asked.reply();
                  const auto found = names.find(asked.message.question);
                  if (found == names.end()) {
                    reply.flags |= rcode;
                    return std::optional(reply.bytes());
                  }
                  for (const auto& text : found->second) {
                    const int type = IpAddress::parse(text)->is_v6() ? type_aaaa : type_a;
                    if (type == asked.message.question_type)
                      reply.answer(type, address_bytes(text));
                  }
                  return std::optional(reply.bytes());
                }};
  tcp::acceptor acceptor{runner.loop.context, {asio::ip::address_v4::loopback(), 0}};

  Observation run(std::map<std::string, std::string> with = {}) {
    runner.use_dns_servers({dns.text()});
    Probe probe;
    probe.check = CheckKind::ipv6;
    probe.with = std::move(with);
    probe.target.host = "a.example";
    const auto port = acceptor.local_endpoint().port();
    probe.target.ports = {port, port};
    return runner.run(probe, std::nullopt);
  }
  // "IPv6 timed_out", "IPv4 connected"
  static std::vector<std::string> families(const Observation& seen) {
    std::vector<std::string> found;
    for (const auto& evidence : seen.evidence) {
      if (evidence.kind != EvidenceKind::family) continue;
      found.push_back(std::get<std::string>(evidence.facts.at(Fact::version)) + ' ' +
                      std::get<std::string>(evidence.facts.at(Fact::result)));
    }
    return found;
  }
};

TEST_F(Ipv6Check, ANameWithoutIpv6IsReachedByIpv4) {
  names["a.example"] = {"127.0.0.1"};
  const auto seen = run();
  EXPECT_EQ(seen.outcome, Outcome::connected);
  EXPECT_EQ(seen.detail, DetailCode::ipv4_only);
  EXPECT_EQ(families(seen), (std::vector<std::string>{"IPv6 no_address", "IPv4 connected"}));
  EXPECT_FALSE(test::find_evidence(seen, EvidenceKind::nat64));
}

TEST_F(Ipv6Check, Ipv6ThatFailsLeavesIpv4) {
  names["a.example"] = {"127.0.0.1", "::1"};  // nobody listens there
  const auto seen = run();
  EXPECT_EQ(seen.outcome, Outcome::connected);
  EXPECT_EQ(seen.detail, DetailCode::ipv4_first);
  EXPECT_EQ(seen.address, IpAddress::parse("127.0.0.1"));
  const auto found = families(seen);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0], "IPv6 connected");
  EXPECT_EQ(found[1], "IPv4 connected");
}

TEST_F(Ipv6Check, ANameThatDoesNotExistIsUnresolved) {
  const auto seen = run();
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.detail, DetailCode::no_such_name);
}

// The acceptor over IPv6 stands for a path that loses full-size packets: the connection stands, and
// nothing comes back. Over IPv4 the greeting is answered, if only by hanging up.
TEST_F(Ipv6Check, AConnectionThatCarriesNoAnswerIsNone) {
  tcp::acceptor silent{runner.loop.context,
                       {asio::ip::address_v6::loopback(), acceptor.local_endpoint().port()}};
  acceptor.async_accept([](const error_code&, const tcp::socket&) {});
  names["a.example"] = {"127.0.0.1", "::1"};
  const auto seen = run();
  EXPECT_EQ(families(seen), (std::vector<std::string>{"IPv6 tls_timed_out", "IPv4 connected"}));
  EXPECT_EQ(seen.detail, DetailCode::ipv4_first);
}

TEST_F(Ipv6Check, ConnectionsThatCarryNothingAreNoSilence) {
  const auto port = acceptor.local_endpoint().port();
  tcp::acceptor silent{runner.loop.context, {asio::ip::address_v6::loopback(), port}};
  names["a.example"] = {"127.0.0.1", "::1"};
  const auto seen = run();
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::tls_timed_out);
}

// Where no DNS server answers, each name takes seconds.
TEST_F(Ipv6Check, WithoutItsNameNoOtherIsLookedUp) {
  names["ipv4only.arpa"] = {"192.0.0.170", "64:ff9b::c000:aa"};
  EXPECT_FALSE(test::find_evidence(run(), EvidenceKind::nat64));
}

TEST_F(Ipv6Check, ADns64ShowsItsPrefix) {
  names["a.example"] = {"127.0.0.1"};
  names["ipv4only.arpa"] = {"192.0.0.170", "64:ff9b::c000:aa"};
  const auto seen = run();
  EXPECT_EQ(test::fact<std::string>(seen, EvidenceKind::nat64, Fact::prefix), "64:ff9b::/96");
}

TEST_F(Ipv6Check, TheWellKnownNameAloneIsNoDns64) {
  names["a.example"] = {"127.0.0.1"};
  names["ipv4only.arpa"] = {"192.0.0.170", "192.0.0.171"};
  EXPECT_FALSE(test::find_evidence(run(), EvidenceKind::nat64));
}

// A question that failed tells nothing of the name.
TEST_F(Ipv6Check, OfAServicesHostItSaysWhyThereIsNoIpv6Address) {
  test::MemoryServer with_ipv6(runner.loop.executor(), {*IpAddress::parse("2001:db8::7"), 50'000},
                               [](auto&&...) { return error_code(); });
  const std::map<std::string, std::string> service{{"service", "true"}};
  names["a.example"] = {"127.0.0.1"};
  EXPECT_EQ(run(service).detail, DetailCode::no_record);
  names.clear();
  EXPECT_EQ(run(service).detail, DetailCode::no_such_name);
  rcode = 2;  // SERVFAIL
  const auto seen = run(service);
  EXPECT_EQ(seen.detail, DetailCode::dns_failed);
  EXPECT_EQ(seen.outcome, Outcome::skipped);
}

}  // namespace
}  // namespace callready
