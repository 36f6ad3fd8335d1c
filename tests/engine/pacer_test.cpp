// The pacer under random loads with simulated time: what it admits, and that it admits everybody.
#include "probe/engine/pacer.hpp"

#include <gtest/gtest.h>

#include <queue>
#include <random>

namespace callready::pacer_test {
namespace {

using PacedRequest = Pacer::PacedRequest;

const Instant start{std::chrono::hours(1000)};

IpAddress host(int number) {
  return *IpAddress::v4({198, 51, 0, 0}).plus(static_cast<std::uint64_t>(number));
}

struct Admitted {
  PacedRequest request;
  Instant at;
};

struct Request {
  PacedRequest request;
  Instant asked;
};

// Asks for every request at its time, and again whenever the pacer says so.
class Simulation {
 public:
  explicit Simulation(PaceLimits limits) : pacer_(limits) {}

  std::vector<Admitted> run(const std::vector<Request>& requests) {
    using Turn = std::pair<Instant, std::size_t>;
    std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
    for (std::size_t i = 0; i < requests.size(); ++i) turns.emplace(requests[i].asked, i);
    std::vector<Admitted> admitted;
    // Whoever loses a race asks again; this bounds a pacer that would let them ask for ever.
    for (std::size_t asked = 0; !turns.empty(); ++asked) {
      if (asked > requests.size() * requests.size() + 100) {
        ADD_FAILURE() << turns.size() << " are still waiting";
        break;
      }
      const auto [now, index] = turns.top();
      turns.pop();
      const auto again = pacer_.ask(requests[index].request, now);
      if (!again) {
        admitted.push_back({requests[index].request, now});
      } else if (*again > now) {
        turns.emplace(*again, index);
      } else {
        ADD_FAILURE() << "sent away without a later time";
        break;
      }
    }
    return admitted;
  }

 private:
  Pacer pacer_;
};

// For each request, what lies in the window that ends with it.
template <typename Key>
std::size_t most_in_a_window(const std::vector<Admitted>& admitted, milliseconds window, Key key) {
  std::size_t most = 0;
  for (std::size_t i = 0; i < admitted.size(); ++i) {
    std::set<decltype(key(admitted[i].request, std::uint16_t{}))> seen;
    for (std::size_t j = 0; j <= i; ++j) {
      if (admitted[j].at + window <= admitted[i].at) continue;
      for (const auto port : admitted[j].request.ports) {
        seen.insert(key(admitted[j].request, port));
      }
    }
    most = std::max(most, seen.size());
  }
  return most;
}

std::size_t most_hosts(const std::vector<Admitted>& admitted, milliseconds window) {
  return most_in_a_window(
      admitted, window, [](const PacedRequest& request, std::uint16_t) { return request.address; });
}

std::size_t most_ports(const std::vector<Admitted>& admitted, milliseconds window) {
  std::map<IpAddress, std::vector<Admitted>> by_host;
  for (const auto& one : admitted) by_host[one.request.address].push_back(one);
  std::size_t most = 0;
  for (const auto& [address, own] : by_host) {
    most =
        std::max(most, most_in_a_window(own, window, [](const PacedRequest& c, std::uint16_t port) {
                   return std::pair(c.transport, port);
                 }));
  }
  return most;
}

// Of each host, SIP messages closer than the gap must be the first of their transport.
void expect_sip_gaps(const std::vector<Admitted>& admitted, milliseconds gap) {
  std::map<IpAddress, Instant> last;
  std::set<std::pair<IpAddress, Transport>> seen;
  for (const auto& [request, at] : admitted) {
    if (!request.sip) continue;
    const bool first = seen.emplace(request.address, request.transport).second;
    const auto before = last.find(request.address);
    if (!first && before != last.end()) {
      EXPECT_GE(at - before->second, gap) << request.address.to_string();
    }
    last[request.address] = at;
  }
}

std::vector<Request> random_requests(std::mt19937& random, int count, int hosts, int ports) {
  const auto draw = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  std::vector<Request> requests;
  for (int i = 0; i < count; ++i) {
    Request drawn;
    auto& request = drawn.request;
    request.address = host(draw(hosts));
    request.transport = std::array{Transport::udp, Transport::tcp, Transport::tls}[random() % 3];
    // A media range asks for several ports at once.
    const int width = draw(5) == 0 ? 6 : 1;
    for (int port = 0; port < width; ++port) {
      request.ports.push_back(static_cast<std::uint16_t>(1000 + draw(ports)));
    }
    request.sip = width == 1 && draw(4) == 0;
    drawn.asked = start + milliseconds(draw(30'000));
    requests.push_back(std::move(drawn));
  }
  return requests;
}

class PacerLoad : public testing::TestWithParam<unsigned> {};

TEST_P(PacerLoad, KeepsTheLimitsAndAdmitsEverybody) {
  std::mt19937 random(GetParam());
  // Few hosts with many ports, many hosts with few, and between.
  for (const auto& [hosts, ports] : {std::pair(2, 200), std::pair(30, 40), std::pair(300, 3)}) {
    const auto requests = random_requests(random, 300, hosts, ports);
    const PaceLimits limits;
    const auto admitted = Simulation(limits).run(requests);
    EXPECT_EQ(admitted.size(), requests.size());
    EXPECT_LE(most_hosts(admitted, limits.window), 24u);
    EXPECT_LE(most_ports(admitted, limits.window), 12u);
    expect_sip_gaps(admitted, limits.sip_gap);
  }
}

TEST_P(PacerLoad, UnlimitedKeepsOnlyTheSipGap) {
  std::mt19937 random(GetParam());
  const auto requests = random_requests(random, 300, 100, 100);
  PaceLimits limits;
  limits.unlimited = true;
  const auto admitted = Simulation(limits).run(requests);
  EXPECT_EQ(admitted.size(), requests.size());
  EXPECT_GT(most_hosts(admitted, limits.window), 24u);
  expect_sip_gaps(admitted, limits.sip_gap);
  // Nobody else waited.
  std::multiset<Instant> asked, served;
  for (const auto& request : requests) {
    if (!request.request.sip) asked.insert(request.asked);
  }
  for (const auto& [request, at] : admitted) {
    if (!request.sip) served.insert(at);
  }
  EXPECT_EQ(asked, served);
}

INSTANTIATE_TEST_SUITE_P(Pacer, PacerLoad, testing::Range(1u, 9u));

PacedRequest request(int number, std::vector<std::uint16_t> ports) {
  return {host(number), Transport::udp, std::move(ports), false};
}

TEST(Pacer, FillsAWindowAtOnceAndTheNextOneAtItsEnd) {
  std::vector<Request> requests;
  for (int i = 0; i < 72; ++i) requests.push_back({request(i, {443}), start});
  std::map<Instant, int> at;
  for (const auto& one : Simulation(PaceLimits{}).run(requests)) ++at[one.at];
  EXPECT_EQ(at, (std::map<Instant, int>{{start, 24},
                                        {start + milliseconds(10'000), 24},
                                        {start + milliseconds(20'000), 24}}));
}

TEST(Pacer, AHostThatIsKnownCostsNothing) {
  Pacer pacer{PaceLimits{}};
  for (int i = 0; i < 24; ++i) EXPECT_FALSE(pacer.ask(request(i, {443}), start));
  EXPECT_FALSE(pacer.ask(request(0, {80}), start + milliseconds(9'999)));
  EXPECT_EQ(pacer.ask(request(24, {443}), start + milliseconds(9'999)),
            start + milliseconds(10'000));
  // Nothing was reserved: the first that asks gets the place.
  EXPECT_FALSE(pacer.ask(request(25, {443}), start + milliseconds(10'000)));
}

TEST(Pacer, WindowsBeginWhenAContactEnds) {
  Pacer pacer{PaceLimits{}};
  for (int i = 0; i < 24; ++i) EXPECT_FALSE(pacer.ask(request(i, {443}), start));
  // A silent host has had its last packet then, and others are still closing their connections.
  for (int i = 0; i < 24; ++i) pacer.note_end(request(i, {443}), start + milliseconds(3'500));
  EXPECT_EQ(pacer.ask(request(24, {443}), start + milliseconds(10'000)),
            start + milliseconds(13'750));
  EXPECT_FALSE(pacer.ask(request(24, {443}), start + milliseconds(13'750)));
}

TEST(Pacer, AsksOfManyPortsWaitForRoomForAllOfThem) {
  Pacer pacer{PaceLimits{}};
  EXPECT_FALSE(pacer.ask(request(0, {1, 2, 3, 4, 5, 6, 7}), start));
  EXPECT_EQ(pacer.ask(request(0, {11, 12, 13, 14, 15, 16}), start + milliseconds(10)),
            start + milliseconds(10'000));
  EXPECT_FALSE(pacer.ask(request(0, {11, 12, 13, 14, 15}), start + milliseconds(20)));
  EXPECT_FALSE(pacer.ask(request(0, {1, 2, 11}), start + milliseconds(30))) << "all known";
}

TEST(Pacer, AContactOfMorePortsThanAWindowAllowsIsAdmittedAlone) {
  std::vector<std::uint16_t> many;
  for (std::uint16_t port = 1; port <= 40; ++port) many.push_back(port);
  Pacer pacer{PaceLimits{}};
  EXPECT_FALSE(pacer.ask(request(0, {443}), start));
  EXPECT_EQ(pacer.ask(request(0, many), start), start + milliseconds(10'000));
  EXPECT_FALSE(pacer.ask(request(0, many), start + milliseconds(10'000)));
  EXPECT_TRUE(pacer.ask(request(0, {443}), start + milliseconds(10'001)));
}

TEST(Pacer, SipGapsHoldBeyondTheFirstOfEachTransport) {
  Pacer pacer{PaceLimits{}};
  const auto sip = [&](Transport transport, std::uint16_t port, int ms) {
    return pacer.ask({host(0), transport, {port}, true}, start + milliseconds(ms));
  };
  EXPECT_FALSE(sip(Transport::udp, 5060, 0));
  EXPECT_FALSE(sip(Transport::tcp, 5060, 10));
  EXPECT_FALSE(sip(Transport::tls, 5061, 20));
  EXPECT_EQ(sip(Transport::udp, 5080, 30), start + milliseconds(1'020));
  EXPECT_FALSE(sip(Transport::udp, 5080, 1'020));
  // After a minute the first ones of each transport are still remembered.
  EXPECT_FALSE(sip(Transport::udp, 5060, 60'000));
  EXPECT_EQ(sip(Transport::tcp, 5060, 60'500), start + milliseconds(61'000));
}

// A set that wants everything at once, by requests of so many packets: what is sent until then.
int packets_until(RequestBudget& budget, int each, milliseconds until) {
  int sent = 0;
  for (auto now = start; now <= start + until;) {
    const auto when = budget.request("192.0.2.1", each, now);
    if (!when) break;
    if (*when <= now) {
      sent += each;
    } else {
      now = *when;
    }
  }
  return sent;
}

TEST(RequestBudget, BoundsThePacketsToOneDestination) {
  const PaceLimits limits;
  for (const auto each : {1, 4, 10}) {
    for (const auto windows : {0, 1, 3}) {
      RequestBudget budget(limits);
      EXPECT_EQ(packets_until(budget, each, windows * limits.window),
                (windows + 1) * limits.packets_per_host);
    }
    RequestBudget budget(limits);
    EXPECT_EQ(packets_until(budget, each, 1'000 * limits.window), limits.packets_per_host_in_run);
  }
}

TEST(RequestBudget, CountsDestinationsApart) {
  RequestBudget budget({});
  packets_until(budget, 1, milliseconds(0));
  EXPECT_GT(budget.request("192.0.2.1", 1, start), start);
  EXPECT_EQ(budget.request("192.0.2.2", 1, start), start);
}

TEST(RequestBudget, LetsWhatNeedsMoreThanAWindowGoAlone) {
  const PaceLimits limits;
  RequestBudget budget(limits);
  const int many = 3 * limits.packets_per_host;
  EXPECT_EQ(budget.request("192.0.2.1", many, start), start);
  EXPECT_EQ(budget.request("192.0.2.1", 1, start), start + limits.window);
  EXPECT_EQ(budget.request("192.0.2.1", many, start + limits.window), start + limits.window);
}

TEST(RequestBudget, IsWiderInALabButHasAnEnd) {
  PaceLimits limits;
  limits.unlimited = true;
  RequestBudget budget(limits);
  EXPECT_EQ(packets_until(budget, 1, milliseconds(0)), fast_factor * limits.packets_per_host);
}

// However many destinations: a proxy, or a link, carries them all.
TEST(RequestBudget, BoundsThePacketsOfASecondAndOfTheRun) {
  const PaceLimits limits;
  RequestBudget budget(limits);
  int sent = 0, destination = 0;
  auto now = start;
  const auto take = [&](Instant until) {
    while (now <= until) {
      const auto when = budget.request(std::to_string(destination), 10, now);
      if (!when) return;
      if (*when <= now) {
        sent += 10;
        ++destination;
      } else {
        now = *when;
      }
    }
  };
  take(start);
  EXPECT_EQ(sent, limits.packets_at_once);
  take(start + milliseconds(2'000));
  EXPECT_NEAR(sent, limits.packets_at_once + 2 * limits.packets_a_second, 10);
  take(start + std::chrono::hours(10));
  EXPECT_EQ(sent, limits.packets_in_run);
}

TEST(RequestBudget, BoundsLookups) {
  const PaceLimits limits;
  RequestBudget budget(limits);
  int count = 0;
  auto now = start;
  const auto take = [&](Instant until) {
    while (now <= until) {
      const auto when = budget.lookup(now);
      if (!when) return;
      if (*when <= now) {
        ++count;
      } else {
        now = *when;
      }
    }
  };
  take(start);
  EXPECT_EQ(count, limits.lookups_at_once);
  take(start + milliseconds(2'000));
  EXPECT_NEAR(count, limits.lookups_at_once + 2 * limits.lookups_a_second, 1);
  take(start + std::chrono::hours(10));
  EXPECT_EQ(count, limits.lookups_in_run);
}

}  // namespace
}  // namespace callready::pacer_test
