#include "probe/net/dns_records.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "tests/support/dns_message.hpp"

namespace callready::dns {
namespace {

using test::Bytes;
using test::DnsMessage;
using test::naptr_data;
using test::soa_data;
using test::srv_data;
using test::wire_address;
using test::wire_name;

Message good(const Bytes& bytes) {
  auto message = parse_message(bytes);
  if (message.has_error()) {
    ADD_FAILURE() << message.error().text;
    return {};
  }
  return *message;
}

std::string error_of(const Bytes& bytes) {
  const auto message = parse_message(bytes);
  if (!message.has_error()) return "none";
  EXPECT_EQ(message.error().kind, FailureKind::malformed);
  return message.error().text;
}

TEST(DnsMessageParser, ReadsTheHeader) {
  DnsMessage reply;
  reply.flags = 0x8780;  // response, authoritative, truncated, RD, RA
  const auto message = good(reply.bytes());
  EXPECT_EQ(message.id, 0x1234);
  EXPECT_TRUE(message.response);
  EXPECT_TRUE(message.authoritative);
  EXPECT_TRUE(message.truncated);
  EXPECT_TRUE(message.recursion_available);
  EXPECT_EQ(message.opcode, 0);
  EXPECT_EQ(message.rcode, 0);
  EXPECT_EQ(message.question, "example.com");
  EXPECT_EQ(message.question_type, type_a);
  EXPECT_FALSE(message.edns);
  reply.flags = 0x0003;
  const auto question = good(reply.bytes());
  EXPECT_FALSE(question.response);
  EXPECT_FALSE(question.authoritative);
  EXPECT_FALSE(question.truncated);
  EXPECT_EQ(question.rcode, rcode_name_error);
}

TEST(DnsMessageParser, ReadsEveryType) {
  DnsMessage reply;
  reply.answer(1, wire_address("192.0.2.7"))
      .answer(28, wire_address("2001:db8::7"))
      .answer(5, wire_name("www.example.net"))
      .add(0, "7.2.0.192.in-addr.arpa", 12, {0xc0, 12})
      .answer(33, srv_data(10, 60, 5060, "sip.example.com"))
      .answer(35, naptr_data(50, 51, "s", "SIP+D2U", "", "_sip._udp.example.com"))
      .answer(16, test::wire_string("text"))
      .add(1, "example.com", 6, soa_data("ns.example.com", "root.example.com"));
  const auto message = good(reply.bytes());
  ASSERT_EQ(message.records.size(), 8u);
  EXPECT_EQ(std::get<IpAddress>(message.records[0].data).to_string(), "192.0.2.7");
  EXPECT_EQ(message.records[0].name, "example.com");
  EXPECT_EQ(message.records[0].ttl, 300u);
  EXPECT_EQ(std::get<IpAddress>(message.records[1].data).to_string(), "2001:db8::7");
  EXPECT_EQ(std::get<std::string>(message.records[2].data), "www.example.net");
  EXPECT_EQ(std::get<std::string>(message.records[3].data), "example.com");
  const auto& srv = std::get<SrvRecord>(message.records[4].data);
  EXPECT_EQ(srv.priority, 10);
  EXPECT_EQ(srv.weight, 60);
  EXPECT_EQ(srv.port, 5060);
  EXPECT_EQ(srv.target, "sip.example.com");
  const auto& naptr = std::get<NaptrRecord>(message.records[5].data);
  EXPECT_EQ(naptr.order, 50);
  EXPECT_EQ(naptr.preference, 51);
  EXPECT_EQ(naptr.flags, "s");
  EXPECT_EQ(naptr.services, "SIP+D2U");
  EXPECT_EQ(naptr.regexp, "");
  EXPECT_EQ(naptr.replacement, "_sip._udp.example.com");
  EXPECT_EQ(message.records[7].section, Section::authority);
  const auto& soa = std::get<SoaRecord>(message.records[7].data);
  EXPECT_EQ(soa.mname, "ns.example.com");
  EXPECT_EQ(soa.rname, "root.example.com");
  EXPECT_EQ(soa.serial, 1u);
  EXPECT_EQ(soa.minimum, 5u);
  EXPECT_EQ(message.records[6].type, 16);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(message.records[6].data));
}

TEST(DnsMessageParser, LeavesOtherClassesAlone) {
  DnsMessage reply;
  reply.add(0, "", 1, {1, 2, 3}, 3);  // CHAOS: three bytes are no fault there
  const auto message = good(reply.bytes());
  ASSERT_EQ(message.records.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(message.records[0].data));
}

TEST(DnsMessageParser, ReadsExtendedErrorsAndTheUpperRcode) {
  DnsMessage reply;
  reply.edns(17, "Filtered by policy\x1b[2J", 1);
  const auto message = good(reply.bytes());
  EXPECT_TRUE(message.edns);
  EXPECT_EQ(message.rcode, 16);
  EXPECT_EQ(rcode_name(message.rcode), "BADVERS");
  ASSERT_EQ(message.extended_errors.size(), 1u);
  EXPECT_EQ(message.extended_errors[0].code, 17);
  EXPECT_EQ(message.extended_errors[0].text, "Filtered by policy?[2J");
  EXPECT_EQ(extended_error_name(17), "Filtered");
  EXPECT_EQ(extended_error_name(4711), "code 4711");
}

TEST(DnsMessageParser, EscapesLabels) {
  DnsMessage reply;
  Bytes name = {3, 'a', '.', 'b', 2, 0x07, '\\', 0};
  reply.answer(5, name);
  const auto message = good(reply.bytes());
  EXPECT_EQ(std::get<std::string>(message.records[0].data), "a\\.b.\\007\\\\");
}

TEST(DnsMessageParser, EveryTruncationIsAnError) {
  DnsMessage reply;
  reply.answer(33, srv_data(10, 60, 5060, "sip.example.com"))
      .answer(35, naptr_data(50, 51, "s", "SIP+D2U", "", "_sip._udp.example.com"))
      .add(1, "example.com", 6, soa_data("ns.example.com", "root.example.com"))
      .edns(15, "no");
  const auto whole = reply.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(error_of(part), "none") << size;
  }
  good(whole);
}

// RFC 2181 section 9: what stands in such a message is not to be used, but for its header.
TEST(DnsMessageParser, ATruncatedMessageMayEndWithinARecord) {
  DnsMessage reply;
  reply.answer(1, wire_address("192.0.2.7")).answer(1, wire_address("192.0.2.8"));
  auto bytes = reply.bytes();
  bytes.resize(bytes.size() - 3);
  EXPECT_NE(error_of(bytes), "none");
  reply.flags |= 0x0200;
  EXPECT_FALSE(good(reply.bytes()).cut);
  bytes = reply.bytes();
  bytes.resize(bytes.size() - 3);
  const auto message = good(bytes);
  EXPECT_TRUE(message.truncated);
  EXPECT_TRUE(message.cut);
  EXPECT_EQ(message.question, "example.com");
  EXPECT_TRUE(message.records.empty());
  bytes.resize(20);
  EXPECT_NE(error_of(bytes), "none") << "within the question";
}

TEST(DnsMessageParser, RefusesLies) {
  EXPECT_EQ(error_of({}), "DNS message: truncated at byte 0");
  DnsMessage many;
  many.counts[0] = 65'535;
  EXPECT_EQ(error_of(many.bytes()), "DNS message: truncated name at byte 29");

  DnsMessage small;
  small.answer(1, {192, 0, 2});
  EXPECT_EQ(error_of(small.bytes()), "DNS message: truncated at byte 41");
  DnsMessage large;
  large.answer(1, {192, 0, 2, 1, 1});
  EXPECT_EQ(error_of(large.bytes()), "DNS message: bytes left over in a record at byte 45");
  DnsMessage beyond;
  beyond.answer(5, wire_name("a"));
  auto bytes = beyond.bytes();
  bytes[bytes.size() - 4] = 200;  // the record's length
  EXPECT_EQ(error_of(bytes), "DNS message: a record longer than the message at byte 41");
  DnsMessage short_error;
  short_error.add(2, "x", 41, {0, 15, 0, 1, 0});
  EXPECT_NE(error_of(short_error.bytes()).find("an extended error without its code"),
            std::string::npos);
}

TEST(DnsMessageParser, RefusesLoopsInNames) {
  DnsMessage itself;
  itself.answer(5, {0xc0, 41});
  EXPECT_EQ(error_of(itself.bytes()),
            "DNS message: a compressed name does not point back at byte 41");
  DnsMessage forward;
  forward.answer(5, {1, 'a', 0xc0, 45, 0});
  EXPECT_NE(error_of(forward.bytes()).find("does not point back"), std::string::npos);
  DnsMessage header;
  header.answer(5, {0xc0, 4});
  EXPECT_NE(error_of(header.bytes()).find("does not point back"), std::string::npos);
  DnsMessage kind;
  kind.answer(5, {0x41, 0});
  EXPECT_NE(error_of(kind.bytes()).find("an unknown kind of label"), std::string::npos);

  DnsMessage long_name;
  Bytes name;
  for (int i = 0; i < 128; ++i) {
    name.push_back(1);
    name.push_back('a');
  }
  name.push_back(0);
  long_name.answer(5, name);
  EXPECT_NE(error_of(long_name.bytes()).find("longer than 255 bytes"), std::string::npos);

  // Every pointer leads back to the one before it: legal each, and endless work together.
  DnsMessage chain;
  Bytes pointers = {0};
  for (int i = 0; i < 200; ++i) {
    const auto target = i == 0 ? 41 : 42 + 2 * (i - 1);
    pointers.push_back(static_cast<std::uint8_t>(0xc0 | target >> 8));
    pointers.push_back(static_cast<std::uint8_t>(target & 0xff));
  }
  const auto last = 42 + 2 * 199;
  chain.answer(16, pointers).answer(5, {static_cast<std::uint8_t>(0xc0 | last >> 8), last & 0xff});
  EXPECT_NE(error_of(chain.bytes()).find("too many jumps"), std::string::npos);
}

TEST(DnsMessageParser, RefusesWhatIsTooLarge) {
  const auto message = parse_message(Bytes(65'536, 0));
  ASSERT_TRUE(message.has_error());
  EXPECT_EQ(message.error().kind, FailureKind::oversized);
}

// Whatever comes, it ends, and what it returns can be shown.
TEST(DnsMessageParser, SurvivesMutation) {
  DnsMessage reply;
  reply.answer(1, wire_address("192.0.2.7"))
      .answer(33, srv_data(10, 60, 5060, "sip.example.com"))
      .answer(35, naptr_data(50, 51, "s", "SIP+D2U", "!^.*$!x!", "_sip._udp.example.com"))
      .add(0, "", 5, {3, 'w', 'w', 'w', 0xc0, 12})
      .add(1, "example.com", 6, soa_data("ns.example.com", "root.example.com"))
      .edns(17, "Filtered");
  const auto whole = reply.bytes();
  std::mt19937 random(1);
  int parsed = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    const auto changes = 1 + random() % 6;
    for (std::uint32_t i = 0; i < changes; ++i) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const auto message = parse_message(bytes);
    if (message.has_error()) continue;
    ++parsed;
    for (const auto& record : message->records) {
      EXPECT_LE(record.name.size(), 4u * 255);
      for (const char c : record.name) EXPECT_TRUE(c > ' ' && c < 0x7f);
    }
  }
  EXPECT_GT(parsed, 1'000);
}

TEST(DnsQuestion, IsWrittenAsRfc1035Says) {
  const auto bytes = encode_question(0xbeef, "_sip._udp.example.com.", type_srv, false);
  ASSERT_TRUE(bytes.has_value());
  Bytes expected = {0xbe, 0xef, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  test::put_all(expected, wire_name("_sip._udp.example.com"));
  test::put_all(expected, {0, 33, 0, 1});
  EXPECT_EQ(*bytes, expected);
  const auto with_edns = encode_question(1, "a", type_a, true);
  const auto message = good(*with_edns);
  EXPECT_TRUE(message.edns);
  EXPECT_EQ(message.question, "a");
  EXPECT_TRUE(encode_question(1, ".", type_a, true).has_value());
  EXPECT_TRUE(encode_question(1, "", type_a, true).has_value());
}

TEST(DnsQuestion, RefusesWhatIsNoName) {
  for (const std::string& name :
       {std::string("a..b"), std::string(".a"), std::string("a.."), std::string(64, 'a'),
        std::string("b\xc3\xbc.example"), std::string("a b"), std::string("a\\.b")}) {
    EXPECT_TRUE(encode_question(1, name, type_a, false).has_error()) << name;
  }
  std::string long_name;
  for (int i = 0; i < 127; ++i) long_name += "a.";
  EXPECT_TRUE(encode_question(1, long_name, type_a, false).has_value());
  EXPECT_TRUE(encode_question(1, long_name + "a", type_a, false).has_error());
}

TEST(DnsQuestion, KnowsItsAnswer) {
  DnsMessage reply;
  const auto yes = [&] { return answers(good(reply.bytes()), 0x1234, "Example.COM.", type_a); };
  EXPECT_TRUE(yes());
  reply.id = 0x1235;
  EXPECT_FALSE(yes()) << "another id";
  reply = {};
  reply.flags = 0x0100;
  EXPECT_FALSE(yes()) << "a question, not a response";
  reply = {};
  reply.type = 28;
  EXPECT_FALSE(yes()) << "another type";
  reply = {};
  reply.question = "example.org";
  EXPECT_FALSE(yes()) << "another name";
  reply = {};
  reply.questions = 0;
  EXPECT_FALSE(yes()) << "no question in a good answer";
  reply.flags = 0x8182;
  EXPECT_TRUE(yes()) << "an error without its question";
}

TEST(DnsNames, AreReversed) {
  EXPECT_EQ(reverse_name(*IpAddress::parse("93.184.216.34")), "34.216.184.93.in-addr.arpa");
  EXPECT_EQ(reverse_name(*IpAddress::parse("2001:db8::567:89ab")),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

TEST(DnsNames, TypesAndRcodesHaveNames) {
  EXPECT_EQ(type_name(33), "SRV");
  EXPECT_EQ(type_name(65), "TYPE65");
  EXPECT_EQ(parse_type("naptr"), type_naptr);
  EXPECT_EQ(parse_type("TXT"), std::nullopt);
  EXPECT_EQ(rcode_name(5), "REFUSED");
  EXPECT_EQ(rcode_name(42), "RCODE42");
}

TEST(DnsAnswer, FollowsAliases) {
  DnsMessage reply;
  reply.answer(5, wire_name("a.example.net"))
      .add(0, "A.example.NET", 5, wire_name("b.example.net"))
      .add(0, "b.example.net", 1, wire_address("192.0.2.1"))
      .add(0, "b.example.net", 1, wire_address("192.0.2.2"))
      .add(0, "stranger.example", 1, wire_address("192.0.2.3"))
      .add(2, "b.example.net", 1, wire_address("192.0.2.4"));
  const auto message = good(reply.bytes());
  const auto records = answer_records(message, "example.com.", type_a);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(std::get<IpAddress>(records[1]->data).to_string(), "192.0.2.2");
  EXPECT_TRUE(answer_records(message, "example.com", type_aaaa).empty());
  EXPECT_EQ(canonical_name(message, "example.com."), "b.example.net");
  EXPECT_EQ(canonical_name(message, "b.example.net"), "b.example.net");
  DnsMessage loop;
  loop.answer(5, wire_name("example.com"));
  EXPECT_TRUE(answer_records(good(loop.bytes()), "example.com", type_a).empty());
}

SrvRecord srv(int priority, int weight, std::string target) {
  return {static_cast<std::uint16_t>(priority), static_cast<std::uint16_t>(weight), 5060,
          std::move(target)};
}

std::string targets(const std::vector<SrvRecord>& records) {
  std::string text;
  for (const auto& record : records) text += record.target;
  return text;
}

TEST(SrvOrder, GoesByPriorityAndWeight) {
  const std::vector<SrvRecord> records = {srv(20, 1, "d"), srv(10, 60, "a"), srv(10, 20, "b"),
                                          srv(10, 0, "c")};
  std::vector<std::uint32_t> limits;
  const auto least = [&](std::uint32_t limit) {
    limits.push_back(limit);
    return 0u;
  };
  EXPECT_EQ(targets(order_srv(records, least)), "cabd") << "0 chooses the weightless one";
  EXPECT_EQ(limits, (std::vector<std::uint32_t>{80, 80, 20, 1}));
  const auto most = [](std::uint32_t limit) { return limit; };
  EXPECT_EQ(targets(order_srv(records, most)), "bacd");
  const auto sixty = [](std::uint32_t limit) { return std::min(limit, 60u); };
  EXPECT_EQ(targets(order_srv(records, sixty)), "abcd");
}

TEST(SrvOrder, DrawsByWeight) {
  const std::vector<SrvRecord> records = {srv(1, 75, "a"), srv(1, 25, "b")};
  std::mt19937 generator(7);
  int first = 0;
  for (int i = 0; i < 4'000; ++i) {
    const auto ordered = order_srv(records, [&](std::uint32_t limit) {
      return std::uniform_int_distribution<std::uint32_t>(0, limit)(generator);
    });
    if (ordered.front().target == "a") ++first;
  }
  EXPECT_NEAR(first, 3'000, 150);
}

TEST(SrvOrder, LeavesOutTheServiceThatIsNotThere) {
  EXPECT_TRUE(order_srv({srv(0, 0, "")}, [](std::uint32_t) { return 0u; }).empty());
  EXPECT_TRUE(order_srv({}, [](std::uint32_t) { return 0u; }).empty());
}

TEST(SipNaptr, AreOrderedAndFiltered) {
  const auto services = order_sip_naptr({
      {90, 50, "s", "SIP+D2T", "", "_sip._tcp.example.com"},
      {50, 60, "s", "SIP+D2U", "", "_sip._udp.example.com"},
      {50, 50, "S", "sips+d2t", "", "_sips._tcp.example.com"},
      {10, 10, "u", "E2U+sip", "!^.*$!sip:a@example.com!", ""},
      {10, 10, "u", "SIP+D2U", "", "not-terminal.example.com"},
      {10, 10, "s", "SIP+D2S", "", "_sip._sctp.example.com"},
  });
  const std::vector<SipService> expected = {{Transport::tls, true, "_sips._tcp.example.com"},
                                            {Transport::udp, false, "_sip._udp.example.com"},
                                            {Transport::tcp, false, "_sip._tcp.example.com"}};
  EXPECT_EQ(services, expected);
}

}  // namespace
}  // namespace callready::dns
