#include "probe/serve/dns_server.hpp"

#include <arpa/nameser.h>

#include "probe/net/dns_records.hpp"
#include "tests/serve/raw.hpp"

namespace callready::serve {
namespace {

DnsZone make_zone() {
  DnsZone made;
  made.apexes = {"demo.callready.test", "127.in-addr.arpa"};
  const auto add = [&](const std::string& name, auto data) {
    made.records.push_back({name, data});
  };
  add("www.demo.callready.test", IpAddress::v4({127, 0, 0, 1}));
  add("www.demo.callready.test", *IpAddress::parse("2001:db8::1"));
  add("_sip._udp.demo.callready.test", DnsService{10, 20, 5060, "sip.demo.callready.test"});
  add("demo.callready.test",
      DnsPointer{50, 60, "s", "SIP+D2U", "", "_sip._udp.demo.callready.test"});
  add(dns::reverse_name(loopback), DnsName{"www.demo.callready.test"});
  for (std::uint8_t i = 0; i < 200; ++i) {
    add("many.demo.callready.test", IpAddress::v4({192, 0, 2, i}));
  }
  return made;
}

const DnsZone& zone() {
  static const DnsZone made = make_zone();
  return made;
}

struct Asked {
  std::string name = "www.demo.callready.test";
  int type = ns_t_a, flags = 0x0100, klass = 1, questions = 1;
  int payload = 0;  // above 0: with EDNS
  int version = 0;
};

void put16(Bytes& out, int value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8 & 0xff));
  out.push_back(static_cast<std::uint8_t>(value & 0xff));
}

Bytes query(const Asked& asked) {
  Bytes out;
  put16(out, 0x1234);
  put16(out, asked.flags);
  for (const int count : {asked.questions, 0, 0, asked.payload > 0 ? 1 : 0}) put16(out, count);
  std::string_view rest = asked.name;
  while (!rest.empty()) {
    const auto label = rest.substr(0, rest.find('.'));
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
  }
  out.push_back(0);
  put16(out, asked.type);
  put16(out, asked.klass);
  if (asked.payload > 0) {
    out.push_back(0);
    put16(out, 41);
    put16(out, asked.payload);
    put16(out, asked.version);  // extended code 0, version
    put16(out, 0);
    put16(out, 0);
  }
  return out;
}

int word(const Bytes& bytes, std::size_t at) { return bytes.at(at) << 8 | bytes.at(at + 1); }
int code(const Bytes& reply) { return word(reply, 2) & 15; }
int answers(const Bytes& reply) { return word(reply, 6); }
bool truncated(const Bytes& reply) { return (word(reply, 2) & 0x0200) != 0; }
Bytes over_udp(const Asked& asked) { return answer_dns(zone(), query(asked), true); }
constexpr int authoritative = 0x8500;  // QR, AA, RD as it was asked

TEST(DnsZone, AnswersAByteForByte) {
  const auto reply = over_udp({});
  Bytes expected = query({});
  expected[2] = 0x85;
  expected[7] = 1;
  const Bytes record{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};  // compressed owner
  expected.insert(expected.end(), record.begin(), record.end());
  EXPECT_EQ(reply, expected);
}

TEST(DnsZone, AnswersWhatExistsWithoutTheTypeAndWhatDoesNot) {
  EXPECT_EQ(answers(over_udp({.type = ns_t_aaaa})), 1);
  EXPECT_EQ(word(over_udp({.type = ns_t_mx}), 2), authoritative);
  EXPECT_EQ(answers(over_udp({.type = ns_t_mx})), 0);
  EXPECT_EQ(word(over_udp({.name = "no.demo.callready.test"}), 2), authoritative | 3);
  EXPECT_EQ(code(over_udp({.name = "_udp.demo.callready.test"})), 0);  // has names under it
  EXPECT_EQ(code(over_udp({.name = "example.com"})), 5);
  EXPECT_EQ(code(over_udp({.name = "notdemo.callready.test"})), 5);
  EXPECT_EQ(code(over_udp({.klass = 3})), 5);
  EXPECT_EQ(answers(over_udp({.name = "WWW.Demo.Callready.TEST"})), 1);
}

TEST(DnsZone, CutsRepliesToWhatTheClientTakes) {
  Asked asked{.name = "many.demo.callready.test"};
  const auto plain = over_udp(asked);
  EXPECT_TRUE(truncated(plain));
  EXPECT_LE(plain.size(), 512u);
  EXPECT_GT(answers(plain), 20);
  asked.payload = 4'096;
  const auto edns = over_udp(asked);
  EXPECT_TRUE(truncated(edns));
  EXPECT_LE(edns.size(), 1'232u);
  EXPECT_GT(edns.size(), 1'200u);
  EXPECT_EQ(word(edns, 10), 1);  // its own OPT
  const auto tcp = answer_dns(zone(), query(asked), false);
  EXPECT_FALSE(truncated(tcp));
  EXPECT_EQ(answers(tcp), 200);
}

TEST(DnsZone, RefusesUnknownVersionsOpcodesAndForms) {
  const auto version = over_udp({.payload = 1'232, .version = 1});
  EXPECT_EQ(code(version), 0);  // BADVERS is 16: its upper bits are in the OPT
  EXPECT_EQ(version.at(version.size() - 6), 1);
  EXPECT_EQ(code(over_udp({.flags = 0x2800})), 4);
  EXPECT_EQ(code(over_udp({.questions = 2})), 1);
  EXPECT_EQ(code(over_udp({.questions = 0})), 1);
  EXPECT_TRUE(over_udp({.flags = 0x8100}).empty());  // a reply
}

TEST(DnsZone, NeverReadsBeyondAQuery) {
  const auto whole = query({.payload = 1'232});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto reply = answer_dns(zone(), cut, true);
    if (size < 12) {
      EXPECT_TRUE(reply.empty());
    } else {
      EXPECT_EQ(code(reply), 1) << size;
    }
  }
  Bytes loop = query({});
  loop[12] = 0xc0;  // a pointer to itself
  loop[13] = 12;
  EXPECT_EQ(code(answer_dns(zone(), loop, true)), 1);
  Bytes dotted = query({});
  dotted[14] = '.';  // a dot inside a label
  EXPECT_EQ(code(answer_dns(zone(), dotted, true)), 1);
  // Every byte changed to every value: no crash, and no reply larger than allowed.
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      Bytes changed = whole;
      changed[at] = static_cast<std::uint8_t>(value);
      EXPECT_LE(answer_dns(zone(), changed, true).size(), 1'232u);
    }
  }
}

struct DnsServerTest : testing::Test {
  test::Loop loop;
  std::shared_ptr<DnsServer> server = *DnsServer::start(loop.executor(), any_port, zone());

  DnsReply ask(const std::string& name, int type, bool tcp = false) {
    AresOptions options;
    options.servers = {server->local().to_string()};
    options.use_hosts_file = false;
    options.tcp = tcp;
    const auto channel = *AresChannel::create(loop.executor(), options);
    return *loop.run(channel->query(name, type, loop.scope, loop.soon()));
  }
};

TEST_F(DnsServerTest, AResolverReadsItsRecords) {
  for (const bool tcp : {false, true}) {
    const auto pointer = ask("demo.callready.test", ns_t_naptr, tcp);
    ares_naptr_reply* naptr = nullptr;
    ASSERT_EQ(ares_parse_naptr_reply(pointer.message.data(),
                                     static_cast<int>(pointer.message.size()), &naptr),
              ARES_SUCCESS);
    EXPECT_STREQ(reinterpret_cast<char*>(naptr->service), "SIP+D2U");
    EXPECT_STREQ(naptr->replacement, "_sip._udp.demo.callready.test");
    EXPECT_EQ(naptr->preference, 60);
    ares_free_data(naptr);
    const auto service = ask("_sip._udp.demo.callready.test", ns_t_srv, tcp);
    ares_srv_reply* srv = nullptr;
    ASSERT_EQ(ares_parse_srv_reply(service.message.data(), static_cast<int>(service.message.size()),
                                   &srv),
              ARES_SUCCESS);
    EXPECT_STREQ(srv->host, "sip.demo.callready.test");
    EXPECT_EQ(srv->port, 5060);
    ares_free_data(srv);
    const auto reverse = ask("1.0.0.127.in-addr.arpa", ns_t_ptr, tcp);
    const std::array<unsigned char, 4> address{127, 0, 0, 1};
    hostent* host = nullptr;
    ASSERT_EQ(ares_parse_ptr_reply(reverse.message.data(), static_cast<int>(reverse.message.size()),
                                   address.data(), 4, AF_INET, &host),
              ARES_SUCCESS);
    EXPECT_STREQ(host->h_name, "www.demo.callready.test");
    ares_free_hostent(host);
  }
}

TEST_F(DnsServerTest, GoesOverToTcpWhereUdpIsCut) {
  const auto reply = ask("many.demo.callready.test", ns_t_a);
  EXPECT_EQ(reply.status, ARES_SUCCESS);
  EXPECT_EQ(answers(reply.message), 200);
}

TEST_F(DnsServerTest, IsSilentAboutGarbage) {
  RawUdp client(loop, server->local());
  client.send("garbage");
  client.send(over_udp({}));  // a reply
  EXPECT_EQ(code(*client.ask(query({.name = "no.demo.callready.test"}))), 3);
}

TEST_F(DnsServerTest, AnswersSeveralQueriesOfOneConnectionAndEndsGarbage) {
  RawTcp client(loop, server->local());
  Bytes two;
  for (int i = 0; i < 2; ++i) {
    const auto one = query({});
    put16(two, static_cast<int>(one.size()));
    two.insert(two.end(), one.begin(), one.end());
  }
  client.send(two);
  client.send(Bytes{0, 3, 1, 2, 3});  // shorter than a header
  const auto all = client.receive_all();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 2 * (2 + over_udp({}).size()));
}

TEST_F(DnsServerTest, StopFreesThePort) {
  const auto address = server->local();
  server->stop();
  settle(loop);
  const auto again = DnsServer::start(loop.executor(), address, zone());
  EXPECT_TRUE(again.has_value());
}

}  // namespace
}  // namespace callready::serve
