// Names to addresses, against a server of the test's own.
#include "probe/net/resolver.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "probe/net/timeouts.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/few_descriptors.hpp"
#include "tests/support/temporary_file.hpp"

namespace callready {
namespace {

using test::DnsServer;
using test::Loop;
using test::Time;

struct Fixture {
  Loop loop;
  DnsServer server;
  std::shared_ptr<AresChannel> channel;
  Resolver resolver;

  explicit Fixture(DnsServer::Handler handler, Time time = Time::real)
      : loop(time),
        server(loop, std::move(handler)),
        channel(make(loop, server.text())),
        resolver(loop.executor(), channel) {}

  static std::shared_ptr<AresChannel> make(Loop& loop, const std::string& server) {
    AresOptions options;
    options.servers = {server};
    options.use_hosts_file = false;
    return *AresChannel::create(loop.executor(), options);
  }

  Resolution resolve(const std::string& name, Family family = Family::v4) {
    return loop.run(resolver.resolve(name, family, loop.scope));
  }
  FailureKind failure(const std::string& name, Family family = Family::v4) {
    const auto resolution = resolve(name, family);
    return resolution.addresses.has_error() ? resolution.addresses.error().kind
                                            : FailureKind::local;
  }
};

DnsServer::Handler with_flags(int flags) {
  return [flags](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    reply.flags = flags;
    return std::optional(reply.bytes());
  };
}

DnsServer::Handler addresses(int count) {
  return [count](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    for (int i = 1; i <= count; ++i) {
      test::Bytes data{192, 0, 2, static_cast<std::uint8_t>(i)};
      if (asked.message.question_type == dns::type_aaaa) {
        data = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(i)};
      }
      reply.answer(asked.message.question_type, data);
    }
    return std::optional(reply.bytes());
  };
}

TEST(Resolver, GivesAllAddressesInTheirOrder) {
  Fixture dns(addresses(3));
  const auto v4 = dns.resolve("host.example");
  ASSERT_FALSE(v4.addresses.has_error()) << v4.addresses.error().text;
  EXPECT_EQ(*v4.addresses,
            (std::vector{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("192.0.2.2"),
                         *IpAddress::parse("192.0.2.3")}));
  const auto v6 = dns.resolve("host.example", Family::v6);
  ASSERT_FALSE(v6.addresses.has_error());
  EXPECT_EQ(v6.addresses->front(), *IpAddress::parse("2001:db8::1"));
}

// c-ares would have it that the server refuses.
TEST(Resolver, WithoutASocketTheServerIsNotToBlame) {
  if (test::sanitizer_needs_descriptors) GTEST_SKIP() << "UBSan has none left";
  Fixture dns(addresses(1));
  const auto shortages_before = shortages();
  {
    const test::NoDescriptorsLeft none;
    EXPECT_EQ(dns.failure("host.example"), FailureKind::out_of_resources);
    const auto deadline = dns.loop.clock.now() + timeouts::dns_total;
    const auto reply = dns.loop.run(dns.channel->query("example", 1, dns.loop.scope, deadline));
    ASSERT_TRUE(reply.has_error());
    EXPECT_EQ(reply.error().kind, FailureKind::out_of_resources);
  }
  EXPECT_EQ(shortages(), shortages_before + 2);
  EXPECT_FALSE(dns.resolve("host.example").addresses.has_error()) << "and it is asked again";
}

// Nor does its silence count against it, or against the name, while sockets were short.
TEST(Resolver, SilenceWhileSocketsAreShortIsNotRemembered) {
  bool short_of_sockets = true;
  Fixture dns([&](const DnsServer::Asked& asked) -> std::optional<test::Bytes> {
    if (short_of_sockets) {
      const auto told = classify(error_code(EMFILE, boost::system::system_category()));
      EXPECT_EQ(told.kind, FailureKind::out_of_resources);
      return std::nullopt;
    }
    auto reply = asked.reply();
    reply.answer(dns::type_a, {192, 0, 2, 7});
    return reply.bytes();
  });
  EXPECT_EQ(dns.failure("host.example"), FailureKind::out_of_resources);
  short_of_sockets = false;
  EXPECT_FALSE(dns.resolve("host.example").addresses.has_error());
}

// The answer lies in the socket while this computer is busy: that is not the resolver's time.
// By the time that the system noted, or, before Linux notes arrivals, by the loop's own stall.
TEST(Resolver, IsNotBlamedForWhatThisComputerIsLate) {
  static constexpr milliseconds busy{400};
  Loop* loop = nullptr;
  Fixture dns([&](const DnsServer::Asked& asked) {
    asio::post(loop->context, [] { std::this_thread::sleep_for(busy); });
    auto reply = asked.reply();
    reply.answer(dns::type_a, {192, 0, 2, 7});
    return std::optional(reply.bytes());
  });
  loop = &dns.loop;
  dns.loop.system_clock.watch_stalls();
  const auto start = dns.loop.clock.now();
  const auto resolution = dns.resolve("host.example");
  ASSERT_FALSE(resolution.addresses.has_error()) << resolution.addresses.error().text;
  const auto all = elapsed(start, dns.loop.clock.now());
  dns.loop.system_clock.end_watch();
  EXPECT_GE(all, busy) << "else this shows nothing";
  EXPECT_LE(resolution.took, all - busy / 2);
}

// Where the server refuses TCP, a long answer cannot be had, and all others can.
TEST(Resolver, OneLongAnswerTakesNoOtherNameAlong) {
  Fixture dns([](const DnsServer::Asked& asked) {
    auto reply = asked.reply();
    if (asked.message.question.starts_with("long.")) {
      reply.flags |= 0x0200;  // TC
    } else {
      reply.answer(dns::type_a, {192, 0, 2, 7});
    }
    return std::optional(reply.bytes());
  });
  dns.server.close_tcp();
  std::optional<Resolution> long_one, short_one;
  const auto ask = [&](std::string name, std::optional<Resolution>& result) {
    asio::co_spawn(dns.loop.context, dns.resolver.resolve(name, Family::v4, dns.loop.scope),
                   [&result](std::exception_ptr, Resolution seen) { result = seen; });
  };
  ask("long.example", long_one);
  ask("short.example", short_one);
  dns.loop.run(sleep_until(dns.loop.executor(), dns.loop.scope, dns.loop.soon(milliseconds(500))));
  ASSERT_TRUE(short_one && !short_one->addresses.has_error());
  EXPECT_EQ(short_one->addresses->front(), *IpAddress::parse("192.0.2.7"));
  ASSERT_TRUE(long_one && long_one->addresses.has_error());
  EXPECT_EQ(long_one->addresses.error().kind, FailureKind::dns_failed);
  EXPECT_NE(long_one->addresses.error().text.find("DNS over TCP"), std::string::npos);
}

TEST(Resolver, AsksTheNextServerIfOneDoesNotKnow) {
  for (const int flags : {0x8182, 0x8185}) {  // SERVFAIL, REFUSED
    Fixture dns(with_flags(flags));
    DnsServer second(dns.loop, addresses(1)), missing(dns.loop, with_flags(0x8183));
    AresOptions options;
    options.use_hosts_file = false;
    const auto resolve = [&](const DnsServer& next) {
      options.servers = {dns.server.text(), next.text()};
      Resolver resolver(dns.loop.executor(), *AresChannel::create(dns.loop.executor(), options));
      return dns.loop.run(resolver.resolve("host.example", Family::v4, dns.loop.scope)).addresses;
    };
    EXPECT_EQ(resolve(second)->front(), *IpAddress::parse("192.0.2.1"));
    EXPECT_EQ(resolve(missing).error().kind, FailureKind::no_such_name);
    EXPECT_EQ(resolve(dns.server).error().kind, FailureKind::dns_failed);
  }
}

// Each that is asked apart may take longer than a look-up has in all.
TEST(Resolver, AsksOthersApartNoLongerThanItMay) {
  bool asked = false;
  Fixture dns(
      [&](const DnsServer::Asked& question) {
        auto reply = question.reply();
        reply.flags |= 0x0200;  // TC
        return std::exchange(asked, true) ? std::nullopt : std::optional(reply.bytes());
      },
      Time::by_hand);
  const auto silent = [](const DnsServer::Asked&) { return std::optional<test::Bytes>(); };
  DnsServer second(dns.loop, silent), third(dns.loop, silent);
  for (auto* server : {&dns.server, &second, &third}) server->close_tcp();
  AresOptions options;
  options.servers = {dns.server.text(), second.text(), third.text()};
  options.use_hosts_file = false;
  Resolver resolver(dns.loop.executor(), *AresChannel::create(dns.loop.executor(), options));
  const auto begin = dns.loop.clock.now();
  const auto resolution =
      dns.loop.run(resolver.resolve("long.example", Family::v4, dns.loop.scope));
  ASSERT_TRUE(resolution.addresses.has_error());
  EXPECT_EQ(resolution.addresses.error().kind, FailureKind::dns_unreachable);
  EXPECT_GT(second.asked_udp, 0);
  EXPECT_LE(elapsed(begin, dns.loop.clock.now()), Milliseconds(timeouts::dns_total));
}

TEST(Resolver, AddressesAreTheirOwnAnswer) {
  Fixture dns(addresses(1));
  EXPECT_EQ(dns.resolve("198.51.100.7").addresses->front(), *IpAddress::parse("198.51.100.7"));
  EXPECT_EQ(dns.failure("198.51.100.7", Family::v6), FailureKind::no_address);
  EXPECT_EQ(dns.resolve("::1", Family::v6).addresses->front(), *IpAddress::parse("::1"));
  EXPECT_EQ(dns.failure("::1"), FailureKind::no_address);
  EXPECT_EQ(dns.server.asked_udp, 0);
}

TEST(Resolver, ARunThatKeepsToOneFamilyTestsNoOther) {
  Fixture dns(addresses(1));
  const auto first_of_target = [&] {
    const auto found = dns.loop.run(dns.resolver.resolve_target("::1", dns.loop.scope));
    return found.addresses.has_error() ? IpAddress() : found.addresses->front();
  };
  EXPECT_EQ(first_of_target(), *IpAddress::parse("::1")) << "it has no IPv4 address";
  dns.resolver = Resolver(dns.loop.executor(), dns.channel, Family::v6);
  EXPECT_EQ(first_of_target(), *IpAddress::parse("::1"));
  dns.resolver = Resolver(dns.loop.executor(), dns.channel, Family::v4);
  EXPECT_TRUE(first_of_target().is_unspecified());
}

TEST(Resolver, FailuresHaveTheirKind) {
  EXPECT_EQ(Fixture(with_flags(0x8183)).failure("host.example"), FailureKind::no_such_name);
  EXPECT_EQ(Fixture(with_flags(0x8180)).failure("host.example"), FailureKind::no_address);
  EXPECT_EQ(Fixture(with_flags(0x8182)).failure("host.example"), FailureKind::dns_failed);
  EXPECT_EQ(Fixture(with_flags(0x8185)).failure("host.example"), FailureKind::dns_failed);
}

TEST(Resolver, AServerThatIsNotThereIsUnreachable) {
  Fixture dns(addresses(1));
  dns.resolver = Resolver(dns.loop.executor(), Fixture::make(dns.loop, "127.0.0.1:9"));
  EXPECT_EQ(dns.failure("host.example"), FailureKind::dns_unreachable);
}

asio::awaitable<std::vector<Resolution>> all_at_once(Loop& loop, Resolver& resolver, int count) {
  std::vector<Resolution> all(static_cast<std::size_t>(count));
  int ended = 0;
  const OneShot<bool> done(loop.executor());
  for (auto& slot : all) {
    asio::co_spawn(loop.context, resolver.resolve("host.example", Family::v4, loop.scope),
                   [&](std::exception_ptr, Resolution resolution) {
                     slot = std::move(resolution);
                     if (++ended == count) done.deliver(true);
                   });
  }
  const auto deadline = loop.soon(milliseconds(30'000));
  co_await done.wait(loop.scope, deadline);
  co_return all;
}

TEST(Resolver, AsksForANameOnceHoweverManyWant) {
  Fixture dns(addresses(1));
  for (const auto& resolution : dns.loop.run(all_at_once(dns.loop, dns.resolver, 50))) {
    EXPECT_FALSE(resolution.addresses.has_error());
  }
  EXPECT_FALSE(dns.resolve("host.example").addresses.has_error());
  EXPECT_EQ(dns.server.asked_udp, 1);
}

TEST(Resolver, AFailureIsSharedToo) {
  Fixture dns(with_flags(0x8183));
  for (const auto& resolution : dns.loop.run(all_at_once(dns.loop, dns.resolver, 5))) {
    EXPECT_EQ(resolution.addresses.error().kind, FailureKind::no_such_name);
  }
  EXPECT_EQ(dns.server.asked_udp, 1);
}

TEST(Resolver, WhatNobodyAnsweredIsAskedAnewOnDemand) {
  bool mute = true;
  const auto answer = addresses(1);
  Fixture dns([&](const DnsServer::Asked& asked) { return mute ? std::nullopt : answer(asked); });
  EXPECT_EQ(dns.failure("host.example"), FailureKind::dns_unreachable);
  mute = false;
  EXPECT_EQ(dns.failure("host.example"), FailureKind::dns_unreachable) << "all get the same answer";
  dns.resolver.forget_unanswered("host.example", Family::v4);
  EXPECT_FALSE(dns.resolve("host.example").addresses.has_error());
  mute = true;
  dns.resolver.forget_unanswered("host.example", Family::v4);
  EXPECT_FALSE(dns.resolve("host.example").addresses.has_error()) << "an answer is kept";
}

TEST(Resolver, AStopEndsAllThatWaitAndIsNotRemembered) {
  bool mute = true;
  const auto answer = addresses(1);
  Fixture dns([&](const DnsServer::Asked& asked) {
    if (mute) dns.loop.stop.stop();
    return mute ? std::nullopt : answer(asked);
  });
  // The stop of the waiting itself would end the helper above: its scope is another one.
  StopSignal other;
  const Scope scope{dns.loop.clock, other};
  std::vector<FailureKind> kinds;
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(
        dns.loop.context, dns.resolver.resolve("host.example", Family::v4, dns.loop.scope),
        [&](std::exception_ptr, const Resolution& resolution) {
          kinds.push_back(resolution.addresses.has_error() ? resolution.addresses.error().kind
                                                           : FailureKind::local);
        });
  }
  const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (kinds.size() < 3 && dns.loop.context.run_one_until(bound) > 0) {
  }
  EXPECT_EQ(kinds, std::vector<FailureKind>(3, FailureKind::stopped));
  mute = false;
  const auto again = dns.loop.run(dns.resolver.resolve("host.example", Family::v4, scope));
  EXPECT_FALSE(again.addresses.has_error());
}

TEST(AresChannel, ServersAreReadWhole) {
  Loop loop;
  const auto servers = [&](const std::vector<std::string>& list) {
    AresOptions options;
    options.servers = list;
    const auto channel = AresChannel::create(loop.executor(), options);
    return channel.has_error() ? std::vector{channel.error()} : (*channel)->servers();
  };
  EXPECT_EQ(servers({"192.0.2.53", "192.0.2.54:5353", "[2001:db8::1]:5353", "2001:db8::2"}),
            (std::vector<std::string>{"192.0.2.53", "192.0.2.54:5353", "[2001:db8::1]:5353",
                                      "2001:db8::2"}));
  for (const std::string bad : {"192.0.2.1:99999", "192.0.2.1:", "name.example", "::1:53:", ""}) {
    EXPECT_EQ(
        servers({"192.0.2.53", bad}),
        std::vector<std::string>{"'" + bad +
                                 "': expected an address such as 192.0.2.53, 192.0.2.53:5353 or "
                                 "[2001:db8::53]:5353"});
  }
}

TEST(AresChannel, ServersOnALinkAreReadWithIt) {
  Loop loop;
  AresOptions options;
  const test::TemporaryFile file(
      "# by hand\nnameserver fe80::1%lo\nsearch lan\nnameserver\t192.0.2.53 # second\n"
      "nameserver fe80::2%1\nnameserver fe80::3\nnameserver x\nnameservers 192.0.2.1\n");
  options.resolv_conf = file.path();
  const auto channel = *AresChannel::create(loop.executor(), options);
  EXPECT_EQ(channel->servers(),
            (std::vector<std::string>{"fe80::1", "192.0.2.53", "fe80::2", "fe80::3"}));
  for (const auto* address : {"fe80::1", "fe80::2"}) {
    EXPECT_EQ(channel->interface_of(*IpAddress::parse(address)), "lo") << address;
  }
  for (const auto* address : {"192.0.2.53", "fe80::3"}) {
    EXPECT_EQ(channel->interface_of(*IpAddress::parse(address)), "") << address;
  }
}

TEST(AresChannel, AQueryCarriesTheWholeReply) {
  Fixture dns(addresses(2));
  const auto reply =
      dns.loop.run(dns.channel->query("host.example", 1, dns.loop.scope, dns.loop.soon()));
  ASSERT_FALSE(reply.has_error());
  EXPECT_EQ(reply->status, ARES_SUCCESS);
  const auto message = dns::parse_message(reply->message);
  ASSERT_FALSE(message.has_error());
  EXPECT_EQ(message->records.size(), 2u);
}

TEST(AresChannel, AChannelThatGoesEndsItsQueries) {
  Fixture dns([](const DnsServer::Asked&) { return std::nullopt; });
  std::optional<FailureKind> kind;
  auto channel = Fixture::make(dns.loop, dns.server.text());
  asio::co_spawn(dns.loop.context,
                 channel->addresses("host.example", Family::v4, dns.loop.scope, dns.loop.soon()),
                 [&](std::exception_ptr, const FoundAddresses& found) {
                   kind = found.list.has_error() ? found.list.error().kind : FailureKind::local;
                 });
  const auto bound = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (dns.server.asked_udp == 0 && dns.loop.context.run_one_until(bound) > 0) {
  }
  channel.reset();
  while (!kind && dns.loop.context.run_one_until(bound) > 0) {
  }
  EXPECT_EQ(kind, FailureKind::stopped);
}

}  // namespace
}  // namespace callready
