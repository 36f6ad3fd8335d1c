// The runner with checks that only pretend: order, limits, conditions, the end of a run.
#include "probe/engine/runner.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "probe/net/timeouts.hpp"
#include "tests/support/dns_server.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/said.hpp"

namespace callready {
namespace {

using test::Time;

// What the pretended checks do; one test at a time.
struct Script {
  std::map<std::string, milliseconds> takes;  // by host; none: ends at once
  std::map<std::string, Observation> sees;    // by host or address; none: `answered`
  std::set<std::string> throws;               // hosts
  std::set<std::string> lacks_sockets;        // hosts

  std::map<IpAddress, int> inside;  // now
  int most_inside = 0;              // of one address
  int at_work = 0, most_at_work = 0;
  std::vector<std::string> started;  // probe ids
  std::map<std::string, Instant> began;
  std::vector<Instant> allowed;
  int doubtful = 0;                   // jobs
};
Script* script = nullptr;

// Finds a server by itself, as `sip` does with `srv`, and sends it three messages.
asio::awaitable<Observation> find_and_send(checks::Context& context, checks::Job job) {
  script->began[job.probe.id] = context.scope.clock.now();
  const SocketAddress server{IpAddress::v4({192, 0, 2, 1}), 5080};
  for (const auto transport : {Transport::tcp, Transport::udp, Transport::tcp}) {
    const bool allowed = co_await context.sip_manners(server, transport);
    if (allowed) script->allowed.push_back(context.scope.clock.now());
  }
  Observation observation;
  observation.outcome = Outcome::answered;
  co_return observation;
}

asio::awaitable<Observation> pretend(checks::Context& context, checks::Job job) {
  const auto host = job.probe.target.host;
  const auto address = job.address.value_or(IpAddress{});
  script->started.push_back(job.probe.id);
  script->doubtful += job.doubtful ? 1 : 0;
  script->began[job.probe.id] = context.scope.clock.now();
  script->most_inside = std::max(script->most_inside, ++script->inside[address]);
  script->most_at_work = std::max(script->most_at_work, ++script->at_work);
  const auto until = context.scope.clock.now() + script->takes[host];
  const bool slept = co_await sleep_until(context.executor, context.scope, until);
  --script->inside[address];
  --script->at_work;
  namespace errc = boost::system::errc;
  if (script->lacks_sockets.contains(host)) {
    classify(errc::make_error_code(errc::too_many_files_open));
  }
  if (script->throws.contains(host)) throw std::runtime_error("a bug");
  Observation observation;
  observation.outcome = Outcome::answered;
  if (script->sees.contains(host)) observation = script->sees[host];
  const auto by_address = script->sees.find(address.to_string());
  if (by_address != script->sees.end()) observation = by_address->second;
  observation.address = job.address;
  if (!slept) record(observation, stopped());
  co_return observation;
}

// Is answered at once, and goes on for long, as `sip-alg` does.
asio::awaitable<Observation> answer_early(checks::Context& context, checks::Job job) {
  context.first_reply(job.probe);
  const auto until = context.scope.clock.now() + timeouts::udp_reply;
  const bool slept = co_await sleep_until(context.executor, context.scope, until);
  Observation observation;
  if (slept) observation.outcome = Outcome::answered;
  co_return observation;
}

const std::vector<checks::Check> table = {
    {CheckKind::path, "", answer_early, {Transport::udp}, {}},
    {CheckKind::tcp, "", pretend, {Transport::tcp}, {}},
    {CheckKind::sip, "", pretend, {Transport::udp}, {}},
    {CheckKind::nat, "", pretend, {}, {}, false},
    {CheckKind::dns, "", find_and_send, {Transport::udp}, {}, false},
    {CheckKind::ipv6, "", pretend, {Transport::tcp}, {}, true, {}, /*both_families=*/true},
    {CheckKind::media, "", pretend, {}, {}, true, {}, false, /*alone=*/true},
};

struct Fixture {
  Script own;
  test::Loop loop;
  checks::Settings settings;
  RunnerOptions options;
  ProgressCallback progress;
  milliseconds deadline{20'000};
  std::string name_server = "127.0.0.1:9";  // nobody answers there: refused at once
  std::vector<std::string> search_domains = {"search.invalid"};  // not this machine's
  Plan plan;

  explicit Fixture(Time time = Time::real) : loop(time) { script = &own; }
  ~Fixture() { script = nullptr; }

  std::string add(const std::string& host, std::uint16_t port = 443,
                  std::vector<std::string> unless = {}, test::CheckNamed check = CheckKind::tcp) {
    Probe probe;
    probe.check = check;
    probe.target.host = host;
    probe.target.ports = {port, port};
    probe.target.transport = check == CheckKind::sip ? Transport::udp : Transport::tcp;
    probe.id = probe_id(probe);
    PlannedProbe planned;
    planned.probe = probe;
    planned.unless = std::move(unless);
    plan.probes.push_back(std::move(planned));
    return probe.id;
  }

  std::vector<ProbeResult> run() {
    auto tls = *TlsContext::create({});
    AresOptions dns;
    dns.servers = {name_server};
    dns.use_hosts_file = false;
    dns.search_domains = search_domains;
    const auto channel = *AresChannel::create(loop.executor(), dns);
    Resolver resolver(loop.executor(), channel);
    SiteEdge edge(loop.executor());
    const auto end = loop.clock.now() + deadline;
    checks::Context context{loop.executor(), loop.scope, end, resolver, *tls, edge, settings};
    return loop.run(run_probes(plan, context, options, progress, table));
  }
};

std::vector<std::string> ids(const std::vector<ProbeResult>& results) {
  std::vector<std::string> all;
  for (const auto& result : results) all.push_back(result.probe.id);
  return all;
}

Probe tcp_to(std::string host) {
  Probe probe;
  probe.check = CheckKind::tcp;
  probe.target.host = std::move(host);
  probe.target.ports = {443, 443};
  probe.id = probe_id(probe);
  return probe;
}

TEST(Runner, ResultsComeInTheOrderOfThePlan) {
  Fixture run(Time::by_hand);
  std::vector<std::string> planned;
  for (int i = 0; i < 20; ++i) {
    const auto host = fmt::format("127.0.0.{}", i + 1);
    run.own.takes[host] = milliseconds(100 - i);
    planned.push_back(run.add(host));
  }
  EXPECT_EQ(ids(run.run()), planned);
}

// Others' packets would be in what they measure.
TEST(Runner, WhatIsToBeAloneComesLastAndOneByOne) {
  Fixture run(Time::by_hand);
  run.own.takes["127.0.0.2"] = milliseconds(900);
  run.own.takes["127.0.0.1"] = run.own.takes["127.0.0.3"] = milliseconds(500);
  const auto first = run.add("127.0.0.1", 1, {}, CheckKind::media);
  const auto other = run.add("127.0.0.2");
  const auto second = run.add("127.0.0.3", 1, {}, CheckKind::media);
  std::vector<std::pair<std::size_t, std::size_t>> told;
  run.progress = [&](std::size_t done, std::size_t total) { told.emplace_back(done, total); };
  bool done = false;
  run.options.on_plan_done = [&] { done = true; };
  EXPECT_EQ(ids(run.run()), (std::vector<std::string>{first, other, second}));
  const auto& began = run.own.began;
  EXPECT_GE(began.at(first), began.at(other) + milliseconds(900));
  EXPECT_GE(began.at(second), began.at(first) + milliseconds(500));
  EXPECT_EQ(run.own.most_at_work, 1);
  EXPECT_EQ(told.back(), (std::pair<std::size_t, std::size_t>{3, 3}));
  EXPECT_TRUE(done);
}

TEST(Runner, StreamsAloneAreAPlanToo) {
  Fixture run(Time::by_hand);
  run.add("127.0.0.1", 1, {}, CheckKind::media);
  EXPECT_EQ(run.run().front().observation.outcome, Outcome::answered);
}

TEST(Runner, AnEmptyPlanEndsAtOnce) { EXPECT_TRUE(Fixture().run().empty()); }

TEST(Runner, TellsItsProgress) {
  Fixture run;
  for (int i = 1; i < 4; ++i) run.add(fmt::format("127.0.0.{}", i));
  std::vector<std::pair<std::size_t, std::size_t>> told;
  run.progress = [&](std::size_t done, std::size_t total) { told.emplace_back(done, total); };
  run.run();
  EXPECT_EQ(told, (std::vector<std::pair<std::size_t, std::size_t>>{{1, 3}, {2, 3}, {3, 3}}));
}

// What is asked further is waited for, too.
TEST(Runner, NeverTellsThatAllIsDoneBeforeItIs) {
  Fixture run;
  run.add("127.0.0.1");
  int rounds = 0;
  run.options.further = [&](std::vector<ProbeResult>&) {
    std::vector<Probe> more(++rounds > 1 ? 0 : 2);
    for (auto& probe : more) {
      probe.check = CheckKind::tcp;
      probe.target.host = fmt::format("127.0.0.{}", 10 + (&probe - more.data()));
      probe.target.ports = {443, 443};
      probe.id = probe_id(probe);
    }
    return more;
  };
  std::vector<std::pair<std::size_t, std::size_t>> told;
  run.progress = [&](std::size_t done, std::size_t total) { told.emplace_back(done, total); };
  EXPECT_EQ(run.run().size(), 3u);
  EXPECT_EQ(told,
            (std::vector<std::pair<std::size_t, std::size_t>>{{1, 1}, {1, 3}, {2, 3}, {3, 3}}));
}

// Throws at the n-th call of each kind in turn: the run ends by itself, with a result of every
// probe.
TEST(Runner, EndsWhateverACallbackThrows) {
  for (int kind = 0; kind < 3; ++kind) {
    for (int n = 1; n <= 4; ++n) {
      Fixture run(Time::by_hand);
      for (int i = 1; i <= 4; ++i) run.add(fmt::format("127.0.0.{}", i));
      run.options.in_flight = 2;
      int calls = 0;
      const auto strike = [&] {
        if (++calls == n) throw std::runtime_error("a full disk");
      };
      if (kind == 0) run.options.on_result = [&](const ProbeResult&) { strike(); };
      if (kind == 1) run.progress = [&](std::size_t, std::size_t) { strike(); };
      if (kind == 2) {
        run.options.on_plan_done = [&] { throw std::runtime_error("a full disk"); };
      }
      std::exception_ptr trouble;
      run.options.trouble = &trouble;
      const auto results = run.run();
      EXPECT_EQ(results.size(), 4u);
      EXPECT_TRUE(trouble) << kind << ", call " << n;
      EXPECT_TRUE(run.loop.stop.stopped());
    }
  }
}

// What was pretended for the look is taken back also where that throws, and the others go on.
TEST(Runner, GoesOnAfterAnEarlyLookThatThrows) {
  Fixture run(Time::by_hand);
  run.add("127.0.0.1");
  run.add("127.0.0.2");
  const auto until_the_look = timeouts::second_look + timeouts::second_choice;
  run.own.takes["127.0.0.1"] = until_the_look;
  run.own.takes["127.0.0.2"] = 2 * until_the_look;
  std::exception_ptr trouble;
  run.options.trouble = &trouble;
  std::vector<ProbeResult>* results = nullptr;
  int looks = 0;
  run.options.further = [&](std::vector<ProbeResult>& so_far) -> std::vector<Probe> {
    results = &so_far;
    if (++looks > 1) return {};
    EXPECT_EQ(so_far[1].observation.outcome, Outcome::silent);
    throw std::runtime_error("a bug");
  };
  run.options.on_result = [&](const ProbeResult& ended) {
    if (looks == 1 && ended.probe.target.host == "127.0.0.1") {
      EXPECT_EQ((*results)[1].observation.outcome, Outcome::skipped);
    }
  };
  const auto all = run.run();
  EXPECT_EQ(looks, 2);
  EXPECT_TRUE(trouble);
  ASSERT_EQ(all.size(), 2u);
  for (const auto& one : all) EXPECT_EQ(one.observation.outcome, Outcome::answered);
}

TEST(Runner, KeepsTheLimitPerAddressAndUsesIt) {
  Fixture run(Time::by_hand);
  for (std::uint16_t port = 1; port <= 30; ++port) run.add("127.0.0.1", port);
  run.own.takes["127.0.0.1"] = milliseconds(10);
  const auto start = run.loop.clock.now();
  const auto results = run.run();
  EXPECT_EQ(run.own.most_inside, 4);
  EXPECT_EQ(run.loop.clock.now() - start, milliseconds(80));  // 30 by fours
  for (const auto& result : results) EXPECT_EQ(result.observation.outcome, Outcome::answered);
}

TEST(Runner, KeepsTheLimitPerProxy) {
  Fixture run(Time::by_hand);
  for (std::uint16_t port = 1; port <= 40; ++port) {
    run.add("name.invalid", port);
    run.plan.probes.back().probe.target.route.proxy = "http://proxy:3128";
  }
  run.own.takes["name.invalid"] = milliseconds(10);
  run.run();
  EXPECT_EQ(run.own.most_at_work, 16);
}

TEST(Runner, KeepsTheLimitOfProbesInFlight) {
  Fixture run(Time::by_hand);
  run.options.in_flight = 7;
  for (int i = 1; i <= 30; ++i) {
    const auto host = fmt::format("127.0.0.{}", i);
    run.own.takes[host] = milliseconds(10);
    run.add(host);
  }
  run.run();
  EXPECT_EQ(run.own.most_at_work, 7);
}

TEST(Runner, AlternatesAreMadeOnlyWhereTheFirstChoiceWasNotReached) {
  for (const auto outcome : {Outcome::answered, Outcome::silent, Outcome::refused}) {
    Fixture run(Time::by_hand);
    // The alternate stands first in the plan and still waits.
    run.add("127.0.0.2", 5080, {"tcp/tcp/127.0.0.1:443"});
    run.add("127.0.0.1");
    run.own.takes["127.0.0.1"] = milliseconds(50);
    run.own.sees["127.0.0.1"].outcome = outcome;
    const auto results = run.run();
    const auto& alternate = results[0].observation;
    if (outcome == Outcome::answered) {
      EXPECT_EQ(alternate.outcome, Outcome::skipped);
      EXPECT_EQ(alternate.detail, DetailCode::not_needed);
      EXPECT_EQ(run.own.started.size(), 1u);
    } else {
      EXPECT_EQ(alternate.outcome, Outcome::answered);
      EXPECT_EQ(run.own.started.size(), 2u);
    }
  }
}

TEST(Runner, AlternatesDoNotWaitForTheWholeTimeoutOfTheFirstChoice) {
  for (const bool answers_late : {false, true}) {
    Fixture run(Time::by_hand);
    const auto first = run.add("192.0.2.1", 5060, {}, "sip");
    const auto second = run.add("192.0.2.2", 5080, {first}, "sip");
    run.own.takes["192.0.2.1"] = timeouts::udp_reply;
    if (!answers_late) run.own.sees["192.0.2.1"].outcome = Outcome::silent;
    const auto results = run.run();
    EXPECT_EQ(run.own.began[second] - run.own.began[first], timeouts::second_choice);
    EXPECT_EQ(results[1].observation.outcome, Outcome::answered);
  }
}

TEST(Runner, AnAnswerThatComesBeforeACheckEndsIsEnoughForAlternates) {
  Fixture run(Time::by_hand);
  const auto first = run.add("192.0.2.1", 5060, {}, CheckKind::path);
  run.add("192.0.2.2", 5080, {first}, "sip");
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::answered);
  EXPECT_EQ(results[1].observation.detail, DetailCode::not_needed);
}

// A second round: what is still silent counts as such after a while, and at the end as it came.
TEST(Runner, AsksFurtherBesideWhatIsOverdueAndAtTheEnd) {
  Fixture run(Time::by_hand);
  const auto quick = run.add("192.0.2.1");
  const auto slow = run.add("192.0.2.2");
  run.own.takes["192.0.2.2"] = timeouts::tcp_connect;
  run.own.sees["192.0.2.2"].outcome = Outcome::silent;
  std::vector<std::vector<std::string>> outcomes;
  bool plan_done = false;
  bool slow_ended = false;
  run.options.on_result = [&](const ProbeResult& result) {
    if (result.probe.id == slow) slow_ended = true;
  };
  run.options.on_plan_done = [&] {
    plan_done = true;
    EXPECT_TRUE(slow_ended) << "what was asked for early ends first, and is no part of the plan";
  };
  run.options.further = [&](std::vector<ProbeResult>& so_far) {
    std::vector<std::string> seen;
    for (const auto& result : so_far) seen.emplace_back(to_string(result.observation.outcome));
    outcomes.push_back(seen);
    EXPECT_EQ(plan_done, outcomes.size() > 1);
    std::vector<Probe> more;
    if (outcomes.size() < 3) more = {tcp_to(fmt::format("192.0.2.{}", 10 + outcomes.size()))};
    return more;
  };
  const auto results = run.run();
  using Words = std::vector<std::string>;
  EXPECT_EQ(outcomes, (std::vector<Words>{{"answered", "silent"},
                                          {"answered", "silent", "answered"},
                                          {"answered", "silent", "answered", "answered"}}));
  ASSERT_EQ(results.size(), 4u);
  EXPECT_EQ(run.own.began[results[2].probe.id] - run.own.began[quick], timeouts::second_look);
  EXPECT_EQ(run.own.began[results[3].probe.id] - run.own.began[slow], timeouts::tcp_connect);
}

// A question of the first look may take longer than all of the plan: the rest does not wait for it.
TEST(Runner, AsksFurtherWhenThePlanHasEnded) {
  Fixture run(Time::by_hand);
  run.add("192.0.2.1");
  const auto slow = run.add("192.0.2.2");
  run.own.takes["192.0.2.2"] = timeouts::second_look + milliseconds(1'000);
  run.own.takes["192.0.2.11"] = timeouts::hop;
  auto to_the_edge = tcp_to("192.0.2.20");
  to_the_edge.with["stop_on_the_way"] = "true";
  to_the_edge.id = probe_id(to_the_edge);
  std::vector<std::string> outcomes;  // of the question of the first look
  run.options.further = [&](std::vector<ProbeResult>& so_far) {
    outcomes.emplace_back(so_far.size() < 3 ? "" : to_string(so_far[2].observation.outcome));
    std::vector<Probe> more{tcp_to(fmt::format("192.0.2.{}", 10 + outcomes.size()))};
    if (outcomes.size() > 1) more.push_back(to_the_edge);
    return more;
  };
  const auto results = run.run();
  EXPECT_EQ(outcomes, (std::vector<std::string>{"", "skipped", "answered"})) << "not ended yet";
  ASSERT_EQ(results.size(), 6u);
  EXPECT_EQ(run.own.began[results[3].probe.id] - run.own.began[slow], run.own.takes["192.0.2.2"]);
  EXPECT_EQ(run.own.began[to_the_edge.id] - run.own.began[results[2].probe.id], timeouts::hop)
      << "the edge's router has others to answer first";
}

// All ended before the first look: what that shows is asked about, too, and no more than that.
TEST(Runner, AsksAboutWhatTheLastLookShowed) {
  for (const int useful : {1, 2, 9}) {
    Fixture run(Time::by_hand);
    run.add("192.0.2.1");
    int looks = 0;
    run.options.further = [&](std::vector<ProbeResult>& so_far) {
      EXPECT_EQ(so_far.size(), static_cast<std::size_t>(1 + looks));
      std::vector<Probe> more;
      if (++looks <= useful) more = {tcp_to(fmt::format("192.0.2.{}", 10 + looks))};
      return more;
    };
    const auto results = run.run();
    EXPECT_EQ(looks, std::min(useful + 1, most_rounds));
    EXPECT_EQ(results.size(), static_cast<std::size_t>(1 + std::min(useful, most_rounds)));
    for (const auto& one : results) EXPECT_EQ(one.observation.outcome, Outcome::answered);
  }
}

// Early looks that ask nothing leave their rounds to the end.
TEST(Runner, ALookThatAsksNothingIsNoRound) {
  Fixture run(Time::by_hand);
  run.add("192.0.2.1");
  run.add("192.0.2.2");
  run.own.takes["192.0.2.2"] = timeouts::second_look + milliseconds(500);
  int looks = 0;
  run.options.further = [&](std::vector<ProbeResult>&) {
    std::vector<Probe> more;
    if (++looks > 1) more = {tcp_to(fmt::format("192.0.2.{}", 10 + looks))};
    return more;
  };
  const auto results = run.run();
  EXPECT_EQ(looks, 1 + most_rounds);
  EXPECT_EQ(results.size(), static_cast<std::size_t>(2 + most_rounds));
}

// The first choice was reached, and is of no use: its alternate is made once, early or at the end.
TEST(Runner, MakesAnAlternateThatIsNeededAfterAll) {
  for (const auto look : {std::size_t{1}, std::size_t{2}}) {
    Fixture run(Time::by_hand);
    const auto first = run.add("192.0.2.1", 5060, {}, "sip");
    const auto alternate = run.add("192.0.2.2", 5080, {first}, "sip");
    const auto slow = run.add("192.0.2.3");
    run.own.takes["192.0.2.3"] = timeouts::tcp_connect;
    int plan_done = 0;
    std::size_t looks = 0;
    std::size_t left_out = 0;  // looks that found it so
    run.options.on_plan_done = [&] { ++plan_done; };
    run.options.further = [](std::vector<ProbeResult>&) { return std::vector<Probe>(); };
    run.options.needed_after_all = [&](std::vector<ProbeResult>& so_far) {
      if (so_far[1].observation.detail == DetailCode::not_needed) ++left_out;
      const bool now = ++looks == look;
      return now ? std::vector<std::string>{alternate, slow, "none"} : std::vector<std::string>();
    };
    std::vector<std::pair<std::size_t, std::size_t>> told;
    run.progress = [&](std::size_t done, std::size_t total) { told.emplace_back(done, total); };
    const auto results = run.run();
    EXPECT_EQ(looks, 2u);
    EXPECT_EQ(left_out, look);
    EXPECT_EQ(results[1].observation.outcome, Outcome::answered);
    EXPECT_EQ(run.own.started.size(), 3u);
    EXPECT_EQ(plan_done, 1);
    EXPECT_EQ(told.back(), (std::pair<std::size_t, std::size_t>(3, 3)));
    const auto when = look == 1 ? milliseconds(timeouts::second_look) : timeouts::tcp_connect;
    EXPECT_EQ(run.own.began[alternate] - run.own.began[first], when);
  }
}

TEST(Runner, AsksNothingFurtherEarlyWhereThePacerHoldsProbesBack) {
  Fixture run(Time::by_hand);
  run.options.pace.hosts = 1;
  run.deadline = milliseconds(60'000);
  run.add("192.0.2.1");
  run.add("192.0.2.2");
  int asked = 0;
  run.options.further = [&](std::vector<ProbeResult>& so_far) {
    ++asked;
    for (const auto& result : so_far) EXPECT_EQ(result.observation.outcome, Outcome::answered);
    return std::vector<Probe>();
  };
  run.run();
  EXPECT_EQ(asked, 1);
}

// It finds its addresses by itself, and meets a host all the same.
TEST(Runner, TheIpv6ChecksHostCountsInThePace) {
  Fixture run(Time::by_hand);
  run.options.pace.hosts = 1;
  run.deadline = milliseconds(60'000);
  const auto first = run.add("192.0.2.1");
  const auto second = run.add("192.0.2.2", 443, {}, CheckKind::ipv6);
  run.run();
  EXPECT_GE(run.own.began[second] - run.own.began[first], run.options.pace.window);
}

// Twelve ports of one host are all that the manners allow within ten seconds.
TEST(Runner, AlternatesForWhichThePaceHasNoRoomAreLeftOut) {
  for (const bool patient : {false, true}) {
    Fixture run(Time::by_hand);
    run.options.in_flight = 64;
    run.options.stand_ins_wait = patient;
    Observation nothing;
    nothing.outcome = Outcome::silent;
    run.own.sees["192.0.2.1"] = nothing;
    run.own.takes["192.0.2.1"] = timeouts::tcp_connect;
    const auto first = run.add("192.0.2.1", 5060);
    for (std::uint16_t port = 5061; port <= 5080; ++port) run.add("192.0.2.1", port, {first});
    run.deadline = milliseconds(60'000);
    const auto start = run.loop.clock.now();
    const auto results = run.run();
    const auto took = run.loop.clock.now() - start;
    const auto left_out = std::count_if(results.begin(), results.end(), [](const auto& result) {
      return result.observation.outcome == Outcome::skipped &&
             result.observation.detail == DetailCode::no_room;
    });
    EXPECT_EQ(left_out, patient ? 0 : 9);
    EXPECT_EQ(run.own.started.size(), patient ? 21u : 12u);
    EXPECT_EQ(took > milliseconds(15'000), patient);
  }
}

// A resolver that blocks names gives all of them such an address. An address on the Internet may
// well answer on its other ports.
TEST(Runner, PortsOfASilentAddressOutsideTheInternetDoNotWaitForThePace) {
  for (const bool special : {false, true}) {
    Fixture run(Time::by_hand);
    run.options.in_flight = 64;
    const std::string address = special ? "10.66.66.66" : "8.8.8.8";
    Observation nothing;
    nothing.outcome = Outcome::silent;
    run.own.sees[address] = nothing;
    run.own.takes[address] = timeouts::tcp_connect;
    for (std::uint16_t port = 5060; port < 5080; ++port) run.add(address, port);
    run.deadline = milliseconds(60'000);
    const auto results = run.run();
    const auto left_out = std::ranges::count(results, DetailCode::no_room, [](const auto& result) {
      return result.observation.detail.code();
    });
    EXPECT_EQ(left_out, special ? 8 : 0);
  }
}

// What a row asks on its own account waits for the pace, however long.
TEST(Runner, OnlyAlternatesAreLeftOut) {
  Fixture run(Time::by_hand);
  for (std::uint16_t port = 5060; port < 5074; ++port) run.add("192.0.2.1", port);
  const auto results = run.run();
  EXPECT_EQ(run.own.started.size(), 14u);
  for (const auto& result : results) EXPECT_EQ(result.observation.outcome, Outcome::answered);
}

TEST(Runner, OneAlternateByEachTransportComesBeforeASecond) {
  Fixture run(Time::by_hand);
  Observation nothing;
  nothing.outcome = Outcome::silent;
  run.own.sees["127.0.0.1"] = nothing;
  run.own.takes["127.0.0.1"] = timeouts::tcp_connect;
  std::string first;
  for (std::uint16_t port = 1; port <= 4; ++port) first = run.add("127.0.0.1", port);
  const auto second_udp = run.add("127.0.0.1", 12, {first}, "sip");
  run.plan.probes.back().round = 1;
  const auto third_udp = run.add("127.0.0.1", 13, {first}, "sip");
  run.plan.probes.back().round = 2;
  const auto first_udp = run.add("127.0.0.1", 11, {first}, "sip");
  const auto first_tcp = run.add("127.0.0.1", 21, {first});
  run.options.per_address = 4;
  run.run();
  ASSERT_EQ(run.own.started.size(), 8u);
  const std::vector<std::string> after(run.own.started.begin() + 4, run.own.started.end());
  EXPECT_EQ(after, (std::vector<std::string>{first_udp, first_tcp, second_udp, third_udp}));
}

TEST(Runner, AHostThatIsSilentIsAskedOtherPortsWithLessPatience) {
  for (const bool heard : {false, true}) {
    Fixture run(Time::by_hand);
    Observation nothing;
    nothing.outcome = Outcome::silent;
    run.own.takes["127.0.0.1"] = timeouts::tcp_connect;
    run.own.sees["127.0.0.1"] = nothing;
    if (heard) run.own.sees["127.0.0.1"].outcome = Outcome::refused;
    for (std::uint16_t port = 1; port <= 5; ++port) run.add("127.0.0.1", port);
    run.run();
    EXPECT_EQ(run.own.doubtful, heard ? 0 : 1) << "the fifth, once the first four have ended";
  }
}

// RFC 6298 over what others' answers take: a far network's silence is no silence yet.
TEST(Runner, AStandInForWhatIsOverdueHasLessPatienceWhereOthersAnswerSooner) {
  for (const auto trip : {milliseconds(40), milliseconds(640)}) {
    Fixture run(Time::by_hand);
    Observation nothing, near;
    nothing.outcome = Outcome::silent;
    near.outcome = Outcome::connected;
    near.round_trip = trip;
    run.own.takes["127.0.0.1"] = timeouts::tcp_connect;
    run.own.sees["127.0.0.1"] = nothing;
    run.own.takes["127.0.0.2"] = trip;
    run.own.sees["127.0.0.2"] = near;
    run.add("127.0.0.2");
    const auto first = run.add("127.0.0.1");
    const auto second = run.add("127.0.0.1", 444, {first});
    run.run();
    EXPECT_EQ(run.own.began.at(second) - run.own.began.at(first), timeouts::second_stream_choice);
    EXPECT_EQ(run.own.doubtful, trip < timeouts::silent_host_margin ? 1 : 0);
  }
}

TEST(Runner, ItsWaitsAreOfThoseThatAreSent) {
  Fixture run(Time::by_hand);
  Observation nothing;
  nothing.outcome = Outcome::silent;
  run.own.takes["127.0.0.1"] = milliseconds(1250);
  run.own.sees["127.0.0.1"] = nothing;
  run.own.takes["127.0.0.2"] = milliseconds(50);
  const auto answered = run.add("127.0.0.2");
  run.add("127.0.0.1", 5060, {}, CheckKind::sip);
  run.add("127.0.0.2", 444, {answered});  // not needed: not sent
  Waits waits(run.loop.clock.now());
  run.options.waits = &waits;
  run.run();
  ASSERT_TRUE(waits.longest());
  EXPECT_EQ(waits.longest()->check, CheckKind::sip);
  EXPECT_FALSE(waits.longest()->answered);
  EXPECT_EQ(waits.longest()->took, milliseconds(1200));
  EXPECT_FALSE(waits.now()) << "all have ended";
}

TEST(Runner, ManyAlternatesDoNotHoldThePlacesOfWhatTheyWaitFor) {
  Fixture run(Time::by_hand);
  run.options.in_flight = 2;
  for (std::uint16_t port = 1; port <= 10; ++port) {
    run.add("127.0.0.2", port, {"tcp/tcp/127.0.0.1:443"});
  }
  run.add("127.0.0.1");
  run.own.takes["127.0.0.1"] = milliseconds(50);
  for (const auto& result : run.run()) EXPECT_NE(result.observation.detail, DetailCode::stopped);
}

TEST(Runner, WhatNeedsAnAnswerIsMadeOnlyAfterOne) {
  Fixture run(Time::by_hand);
  run.options.in_flight = 1;  // what waits must not hold the place of what it waits for
  run.own.takes["127.0.0.2"] = milliseconds(100);
  run.own.sees["127.0.0.2"].outcome = Outcome::silent;
  const auto after_one = run.add("127.0.0.9", 5061, {}, "sip");
  const auto after_none = run.add("127.0.0.9", 5062, {}, "sip");
  const auto silent = run.add("127.0.0.2", 5060, {}, "sip");
  const auto answers = run.add("127.0.0.3", 5060, {silent}, "sip");
  run.plan.probes[0].given = {silent, answers};
  run.plan.probes[1].given = {silent};
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::answered);
  EXPECT_EQ(results[1].observation.outcome, Outcome::skipped);
  EXPECT_EQ(results[1].observation.detail, DetailCode::server_silent);
  EXPECT_EQ(run.own.started, (std::vector<std::string>{silent, answers, after_one}));
}

TEST(Runner, WithOnePlaceNobodyWaitsForThoseBehind) {
  Fixture run(Time::by_hand);
  run.options.in_flight = 1;
  // A chain of alternates, the last of which comes first and weighs most.
  const auto last = run.add("127.0.0.3", 443, {"tcp/tcp/127.0.0.2:443"});
  run.plan.probes[0].severity = Severity::required;
  const auto second = run.add("127.0.0.2", 443, {"tcp/tcp/127.0.0.1:443"});
  run.plan.probes[1].severity = Severity::optional;
  const auto first = run.add("127.0.0.1");
  for (const auto* host : {"127.0.0.1", "127.0.0.2"}) {
    run.own.sees[host].outcome = Outcome::silent;
  }
  const auto results = run.run();
  EXPECT_EQ(run.own.started, (std::vector<std::string>{first, second, last}));
  EXPECT_EQ(results[0].observation.outcome, Outcome::answered);
}

TEST(Runner, SilenceWithoutSocketsIsNotTheNetworks) {
  Fixture run(Time::by_hand);
  run.options.in_flight = 1;
  run.own.lacks_sockets = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
  run.own.sees["127.0.0.1"].outcome = Outcome::silent;
  run.own.sees["127.0.0.1"].detail = DetailCode::timed_out;
  run.own.sees["127.0.0.2"].outcome = Outcome::refused;
  run.own.sees["127.0.0.4"].outcome = Outcome::silent;
  for (int i = 1; i <= 4; ++i) run.add(fmt::format("127.0.0.{}", i));
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::skipped);
  EXPECT_EQ(results[0].observation.detail, DetailCode::out_of_resources);
  ASSERT_EQ(results[0].observation.evidence.size(), 1u);
  EXPECT_EQ(std::get<std::string>(results[0].observation.evidence[0].facts.at(Fact::outcome)),
            "silent");
  EXPECT_EQ(results[1].observation.outcome, Outcome::refused) << "somebody's own answer";
  EXPECT_EQ(results[2].observation.outcome, Outcome::answered);
  EXPECT_EQ(results[3].observation.outcome, Outcome::silent) << "enough sockets then";
}

TEST(Runner, SipServersThatACheckFindsAreASecondApartToo) {
  Fixture run(Time::by_hand);
  run.options.pace.unlimited = true;
  const auto first = run.add("192.0.2.1", 5060, {}, "sip");
  const auto found = run.add("finds.example.com", 5060, {}, CheckKind::dns);
  run.run();
  ASSERT_EQ(run.own.allowed.size(), 3u);
  // Over another transport at once, over one that has been used after the gap.
  EXPECT_EQ(run.own.allowed[0] - run.own.began[found], milliseconds(0));
  EXPECT_EQ(run.own.allowed[1] - run.own.began[first], milliseconds(1'000));
  EXPECT_EQ(run.own.allowed[2] - run.own.began[first], milliseconds(2'000));
}

TEST(Runner, AStopEndsEverythingAtOnceAndKeepsWhatWasSeen) {
  Fixture run(Time::by_hand);
  run.add("127.0.0.1");
  run.own.takes["127.0.0.1"] = milliseconds(10);
  // At work, in line, waiting for another, and not begun.
  for (std::uint16_t port = 1; port <= 10; ++port) run.add("127.0.0.2", port);
  run.own.takes["127.0.0.2"] = milliseconds(15'000);
  run.add("127.0.0.3", 443, {"tcp/tcp/127.0.0.2:1"});
  run.options.in_flight = 8;
  const auto start = run.loop.clock.now();
  const auto stop =
      run.loop.clock.call_at(start + milliseconds(100), [&] { run.loop.stop.stop(); });
  const auto results = run.run();
  EXPECT_EQ(run.loop.clock.now() - start, milliseconds(100));
  EXPECT_EQ(results[0].observation.outcome, Outcome::answered);
  for (std::size_t i = 1; i < results.size(); ++i) {
    EXPECT_EQ(results[i].observation.outcome, Outcome::skipped) << results[i].probe.id;
    EXPECT_EQ(results[i].observation.detail, DetailCode::stopped) << results[i].probe.id;
  }
  EXPECT_EQ(run.own.started.size(), 5u) << "nothing is begun after a stop";
}

TEST(Runner, AStopBeforeTheStartSendsNothing) {
  Fixture run;
  run.add("127.0.0.1");
  run.add("", 0, {}, "nat");
  run.loop.stop.stop();
  for (const auto& result : run.run()) EXPECT_EQ(result.observation.detail, DetailCode::stopped);
  EXPECT_TRUE(run.own.started.empty());
}

TEST(Runner, ACheckThatThrowsTakesNobodyAlong) {
  Fixture run(Time::by_hand);
  // More throw than the address has places.
  for (std::uint16_t port = 1; port <= 10; ++port) run.add("127.0.0.1", port);
  run.own.throws.insert("127.0.0.1");
  run.add("127.0.0.2");
  run.add("127.0.0.3", 443, {"tcp/tcp/127.0.0.1:1"});
  const auto results = run.run();
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(results[i].observation.outcome, Outcome::skipped);
    EXPECT_EQ(results[i].observation.detail, DetailCode::internal_error) << results[i].probe.id;
  }
  EXPECT_EQ(results[10].observation.outcome, Outcome::answered);
  EXPECT_EQ(results[11].observation.outcome, Outcome::answered) << "it waited for one that threw";
}

TEST(Runner, AnUnknownCheckIsSkipped) {
  Fixture run;
  run.add("127.0.0.1", 443, {}, CheckKind::ntp);  // not in this table
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::skipped);
  EXPECT_EQ(results[0].observation.detail, DetailCode::no_such_check);
}

TEST(Runner, ANameThatCannotBeResolvedIsNotTried) {
  Fixture run;
  run.add("name.invalid");
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::unresolved);
  EXPECT_EQ(results[0].observation.detail, DetailCode::dns_unreachable);
  EXPECT_TRUE(run.own.started.empty());
}

// Answers with these addresses, whatever the name.
test::DnsServer::Handler names(std::optional<IpAddress> v4, std::optional<IpAddress> v6) {
  return [v4, v6](const test::DnsServer::Asked& asked) {
    auto reply = asked.reply();
    const bool wants_v6 = asked.message.question_type == dns::type_aaaa;
    const auto& address = wants_v6 ? v6 : v4;
    if (address) {
      const auto& bytes = address->bytes();
      reply.answer(asked.message.question_type,
                   test::Bytes(bytes.begin(), bytes.begin() + address->bits() / 8));
    }
    return std::optional(reply.bytes());
  };
}

const auto home_v4 = IpAddress::parse("127.0.0.1");
const auto home_v6 = IpAddress::parse("::1");

TEST(Runner, ANameIsAskedForOnce) {
  Fixture run;
  test::DnsServer server(run.loop, names(home_v4, home_v6));
  run.name_server = server.text();
  for (std::uint16_t port = 1; port <= 20; ++port) run.add("host.example", port);
  for (const auto& result : run.run()) {
    EXPECT_EQ(result.observation.outcome, Outcome::answered);
    EXPECT_EQ(result.observation.address, home_v4);
  }
  EXPECT_EQ(server.asked_udp, 1);
}

// What lies behind a name's second address is asked only where it has one.
TEST(Runner, AsksAtTheSecondAddressOfAName) {
  for (const int addresses : {1, 2}) {
    Fixture run;
    test::DnsServer server(run.loop, [&](const test::DnsServer::Asked& asked) {
      auto reply = asked.reply();
      for (std::uint8_t last = 1; last <= addresses; ++last)
        reply.answer(asked.message.question_type, test::Bytes{127, 0, 0, last});
      return std::optional(reply.bytes());
    });
    run.name_server = server.text();
    run.options.v6 = false;
    run.add("host.example");
    auto& probe = run.plan.probes.back().probe;
    probe.with["address"] = "next";
    probe.purpose = Purpose::repeat;
    const auto seen = run.run().front().observation;
    EXPECT_EQ(seen.outcome, addresses == 1 ? Outcome::skipped : Outcome::answered);
    if (addresses == 1) continue;
    EXPECT_EQ(seen.address, IpAddress::parse("127.0.0.2"));
  }
}

TEST(Runner, TakesIpv6WhereANameHasNothingElse) {
  Fixture run;
  test::DnsServer server(run.loop, names({}, home_v6));
  run.name_server = server.text();
  run.add("host.example");
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::answered);
  EXPECT_EQ(results[0].observation.address, home_v6);
}

TEST(Runner, TakesIpv6WhereThisMachineHasNoWayToIpv4) {
  Fixture run;
  test::DnsServer server(run.loop, names(home_v4, home_v6));
  run.name_server = server.text();
  run.add("host.example");
  auto& no_route = run.own.sees["127.0.0.1"];
  no_route.outcome = Outcome::skipped;
  no_route.detail = DetailCode::no_route;
  EXPECT_EQ(run.run()[0].observation.address, home_v6);
  run.options.v6 = false;
  EXPECT_EQ(run.run()[0].observation.detail, DetailCode::no_route);
}

TEST(Runner, ANameWithoutAnyAddressKeepsItsFirstAnswer) {
  Fixture run;
  test::DnsServer server(run.loop, names({}, {}));
  run.name_server = server.text();
  run.add("host.example");
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::unresolved);
  EXPECT_EQ(results[0].observation.detail, DetailCode::no_address);
  EXPECT_TRUE(results[0].observation.timing_ms.contains(Timing::dns));
}

TEST(Runner, AMissingNameIsCompletedAsProgramsDo) {
  Fixture run;
  run.search_domains = {"lyon.example", "corp.example"};
  std::multiset<std::string> asked_for;
  test::DnsServer server(run.loop, [&](const test::DnsServer::Asked& asked) {
    const auto& name = asked.message.question;
    asked_for.insert(name);
    auto reply = asked.reply();
    reply.flags = 0x8183;  // NXDOMAIN
    if (name.ends_with(".corp.example")) {
      reply.flags = 0x8180;
      reply.answer(dns::type_a, {10, 1, 2, 3});
    }
    return std::optional(reply.bytes());
  });
  run.name_server = server.text();
  for (const auto* host : {"a.gone.example", "b.gone.example", "c.gone.example", "d.gone.example"})
    run.add(host);
  run.add("a.gone.example", 444);
  int told = 0;
  for (const auto& result : run.run()) {
    EXPECT_EQ(result.observation.detail, DetailCode::no_such_name);
    EXPECT_FALSE(result.observation.address) << "it is told, and not gone to";
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind != EvidenceKind::search_domain) continue;
      ++told;
      EXPECT_EQ(text_fact(evidence, Fact::name), result.probe.target.host + ".corp.example");
      EXPECT_EQ(text_fact(evidence, Fact::address), "10.1.2.3");
    }
  }
  EXPECT_EQ(told, 4) << "three names, and one of them twice";
  EXPECT_EQ(asked_for.size(), 4u + 3u * 2u);
  EXPECT_EQ(asked_for.count("a.gone.example.corp.example"), 1u);
}

TEST(Runner, AShortNameIsCompletedAndGoneTo) {
  Fixture run;
  run.search_domains = {"lyon.example", "corp.example"};
  std::vector<std::string> asked_for;
  test::DnsServer server(run.loop, [&](const test::DnsServer::Asked& asked) {
    asked_for.push_back(asked.message.question);
    auto reply = asked.reply();
    reply.flags = 0x8183;  // NXDOMAIN
    if (asked.message.question == "pbx.corp.example") {
      reply.flags = 0x8180;
      reply.answer(dns::type_a, {127, 0, 0, 9});
    }
    return std::optional(reply.bytes());
  });
  run.name_server = server.text();
  run.add("pbx");
  run.add("sbc");
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.address, IpAddress::parse("127.0.0.9"));
  EXPECT_EQ(results[1].observation.detail, DetailCode::no_such_name);
  EXPECT_EQ(std::set<std::string>(asked_for.begin(), asked_for.end()),
            (std::set<std::string>{"pbx.lyon.example", "pbx.corp.example", "sbc.lyon.example",
                                   "sbc.corp.example", "sbc"}));
}

TEST(Runner, ChecksWithoutAnAddressAreNotResolved) {
  Fixture run;
  run.add("", 0, {}, "nat");
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::answered);
}

TEST(Runner, TheProxyResolvesWhatGoesThroughIt) {
  Fixture run;
  run.add("name.invalid");
  run.plan.probes[0].probe.target.route.proxy = "http://proxy:3128";
  const auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::answered);
  EXPECT_EQ(results[0].observation.address, std::nullopt);
}

TEST(Runner, AddressesOfAnExcludedFamilyAreNotTried) {
  Fixture run;
  run.options.v6 = false;
  run.add("::1");
  run.add("127.0.0.1");
  auto results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::skipped);
  EXPECT_EQ(results[0].observation.detail, DetailCode::other_family);
  EXPECT_EQ(results[1].observation.outcome, Outcome::answered);
  run.options = {};
  run.options.v4 = false;
  results = run.run();
  EXPECT_EQ(results[0].observation.outcome, Outcome::answered);
  EXPECT_EQ(results[0].observation.address, IpAddress::parse("::1"));
  EXPECT_EQ(results[1].observation.detail, DetailCode::other_family);
}

TEST(Runner, WhatComparesTheFamiliesNeedsBoth) {
  Fixture run;
  run.add("127.0.0.1", 443, {}, CheckKind::ipv6);
  EXPECT_EQ(run.run()[0].observation.outcome, Outcome::answered);
  for (auto* const family : {&run.options.v4, &run.options.v6}) {
    *family = false;
    EXPECT_EQ(run.run()[0].observation.detail, DetailCode::other_family);
    *family = true;
  }
}

TEST(Runner, IsPacedBeyondLoopback) {
  Fixture run(Time::by_hand);
  for (int i = 1; i <= 30; ++i) run.add(fmt::format("192.0.2.{}", i));
  run.deadline = milliseconds(60'000);
  const auto start = run.loop.clock.now();
  run.run();
  int first = 0, second = 0;
  for (const auto& [id, at] : run.own.began) {
    if (at == start) ++first;
    if (at == start + milliseconds(10'250)) ++second;
  }
  EXPECT_EQ(first, 24);
  EXPECT_EQ(second, 6);
}

TEST(Runner, CountsAllPortsOfASample) {
  Fixture run(Time::by_hand);
  for (std::uint16_t first = 1; first <= 3; ++first) {
    run.add("192.0.2.1", first);
    auto& target = run.plan.probes.back().probe.target;
    for (std::uint16_t i = 0; i < 6; ++i) {
      target.sample.push_back(static_cast<std::uint16_t>(first * 100 + i));
    }
  }
  run.deadline = milliseconds(60'000);
  const auto start = run.loop.clock.now();
  run.run();
  std::multiset<std::chrono::milliseconds> after;
  for (const auto& [id, at] : run.own.began) {
    after.insert(std::chrono::duration_cast<milliseconds>(at - start));
  }
  EXPECT_EQ(after,
            (std::multiset<milliseconds>{milliseconds(0), milliseconds(0), milliseconds(10'250)}));
}

TEST(Runner, SipMessagesToOneServerAreASecondApart) {
  Fixture run(Time::by_hand);
  run.options.pace.unlimited = true;
  const auto first = run.add("192.0.2.1", 5060, {}, "sip");
  const auto second = run.add("192.0.2.1", 5080, {}, "sip");
  run.run();
  EXPECT_EQ(run.own.began[second] - run.own.began[first], milliseconds(1'000));
}

// Twenty probes, of which the last two are controls, in one burst but for a head start.
struct Burst : Fixture {
  Burst() : Fixture(Time::by_hand) {
    options.pace.unlimited = true;
    for (int i = 1; i <= 20; ++i) all.push_back(add(fmt::format("127.0.0.{}", i)));
    for (const std::size_t i : {18U, 19U}) plan.probes[i].probe.purpose = Purpose::control;
  }
  milliseconds began(const std::string& id) {
    return std::chrono::duration_cast<milliseconds>(own.began[id] - start);
  }
  std::vector<std::string> all;
  Instant start = loop.clock.now();
};

TEST(Runner, WithoutAPaceTheFirstGoAheadUntilTwoHaveAnswered) {
  Burst run;
  for (int i = 1; i <= 20; ++i) run.own.takes[fmt::format("127.0.0.{}", i)] = milliseconds(1'000);
  run.own.takes["127.0.0.19"] = milliseconds(40);
  run.own.takes["127.0.0.20"] = milliseconds(60);
  EXPECT_EQ(ids(run.run()), run.all);
  for (const std::size_t ahead : {18U, 19U, 0U, 5U})
    EXPECT_EQ(run.began(run.all[ahead]), milliseconds(0));
  for (const std::size_t later : {6U, 17U}) EXPECT_EQ(run.began(run.all[later]), milliseconds(60));
}

TEST(Runner, WithoutAPaceNobodyWaitsLongForTheFirst) {
  Burst run;
  for (int i = 1; i <= 20; ++i) run.own.takes[fmt::format("127.0.0.{}", i)] = milliseconds(2'500);
  run.run();
  EXPECT_EQ(run.began(run.all[17]), timeouts::ahead);
}

Observation after(double ms) {
  Observation observation;
  observation.outcome = Outcome::answered;
  observation.round_trip = Milliseconds(ms);
  return observation;
}

// Near and far, and what is looked at closer in each of their areas.
struct Areas : Fixture {
  Areas() : Fixture(Time::by_hand) {
    add("192.0.2.1");
    add("192.0.2.2");
    near = add("192.0.2.11");
    plan.probes.back().nearest_of = {"192.0.2.1", "192.0.2.2"};
    far = add("192.0.2.22");
    plan.probes.back().nearest_of = {"192.0.2.2", "192.0.2.1"};
  }
  std::string near, far;
};

TEST(Runner, LooksCloserOnlyAtTheNearest) {
  Areas run;
  run.own.sees["192.0.2.1"] = after(10);
  run.own.sees["192.0.2.2"] = after(90);
  const auto results = run.run();
  EXPECT_EQ(results[2].observation.outcome, Outcome::answered);
  EXPECT_EQ(results[3].observation.detail, DetailCode::not_needed);
  EXPECT_FALSE(run.own.began.contains(run.far));
}

TEST(Runner, LooksCloserAtOneAreaWhereTwoAreAsNear) {
  Areas run;
  run.own.sees["192.0.2.1"] = run.own.sees["192.0.2.2"] = after(10);
  const auto results = run.run();
  EXPECT_NE(results[2].observation.detail == DetailCode::not_needed,
            results[3].observation.detail == DetailCode::not_needed);
}

TEST(Runner, DoesNotWaitForTheSecondAnswerOfAHost) {
  Areas run;
  run.own.sees["192.0.2.1"] = after(10);
  run.own.sees["192.0.2.2"] = after(90);
  run.add("192.0.2.1", 80, {}, "nat");  // takes no address: its host is its name
  run.own.takes["192.0.2.1"] = milliseconds(0);
  const auto start = run.loop.clock.now();
  run.run();
  EXPECT_EQ(run.own.began[run.near], start);
}

TEST(Runner, AHostThatCannotBeMeasuredIsNotTheNearest) {
  Areas run;
  Observation silent;
  silent.outcome = Outcome::silent;
  run.own.sees["192.0.2.1"] = silent;
  run.own.sees["192.0.2.2"] = after(90);
  const auto results = run.run();
  EXPECT_EQ(results[2].observation.detail, DetailCode::not_needed);
  EXPECT_EQ(results[3].observation.outcome, Outcome::answered);
  run.own.sees["192.0.2.2"] = silent;
  const auto again = run.run();
  EXPECT_EQ(again[2].observation.detail, DetailCode::not_needed);
  EXPECT_EQ(again[3].observation.detail, DetailCode::not_needed);
}

TEST(Runner, AFallbackOfSeveralIsMadeWhereOneOfThemIsLost) {
  Fixture run(Time::by_hand);
  const auto one = run.add("192.0.2.1"), two = run.add("192.0.2.2");
  run.add("192.0.2.3");
  run.plan.probes.back().unless_all = {one, two};
  EXPECT_EQ(run.run()[2].observation.detail, DetailCode::not_needed);
  run.own.sees["192.0.2.2"].outcome = Outcome::silent;
  EXPECT_EQ(run.run()[2].observation.outcome, Outcome::answered);
}

TEST(Runner, TakesAnAnswerThatAnotherProbeGot) {
  Fixture run(Time::by_hand);
  const auto alg = run.add("192.0.2.1", 5060, {}, "nat");
  const auto sip = run.add("192.0.2.1", 5060, {}, "sip");
  run.plan.probes.back().answered_by = alg;
  auto seen = after(20);
  seen.detail = DetailCode::no_rewriting_seen;
  seen.evidence.push_back(
      {EvidenceKind::sip_reply, "the server answered 404", {{Fact::status, std::int64_t{404}}}});
  seen.evidence.push_back({EvidenceKind::sip_alg, "nothing was rewritten", {}});
  run.own.sees["192.0.2.1"] = seen;
  const auto results = run.run();
  EXPECT_EQ(run.own.started, std::vector<std::string>{alg});
  const auto& taken = results[1].observation;
  EXPECT_EQ(taken.outcome, Outcome::answered);
  EXPECT_EQ(taken.detail, Detail::status(404));
  EXPECT_EQ(taken.round_trip, Milliseconds(20));
  ASSERT_EQ(taken.evidence.size(), 1u);
  EXPECT_EQ(taken.evidence[0].kind, EvidenceKind::sip_reply);
}

TEST(Runner, MakesTenThousandProbes) {
  Fixture run;
  run.options.pace.packets_at_once = 100'000;  // of all destinations together
  for (int i = 0; i < 10'000; ++i) {
    // No more of a host than may be asked of it in ten seconds.
    run.add(fmt::format("127.0.{}.1", i % 200), static_cast<std::uint16_t>(1 + i / 200));
  }
  const auto results = run.run();
  ASSERT_EQ(results.size(), 10'000u);
  std::size_t answered = 0;
  for (const auto& result : results) answered += result.observation.outcome == Outcome::answered;
  EXPECT_EQ(answered, 10'000u);
  EXPECT_EQ(run.own.started.size(), 10'000u) << "each once";
  EXPECT_LE(run.own.most_inside, 4);
}

}  // namespace
}  // namespace callready
