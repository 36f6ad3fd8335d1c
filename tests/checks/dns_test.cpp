#include "tests/support/check_runner.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/memory_server.hpp"

namespace callready::dns_test {
namespace {

using test::Bytes;
using test::DnsServer;
using test::wire_address;
using test::wire_name;
using Parameters = std::map<std::string, std::string>;

class DnsCheck : public testing::Test {
 protected:
  explicit DnsCheck(test::Time time = test::Time::real) : runner({}, time) {}
  test::CheckRunner runner;

  // Asks as the runner would: without an address of the host.
  Observation ask(const std::string& host, Parameters with = {},
                  Transport transport = Transport::udp) {
    Probe probe;
    probe.check = CheckKind::dns;
    probe.target.host = host;
    probe.target.ports = {53, 53};
    probe.target.transport = transport;
    probe.with = std::move(with);
    return runner.run(probe, std::nullopt);
  }

  DnsServer::Handler address(const std::string& text) {
    return [text](const DnsServer::Asked& asked) {
      return asked.reply().answer(1, wire_address(text)).edns().bytes();
    };
  }

  DnsServer::Handler rcode(int number, int extended = -1, const std::string& text = {}) {
    return [=](const DnsServer::Asked& asked) {
      auto reply = asked.reply();
      reply.flags |= number;
      return reply.edns(extended, text).bytes();
    };
  }
};

// Where somebody waits for silence.
class SlowDnsCheck : public DnsCheck {
 protected:
  SlowDnsCheck() : DnsCheck(test::Time::by_hand) {}
};

const Evidence* find(const Observation& seen, EvidenceKind kind) {
  for (const auto& evidence : seen.evidence) {
    if (evidence.kind == kind) return &evidence;
  }
  return nullptr;
}

template <typename T>
T fact(const Observation& seen, EvidenceKind kind, Fact name) {
  const auto* evidence = find(seen, kind);
  if (evidence == nullptr || !evidence->facts.contains(name)) {
    ADD_FAILURE() << "no " << to_string(kind) << "." << to_string(name);
    return {};
  }
  return std::get<T>(evidence->facts.at(name));
}

TEST_F(DnsCheck, IsAnsweredOverUdp) {
  DnsServer server(runner.loop, address("198.51.100.7"));
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.detail, DetailCode::records);
  EXPECT_EQ(seen.address, server.address().address);
  EXPECT_EQ(seen.attempts, 1);
  ASSERT_TRUE(seen.round_trip);
  EXPECT_GT(seen.round_trip->count(), 0.0);
  EXPECT_TRUE(seen.timing_ms.contains(Timing::dns));
  EXPECT_NE(seen.local->port, 0);
  EXPECT_EQ(seen.evidence.size(), 1u);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::server), server.text());
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::transport), "udp");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::rcode), "NOERROR");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::records), "198.51.100.7");
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::dns_answer, Fact::ttl), 300);
  EXPECT_EQ(server.asked_tcp, 0);
}

TEST_F(DnsCheck, IsAnsweredOverTcp) {
  DnsServer server(runner.loop, address("9.9.9.9"));
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com", {}, Transport::tcp);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::transport), "tcp");
  EXPECT_EQ(server.asked_udp, 0);
  EXPECT_EQ(server.asked_tcp, 1);
  EXPECT_EQ(seen.evidence.size(), 1u);
}

TEST_F(DnsCheck, AsksEveryType) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    switch (reply.type) {
      case dns::type_aaaa:
        reply.answer(28, wire_address("2001:4860:4860::8888"));
        break;
      case dns::type_srv:
        reply.answer(33, test::srv_data(1, 2, 5061, "sip.example.com"));
        break;
      case dns::type_naptr:
        reply.answer(35, test::naptr_data(1, 2, "s", "SIPS+D2T", "", "_sips._tcp.example.com"));
        break;
      case dns::type_ptr:
        reply.answer(12, wire_name("turn.example.com"));
        break;
    }
    return reply.bytes();
  });
  runner.use_dns_servers({server.text()});
  const auto records = [&](const std::string& type, const std::string& host) {
    const auto seen = ask(host, {{"type", type}});
    EXPECT_EQ(seen.outcome, Outcome::answered) << type;
    return fact<std::string>(seen, EvidenceKind::dns_answer, Fact::records);
  };
  EXPECT_EQ(records("AAAA", "example.com"), "2001:4860:4860::8888");
  EXPECT_EQ(records("srv", "_sips._tcp.example.com"), "1 2 5061 sip.example.com");
  EXPECT_EQ(records("NAPTR", "example.com"), "1 2 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.example.com");
  EXPECT_EQ(records("PTR", "192.0.2.9"), "turn.example.com");
}

TEST_F(DnsCheck, AsksPtrForTheAddressOfAName) {
  std::string asked_for;
  DnsServer server(runner.loop, [&](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    if (reply.type == dns::type_a) reply.answer(1, wire_address("192.0.2.9"));
    if (reply.type == dns::type_ptr) {
      asked_for = reply.question;
      reply.answer(12, wire_name("rtc-gra2.example.com"));
    }
    return reply.bytes();
  });
  runner.use_dns_servers({server.text()});
  const auto seen =
      ask("rtc-gra2.example.com", {{"type", "PTR"}, {"expect", "RTC-gra2.example.com"}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(asked_for, "9.2.0.192.in-addr.arpa");
  const auto other = ask("rtc-gra2.example.com", {{"type", "PTR"}, {"expect", "x.example.com"}});
  EXPECT_EQ(other.outcome, Outcome::failed);
  EXPECT_EQ(other.detail, DetailCode::unexpected_answer);
}

TEST_F(DnsCheck, HoldsNamesAgainstPatterns) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    return asked.reply().answer(12, wire_name("rtc-gra2.example.com")).bytes();
  });
  runner.use_dns_servers({server.text()});
  const auto outcome = [&](const std::string& expect) {
    return ask("", {{"type", "PTR"}, {"name", "192.0.2.9"}, {"expect", expect}}).outcome;
  };
  for (const auto* good : {"rtc-gra2.example.com", "*.example.com", "RTC-*.example.com",
                           "a.example.net *.example.com", "*"}) {
    EXPECT_EQ(outcome(good), Outcome::answered) << good;
  }
  for (const auto* bad : {"example.com", "*.example.net", "turn-*.example.com", " ",
                          "rtc-gra2.example.com.*.example.com"}) {
    EXPECT_EQ(outcome(bad), Outcome::failed) << bad;
  }
}

TEST_F(DnsCheck, HoldsAddressesAgainstANetwork) {
  DnsServer server(runner.loop, address("9.9.9.9"));
  runner.use_dns_servers({server.text()});
  EXPECT_EQ(ask("a.example.com", {{"expect", "9.9.9.0/24"}}).outcome, Outcome::answered);
  EXPECT_EQ(ask("a.example.com", {{"expect", "9.9.9.9"}}).outcome, Outcome::answered);
  EXPECT_EQ(ask("a.example.com", {{"expect", "8.8.8.0/24"}}).detail, DetailCode::unexpected_answer);
}

// As BIND tells it: the policy zone's SOA is among the additional records.
TEST_F(DnsCheck, SeesThePolicyZoneThatDenies) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    reply.flags |= 3;
    return reply.add(2, "policy.site", 6, test::soa_data("localhost", "admin")).bytes();
  });
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.detail, DetailCode::no_such_name);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::soa_zone), "policy.site");
}

// RFC 2308 section 2.1: the name that does not exist is the one at the end of the aliases.
TEST_F(DnsCheck, SeesWhatADeniedNameIsAnAliasOf) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    reply.flags |= 3;
    return reply.answer(5, test::wire_name("gone.cdn.example.net"))
        .add(1, "example.net", 6, test::soa_data("localhost", "hostmaster"))
        .bytes();
  });
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.detail, DetailCode::no_such_name);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::canonical_name),
            "gone.cdn.example.net");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::soa_zone), "example.net");
}

TEST_F(DnsCheck, ToldThatTheNameDoesNotExist) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    reply.flags |= 3;
    return reply.add(1, "rpz.corp.example", 6, test::soa_data("localhost", "hostmaster"))
        .edns(17, "blocked by policy")
        .bytes();
  });
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.detail, DetailCode::no_such_name);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::soa_zone), "rpz.corp.example");
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::extended_errors),
            "17 Filtered: blocked by policy");
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::dns_answer, Fact::extended_error_code), 17);
}

TEST_F(DnsCheck, ToldThatThereIsNoSuchRecord) {
  DnsServer server(runner.loop, rcode(0));
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com", {{"type", "AAAA"}});
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.detail, DetailCode::no_record);
}

TEST_F(DnsCheck, RefusalAndServerFailureAreNotTheSame) {
  DnsServer refusing(runner.loop, rcode(5, 18, ""));
  runner.use_dns_servers({refusing.text()});
  auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::denied);
  EXPECT_EQ(seen.detail, DetailCode::refused);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::extended_errors),
            "18 Prohibited");
  DnsServer failing(runner.loop, rcode(2));
  runner.use_dns_servers({failing.text()});
  seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::servfail);
}

TEST_F(DnsCheck, NotesSinkholesAndPrivateAddresses) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    return asked.reply()
        .answer(1, wire_address("0.0.0.0"))
        .answer(1, wire_address("10.1.2.3"))
        .answer(1, wire_address("9.9.9.9"))
        .bytes();
  });
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  ASSERT_EQ(seen.evidence.size(), 3u);
  EXPECT_EQ(seen.evidence[1].facts.at(Fact::address), EvidenceValue("0.0.0.0"));
  EXPECT_EQ(seen.evidence[1].facts.at(Fact::sinkhole), EvidenceValue(true));
  EXPECT_EQ(seen.evidence[2].facts.at(Fact::address), EvidenceValue("10.1.2.3"));
  EXPECT_EQ(seen.evidence[2].facts.at(Fact::sinkhole), EvidenceValue(false));
  EXPECT_EQ(find(ask("pbx.corp"), EvidenceKind::dns_special_address), nullptr)
      << "a site's own name";
  EXPECT_EQ(find(ask("pbx"), EvidenceKind::dns_special_address), nullptr);
}

TEST_F(DnsCheck, NotesAsManySpecialAddressesAsItShowsAndNoMore) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    for (int i = 0; i < 60; ++i) reply.answer(1, wire_address("10.1.2." + std::to_string(i)));
    return reply.bytes();
  });
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.evidence.size(), 21u);
  EXPECT_EQ(fact<std::int64_t>(seen, EvidenceKind::dns_answer, Fact::count), 60);
}

TEST_F(DnsCheck, GoesOnByTcpWhereUdpIsTruncated) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    if (!asked.tcp) reply.flags |= 0x0200;
    if (asked.tcp) reply.answer(1, wire_address("9.9.9.9"));
    return reply.bytes();
  });
  runner.use_dns_servers({server.text()});
  auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_TRUE(fact<bool>(seen, EvidenceKind::dns_answer, Fact::truncated_over_udp));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::transport), "tcp");
  server.close_tcp();
  seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::truncated);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_no_answer, Fact::reason),
            "connection_refused");
}

TEST_F(SlowDnsCheck, BlamesNobodyForTheTcpThatThisComputerKeeps) {
  test::MemoryServer server(runner.loop.executor(), {},
                            [](const Bytes& sent, std::vector<Bytes>& replies) {
                              auto reply = DnsServer::Asked{*dns::parse_message(sent)}.reply();
                              reply.flags |= 0x0200;
                              replies.push_back(reply.bytes());
                              return error_code();
                            });
  server.connecting = make_error_code(boost::system::errc::operation_not_permitted);
  runner.use_dns_servers({"192.0.2.53"});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::rejected);
  EXPECT_EQ(seen.detail, DetailCode::kept_here);
  EXPECT_TRUE(fact<bool>(seen, EvidenceKind::dns_no_answer, Fact::truncated_over_udp));
}

TEST_F(DnsCheck, GoesOnByTcpWhereUdpEndsWithinARecord) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    reply.answer(1, wire_address("9.9.9.9"));
    if (asked.tcp) return reply.bytes();
    reply.flags |= 0x0200;
    auto bytes = reply.bytes();
    bytes.resize(bytes.size() - 3);
    return bytes;
  });
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_TRUE(fact<bool>(seen, EvidenceKind::dns_answer, Fact::truncated_over_udp));
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_answer, Fact::transport), "tcp");
}

TEST_F(DnsCheck, GoesOnWithoutEdns) {
  DnsServer old(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    if (asked.message.edns) {
      reply.flags |= 1;  // FORMERR, as servers before RFC 2671 answer
      reply.questions = 0;
    } else {
      reply.answer(1, wire_address("9.9.9.9"));
    }
    return reply.bytes();
  });
  runner.use_dns_servers({old.text()});
  for (const auto transport : {Transport::udp, Transport::tcp}) {
    const auto seen = ask("www.example.com", {}, transport);
    EXPECT_EQ(seen.outcome, Outcome::answered);
    EXPECT_TRUE(fact<bool>(seen, EvidenceKind::dns_answer, Fact::without_edns));
    EXPECT_EQ(seen.attempts, 2);
  }
}

TEST_F(SlowDnsCheck, IsSilentWhereNobodyAnswers) {
  DnsServer server(runner.loop, [](const DnsServer::Asked&) { return std::nullopt; });
  runner.use_dns_servers({server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::silent);
  EXPECT_EQ(seen.detail, DetailCode::timed_out);
  EXPECT_EQ(seen.attempts, 7) << "four with EDNS, three without beside them";
  EXPECT_EQ(server.asked_udp, 7);
  EXPECT_FALSE(seen.round_trip);
  EXPECT_EQ(fact<std::string>(seen, EvidenceKind::dns_no_answer, Fact::reason), "timed_out");
}

TEST_F(DnsCheck, IsRefusedByAClosedPort) {
  DnsServer server(runner.loop, rcode(0));
  const auto closed = server.text();
  server.close_udp();
  server.close_tcp();
  runner.use_dns_servers({closed});
  EXPECT_EQ(ask("www.example.com").outcome, Outcome::refused);
  EXPECT_EQ(ask("www.example.com", {}, Transport::tcp).outcome, Outcome::refused);
}

TEST_F(SlowDnsCheck, OtherPeoplesAnswersDoNotCount) {
  DnsServer server(runner.loop, [](const DnsServer::Asked& asked) {
    auto reply = asked.reply().answer(1, wire_address("6.6.6.6"));
    reply.id ^= 1;
    return reply.bytes();
  });
  runner.use_dns_servers({server.text()});
  EXPECT_EQ(ask("www.example.com").outcome, Outcome::silent);
  const auto tcp = ask("www.example.com", {}, Transport::tcp);
  EXPECT_EQ(tcp.outcome, Outcome::failed);
  EXPECT_EQ(tcp.detail, DetailCode::malformed);
}

TEST_F(SlowDnsCheck, GarbageIsMalformed) {
  DnsServer server(runner.loop, [](const DnsServer::Asked&) { return Bytes{1, 2, 3}; });
  runner.use_dns_servers({server.text()});
  const auto udp = ask("www.example.com");
  EXPECT_EQ(udp.outcome, Outcome::failed);
  EXPECT_EQ(udp.detail, DetailCode::malformed);
  const auto tcp = ask("www.example.com", {}, Transport::tcp);
  EXPECT_EQ(tcp.outcome, Outcome::failed);
  EXPECT_EQ(tcp.detail, DetailCode::malformed);
  server.claimed_length = 4'000;
  EXPECT_EQ(ask("www.example.com", {}, Transport::tcp).detail, DetailCode::closed_by_peer);
  server.claimed_length = 0;
  EXPECT_EQ(ask("www.example.com", {}, Transport::tcp).detail, DetailCode::malformed);
}

TEST_F(DnsCheck, TheFirstServerThatSettlesItCounts) {
  DnsServer broken(runner.loop, rcode(2));
  DnsServer filtering(runner.loop, rcode(3));
  DnsServer honest(runner.loop, address("9.9.9.9"));
  runner.use_dns_servers({broken.text(), honest.text(), filtering.text()});
  auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.evidence.size(), 3u);
  runner.use_dns_servers({filtering.text(), honest.text()});
  seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::unresolved);
  EXPECT_EQ(seen.evidence[1].facts.at(Fact::records), EvidenceValue("9.9.9.9"));
}

TEST_F(DnsCheck, AServerThatCannotBeAskedDoesNotSpeakForTheOthers) {
  DnsServer server(runner.loop, rcode(2));
  // A link's own address without the link: the system knows no way there.
  runner.use_dns_servers({"[fe80::1]:53", server.text()});
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::failed);
  EXPECT_EQ(seen.detail, DetailCode::servfail);
  EXPECT_EQ(seen.address, server.address().address);
}

TEST_F(DnsCheck, AsksTheNamedServer) {
  DnsServer own(runner.loop, rcode(3));
  DnsServer named(runner.loop, address("9.9.9.9"));
  runner.use_dns_servers({own.text()});
  const Parameters with = {{"server", "true"}, {"name", "www.example.com"}};
  const auto seen = runner.run(CheckKind::dns, Transport::udp, "127.0.0.1", named.address(), with);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(own.asked_udp, 0);
}

TEST_F(DnsCheck, BadQuestionsAreNotSent) {
  DnsServer server(runner.loop, rcode(0));
  runner.use_dns_servers({server.text()});
  EXPECT_EQ(ask("example.com", {{"type", "TXT"}}).detail, DetailCode::bad_parameter);
  EXPECT_EQ(ask("192.0.2.1", {{"server", "true"}}).detail, DetailCode::bad_parameter);
  const auto seen = ask("a..b");
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::not_a_name);
  EXPECT_EQ(ask("192.0.2.1").detail, DetailCode::not_a_name);
  EXPECT_EQ(server.asked_udp, 0);
}

TEST_F(DnsCheck, IsSkippedOnceTheRunIsStopped) {
  DnsServer server(runner.loop, [](const DnsServer::Asked&) { return std::nullopt; });
  runner.use_dns_servers({server.text()});
  const auto timer = runner.loop.clock.call_at(runner.loop.soon(milliseconds(100)),
                                               [&] { runner.loop.stop.stop(); });
  const auto seen = ask("www.example.com");
  EXPECT_EQ(seen.outcome, Outcome::skipped);
  EXPECT_EQ(seen.detail, DetailCode::stopped);
}

}  // namespace
}  // namespace callready::dns_test
